"""The record: who did what, when, from where. One list out of the log of decisions on comments and
of the events beside it, newest first.

Only readings: nothing here changes a row, and the database would refuse it. Rows are walked by id,
which is the order in which they were written, so a page costs the same at any depth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload

from .accounts import Membership, Moderator, may
from .models import Article, Comment, Decision, Event, Site
from .status import Act, Role, Status

PAGE = 50
NOTHING_LEFT = 1  # no row has an id below it
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run (hard rule 16)

# Events about people rather than comments: for publishers and admins.
OF_PEOPLE = frozenset(
    (
        *("signed_in", "sign_in_failed", "locked_out", "signed_out", "session_ended", "verified"),
        *("invited", "invitation_ended", "joined", "role_changed", "removed", "restored"),
        *("link_made", "reset_asked", "address_shown", "name_changed", "password_changed"),
        *("second_step_added", "second_step_removed", "codes_made", "code_used"),
        *("passkey_added", "passkey_removed", "mail_links"),
    )
)


@dataclass(frozen=True)
class Filter:
    """What to show of the record; what is empty does not narrow it."""

    site: str = ""  # its key
    who: int | None = None  # a moderator's id; 0 for everything that no moderator did
    # "to.STATUS" for a decision, "act.ACT" for any other act, "by.mail" for what was done by a link
    # in a letter, "event.WHAT"
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None  # not included
    network: str = ""
    has_each: bool = False  # also each decision of a job over many comments


@dataclass(frozen=True)
class Entry:
    """Something on record: a decision with its comment, or an event."""

    row: Decision | Event
    site: Site | None

    @property
    def decision(self) -> Decision | None:
        return self.row if isinstance(self.row, Decision) else None

    @property
    def event(self) -> Event | None:
        return self.row if isinstance(self.row, Event) else None


@dataclass(frozen=True)
class Place:
    """How far both logs have been told: what is older than these ids is still to come."""

    decision_id: int | None = None
    event_id: int | None = None

    def __str__(self) -> str:
        return f"{self.decision_id or ''}.{self.event_id or ''}"


@dataclass(frozen=True)
class Page:
    entries: Sequence[Entry]
    older: Place | None  # None on the last page


def page(
    session: Session,
    moderator: Moderator,
    wanted: Filter,
    before: Place | None = None,
    size: int = PAGE,
    least: Role = Role.MODERATOR,
) -> Page:
    """A page of what happened on the sites where the moderator has at least this role.

    What others did that concerns no site, and what is about people, is for publishers and admins. An
    admin sees all of it. A publisher sees what is about people on their sites; of what concerns no
    site, only what is about people, by those who have a role on the publisher's sites now and never
    had one elsewhere: nothing says for which site somebody signed in.
    """
    before = before or Place()
    decided = _decisions(session, moderator, wanted, before, size + 1, least)
    others = _events(session, moderator, wanted, before, size + 1, least)
    entries: list[Entry] = []
    while (decided or others) and len(entries) < size:
        is_decision = not others or (bool(decided) and decided[0].row.at >= others[0].row.at)
        entries.append((decided if is_decision else others).pop(0))
    if not decided and not others:
        return Page(entries, None)
    return Page(entries, Place(_next(entries, decided, Decision), _next(entries, others, Event)))


def everything(
    session: Session,
    moderator: Moderator,
    wanted: Filter,
    least: Role = Role.PUBLISHER,
    size: int = 500,
) -> Iterator[Entry]:
    """All of it, newest first, without holding more than a page at a time."""
    place: Place | None = Place()
    while place is not None:
        found = page(session, moderator, wanted, place, size, least)
        yield from found.entries
        place = found.older
        session.expunge_all()


def place(said: str) -> Place:
    """Reads what a Place was written as; what is none is the beginning."""
    ids = [int(part) if _is_id(part) else None for part in said.split(".")]
    return Place(*ids) if len(ids) == 2 else Place()


def people(session: Session, moderator: Moderator) -> Sequence[Moderator]:
    """Who has a role on one of the moderator's sites, and the admins, by name."""
    others = select(Moderator).order_by(Moderator.name, Moderator.id)
    if not _is_admin(moderator):
        of_theirs = Membership.site_id.in_([m.site_id for m in moderator.memberships])
        everywhere = Membership.role == Role.ADMIN
        is_held = Membership.removed_at.is_(None)
        within = select(Membership.moderator_id).where(or_(of_theirs, everywhere), is_held)
        others = others.where(Moderator.id.in_(within))
    return session.scalars(others).all()


def may_export(moderator: Moderator, site_id: int | None = None) -> bool:
    """Whether the moderator may take the record of a site along, or of any site."""
    if site_id is not None:
        return may(moderator, site_id, Role.PUBLISHER)
    return any(m.role in (Role.PUBLISHER, Role.ADMIN) for m in moderator.memberships)


