"""Which waiting comments are alike, so that a wave is one card: the same words, links to one site, or
one network's burst.

A comment gets the key of its fold when it arrives and finds others like it; it keeps it whatever
becomes of it. In each list the oldest of a fold stands for it and the others are folded into its card
(`is_folded`): whoever moves comments between lists calls `regroup`, and at the end of their
transaction every fold has just one that stands. So a list is read by an index of those that stand,
and a wave of a million costs it no more than one comment.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    column,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
    values,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from . import urls
from .models import Comment, Id
from .rules import LIKELY_SPAM
from .status import Status
from .vault import Vault

WAITING = (Status.PENDING, Status.SPAM)  # the lists in which alike ones fold
LETTERS = 12  # fewer say too little: "Thank you!" is no wave
OF_DOMAIN = 3  # comments that link to one site
OF_NETWORK = 5  # comments from one network within BURST, each of them suspicious
BURST = timedelta(hours=1)
LOOKED_AT = 50  # of the newest like it: so many tell whether there is a fold
COUNTED = 1_000
MEMBERS = 20  # that the card lists

TEXT, ALMOST, DOMAIN, NETWORK = "text", "almost", "domain", "network"
KINDS = {"t": TEXT, "d": DOMAIN, "n": NETWORK}

_LINK = re.compile(r"""https?://[^\s<>()\[\]"']+""", re.IGNORECASE)
_HREF = re.compile(r'<a href="([^"]*)"')


class Group(NamedTuple):
    """A fold in one of a site's lists."""

    site_id: int
    status: Status
    key: str


@dataclass(frozen=True)
class Fold:
    """What a card says of those that are folded into it."""

    key: str
    count: int  # the others; COUNTED + 1 for more
    why: str  # TEXT, ALMOST (numbers and pages may differ), DOMAIN or NETWORK
    domain: str


def normal(typed: str) -> str:
    """What of a text makes two the same: its letters, its numbers, whose sites it links to. Where it
    links to any, as advertising does, of a number only that there is one."""
    with_hosts = _LINK.sub(lambda link: urls.domain(link[0]), typed)
    folded = unicodedata.normalize("NFKC", with_hosts).casefold()
    kept = "".join(c for c in folded if c.isalnum())
    return re.sub(r"\d+", "0", kept) if is_vague(typed) else kept


def is_vague(typed: str) -> bool:
    """Whether others count as the same text with other numbers, or links to other pages there."""
    return _LINK.search(typed) is not None


def digest(vault: Vault, typed: str) -> bytes | None:
    """By which the same text is found again; None for a text that is too short."""
    same = normal(typed)
    letters = sum(character.isalpha() for character in same)
    return vault.digest("fold", same) if letters >= LETTERS else None


def link_domain(html: str, own: Collection[str]) -> str:
    """The site that a text links to first, "" for none. Takes the origins of the site's own."""
    known = {urls.domain(origin) for origin in own}
    found = (urls.domain(url.replace("&amp;", "&")) for url in _HREF.findall(html))
    return next((domain for domain in found if domain and domain not in known), "")


def stands() -> ColumnElement[bool]:
    """The condition that a comment of a list in WAITING has its own card. As the indexes spell it."""
    waiting: ColumnElement[bool] = literal_column("comments.status IN ('pending', 'spam')")
    return and_(Comment.is_folded.is_(False), waiting)


def join(session: Session, vault: Vault, comment: Comment) -> None:
    """Folds a comment that has just been stored with those like it, if there are any."""
    if comment.status not in WAITING:
        return
    found = (
        _by_domain(session, comment)
        or _by_text(session, comment)
        or _by_network(session, vault, comment)
    )
    if found is None:
        return
    key, others = found
    left = set(others.values()) - {None}
    lock(session, {key, *left})
    # Not those that went into yet another fold before this one's turn came.
    was = or_(Comment.fold_key.is_(None), Comment.fold_key.in_(left))
    session.execute(
        update(Comment)
        .where(Comment.id.in_([comment.id, *others]), Comment.status == comment.status, was)
        .values(fold_key=key, is_folded=True)
        .execution_options(synchronize_session=False)
    )
    site_id, status = comment.site_id, comment.status
    regroup(session, [Group(site_id, status, one) for one in (key, *left) if one])
    session.refresh(comment, ["fold_key", "is_folded"])


