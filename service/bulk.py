"""One decision on many comments: a job that runs in batches, stops when asked, and is undone whole.

Its row is all that it knows of itself, so that whoever finds it can go on with it: how far it has
come, and when its last batch was. Nothing here commits: the door looks for the next batch with a
session that reads, and decides on it in a write session of its own, under 100 ms each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from . import events, folds, moderation, notices
from .accounts import Moderator, each_within_reach, within_reach
from .filters import Filter
from .models import Article, Bulk, Comment, Decision, Site, Wave, now
from .moderation import CHANGES
from .screening import sweep
from .status import BulkState, Status

BATCH = 300  # comments: well under 100 ms on SQLite, where no webhook is told of them
COUNTED = 100_000  # exact up to here before it starts
SAMPLE = 10
LARGEST = 2**31  # comments: more than there are
# The batches of a job follow each other within a second: one that is silent so long is dead.
SILENT = timedelta(seconds=30)

Words = Mapping[str, str]


@dataclass(frozen=True)
class Matching:
    """Everything that matches a filter's words, as it stood at a moment: what came in later, or
    was changed since by anybody, is not meant."""

    words: dict[str, str]
    until: int  # the highest id of a comment then
    decided: int  # the highest id of a decision then


@dataclass(frozen=True)
class Preview:
    """What a job would decide on."""

    matching: Matching
    count: int  # COUNTED + 1 for more
    oldest: Sequence[Comment]
    newest: Sequence[Comment]


@dataclass(frozen=True)
class Ahead:
    """The next batch of a job: each comment's version by its id, or the decisions to take back."""

    since: Any  # where the job stood when this was read
    at: Any  # where it stands when this is done
    seen: dict[int, int]
    decision_ids: Sequence[int] = ()


def moment(session: Session) -> tuple[int, int]:
    """The highest ids of a comment and of a decision, to be asked for before a list is read: what
    comes later was not shown."""
    decided = moderation.last_shown(session)
    return session.scalar(select(func.max(Comment.id))) or 0, decided


