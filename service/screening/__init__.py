"""What rules need from the database, and what is kept of what they said."""

from .arrival import Arrival
from .filter import Score, score
from .history import history
from .ledger import judged, latest, reasons, refusals, refused, verdicts
from .policies import policy_of

__all__ = [
    "Arrival",
    "Score",
    "history",
    "judged",
    "latest",
    "policy_of",
    "reasons",
    "refusals",
    "refused",
    "score",
    "verdicts",
]
