"""Rules about how a comment was sent."""

from ..status import Status
from .rule import Case, Rule


def withheld(case: Case) -> str | None:
    return "" if case.draft.is_origin_withheld else None


def too_fast(case: Case) -> str | None:
    """Judged only on the token that script fetched (hard rule 9): without one nobody knows."""
    seconds = case.draft.seconds
    return None if seconds is None or seconds >= case.policy.least_seconds else f"{seconds:.1f} s"


def trap(case: Case) -> str | None:
    return "" if case.draft.is_trapped else None


def no_work(case: Case) -> str | None:
    """Asked for only by the token that script fetched: who has no script was asked for nothing."""
    return "" if case.draft.has_worked is False else None


def reused_token(case: Case) -> str | None:
    return "" if case.history.is_reused else None


RULES = (
    Rule(
        "withheld",
        withheld,
        says="The browser did not say which page the reply came from.",
        does="Holds a reply whose browser does not say which page it came from.",
        is_fixed=True,
        weight=30,
    ),
    Rule(
        "too_fast",
        too_fast,
        says="It was sent %(matched)s after the form was first touched.",
        does="Holds a reply that was sent faster than a person types.",
        weight=40,
        is_measure=True,
    ),
    Rule(
        "trap",
        trap,
        says="A field that no person sees was filled in.",
        does="Catches a reply in which a field was filled in that no person sees.",
        to=Status.SPAM,
        may=(Status.PENDING, Status.SPAM),
        weight=100,
    ),
    Rule(
        "no_work",
        no_work,
        says="It came in a wave without the small proof of work that browsers with JavaScript do.",
        does="Holds a reply in a wave whose browser fetched a token of its own and then did not do "
        "the small proof of work.",
        weight=30,
    ),
    Rule(
        "reused_token",
        reused_token,
        says="Its form had been sent before, with another comment.",
        does="Holds another comment from a form that was sent already.",
        weight=40,
    ),
)
