"""A site's words and phrases in a browser: one is added, met by a reader, and removed."""

import pytest
from cast import ARTICLE, add_moderator, stored
from playwright.sync_api import expect
from rita import add_site, fill, send, thread

from service import accounts, database
from service.screening import phrases as lists
from service.status import PhraseKind, Role

ORIGIN = "https://daily.example"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverkäuferinnenprüfung*"
SAID = "It was all poker, from the first hand to the last."


def fill_list(app):
    with app.app_context(), database.writing() as session:
        words = [LONG, "免费", "العربية", *(f"word{number:02}" for number in range(60))]
        lists.add(session, 1, PhraseKind.REFUSE, words)


@pytest.mark.long
def test_pia_adds_a_word_a_reader_meets_it_and_pia_removes_it(phone, live, look):
    add_site(live.app, ORIGIN)
    pia = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, pia))
    phone.goto(f"{live.url}/desk/sign-in/{secret}")
    phone.get_by_role("button", name="Sign in").click()
    phone.goto(f"{live.url}/desk/sites")
    phone.get_by_role("link", name="Words and phrases").click()
    phone.get_by_role("link", name="Another wording").click()
    expect(phone.get_by_text("is asked to say it in other words")).to_be_visible()
    look("empty")

    box = phone.get_by_label("Words and phrases to add")
    box.focus()
    phone.keyboard.type("poker\n*a*")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.locator(".done")).to_contain_text("Added: “poker”.")
    expect(phone.get_by_role("alert")).to_contain_text("so short that it would be found everywhere")
    expect(box).to_have_value("*a*")
    look("error")

    phone.goto(thread(live.url, ARTICLE))
    fill(phone, Comment=SAID)
    send(phone)
    expect(phone.locator("p.error:visible")).to_contain_text("takes no comments with “poker”")
    expect(phone.get_by_role("textbox", name="Comment")).to_have_value(SAID)
    assert stored(live.app) == []

    fill_list(live.app)
    phone.goto(f"{live.url}/desk/sites/daily/phrases/refuse")
    look("list")
    phone.get_by_label("Search the list").fill("poker")
    phone.get_by_role("button", name="Search").click()
    expect(phone.locator(".phrases li")).to_have_count(1)
    expect(phone.get_by_text("found in 1 reply")).to_be_visible()
    phone.get_by_role("button", name="Remove").click()
    expect(phone.locator(".done")).to_contain_text("Removed: poker")
    look("removed")
    phone.get_by_text("Bring a list from WordPress").click()
    look("import")

    phone.goto(thread(live.url, ARTICLE))
    fill(phone, Comment=SAID)
    send(phone)
    expect(phone.get_by_text("waiting for a moderator").first).to_be_visible()
    assert [comment.text for comment in stored(live.app)] == [SAID]
