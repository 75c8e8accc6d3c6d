"""A temporary database beside memory, in a file without a name.

It is gone with its process, whatever ends that (SQLite, "temporary databases"); it lies where TMPDIR
says.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar, Self

_SETTINGS = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -16000;
"""


class Scratch:
    """Used in a `with`. Raises OSError where the temporary file cannot be written."""

    TABLES: ClassVar[str]  # the statements that make them

    def __enter__(self) -> Self:
        with disk():
            self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._db.executescript(f"{_SETTINGS}{self.TABLES}BEGIN;")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._db.close()


@contextmanager
def disk() -> Iterator[None]:
    """Turns what SQLite says of the temporary file into OSError."""
    try:
        yield
    except sqlite3.Error as fault:
        raise OSError(f"the temporary file cannot be used: {fault}") from None
