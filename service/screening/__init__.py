"""What rules need from the database, and what is kept of what they said."""

from .history import Arrival, history
from .ledger import judged, reasons, refusals, refused, verdicts
from .policies import policy_of

__all__ = [
    "Arrival",
    "history",
    "judged",
    "policy_of",
    "reasons",
    "refusals",
    "refused",
    "verdicts",
]
