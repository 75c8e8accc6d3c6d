"""A site's rules in a browser: tried, seen, saved, and what they said; on a phone, without script."""

import pytest
from cast import add_moderator, reply, stored
from playwright.sync_api import expect
from rita import add_site

from service import accounts, database
from service.status import Role

ORIGIN = "https://daily.example"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
TWO = "Look: https://a.example and https://b.example"


@pytest.mark.long
def test_pia_tries_a_rule_saves_it_and_sees_what_it_said(phone, live, look):
    add_site(live.app, ORIGIN)
    reader = live.app.test_client()
    for number in range(12):
        said = LONG if number % 4 else "Hear, hear."
        sent = reply(live.app, reader, comment=f"{TWO} {said} {number}")
        assert sent.status_code == 303
    pia = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, pia))
    phone.goto(f"{live.url}/desk/sign-in/{secret}")
    phone.get_by_role("button", name="Sign in").click()
    phone.locator(".pages summary").click()
    phone.get_by_role("link", name="Rules", exact=True).click()
    expect(phone.get_by_role("heading", name="The rules, in the order they run")).to_be_visible()
    look("list")

    phone.get_by_role("link", name="Holds a comment with more links than 2.").click()
    phone.get_by_label("Links that a comment may have").fill("lots")
    phone.get_by_role("button", name="Try it").click()
    expect(phone.get_by_role("alert")).to_contain_text("Enter a whole number from 0 to 100.")
    expect(phone.get_by_label("Links that a comment may have")).to_have_value("lots")
    look("error")
    phone.get_by_label("Links that a comment may have").fill("1")
    phone.get_by_role("button", name="Try it").click()
    expect(phone.get_by_role("heading", name="12 caught as well")).to_be_visible()
    phone.get_by_text("The list").click()
    expect(phone.locator(".caught li")).to_have_count(12)
    look("tried")
    expect(phone.get_by_label("Links that a comment may have")).to_have_value("1")
    phone.get_by_role("button", name="Save", exact=True).click()
    expect(phone.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    look("saved")

    reply(live.app, reader, comment=f"{TWO}, once more")
    phone.goto(f"{live.url}/desk/comments/{stored(live.app)[-1].public_id}")
    ledger = phone.get_by_role("region", name="What the rules said")
    expect(ledger).to_contain_text("Posted: held")
    expect(ledger).to_contain_text("Links in it: 2.")
    look("ledger")
    phone.goto(f"{live.url}/desk/sites/daily/refusals")
    expect(phone.get_by_text("Nobody was asked for another wording yet.")).to_be_visible()
    look("refusals")
