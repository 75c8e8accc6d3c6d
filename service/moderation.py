"""Decide and undo, edit and withdraw: the only code that changes a comment's status or its text.

A change and its decision row are one act, guarded by the version that its maker saw. Counters
that readers see follow in the same transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from . import folds, reports
from .accounts import Moderator, within_reach
from .models import (
    Article,
    Author,
    Comment,
    Decision,
    Follow,
    Handover,
    Note,
    Reason,
    Report,
    Revision,
    now,
)
from .rules import GRAVITY, Verdict
from .status import Act, Mark, Markup, Outcome, Status
from .text import count_links
from .vault import Vault

Columns = dict[str, Any]

# The acts that changed a comment; only the latest of them can be undone, if it is one of UNDOABLE.
CHANGES = (
    Act.DECIDED,
    Act.UNDONE,
    Act.RETRACTED,
    Act.EDITED,
    Act.DISCARDED,
    Act.WITHDRAWN,
    Act.MARKED,
    Act.HELD,
    Act.KEPT,
    Act.REWORDED,
    Act.PINNED,
    Act.UNPINNED,
)
PINS = (Act.PINNED, Act.UNPINNED)
UNDOABLE = (Act.DECIDED, Act.UNDONE, Act.DISCARDED, Act.HELD, Act.REWORDED, *PINS)
FINAL = (Act.RETRACTED, Act.WITHDRAWN)  # nothing is left that could be decided on
# With these somebody has looked at the comment, or it is gone: readers' reports get their outcome.
ANSWERS = (Act.DECIDED, Act.DISCARDED, Act.KEPT, *FINAL)
# After these nobody's word is waited for any more, and undoing them asks nobody anew.
SETTLES = (*ANSWERS, Act.UNDONE)
EDITABLE = (Status.PENDING, Status.SPAM, Status.APPROVED)
MOST_PINNED = 3  # under one article: more of them would be an order of their own
AUTHOR = "author"  # who the log says acted, where it was the comment's own author
BLANK: Columns = {
    "name": "",
    "website": "",
    "text": "",
    "html": "",
    "edit_text": None,
    "edit_html": None,
    "edit_at": None,
    "edited_at": None,
    "is_reworded": False,
    "pinned_at": None,
    "text_digest": None,
    "submission_key": None,
    "author_id": None,
    "network": "",
    "mark": Mark.NONE,
    "fold_digest": None,
    "link_domain": "",
    "fold_key": None,
    "website_domain": "",
    "link_count": 0,
    "is_first": False,
    "risk": 0,
}
# A text that somebody changed is no wave's any more.
UNLIKE: Columns = {"fold_digest": None, "link_domain": "", "fold_key": None}


class Stale(Exception):
    """Somebody decided in between; `latest` is what they did, None if only the text changed."""

    def __init__(self, latest: Decision | None) -> None:
        super().__init__()
        self.latest = latest


class PinRefused(Exception):
    """A comment cannot be put above the others."""


class NotPinnable(PinRefused):
    """Only a published comment that answers no other can stand above the others."""


class EnoughPinned(PinRefused):
    """Under this article as many comments are pinned as may be."""


@dataclass(frozen=True)
class Wording:
    """A text for a comment: as typed, as rendered, and the digest that finds the same words."""

    text: str
    html: str
    digest: bytes | None


def has_waiting_edit(comment: Comment) -> bool:
    """Whether its author changed a published comment and no moderator has looked at it yet."""
    return comment.status == Status.APPROVED and comment.edit_at is not None


def initial(verdict: Verdict) -> Status:
    """The first status of a comment that a reader posted."""
    return verdict.status


def imported(state: Status) -> Status:
    """The first status of a comment that an import brought: the one it had."""
    return state


def decide(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    moderator: Moderator,
    note: str = "",
    public_note: str = "",
    vault: Vault | None = None,
) -> Decision | None:
    """Gives a comment another status; where an edit waits, approves it or keeps the old text.

    Takes the version that the moderator saw, a note for moderators and one that the author may
    read, and the vault whose digest finds the words of an approved edit again. Returns the
    decision, None if the comment has that status already; for a decision that was sent twice,
    since its answer was lost, the one that is made. Raises Stale if it has changed since.
    """
    notes: Columns = {"note": note, "public_note": public_note}
    try:
        return _decide(session, comment, to, version, moderator, vault, notes)
    except Stale as stale:
        if stale.latest and _is_repeated(stale.latest, to, version, moderator):
            return stale.latest
        raise


def _decide(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    moderator: Moderator,
    vault: Vault | None,
    notes: Columns,
) -> Decision | None:
    _refuse_if_final(session, comment)
    if has_waiting_edit(comment) and to == Status.APPROVED:
        return _apply(session, comment, version, moderator, Act.DECIDED, vault, **notes)
    if has_waiting_edit(comment) and to == Status.REJECTED:
        return _discard(session, comment, version, moderator, Act.DISCARDED, **notes)
    if comment.status == to == Status.APPROVED and comment.reported_at:
        return _change(session, comment, to, version, moderator, Act.KEPT, **notes)
    if comment.version == version and comment.status == to:
        return None
    return _change(session, comment, to, version, moderator, Act.DECIDED, **notes)


def _is_repeated(last: Decision, to: Status, version: int, moderator: Moderator) -> bool:
    """Whether a comment's last change is just what this moderator decides on the version before."""
    if last.moderator_id != moderator.id or last.version != version + 1:
        return False
    if last.act == Act.DISCARDED:
        return to == Status.REJECTED
    return last.act in (Act.DECIDED, Act.KEPT) and last.to_status == to


