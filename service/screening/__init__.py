"""What rules need from the database, and what is kept of what they said."""

from .arrival import Arrival
from .history import history
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
