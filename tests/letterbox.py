"""Letters to Rita, whatever they say: written, sent, looked at."""

from collections.abc import Sequence

import pytest
from cast import add_site, reply
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import database, letters
from service.cli import mail as command
from service.mail import Contents, Post, kinds
from service.models import Author, Letter, Site, now
from service.status import LetterKind, LetterState, Why

RITA = "rita.reader@example.org"
WEEKLY = "https://weekly.example"


def _words(session: Session, post: Post, letter: Letter) -> Contents:
    site = session.get(Site, letter.site_id)
    given = {"site": site, "comments": [], "number": 1, "how_many": "1", "is_all": True}
    return Contents("For Rita", "waiting", given | {"queue_url": "", "me_url": ""})


def acquaint(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rita has commented on two sites and confirmed; what is said to her is no matter."""
    monkeypatch.setitem(kinds.KINDS, LetterKind.PUBLISHED, _words)
    add_site(app)
    add_site(app, "weekly", WEEKLY)
    for site, url in (("daily", "https://daily.example/x"), ("weekly", f"{WEEKLY}/x")):
        assert reply(app, app.test_client(), site, url=url).status_code == 303
    with app.app_context(), database.writing() as session:
        session.execute(update(Author).values(confirmed_at=now()))


def write(app: Flask, number: int, site: str = "daily") -> None:
    """So many more letters to Rita about one site, due now."""
    with app.app_context(), database.writing() as session:
        theirs = select(Author).join(Site, Site.id == Author.site_id).where(Site.key == site)
        rita, before = session.scalars(theirs).one(), len(session.scalars(select(Letter.id)).all())
        for count in range(before, before + number):
            kind, key = LetterKind.PUBLISHED, f"test {count}"
            letters.write(session, kind, key, rita.site_id, author_id=rita.id)


def work(app: Flask) -> bool:
    with app.app_context():
        return command.send_letters()


def all_letters(app: Flask) -> Sequence[Letter]:
    """All of them, oldest first, to be looked at apart from any session."""
    with app.app_context():
        found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
        database.session().expunge_all()
        return found


def states(app: Flask) -> list[tuple[LetterState, Why | None]]:
    return [(letter.state, letter.why) for letter in all_letters(app)]


def is_marked(app: Flask) -> list[bool]:
    """Whether Rita's address is marked as one that takes no mail, site by site."""
    with app.app_context():
        found = select(Author.returned_at).order_by(Author.site_id)
        return [at is not None for at in database.session().scalars(found)]
