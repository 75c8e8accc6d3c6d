"""What rules are given and what they give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..status import BanKind, Mode, Status

MATCHED_LENGTH = 300  # characters that the database takes


@dataclass(frozen=True)
class Draft:
    """A comment that is about to be stored, as far as rules look at it."""

    name: str
    text: str
    addresses: tuple[str, ...] = ()  # e-mail addresses found in the text or the website
    is_origin_withheld: bool = False  # the browser sent "Origin: null"
    seconds: float | None = None  # since the form was touched; only script tells
    website: str = ""
    links: int = 0  # in the text
    language: str = ""  # that the reader had the form in
    mail_domain: str = field(default="", repr=False)  # of the author's address
    is_trapped: bool = False  # the field that no person sees was filled in
    has_worked: bool | None = None  # the page's proof of work; None where none was asked for
    opinions: tuple["Opinion", ...] = ()  # of services outside, where the site asks any


@dataclass(frozen=True)
class Opinion:
    """What a service outside says of a draft; None if it could not be asked."""

    source: str  # "akismet" or "hook"
    status: Status | None
    why: str = ""


@dataclass(frozen=True)
class History:
    """What the database knows that rules need."""

    is_article_known: bool = True  # something was approved there before
    is_article_held: bool = False  # a moderator has all that is new there wait
    repeats: int = 0  # comments with the same words on this site
    ban: BanKind | None = None  # what the ban that catches it looks at
    ban_reason: str = ""
    # Whether this very comment carries proof of its author (hard rule 1), and how many comments
    # that did so were approved before.
    is_proved: bool = False
    approved_before: int = 0
    likeness: int = 0  # percent that the most similar of the recent comments has in common with it
    from_address: int = 0  # comments within the flood rules' minutes, this one not counted
    from_network: int = 0
    under_article: int = 0
    resembled: str = ""  # whose name this one could be taken for: staff's, or a proved author's
    is_reused: bool = False  # the token that script fetched was used for another comment
    is_wave: bool = False  # far more than usual comes in at this moment
    chance: float | None = None  # that it is spam, as the learned filter sees it, 0 to 1
    telling: tuple[str, ...] = ()  # the words that told the filter most


@dataclass(frozen=True)
class Policy:
    """What the site and the installation chose."""

    mode: Mode = Mode.HOLD_EVERY
    is_site_held: bool = False  # a publisher has all that is new wait, for a time
    least_seconds: float = 0
    # What the site chose for single rules, by the rule's name: "on", "to", and its numbers.
    tuned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # The words and phrases that the site looks for, by the rule that they belong to.
    phrases: Mapping[str, "Finder"] = field(default_factory=dict)
    writing: frozenset[str] = frozenset()  # systems of writing that the site takes; empty: all
    languages: frozenset[str] = frozenset()  # of the form that the site takes; empty: all


class Finder(Protocol):
    """What finds phrases in a text: phrases.Phrases."""

    def every(self, text: str) -> Iterator[str]:
        """Each phrase that is found in a text, as the site wrote it."""


@dataclass(frozen=True)
class Fired:
    """One rule's opinion; `matched` is shown to moderators and never holds an address.

    One that asks for another wording has the comment not stored: the writer is told, and keeps it.
    """

    rule: str
    status: Status = Status.PENDING
    matched: str = ""
    asks: bool = False


@dataclass(frozen=True)
class Verdict:
    status: Status
    reasons: tuple[Fired, ...] = ()

    @property
    def asks(self) -> tuple[Fired, ...]:
        """The reasons for which the writer is asked for another wording."""
        return tuple(fired for fired in self.reasons if fired.asks)
