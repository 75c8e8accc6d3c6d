"""Deciding from a real letter in a real Chromium, on a phone in the dark, without signing in."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from barriers import barriers
from cast import add_moderator, add_site, reply, stored
from live import Live
from mailserver import Mailbox
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from service import database, moderation, text
from service.cli.mail import send_letters
from service.models import Comment, Letter, now
from service.moderation import Wording
from service.rules import Verdict
from service.status import Status

TYPED = "The *harbour* at https://harbour.example/2026 is not what it was, and never was."


@pytest.fixture
def live(serve: Callable[..., Live], mailbox: Mailbox) -> Live:
    return serve(MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}", MAIL_FROM="comments@service.example")


@pytest.fixture
def letter(live: Live, mailbox: Mailbox, browser: Browser) -> Iterator[Page]:
    """Mo's letter about Rita's reply, opened on a phone. Past the pages' policy, so that axe can run."""
    add_site(live.app)
    add_moderator(live.app)
    reply(live.app, live.app.test_client(), comment=TYPED)
    with live.app.app_context():
        with database.writing() as session:
            session.execute(update(Letter).values(due_at=now() - timedelta(seconds=1)))
        send_letters()
    (mail,) = mailbox.mails
    context = browser.new_context(
        bypass_csp=True,
        locale="en-GB",
        viewport={"width": 320, "height": 800},
        color_scheme="dark",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_content(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    yield page
    context.close()


def test_a_comment_is_approved_from_a_letter_and_that_is_taken_back(
    letter: Page, live: Live, screenshot: Callable[..., Path]
) -> None:
    def look(name: str) -> None:
        for scheme, width in (("light", 1280), ("dark", 320)):  # and stays a phone in the dark
            letter.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            letter.set_viewport_size({"width": width, "height": 800})
            screenshot(letter, f"by-mail-{name}-{width}-{scheme}")
            assert letter.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            assert barriers(letter) == {}, (name, scheme)

    look("letter")
    reject = letter.get_by_role("link", name="Reject").get_attribute("href") or ""
    letter.get_by_role("link", name="Approve").click()
    expect(letter.get_by_role("heading", name="Approve this comment?")).to_be_visible()
    expect(letter.get_by_role("article").get_by_role("link", name="harbour")).to_have_count(0)
    letter.get_by_text("Answer it at once").click()
    look("approve")
    letter.get_by_role("button", name="Approve", exact=True).click()
    expect(letter.get_by_role("heading", name="Done")).to_be_visible()
    expect(letter.get_by_text(re.compile("mo .by mail. approved this"))).to_be_visible()
    assert stored(live.app)[0].status == Status.APPROVED
    look("done")
    letter.get_by_role("button", name="Undo").click()
    expect(letter.get_by_role("heading", name="Approve this comment?")).to_be_visible()
    assert stored(live.app)[0].status == Status.PENDING
    change(live, TYPED.replace("never was", "will never be"))
    letter.goto(reject)
    expect(letter.get_by_role("heading", name="Changed since the letter")).to_be_visible()
    letter.get_by_label("Note").fill("x" * 501)
    letter.get_by_role("button", name="Reject").click()
    expect(letter.get_by_role("alert")).to_be_visible()
    look("reject")
    letter.goto(f"{live.url}/decide/nonsense")
    look("refused")


def change(live: Live, typed: str) -> None:
    """As Rita changes what she wrote."""
    with live.app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        wording = Wording(typed, str(text.render(typed)), None)
        moderation.edit(session, comment, comment.version, wording, Verdict(Status.PENDING))
