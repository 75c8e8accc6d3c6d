"""A filter's fields, read from a URL's words and written as such. Asks no database."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Self

from .. import folds, search, text, urls
from ..rules import SENTENCES
from ..status import ReportReason, Status

REPORTED = "reported"  # the list of what readers reported, whatever its status
EVERY = "every"  # all lists as one: only for the search for an address
LISTS = (*map(str, Status), REPORTED)
SORTS = ("oldest", "newest", "reported", "riskiest")
YEARS = (1970, 2999)

# What a URL calls each field, where that is not its name.
CALLED = {"text": "q", "has_links": "links", "is_first": "first", "is_likely_spam": "spam"}


class Unreadable(ValueError):
    """Something typed is no filter; `fields` says for each, by its name in the URL, what to do."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True)
class Words:
    """Which comments of the desk, in which order. All fields together narrow the list."""

    status: str = Status.PENDING.value  # or REPORTED
    site: str = ""
    text: str = ""
    name: str = ""
    website: str = ""  # a domain
    article: str = ""  # its address, the publisher's id, or words of its title
    network: str = ""
    reason: str = ""  # of a reader's report
    rule: str = ""
    language: str = ""
    since: date | None = None
    until: date | None = None
    moderator: int | None = None  # who decided it last
    has_links: bool = False
    is_first: bool = False
    is_likely_spam: bool = False
    sort: str = "oldest"
    fold: str = ""  # "off": alike ones have a card each
    author_ids: tuple[int, ...] = ()  # of the search for an address: never in a URL

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Self:
        """The filter that a URL's words ask for; raises Unreadable."""
        found: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for field in fields(cls):
            word = CALLED.get(field.name, field.name)
            typed = args.get(word, "").strip()[: search.LONGEST * 10]
            if not typed or field.name not in READERS:
                continue
            if text.addresses(typed):  # a URL would keep it (hard rule 4)
                wrong[word] = HOLDS_ADDRESS
                continue
            try:
                found[field.name] = READERS[field.name](typed)
            except ValueError:
                wrong[word] = SAID.get(field.name, "Choose one of the list.")
        if found.get("since", date.min) > found.get("until", date.max):
            wrong["until"] = "Enter a day that is not before the first one."
        if wrong:
            raise Unreadable(wrong)
        made = cls(**found)
        return made if "sort" in found else replace(made, sort=made.usual_sort)

    @property
    def usual_sort(self) -> str:
        """A queue is worked from its old end; of what is searched for, the newest is wanted."""
        return "newest" if self.text or self.name else "oldest"

    def words(self) -> dict[str, str]:
        """What a URL or a job keeps, from which `read` makes the same filter; without defaults,
        and never an author."""
        kept: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            usual = self.usual_sort if field.name == "sort" else field.default
            if field.name in READERS and value != usual:
                kept[CALLED.get(field.name, field.name)] = "yes" if value is True else str(value)
        return kept

    def has_folds(self) -> bool:
        """Whether alike comments stand in one card: in a whole list that waits, by time."""
        is_waiting = self.status in folds.WAITING
        return is_waiting and self.is_plain() and self.sort in ("oldest", "newest")

    def is_plain(self) -> bool:
        """Whether this is a whole list of a site or of all, in whatever order."""
        return self == type(self)(status=self.status, site=self.site, sort=self.sort)


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    def read(typed: str) -> str:
        if typed not in words:
            raise ValueError(typed)
        return typed

    return read


def _short(typed: str) -> str:
    return typed[: search.LONGEST]


def _domain(typed: str) -> str:
    return urls.domain(urls.website(typed)) or _one_of(())(typed)


def _network(typed: str) -> str:
    """The network, /24 or /48, that an address lies in; a wider one holds too many to look for."""
    found = ipaddress.ip_interface(typed).network
    width = 24 if found.version == 4 else 48
    if found.prefixlen < width:
        raise ValueError(typed)
    return str(ipaddress.ip_network((found.network_address, width), strict=False))


def _language(typed: str) -> str:
    if not re.fullmatch("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", typed) or len(typed) > 20:
        raise ValueError(typed)
    return typed


def _number(typed: str) -> int:
    if not re.fullmatch("[0-9]{1,15}", typed):
        raise ValueError(typed)
    return int(typed)


def _day(typed: str) -> date:
    day = date.fromisoformat(typed)
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(typed)
    return day


READERS: dict[str, Callable[[str], Any]] = {
    "status": _one_of(LISTS),
    "site": _short,
    "text": _short,
    "name": _short,
    "website": _domain,
    "article": lambda typed: typed[: urls.MAX_LENGTH],
    "network": _network,
    "reason": _one_of(list(ReportReason)),
    "rule": _one_of(list(SENTENCES)),
    "language": _language,
    "since": _day,
    "until": _day,
    "moderator": _number,
    "has_links": bool,
    "is_first": bool,
    "is_likely_spam": bool,
    "sort": _one_of(SORTS),
    "fold": _one_of(["off"]),
}
HOLDS_ADDRESS = "Search for an address below; it then stands in no address and no log."
SAID = {
    "website": "Enter a website like example.org.",
    "network": "Enter an address like 192.0.2.7, or a network like 192.0.2.0/24.",
    "language": "Enter a language by its short name, like en or pt-BR.",
    "since": "Enter a day like 2026-11-25.",
    "until": "Enter a day like 2026-11-25.",
}
