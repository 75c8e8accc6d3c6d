"""A site's comments as a table for a spreadsheet, and back; also tables that others made.

A spreadsheet takes a cell that begins with one of a few characters for a formula, Excel in Japanese
also with their wide forms: such a cell gets an apostrophe before it, which reading takes off (hard
rule 16; OWASP, "CSV Injection"). So does one that has an apostrophe there of its own, so that each cell
comes back as it was.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ..models import Site
from ..status import Kind, Markup, Status
from ..urls import NotAnAddress
from ..vault import Vault
from . import record
from .entry import MOST_LIKES, moment
from .ours import kept_id, kept_language, kept_name, kept_title, kept_words
from .record import Addresses, Record, Troubles, Unreadable
from .windows import Around, comments, email, utc, windows

FORMAT = "csv"
BOM = "\ufeff"  # without it, Excel takes UTF-8 for something else
LONGEST = 4 * 1024 * 1024  # characters of a row
SEPARATORS = (",", ";", "\t", "|")

_SEPARATOR = re.compile('"?sep=(.)"?', re.I)  # Excel's own line, before the names
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_ESCAPED = re.compile(f"'{_FORMULA.pattern}")

COLUMNS = (
    *("id", "parent", "article", "title", "author", "website", "email", "kind", "status"),
    *("created_at", "edited_at", "pinned_at", "likes", "language", "markup", "text"),
)
# What others call a column; ours has the name itself.
NAMES = {
    "id": "comment_id",
    "parent": "parent_id|parent_comment_id|reply_to|reply_to_id|in_reply_to|comment_parent",
    "article": "url|link|page_url|article_url|permalink|post_url|thread_url|page|uri|path",
    "title": "article_title|page_title|post_title",
    "author": "name|author_name|comment_author|display_name|user|user_name|username",
    "website": "site|homepage|author_url|author_website|comment_author_url",
    "email": "e_mail|mail|author_email|email_address|comment_author_email",
    "kind": "type|comment_type",
    "status": "state|approved|comment_approved",
    "created_at": "created|date|time|datetime|timestamp|published|comment_date_gmt",
    "edited_at": "edited|modified|updated_at",
    "pinned_at": "pinned",
    "likes": "like_count|upvotes",
    "language": "lang|locale",
    "markup": "",
    "text": "comment|content|message|body|comment_content|comment_text|comment_body",
    # Not ours: how others say what became of a comment, beside its status.
    "deleted": "is_deleted",
    "spam": "is_spam",
}
# What a column holds, and how sure that is: the lower, the surer.
MEANT = {
    alias: (name, number)
    for name, aliases in NAMES.items()
    for number, alias in enumerate((name, *aliases.split("|")))
}
NEEDED = {"article": "article or url", "author": "author or name", "text": "text or comment"}
STATES = {state.value: state for state in Status} | {
    "published": Status.APPROVED,
    "public": Status.APPROVED,
    "visible": Status.APPROVED,
    "1": Status.APPROVED,
    "true": Status.APPROVED,
    "yes": Status.APPROVED,
    "0": Status.PENDING,
    "false": Status.PENDING,
    "no": Status.PENDING,
    "hold": Status.PENDING,
    "unapproved": Status.PENDING,
    "waiting": Status.PENDING,
    "trash": Status.REJECTED,
    "post-trashed": Status.REJECTED,
    "junk": Status.SPAM,
    "removed": Status.DELETED,
}
NO = {"", "0", "false", "no", "f", "n", "null", "none", "nan", "\\n"}
NOBODY = NO | {"root", "-"}

# Days as spreadsheets write them, but those with slashes, of which nobody can tell day and month;
# the time may be without a zone, or be followed by one.
_DAY = re.compile(
    r"(?:(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})|(?P<D>\d{1,2})\.(?P<M>\d{1,2})\.(?P<Y>\d{4}))"
    r"(?:,?[T ](?P<hour>\d{1,2})(?P<rest>:\d{2}(?::\d{2}(?:\.\d+)?)?)"
    r" ?(?P<zone>[+-]\d{2}:?\d{2}|Z)?(?: ?(?:UTC|GMT))?)?",
    re.ASCII,
)
_LETTERS_DATE = re.compile(  # RFC 5322, 3.3
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|GMT|UTC)",
    re.ASCII,
)


def lines(session: Session, site: Site, vault: Vault | None = None) -> Iterator[str]:
    """The head, and a row for each comment. With a vault there is a column of addresses.

    Raises vault.WrongKey if an address is under a key that is not on the ring.
    """
    columns = [name for name in COLUMNS if vault or name != "email"]
    yield Around(BOM + _row(columns))
    for ids in windows(session, site):
        for found in comments(session, ids, has_emails=bool(vault)):
            emails = {"email": email(found, site, vault)} if vault else {}
            cells = _cells(found) | emails
            yield _row([escaped(cells[name] or "") for name in columns])


def escaped(cell: str) -> str:
    """The cell as no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    """The cell as it was before `escaped`."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def _cells(found: Row[Any]) -> dict[str, str | None]:
    return {
        "id": found.public_id,
        "parent": found.parent,
        "article": found.url,
        "title": found.title,
        "author": found.name,
        "website": found.website,
        "kind": found.kind,
        "status": found.status,
        "created_at": utc(found.created_at),
        "edited_at": utc(found.edited_at) if found.edited_at else "",
        "pinned_at": utc(found.pinned_at) if found.pinned_at else "",
        "likes": str(found.like_count),
        "language": found.language,
        "markup": found.markup,
        "text": found.text,
    }


def _row(cells: list[str]) -> str:
    """A line of the file (RFC 4180)."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of a table. Its first row names the columns, in any order.

    Raises Unreadable with the number of the row at fault.
    """
    sheet = _Sheet(file)
    columns = _columns(sheet.head, troubles)
    if "status" not in columns:
        troubles.note("no column for the status: all taken as published", "")
    for cells in sheet.rows():
        fields = {name: unescaped(cells[at]) for name, at in columns.items() if at < len(cells)}
        if found := _record(fields, columns.keys(), addresses, troubles):
            yield found


class _Bytes(io.RawIOBase):
    """The file, as io.BufferedReader asks for one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class _Sheet:
    """A table's rows, each a list of its cells; knows its encoding and what separates its cells."""

    def __init__(self, file: BinaryIO) -> None:
        buffered = io.BufferedReader(_Bytes(file))
        is_wide = buffered.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        self._text = io.TextIOWrapper(
            buffered,
            encoding="utf-16" if is_wide else "utf-8-sig",
            errors="strict" if is_wide else "surrogateescape",  # told of at its own row
            newline="",
        )
        csv.field_size_limit(LONGEST)  # of this process; nothing else here reads tables
        self._number = 1  # of the row that is being read
        self._taken = 0  # characters of it
        self._is_cut = False  # its last line has no end
        first = self._line()
        told = _SEPARATOR.fullmatch(first.rstrip("\r\n"))
        if told:
            first, self._number = self._line(), 2
        if not first.strip():
            raise Unreadable("its first row names no columns")
        likely = max(SEPARATORS, key=lambda mark: _ranked(first, mark))
        self._separator = told[1] if told else likely
        self.head = self._split(first)

    def _line(self) -> str:
        try:
            line = self._text.readline(LONGEST + 1)
            line.encode()
        except UnicodeError:
            raise Unreadable(
                f"row {self._number} is not in UTF-8: save the sheet as “CSV UTF-8”"
            ) from None
        self._taken += len(line)
        self._is_cut = bool(line) and not line.endswith(("\n", "\r"))
        if self._taken > LONGEST:
            raise Unreadable(
                f"row {self._number} is longer than {LONGEST >> 20} million characters: "
                "a quotation mark is not closed there, or it is no table"
            )
        return line

    def _split(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self._separator), [])

    def rows(self) -> Iterator[list[str]]:
        """The rows after the first, but those without anything in them."""
        lines = iter(self._line, "")
        reader = csv.reader(lines, delimiter=self._separator, strict=True)
        while True:
            self._number, self._taken = self._number + 1, 0
            try:
                cells = next(reader, None)
            except csv.Error as fault:
                raise Unreadable(f"row {self._number} cannot be read: {_said(fault)}") from None
            if cells is None:
                return
            while len(cells) > len(self.head) and not cells[-1].strip():
                cells.pop()  # as sheets write them that once were wider
            if len(cells) > len(self.head):
                raise Unreadable(
                    f"row {self._number} has {len(cells)} cells, the first row {len(self.head)}"
                )
            if self._is_cut and len(cells) < len(self.head):
                raise Unreadable(
                    f"it ends too early: row {self._number} has {len(cells)} of {len(self.head)} cells"
                )
            if any(cells):
                yield cells


