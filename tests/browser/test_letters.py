"""Letters in a real Chromium: the desk's outbox, the choice of a pace, and a letter as it arrives."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from barriers import expect_sound
from cast import add_moderator, add_site, reply
from live import Live, sign_in_browser
from mailserver import Mailbox
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from service import accounts, database, follows, letters
from service.cli.mail import send_letters
from service.models import Author, Comment, Letter, Site, now
from service.status import LetterKind, LetterState, Role, Why

ANSWER = "550 5.1.1 [address]: recipient address rejected, user unknown in virtual mailbox table"


@pytest.fixture
def live(serve: Callable[..., Live], mailbox: Mailbox) -> Live:
    return serve(MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}", MAIL_FROM="comments@service.example")


@pytest.fixture
def pia(live: Live, browser: Browser) -> Iterator[Page]:
    """Pia's tab: a letter to her failed, one waits. Past the pages' policy, so that axe can run."""
    add_site(live.app)
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    for number in range(7):
        reply(live.app, live.app.test_client(), comment=f"Comment {number}, with <b>no</b> mercy.")
    with live.app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        letters.write(session, LetterKind.WAITING, "x", site_id, moderator_id=pia_id)
        failed = update(Letter).where(Letter.cause_key == "x")
        told = {"why": Why.REFUSED, "attempts": 3, "last_answer": ANSWER}
        session.execute(failed.values(state=LetterState.FAILED, **told))
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    sign_in_browser(live, context, pia_id)
    page = context.new_page()
    page.goto(f"{live.url}/desk/")
    yield page
    context.close()


def test_a_failed_letter_is_tried_again(
    pia: Page, live: Live, screenshot: Callable[..., Path]
) -> None:
    pia.get_by_text("More", exact=True).click()
    pia.get_by_role("link", name="Letters", exact=True).click()
    expect(pia.get_by_role("heading", name="Failed")).to_be_visible()
    expect_sound(pia, "letters-outbox", screenshot)
    pia.get_by_role("button", name="Try again").click()
    expect(pia.get_by_role("status").filter(has_text="waits again")).to_be_visible()


def test_a_pace_is_chosen(pia: Page, live: Live, screenshot: Callable[..., Path]) -> None:
    pia.goto(f"{live.url}/desk/me/#letters")
    expect_sound(pia, "letters-pace", screenshot)
    pia.get_by_label("Once an hour", exact=True).check()
    pia.get_by_role("button", name="Keep this").click()
    expect(pia.get_by_text("It is changed.")).to_be_visible()
    expect(pia.get_by_label("Once an hour", exact=True)).to_be_checked()


def test_the_letter_reads_well_in_light_and_dark(
    pia: Page, live: Live, mailbox: Mailbox, screenshot: Callable[..., Path]
) -> None:
    with live.app.app_context():
        with database.writing() as session:
            session.execute(update(Letter).values(due_at=now() - timedelta(seconds=1)))
        send_letters()
    (mail,) = mailbox.mails
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    for fetched in ("src=", "@import", "url(", "<script"):
        assert fetched not in html
    pia.goto("about:blank")
    pia.set_content(html)
    expect_sound(pia, "letters-letter", screenshot)
    print(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]


def test_an_address_that_takes_no_mail_is_said_and_written_to_again(
    pia: Page, live: Live, screenshot: Callable[..., Path]
) -> None:
    """On the letters' page, on the card, and on the receipt of the reply that is proved."""
    receipt = reply(live.app, live.app.test_client(), comment="Mine.").location
    with live.app.app_context(), database.writing() as session:
        at = now() - timedelta(hours=3)
        session.execute(update(accounts.Moderator).values(returned_at=at))
        session.execute(update(Author).values(returned_at=at))
        comment = session.scalars(select(Comment).order_by(Comment.id.desc())).first()
        assert comment is not None
        comment.is_proved, public_id = True, comment.public_id
        follows.add(session, comment, follows.Wish.REPLIES)
    pia.goto(f"{live.url}/desk/letters/")
    expect(pia.get_by_text("Mail to this address comes back")).to_be_visible()
    expect_sound(pia, "letters-returned-outbox", screenshot)
    pia.goto(live.url + receipt.removeprefix("http://localhost"))
    expect(pia.get_by_text("Our letters to your email address come back")).to_be_visible()
    expect_sound(pia, "letters-returned-receipt", screenshot)
    pia.goto(f"{live.url}/desk/comments/{public_id}")
    expect(pia.get_by_text("Mail to this address came back 3 hours ago")).to_be_visible()
    expect_sound(pia, "letters-returned-card", screenshot)
    pia.get_by_role("button", name="Write to it again").click()
    expect(pia.get_by_text("Mail to this address came back")).to_have_count(0)
