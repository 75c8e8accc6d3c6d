"""Bans in a browser: from a comment to a ban and back, on a narrow phone, without a barrier."""

import pytest
from barriers import barriers
from cast import add_moderator, reply, stored
from playwright.sync_api import expect
from rita import add_site

from service import accounts, database
from service.status import Role, Status

ORIGIN = "https://daily.example"
LONG = "Maximiliane-Donaudampfschifffahrtsgesellschaftskapitänin"


@pytest.fixture
def page(browser):
    """A tab 320 px wide, past the pages' policy for scripts."""
    context = browser.new_context(
        bypass_csp=True, viewport={"width": 320, "height": 800}, locale="en-GB"
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def look(page, screenshot):
    """Looks at the page as it is: nothing runs out of it, and axe finds nothing."""

    def look(name):
        for scheme, width in (("dark", 1280), ("light", 320)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            screenshot(page, f"bans-{name}-{width}-{scheme}")
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (name, width)
            assert barriers(page) == {}, (name, scheme)

    return look


@pytest.mark.long
def test_ada_bans_what_a_comment_came_with_and_lifts_it(page, live, look):
    add_site(live.app, ORIGIN)
    reader = live.app.test_client()
    for words in ("Hear, hear.", "*Buy* my shoes at https://shop.evil.example/ now " * 8):
        reply(live.app, reader, name=LONG, email="rita@gmail.com", comment=words)
    ada = add_moderator(live.app, "ada@daily.example", None, Role.ADMIN)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, ada))
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".pages summary").click()
    page.get_by_role("link", name="Bans", exact=True).click()
    expect(page.get_by_text("Nothing is banned.")).to_be_visible()
    look("empty")
    page.get_by_text("Ban something").click()
    page.get_by_role("button", name="See what it would have caught").click()
    expect(page.get_by_role("alert")).to_be_focused()
    look("error")

    page.goto(f"{live.url}/desk/comments/{stored(live.app)[1].public_id}")
    page.get_by_role("link", name="Ban…").click()
    expect(page.get_by_text("shop.evil.example")).to_be_visible()
    look("choice")
    page.get_by_role("radio", name="Email domain g…l.com").check()
    page.get_by_role("button", name="See what it would have caught").click()
    expect(page.get_by_role("heading", name="It would have caught 2 comments")).to_be_visible()
    expect(page.get_by_text("Many people have an address at this provider")).to_be_visible()
    look("preview")
    page.get_by_role("button", name="Ban", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.get_by_label("How long").select_option("1 year")
    page.get_by_label("Reason").fill("sells shoes")
    page.get_by_role("button", name="Ban", exact=True).click()

    banned = page.get_by_role("listitem").filter(has_text="sells shoes")
    expect(banned).to_be_visible()
    look("list")
    reply(live.app, reader, email="otto@gmail.com", comment="Mine, too.")
    assert stored(live.app)[-1].status == Status.SPAM
    banned.get_by_role("button", name="Lift").click()
    expect(page.get_by_role("heading", name="Bans that are over")).to_be_visible()
    expect(banned).to_contain_text("caught 1 reply")
    look("over")
    assert "gmail" not in page.content()
