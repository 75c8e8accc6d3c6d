"""The receipt in a real Chromium: changing and taking back one's own reply, with script and without."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rita
from cast import add_moderator
from live import Live, sign_in_browser
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select
from test_desk import press

from service import accounts, database, moderation
from service.models import Comment
from service.rules import Verdict
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
    expect(page.locator("#change summary")).to_have_text(re.compile(r"possible until .+ \d+:\d\d"))
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
    rita.expect_no_receipt(page)
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
    rita.expect_no_receipt(page)
    expect(page.locator(".comment .comment-body")).to_have_text("I liked the harbour.")


@pytest.mark.long
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
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
    for target in page.locator("summary, .own > p a").all():
        assert (target.bounding_box() or {"height": 0})["height"] >= 24
    context.close()


# The desk


@pytest.fixture
def changes(live: Live, article: str) -> None:
    """Two published comments, Rita's and Otto's, each with a change that waits."""
    for name in ("Rita", "Otto"):
        rita.add_comment(live.app, article, name, "It shone.")
    with live.app.app_context(), database.writing() as session:
        for comment in session.scalars(select(Comment)):
            new = moderation.Wording("It *shone*, twice.", "<p>It <em>shone</em>, twice.</p>", None)
            moderation.edit(session, comment, 1, new, Verdict(Status.PENDING))


def enter(live: Live, page: Page) -> Page:
    moderator_id = add_moderator(live.app)
    sign_in_browser(live, page.context, moderator_id)
    page.goto(f"{live.url}/desk/")
    return page


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"Comment by {name}", exact=True)


def expect_counts(page: Page, **expected: int) -> None:
    for status, count in expected.items():
        expect(page.locator(f".tabs [data-status={status}] .count")).to_have_text(str(count))


def test_a_change_is_decided_on_and_undone_without_a_reload(
    live: Live, page: Page, changes: None, console_errors: list[str]
) -> None:
    mo = enter(live, page)
    strip = mo.get_by_role("region", name="Your last decisions")
    expect_counts(mo, pending=2, approved=2)
    card(mo, "Rita").get_by_role("button", name="Approve the change").click()
    expect(card(mo, "Rita")).to_have_count(0)
    expect(strip).to_contain_text("Rita: change approved")
    expect_counts(mo, pending=1, approved=2)
    press(mo, "Otto", "Delete")
    expect(mo.get_by_text("Nothing is waiting.")).to_be_visible()
    expect_counts(mo, pending=0, approved=1, deleted=1)
    for name in ("Otto", "Rita"):
        strip.locator("li", has_text=name).get_by_role("button").click()
        expect(card(mo, name)).to_be_visible()
    expect_counts(mo, pending=2, approved=2, deleted=0)
    mo.reload()
    expect_counts(mo, pending=2, approved=2, deleted=0)
    strip.locator("li", has_text="Rita").get_by_role("button").click()  # the undo of an undo
    expect(card(mo, "Rita")).to_have_count(0)
    expect_counts(mo, pending=1, approved=2)
    assert console_errors == []


@pytest.mark.long
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_a_change_can_be_compared_on_every_screen(
    live: Live,
    page: Page,
    changes: None,
    screenshot: Callable[..., Path],
    size: str,
    scheme: str,
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    mo = enter(live, page)
    expect(card(mo, "Rita").get_by_text("Published now")).to_be_visible()
    assert mo.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(mo, f"desk-changes-{size}-{scheme}")
    card(mo, "Rita").locator(".permalink").click()
    mo.get_by_label("More that the author may read").fill("It was better before.")
    mo.get_by_role("button", name="Approve the change").click()
    mo.get_by_label("Who is speaking").select_option("staff")
    mo.get_by_role("button", name="Say so").click()
    mo.get_by_text("1 earlier text").click()
    expect(mo.locator(".revisions .comment-body")).to_have_text("It shone.")
    assert mo.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(mo, f"desk-comment-{size}-{scheme}")
