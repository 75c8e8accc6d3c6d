"""Readers' letters in a real Chromium: confirming gives this browser its proof, leaving meets no barrier."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rita
from barriers import barriers
from live import Live
from mailserver import Mailbox
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from service import database
from service.cli.mail import send_letters
from service.mail.leaving import Leaving
from service.models import Article, Author, Follow, Site, now

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def live(serve: Callable[..., Live], mailbox: Mailbox) -> Live:
    live = serve(MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}", MAIL_FROM="comments@service.example")
    rita.add_site(live.app, live.url)
    return live


@pytest.fixture
def article(live: Live) -> str:
    return f"{live.url}/harbour"


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Page]:
    """A dark tab 320 px wide, past the pages' policy, so that axe can run."""
    context = browser.new_context(
        bypass_csp=True,
        color_scheme="dark",
        viewport={"width": 320, "height": 800},
        locale="en-GB",
    )
    yield context.new_page()
    context.close()


def post(page: Page, live: Live, article: str, words: str, wish: str) -> None:
    page.goto(rita.thread(live.url, article))
    rita.fill(page, Comment=words)
    page.get_by_label("Email me").select_option(label=wish)
    rita.send(page)
    expect(page.locator(".comment.is-own").get_by_text(words)).to_be_visible()


def link_of(mailbox: Mailbox, kind: str) -> str:
    said = mailbox.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.search(rf"\S+/letters/{kind}/\S+", said)
    assert found, said
    return found[0]


def test_who_confirms_is_known_to_this_browser_from_then_on(
    page: Page,
    live: Live,
    article: str,
    mailbox: Mailbox,
    console_errors: list[str],
    screenshot: Callable[..., Path],
) -> None:
    post(page, live, article, "The first.", "Every new reply here, at once")
    expect(page.locator(".is-own .reply-follow")).to_contain_text("a letter is on its way")
    screenshot(page, "follow-posted")
    with live.app.app_context():
        assert send_letters()
    page.goto(link_of(mailbox, "confirm"))
    expect(page.locator("#confirm .comment-body")).to_have_text("The first.")
    assert page.evaluate("localStorage.getItem('rejoinder.author daily')") is None
    screenshot(page, "follow-asks")
    page.get_by_role("button", name="Yes, it was me").click()
    expect(page.get_by_role("heading")).to_have_text("Thank you. Your address is confirmed")
    screenshot(page, "follow-confirmed")
    page.get_by_role("link", name="To all comments").click()
    post(page, live, article, "The second.", "What becomes of my reply, and answers to it")
    assert [comment.is_proved for comment in rita.stored(live.app)] == [True, True]
    with live.app.app_context():
        assert not send_letters()  # who has proved it is not asked again
    assert console_errors == []


def test_leaving_meets_no_barrier(
    narrow: Page, live: Live, article: str, mailbox: Mailbox, screenshot: Callable[..., Path]
) -> None:
    page = narrow
    post(page, live, article, "The first.", "New replies here, once a week")
    assert barriers(page) == {}
    post(page, live, article, "The second.", "What becomes of my reply, and answers to it")
    with live.app.app_context():
        send_letters()
    for kind in ("confirm", "never"):
        page.goto(link_of(mailbox, kind))
        screenshot(page, f"follow-{kind}-320-dark")
        assert barriers(page) == {}
        assert page.evaluate(TOO_WIDE) <= 0
    with live.app.app_context(), database.writing() as session:
        session.execute(
            update(Follow).where(Follow.article_id.is_not(None)).values(confirmed_at=now())
        )
        author, site_id = session.scalars(select(Author)).one(), session.scalar(select(Site.id))
        key = Leaving(author.email_index, site_id or 0, session.scalar(select(Article.id)))
        path = f"/letters/leave/{key.sign(live.app.extensions['signer'])}"
    page.goto(live.url + path)
    expect(page.get_by_label("How often")).to_have_value("weekly")
    for scheme, width in (("dark", 320), ("light", 1280)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        screenshot(page, f"follow-leave-{width}-{scheme}")
        assert barriers(page) == {}
        assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_label("How often").select_option(label="once a day")
    page.get_by_role("button", name="Change how often").click()
    expect(page.get_by_label("How often")).to_have_value("daily")
    page.get_by_role("button", name="End all letters").click()
    expect(page.get_by_text("follows nothing")).to_be_visible()
    page.locator("#never summary").click()
    page.get_by_role("button", name="Never write to me again").click()
    expect(page.get_by_role("button", name="Write to me again")).to_be_visible()
    screenshot(page, "follow-never-again")
    assert barriers(page) == {}