def undo(
    session: Session, decision: Decision, moderator: Moderator, vault: Vault | None = None
) -> Decision:
    """Takes a comment's latest decision back; raises Stale with the later one if there is one, and
    PinRefused where it was about a pin that has no place any more."""
    last = latest(session, decision.comment_id)
    if last is None or last.id != decision.id or last.act not in UNDOABLE:
        raise Stale(last)
    comment, before = decision.comment, decision.from_status
    reports.reopen(session, comment.id, decision.at)
    undoes: Columns = {"act": Act.UNDONE, "undoes_id": decision.id}
    about = origin(decision).act
    if about == Act.REWORDED:
        return _swap(session, comment, decision.version, moderator, vault=vault, **undoes)
    if about in PINS:
        return _pin(session, comment, decision.version, moderator, not comment.pinned_at, **undoes)
    if before != decision.to_status:
        return _change(session, comment, before, decision.version, moderator, **undoes)
    # The status stayed: what was decided was an edit.
    if not has_waiting_edit(comment):
        back = _revert if comment.edit_text is None else _wait_again
        return back(session, comment, decision.version, moderator, vault=vault, **undoes)
    if about == Act.DISCARDED:
        return _discard(session, comment, decision.version, moderator, **undoes)
    return _apply(session, comment, decision.version, moderator, vault=vault, **undoes)


def decide_many(
    session: Session, seen: Mapping[int, int], to: Status, moderator: Moderator, bulk_id: int
) -> int:
    """Gives many comments another status at once: a batch of a job.

    Takes the version of each that was seen, by the comment's id. Returns how many were decided.
    The others stay as they are: those that changed since, are on no site of the moderator's, have
    that status already, have an edit waiting, or of which nothing is left.

    Raises OperationalError where somebody is writing to one of them at this very moment
    (PostgreSQL): it never waits while it holds others, and so never stands in a circle.
    """
    found = [
        row
        for row in _take_many(session, seen, moderator)
        if row.version == seen[row.id] and not row.waits and not row.is_empty
    ]
    changed = [row for row in found if row.status != to]
    kept = [r for r in found if r.status == to == Status.APPROVED and r.reported_at]
    at = now()
    _change_many(session, changed, to, moderator, Act.DECIDED, bulk_id, at)
    _change_many(session, kept, to, moderator, Act.KEPT, bulk_id, at)
    return len(changed) + len(kept)


