"""What rules need from the database, and what is kept of what they said."""

from .filter import Score, score
from .history import Arrival, history
from .ledger import judged, latest, reasons, refused
from .policies import policy_of

__all__ = [
    "Arrival",
    "Score",
    "history",
    "judged",
    "latest",
    "policy_of",
    "reasons",
    "refused",
    "score",
]
