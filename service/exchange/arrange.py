"""Records to threads: gathered by article, parents before their replies. Pure, and never recursive."""

from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from . import record
from .record import Record, Troubles, Unreadable

ONCE = "comment that is in the file more than once: taken once"
SHARED_ID = "another comment has the same id: kept under a new one"
SELF = "reply to itself: put at the top level"
CIRCLE = "replies in a circle: the oldest put at the top level"
LOST = "reply to a comment that is not under the same article: put at the top level"


@dataclass(frozen=True)
class Survey:
    """What a first reading found: how many comments, and how often the file comes to an article."""

    comments: int
    runs: Counter[str]


@dataclass(frozen=True)
class Thread:
    url: str
    title: str
    records: list[Record]


class Placed(NamedTuple):
    """A record and the id of the comment it hangs under, None at the top level."""

    record: Record
    under: str | None


def survey(records: Iterable[Record]) -> Survey:
    """Reads everything once, so that a fault shows before the first write. Raises Unreadable."""
    comments, runs = 0, Counter[str]()
    for url, run in groupby(records, attrgetter("article_url")):
        runs[url] += 1
        comments += sum(1 for _ in run)
    if not comments:
        raise Unreadable("there is no comment in it to import")
    return Survey(comments, runs)


def threads(records: Iterable[Record], runs: Counter[str]) -> Iterator[Thread]:
    """Each article with all its comments, also where the file comes back to it later.

    Holds one article at a time, beside those that the file has not yet done with.
    """
    left, waiting = runs.copy(), dict[str, list[Record]]()
    for url, run in groupby(records, attrgetter("article_url")):
        gathered = waiting.setdefault(url, [])
        gathered.extend(run)
        left[url] -= 1
        if not left[url]:
            del waiting[url]
            title = next((r.article_title for r in gathered if r.article_title), "")
            yield Thread(url, title, gathered)


def place(records: Iterable[Record], known: Container[str], troubles: Troubles) -> list[Placed]:
    """An article's comments, each after the one it answers.

    `known` are the ids that an earlier import has brought. No comment is left out: one whose
    parent cannot be had stands at the top level.
    """
    comments = _distinct(records, troubles)
    parents = _parents(comments, known, troubles)
    _open_circles(comments, parents, troubles)
    return [Placed(comments[id], parents[id]) for id in _in_order(comments, parents)]


def _distinct(records: Iterable[Record], troubles: Troubles) -> dict[str, Record]:
    """One record an id. Of different ones under one id the oldest keeps it, so that the ids come
    out the same whatever the file's order is."""
    named: dict[str, list[Record]] = {}
    for found in records:
        named.setdefault(found.source_id, []).append(found)
    comments = {}
    for id, same in named.items():
        different = sorted(dict.fromkeys(same), key=_rank) if len(same) > 1 else same
        comments[id] = different[0]
        for _ in range(len(same) - len(different)):
            troubles.note(ONCE, id)
        for number, other in enumerate(different[1:]):
            troubles.note(SHARED_ID, id)
            renamed = replace(other, source_id=record.digest(id, str(number), *_rank(other)))
            comments[renamed.source_id] = renamed
    return comments


def _rank(found: Record) -> tuple[str, ...]:
    said = (found.author, found.text, found.website, found.source_parent or "", found.state)
    return (found.created_at.isoformat(), *said, found.kind, found.article_title)


def _parents(
    comments: dict[str, Record], known: Container[str], troubles: Troubles
) -> dict[str, str | None]:
    parents: dict[str, str | None] = {}
    for id, comment in comments.items():
        parent = comment.source_parent
        if parent == id:
            troubles.note(SELF, id)
        elif parent is None or parent in comments or parent in known:
            parents[id] = parent
            continue
        else:
            troubles.note(LOST, id)
        parents[id] = None
    return parents


def _open_circles(
    comments: dict[str, Record], parents: dict[str, str | None], troubles: Troubles
) -> None:
    """Walks up from every comment; whoever meets their own way has found a circle."""
    done: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        at: str | None = start
        while at in parents and at not in done and at not in way:
            way[at] = None
            at = parents[at]
        if at in way:
            circle = list(way)[list(way).index(at) :]
            first = min(circle, key=lambda id: (comments[id].created_at, id))
            parents[first] = None
            troubles.note(CIRCLE, first)
        done.update(way)


def _in_order(comments: dict[str, Record], parents: dict[str, str | None]) -> Iterator[str]:
    oldest_first = sorted(comments, key=lambda id: comments[id].created_at)
    replies: dict[str, list[str]] = {}
    queue = deque[str]()
    for id in oldest_first:
        parent = parents[id]
        if parent is None or parent not in comments:
            queue.append(id)
        else:
            replies.setdefault(parent, []).append(id)
    while queue:
        id = queue.popleft()
        yield id
        queue.extend(replies.get(id, ()))
