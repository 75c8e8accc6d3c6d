"""Rules about how a comment was sent."""

from .rule import Case, Rule


def withheld(case: Case) -> str | None:
    return "" if case.draft.is_origin_withheld else None


def too_fast(case: Case) -> str | None:
    """Judged only on the token that script fetched (hard rule 9): without one nobody knows."""
    seconds = case.draft.seconds
    return None if seconds is None or seconds >= case.policy.least_seconds else f"{seconds:.1f} s"


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
        does="Catches a reply that was sent faster than a person types.",
        weight=40,
        is_measure=True,
    ),
    Rule(
        "reused_token",
        reused_token,
        says="Its form had been sent before, with another comment.",
        does="Holds another comment from a form that was sent already.",
        weight=40,
    ),
)
