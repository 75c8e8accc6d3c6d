"""The publisher's verbs over articles: another title, another address, two made into one, all of a
pattern moved; and the list of them.

A former address stays: whoever asks for it finds the article (aliases.py). All of it is on record.
"""

from .changing import ElsewhereTaken, OutsideOrigins, SamePlace, move, rename
from .listing import ORDERS, PAGE, Row, Rows, aliases, coming, counts, page
from .merging import NotMergeable, begin_merge, half_merged, merge_step
from .patterns import (
    NotAPattern,
    Pattern,
    Rehearsal,
    StillRunning,
    ahead,
    begin_move,
    latest,
    move_step,
    rehearse,
    resume,
    running,
    stop,
)

__all__ = [
    "ORDERS",
    "PAGE",
    "ElsewhereTaken",
    "NotAPattern",
    "NotMergeable",
    "OutsideOrigins",
    "Pattern",
    "Rehearsal",
    "Row",
    "Rows",
    "SamePlace",
    "StillRunning",
    "ahead",
    "aliases",
    "begin_merge",
    "begin_move",
    "coming",
    "counts",
    "half_merged",
    "latest",
    "merge_step",
    "move",
    "move_step",
    "page",
    "rehearse",
    "rename",
    "resume",
    "running",
    "stop",
]
