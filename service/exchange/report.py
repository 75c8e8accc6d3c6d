"""What a rehearsal or a run found, as the row of the import keeps it and the pages show it."""

import heapq
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..status import Markup, Status
from ..text import mask_addresses, plain, render_html
from .arrange import Thread
from .record import Addresses, Record, Troubles

_TAG = re.compile("<([a-zA-Z][a-zA-Z0-9-]*)")
MOST_PAGES = 200
MOST_CHANGED = 5
MOST_TROUBLES = 50
LONGEST = 300  # characters of a text that changes
FIRST_YEAR = 1995  # nobody commented on a web page before


@dataclass
class Tally:
    """What came of the import so far."""

    imported: Counter[Status] = field(default_factory=Counter)
    known: Counter[Status] = field(default_factory=Counter)
    articles: int = 0
    foreign: list[str] = field(default_factory=list)


@dataclass
class Found:
    """Collects what there is to say while threads pass by; holds a bounded part of it."""

    first: datetime | None = None
    last: datetime | None = None
    new_articles: int = 0
    pages: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    changed: list[dict[str, str]] = field(default_factory=list)
    _seen: int = 0

    def article(self, thread: Thread, is_new: bool, is_ours: bool) -> None:
        """Notes an article of the file."""
        self._seen += 1
        self.new_articles += is_new
        comments = len(thread.records)
        page = {"url": thread.url, "comments": comments, "is_new": is_new, "is_ours": is_ours}
        entry = (comments, -self._seen, page)
        (heapq.heappush if len(self.pages) < MOST_PAGES else heapq.heappushpop)(self.pages, entry)

    def comment(self, record: Record, troubles: Troubles) -> None:
        """Notes a comment that is new here."""
        at = record.created_at
        self.first = min(self.first or at, at)
        self.last = max(self.last or at, at)
        if at.year < FIRST_YEAR:
            troubles.note(f"date before {FIRST_YEAR}: kept", record.source_id)
        if record.markup == Markup.HTML and len(self.changed) < MOST_CHANGED:
            self._compare(record)

    def _compare(self, record: Record) -> None:
        """Keeps a text that says something else once it is safe; what only its marks lose does not."""
        if "<" not in record.text:
            return
        html = str(render_html(record.text))
        after = _squeezed(plain(html))
        if _squeezed(plain(record.text)) != after or _tags(record.text) - _tags(html):
            before = mask_addresses(_squeezed(record.text))
            self.changed.append(
                {
                    "id": record.source_id,
                    "before": before[:LONGEST],
                    "after": mask_addresses(after)[:LONGEST],
                }
            )

    def to_json(
        self, tally: Tally, troubles: Troubles, addresses: Addresses, unused: list[str]
    ) -> dict[str, Any]:
        """All of it, as the row keeps it. Takes the rules that moved nothing."""
        most_first = sorted(self.pages, key=lambda entry: (-entry[0], -entry[1]))
        return {
            "new": {str(status): count for status, count in tally.imported.items()},
            "known": {str(status): count for status, count in tally.known.items()},
            "articles": tally.articles,
            "new_articles": self.new_articles,
            "foreign": len(tally.foreign),
            "first": _iso(self.first),
            "last": _iso(self.last),
            "pages": [page | {"was": addresses.was(page["url"])} for _, _, page in most_first],
            "troubles": [
                {"words": trouble.words, "count": trouble.count, "samples": list(trouble.samples)}
                for trouble in troubles.told()[:MOST_TROUBLES]
            ],
            "changed": self.changed,
            "unused": unused,
        }


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _tags(html: str) -> set[str]:
    return {name.lower() for name in _TAG.findall(html)}


def _squeezed(text: str) -> str:
    return " ".join(text.split())