def _said(fault: csv.Error) -> str:
    """What csv found wrong, in words for somebody with a spreadsheet."""
    return "a quotation mark is not closed" if "unexpected end" in str(fault) else str(fault)


def _ranked(line: str, separator: str) -> tuple[int, int]:
    cells = next(csv.reader([line], delimiter=separator), [])
    return sum(_spelt(cell) in MEANT for cell in cells), len(cells)


def _spelt(name: str) -> str:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return re.sub(r"\W+", "_", apart.casefold()).strip("_")


def _columns(head: list[str], troubles: Troubles) -> dict[str, int]:
    """Where each column is. Of several that may be the same, the one that is surely it."""
    columns: dict[str, int] = {}
    ranks: dict[str, int] = {}
    surest_first = sorted(range(len(head)), key=lambda at: MEANT.get(_spelt(head[at]), ("", 0))[1])
    for at in surest_first:
        name, rank = MEANT.get(_spelt(head[at]), ("", 0))
        if name and ranks.setdefault(name, rank) == rank:
            if name in columns:
                raise Unreadable(f"its first row has two columns for the {name}")
            columns[name] = at
        elif name:
            troubles.note(f"second column for the {name}: left out", head[at])
        elif head[at].strip():
            troubles.note("column that we do not know: left out", head[at])
    if missing := [words for name, words in NEEDED.items() if name not in columns]:
        raise Unreadable(f"its first row names no column {' and none '.join(missing)}")
    return columns


