"""Rules that move articles' addresses: written down, and tried on pages that a rehearsal found."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import urls
from .record import Addresses

MOST_RULES = 200
MOST_STARS = 4  # in one rule: each may try every place in an address
_RULE = re.compile(r"(.+?)=(https?://.+)", re.I)


class NoRule(ValueError):
    """A line that is no rule; holds the line."""


@dataclass(frozen=True)
class Tried:
    """Where rules take a page: its address in the file, the article's ("" if that is none), and
    whether this lies within the site's origins."""

    was: str
    url: str
    is_ours: bool


def parse(line: str) -> tuple[str, str]:
    """A rule OLD=NEW: two beginnings of addresses, or two patterns in which each * stands for
    anything, kept in order. Raises NoRule."""
    found = _RULE.fullmatch(line.strip())
    if not found:
        raise NoRule(line)
    if found[2].count("*") > found[1].count("*") or found[1].count("*") > MOST_STARS:
        raise NoRule(line)
    try:
        urls.canonical(found[2])
    except urls.NotAnAddress:
        raise NoRule(line) from None
    return found[1], found[2]


def try_rules(
    rules: Sequence[str], pages: Iterable[str], origins: list[str]
) -> tuple[list[Tried], list[str]]:
    """Where the rules take pages, given as they stand in the file; and the rules that took none."""
    addresses = Addresses(map(parse, rules), base=origins[0] if origins else "")
    tried = [_tried(addresses, was, origins) for was in pages]
    unused = [rule for rule in rules if parse(rule)[0] in addresses.unused]
    return tried, unused


def _tried(addresses: Addresses, was: str, origins: list[str]) -> Tried:
    try:
        url = addresses.canonical(was)
    except urls.NotAnAddress:
        return Tried(was, "", is_ours=False)
    return Tried(was, url, urls.is_within(url, origins))
