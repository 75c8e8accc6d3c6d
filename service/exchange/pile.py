"""The records of a file by article, whatever their order there: beside memory, in a temporary file.

The file has no name and is gone with its process (SQLite, "temporary databases"); it lies where TMPDIR
says and grows about as large as what is read. In memory there is what place() needs of one article.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import Any, NamedTuple

from ..status import Kind, Markup, Status
from .record import Addresses, Past, Record, Unreadable
from .scratch import Scratch, disk

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
AT_ONCE = 500  # parameters of a statement; rows that are kept together

_TABLES = """
CREATE TABLE articles (
    number INTEGER PRIMARY KEY, url TEXT UNIQUE, was TEXT, title TEXT DEFAULT '',
    is_closed INTEGER DEFAULT 0, is_held INTEGER DEFAULT 0, given_id TEXT DEFAULT '',
    aliases TEXT DEFAULT '[]', comments INTEGER DEFAULT 0
);
CREATE TABLE records (
    number INTEGER PRIMARY KEY, article INTEGER, id TEXT, parent TEXT, at INTEGER, rest TEXT
);
"""


class Slot(NamedTuple):
    """What decides where a comment goes: its number in the pile, its id, whom it answers, when."""

    number: int
    id: str
    parent: str | None
    at: int  # microseconds since 1970 in UTC


@dataclass(frozen=True)
class Thread:
    """An article of the file, and where its comments lie."""

    pile: "Pile"
    number: int
    url: str
    was: str  # its address as the file has it
    title: str
    is_closed: bool
    is_held: bool
    given_id: str
    aliases: tuple[str, ...]
    comments: int

    def slots(self) -> list[Slot]:
        """Its comments in the file's order."""
        return self.pile.slots(self.number)

    def records(self, slots: Sequence[Slot]) -> list[Record]:
        """These comments whole, in this order, each under the id that its slot has."""
        found = self.pile.read([slot.number for slot in slots])
        return [self._record(slot, found[slot.number]) for slot in slots]

    def _record(self, slot: Slot, rest: str) -> Record:
        return _record(self, slot, json.loads(rest))


