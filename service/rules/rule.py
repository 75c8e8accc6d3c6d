"""What a rule is: a sentence, its numbers, and a small pure function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..status import Status
from .draft import MATCHED_LENGTH, Draft, Fired, History, Policy


@dataclass(frozen=True)
class Number:
    """A number that a site can set for a rule."""

    name: str
    default: int
    least: int
    most: int
    sentence: str  # what it counts, in words


@dataclass(frozen=True)
class Case:
    """What a rule is asked about: a draft, with the rule's numbers as this site has them."""

    draft: Draft
    history: History
    policy: Policy
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Rule:
    """One rule. `fires` gives what it matched ("" if there is nothing to name), None if it is
    silent."""

    name: str
    fires: Callable[[Case], str | None]
    says: str  # why it held a comment, on the card; may hold %(matched)s
    does: str  # what it is for, on the page of rules; may hold its numbers by their names
    numbers: tuple[Number, ...] = ()
    to: Status = Status.PENDING
    may: tuple[Status, ...] = ()  # what a site can choose between; empty: `to` alone
    asks: bool = False  # for another wording, in place of storing
    is_on: bool = True  # where the site says nothing
    is_fixed: bool = False  # it cannot be switched off here
    # What it tells against a comment: the riskiest come first where a moderator wants it so.
    weight: int = 20
    # What it matched is a number or a sentence, and stands in no text.
    is_measure: bool = False
    # It holds whatever comes, good and bad alike: how moderators decided tells nothing of it.
    is_alike: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether moderators' decisions tell how good it is. Nothing is stored of what it asked
        another wording for."""
        return not (self.is_alike or self.asks)

    def is_asked(self, policy: Policy) -> bool:
        """Whether the site has it on."""
        return self.is_fixed or bool(policy.tuned.get(self.name, {}).get("on", self.is_on))

    def chosen(self, policy: Policy) -> dict[str, int]:
        """Its numbers, as the site has them."""
        tuned = policy.tuned.get(self.name, {})
        return {number.name: tuned.get(number.name, number.default) for number in self.numbers}

    def judge(self, draft: Draft, history: History, policy: Policy) -> Fired | None:
        """The rule's opinion; none if the site switched it off."""
        if not self.is_asked(policy):
            return None
        matched = self.fires(Case(draft, history, policy, self.chosen(policy)))
        if matched is None:
            return None
        tuned = policy.tuned.get(self.name, {})
        to = Status(tuned.get("to", self.to)) if self.may else self.to
        return Fired(self.name, to, matched[:MATCHED_LENGTH], self.asks)
