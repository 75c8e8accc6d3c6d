"""Isso's database (SQLite), and its generic JSON, as Records.

The database may be anyone's: it is opened strictly for reading, nothing that it defines (views,
triggers, functions) is run, and what is no plain value counts as none. Isso knows an article by
its path; the text is Markdown.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from ..status import Markup, Status
from ..urls import NotAnAddress
from . import record
from .entry import Entry, Page, moment, record_of, second
from .jsonstream import parts, said
from .opening import Again
from .record import Addresses, Record, Troubles, Unreadable

FORMAT = "isso"

MAGIC = b"SQLite format 3\0"
LONGEST = 16 * 1024 * 1024  # bytes of one row; what is longer is refused
# isso/db/comments.py: "1 = valid, 2 = pending, 4 = soft-deleted (cannot hard delete because of
# replies)".
MODES = {1: Status.APPROVED, 2: Status.PENDING, 4: Status.DELETED}
NEEDED = {
    "threads": ("id", "uri", "title"),
    "comments": ("tid", "id", "parent", "created", "mode", "text", "author", "email", "website"),
}
LATER = ("modified", "likes")  # columns that old databases do not have


Row = dict[str, Any]


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of a database or of a generic JSON file, an article after the other.

    Takes the open file (`file.name` is its path), what makes addresses canonical, and where to
    count what was changed. Raises Unreadable.
    """
    start = file.read(len(MAGIC))
    if start == MAGIC:
        yield from _of_database(Path(file.name), addresses, troubles)
    elif start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"[":
        yield from _of_json(file, start, addresses, troubles)
    else:
        raise Unreadable("it is no Isso database: it is no SQLite file")


