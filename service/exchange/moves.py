"""URL rules, which move articles' addresses: read, and tried on the pages of a file. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import urls
from .record import Addresses

MOST_RULES = 200
EXAMPLE = "http://old.example=https://www.example.org"
_RULE = re.compile(r"(.+?)=(https?://.+)", re.I | re.S)


class NoRule(ValueError):
    """A line that is no rule, and why; `why` ends a sentence that begins with the line."""

    def __init__(self, line: str, why: str) -> None:
        super().__init__(line, why)
        self.line = line
        self.why = why

    def __str__(self) -> str:
        return f"{self.line[:80]!r} {self.why}"


@dataclass(frozen=True)
class Tried:
    """Where rules take a page: its address in the file, the article's ("" if that is none), whether
    this lies within the site's origins, and the rule that moved it ("" if none did)."""

    was: str
    url: str
    is_ours: bool
    rule: str = ""


def parse(line: str) -> tuple[str, str]:
    """A rule OLD=NEW: two beginnings of addresses, or a pattern with `*` and what is made of it.
    Raises NoRule."""
    rule = line.strip()
    found = _RULE.fullmatch(rule)
    if not found:
        raise NoRule(
            rule, f"is no rule: write the old beginning, = and the new one, like {EXAMPLE}"
        )
    old, new = found[1].strip(), found[2].strip()
    if not rule.isprintable() or len(rule) > 2 * urls.MAX_LENGTH:
        raise NoRule(rule, "is no rule: it is too long, or has characters that no address has")
    if not old.replace("*", ""):
        raise NoRule(rule, "would take every page there is: write what its address begins with")
    if new.count("*") > old.count("*"):
        raise NoRule(rule, "has more * in the new address than in the old one")
    if "*" in old and "*" not in new:
        raise NoRule(rule, "would make one page of many: the new address has no *")
    _check(rule, new)
    return old, new


def _check(rule: str, new: str) -> None:
    """Raises NoRule unless what is made of a page is a web address, on a host that the rule names."""
    try:
        made = urls.origin(new.replace("*", "0")), urls.origin(new.replace("*", "1"))
    except urls.NotAnAddress:
        raise NoRule(rule, "is no rule: what stands behind the = is no web address") from None
    if made[0] != made[1]:
        raise NoRule(rule, "has a * in the place of a host: write the new one out")


def addresses(rules: Iterable[str], origins: Sequence[str] = ()) -> Addresses:
    """What makes an import's addresses canonical. Takes rules as they are written, and the site's
    origins, on the first of which a mere path lies. Raises NoRule, also for two rules that take the
    same pages to different places."""
    known: dict[str, str] = {}
    for rule in rules:
        old, new = parse(rule)
        if known.setdefault(old, new) != new:
            raise NoRule(rule.strip(), "takes the same pages elsewhere than a rule before it")
    return Addresses(known.items(), base=origins[0] if origins else "")


def try_rules(
    rules: Sequence[str], pages: Iterable[str], origins: Sequence[str] = ()
) -> tuple[list[Tried], list[str]]:
    """Where the rules take pages, given as they stand in the file; and the rules that took none.
    Raises NoRule."""
    found = addresses(rules, origins)
    written = {parse(rule)[0]: rule.strip() for rule in rules}
    tried = [_tried(found, written, was, list(origins)) for was in pages]
    return tried, unused(rules, found)


def unused(rules: Iterable[str], found: Addresses) -> list[str]:
    """Those of the rules by which no address was moved."""
    return [rule.strip() for rule in rules if parse(rule)[0] in found.unused]


def _tried(found: Addresses, written: dict[str, str], was: str, origins: list[str]) -> Tried:
    rule = written.get(found.moved(was.strip())[1], "")
    try:
        url = found.canonical(was)
    except urls.NotAnAddress:
        return Tried(was, "", False, rule)
    return Tried(was, url, urls.is_within(url, origins), rule)
