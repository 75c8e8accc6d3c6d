"""The moderator's readings: the queue by key, its counts, a comment's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from . import facts, reports
from .accounts import Moderator, within_reach
from .models import Article, Author, Comment, Decision, Report, Revision, Site
from .moderation import CHANGES, UNDOABLE, is_final
from .status import Status
from .vault import Hidden, Vault, mask

PAGE = 50
COUNTED = 1_000  # exact up to here, then "1,000+": a count may not slow the queue


@dataclass(frozen=True)
class Card:
    """A comment with all that is needed to decide on it."""

    comment: Comment
    masked_email: str  # "" for none
    history: Sequence[Decision] = ()
    reports: Sequence[Report] = ()  # open ones, oldest first
    undoable: Decision | None = None  # the one of them that can be taken back
    revisions: Sequence[Revision] = ()  # earlier texts, newest first
    past: facts.Past | None = None  # what else came with its address, None without one
    is_final: bool = False  # taken back by its author: nothing is left to decide on


@dataclass(frozen=True)
class Queue:
    cards: list[Card]
    later: str | None  # what `after` opens the next page, None on the last one


def queue(
    session: Session,
    vault: Vault,
    moderator: Moderator,
    status: Status = Status.PENDING,
    site: str = "",
    after: str = "",
    size: int = PAGE,
) -> Queue:
    """A page of the comments of a status on the moderator's sites, oldest first.

    Among the pending ones stand the published ones that have an edit waiting.
    """
    start = session.execute(
        select(Comment.created_at, Comment.id).where(Comment.public_id == after)
    ).first()
    # Each list by an index of its own, then as one: an "or" between them would sort all of both.
    found: list[Comment] = []
    for wanted in _lists(status):
        order = _whole().where(_within(moderator, site, wanted))
        if after and start:
            place = tuple_(Comment.created_at, Comment.id)
            order = order.where(place > (start.created_at, start.id))
        order = order.order_by(Comment.created_at, Comment.id).limit(size + 1)
        found += session.scalars(order)
    found.sort(key=lambda comment: (comment.created_at, comment.id))
    return _page(session, vault, found[: size + 1], size)


def reported(
    session: Session,
    vault: Vault,
    moderator: Moderator,
    site: str = "",
    after: str = "",
    size: int = PAGE,
) -> Queue:
    """A page of what readers reported and no moderator has looked at since, whatever its status;
    what was reported first comes first."""
    wanted = _reported(moderator, site)
    start = session.execute(
        select(Comment.reported_at, Comment.id).where(Comment.public_id == after)
    ).first()
    if after and start and start.reported_at:
        place = (start.reported_at, start.id)
        wanted = and_(wanted, tuple_(Comment.reported_at, Comment.id) > place)
    order = _whole().where(wanted).order_by(Comment.reported_at, Comment.id).limit(size + 1)
    return _page(session, vault, list(session.scalars(order)), size)


def count_reported(session: Session, moderator: Moderator, site: str = "") -> int:
    """How many comments `reported` lists in all; COUNTED + 1 as in `counts`."""
    some = select(Comment.id).where(_reported(moderator, site)).limit(COUNTED + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def card(session: Session, vault: Vault, comment: Comment) -> Card:
    """One comment with its history, oldest first, and its earlier texts."""
    history = session.scalars(
        select(Decision)
        .where(Decision.comment_id == comment.id)
        .options(joinedload(Decision.note))
        .order_by(Decision.id)
    ).all()
    changes = [decision for decision in history if decision.act in CHANGES]
    revisions = session.scalars(
        select(Revision)
        .where(Revision.comment_id == comment.id, Revision.html != "")
        .order_by(Revision.id.desc())
    ).all()
    return Card(
        comment,
        masked_emails(session, vault, [comment]).get(comment.author_id, ""),
        history,
        reports.open_of(session, [comment.id]).get(comment.id, []),
        changes[-1] if changes and changes[-1].act in UNDOABLE else None,
        revisions,
        facts.pasts(session, [comment]).get(comment.id),
        is_final(session, comment),
    )


def find(session: Session, moderator: Moderator, public_id: str) -> Comment | None:
    """A comment on one of the moderator's sites."""
    within = (Comment.public_id == public_id, within_reach(moderator, Comment.site_id))
    return session.scalar(_whole().where(*within))


def find_decision(session: Session, moderator: Moderator, decision_id: int) -> Decision | None:
    """A change of a comment on one of the moderator's sites."""
    return session.scalar(
        select(Decision)
        .join(Comment, Decision.comment_id == Comment.id)
        .where(Decision.id == decision_id, Decision.act.in_(CHANGES))
        .where(within_reach(moderator, Comment.site_id))
    )


