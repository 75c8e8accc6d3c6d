"""Every kind of letter as a mail client shows it, wide and on a phone, in light and dark.

The pictures, with each letter's plain part beside it, go where SCREENSHOTS says.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from flask import Flask
from mailserver import Mailbox, mail_server
from playwright.sync_api import Browser, Page
from sqlalchemy import update
from town import Town

from service import accounts, database, letters, moderation, notices, reports
from service.follows import asking
from service.models import Article, Author, Comment, Follow, Wave
from service.rules import Verdict
from service.status import LetterKind, Pace, ReportReason, Status

WANTED = bool(os.environ.get("SCREENSHOTS"))
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "https://example.org/" + "a-very-long-path-" * 12
# A title, two names, what they say, a moderator's reason.
WORDS = {
    "en": ("The harbour light", "Rita", "Ben O’Neill", "I liked it.", "It names a child."),
    "de": (
        "Das Hafenfeuer",
        "Jörg Müller",
        "Änne",
        "Eine Donaudampfschifffahrtsgesellschaftskapitänsmütze!",
        "Persönlichkeitsrechtsverletzungsverdacht.",
    ),
    "ar": ("منارة الميناء", "ليلى حداد", "يوسف", "كنت هناك ليلة أضاءت.", "يذكر اسم طفل."),
    "ko": (
        "항구의 불빛",
        "김민준",
        "이서연",
        "정말 좋은 기사였습니다.",
        "아이의 이름이 적혀 있습니다.",
    ),
}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as started:
        yield started


@pytest.fixture
def town(make_app: Callable[..., Flask], mailbox: Mailbox) -> Town:
    mail_url = f"smtp://127.0.0.1:{mailbox.port}"
    app = make_app(
        MAIL_URL=mail_url, MAIL_FROM="comments@service.example", BASE_URL="https://service.example"
    )
    return Town(app, mailbox)


@pytest.fixture
def client(browser: Browser) -> Iterator[Page]:
    """A mail client's window."""
    context = browser.new_context(locale="en-GB")
    yield context.new_page()
    context.close()


class Round:
    """What the town's people cause, sent at once and kept by name."""

    def __init__(self, town: Town, language: str) -> None:
        self.town, self.language, self.mails = town, language, {}

    def comes(self, name: str, to: str) -> None:
        """The newest letter to somebody."""
        self.town.set_letters(language=self.language)
        before = len(self.town.mails)
        self.town.work(2)
        new = zip(self.town.mails[before:], self.town.mailbox.envelopes[before:], strict=True)
        (self.mails[name],) = [mail for mail, envelope in new if envelope[1][0].startswith(to)]


def to_readers(town: Town, language: str) -> dict[str, Any]:
    title, name, other, said, reason = WORDS[language]
    town.do(update(Article).values(title=title))
    post = Round(town, language)

    def says(who: str, words: str = f"{said} {LONG}", **more: Any) -> int:
        named = other if who == "ben" else name
        return town.says(named, words, author_id=town.person(who), **more)

    asked = says("asked")
    follow = town.follows("asked", asked, is_confirmed=False)
    with town.app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, asked)
        author = session.get_one(Author, comment.author_id)
        mailbox = town.app.extensions["vault"].index("asked@readers.example")
        assert asking.ask(session, comment, author, session.get_one(Follow, follow), mailbox)
    post.comes("confirm", "asked")
    own, bad = says("rita"), says("bad")
    town.follows("rita", own)
    town.follows("bad", bad)
    town.decides(own)
    post.comes("published", "rita")
    town.decides(bad, Status.REJECTED, public_note=reason)
    post.comes("refused", "bad")
    town.decides(own, Status.REJECTED)
    post.comes("no-longer", "rita")
    above = says("dora", status=Status.APPROVED)
    town.follows("dora", above)
    town.follows("fay")
    town.decides(says("ben", parent=above))
    post.comes("answered", "dora")
    town.decides(says("ben"))
    post.comes("followed", "fay")
    for number in range(2):
        town.decides(says("ben", f"{said} {number}", parent=above))
    post.comes("answers", "dora")
    for number in range(22 if language == "en" else 2):
        town.decides(says("ben", f"{said} {number}"))
    post.comes("news", "fay")
    return post.mails


def to_moderators(town: Town) -> dict[str, Any]:
    with town.app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, town.mo).letters = Pace.AT_ONCE
    post = Round(town, "en")
    first = town.says("Rita", f"I liked it. {LONG}")
    post.comes("waiting", "mo")
    town.decides(first)
    with town.app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, first)
        wording = moderation.Wording("Changed.", "<p>Changed.</p>", None)
        moderation.edit(session, comment, comment.version, wording, Verdict(Status.PENDING))
    reported = town.says("Ben O’Neill", "Buy pills.", Status.APPROVED)
    with town.app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, reported)
        notice = reports.Notice(ReportReason.SPAM, "", "192.0.2.0/24")
        vault = town.app.extensions["vault"]
        notices.reported(session, *reports.submit(session, vault, comment, notice, 1))
    for number in range(2):
        town.says("Änne", f"Number {number}.", parent=reported)
    post.comes("waits", "mo")
    with town.app.app_context(), database.writing() as session:
        reminds = {"about": {"reminds": True}, "moderator_id": town.mo}
        letters.write(session, LetterKind.WAITING, "reminds", town.site, **reminds)
    post.comes("reminder", "mo")
    with town.app.app_context(), database.writing() as session:
        wave = Wave(site_id=town.site, article_id=town.article, usual=3.2, peak=57)
        session.add(wave)
        session.flush()
        notices.wave_began(session, wave)
    post.comes("wave", "mo")
    return post.mails


def look(
    client: Page, name: str, mail: Any, has_axe: bool, screenshot: Callable[..., Path]
) -> None:
    """Nothing is fetched, runs out of the screen or is hard to read; a link in the plain part is whole."""
    html, plain = (mail.get_body([part]).get_content() for part in ("html", "plain"))
    assert LONG in plain or LONG not in html  # it can be followed
    for fetched in ("src=", "@import", "url(", "<script"):
        assert fetched not in html
    client.set_content(html)
    for scheme, width in (("light", 600), ("dark", 320)) + (("dark", 600),) * WANTED:
        client.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        client.set_viewport_size({"width": width, "height": 600})
        assert client.evaluate(TOO_WIDE) <= 0, (name, width)
        if WANTED:
            screenshot(client, f"letter-{name}-{width}-{scheme}")
        if has_axe:
            assert barriers(client) == {}, (name, scheme)
    if WANTED:
        subject = mail["Subject"]
        Path(os.environ["SCREENSHOTS"], f"letter-{name}.txt").write_text(f"{subject}\n\n{plain}")


@pytest.mark.parametrize("language", WORDS)
def test_letters_to_readers(town, client, language, screenshot):
    mails = to_readers(town, language)
    for name, mail in mails.items():
        look(client, f"{name}-{language}", mail, language == "en", screenshot)


def test_letters_to_moderators(town, client, screenshot):
    for name, mail in to_moderators(town).items():
        look(client, name, mail, True, screenshot)
