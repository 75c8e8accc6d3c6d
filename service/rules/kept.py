"""A site's choices, read out of what its row keeps.

What is no choice (left by another release, or written by another hand) is passed over, so that its
rule does what it does by default: a comment is judged whatever stands there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..status import Status
from .rule import Rule


def mapping(kept: Any, *names: str) -> dict[str, Any]:
    """A mapping within mappings; an empty one for anything else."""
    for name in names:
        kept = kept.get(name) if isinstance(kept, Mapping) else None
    return dict(kept) if isinstance(kept, Mapping) else {}


def words(kept: Any, name: str) -> tuple[str, ...]:
    """A list of words within a mapping."""
    listed = mapping(kept).get(name)
    return (
        tuple(word for word in listed if isinstance(word, str)) if isinstance(listed, list) else ()
    )


def tuned(kept: Any, rules: Iterable[Rule]) -> dict[str, dict[str, Any]]:
    """What is chosen for single rules, as Policy.tuned takes it."""
    chosen = {rule.name: _of(mapping(kept, "rules", rule.name), rule) for rule in rules}
    return {name: choice for name, choice in chosen.items() if choice}


def _of(kept: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    choice: dict[str, Any] = {}
    if isinstance(kept.get("on"), bool):
        choice["on"] = kept["on"]
    if kept.get("to") in list(Status) and kept["to"] in (rule.to, *rule.may):
        choice["to"] = kept["to"]
    for number in rule.numbers:
        value = kept.get(number.name)
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        if number.least <= value <= number.most:
            choice[number.name] = value
    return choice
