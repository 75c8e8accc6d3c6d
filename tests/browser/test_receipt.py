"""The receipt in a real Chromium: changing and taking back one's own reply, with script and without."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rita
from cast import add_moderator
from live import Live
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from service import accounts, database, moderation
from service.models import Comment
from service.status import Status

SIZES = {"desktop": (1280, 800), "phone": (360, 740)}


@pytest.fixture
def live(live: Live) -> Live:
    rita.add_site(live.app, live.url)
    return live


@pytest.fixture
def article(live: Live) -> str:
    return f"{live.url}/harbour"


@pytest.fixture
def without_script(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    yield context.new_page()
    context.close()


def post(page: Page, live: Live, article: str) -> str:
    """Sends Rita's reply; gives her receipt's address."""
    page.goto(rita.thread(live.url, article))
    rita.fill(page)
    rita.send(page)
    expect(page.locator(".comment.is-own")).to_be_visible()
    if "/receipts/" in page.url:
        return page.url
    link = page.locator(".comment.is-own").get_by_role("link", name="Keep its link")
    return str(link.evaluate("(link) => link.href"))


def decide(live: Live, status: Status, reason: str = "") -> None:
    """As Mo, who is made at the first time."""
    with live.app.app_context(), database.writing() as session:
        mo = session.scalars(select(accounts.Moderator)).first()
    if mo is None:
        add_moderator(live.app)
    with live.app.app_context(), database.writing() as session:
        mo = session.scalars(select(accounts.Moderator)).one()
        comment = session.scalars(select(Comment).where(Comment.name == "Rita")).one()
        moderation.decide(session, comment, status, comment.version, mo, "", reason)


def test_a_reply_is_changed_and_taken_back_without_script(
    without_script: Page, live: Live, article: str
) -> None:
    page = without_script
    post(page, live, article)
    page.get_by_text("Change your reply").click()
    expect(page.get_by_label("Comment")).to_have_value("I *liked* the harbour.")
    page.get_by_label("Comment").fill("")
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_role("alert")).to_contain_text("Write your comment.")
    page.get_by_label("Comment").fill("I **loved** it.")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator("#receipt .comment-body strong")).to_have_text("loved")
    expect(page.get_by_label("Comment")).to_be_hidden()
    page.get_by_text("Take your reply back").click()
    page.get_by_role("button", name="Take it back for good").click()
    expect(page.get_by_role("heading")).to_have_text("You took your reply back")
    assert [comment.text for comment in rita.stored(live.app, "")] == [""]


def test_by_keyboard_alone(page: Page, live: Live, article: str) -> None:
    page.goto(post(page, live, article))
    page.locator("#change summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Comment")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("It shone.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt .comment-body")).to_have_text("It shone.")


def test_one_s_own_thread_follows_what_becomes_of_it(
    page: Page, live: Live, article: str, console_errors: list[str]
) -> None:
    receipt = post(page, live, article)
    page.goto(receipt)
    page.get_by_text("Change your reply").click()
    page.get_by_label("Comment").fill("I *loved* it.")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator("#receipt em")).to_have_text("loved")
    page.goto(rita.thread(live.url, article))
    own = page.locator(".comments .comment.is-own")
    expect(own.locator(".comment-body")).to_have_text("I loved it.")
    expect(own).to_have_count(1)
    # Taken back, it is gone from there, and the browser forgets its receipt.
    page.goto(receipt)
    page.get_by_text("Take your reply back").click()
    page.get_by_role("button", name="Take it back for good").click()
    expect(page.get_by_role("heading")).to_have_text("You took your reply back")
    page.goto(rita.thread(live.url, article))
    page.wait_for_function("!JSON.stringify(localStorage).includes('/receipts/')")
    expect(page.locator(".comment:visible")).to_have_count(0)
    assert console_errors == []


def test_a_published_one_with_a_waiting_change_stays_as_it_is_in_the_thread(
    page: Page, live: Live, article: str
) -> None:
    receipt = post(page, live, article)
    decide(live, Status.APPROVED)
    page.goto(receipt)
    page.get_by_text("Change your reply").click()
    page.get_by_label("Comment").fill("Buy *pills*.")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator(".receipt-change .comment-body")).to_have_text("Buy pills.")
    expect(page.locator("#receipt .comment .comment-body")).to_have_text("I liked the harbour.")
    page.goto(rita.thread(live.url, article))
    page.wait_for_function("!JSON.stringify(localStorage).includes('/receipts/')")
    expect(page.locator(".comment .comment-body")).to_have_text("I liked the harbour.")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen(
    browser: Browser,
    live: Live,
    article: str,
    screenshot: Callable[..., Path],
    size: str,
    scheme: str,
) -> None:
    width, height = SIZES[size]
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    page = context.new_page()
    receipt = post(page, live, article)

    def look(name: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        screenshot(page, f"receipt-{name}-{size}-{scheme}")

    page.goto(receipt)
    look("waiting")
    for summary in page.locator("summary").all():
        summary.click()
    look("waiting-open")
    decide(live, Status.APPROVED)
    page.reload()
    page.get_by_text("Change your reply").click()
    page.get_by_label("Comment").fill("I *loved* the harbour, and **said so**.\n\nTwice.")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator(".receipt-change")).to_be_visible()
    look("change")
    page.get_by_text("Change your reply").click()
    page.get_by_label("Comment").fill("")
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("error")
    decide(live, Status.DELETED, "It names somebody who wants to stay unnamed.")
    page.goto(receipt)
    expect(page.locator(".receipt-reason")).to_be_visible()
    look("refused")
    for target in page.locator("summary, .own .button").all():
        box = target.bounding_box()
        assert box is None or box["height"] >= 24
    context.close()
