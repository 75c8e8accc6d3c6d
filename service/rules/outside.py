"""Rules about what services outside say, where a site asks any.

Whether one is asked is chosen elsewhere, so none can be switched off here; one that could not be
asked holds. What a service thinks well of is no reason to publish it: other rules have their say.
"""

from collections.abc import Callable

from ..status import Status
from .rule import Case, Rule

AKISMET, HOOK = "akismet", "hook"
NO_REASON = "it gave no reason"


def says(
    source: str, status: Status | None, no_reason: str = NO_REASON
) -> Callable[[Case], str | None]:
    """Fires where this service said this, or (None) could not be asked; with its reason."""

    def fires(case: Case) -> str | None:
        for opinion in case.draft.opinions:
            if (opinion.source, opinion.status) == (source, status):
                return opinion.why.rstrip(".") or no_reason
        return None

    return fires


RULES = (
    Rule(
        "akismet",
        says(AKISMET, Status.SPAM, ""),
        says="Akismet takes it for spam.",
        does="Catches what Akismet takes for spam, where the site asks Akismet.",
        to=Status.SPAM,
        may=(Status.PENDING, Status.SPAM),
        is_fixed=True,
        weight=60,
        is_measure=True,
    ),
    Rule(
        "akismet_silent",
        says(AKISMET, None),
        says="Akismet could not be asked: %(matched)s.",
        does="Holds a comment about which Akismet could not be asked.",
        is_fixed=True,
        weight=0,
        is_measure=True,
        is_alike=True,
    ),
    Rule(
        "hook_spam",
        says(HOOK, Status.SPAM),
        says="The site’s own service takes it for spam: %(matched)s.",
        does="Catches what the site’s own service takes for spam.",
        to=Status.SPAM,
        may=(Status.PENDING, Status.SPAM),
        is_fixed=True,
        weight=60,
        is_measure=True,
    ),
    Rule(
        "hook",
        says(HOOK, Status.PENDING),
        says="The site’s own service has it wait: %(matched)s.",
        does="Holds what the site’s own service would have wait.",
        is_fixed=True,
        weight=20,
        is_measure=True,
    ),
    Rule(
        "hook_silent",
        says(HOOK, None),
        says="The site’s own service could not be asked: %(matched)s.",
        does="Holds a comment about which the site’s own service could not be asked.",
        is_fixed=True,
        weight=0,
        is_measure=True,
        is_alike=True,
    ),
)
