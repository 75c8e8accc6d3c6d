"""The formats: what each is called, and who reads or writes it. A new one adds a line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.orm import Session

from ..models import Site
from ..vault import Vault
from . import jsonl, wordpress
from .record import Addresses, Record, Troubles

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
    suffix: str  # of the file
    media_type: str
    lines: Lines


READERS = {
    reader.name: reader
    for reader in (
        Reader(
            wordpress.FORMAT,
            "WordPress (WXR)",
            "In WordPress under Tools, Export, All content: an .xml file.",
            wordpress.read,
        ),
    )
}
WRITERS = {
    writer.name: writer
    for writer in (
        Writer("json", "JSON Lines, a comment a line", ".jsonl", "application/jsonl", jsonl.lines),
    )
}