def undo_many(
    session: Session, decision_ids: Collection[int], moderator: Moderator, bulk_id: int
) -> int:
    """Takes many decisions back at once, each only if it is still its comment's latest.

    Returns how many. Raises as decide_many() does.
    """
    told = (Decision.id, Decision.comment_id, Decision.act, Decision.version, Decision.at)
    found = select(*told, Decision.from_status, Decision.to_status)
    decisions = {
        decision.comment_id: decision
        for decision in session.execute(found.where(Decision.id.in_(decision_ids)))
    }
    rows = _take_many(session, decisions, moderator)
    changes = (Decision.comment_id.in_(decisions), Decision.act.in_(CHANGES))
    last = select(func.max(Decision.id)).where(*changes).group_by(Decision.comment_id)
    latest_ids = set(session.scalars(last))
    back: dict[Status, list[_Row]] = defaultdict(list)
    for row in rows:
        decision = decisions[row.id]
        is_last = decision.id in latest_ids and decision.version == row.version
        is_of_status = decision.from_status != decision.to_status
        if is_last and is_of_status and decision.act in UNDOABLE:
            back[decision.from_status].append(row)
    undone = [row.id for group in back.values() for row in group]
    reports.reopen_many(session, undone, {decisions[id].at for id in undone})
    at = now()
    for to, group in back.items():
        undoes = [decisions[row.id].id for row in group]
        _change_many(session, group, to, moderator, Act.UNDONE, bulk_id, at, undoes)
    return len(undone)


def edit(
    session: Session, comment: Comment, version: int, wording: Wording, verdict: Verdict
) -> Decision:
    """Takes another text from a comment's author, with what the rules say of it.

    It replaces the text at once unless that is public and the rules hold the new one: then it
    waits beside it (hard rule 3). No status becomes better by an edit. Raises Stale if the
    comment has changed since the version that the author saw, or takes no edits any more.
    """
    before = comment.status
    if before not in EDITABLE:
        raise Stale(latest(session, comment.id))
    if before != Status.APPROVED:
        to = max(before, verdict.status, key=GRAVITY.index)
        return _replace(session, comment, version, AUTHOR, Act.EDITED, wording, to)
    if wording.text == comment.text:  # back to what is public: nothing waits any more
        none: Columns = {"edit_text": None, "edit_html": None, "edit_at": None}
        return _change(session, comment, before, version, AUTHOR, Act.EDITED, **none)
    if verdict.status == Status.APPROVED:
        return _replace(session, comment, version, AUTHOR, Act.EDITED, wording)
    waiting: Columns = {"edit_text": wording.text, "edit_html": wording.html, "edit_at": now()}
    return _change(session, comment, before, version, AUTHOR, Act.EDITED, **waiting)


def reword(
    session: Session,
    comment: Comment,
    version: int,
    wording: Wording,
    moderator: Moderator,
    note: str = "",
) -> Decision | None:
    """Puts a moderator's wording in the place of a comment's, which is kept as a revision.

    Takes the version that the moderator saw, the new text, and a note for moderators. Readers and
    the author are told that a moderator changed it. A change by the author that waits goes on
    waiting. Returns the decision, None if the text is that one already. Raises Stale.
    """
    _refuse_if_final(session, comment)
    if comment.version == version and comment.text == wording.text:
        return None
    before = _revision(comment)
    values: Columns = {"text": wording.text, "html": wording.html, "text_digest": wording.digest}
    values |= {"markup": Markup.MARKDOWN, "is_reworded": True, "edited_at": now()}
    status = comment.status
    decision = _change(
        session, comment, status, version, moderator, Act.REWORDED, note=note, **values
    )
    session.add(before)
    if status == Status.APPROVED:
        _renew(session, comment)
    return decision


def pin(
    session: Session, comment: Comment, is_pinned: bool, version: int, moderator: Moderator
) -> Decision | None:
    """Puts a published top-level comment above the others under its article, or back among them.

    Takes the version that the moderator saw. Returns the decision, None if it is so already.
    Raises NotPinnable, EnoughPinned, and Stale if the comment has changed since.
    """
    _refuse_if_final(session, comment)
    if comment.version == version and bool(comment.pinned_at) == is_pinned:
        return None
    act = Act.PINNED if is_pinned else Act.UNPINNED
    return _pin(session, comment, version, moderator, is_pinned, act)


