"""Who may be asked whether an address is theirs: mail cannot be aimed at a stranger (hard rule 6).

What is counted is kept apart from authors, whom it outlives, and no longer than it counts.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from .. import letters
from ..models import Asking, Author, Comment, Follow, now
from ..status import LetterKind, Status

# Hard rule 6: one question that nobody answers means none for so long, on the whole installation.
ASKED = timedelta(days=30)
HOUR = timedelta(hours=1)
# From one network in an hour: half of what the flood rule lets a network post in ten minutes. So
# many people of one office or campus begin to follow something in an hour; a list of victims is longer.
AT_MOST_OF_NETWORK = 5
# On a site in an hour: about an eighth of MAIL_PER_SITE, so that questions never hold up the others.
AT_MOST_OF_SITE = 60
# The rules that say that a comment came with many others: nobody is asked because of it.
CROWDED = frozenset(("flood_address", "flood_network", "flood_article", "wave"))


def may_be_asked(comment: Comment) -> bool:
    """Whether a comment is one that its author may be asked about at all: neither spam, nor held by
    a flood or wave rule, nor gone."""
    is_there = comment.status not in (Status.SPAM, Status.DELETED)
    return is_there and CROWDED.isdisjoint(reason.rule for reason in comment.reasons)


def ask(session: Session, comment: Comment, author: Author, follow: Follow, mailbox: bytes) -> bool:
    """Writes the letter that asks an author whether the address is theirs, if that may be; due at
    once. Takes the index of the mailbox where it arrives, whatever is added to the address (hard
    rule 6). Whether it did."""
    if not may_be_asked(comment) or author.returned_at is not None:
        return False
    _lock(session)
    at = now()
    forget(session, at)
    if _is_over(session, comment, mailbox, at):
        return False
    asked = letters.write(
        session,
        LetterKind.CONFIRM,
        f"confirm {comment.public_id}",
        comment.site_id,
        author_id=author.id,
        comment_id=comment.id,
        article_id=comment.article_id,
        follow_id=follow.id,
        language=comment.language,
        due_at=at,
    )
    if asked is None:
        return False
    counted = {"email_index": mailbox, "network": comment.network}
    session.add(Asking(site_id=comment.site_id, at=at, **counted))
    session.flush()
    return True


def answered(session: Session, indexes: Collection[bytes], at: datetime) -> None:
    """The owner of an address has answered: the next question may be asked. Takes the indexes of
    the address and its mailbox."""
    open_ones = (Asking.email_index.in_(indexes), Asking.answered_at.is_(None))
    session.execute(update(Asking).where(*open_ones).values(answered_at=at))


def has_old(session: Session, at: datetime) -> bool:
    """Whether something is kept here that counts no more."""
    old = or_(Asking.at <= at - ASKED, and_(Asking.at <= at - HOUR, Asking.network != ""))
    return bool(session.scalar(select(exists().where(old))))


def _is_over(session: Session, comment: Comment, mailbox: bytes, at: datetime) -> bool:
    waits = exists().where(Asking.email_index == mailbox, Asking.answered_at.is_(None))
    if session.scalar(select(waits)):
        return True
    of_network = (Asking.network == comment.network, Asking.at > at - HOUR)
    of_site = (Asking.site_id == comment.site_id, Asking.at > at - HOUR)
    return (
        _number(session, *of_network) >= AT_MOST_OF_NETWORK
        or _number(session, *of_site) >= AT_MOST_OF_SITE
    )


def _number(session: Session, *those: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Asking).where(*those)) or 0


def forget(session: Session, at: datetime) -> None:
    """What counts no more is not kept: a question after its days, a network after its hour."""
    session.execute(delete(Asking).where(Asking.at <= at - ASKED))
    passed = (Asking.at <= at - HOUR, Asking.network != "")
    session.execute(update(Asking).where(*passed).values(network=""))


def _lock(session: Session) -> None:
    """One question at a time is counted and written, on all sites; on SQLite there is one writer
    anyway. Asked for last of all locks, so nobody waits in a circle."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('askings', 0))"))