class Pile(Scratch):
    """Used in a `with`. Raises OSError where the temporary file cannot be written."""

    TABLES = _TABLES

    def __init__(self) -> None:
        self.comments = 0
        self.has_names = False  # some come with the name that a page of ours gave them
        self._waiting: list[tuple[Any, ...]] = []
        self._counts: dict[int, int] = {}
        self._at: tuple[str, int] = ("", 0)  # the article of the record before
        self._told: tuple[Any, ...] = ()  # … and what was last said of it

    def put(self, record: Record, was: str) -> None:
        """Takes a record, and its article's address as the file has it."""
        number = self._article(record, was)
        self.comments += 1
        self._counts[number] = self._counts.get(number, 0) + 1
        self.has_names = self.has_names or bool(record.public_id)
        row = (
            number,
            record.source_id,
            record.source_parent,
            (record.created_at - EPOCH) // MICROSECOND,
            _rest(record),
        )
        self._waiting.append(row)
        if len(self._waiting) >= AT_ONCE:
            self._flush()

    def settle(self) -> None:
        """All records are in."""
        self._flush()
        with disk():
            self._db.execute("CREATE INDEX by_article ON records (article, number)")

    def _flush(self) -> None:
        insertion = "INSERT INTO records (article, id, parent, at, rest) VALUES (?, ?, ?, ?, ?)"
        counted = "UPDATE articles SET comments = comments + ? WHERE number = ?"
        with disk():
            self._db.executemany(insertion, self._waiting)
            self._db.executemany(counted, [(n, number) for number, n in self._counts.items()])
        self._waiting.clear()
        self._counts.clear()

    def _article(self, record: Record, was: str) -> int:
        url, number = self._at
        if url != record.article_url:
            insertion = "INSERT OR IGNORE INTO articles (url, was) VALUES (?, ?)"
            wanted = "SELECT number FROM articles WHERE url = ?"
            with disk():
                self._db.execute(insertion, (record.article_url, was))
                number = self._db.execute(wanted, (record.article_url,)).fetchone()[0]
            self._at = (record.article_url, number)
            self._tell(number, record)
        elif self._told != (number, *_of_article(record)):
            self._tell(number, record)
        return number

    def _tell(self, number: int, record: Record) -> None:
        """The first title that is one is the article's, and so on; it is closed or held if any
        record says so."""
        self._told = (number, *_of_article(record))
        title, is_closed, is_held, given_id, aliases = _of_article(record)
        change = (
            "UPDATE articles SET title = CASE title WHEN '' THEN ? ELSE title END, "
            "is_closed = max(is_closed, ?), is_held = max(is_held, ?), "
            "given_id = CASE given_id WHEN '' THEN ? ELSE given_id END, "
            "aliases = CASE aliases WHEN '[]' THEN ? ELSE aliases END WHERE number = ?"
        )
        values = (title, is_closed, is_held, given_id, json.dumps(aliases), number)
        with disk():
            self._db.execute(change, values)

    def threads(self) -> Iterator[Thread]:
        """Each article, in the order in which the file comes to them."""
        after = 0
        wanted = (
            "SELECT number, url, was, title, is_closed, is_held, given_id, aliases, comments "
            "FROM articles WHERE number > ? AND comments > 0 ORDER BY number LIMIT ?"
        )
        while rows := self._all(wanted, (after, AT_ONCE)):
            for number, url, was, title, is_closed, is_held, given_id, aliases, comments in rows:
                states, former = (bool(is_closed), bool(is_held)), tuple(json.loads(aliases))
                yield Thread(self, number, url, was, title, *states, given_id, former, comments)
            after = rows[-1][0]

    def urls(self) -> Iterator[list[str]]:
        """The articles' addresses, some hundreds at a time."""
        after = 0
        wanted = "SELECT number, url FROM articles WHERE number > ? ORDER BY number LIMIT ?"
        while rows := self._all(wanted, (after, AT_ONCE)):
            yield [url for _, url in rows]
            after = rows[-1][0]

    def lacks(self, urls: Iterable[str]) -> bool:
        """Whether one of these addresses is no article's here."""
        wanted = "SELECT 1 FROM articles WHERE url = ? AND comments > 0"
        return any(not self._all(wanted, (url,)) for url in urls)

    def join(self, url: str, other: str) -> None:
        """Puts an article's comments under another's address. Once all records are in."""
        with disk():
            self._db.execute(
                "INSERT OR IGNORE INTO articles (url, was) VALUES (?, ?)", (other, url)
            )
            moved = (
                "UPDATE records SET article = (SELECT number FROM articles WHERE url = ?) "
                "WHERE article = (SELECT number FROM articles WHERE url = ?)"
            )
            self._db.execute(moved, (other, url))
            told = (
                "UPDATE articles SET comments = comments + (SELECT comments FROM articles WHERE url = ?),"
                " title = CASE title WHEN '' THEN (SELECT title FROM articles WHERE url = ?) ELSE title END"
                " WHERE url = ?"
            )
            self._db.execute(told, (url, url, other))
            self._db.execute("UPDATE articles SET comments = 0 WHERE url = ?", (url,))

    def slots(self, article: int) -> list[Slot]:
        wanted = "SELECT number, id, parent, at FROM records WHERE article = ? ORDER BY number"
        with disk():
            rows = self._db.execute(wanted, (article,))
            # The same id twice, here and as a parent, is one text in memory.
            return [
                Slot(n, intern(id), parent and intern(parent), at) for n, id, parent, at in rows
            ]

    def read(self, numbers: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            # Only question marks are put in.
            wanted = (
                f"SELECT number, rest FROM records WHERE number IN ({','.join('?' * len(some))})"  # noqa: S608
            )
            found.update(self._all(wanted, some))
        return found

    def _all(self, query: str, values: Sequence[Any]) -> list[Any]:
        with disk():
            return self._db.execute(query, values).fetchall()


def gather(records: Iterable[Record], addresses: Addresses, pile: Pile) -> Iterator[int]:
    """Reads everything into a pile, so that a fault shows before the first write. Pauses after each
    record; gives how many there are. Raises Unreadable."""
    for record in records:
        pile.put(record, addresses.was(record.article_url))
        yield pile.comments
    if not pile.comments:
        raise Unreadable("there is no comment in it to import")
    pile.settle()


def _of_article(record: Record) -> tuple[str, bool, bool, str, tuple[str, ...]]:
    """What a record says of its article."""
    states = (record.article_is_closed, record.article_is_held)
    return (record.article_title, *states, record.article_given_id, record.article_aliases)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _rest(record: Record) -> str:
    """What has no column of its own. Written out: asdict() would take ten times as long."""
    past = asdict(record.past) if record.past else None
    edited, pinned, waiting = record.edited_at, record.pinned_at, record.waiting_edit
    return json.dumps(
        (
            *(record.author, record.website, record.email, record.kind, record.state),
            *(record.text, record.markup, record.likes, record.is_pinned),
            *(edited and _written(edited), record.article_is_closed, past),
            *(record.public_id, record.language, pinned and _written(pinned)),
            *(record.is_reworded, waiting and (waiting[0], _written(waiting[1]))),
        )
    )


def _record(thread: Thread, slot: Slot, rest: list[Any]) -> Record:
    author, website, email, kind, state, text, markup, likes, is_pinned, *more = rest
    edited, is_closed, past, public_id, language, pinned, is_reworded, waiting = more
    return Record(
        article_url=thread.url,
        article_title=thread.title,
        source_id=slot.id,
        source_parent=slot.parent,
        author=author,
        website=website,
        email=email,
        kind=Kind(kind),
        state=Status(state),
        created_at=EPOCH + slot.at * MICROSECOND,
        text=text,
        markup=Markup(markup),
        likes=likes,
        is_pinned=is_pinned,
        edited_at=datetime.fromisoformat(edited) if edited else None,
        article_is_closed=is_closed,
        past=_past(past),
        public_id=public_id,
        language=language,
        pinned_at=datetime.fromisoformat(pinned) if pinned else None,
        is_reworded=is_reworded,
        waiting_edit=(waiting[0], datetime.fromisoformat(waiting[1])) if waiting else None,
    )


def _past(fields: dict[str, Any] | None) -> Past | None:
    if fields is None:
        return None
    lists = {name: tuple(fields[name]) for name in ("reasons", "decisions", "revisions")}
    return Past(lists["reasons"], lists["decisions"], lists["revisions"], fields["origin"])