def withdraw(session: Session, comment: Comment) -> None:
    """Empties a comment whose author takes it back, for good; its place stays for its replies.

    Its earlier texts and reasons go too, and the author's row if nothing else refers to it.
    """
    folds.lock(session, [comment.fold_key])
    session.refresh(comment, with_for_update=True)  # at any time, whoever is deciding just now
    if is_final(session, comment):
        return
    author_id = comment.author_id
    _change(session, comment, Status.DELETED, comment.version, AUTHOR, Act.WITHDRAWN, **BLANK)
    of_it = Revision.comment_id == comment.id
    session.execute(update(Revision).where(of_it).values(text="", html=""))
    session.execute(delete(Reason).where(Reason.comment_id == comment.id))
    if author_id is not None:
        _drop_author(session, author_id)


def mark(
    session: Session, comment: Comment, as_whom: Mark, version: int, moderator: Moderator
) -> Decision | None:
    """Says who is speaking: the article's author, staff, or neither.

    Takes the version that the moderator saw. Returns the decision, whose note is the mark's word;
    None if the comment has that mark already. Raises Stale if it has changed since.
    """
    _refuse_if_final(session, comment)
    if comment.version == version and comment.mark == as_whom:
        return None
    status = comment.status
    decision = _change(
        session, comment, status, version, moderator, Act.MARKED, note=as_whom, mark=as_whom
    )
    _renew(session, comment)
    return decision


def note(session: Session, comment: Comment, moderator: Moderator, text: str) -> Decision:
    """A moderator's words on a comment, and no decision: in the way of none, nor of an undo."""
    status = comment.status
    return _record(session, comment, status, status, moderator, Act.NOTED, note=text)


def reveal(session: Session, comment: Comment, moderator: Moderator) -> Decision:
    """Puts on record that a moderator looked at the author's address."""
    return _record(session, comment, comment.status, comment.status, moderator, Act.REVEALED)


def hand(
    session: Session, comment: Comment, moderator: Moderator, to: Moderator | None, note: str = ""
) -> Decision:
    """Leaves a comment to a colleague, or with None asks whoever has a second opinion.

    It stays where it is and locks nothing: anybody may decide on it, which ends this. Takes a note
    for moderators. Raises Stale if nothing is left to decide on.
    """
    session.refresh(comment, with_for_update=True)  # two who hand it on at one moment
    _refuse_if_final(session, comment)
    status, name = comment.status, to.name if to else ""
    asked = _record(session, comment, status, status, moderator, Act.HANDED, note, handed_to=name)
    to_id = to.id if to else None
    session.merge(Handover(comment_id=comment.id, decision_id=asked.id, to_id=to_id, at=asked.at))
    return asked


def take_back(session: Session, comment: Comment, moderator: Moderator) -> Decision | None:
    """Ends that a comment was left to others, by who left it; None if they did not."""
    session.refresh(comment, with_for_update=True)
    left = session.get(Handover, comment.id)
    asked = session.get_one(Decision, left.decision_id) if left else None
    if left is None or asked is None or asked.moderator_id != moderator.id:
        return None
    session.delete(left)
    status, undoes = comment.status, asked.id
    return _record(session, comment, status, status, moderator, Act.HANDED, undoes_id=undoes)


def retract(session: Session, comment: Comment, moderator: Moderator | None = None) -> None:
    """Empties an imported comment whose import is undone but which others have built upon."""
    by = moderator or "command line"
    _change(session, comment, Status.DELETED, comment.version, by, Act.RETRACTED)
    comment.name = comment.website = comment.text = comment.html = ""
    comment.website_domain, comment.link_count, comment.is_first = "", 0, False
    comment.fold_digest, comment.link_domain, comment.fold_key = None, "", None
    comment.author_id = comment.source = comment.source_id = comment.source_parent = None


