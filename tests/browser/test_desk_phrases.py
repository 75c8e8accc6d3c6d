"""A site's words and phrases in a browser: one is added, met by a reader, and removed."""

import pytest
from barriers import barriers
from cast import ARTICLE, add_moderator, stored
from playwright.sync_api import expect
from rita import add_site, fill, send, thread

from service import accounts, database
from service.screening import phrases as lists
from service.status import PhraseKind, Role

ORIGIN = "https://daily.example"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverkäuferinnenprüfung*"
SAID = "It was all poker, from the first hand to the last."


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
        for scheme, width in (("light", 1280), ("dark", 1280), ("light", 320), ("dark", 320)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            screenshot(page, f"phrases-{name}-{width}-{scheme}")
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (name, width)
            assert barriers(page) == {}, (name, scheme, width)

    return look


def fill_list(app):
    with app.app_context(), database.writing() as session:
        words = [LONG, "免费", "العربية", *(f"word{number:02}" for number in range(60))]
        lists.add(session, 1, PhraseKind.REFUSE, words)


def test_pia_adds_a_word_a_reader_meets_it_and_pia_removes_it(page, live, look):
    add_site(live.app, ORIGIN)
    pia = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, pia))
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live.url}/desk/sites")
    page.get_by_role("link", name="Words and phrases").click()
    page.get_by_role("link", name="Another wording").click()
    expect(page.get_by_text("is asked to say it in other words")).to_be_visible()
    look("empty")

    box = page.get_by_label("Words and phrases to add")
    box.focus()
    page.keyboard.type("poker\n*a*")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("Added: “poker”.")
    expect(page.get_by_role("alert")).to_contain_text("so short that it would be found everywhere")
    expect(box).to_have_value("*a*")
    look("error")

    page.goto(thread(live.url, ARTICLE))
    fill(page, Comment=SAID)
    send(page)
    expect(page.locator("p.error:visible")).to_contain_text("takes no comments with “poker”")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(SAID)
    assert stored(live.app) == []

    fill_list(live.app)
    page.goto(f"{live.url}/desk/sites/daily/phrases/refuse")
    look("list")
    page.get_by_label("Search the list").fill("poker")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".phrases li")).to_have_count(1)
    expect(page.get_by_text("found in 1 reply")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".done")).to_contain_text("Removed: poker")
    look("removed")
    page.get_by_text("Bring a list from WordPress").click()
    look("import")

    page.goto(thread(live.url, ARTICLE))
    fill(page, Comment=SAID)
    send(page)
    expect(page.get_by_text("waiting for a moderator").first).to_be_visible()
    assert [comment.text for comment in stored(live.app)] == [SAID]
