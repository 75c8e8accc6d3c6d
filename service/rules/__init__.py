"""What should happen to a new comment: Draft + History + Policy -> Verdict.

Pure: no database, no request, no clock. Every rule is asked, in their order; each that fires leaves
its reason, and the gravest of their statuses wins. No rule refuses or hides: it holds, marks as spam
or asks for another wording, and says why.
"""

import logging

from ..status import Status
from . import (
    banned,
    characters,
    flood,
    holding,
    learned,
    mail,
    names,
    near,
    origin,
    outside,
    phrases,
    shape,
    words,
)
from .draft import Draft, Finder, Fired, History, Opinion, Policy, Verdict
from .rule import Case, Number, Rule

__all__ = [
    "LIKELY_SPAM",
    "NAMED",
    "RULES",
    "Case",
    "Draft",
    "Finder",
    "Fired",
    "History",
    "Number",
    "Opinion",
    "Policy",
    "Rule",
    "Verdict",
    "explain",
    "judge",
    "quotations",
    "risk",
]

FAILED = Rule(
    "failed",
    lambda case: None,
    says="A rule could not be asked because of a fault in it (%(matched)s).",
    does="Holds a comment where a rule fails.",
    is_fixed=True,
    is_measure=True,
)
log = logging.getLogger(__name__)

# In the order in which they are asked, and shown.
RULES: tuple[Rule, ...] = (
    *banned.RULES,
    *phrases.RULES,
    *holding.RULES,
    *words.RULES,
    *near.RULES,
    *names.RULES,
    *characters.RULES,
    *shape.RULES,
    *mail.RULES,
    *origin.RULES,
    *flood.RULES,
    *learned.RULES,
    *outside.RULES,
    FAILED,
)
NAMED = {rule.name: rule for rule in RULES}
GRAVITY = (Status.APPROVED, Status.PENDING, Status.SPAM)
LIKELY_SPAM = 60  # from here on a comment is offered to moderators as likely spam
MOST = 100
SENTENCES = {rule.name: rule.says for rule in RULES}


def judge(draft: Draft, history: History, policy: Policy) -> Verdict:
    """The verdict on a draft, with every reason that fired; silence means approved. A rule that
    fails holds it: nothing is lost by a fault of ours, and nothing published."""
    fired = [found for rule in RULES if (found := _opinion(rule, draft, history, policy))]
    status = max((reason.status for reason in fired), key=GRAVITY.index, default=Status.APPROVED)
    return Verdict(status, tuple(fired))


def _opinion(rule: Rule, draft: Draft, history: History, policy: Policy) -> Fired | None:
    try:
        return rule.judge(draft, history, policy)
    except Exception as error:  # what it said may quote the comment, and stays out of the log
        log.error("The rule %s failed: %s", rule.name, type(error).__name__)
        return Fired(FAILED.name, matched=rule.name)


def risk(verdict: Verdict, chance: float | None = None) -> int:
    """How much speaks against a comment, 0 to MOST; what is spam in a rule's eyes has all of it.

    Takes what the learned filter gives, if it was asked. Weights are added up; what they leave open
    is the filter's to say.
    """
    if verdict.status == Status.SPAM:
        return MOST
    weighed = min(MOST, sum(NAMED[fired.rule].weight for fired in verdict.reasons))
    return round(MOST - (MOST - weighed) * (1 - (chance or 0)))


def explain(rule: str) -> str:
    """A rule's sentence for moderators, still to be translated; may hold %(matched)s."""
    return NAMED[rule].says


def quotations(rule: str, matched: str) -> list[str]:
    """The words of the comment that a rule matched; none where it matched something else."""
    return [] if NAMED[rule].is_measure else phrases.named(matched)
