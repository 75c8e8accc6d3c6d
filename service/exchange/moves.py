"""Rules that move articles' addresses: written down, and tried on pages that a rehearsal found."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import urls
from .record import Addresses

MOST_RULES = 200
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
    """A rule OLD=NEW, two beginnings of addresses. Raises NoRule."""
    found = _RULE.fullmatch(line.strip())
    if not found:
        raise NoRule(line)
    try:
        urls.canonical(found[2])
    except urls.NotAnAddress:
        raise NoRule(line) from None
    return found[1], found[2]


def addresses(rules: Iterable[str], origins: list[str]) -> Addresses:
    """What makes an import's addresses canonical. Takes rules as they are written, and the site's
    origins, on the first of which a mere path lies. Raises NoRule."""
    return Addresses(map(parse, rules), base=origins[0] if origins else "")


def try_rules(
    rules: Sequence[str], pages: Iterable[str], origins: list[str]
) -> tuple[list[Tried], list[str]]:
    """Where the rules take pages, given as they stand in the file; and the rules that took none."""
    found = addresses(rules, origins)
    tried = [_tried(found, was, origins) for was in pages]
    unused = [rule for rule in rules if parse(rule)[0] in found.unused]
    return tried, unused


def _tried(found: Addresses, was: str, origins: list[str]) -> Tried:
    try:
        url = found.canonical(was)
    except urls.NotAnAddress:
        return Tried(was, "", is_ours=False)
    return Tried(was, url, urls.is_within(url, origins))