def preview(session: Session, moderator: Moderator, words: Words) -> Preview:
    """What a filter finds now: how many, and the first and last of them. Raises Unreadable."""
    asked = Filter.read(words)
    matching = Matching(asked.words(), *moment(session))

    def some(sort: str) -> Sequence[Comment]:
        ids = replace(asked, sort=sort).page(session, moderator, "", SAMPLE).ids
        comments = select(Comment).where(Comment.id.in_(ids))
        comments = comments.options(joinedload(Comment.article).joinedload(Article.site))
        found = {comment.id: comment for comment in session.scalars(comments)}
        shown = (found[id] for id in ids)
        return [one for one in shown if not moderation.has_waiting_edit(one)][: SAMPLE // 2]

    oldest = some("oldest")
    known = {comment.id for comment in oldest}
    newest = [comment for comment in some("newest") if comment.id not in known]
    number = asked.count(session, moderator, COUNTED, with_edits=False)
    return Preview(matching, number, oldest, newest)


def count(session: Session, moderator: Moderator, matching: Matching) -> int:
    """How many comments match, exactly: for a session that reads, before the job starts."""
    asked = Filter.read(matching.words)
    newer = asked.walk(session, moderator, matching.until, COUNTED)
    return asked.count(session, moderator, LARGEST, with_edits=False) - len(newer)


def start_matching(
    session: Session, moderator: Moderator, to: Status, matching: Matching, total: int
) -> Bulk:
    """A job on everything that matches, which was counted before; the door runs it."""
    about = {
        "words": matching.words,
        "until": matching.until,
        "decided": matching.decided,
        "at": 0,
    }
    return _start(session, moderator, to, about, total, _site_of(session, matching.words))


def start_picked(
    session: Session, moderator: Moderator, to: Status, picked: Mapping[str, int]
) -> Bulk:
    """A job on comments that somebody picked. Takes the version of each that they saw, by its
    public id; those on nobody's or another's site are no part of it."""
    rows = session.execute(
        select(Comment.id, Comment.public_id, Comment.site_id)
        .where(Comment.public_id.in_(picked), each_within_reach(moderator, Comment.site_id))
        .order_by(Comment.id)
    ).all()
    sites = {row.site_id for row in rows}
    about = {"picks": [[row.id, picked[row.public_id]] for row in rows], "at": 0}
    return _start(
        session, moderator, to, about, len(rows), sites.pop() if len(sites) == 1 else None
    )


def start_fold(
    session: Session,
    moderator: Moderator,
    to: Status,
    head: Comment,
    group: folds.Group,
    until: int,
    decided: int,
) -> Bulk:
    """A job on a comment and all that are folded into its card, as they stood when it was shown.

    Takes the fold that was shown; raises Stale if the comment does not stand for it any more.
    """
    folds.lock(session, [group.key])
    session.refresh(head)
    now_in = folds.Group(head.site_id, head.status, head.fold_key or "")
    if not group.key or head.is_folded or now_in != group:
        raise moderation.Stale(moderation.latest(session, head.id))
    about = {"fold": list(group), "until": until, "decided": decided, "at": 0}
    total = folds.count(session, group, until)
    return _start(session, moderator, to, about, total, head.site_id)


def start_wave(
    session: Session,
    moderator: Moderator,
    wave: Wave,
    total: int,
    until: int,
    decided: int,
    cleared_by: int | None,
) -> Bulk:
    """A job that marks what a wave brought as spam, as it stood when it was shown; the door runs it.

    Takes how many they were and the job that had cleared the wave before, if any. Raises Stale if
    somebody has cleared it since.
    """
    session.refresh(wave, with_for_update=True)
    if wave.bulk_id != cleared_by:
        raise moderation.Stale(None)
    about = {"wave": wave.id, "until": until, "decided": decided, "at": 0}
    bulk = _start(session, moderator, Status.SPAM, about, total, wave.site_id)
    wave.bulk_id = bulk.id
    return bulk


def start_undo(session: Session, moderator: Moderator, undone: Bulk) -> Bulk:
    """A job that takes another back. That one is over, or it stops here.

    Raises IntegrityError if somebody undoes it already.
    """
    if undone.state == BulkState.RUNNING:
        _end(session, undone, BulkState.STOPPED)
    _forget(undone)
    return _start(session, moderator, None, {"at": 0}, undone.done, undone.site_id, undone.id)


def ahead(session: Session, bulk_id: int) -> Ahead | None:
    """The next batch of a job; None if there is no more to do."""
    bulk = session.get_one(Bulk, bulk_id)
    if bulk.state != BulkState.RUNNING:
        return None
    at, most = bulk.about["at"], _most(session)
    if bulk.undoes_id is not None:
        decisions = select(Decision.id).where(Decision.bulk_id == bulk.undoes_id, Decision.id > at)
        ids = session.scalars(decisions.order_by(Decision.id).limit(most)).all()
        return Ahead(at, ids[-1], {}, ids) if ids else None
    if "picks" in bulk.about:
        picks = bulk.about["picks"][at : at + most]
        return Ahead(at, at + most, dict(picks)) if picks else None
    if "fold" in bulk.about:
        return _ahead_in_fold(session, bulk, at, most)
    if "wave" in bulk.about:
        wave, until = session.get_one(Wave, bulk.about["wave"]), bulk.about["until"]
        return _ahead_by_time(at, sweep.walk(session, wave, until, _after(at), most))
    moderator = session.get_one(Moderator, bulk.moderator_id)
    rows = Filter.read(bulk.about["words"]).walk(session, moderator, at, most)
    seen = {row.id: row.version for row in rows if row.id <= bulk.about["until"]}
    return Ahead(at, max(seen), seen) if seen else None


def _most(session: Session) -> int:
    """How many comments the next batch has: fewer where webhooks are told of each. The row for a call
    costs about half of what deciding does."""
    return max(2 * BATCH // (2 + notices.most_hooks(session)), 1)


def _ahead_in_fold(session: Session, bulk: Bulk, at: Any, most: int) -> Ahead | None:
    site_id, status, key = bulk.about["fold"]
    group = folds.Group(site_id, Status(status), key)
    return _ahead_by_time(at, folds.walk(session, group, bulk.about["until"], _after(at), most))


def _ahead_by_time(at: Any, rows: Sequence[Any]) -> Ahead | None:
    """The next batch where comments are walked by their times."""
    if not rows:
        return None
    seen = {row.id: row.version for row in rows}
    return Ahead(at, [rows[-1].created_at.isoformat(), rows[-1].id], seen)


def _after(at: Any) -> tuple[datetime, int] | None:
    return (datetime.fromisoformat(at[0]), at[1]) if at else None


def step(session: Session, bulk_id: int, batch: Ahead | None) -> bool:
    """Decides on a batch, or ends the job where there is none or it was asked to stop.

    Returns whether there may be more to do. Does nothing if somebody else has taken this very
    batch meanwhile.
    """
    bulk = session.get_one(Bulk, bulk_id, with_for_update=True)
    if bulk.state != BulkState.RUNNING:
        return False
    if bulk.is_stop_asked or batch is None:
        _end(session, bulk, BulkState.STOPPED if bulk.is_stop_asked else BulkState.DONE)
        return False
    if batch.since != bulk.about["at"]:
        return True
    moderator = session.get_one(Moderator, bulk.moderator_id)
    moderator.came_from = bulk.network
    if not moderator.active:
        _end(session, bulk, BulkState.STOPPED)
        return False
    if bulk.to_status is None:
        asked = len(batch.decision_ids)
        done = moderation.undo_many(session, batch.decision_ids, moderator, bulk.id)
    else:
        seen = _unchanged(session, bulk, batch.seen)
        asked = len(batch.seen)
        done = moderation.decide_many(session, seen, bulk.to_status, moderator, bulk.id)
    bulk.done += done
    bulk.skipped += asked - done
    bulk.about = {**bulk.about, "at": batch.at}
    bulk.seen_at = now()
    return True


def ask_to_stop(bulk: Bulk) -> None:
    """The job ends after the batch that it is at."""
    if bulk.state == BulkState.RUNNING:
        bulk.is_stop_asked = True


def take_up(session: Session, bulk: Bulk, moderator: Moderator) -> bool:
    """Whether the caller is the one who goes on with a job that was stopped, or whose process died.

    Not one that has been undone since. It goes on in the name of who began it; who took it up is
    on record.
    """
    is_free = or_(
        Bulk.state == BulkState.STOPPED,
        and_(Bulk.state == BulkState.RUNNING, Bulk.seen_at < now() - SILENT),
    )
    if undoing(session, bulk) is not None:
        return False
    mine = session.execute(
        update(Bulk)
        .where(Bulk.id == bulk.id, is_free)
        .values(state=BulkState.RUNNING, is_stop_asked=False, seen_at=now(), ended_at=None)
        .returning(Bulk.id)
        .execution_options(synchronize_session=False)
    )
    if mine.first() is None:
        return False
    about = f"job {bulk.id}: taken up after {bulk.done} comments"
    events.record(session, events.What.BULK, moderator, about, bulk.site_id)
    return True


def is_dead(bulk: Bulk) -> bool:
    """Whether a job stopped in the middle: the process that ran it is gone."""
    return bulk.state == BulkState.RUNNING and bulk.seen_at < now() - SILENT


def find(session: Session, moderator: Moderator, bulk_id: int) -> Bulk | None:
    """A job of the moderator's own, or on a site of theirs."""
    return session.scalar(select(Bulk).where(Bulk.id == bulk_id, _visible(moderator)))


def recent(session: Session, moderator: Moderator, most: int = 50) -> Sequence[Bulk]:
    """The latest jobs that the moderator may see, newest first."""
    jobs = select(Bulk).where(_visible(moderator)).order_by(Bulk.id.desc())
    return session.scalars(jobs.limit(most)).all()


def last(session: Session, moderator: Moderator) -> Bulk | None:
    """The moderator's own latest job."""
    own = select(Bulk).where(Bulk.moderator_id == moderator.id).order_by(Bulk.id.desc())
    return session.scalars(own.limit(1)).first()


def undoing(session: Session, bulk: Bulk) -> Bulk | None:
    """The job that takes this one back, if there is one."""
    return session.scalar(select(Bulk).where(Bulk.undoes_id == bulk.id))


def _visible(moderator: Moderator) -> ColumnElement[bool]:
    return or_(Bulk.moderator_id == moderator.id, within_reach(moderator, Bulk.site_id))


def _start(
    session: Session,
    moderator: Moderator,
    to: Status | None,
    about: dict[str, Any],
    total: int,
    site_id: int | None,
    undoes_id: int | None = None,
) -> Bulk:
    bulk = Bulk(
        moderator_id=moderator.id,
        by=moderator.name,
        site_id=site_id,
        to_status=to,
        about=about,
        total=total,
        network=moderator.came_from,
        undoes_id=undoes_id,
    )
    session.add(bulk)
    session.flush()
    what = to.value if to else f"undo of job {undoes_id}"
    events.record(
        session, events.What.BULK, moderator, f"job {bulk.id}: {what}, {total} comments", site_id
    )
    return bulk


def _end(session: Session, bulk: Bulk, state: BulkState) -> None:
    if state == BulkState.DONE:
        # Those that left the filter before they were looked at: somebody else decided on them.
        bulk.skipped = max(bulk.skipped, bulk.total - bulk.done)
        _forget(bulk)
    bulk.state, bulk.ended_at = state, now()
    moderator = session.get_one(Moderator, bulk.moderator_id)
    moderator.came_from = bulk.network
    counts = f"{bulk.done} decided, {bulk.skipped} skipped"
    events.record(
        session,
        events.What.BULK_ENDED,
        moderator,
        f"job {bulk.id}: {state.value}, {counts}",
        bulk.site_id,
    )


def _forget(bulk: Bulk) -> None:
    """Nothing of what was searched for is kept of a job that nobody will go on with."""
    words = bulk.about.get("words", {})
    kept = {word: words[word] for word in ("site", "status") if word in words}
    bulk.about = {"at": bulk.about["at"]} | ({"words": kept} if kept else {})


def _unchanged(session: Session, bulk: Bulk, seen: dict[int, int]) -> dict[int, int]:
    """Of a batch that was found by a filter, what nobody has changed since the filter was looked at."""
    since = bulk.about.get("decided")
    if since is None:
        return seen
    changed = session.scalars(
        select(Decision.comment_id).where(
            Decision.comment_id.in_(seen), Decision.id > since, Decision.act.in_(CHANGES)
        )
    )
    return {id: seen[id] for id in seen.keys() - set(changed)}


def _site_of(session: Session, words: Words) -> int | None:
    """The one site that a filter is about."""
    return session.scalar(select(Site.id).where(Site.key == words.get("site", "")))
