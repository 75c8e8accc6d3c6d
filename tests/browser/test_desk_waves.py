"""A wave in a real Chromium: told above the queue, looked at, cleared, and taken back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from wave import arrive

import pytest
from barriers import barriers
from cast import add_moderator, add_site, stored
from live import Live
from playwright.sync_api import Browser, Page, expect

from service import accounts, database
from service.models import Article, Wave, now


@pytest.fixture
def mo(live: Live, browser: Browser) -> Iterator[Page]:
    """Mo's tab, with a wave of thirty on The Daily; past the pages' policy, so that axe can run."""
    site_id = add_site(live.app)
    moderator_id = add_moderator(live.app)
    at = now() - timedelta(minutes=5)
    with live.app.app_context(), database.writing() as session:
        session.add(Article(site_id=site_id, url="https://daily.example/review"))
        session.flush()
        said = {"text": "Watches", "html": "<p>Cheap watches at cheap.example</p>"}
        for number in range(30):
            when = at + timedelta(seconds=number)
            arrive(session, site_id, 1, when, name=f"W{number}", is_proved=number == 7, **said)
        session.add(Wave(site_id=site_id, article_id=1, began_at=at, peak=30))
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, moderator_id))
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{live.url}/desk/")
    yield page
    context.close()


def expect_sound(
    page: Page, name: str, screenshot: Callable[..., Path], part: str = "html"
) -> None:
    """No barrier, and no wider than the screen: wide in light, narrow in dark."""
    for scheme, width in (("light", 1280), ("dark", 320)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        screenshot(page, f"wave-{name}-{width}-{scheme}", full_page=False)
        page.evaluate("scrollTo(0, 0)")  # or the bar covers half a button
        assert page.evaluate("document.documentElement.scrollWidth") == width, (name, width)
        assert barriers(page, part) == {}, (name, scheme)
    page.set_viewport_size({"width": 1280, "height": 800})


def spam(live: Live) -> int:
    return [str(comment.status) for comment in stored(live.app)].count("spam")


@pytest.mark.long
def test_a_wave_is_told_looked_at_cleared_and_taken_back(
    live: Live, mo: Page, screenshot: Callable[..., Path]
) -> None:
    expect(mo.locator(".wave-told")).to_contain_text("A wave is on.")
    expect_sound(mo, "told", screenshot, ".wave-told")
    mo.get_by_role("link", name="Look at the wave").click()
    expect(mo.locator(".sample li")).to_have_count(11)
    expect_sound(mo, "page", screenshot)
    mo.get_by_role("button", name="Mark 29 comments as spam").click()
    expect(mo.locator(".wave-job")).to_contain_text("29 comments marked as spam.")
    expect_sound(mo, "cleared", screenshot)
    assert spam(live) == 29
    mo.locator(".wave-job").get_by_role("button", name="Undo all of it").click()
    expect(mo.locator(".wave-job")).to_contain_text("29 comments are as they were before.")
    assert spam(live) == 0
    mo.get_by_role("button", name="This is no wave").click()
    expect(mo.get_by_text("A moderator said that it was none.")).to_be_visible()
    mo.get_by_role("link", name="Waves").first.click()
    expect_sound(mo, "list", screenshot)
