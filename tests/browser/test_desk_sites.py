"""A site's life in a real Chromium, on a phone: added, tuned, met by a reader, deleted, restored."""

from cast import add_moderator
from playwright.sync_api import expect

from service import accounts, database
from service.status import Role

ORIGIN = "https://stars.example"


def test_a_site_is_added_tuned_met_by_a_reader_deleted_and_restored(phone, live, look):
    ada = add_moderator(live.app, "ada@stars.example", None, Role.ADMIN)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, ada))
    phone.goto(f"{live.url}/desk/sign-in/{secret}")
    phone.get_by_role("button", name="Sign in").click()
    phone.goto(f"{live.url}/desk/sites/")
    phone.get_by_role("link", name="Add a site").click()
    phone.get_by_role("textbox", name="Name").fill("The Stars")
    phone.get_by_role("textbox", name="Key").fill("stars")
    phone.get_by_role("textbox", name="Origins").fill(f"{ORIGIN}/blog/")
    phone.get_by_role("button", name="Add the site").click()
    expect(phone.locator("#origins-error")).to_contain_text(f"An origin has no path: {ORIGIN}")
    look("add")
    phone.get_by_role("textbox", name="Origins").fill(ORIGIN)
    phone.get_by_role("button", name="Add the site").click()
    expect(phone.get_by_role("status").first).to_contain_text("The site is added.")
    look("overview")

    phone.get_by_role("link", name="Settings", exact=True).click()
    expect(phone.get_by_role("spinbutton", name="Days that networks are kept")).to_be_visible()
    phone.get_by_text("Titles, labels and helps of the form").click()
    phone.get_by_role("textbox", name="Title of the form").fill("Write to the Stars")
    phone.get_by_role("textbox", name="Colour of the text").fill("#2222zz")
    phone.get_by_role("combobox", name="Language").select_option("de")
    phone.get_by_role("button", name="Save the settings").first.click()
    expect(phone.locator("#set-text_colour-error")).to_contain_text("Enter a colour like #1a2b3c")
    expect(phone.get_by_role("textbox", name="Title of the form")).to_have_value(
        "Write to the Stars"
    )
    look("settings")
    phone.get_by_role("textbox", name="Colour of the text").fill("#222222")
    phone.get_by_role("textbox", name="Colour of the text").press("Enter")
    expect(phone.get_by_role("status").first).to_have_text("Saved.")
    phone.goto(f"{live.url}/embed/stars?url={ORIGIN}/a")
    expect(phone.locator("html")).to_have_attribute("lang", "de")

    phone.goto(f"{live.url}/desk/sites/stars/")
    phone.get_by_role("button", name="Delete the site").click()
    expect(phone.locator("#typed-error")).to_contain_text("Nothing was deleted.")
    phone.get_by_role("textbox", name="The site’s key").fill("stars")
    phone.get_by_role("button", name="Delete the site").click()
    expect(phone.get_by_text("can be restored until")).to_be_visible()
    look("deleted")
    assert phone.request.get(f"{live.url}/embed/stars?url={ORIGIN}/a").status == 404
    phone.get_by_role("button", name="Restore").click()
    expect(phone.get_by_role("status").first).to_have_text("The site is back as it was.")
    assert phone.request.get(f"{live.url}/embed/stars?url={ORIGIN}/a").status == 200
