"""The first ten minutes in a real Chromium: the console's link, a site, the snippet, the first comment."""

from collections.abc import Callable
from pathlib import Path

from barriers import expect_sound
from live import Live, Publisher
from playwright.sync_api import Browser, expect
from rita import fill, send

from service import database, first
from service.accounts import Purpose


def test_from_an_empty_installation_to_the_first_comment(
    live: Live, browser: Browser, publisher: Publisher, screenshot: Callable[..., Path]
) -> None:
    with live.app.app_context(), database.writing() as session:
        secret = first.make_link(session)
    token = live.app.extensions["signer"].sign(Purpose.FIRST.by_secret, secret)
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    ada = context.new_page()
    ada.goto(f"{live.url}/desk/first/{token}")
    ada.get_by_role("button", name="Make my account").click()
    expect(ada.get_by_role("alert")).to_contain_text("Enter the name")
    expect_sound(ada, "first-account", screenshot)
    ada.get_by_label("Name").fill("Ada")
    ada.get_by_label("Email").fill("ada@daily.example")
    ada.get_by_label("New password").fill("seven quiet harbours")
    ada.get_by_role("button", name="Make my account").click()

    expect(ada.get_by_role("heading", name="Name your site")).to_be_visible()
    expect_sound(ada, "first-site", screenshot)
    ada.get_by_label("Name of your site").fill("The Daily")
    ada.get_by_label("Its address").fill(publisher.url)
    ada.get_by_role("button", name="Add the site").click()

    snippet = ada.get_by_label("The snippet").input_value()
    expect(ada.get_by_text("No comment has come yet")).to_be_visible()
    expect(ada.get_by_role("button", name="Copy")).to_be_visible()
    expect_sound(ada, "first-snippet", screenshot)
    article = publisher.url + "/harbour"
    publisher.write("/harbour", f"<h1>Harbour</h1>{snippet.replace('your-article', 'harbour')}")
    rita = browser.new_context().new_page()
    rita.goto(article)
    shown = rita.frame_locator("iframe").locator("#reply")
    fill(shown)
    send(shown)

    expect(ada.get_by_text("wrote the first comment")).to_be_visible(timeout=15_000)
    expect_sound(ada, "first-comment", screenshot)
    ada.get_by_role("link", name="Decide on it").click()
    expect(ada.locator("article.card")).to_have_count(1)
    rita.context.close()
    context.close()
