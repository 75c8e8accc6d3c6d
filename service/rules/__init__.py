"""What should happen to a new comment: Draft + History + Policy -> Verdict.

Pure: no database, no request, no clock. Every rule is asked; each that fires leaves its reason, and
the gravest of their statuses wins. No rule refuses or hides: it holds, and says why.
"""

from collections.abc import Callable

from ..status import Status
from . import holding, origin, words
from .draft import Draft, Fired, History, Policy, Verdict

__all__ = ["Draft", "Fired", "History", "Policy", "Verdict", "explain", "judge", "quotation"]

RULES: tuple[Callable[[Draft, History, Policy], Fired | None], ...] = (
    holding.every_reply,
    holding.site_held,
    holding.article_held,
    holding.unknown_article,
    words.address_in_text,
    words.repeated,
    origin.withheld,
    origin.too_fast,
)
GRAVITY = (Status.APPROVED, Status.PENDING, Status.SPAM)

MEASURES = {"repeated", "too_fast"}  # what these matched is a number, and stands in no text

SENTENCES = holding.SENTENCES | words.SENTENCES | origin.SENTENCES


def judge(draft: Draft, history: History, policy: Policy) -> Verdict:
    """The verdict on a draft, with every reason that fired; silence means approved."""
    fired = [found for rule in RULES if (found := rule(draft, history, policy))]
    status = max((reason.status for reason in fired), key=GRAVITY.index, default=Status.APPROVED)
    return Verdict(status, tuple(fired))


def explain(rule: str) -> str:
    """A rule's sentence for moderators, still to be translated; may hold %(matched)s."""
    return SENTENCES[rule]


def quotation(rule: str, matched: str) -> str:
    """The words of the comment that a rule matched; "" where it matched something else."""
    return "" if rule in MEASURES else matched
