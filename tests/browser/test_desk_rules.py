"""A site's rules in a browser: tried, seen, saved, and what they said; on a phone, without script."""

import pytest
from barriers import barriers
from cast import add_moderator, reply, stored
from playwright.sync_api import expect
from rita import add_site

from service import accounts, database
from service.status import Role

ORIGIN = "https://daily.example"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
TWO = "Look: https://a.example and https://b.example"


@pytest.fixture(params=["script", "no-script"])
def page(browser, request):
    """A tab 320 px wide, past the pages' policy for scripts where there are any."""
    has_script = request.param == "script"
    context = browser.new_context(
        bypass_csp=has_script,
        java_script_enabled=has_script,
        viewport={"width": 320, "height": 800},
        locale="en-GB",
    )
    context.set_default_timeout(20_000)
    opened = context.new_page()
    opened.has_script = has_script
    yield opened
    context.close()


@pytest.fixture
def look(page, screenshot):
    """Looks at the page as it is: nothing runs out of it, and axe finds nothing."""

    def look(name):
        if not page.has_script:
            return
        sizes = (("light", 1280), ("dark", 768), ("light", 390), ("dark", 320))
        for scheme, width in sizes:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            screenshot(page, f"rules-{name}-{width}-{scheme}")
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (name, width)
        assert barriers(page) == {}, name
        page.emulate_media(color_scheme="light")
        assert barriers(page) == {}, name

    return look


def test_pia_tries_a_rule_saves_it_and_sees_what_it_said(page, live, look):
    add_site(live.app, ORIGIN)
    reader = live.app.test_client()
    for number in range(12):
        said = LONG if number % 4 else "Hear, hear."
        sent = reply(live.app, reader, comment=f"{TWO} {said} {number}")
        assert sent.status_code == 303
    pia = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, pia))
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".pages summary").click()
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_role("heading", name="The rules, in the order they run")).to_be_visible()
    look("list")

    page.get_by_role("link", name="Holds a comment with more links than 2.").click()
    page.get_by_label("Links that a comment may have").fill("lots")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a whole number from 0 to 100.")
    expect(page.get_by_label("Links that a comment may have")).to_have_value("lots")
    look("error")
    page.get_by_label("Links that a comment may have").fill("1")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="12 caught as well")).to_be_visible()
    page.get_by_text("The list").click()
    expect(page.locator(".caught li")).to_have_count(12)
    look("tried")
    expect(page.get_by_label("Links that a comment may have")).to_have_value("1")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    look("saved")

    reply(live.app, reader, comment=f"{TWO}, once more")
    page.goto(f"{live.url}/desk/comments/{stored(live.app)[-1].public_id}")
    ledger = page.get_by_role("region", name="What the rules said")
    expect(ledger).to_contain_text("Posted: held")
    expect(ledger).to_contain_text("Links in it: 2.")
    look("ledger")
    page.goto(f"{live.url}/desk/sites/daily/refusals")
    expect(page.get_by_text("Nobody was asked for another wording yet.")).to_be_visible()
    look("refusals")
