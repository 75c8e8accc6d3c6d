"""The formats: what each is called, and who reads or writes it. A new one adds a line here."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from sqlalchemy.orm import Session

from ..models import Site
from ..vault import Vault
from . import commento, csvs, disqus, isso, jsonl, ours, remark42, wordpress, wxr
from .opening import Opened
from .record import Addresses, Record, Troubles, Unreadable

# Takes the open file (`file.name` is its path), what makes addresses canonical, and where to count
# what was changed. Raises Unreadable.
Read = Callable[[BinaryIO, Addresses, Troubles], Iterator[Record]]
# Takes the site, and the vault where the addresses are to be written too. Raises vault.WrongKey.
Lines = Callable[[Session, Site, Vault | None], Iterator[str]]


@dataclass(frozen=True)
class Reader:
    """A format that comments come in by."""

    name: str  # as on the command line, and in `imports.format`
    label: str  # what the people who have such a file call it
    hint: str  # where they get it
    read: Read


@dataclass(frozen=True)
class Writer:
    """A format that comments leave by."""

    name: str
    label: str
    hint: str  # what it is good for
    suffix: str  # of the file
    media_type: str
    lines: Lines


# What a file is taken for by its beginning: a pattern for that, and what it is called.
LOOKS: dict[str, tuple[re.Pattern[str], str]] = {
    name: (re.compile(pattern, re.S), words)
    for name, pattern, words in (
        ("wordpress", r"<rss\b.*wordpress\.org/export/", "a WordPress export"),
        ("disqus", r"<(?:\w+:)?disqus\b", "a Disqus export"),
        ("isso", r"SQLite format 3\0|\[\s*\{.*\"comments\"\s*:\s*\[", "an Isso file"),
        (
            "remark42",
            r'\{\s*"version"\s*:\s*\d+\s*,\s*"(?:users|posts)"'
            r'|(?:\{\s*"version"\s*:\s*\d+\s*,\s*"comments"\s*:\s*\[\s*)?'
            r'\{[^{}]*"pid"\s*:.*"locator"\s*:',
            "a Remark42 backup",
        ),
        (
            "commento",
            r'\{\s*(?:"version"\s*:\s*\d+\s*,\s*)?"(?:pages|comments|commenters)"\s*:\s*\[',
            "a Commento or Comentario export",
        ),
        ("json", r'\{[^\n]*"source_id"\s*:[^\n]*"article"\s*:', "an export of Rejoinder's own"),
    )
}
_BEFORE_THE_ROOT = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>|\s+)*", re.S)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def looks_like(start: bytes) -> str:
    """The name of the format that a file has by its first few thousand bytes, "" if it is none of
    those that can be told so."""
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    text = start.decode(encoding, "replace").removeprefix("\ufeff")
    text = _BEFORE_THE_ROOT.sub("", text, count=1)
    return next((name for name, (looks, _) in LOOKS.items() if looks.match(text)), "")


def _careful(reader: Reader) -> Reader:
    """The reader for a file as people have it: perhaps packed, perhaps of another format."""

    def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
        opened = Opened(file)
        other = looks_like(opened.start)
        if other not in ("", reader.name):
            raise Unreadable(f"it looks like {LOOKS[other][1]}, to be imported as {other}")
        if opened.is_packed and opened.start.startswith(isso.MAGIC):
            raise Unreadable("it is compressed (gzip); unpack it first")
        yield from reader.read(cast(BinaryIO, opened), addresses, troubles)

    return replace(reader, read=read)


READERS = {
    reader.name: _careful(reader)
    for reader in (
        Reader(
            wordpress.FORMAT,
            "WordPress (WXR)",
            "In WordPress under Tools, Export, All content: an .xml file.",
            wordpress.read,
        ),
        Reader(
            disqus.FORMAT,
            "Disqus (XML)",
            "In Disqus under Moderation, Export: a link to an .xml.gz file comes by mail.",
            disqus.read,
        ),
        Reader(
            isso.FORMAT,
            "Isso (its database)",
            "The file that dbpath in Isso's configuration names, copied while Isso is stopped.",
            isso.read,
        ),
        Reader(
            remark42.FORMAT,
            "Remark42 (backup)",
            "In Remark42's folder var/backup: a .gz file for each day.",
            remark42.read,
        ),
        Reader(
            commento.FORMAT,
            "Commento, Comentario (JSON)",
            "At their dashboard, in the domain's menu under Export: a .json.gz file.",
            commento.read,
        ),
        Reader(
            jsonl.FORMAT,
            "Rejoinder (JSON Lines)",
            "By “flask export json”, or at the desk of the other installation: a .jsonl file.",
            ours.read,
        ),
        Reader(
            csvs.FORMAT,
            "Table (CSV)",
            "From a spreadsheet, or from “flask export csv”: columns article, author, text.",
            csvs.read,
        ),
    )
}
WRITERS = {
    writer.name: writer
    for writer in (
        Writer(
            "json",
            "JSON Lines, a comment a line",
            "Everything, with states, reasons and history: for another Rejoinder, or an archive.",
            ".jsonl",
            "application/jsonl",
            jsonl.lines,
        ),
        Writer(
            "wordpress",
            "WordPress (WXR)",
            "Comments with their states, without history: for WordPress's own importer.",
            ".xml",
            "text/xml",
            wxr.lines,
        ),
        Writer(
            "csv",
            "CSV, a row for each comment",
            "Comments with their states, without history: for a spreadsheet.",
            ".csv",
            "text/csv",
            csvs.lines,
        ),
    )
}
