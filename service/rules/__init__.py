"""What should happen to a new comment: Draft + History + Policy -> Verdict.

Pure: no database, no request, no clock. Every rule is asked; each that fires leaves its reason, and
the gravest of their statuses wins. No rule refuses or hides: it holds, and says why.
"""

from collections.abc import Callable

from ..status import Status
from . import holding, origin, words
from .draft import Draft, Fired, History, Policy, Verdict

__all__ = [
    "LIKELY_SPAM",
    "Draft",
    "Fired",
    "History",
    "Policy",
    "Verdict",
    "explain",
    "judge",
    "risk",
]

RULES: tuple[Callable[[Draft, History, Policy], Fired | None], ...] = (
    holding.every_reply,
    holding.unknown_article,
    words.address_in_text,
    words.repeated,
    origin.withheld,
    origin.too_fast,
)
GRAVITY = (Status.APPROVED, Status.PENDING, Status.SPAM)

# What each reason tells against a comment, added up: the riskiest come first where a moderator wants
# it so. What holds every comment alike tells nothing. A rule that is not named here weighs OTHERS.
WEIGHTS = {
    "every_reply": 0,
    "unknown_article": 5,
    "address_in_text": 10,
    "withheld": 30,
    "repeated": 40,
    "too_fast": 40,
}
OTHERS = 20
LIKELY_SPAM = 60  # from here on a comment is offered to moderators as likely spam
MOST = 100

SENTENCES = holding.SENTENCES | words.SENTENCES | origin.SENTENCES


def judge(draft: Draft, history: History, policy: Policy) -> Verdict:
    """The verdict on a draft, with every reason that fired; silence means approved."""
    fired = [found for rule in RULES if (found := rule(draft, history, policy))]
    status = max((reason.status for reason in fired), key=GRAVITY.index, default=Status.APPROVED)
    return Verdict(status, tuple(fired))


def risk(verdict: Verdict) -> int:
    """How much speaks against a comment, 0 to MOST; what is spam in a rule's eyes has all of it."""
    if verdict.status == Status.SPAM:
        return MOST
    return min(MOST, sum(WEIGHTS.get(fired.rule, OTHERS) for fired in verdict.reasons))


def explain(rule: str) -> str:
    """A rule's sentence for moderators, still to be translated; may hold %(matched)s."""
    return SENTENCES[rule]
