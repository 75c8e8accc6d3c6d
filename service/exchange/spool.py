"""What a file says out of order, kept beside memory: in a temporary file that has no name.

Exports list their comments by date, and those who wrote them last; readers of ours give an article
after the other. The file is gone with its process, whatever ends that (SQLite, "temporary
databases"); it lies where TMPDIR says.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from .scratch import Scratch, disk

Fields = Mapping[str, Any]

_TABLES = """
CREATE TABLE named (kind TEXT, id TEXT, fields TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE kept (number INTEGER PRIMARY KEY, article TEXT, fields TEXT);
"""


class Spool(Scratch):
    """Used in a `with`. Raises OSError where the temporary file cannot be written."""

    TABLES = _TABLES

    def name(self, kind: str, id: str, fields: Fields) -> None:
        """Keeps what is to be found again by its id. The first under one id stays."""
        with disk():
            self._db.execute(
                "INSERT OR IGNORE INTO named VALUES (?, ?, ?)",
                (kind, _plain(id), json.dumps(fields)),
            )

    def named(self, kind: str, id: str) -> dict[str, Any] | None:
        wanted = "SELECT fields FROM named WHERE kind = ? AND id = ?"
        with disk():
            found = self._db.execute(wanted, (kind, _plain(id))).fetchone()
        return json.loads(found[0]) if found else None

    def keep(self, article: str, fields: Fields) -> None:
        """Keeps a comment under the id of its article."""
        with disk():
            self._db.execute(
                "INSERT INTO kept (article, fields) VALUES (?, ?)",
                (_plain(article), json.dumps(fields)),
            )

    def by_article(self) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """Each article's id and its comments, in the order in which they were kept."""
        for article, rows in groupby(self._rows(), lambda row: row[0]):
            yield article, (json.loads(fields) for _, fields in rows)

    def _rows(self) -> Iterator[tuple[str, str]]:
        wanted = "SELECT article, fields FROM kept ORDER BY article, number"
        with disk():
            yield from self._db.execute(wanted)


def _plain(id: str) -> str:
    """Without halves of surrogate pairs, which no file stores."""
    return id.encode("utf-8", "replace").decode()