def is_final(session: Session, comment: Comment) -> bool:
    """Whether nothing of a comment is left that anybody could decide on."""
    if comment.status != Status.DELETED or comment.html:
        return False
    last = latest(session, comment.id)
    return last is not None and last.act in FINAL


def is_withdrawn(session: Session, comment: Comment) -> bool:
    """Whether its author took the comment back."""
    if not is_final(session, comment):
        return False
    last = latest(session, comment.id)
    return last is not None and last.act == Act.WITHDRAWN


def latest(session: Session, comment_id: int) -> Decision | None:
    """The last change of a comment, if anybody changed it."""
    changes = select(Decision).where(Decision.comment_id == comment_id, Decision.act.in_(CHANGES))
    return session.scalars(changes.order_by(Decision.id.desc()).limit(1)).first()


def count_new(session: Session, comment: Comment) -> None:
    """Counts a comment that was approved from the start."""
    session.flush()
    _count(session, comment, 1)


def recount(session: Session, article_id: int) -> None:
    """Counts an article's approved comments anew, after an import has changed many at once."""
    reply = aliased(Comment)
    below = (
        select(func.count())
        .where(reply.root_id == Comment.id, reply.status == Status.APPROVED)
        .scalar_subquery()
    )
    roots = (Comment.article_id == article_id, Comment.parent_id.is_(None))
    session.execute(update(Comment).where(*roots).values(approved_below=below))
    approved = (Comment.article_id == article_id, Comment.status == Status.APPROVED)
    count = select(func.count()).where(*approved).scalar_subquery()
    session.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(approved_count=count, version=Article.version + 1)
    )


def _refuse_if_final(session: Session, comment: Comment) -> None:
    if is_final(session, comment):
        raise Stale(latest(session, comment.id))


def _change(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    by: Moderator | str,
    act: Act,
    note: str = "",
    public_note: str = "",
    undoes_id: int | None = None,
    **values: Any,
) -> Decision:
    """The one way in which a comment changes. Takes the columns that change with the status."""
    before, fold = comment.status, comment.fold_key
    folds.lock(session, [fold])
    if "text" in values:
        values |= UNLIKE
    key = values.get("fold_key", fold)
    folded = {"is_folded": key is not None and to in folds.WAITING} if fold else {}
    guarded = (
        update(Comment)
        .where(Comment.id == comment.id, Comment.version == version)
        .values(status=to, version=Comment.version + 1, **values, **folded)
        .returning(Comment.version)
    )
    if session.scalar(guarded) is None:
        raise Stale(latest(session, comment.id))
    at = now()
    if act in ANSWERS and to != Status.PENDING:
        outcome = Outcome.KEPT if to == Status.APPROVED else Outcome.REMOVED
        reports.close(session, comment.id, outcome, at)
    if act in SETTLES:
        session.execute(delete(Handover).where(Handover.comment_id == comment.id))
    session.refresh(comment, ["status", "version", "reported_at", *values])
    if fold:
        site_id = comment.site_id
        folds.regroup(session, [folds.Group(site_id, one, fold) for one in (before, to)])
        session.refresh(comment, ["is_folded"])
    _count(session, comment, (to == Status.APPROVED) - (before == Status.APPROVED))
    return _record(session, comment, before, to, by, act, note, public_note, undoes_id, at)


class _Row(NamedTuple):
    """What a batch has to know of a comment."""

    id: int
    article_id: int
    root_id: int | None
    status: Status
    version: int
    reported_at: datetime | None
    site_id: int
    fold_key: str | None
    is_folded: bool
    waits: bool  # an edit does
    is_empty: bool