def find_article(session: Session, moderator: Moderator, article_id: int) -> Article | None:
    """An article on one of the moderator's sites."""
    within = (Article.id == article_id, within_reach(moderator, Article.site_id))
    return session.scalar(select(Article).where(*within).options(joinedload(Article.site)))


def pinned(session: Session, article: Article) -> Sequence[Comment]:
    """What stands above the others under an article, the newest pin first."""
    found = select(Comment).where(Comment.article_id == article.id, Comment.pinned_at.is_not(None))
    return session.scalars(found.order_by(Comment.pinned_at.desc(), Comment.id)).all()


def last_decisions(session: Session, moderator: Moderator, most: int = 3) -> Sequence[Decision]:
    """What this moderator decided last, newest first."""
    return session.scalars(
        select(Decision)
        .join(Decision.comment)
        .where(Decision.moderator_id == moderator.id, Decision.act.in_(UNDOABLE))
        .where(within_reach(moderator, Comment.site_id))
        .options(contains_eager(Decision.comment))
        .order_by(Decision.id.desc())
        .limit(most)
    ).all()


def counts(session: Session, moderator: Moderator, site: str = "") -> dict[Status, int]:
    """How many comments each list holds; COUNTED + 1 stands for more than can be told quickly."""

    def count(wanted: ColumnElement[bool]) -> int:
        some = select(Comment.id).where(_within(moderator, site, wanted)).limit(COUNTED + 1)
        return session.scalar(select(func.count()).select_from(some.subquery())) or 0

    return {status: min(sum(map(count, _lists(status))), COUNTED + 1) for status in Status}


def newest(session: Session, moderator: Moderator, site: str = "") -> datetime | None:
    """When the last comment came, whatever became of it; None if there never was one."""

    def last(status: Status) -> datetime | None:
        at = select(Comment.created_at).where(_within(moderator, site, Comment.status == status))
        return session.scalar(at.order_by(Comment.created_at.desc()).limit(1))

    return max((at for status in Status if (at := last(status))), default=None)


def sites(session: Session, moderator: Moderator) -> Sequence[Site]:
    return session.scalars(
        select(Site).where(within_reach(moderator, Site.id)).order_by(Site.name)
    ).all()


def reveal(session: Session, vault: Vault, comment: Comment) -> str:
    """The author's whole address, "" if there is none; the caller puts the look on record."""
    author = session.get(Author, comment.author_id) if comment.author_id else None
    return vault.reveal(_hidden(author), author.site_id) if author else ""


def masked_emails(
    session: Session, vault: Vault, comments: Sequence[Comment]
) -> dict[int | None, str]:
    """Each author's address with all but its first letters covered, by author."""
    wanted = {comment.author_id for comment in comments}
    authors = session.scalars(select(Author).where(Author.id.in_(wanted)))
    return {author.id: mask(vault.reveal(_hidden(author), author.site_id)) for author in authors}


def _hidden(author: Author) -> Hidden:
    return Hidden(author.email_index, author.email_ciphertext, author.email_key_id)


def _page(session: Session, vault: Vault, found: list[Comment], size: int) -> Queue:
    """The cards of at most `size` comments. Takes one more if there is one."""
    shown = found[:size]
    emails = masked_emails(session, vault, shown)
    reported = reports.open_of(session, [comment.id for comment in shown])
    pasts = facts.pasts(session, shown)
    cards = [
        Card(
            comment,
            emails.get(comment.author_id, ""),
            reports=reported.get(comment.id, []),
            past=pasts.get(comment.id),
            is_final=is_final(session, comment),
        )
        for comment in shown
    ]
    return Queue(cards, shown[-1].public_id if len(found) > size else None)


def _lists(status: Status) -> list[ColumnElement[bool]]:
    """What stands in the list of a status: conditions of which a comment fulfils one at most."""
    lists: list[ColumnElement[bool]] = [Comment.status == status]
    if status == Status.PENDING:
        lists.append(and_(Comment.edit_at.is_not(None), Comment.status == Status.APPROVED))
    return lists


def _reported(moderator: Moderator, site: str) -> ColumnElement[bool]:
    return _within(moderator, site, Comment.reported_at.is_not(None))


def _within(moderator: Moderator, site: str, what: ColumnElement[bool]) -> ColumnElement[bool]:
    conditions = [what, within_reach(moderator, Comment.site_id)]
    if site:
        key = select(Site.id).where(Site.key == site).scalar_subquery()
        conditions.append(Comment.site_id == key)
    return and_(*conditions)


def _whole() -> Select[Comment]:
    """Comments with what their cards show, in few queries."""
    return select(Comment).options(
        joinedload(Comment.article).joinedload(Article.site),
        joinedload(Comment.parent),
        selectinload(Comment.reasons),
    )