def _of_database(path: Path, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    with _told(), closing(_opened(path)) as connection:
        later = _check(connection)
        yield from _records(_rows(connection, later), addresses, troubles)


def _opened(path: Path) -> sqlite3.Connection:
    """The database: immutable, so that no lock, no log and no journal of anyone's is touched."""
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise Unreadable(f"{beside.name} beside it says that Isso is writing: stop Isso first")
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA temp_store = FILE")
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


@contextmanager
def _told() -> Iterator[None]:
    """Turns SQLite's complaints into one line. They quote the file, perhaps in no encoding."""
    try:
        yield
    except UnicodeError:
        raise Unreadable("it is damaged: SQLite cannot read what its tables are") from None
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as fault:
        said = "".join(c for c in " ".join(str(fault).split()) if c.isprintable())[:100]
        raise Unreadable(f"it is damaged, or no Isso database: {said}") from None


def _check(connection: sqlite3.Connection) -> list[str]:
    """The later columns that are there. Raises Unreadable unless both tables are, as tables, with
    the columns that we read; one that is computed is none of them."""
    there: dict[str, set[str]] = {}
    for table, needed in NEEDED.items():
        kind = next((row[2] for row in connection.execute(f"PRAGMA main.table_list({table})")), "")
        if kind != "table":
            what = f"its {table} is a {kind}" if kind else f"it has no table {table}"
            raise Unreadable(f"it is no Isso database: {what}")
        columns = list(connection.execute(f"PRAGMA main.table_info({table})"))
        there[table] = {row[1] for row in columns}
        if missing := set(needed) - there[table]:
            raise Unreadable(f"it is no Isso database: {table} has no {min(missing)}")
        is_found = any(name == "id" and is_key for _, name, *_, is_key in columns)
        # A key with an index of its own may be searched through, row by row: the file itself says
        # what SQLite thinks of that index (sqlite_stat1).
        indexes = connection.execute(f"PRAGMA main.index_list({table})")
        if not is_found or any(origin == "pk" for _, _, _, origin, *_ in indexes):
            raise Unreadable(f"it is no Isso database: id is not the key of {table}")
    connection.set_authorizer(_allow)
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise Unreadable("it is damaged: SQLite's own check of it fails")
    return [name for name in LATER if name in there["comments"]]


def _allow(action: int, first: str | None, *others: str | None) -> int:
    """Two tables may be read, and nothing else be done: no view, no function."""
    is_reading = action == sqlite3.SQLITE_READ and first in NEEDED
    is_checking = action == sqlite3.SQLITE_PRAGMA and first == "quick_check"
    if action == sqlite3.SQLITE_SELECT or is_reading or is_checking:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _rows(connection: sqlite3.Connection, later: list[str]) -> Iterator[Row]:
    names = (*NEEDED["comments"], *later)
    columns = ", ".join(f'c."{name}"' for name in names)
    cursor = connection.execute(
        f"SELECT {columns}, t.id, t.uri, t.title FROM comments AS c "  # noqa: S608  our own names
        "LEFT JOIN threads AS t ON t.id = c.tid ORDER BY c.tid, c.id"
    )
    for row in cursor:
        yield dict(zip((*names, "thread", "uri", "title"), row, strict=True))


def _records(rows: Iterator[Row], addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    for row in rows:
        source_id = record.known_id(_text(row["id"]))
        try:
            url = addresses.canonical(_place(_text(row["uri"])))
        except NotAnAddress:
            troubles.note(
                record.NO_ADDRESS if row["thread"] is not None else record.NO_ARTICLE, source_id
            )
            continue
        page = Page(url, _text(row["title"]))
        yield record_of(page, _entry(row, source_id, troubles), troubles)


def _place(uri: str) -> str:
    """An article's path, which begins with a slash; a whole address as it is."""
    uri = uri.strip()
    return uri if not uri or "://" in uri or uri.startswith(("/", "?")) else f"/{uri}"


def _entry(row: Row, source_id: str, troubles: Troubles) -> Entry:
    return Entry(
        id=_text(row["id"]),
        parent=_text(row["parent"]),
        author=_text(row["author"]),
        email=_text(row["email"]),
        website=_text(row["website"]),
        state=_state(row["mode"], source_id, troubles),
        created_at=_date(row["created"]),
        text=_text(row["text"]),
        markup=Markup.MARKDOWN,
        likes=_number(row.get("likes")),
        edited_at=_date(row.get("modified")),
    )


def _state(mode: Any, source_id: str, troubles: Troubles) -> Status:
    """What became of the comment in Isso; whatever is unknown is not published."""
    if not isinstance(mode, int) or mode not in MODES:
        troubles.note(record.UNKNOWN_STATE, source_id)
        return Status.PENDING
    return MODES[mode]


def _text(value: Any) -> str:
    """A text or a whole number of any column's, whatever that was declared to hold."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str | int) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _date(value: Any) -> datetime | None:
    return second(value) if isinstance(value, int | float) else None


def _of_json(
    file: BinaryIO, start: bytes, addresses: Addresses, troubles: Troubles
) -> Iterator[Record]:
    """A list of articles, each with its comments (isso/migrate.py, class Generic): all of them
    published, none a reply, their ids those of one article."""
    for _, thread in parts(cast(BinaryIO, Again(start, file))):
        comments = thread.get("comments") if isinstance(thread, dict) else None
        if not isinstance(comments, list):
            raise Unreadable("it is no generic JSON of Isso: an article in it has no comments")
        for fields in comments:
            yield from _of_thread(thread, fields, addresses, troubles)


def _of_thread(
    thread: Any, fields: Any, addresses: Addresses, troubles: Troubles
) -> Iterator[Record]:
    source_id = record.known_id(said(fields, "id"))
    try:
        url = addresses.canonical(_place(said(thread, "id")))
    except NotAnAddress:
        troubles.note(record.NO_ADDRESS, source_id)
        return
    entry = Entry(
        id=said(fields, "id"),
        parent="",
        author=said(fields, "author"),
        email=said(fields, "email"),
        website=said(fields, "website"),
        state=Status.APPROVED,
        created_at=moment(said(fields, "created")),
        text=said(fields, "text"),
        markup=Markup.MARKDOWN,
    )
    yield record_of(Page(url, said(thread, "title")), entry, troubles)
