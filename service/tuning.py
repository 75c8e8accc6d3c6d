"""What a site chooses for its rules: read from what was typed, checked against the rule, and kept.

A change is guarded by the version of the choices that its maker saw, and goes on record with the old
and the new value. Asked for what is so already, nothing happens.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from . import events, sites
from .accounts import Moderator
from .events import What
from .models import Site
from .rules import RULES, Policy, Rule, kept
from .status import Mode, Status

# Rules that look at a list of the site's: where that is kept.
LISTS = {"other_writing": "writing", "other_language": "languages"}
# Systems of writing as Unicode calls them (UAX 24), and three that people write in several of.
WRITING = (
    *("arabic", "armenian", "bengali", "chinese", "cyrillic", "devanagari", "ethiopic"),
    *("georgian", "greek", "hebrew", "japanese", "korean", "latin", "tamil", "thai"),
)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # BCP 47, as far as forms use it
MOST_LISTED = 50
DIGITS = 9  # more are no number that any rule has
TO = {"hold": Status.PENDING, "spam": Status.SPAM}  # how people say what a rule does
DOES = {Status.PENDING: "holds", Status.SPAM: "marks as spam"}
ON = {"on": True, "off": False}


class Refused(Exception):
    """What was typed cannot be kept: `fields` has the reason for each, by its name."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


class Changed(Exception):
    """Somebody else changed the site's rules in between."""


@dataclass(frozen=True)
class Choice:
    """What a site has for a rule, its defaults included."""

    is_on: bool
    to: Status
    numbers: Mapping[str, int]
    listed: tuple[str, ...] = ()

    def written(self) -> dict[str, str]:
        """As people write it: "on", "hold", and each number."""
        to = next((word for word, status in TO.items() if status == self.to), str(self.to))
        numbers = {name: str(number) for name, number in self.numbers.items()}
        return {"on": "on" if self.is_on else "off", "to": to, **numbers}


def chosen(site: Site, rule: Rule) -> Choice:
    """What a site has for a rule at this moment."""
    tuned = kept.tuned(site.screening, [rule]).get(rule.name, {})
    return Choice(
        is_on=rule.is_fixed or tuned.get("on", rule.is_on),
        to=Status(tuned.get("to", rule.to)) if rule.may else rule.to,
        numbers={n.name: tuned.get(n.name, n.default) for n in rule.numbers},
        listed=kept.words(site.screening, LISTS.get(rule.name, "")),
    )


def is_tunable(rule: Rule) -> bool:
    """Whether there is anything to choose about a rule."""
    return not rule.is_fixed or bool(rule.may or rule.numbers) or rule.name in LISTS


def read(
    rule: Rule, before: Choice, sent: Mapping[str, str], listed: tuple[str, ...] | None = None
) -> Choice:
    """A choice out of what somebody typed: "on", "to" and the rule's numbers by their names; what is
    not there stays as it was. Takes the site's list where the rule looks at one. Raises Refused."""
    wrong: dict[str, str] = {}
    numbers = dict(before.numbers)
    for number in rule.numbers:
        typed = sent.get(number.name, str(numbers[number.name])).strip()
        is_number = typed.isascii() and typed.isdigit() and len(typed) <= DIGITS
        if is_number and number.least <= int(typed) <= number.most:
            numbers[number.name] = int(typed)
        else:
            wrong[number.name] = f"Enter a whole number from {number.least} to {number.most}."
    is_on = ON.get(sent.get("on", before.written()["on"]))
    if is_on is None or (rule.is_fixed and not is_on):
        wrong["on"] = "Choose on or off." if is_on is None else "This rule is always on."
    to = TO.get(sent["to"]) if "to" in sent else before.to
    if to is None or (to != rule.to and to not in rule.may):
        wrong["to"] = f"Choose {' or '.join(_ends(rule))}."
    for name in sent.keys() - {"on", "to"} - numbers.keys():
        wrong[name] = f"This rule has no such number; {_has(rule)}."
    if listed is None:
        listed = before.listed
    elif not _is_list(rule, listed):
        wrong["listed"] = _listable(rule)
    if wrong or to is None or is_on is None:
        raise Refused(wrong)
    return Choice(is_on, to, numbers, listed)


