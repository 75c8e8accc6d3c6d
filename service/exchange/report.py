"""What a rehearsal or a run found, as the row of the import keeps it and the pages show it."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..status import Markup, Status
from ..text import loses, mask_addresses, plain, render_html
from .pile import Thread
from .record import LONG_AGO, Record, Troubles

MOST_PAGES = 200
MOST_FOREIGN = 200
MOST_CHANGED = 5
MOST_TROUBLES = 50
LONGEST = 300  # characters of a text that changes
FIRST_YEAR = 1995  # nobody commented on a web page before


@dataclass
class Tally:
    """What came of the import so far."""

    imported: Counter[Status] = field(default_factory=Counter)
    known: Counter[Status] = field(default_factory=Counter)
    earlier: Counter[Status] = field(default_factory=Counter)  # of these, by this very import
    articles: int = 0
    foreign: int = 0  # articles outside the site's origins
    strange: list[str] = field(default_factory=list)  # the first of their addresses

    def together(self) -> int:
        """How many comments were looked at."""
        return self.imported.total() + self.known.total()

    def add_foreign(self, url: str) -> None:
        self.foreign += 1
        if len(self.strange) < MOST_FOREIGN:
            self.strange.append(url)


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
        comments = thread.comments
        page = {
            "url": thread.url,
            "was": thread.was,
            "comments": comments,
            "is_new": is_new,
            "is_ours": is_ours,
        }
        entry = (comments, -self._seen, page)
        (heapq.heappush if len(self.pages) < MOST_PAGES else heapq.heappushpop)(self.pages, entry)

    def comment(self, record: Record, troubles: Troubles) -> None:
        """Notes a comment that is new here."""
        at = record.created_at
        self.first = min(self.first or at, at)
        self.last = max(self.last or at, at)
        if at.year < FIRST_YEAR and at != LONG_AGO:  # that one is told of already
            troubles.note(f"date before {FIRST_YEAR}: kept", record.source_id)

    def compare(self, record: Record, troubles: Troubles) -> None:
        """Notes a text that loses something when it is made safe, the first of them with its words."""
        if record.markup != Markup.HTML or not loses(record.text):
            return
        troubles.note("text that looks different once it is safe", record.source_id)
        if len(self.changed) < MOST_CHANGED:
            before = mask_addresses(_squeezed(record.text))[:LONGEST]
            after = mask_addresses(_squeezed(plain(render_html(record.text))))[:LONGEST]
            self.changed.append({"id": record.source_id, "before": before, "after": after})

    def to_json(
        self, tally: Tally, troubles: Troubles, unused: list[str], is_run: bool = False
    ) -> dict[str, Any]:
        """All of it, as the row keeps it. Takes the rules that moved nothing, and whether it tells of
        what came (also before it was stopped) or of what would come."""
        most_first = sorted(self.pages, key=lambda entry: (-entry[0], -entry[1]))
        return {
            "is_run": is_run,
            "new": _counts(tally.imported + tally.earlier),
            "known": _counts(tally.known - tally.earlier),
            "articles": tally.articles,
            "new_articles": self.new_articles,
            "foreign": tally.foreign,
            "first": _iso(self.first),
            "last": _iso(self.last),
            "pages": [page for _, _, page in most_first],
            "troubles": [
                {"words": trouble.words, "count": trouble.count, "samples": list(trouble.samples)}
                for trouble in troubles.told()[:MOST_TROUBLES]
            ],
            "changed": self.changed,
            "unused": unused,
        }


def _counts(by_status: Counter[Status]) -> dict[str, int]:
    return {str(status): count for status, count in by_status.items()}


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _squeezed(text: str) -> str:
    return " ".join(text.split())