def _take_many(session: Session, comment_ids: Collection[int], moderator: Moderator) -> list[_Row]:
    """The comments of a batch within the moderator's reach, by id; until the end of the transaction
    nobody else changes them, or what is counted with them: their articles and their threads' first
    comments. All are taken in the order of their ids, and none is waited for."""
    within = (Comment.id.in_(comment_ids), within_reach(moderator, Comment.site_id))
    folds.lock(session, session.scalars(select(Comment.fold_key).where(*within).distinct()))
    firsts = select(Comment.root_id).where(*within, Comment.root_id.is_not(None))
    first_ids = set(session.scalars(firsts))
    found = session.execute(
        select(
            *(Comment.id, Comment.article_id, Comment.root_id),
            *(Comment.status, Comment.version, Comment.reported_at),
            *(Comment.site_id, Comment.fold_key, Comment.is_folded),
            and_(Comment.status == Status.APPROVED, Comment.edit_at.is_not(None)).label("waits"),
            and_(Comment.status == Status.DELETED, Comment.html == "").label("is_empty"),
        )
        .where(or_(and_(*within), Comment.id.in_(first_ids)))
        .order_by(Comment.id)
        .with_for_update(nowait=True)
    ).all()
    wanted = set(comment_ids)
    articles = select(Article.id).where(Article.id.in_({row.article_id for row in found}))
    session.execute(articles.order_by(Article.id).with_for_update(nowait=True)).all()
    return [_Row(*row) for row in found if row.id in wanted]


def _change_many(
    session: Session,
    rows: Collection[_Row],
    to: Status,
    by: Moderator,
    act: Act,
    bulk_id: int,
    at: datetime,
    undoes: Collection[int] = (),
) -> None:
    """_change() for many at once, which _take_many() has taken. An undo takes the decisions' ids."""
    if not rows:
        return
    ids = [row.id for row in rows]
    # The log first, while the comments still say what they were; undoes_id comes from a join.
    columns = {
        Decision.comment_id: Comment.id,
        Decision.moderator_id: literal(by.id),
        Decision.by: literal(by.name),
        Decision.act: literal(act, Decision.act.type),
        Decision.from_status: Comment.status,
        Decision.to_status: literal(to, Decision.to_status.type),
        Decision.version: Comment.version + 1,
        Decision.at: literal(at, Decision.at.type),
        Decision.bulk_id: literal(bulk_id),
        Decision.network: literal(by.came_from),
    }
    undone = aliased(Decision)
    log = select(*columns.values(), undone.id if undoes else null())
    if (
        undoes
    ):  # from these, and not the comments: SQLite would look for each of one among the other
        log = log.select_from(undone).join(Comment, Comment.id == undone.comment_id)
        log = log.where(undone.id.in_(undoes))
    else:
        log = log.where(Comment.id.in_(ids))
    log = log.order_by(Comment.id)
    session.execute(insert(Decision).from_select([*columns, Decision.undoes_id], log))
    session.execute(
        update(Comment)
        .where(Comment.id.in_(ids))
        .values(
            status=to,
            version=Comment.version + 1,
            is_folded=Comment.fold_key.is_not(None) if to in folds.WAITING else False,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Handover).where(Handover.comment_id.in_(ids)))
    moved = [row for row in rows if row.fold_key]
    left = {(r.site_id, r.status, r.fold_key or "") for r in moved if not r.is_folded}
    reached = {(r.site_id, to, r.fold_key or "") for r in moved if to in folds.WAITING}
    folds.regroup(session, [folds.Group(*group) for group in left | reached])
    if act in ANSWERS and to != Status.PENDING:
        outcome = Outcome.KEPT if to == Status.APPROVED else Outcome.REMOVED
        reports.close_many(session, ids, outcome, at)
    if act in SETTLES:
        session.execute(delete(Handover).where(Handover.comment_id.in_(ids)))
    _count_many(session, rows, to)