def join_many(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Folds comments that an import has just stored by their words, in a few statements. Takes their
    columns."""
    alike: dict[tuple[int, Status, bytes], list[int]] = defaultdict(list)
    for row in rows:
        if row["fold_digest"] is not None and row["status"] in WAITING:
            alike[row["site_id"], row["status"], row["fold_digest"]].append(row["id"])
    if not alike:
        return
    new = {id for ids in alike.values() for id in ids}
    kinds = (Id, Comment.status.type, Comment.fold_digest.type)
    names = ("site_id", "status", "fold_digest")
    table = values(*(column(name, kind) for name, kind in zip(names, kinds, strict=True)))
    asked = table.data(list(alike)).cte("asked")
    twin = (
        select(Comment.id)
        .where(Comment.site_id == asked.c.site_id, Comment.fold_digest == asked.c.fold_digest)
        .where(Comment.status == asked.c.status, Comment.id < min(new))
        .order_by(Comment.id.desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    twins = [id for id in session.scalars(select(twin).select_from(asked)) if id is not None]
    known = select(
        Comment.id, Comment.site_id, Comment.status, Comment.fold_digest, Comment.fold_key
    )
    keys: dict[tuple[int, Status, bytes], str] = {}
    for there in session.execute(known.where(Comment.id.in_(twins))):
        place = (there.site_id, there.status, there.fold_digest or b"")
        keys[place] = there.fold_key or _text_key(place[2])
        if not there.fold_key:
            alike[place].append(there.id)
    groups = []
    for place, ids in alike.items():
        if len(ids) > 1 or place in keys:
            key = keys.get(place, _text_key(place[2]))
            groups.append(Group(place[0], place[1], key))
            session.execute(
                update(Comment)
                .where(Comment.id.in_(ids), Comment.status == place[1])
                .values(fold_key=key, is_folded=True)
                .execution_options(synchronize_session=False)
            )
    regroup(session, groups)


def _text_key(fold_digest: bytes) -> str:
    return "t" + fold_digest.hex()[:32]


def lock(session: Session, keys: Iterable[str | None]) -> None:
    """One at a time changes a fold. Asked for before any row is taken, in the order of the keys; on
    SQLite there is one writer anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for key in sorted({key for key in keys if key}):
        session.execute(
            sql("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
        )


def regroup(session: Session, groups: Iterable[Group]) -> None:
    """Sees to it that of each fold just the oldest stands. Those that arrived in a list came folded."""
    wanted = sorted({group for group in groups if group.key and group.status in WAITING})
    if not wanted:
        return
    oldest: dict[Group, tuple[Any, int]] = {}
    standing: list[int] = []
    for row in [*_standing(session, wanted), *_oldest_folded(session, wanted)]:
        group, place = Group(row.site_id, row.status, row.fold_key), (row.created_at, row.id)
        oldest[group] = min(oldest.get(group, place), place)
        if not row.is_folded:
            standing.append(row.id)
    heads = {id for _, id in oldest.values()}
    for ids, is_folded in ((heads - set(standing), False), (set(standing) - heads, True)):
        if ids:
            session.execute(
                update(Comment)
                .where(Comment.id.in_(ids))
                .values(is_folded=is_folded)
                .execution_options(synchronize_session=False)
            )


def groups_of(session: Session, comment_ids: Collection[int]) -> list[Group]:
    """The folds that comments are in: to be regrouped once those are gone."""
    rows = select(Comment.site_id, Comment.status, Comment.fold_key)
    those = (Comment.id.in_(comment_ids), Comment.fold_key.is_not(None))
    found = session.execute(rows.where(*those).distinct())
    return [Group(row.site_id, row.status, row.fold_key or "") for row in found]


def of(session: Session, comments: Sequence[Comment]) -> dict[int, Fold]:
    """What is folded into each of the comments that stand for others."""
    heads = {
        Group(one.site_id, one.status, one.fold_key): one
        for one in comments
        if one.fold_key and not one.is_folded and one.status in WAITING
    }
    if not heads:
        return {}
    asked = _table(list(heads))
    some = (
        select(Comment.id)
        .where(*_in(asked), Comment.is_folded.is_(True))
        .limit(COUNTED + 1)
        .correlate(asked)
        .subquery()
    )
    count = select(func.count()).select_from(some).scalar_subquery()
    rows = session.execute(select(asked.c.site_id, asked.c.status, asked.c.fold_key, count))
    found = {}
    for site_id, status, key, number in rows:
        head = heads[Group(site_id, Status(status), key)]
        if number:
            why = KINDS[key[0]]
            why = ALMOST if why == TEXT and is_vague(head.text) else why
            found[head.id] = Fold(key, number, why, head.link_domain)
    return found


def members(session: Session, head: Comment, most: int = MEMBERS) -> Sequence[Comment]:
    """The first of those that are folded into a card, oldest first."""
    folded = select(Comment).where(*_of(head), Comment.is_folded.is_(True))
    return session.scalars(folded.order_by(Comment.created_at, Comment.id).limit(most)).all()


def walk(
    session: Session, group: Group, until: int, after: tuple[Any, int] | None, size: int
) -> Sequence[Any]:
    """The next of a fold up to an id, whether it stands or not, as (id, version, created_at), for
    a job."""
    found: list[Any] = []
    for is_folded in (False, True):
        some = select(Comment.id, Comment.version, Comment.created_at).where(
            Comment.site_id == group.site_id,
            Comment.status == group.status,
            Comment.fold_key == group.key,
            Comment.is_folded.is_(is_folded),
            Comment.id <= until,
        )
        if after is not None:
            some = some.where(tuple_(Comment.created_at, Comment.id) > after)
        found += session.execute(some.order_by(Comment.created_at, Comment.id).limit(size))
    return sorted(found, key=lambda row: (row.created_at, row.id))[:size]


def count(session: Session, group: Group, until: int) -> int:
    """How many a fold has in all, up to an id."""
    those = and_(
        Comment.site_id == group.site_id,
        Comment.status == group.status,
        Comment.fold_key == group.key,
        Comment.id <= until,
    )
    return session.scalar(select(func.count()).select_from(Comment).where(those)) or 0


# Finding those like a new one: the newest few are looked at, by an index that no decision touches.

# The fold's key, and who is not in it yet: in which one each of them is so far.
_Found = tuple[str, dict[int, str | None]] | None


def _by_text(session: Session, comment: Comment) -> _Found:
    if comment.fold_digest is None:
        return None
    twins = _newest(session, comment, Comment.fold_digest == comment.fold_digest)
    if not twins:
        return None
    keys = [twin.fold_key for twin in twins if twin.fold_key]
    key = keys[0] if keys else _text_key(comment.fold_digest)
    return key, {twin.id: None for twin in twins if not twin.fold_key}


def _by_domain(session: Session, comment: Comment) -> _Found:
    if not comment.link_domain:
        return None
    is_same = and_(Comment.link_domain == comment.link_domain, Comment.link_domain != EMPTY)
    others = _newest(session, comment, is_same)
    if len(others) < OF_DOMAIN - 1:
        return None
    key = "d" + comment.link_domain[:78]
    return key, {one.id: one.fold_key for one in others if one.fold_key != key}


def _by_network(session: Session, vault: Vault, comment: Comment) -> _Found:
    """Only where every one that came from there looks bad: an office writes from one network too."""
    if not comment.network:
        return None
    is_bad = or_(
        Comment.link_domain != EMPTY,
        Comment.risk >= LIKELY_SPAM,
        Comment.status == Status.SPAM,
    )
    lately = session.execute(
        select(Comment.id, Comment.status, Comment.fold_key, is_bad.label("is_bad"))
        .where(Comment.network == comment.network, Comment.network != EMPTY)
        .where(Comment.site_id == comment.site_id)
        .where(Comment.created_at > comment.created_at - BURST)
        .order_by(Comment.id.desc())
        .limit(LOOKED_AT)
    ).all()
    waiting = [row for row in lately if row.status == comment.status]
    if len(waiting) < OF_NETWORK or not all(row.is_bad for row in lately):
        return None
    keys = [row.fold_key for row in waiting if row.fold_key and row.fold_key[0] == "n"]
    hour = comment.created_at.strftime("%Y-%m-%dT%H")
    # A digest, since the network itself is erased after some days and the key is not.
    made = "n" + vault.digest("fold network", f"{comment.network} {hour}").hex()[:32]
    others = [row.id for row in waiting if not row.fold_key and row.id != comment.id]
    return (keys[0] if keys else made), dict.fromkeys(others)


EMPTY: ColumnElement[str] = literal_column("''")  # written out, as partial indexes want it


def _newest(session: Session, comment: Comment, is_alike: ColumnElement[bool]) -> Sequence[Any]:
    """The newest few on its site that are alike, of those that wait in the same list."""
    newest = (
        select(Comment.id, Comment.status, Comment.fold_key)
        .where(Comment.site_id == comment.site_id, is_alike, Comment.id != comment.id)
        .order_by(Comment.id.desc())
        .limit(LOOKED_AT)
    )
    return [row for row in session.execute(newest) if row.status == comment.status]


def _standing(session: Session, groups: Sequence[Group]) -> Sequence[Any]:
    asked = _table(groups)
    columns = (Comment.site_id, Comment.status, Comment.fold_key, Comment.created_at)
    standing = select(*columns, Comment.id, Comment.is_folded).join_from(
        asked, Comment, and_(*_in(asked))
    )
    return session.execute(standing.where(Comment.is_folded.is_(False))).all()


def _oldest_folded(session: Session, groups: Sequence[Group]) -> Sequence[Any]:
    asked = _table(groups)
    oldest = (
        select(Comment.id)
        .where(*_in(asked), Comment.is_folded.is_(True))
        .order_by(Comment.created_at, Comment.id)
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    ids = [id for id in session.scalars(select(oldest).select_from(asked)) if id is not None]
    columns = (Comment.site_id, Comment.status, Comment.fold_key, Comment.created_at)
    return session.execute(
        select(*columns, Comment.id, Comment.is_folded).where(Comment.id.in_(ids))
    ).all()


def _table(groups: Sequence[Group]) -> Any:
    """The groups as a table to join: one statement for all of them."""
    table = values(
        column("site_id", Id), column("status", Comment.status.type), column("fold_key", String)
    )
    return table.data([tuple(group) for group in groups]).cte("asked")


def _in(asked: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        Comment.site_id == asked.c.site_id,
        Comment.status == asked.c.status,
        Comment.fold_key == asked.c.fold_key,
    )


def _of(head: Comment) -> tuple[ColumnElement[bool], ...]:
    return (
        Comment.site_id == head.site_id,
        Comment.status == head.status,
        Comment.fold_key == head.fold_key,
    )
