"""Rules about how a comment was sent."""

from .draft import Draft, Fired, History, Policy

SENTENCES = {
    "withheld": "The browser did not say which page the reply came from.",
    "too_fast": "It was sent %(matched)s after the form was first touched.",
}


def withheld(draft: Draft, history: History, policy: Policy) -> Fired | None:
    return Fired("withheld") if draft.is_origin_withheld else None


def too_fast(draft: Draft, history: History, policy: Policy) -> Fired | None:
    """Judged only on the token that script fetched (hard rule 9): without one nobody knows."""
    if draft.seconds is None or draft.seconds >= policy.least_seconds:
        return None
    return Fired("too_fast", matched=f"{draft.seconds:.1f} s")