def _count_many(session: Session, rows: Collection[_Row], to: Status) -> None:
    """_count() for many at once."""
    changes: Counter[int] = Counter()
    below: Counter[int] = Counter()
    for row in rows:
        change = (to == Status.APPROVED) - (row.status == Status.APPROVED)
        changes[row.article_id] += change
        if row.root_id is not None:
            below[row.root_id] += change
    for change, ids in _by_change(changes).items():
        proved = case((Article.title == "", False), else_=True) if change > 0 else None
        session.execute(
            update(Article)
            .where(Article.id.in_(ids))
            .values(
                approved_count=Article.approved_count + change,
                version=Article.version + 1,
                is_title_proved=Article.is_title_proved if proved is None else proved,
            )
            .execution_options(synchronize_session=False)
        )
    for change, ids in _by_change(below).items():
        session.execute(
            update(Comment)
            .where(Comment.id.in_(ids))
            .values(approved_below=Comment.approved_below + change)
            .execution_options(synchronize_session=False)
        )


def _by_change(changes: Counter[int]) -> dict[int, list[int]]:
    """Those that change by the same number together, so that one statement does for them."""
    by_change: dict[int, list[int]] = defaultdict(list)
    for id, change in changes.items():
        if change:
            by_change[change].append(id)
    return by_change


def _replace(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    wording: Wording,
    to: Status = Status.APPROVED,
    **more: Any,
) -> Decision:
    """Puts a text in the place of the present one, which is kept as a revision."""
    before = _revision(comment)
    values: Columns = {"text": wording.text, "html": wording.html, "text_digest": wording.digest}
    values |= {"markup": Markup.MARKDOWN, "is_reworded": False}
    values |= {"edit_text": None, "edit_html": None, "edit_at": None}
    values["link_count"] = count_links(wording.html)
    if to == Status.APPROVED:
        values["edited_at"] = now()
    decision = _change(session, comment, to, version, by, act, **values, **more)
    session.add(before)
    if to == Status.APPROVED:
        _renew(session, comment)
    return decision


