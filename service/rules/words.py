"""Rules about the words of a comment."""

from .draft import Draft, Fired, History, Policy

SENTENCES = {
    "address_in_text": "An e-mail address stands in the text or the website; publishing would show it.",
    "repeated": "The same words were posted before (%(matched)s).",
}


def address_in_text(draft: Draft, history: History, policy: Policy) -> Fired | None:
    """Holds, and names no address: reasons never hold one (hard rule 4)."""
    return Fired("address_in_text") if draft.addresses else None


def repeated(draft: Draft, history: History, policy: Policy) -> Fired | None:
    """The same words from elsewhere are stored, but a moderator is told."""
    return Fired("repeated", matched=f"{history.repeats}×") if history.repeats else None
