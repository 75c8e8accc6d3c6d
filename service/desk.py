"""The moderator's readings: the queue by key, its counts, a comment's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from . import facts, folds, reports, screening
from .accounts import Membership, Moderator, each_within_reach, within_reach
from .filters import LISTS, Filter
from .folds import Fold
from .models import (
    Article,
    Author,
    Comment,
    Decision,
    Import,
    Judgement,
    Past,
    Report,
    Revision,
    Site,
)
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
    judgement: Judgement | None = None  # the last verdict of the rules and the filter
    returned_at: datetime | None = None  # since when mail to its address comes back


@dataclass(frozen=True)
class Queue:
    cards: list[Card]
    later: str | None  # what `after` opens the next page, None on the last one
    among: int = 0  # only so many of the newest were looked through; 0 for all
    folds: Mapping[int, Fold] = field(default_factory=dict)  # what is folded into a comment's card


def queue(
    session: Session,
    vault: Vault,
    moderator: Moderator,
    asked: Filter,
    after: str = "",
    size: int = PAGE,
) -> Queue:
    """A page of what a filter finds on the moderator's sites, behind the comment `after`."""
    found = asked.page(session, moderator, after, size)
    by_id = {
        comment.id: comment
        for comment in session.scalars(_whole().where(Comment.id.in_(found.ids)))
    }
    shown = [by_id[id] for id in found.ids if id in by_id]
    later = shown[-1].public_id if found.has_more else None
    folded = folds.of(session, shown) if asked.has_folds() else {}
    return Queue(_cards(session, vault, shown), later, found.among, folded)


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
        screening.latest(session, [comment.id]).get(comment.id),
        _returned(session, [comment]).get(comment.author_id),
    )


@dataclass(frozen=True)
class Elsewhere:
    """What another installation had on record of a comment, in its own words: foreign, and no more
    than what somebody's file says (hard rule 15)."""

    file_name: str
    by: str  # who imported the file
    past: Past


def elsewhere(session: Session, comment: Comment) -> Elsewhere | None:
    """What came along with an imported comment; None if nothing did, or it was emptied."""
    if comment.import_id is None:
        return None
    wanted = select(Past, Import.file_name, Import.by).join(Import, Import.id == comment.import_id)
    row = session.execute(wanted.where(Past.comment_id == comment.id)).first()
    if row is None or not (row.Past.reasons or row.Past.decisions or row.Past.revisions):
        return None
    return Elsewhere(row.file_name, row.by, row.Past)


def some(
    session: Session, vault: Vault, moderator: Moderator, comment_ids: Sequence[int]
) -> list[Card]:
    """The cards of certain comments, in this order; one on another's site is left out."""
    here = (Comment.id.in_(comment_ids), each_within_reach(moderator, Comment.site_id))
    found = {comment.id: comment for comment in session.scalars(_whole().where(*here))}
    shown = [found[wanted] for wanted in comment_ids if wanted in found]
    return _cards(session, vault, shown)


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
        .where(each_within_reach(moderator, Comment.site_id))
        .options(contains_eager(Decision.comment))
        .order_by(Decision.id.desc())
        .limit(most)
    ).all()


def counts(session: Session, moderator: Moderator, site: str = "") -> dict[str, int]:
    """How many comments each list holds; COUNTED + 1 stands for more than can be told quickly."""
    lists = {word: Filter(status=word, site=site) for word in LISTS}
    return {word: each.count(session, moderator, COUNTED) for word, each in lists.items()}


def likely_spam(session: Session, moderator: Moderator, site: str = "") -> int:
    """How many of the pending comments look like spam; COUNTED + 1 as in `counts`."""
    asked = Filter(site=site, is_likely_spam=True)
    return asked.count(session, moderator, COUNTED, with_edits=False)


def authors_of(
    session: Session, vault: Vault, moderator: Moderator, address: str
) -> tuple[int, ...]:
    """Who gave this address to one of the moderator's sites, an author for each site."""
    site_ids = [site.id for site in sites(session, moderator)]
    known = (Author.site_id.in_(site_ids), Author.email_index == vault.index(address))
    return tuple(session.scalars(select(Author.id).where(*known)))


def authors_within(
    session: Session, vault: Vault, moderator: Moderator, ids: Sequence[int]
) -> dict[int, str]:
    """Of these authors the ones on the moderator's sites, with their addresses masked."""
    reach = each_within_reach(moderator, Author.site_id)
    authors = session.scalars(select(Author).where(Author.id.in_(ids), reach))
    return {author.id: mask(vault.reveal(_hidden(author), author.site_id)) for author in authors}


def colleagues(session: Session, moderator: Moderator) -> Sequence[Moderator]:
    """The people who decide on one of the moderator's sites, by name."""
    reach = or_(Membership.site_id.is_(None), within_reach(moderator, Membership.site_id))
    own = select(Membership.moderator_id).where(reach)
    people = select(Moderator).where(Moderator.id.in_(own))
    return session.scalars(people.order_by(func.lower(Moderator.name), Moderator.id)).all()


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


def _returned(session: Session, comments: Sequence[Comment]) -> dict[int | None, datetime]:
    """Since when mail to authors' addresses comes back, by author; the others are left out."""
    wanted = {comment.author_id for comment in comments if comment.author_id}
    marked = (Author.id.in_(wanted), Author.returned_at.is_not(None))
    found = session.execute(select(Author.id, Author.returned_at).where(*marked))
    return {row.id: row.returned_at for row in found}


def _hidden(author: Author) -> Hidden:
    return Hidden(author.email_index, author.email_ciphertext, author.email_key_id)


def _cards(session: Session, vault: Vault, shown: Sequence[Comment]) -> list[Card]:
    emails = masked_emails(session, vault, shown)
    reported = reports.open_of(session, [comment.id for comment in shown])
    pasts = facts.pasts(session, shown)
    verdicts = screening.latest(session, [comment.id for comment in shown])
    returned = _returned(session, shown)
    return [
        Card(
            comment,
            emails.get(comment.author_id, ""),
            reports=reported.get(comment.id, []),
            past=pasts.get(comment.id),
            is_final=is_final(session, comment),
            judgement=verdicts.get(comment.id),
            returned_at=returned.get(comment.author_id),
        )
        for comment in shown
    ]


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