def _apply(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """Makes a waiting edit the comment's text."""
    typed = comment.edit_text or ""
    wording = Wording(typed, comment.edit_html or "", vault.words(typed) if vault else None)
    return _replace(session, comment, version, by, act, wording, **more)


def _discard(
    session: Session, comment: Comment, version: int, by: Moderator | str, act: Act, **more: Any
) -> Decision:
    """Ends the waiting of an edit. Its text stays, so that this can be undone."""
    return _change(session, comment, Status.APPROVED, version, by, act, edit_at=None, **more)


def _wait_again(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of _discard()."""
    edit_at = _edited(session, comment)
    return _change(session, comment, Status.APPROVED, version, by, act, edit_at=edit_at, **more)


def _revert(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of _apply(): the text before is public again, and the edit waits."""
    before = _last_revision(session, comment)
    values: Columns = _wording_of(before, vault) | {
        "edit_text": comment.text,
        "edit_html": comment.html,
        "edit_at": _edited(session, comment),
    }
    decision = _change(session, comment, Status.APPROVED, version, by, act, **values, **more)
    session.delete(before)
    _renew(session, comment)
    return decision


def _swap(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of reword(), and of itself: the text and the one before it change places."""
    before, after = _last_revision(session, comment), _revision(comment)
    values = _wording_of(before, vault)
    decision = _change(session, comment, comment.status, version, by, act, **values, **more)
    session.delete(before)
    session.add(after)
    if comment.status == Status.APPROVED:
        _renew(session, comment)
    return decision


def _pin(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator,
    is_pinned: bool,
    act: Act,
    **more: Any,
) -> Decision:
    if is_pinned:
        _refuse_pin(session, comment)
    pinned_at = now() if is_pinned else None
    status = comment.status
    more |= {"pinned_at": pinned_at}
    decision = _change(session, comment, status, version, by, act, **more)
    _renew(session, comment)
    return decision


def _refuse_pin(session: Session, comment: Comment) -> None:
    """Says why a comment cannot be pinned. Two at once under an article come one after the other."""
    if comment.status != Status.APPROVED or comment.parent_id is not None:
        raise NotPinnable
    session.get(Article, comment.article_id, with_for_update=True)
    pinned = (Comment.article_id == comment.article_id, Comment.pinned_at.is_not(None))
    shown = (*pinned, Comment.status == Status.APPROVED, Comment.id != comment.id)
    if (session.scalar(select(func.count()).where(*shown)) or 0) >= MOST_PINNED:
        raise EnoughPinned


def _revision(comment: Comment) -> Revision:
    """The present text as it is kept when another takes its place."""
    return Revision(
        comment_id=comment.id,
        text=comment.text,
        html=comment.html,
        is_html=comment.markup == Markup.HTML,
        is_reworded=comment.is_reworded,
        edited_at=comment.edited_at,
    )


def _last_revision(session: Session, comment: Comment) -> Revision:
    """The text before the present one."""
    revisions = select(Revision).where(Revision.comment_id == comment.id)
    before = session.scalars(revisions.order_by(Revision.id.desc()).limit(1)).first()
    if before is None:
        raise Stale(latest(session, comment.id))
    return before


def _wording_of(before: Revision, vault: Vault | None) -> Columns:
    """What a comment's columns were when this was its text."""
    return {
        "text": before.text,
        "html": before.html,
        "link_count": count_links(before.html),
        "text_digest": vault.words(before.text) if vault else None,
        "markup": Markup.HTML if before.is_html else Markup.MARKDOWN,
        "is_reworded": before.is_reworded,
        "edited_at": before.edited_at,
    }


def origin(decision: Decision) -> Decision:
    """What an undo, or the undo of an undo, is about in the end; a decision itself otherwise."""
    while decision.undoes is not None:
        decision = decision.undoes
    return decision


def _edited(session: Session, comment: Comment) -> datetime:
    """When its author last changed a comment."""
    of_it = (Decision.comment_id == comment.id, Decision.act == Act.EDITED)
    return session.scalar(select(func.max(Decision.at)).where(*of_it)) or now()


def _drop_author(session: Session, author_id: int) -> None:
    """Removes an author whom nothing refers to any more: no comment, follow or report."""
    session.get(Author, author_id, with_for_update=True)
    held = (Comment.author_id, Follow.author_id, Report.contact_id)
    free = [~exists().where(column == author_id) for column in held]
    session.execute(delete(Author).where(Author.id == author_id, *free))


def _renew(session: Session, comment: Comment) -> None:
    """Readers see something else than before, so the article's pages are fetched anew."""
    article = Article.id == comment.article_id
    session.execute(update(Article).where(article).values(version=Article.version + 1))


def _count(session: Session, comment: Comment, change: int) -> None:
    """Keeps what readers see in step: the article's count and version, the thread's replies."""
    if not change:
        return
    proved = (
        case((Article.title == "", False), else_=True) if change > 0 else Article.is_title_proved
    )
    session.execute(
        update(Article)
        .where(Article.id == comment.article_id)
        .values(
            approved_count=Article.approved_count + change,
            version=Article.version + 1,
            is_title_proved=proved,
        )
    )
    session.execute(
        update(Comment)
        .where(Comment.id == comment.root_id)
        .values(approved_below=Comment.approved_below + change)
    )


def _record(
    session: Session,
    comment: Comment,
    before: Status,
    to: Status,
    by: Moderator | str,
    act: Act,
    note: str = "",
    public_note: str = "",
    undoes_id: int | None = None,
    at: datetime | None = None,
    handed_to: str = "",
) -> Decision:
    """Adds a row to the log; it is complete at once, since no row is ever changed."""
    has_note = note or public_note
    decision = Decision(
        comment=comment,
        moderator_id=None if isinstance(by, str) else by.id,
        by=by if isinstance(by, str) else by.name,
        act=act,
        from_status=before,
        to_status=to,
        version=comment.version,
        at=at or now(),
        note=Note(text=note, public_text=public_note) if has_note else None,
        undoes_id=undoes_id,
        handed_to=handed_to,
        network="" if isinstance(by, str) else by.came_from,
    )
    session.add(decision)
    session.flush()
    return decision


def hold(session: Session, comment: Comment) -> None:
    """Takes a published comment back to the queue, since so many readers reported it."""
    with suppress(Stale):  # a moderator who decided at this very moment has the last word
        _change(session, comment, Status.PENDING, comment.version, "readers’ reports", Act.HELD)
