"""Writes letters: rows of the outbox, in the transaction of what causes them. Knows no mail server.

A letter names whom it is for, and what caused it, by reference; all it says is looked up while it
is sent (mail/). What was undone, withdrawn or ended in between takes its letters out of the outbox.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from .models import Bulk, Decision, Letter, Site, now
from .site_settings import SiteSettings
from .status import LetterKind, LetterState, Why

__all__ = [
    "OUTCOMES",
    "drop",
    "forget",
    "gone",
    "gone_of_job",
    "have_told_of_job",
    "latest",
    "old",
    "undo_window",
    "write",
    "write_all",
]

HOST = re.compile(r"[a-z0-9.-]{1,200}")
# How long letters are kept after they were written. What is sent and what needed none answers the
# question "was I written to?" for a quarter of a year, a webhook's calls can be replayed for a month;
# what failed waits for somebody to look at it.
KEPT = timedelta(days=90)
CALLS_KEPT = timedelta(days=30)
FAILED_KEPT = timedelta(days=365)
BATCH = 500
MOST_TOLD = 10_000  # comments that are asked about at once
NEWS = (LetterKind.ANSWERED, LetterKind.FOLLOWED)  # of others' comments
OUTCOMES = (LetterKind.PUBLISHED, LetterKind.REFUSED)  # what became of somebody's own comment
# What becomes of the comment that caused them is no matter: they tell of whatever waits when they are
# sent, of what comes in, or that a comment is gone.
OF_ITSELF = (LetterKind.WAITING, LetterKind.WAVE, LetterKind.HOOK)


def write(
    session: Session,
    kind: LetterKind,
    cause_key: str,
    site_id: int | None,
    *,
    decision: Decision | None = None,
    due_at: datetime | None = None,
    **more: Any,
) -> int | None:
    """Puts one letter into the outbox, in the caller's transaction.

    Takes the key of its cause: a second letter with the same key is not written, whoever writes it
    at whatever moment; neither key nor `about` may hold an address, a text or a secret. Takes its
    one recipient (moderator_id, author_id, invitation_id or hook_id) and other columns of a letter
    by their names. A letter that hangs on a decision is not due before the site's undo window is
    over. Returns the letter's id, None if that cause has its letter already.
    """
    site = session.get_one(Site, site_id) if site_id else None
    due_at = due_at or now()
    if decision is not None and site is not None:
        due_at = max(due_at, decision.at + undo_window(site))
    more |= {"decision_id": decision.id if decision is not None else None}
    row = {"kind": kind, "cause_key": cause_key, "due_at": due_at, **more}
    return next(iter(write_all(session, site, [row])), None)


def write_all(session: Session, site: Site | None, rows: Iterable[dict[str, Any]]) -> list[int]:
    """write() for many letters of one site, by their columns; each needs its kind, its cause_key,
    its recipient and when it is due. Returns the ids of those whose cause had no letter yet."""
    host, columns = _host(site), {column.key for column in Letter.__table__.columns} - {"id"}
    values = []
    for row in rows:
        if unknown := row.keys() - columns:
            raise TypeError(f"a letter has no {', '.join(sorted(unknown))}")
        message_id = f"<{secrets.token_hex(12)}@{host}>"
        given: dict[str, Any] = {"site_id": site.id if site else None, "about": {}, "language": ""}
        values.append(given | {"message_id": message_id} | row)
    if not values:
        return []
    dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    insert = dialects.get(session.get_bind().dialect.name, plain_insert)
    written = insert(Letter).on_conflict_do_nothing(index_elements=["cause_key"])
    return list(session.scalars(written.returning(Letter.id), values))


def drop(
    session: Session,
    why: Why,
    *,
    decision_ids: Sequence[int] = (),
    author_ids: Sequence[int] = (),
    follow_ids: Sequence[int] = (),
    hook_id: int | None = None,
    comment_id: int | None = None,
) -> int:
    """Takes out of the outbox what hangs on decisions (undone), on authors (who want none, or were
    erased), on what they follow (and ended), on a webhook (switched off) or on a comment
    (withdrawn). Wins over a letter that a worker has in hand until the moment it is sent. Returns
    how many.
    """
    hanging = [
        *([Letter.decision_id.in_(decision_ids)] if decision_ids else []),
        *([Letter.author_id.in_(author_ids)] if author_ids else []),
        *([Letter.follow_id.in_(follow_ids)] if follow_ids else []),
        *([Letter.hook_id == hook_id] if hook_id else []),
        *([_of_comment(comment_id)] if comment_id else []),
    ]
    those = select(Letter.id).where(or_(false(), *hanging), Letter.state == LetterState.QUEUED)
    # In the order of their ids, as the workers take them: nobody waits for another in a circle.
    taken = those.order_by(Letter.id).with_for_update()
    dropped = update(Letter).where(Letter.id.in_(taken), Letter.state == LetterState.QUEUED)
    dropped = dropped.values(state=LetterState.DROPPED, why=why)
    return len(session.scalars(dropped.returning(Letter.id)).all())


def _of_comment(comment_id: int) -> ColumnElement[bool]:
    return and_(Letter.comment_id == comment_id, Letter.kind.not_in(OF_ITSELF))


def latest(
    session: Session, kind: LetterKind, site_id: int, moderator_ids: Sequence[int]
) -> dict[int | None, Letter]:
    """The latest letter of a kind about a site to each of these moderators, by theirs. No worker
    takes one in hand before this transaction ends: what it writes is in time for that letter, or
    sees that it is not."""
    theirs = (Letter.moderator_id.in_(moderator_ids), Letter.site_id == site_id)
    newest = select(func.max(Letter.id)).where(*theirs, Letter.kind == kind)
    those = Letter.id.in_(newest.group_by(Letter.moderator_id))
    found = select(Letter).where(those).order_by(Letter.moderator_id)
    letters = session.scalars(found.with_for_update(read=True))
    return {letter.moderator_id: letter for letter in letters}


def gone(session: Session, decision: Decision) -> set[LetterKind]:
    """Which kinds of mails about a decision have reached somebody: no undo takes these back."""
    told = or_(Letter.state == LetterState.SENT, Letter.why == Why.TOGETHER)
    mails = (Letter.decision_id == decision.id, Letter.hook_id.is_(None), told)
    kinds = set(session.scalars(select(Letter.kind).where(*mails).distinct()))
    along = (Letter.article_id == decision.comment.article_id, Letter.sent_at > decision.at)
    return kinds | {kind for kind, ids in _news(session, *along) if decision.comment_id in ids}


def _news(session: Session, *those: ColumnElement[bool]) -> list[tuple[LetterKind, set[int]]]:
    """The letters about others' comments that went, each with the comments that it told of: one that
    told of several hangs on no decision, or on one of theirs alone."""
    went = (Letter.kind.in_(NEWS), Letter.state == LetterState.SENT, *those)
    found = session.execute(select(Letter.kind, Letter.about).where(*went))
    return [(kind, set(about.get("comments", ()))) for kind, about in found]


def gone_of_job(session: Session, bulk_id: int) -> int:
    """How many authors have had the letter about a decision that this job took back."""
    mails = (
        Letter.author_id.is_not(None),
        Letter.kind.in_(OUTCOMES),
        Letter.state == LetterState.SENT,
    )
    undone = select(Letter.id).join(Decision, Decision.undoes_id == Letter.decision_id)
    undone = undone.where(Decision.bulk_id == bulk_id, *mails)
    return session.scalar(select(func.count()).select_from(undone.subquery())) or 0


def have_told_of_job(session: Session, bulk_id: int) -> bool:
    """Whether those who follow have had a letter about a comment that this job took back."""
    undone = select(Decision).join(Bulk, Bulk.undoes_id == Decision.bulk_id)
    undone = undone.where(Bulk.id == bulk_id).order_by(Decision.id).limit(1)
    first = session.scalars(undone).first()
    if first is None:
        return False
    told: set[int] = set().union(*(ids for _, ids in _news(session, Letter.sent_at > first.at)))
    taken_back = (Decision.bulk_id == bulk_id, Decision.comment_id.in_(sorted(told)[-MOST_TOLD:]))
    return session.scalar(select(Decision.id).where(*taken_back).limit(1)) is not None


def old(session: Session, at: datetime) -> Sequence[int]:
    """Some letters that are old, oldest first, by id: a batch. Takes the present moment.

    No cause comes twice after so long: a decision, a wave, a report has its letters when it happens.
    Only the chain of the letters that comments wait goes on: the newest of each stays.
    """
    newer = aliased(Letter)
    follows = exists().where(
        newer.moderator_id == Letter.moderator_id,
        newer.site_id.is_not_distinct_from(Letter.site_id),
        newer.kind == Letter.kind,
        newer.id > Letter.id,
    )
    is_settled = Letter.state.in_((LetterState.SENT, LetterState.DROPPED))
    too_old = (
        and_(is_settled, Letter.created_at < at - KEPT),
        and_(is_settled, Letter.hook_id.is_not(None), Letter.created_at < at - CALLS_KEPT),
        and_(Letter.state == LetterState.FAILED, Letter.created_at < at - FAILED_KEPT),
    )
    some = select(Letter.id).where(Letter.created_at < at - CALLS_KEPT, or_(*too_old))
    some = some.where(or_(Letter.moderator_id.is_(None), follows))
    return session.scalars(some.order_by(Letter.created_at, Letter.id).limit(BATCH)).all()


def forget(session: Session, ids: Sequence[int]) -> None:
    """Removes letters that were found to be old, but for what somebody has put back into the outbox
    since."""
    is_over = Letter.state != LetterState.QUEUED
    session.execute(delete(Letter).where(Letter.id.in_(ids), is_over))


def undo_window(site: Site) -> timedelta:
    """How long a letter about a decision waits. Each site's own: how soon a slip is noticed depends
    on whether one person decides there or ten."""
    return timedelta(minutes=SiteSettings.read(site.settings).undo_minutes)


def _host(site: Site | None) -> str:
    """Behind the @ of a Message-ID: the publisher's host, for that never changes with the server."""
    hosts = (urlsplit(origin).hostname or "" for origin in (site.origins if site else ()))
    return next(filter(HOST.fullmatch, hosts), "localhost")
