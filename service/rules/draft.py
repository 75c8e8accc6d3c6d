"""What rules are given and what they give."""

from dataclasses import dataclass

from ..status import Status


@dataclass(frozen=True)
class Draft:
    """A comment that is about to be stored, as far as rules look at it."""

    name: str
    text: str
    addresses: tuple[str, ...] = ()  # e-mail addresses found in the text
    is_origin_withheld: bool = False  # the browser sent "Origin: null"
    seconds: float | None = None  # since the form was touched; only script tells


@dataclass(frozen=True)
class History:
    """What the database knows that rules need."""

    is_article_known: bool = True  # something was approved there before
    is_article_held: bool = False  # a moderator has all that is new there wait
    repeats: int = 0  # comments with the same words on this site


@dataclass(frozen=True)
class Policy:
    """What the site and the installation chose."""

    holds_every_reply: bool = True
    is_site_held: bool = False  # a publisher has all that is new wait, for a time
    least_seconds: float = 0


@dataclass(frozen=True)
class Fired:
    """One rule's opinion; `matched` is shown to moderators and never holds an address."""

    rule: str
    status: Status = Status.PENDING
    matched: str = ""


@dataclass(frozen=True)
class Verdict:
    status: Status
    reasons: tuple[Fired, ...] = ()
