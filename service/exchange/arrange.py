"""A thread's order: parents before their replies, each comment once. Pure, and never recursive.

It looks at slots alone, which are small, and at whole records only where two have the same id.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from . import record
from .pile import Slot
from .record import Record, Troubles

ONCE = "comment that is in the file more than once: taken once"
SHARED_ID = "another comment has the same id: kept under a new one"
SELF = "reply to itself: put at the top level"
CIRCLE = "replies in a circle: the oldest put at the top level"
LOST = "reply to a comment that is not under the same article: put at the top level"

Load = Callable[[Sequence[Slot]], Sequence[Record]]


class Placed(NamedTuple):
    """A comment and the id of the one it hangs under, None at the top level."""

    slot: Slot
    under: str | None
    is_answered: bool  # another of the file hangs under it


def place(
    slots: Iterable[Slot], load: Load, known: Container[str], troubles: Troubles
) -> list[Placed]:
    """An article's comments, each after the one it answers.

    `known` are the ids that an earlier import has brought; `load` gives whole records. No comment is
    left out: one whose parent cannot be had stands at the top level.
    """
    comments = _distinct(slots, load, troubles)
    parents = _parents(comments, known, troubles)
    _open_circles(comments, parents, troubles)
    answered = set(parents.values())
    return [
        Placed(comments[id], parents[id], id in answered) for id in _in_order(comments, parents)
    ]


def _distinct(slots: Iterable[Slot], load: Load, troubles: Troubles) -> dict[str, Slot]:
    """One slot an id. Of different comments under one id the oldest keeps it, so that the ids come
    out the same whatever the file's order is."""
    comments: dict[str, Slot] = {}
    shared: dict[str, list[Slot]] = {}
    for slot in slots:
        first = comments.setdefault(slot.id, slot)
        if first is not slot:
            shared.setdefault(slot.id, [first]).append(slot)
    for id, same in shared.items():
        different: dict[Record, Slot] = {}
        for slot, found in zip(same, load(same), strict=True):
            different.setdefault(found, slot)
        for _ in range(len(same) - len(different)):
            troubles.note(ONCE, id)
        ranked = sorted((_rank(found), slot) for found, slot in different.items())
        comments[id] = ranked[0][1]
        for number, (rank, other) in enumerate(ranked[1:]):
            troubles.note(SHARED_ID, id)
            renamed = other._replace(id=record.digest(id, str(number), *rank))
            comments[renamed.id] = renamed
    return comments


def _rank(found: Record) -> tuple[str, ...]:
    said = (found.author, found.text, found.website, found.source_parent or "", found.state)
    return (found.created_at.isoformat(), *said, found.kind, found.article_title)


def _parents(
    comments: dict[str, Slot], known: Container[str], troubles: Troubles
) -> dict[str, str | None]:
    parents: dict[str, str | None] = {}
    for id, comment in comments.items():
        parent = comment.parent
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
    comments: dict[str, Slot], parents: dict[str, str | None], troubles: Troubles
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
            first = min(circle, key=lambda id: (comments[id].at, id))
            parents[first] = None
            troubles.note(CIRCLE, first)
        done.update(way)


def _in_order(comments: dict[str, Slot], parents: dict[str, str | None]) -> Iterator[str]:
    oldest_first = sorted(comments, key=lambda id: comments[id].at)
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