def cell(value: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(FORMULA) else value


def _decisions(
    session: Session,
    moderator: Moderator,
    wanted: Filter,
    before: Place,
    most: int,
    least: Role,
) -> list[Entry]:
    if wanted.what.startswith("event."):
        return []
    # "+ 0" keeps SQLite from walking all comments of a site: the log is what is walked.
    found = (
        select(Decision)
        .join(Decision.comment)
        .options(
            contains_eager(Decision.comment).joinedload(Comment.article).joinedload(Article.site),
            joinedload(Decision.note),
        )
        .where(_on_sites(moderator, Comment.site_id + 0, least))
        .where(_common(session, Decision, wanted, before.decision_id))
        .order_by(Decision.id.desc())
        .limit(most)
    )
    if wanted.site:
        key = select(Site.id).where(Site.key == wanted.site).scalar_subquery()
        found = found.where(Comment.site_id + 0 == key)
    if not wanted.has_each:
        found = found.where(Decision.bulk_id.is_(None))
    kind, _, word = wanted.what.partition(".")
    if kind == "to":
        found = found.where(Decision.act == Act.DECIDED, Decision.to_status == Status(word))
    elif kind == "act":
        found = found.where(Decision.act == Act(word))
    elif kind == "by":
        found = found.where(Decision.by_mail)
    return [Entry(row, row.comment.article.site) for row in session.scalars(found)]


def _events(
    session: Session,
    moderator: Moderator,
    wanted: Filter,
    before: Place,
    most: int,
    least: Role,
) -> list[Entry]:
    kind, _, word = wanted.what.partition(".")
    if kind in ("to", "act", "by"):
        return []
    found = (
        select(Event, Site)
        .outerjoin(Site, Event.site_id == Site.id)
        .where(_readable(moderator, least))
        .where(_common(session, Event, wanted, before.event_id))
        .order_by(Event.id.desc())
        .limit(most)
    )
    if wanted.site:
        found = found.where(Site.key == wanted.site)
    if kind == "event":
        found = found.where(Event.what == word)
    return [Entry(event, site) for event, site in session.execute(found)]


def _common(
    session: Session, log: type[Decision] | type[Event], wanted: Filter, before: int | None
) -> ColumnElement[bool]:
    """What both logs can be narrowed by."""
    conditions: list[ColumnElement[bool]] = [true()]
    if before is not None:
        conditions.append(log.id < before)
    if wanted.who is not None:
        conditions.append(
            log.moderator_id.is_(None) if wanted.who == 0 else log.moderator_id == wanted.who
        )
    if wanted.network:
        conditions.append(log.network == wanted.network)
    if wanted.since:
        conditions += [log.at >= wanted.since, log.id >= _first_since(session, log, wanted.since)]
    if wanted.until:
        conditions += [log.at < wanted.until, log.id < _first_since(session, log, wanted.until)]
    return and_(*conditions)


def _first_since(session: Session, log: type[Decision] | type[Event], moment: datetime) -> int:
    """The first id that was written since a moment, found by halving: rows are written in the order
    of their times. A log of a million rows takes 20 looks at its key."""
    low, high = 1, (session.scalar(select(log.id).order_by(log.id.desc()).limit(1)) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = session.scalar(select(log.at).where(log.id >= middle).order_by(log.id).limit(1))
        if at is None or at >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def _on_sites(moderator: Moderator, site_id: Any, least: Role) -> ColumnElement[bool]:
    """The condition that the moderator has at least this role on a row's site."""
    if _is_admin(moderator):
        return true()
    sites = [m.site_id for m in moderator.memberships if may(moderator, m.site_id or 0, least)]
    return site_id.in_(sites) if sites else false()


def _readable(moderator: Moderator, least: Role) -> ColumnElement[bool]:
    if _is_admin(moderator):
        return true()
    is_own = and_(Event.site_id.is_(None), Event.moderator_id == moderator.id)
    on_record = and_(
        or_(_on_sites(moderator, Event.site_id, least), is_own), Event.what.not_in(OF_PEOPLE)
    )
    published = [m.site_id for m in moderator.memberships if m.role == Role.PUBLISHER]
    if not published:
        return on_record
    is_theirs = and_(
        Event.site_id.is_(None),
        Event.what.in_(OF_PEOPLE),
        or_(Event.moderator_id == moderator.id, Event.moderator_id.in_(_theirs_alone(published))),
    )
    return or_(on_record, Event.site_id.in_(published), is_theirs)


def _theirs_alone(published: list[int | None]) -> Select[int]:
    """Those who have a role on one of these sites, and never had one on another or on all."""
    is_elsewhere = or_(Membership.site_id.is_(None), Membership.site_id.not_in(published))
    return select(Membership.moderator_id).where(
        Membership.site_id.in_(published),
        Membership.removed_at.is_(None),
        Membership.moderator_id.not_in(select(Membership.moderator_id).where(is_elsewhere)),
    )


def _next(told: Sequence[Entry], left: Sequence[Entry], log: type[Decision] | type[Event]) -> int:
    """From where a log goes on. Rows that are written in between belong to the first page."""
    ids = [entry.row.id for entry in told if isinstance(entry.row, log)]
    if ids:
        return ids[-1]
    return left[0].row.id + 1 if left else NOTHING_LEFT


def _is_admin(moderator: Moderator) -> bool:
    return any(m.role == Role.ADMIN for m in moderator.memberships)


def _is_id(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) < 19