def _record(
    fields: dict[str, str], columns: Any, addresses: Addresses, troubles: Troubles
) -> Record | None:
    def get(name: str) -> str:
        return fields.get(name, "").strip()

    id = record.known_id(_whole(get("id")))
    try:
        url = addresses.canonical(get("article"))
    except NotAnAddress:
        troubles.note(record.NO_ADDRESS, id)
        return None
    email = record.address(get("email"), id, troubles)
    name = kept_name(get("author"), id, troubles)
    words = kept_words(fields.get("text", "").replace("\r\n", "\n"), email, id, troubles)
    created_at = _moment(get("created_at"))
    if created_at is None:
        troubles.note("no date that can be read (2020-12-31): 1 January 1970 taken", id)
        created_at = record.LONG_AGO
    elif created_at > datetime.now(UTC):
        troubles.note(record.IN_THE_FUTURE, id)
    parent = record.known_id(_whole(get("parent")))
    return Record(
        article_url=url,
        article_title=kept_title(get("title")),
        source_id=id or record.derived_id(name, created_at, words),
        source_parent=None if parent.casefold() in NOBODY else parent,
        author=name,
        website=record.website(get("website"), email, id, troubles),
        email=email,
        kind=Kind(get("kind")) if get("kind") in set(Kind) else Kind.COMMENT,
        state=_gone(get("deleted"), get("spam"))
        or _state(get("status"), "status" in columns, id, troubles),
        created_at=created_at,
        text=words,
        markup=Markup.HTML if get("markup") == Markup.HTML else Markup.MARKDOWN,
        likes=_likes(_whole(get("likes"))),
        is_pinned=get("pinned_at").casefold() not in NO,
        edited_at=_moment(get("edited_at")),
        public_id=kept_id(id),
        language=kept_language(get("language")),
        pinned_at=_moment(get("pinned_at")),
    )


def _whole(id: str) -> str:
    """An id without the ".0" that programs put behind numbers where one of a column is missing."""
    return id.removesuffix(".0") if re.fullmatch(r"\d+\.0", id, re.ASCII) else id


def _moment(written: str) -> datetime | None:
    """A date as tables have it; None for what is none, and for what may be one of two days."""
    if at := moment(written):
        return at
    if found := _DAY.fullmatch(written):
        year, month, day = (found[part] or found[part.upper()] for part in "ymd")
        time = (
            f"{found['hour']:0>2}{found['rest']}{found['zone'] or ''}" if found["hour"] else "00:00"
        )
        return moment(f"{year}-{month:0>2}-{day:0>2}T{time}")
    if _LETTERS_DATE.fullmatch(written):
        with suppress(ValueError):
            return moment(parsedate_to_datetime(written).isoformat())
    return None


def _gone(deleted: str, spam: str) -> Status | None:
    """What became of a comment that has columns of its own for that."""
    if deleted.casefold() not in NO:
        return Status.DELETED
    return Status.SPAM if spam.casefold() not in NO else None


def _state(written: str, is_told: bool, id: str, troubles: Troubles) -> Status:
    if not is_told:
        return Status.APPROVED
    state = STATES.get(written.casefold())
    if state is None:
        troubles.note(record.UNKNOWN_STATE, f"{id} {written}".strip())
        return Status.PENDING
    return state


def _likes(written: str) -> int:
    return min(int(written), MOST_LIKES) if re.fullmatch(r"[0-9]{1,12}", written) else 0
