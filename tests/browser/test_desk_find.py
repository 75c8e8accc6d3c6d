"""Finding at the desk in a real Chromium: one quiet row, which folds away on a phone."""

import pytest
from barriers import barriers
from cast import add_site
from live import Live
from playwright.sync_api import Browser, expect
from sqlalchemy import update
from test_desk import EMAIL, card, enter, fill

from service import database
from service.models import Comment

NAMES = ("Rita", "Otto", "Lena", "Pit", "Ann", "Bob")


@pytest.mark.long
def test_a_moderator_finds_a_comment_with_and_without_script(live: Live, browser: Browser) -> None:
    add_site(live.app)
    fill(live.app, NAMES)
    with live.app.app_context(), database.writing() as session:
        lena = Comment.name == "Lena"
        session.execute(update(Comment).where(lena).values(text="A lighthouse", risk=90))
    for has_script in (True, False):
        context = browser.new_context(
            java_script_enabled=has_script,
            bypass_csp=True,
            viewport={"width": 1280, "height": 800},
            locale="en-GB",
        )
        page = enter(live, context)
        # Five cards fit below the row.
        box = page.locator(".card").nth(4).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800
        page.get_by_role("searchbox", name="Text").fill("lighthouse")
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page).to_have_url(f"{live.url}/desk/?q=lighthouse")
        expect(page.locator(".card")).to_have_count(1)
        expect(card(page, "Lena")).to_be_visible()
        page.get_by_role("link", name="text: lighthouse").click()
        expect(page.locator(".card")).to_have_count(len(NAMES))
        page.set_viewport_size({"width": 320, "height": 640})
        page.get_by_text("Filters and order").click()
        page.get_by_label("Network: an IP address").fill("here")
        page.get_by_label("Name").fill("Otto")
        page.get_by_label("Order").select_option("riskiest first")
        page.get_by_role("button", name="Search with these").click()
        expect(page.get_by_label("Network: an IP address")).to_have_attribute(
            "aria-invalid", "true"
        )
        if has_script:  # axe is one
            assert barriers(page, ".finding") == {}
            assert page.evaluate("document.documentElement.scrollWidth") == 320
        page.get_by_label("Network: an IP address").fill("")
        page.get_by_role("button", name="Search with these").click()
        expect(page).to_have_url(f"{live.url}/desk/?name=Otto&sort=riskiest")
        expect(card(page, "Otto")).to_be_visible()
        expect(page.locator(".card")).to_have_count(1)
        page.get_by_role("link", name="Review 1 likely spam").click()
        expect(card(page, "Lena")).to_be_visible()
        page.get_by_text("Filters and order").click()
        page.get_by_label("Email address").fill(EMAIL.format("pit"))
        page.get_by_role("button", name="Find address").click()
        expect(page.get_by_text("All comments of p…@r…")).to_be_visible()
        expect(card(page, "Pit")).to_be_visible()
        assert "pit@" not in page.content()
        if has_script:
            assert barriers(page, ".finding") == {}
        context.close()