def _ends(rule: Rule) -> list[str]:
    return [word for word, status in TO.items() if status == rule.to or status in rule.may]


def _has(rule: Rule) -> str:
    names = ", ".join(number.name for number in rule.numbers)
    return f"what it has: {names}" if names else "it has none"


def _listable(rule: Rule) -> str:
    kept_in = LISTS.get(rule.name)
    if kept_in is None:
        return "This rule looks at no list."
    if kept_in == "writing":
        return f"Choose from {', '.join(WRITING)}."
    return "Write each language as its tag, like en or pt-BR."


def _is_list(rule: Rule, listed: tuple[str, ...]) -> bool:
    kept_in = LISTS.get(rule.name)
    if len(listed) > MOST_LISTED or (listed and kept_in is None):
        return False
    if kept_in == "writing":
        return set(listed) <= set(WRITING)
    return all(LANGUAGE.fullmatch(tag) for tag in listed)


def screening_with(screening: Mapping[str, Any], rule: Rule, choice: Choice) -> dict[str, Any]:
    """A site's choices with another one for a rule. What is as the rule has it by itself is not
    kept, so that it follows the rule."""
    tuned: dict[str, Any] = {
        n.name: choice.numbers[n.name] for n in rule.numbers if choice.numbers[n.name] != n.default
    }
    if choice.is_on != (rule.is_fixed or rule.is_on):
        tuned["on"] = choice.is_on
    if choice.to != rule.to:
        tuned["to"] = choice.to.value
    others = kept.mapping(screening, "rules")
    others.pop(rule.name, None)
    changed = kept.mapping(screening) | {"rules": others | ({rule.name: tuned} if tuned else {})}
    if kept_in := LISTS.get(rule.name):
        changed[kept_in] = list(choice.listed)
    return changed


def policy_with(policy: Policy, site: Site, rule: Rule, choice: Choice) -> Policy:
    """A site's policy as it would be with another choice for a rule."""
    rules = [*(other for other in RULES if other.name != rule.name), rule]
    tuned = kept.tuned(screening_with(site.screening, rule, choice), rules)
    changed = replace(policy, tuned=tuned)
    listed: dict[str, Any] = {}
    if kept_in := LISTS.get(rule.name):
        listed[kept_in] = frozenset(choice.listed)
    return replace(changed, **listed)


def save(
    session: Session, site: Site, rule: Rule, choice: Choice, version: int, by: Moderator | str
) -> None:
    """Keeps a choice. Takes the version of the site's choices that its maker saw, and who that is.
    Raises Changed."""
    before = chosen(site, rule)
    if said := list(_differences(rule, before, choice)):
        _keep(session, site, version, screening=screening_with(site.screening, rule, choice))
        about = f"{rule.name.replace('_', ' ')}: {'; '.join(said)}"
        events.record(session, What.RULE_CHANGED, by, about, site.id)
    elif site.screening_version != version:
        raise Changed


def save_mode(session: Session, site: Site, mode: Mode, version: int, by: Moderator | str) -> None:
    """Keeps what a site holds before any rule has a word; raises Changed."""
    session.flush()
    session.refresh(site, with_for_update=True)
    if site.screening_version != version:
        raise Changed
    sites.set_settings(session, site, {"mode": mode.value}, by)


def _differences(rule: Rule, before: Choice, after: Choice) -> Iterator[str]:
    """What is another now, in words for the record."""
    if before.is_on != after.is_on:
        yield "switched on" if after.is_on else "switched off"
    if before.to != after.to:
        yield f"{DOES[before.to]} → {DOES[after.to]}"
    for number in rule.numbers:
        old, new = before.numbers[number.name], after.numbers[number.name]
        if old != new:
            yield f"{number.sentence[:1].lower()}{number.sentence[1:]} {old} → {new}"
    if before.listed != after.listed:
        lists = [", ".join(listed) or "all" for listed in (before.listed, after.listed)]
        yield f"takes {lists[0]} → {lists[1]}"


def _keep(session: Session, site: Site, version: int, **values: Any) -> None:
    guarded = (
        update(Site)
        .where(Site.id == site.id, Site.screening_version == version)
        .values(screening_version=Site.screening_version + 1, **values)
        .returning(Site.screening_version)
    )
    if session.scalar(guarded) is None:
        raise Changed
    session.refresh(site)
