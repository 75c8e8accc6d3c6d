"""Addresses that take no mail: marked when a letter comes back, written to again when somebody
says so. A mark is an author's, and so one site's, or a moderator's."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import letters, notices
from ..accounts import Moderator
from ..models import Author, Invitation, Letter, Unwanted
from ..status import LetterKind, LetterState, Pace, Why
from ..vault import Vault


def mark(session: Session, letter: Letter, at: datetime) -> bool:
    """A letter came back, since its address takes no mail: none is sent there any more, and those
    that wait are dropped. False if nobody's address can be marked: that of an invitation is not."""
    if letter.author_id is not None:
        new = (Author.id == letter.author_id, Author.returned_at.is_(None))
        session.execute(update(Author).where(*new).values(returned_at=at))
        letters.drop(session, Why.RETURNED, author_ids=[letter.author_id])
        return True
    if letter.moderator_id is not None:
        again = (Moderator.id == letter.moderator_id, Moderator.returned_at.is_(None))
        session.execute(update(Moderator).where(*again).values(returned_at=at))
        # The way back into an account is tried whatever became of other letters.
        theirs = (Letter.moderator_id == letter.moderator_id, Letter.kind != LetterKind.RESET)
        waiting = update(Letter).where(*theirs, Letter.state == LetterState.QUEUED)
        session.execute(waiting.values(state=LetterState.DROPPED, why=Why.RETURNED))
        return True
    return False


def clear(session: Session, author_id: int | None, moderator_id: int | None = None) -> bool:
    """Lets an author or a moderator be written to again; whether their address was marked."""
    model, id = (Author, author_id) if author_id is not None else (Moderator, moderator_id)
    marked = update(model).where(model.id == id, model.returned_at.is_not(None))
    return session.scalar(marked.values(returned_at=None).returning(model.id)) is not None


def never_again(session: Session, vault: Vault, letter: Letter, at: datetime) -> None:
    """Whom a letter was for complained of it as spam: no site here writes to the address again.

    A moderator's own letters end, and nothing else: they have an account, and a role that they may
    be told of when they ask for letters again.
    """
    if letter.moderator_id is not None:
        notices.set_pace(session, letter.moderator_id, Pace.NONE)
        return
    index = _index(session, vault, letter)
    if index is None:
        return
    if session.get(Unwanted, index) is None:
        try:
            with session.begin_nested():
                session.add(Unwanted(email_index=index, at=at))
        except IntegrityError:
            pass  # they said so themselves at this very moment
    ids = session.scalars(select(Author.id).where(Author.email_index == index)).all()
    letters.drop(session, Why.NEVER, author_ids=ids)
    dropped = {"state": LetterState.DROPPED, "why": Why.NEVER}
    own = (Letter.id == letter.id, Letter.state == LetterState.QUEUED)
    session.execute(update(Letter).where(*own).values(**dropped))


def _index(session: Session, vault: Vault, letter: Letter) -> bytes | None:
    if letter.invitation_id is not None:
        return vault.index(session.get_one(Invitation, letter.invitation_id).email)
    author = session.get(Author, letter.author_id) if letter.author_id is not None else None
    return author.email_index if author else None
