"""Decide and undo, edit and withdraw: the only code that changes a comment's status or its text.

A change and its decision row are one act, guarded by the version that its maker saw. Counters
that readers see follow in the same transaction.
"""

from .asides import hand, note, reveal, take_back
from .change import UNLIKE, Columns
from .counts import MOST_PINNED, came, count_new, limit_pins, recount
from .deciding import decide, hold, imported, initial, undo
from .emptying import BLANK, blank, drop_author, erase, retract, withdraw
from .log import (
    ANSWERS,
    AUTHOR,
    CHANGES,
    FINAL,
    PINS,
    SETTLES,
    UNDOABLE,
    Stale,
    days_kept,
    is_final,
    is_standing,
    is_withdrawn,
    last_shown,
    latest,
    origin,
)
from .many import decide_many, undo_many
from .pins import EnoughPinned, NotPinnable, PinRefused, mark, pin
from .replies import is_reply, made_with, publish
from .waiting import has_waiting_edit
from .wording import EDITABLE, Wording, edit, reword

__all__ = [
    "ANSWERS",
    "AUTHOR",
    "BLANK",
    "CHANGES",
    "EDITABLE",
    "FINAL",
    "MOST_PINNED",
    "PINS",
    "SETTLES",
    "UNDOABLE",
    "UNLIKE",
    "Columns",
    "EnoughPinned",
    "NotPinnable",
    "PinRefused",
    "Stale",
    "Wording",
    "blank",
    "came",
    "count_new",
    "days_kept",
    "decide",
    "decide_many",
    "drop_author",
    "edit",
    "erase",
    "hand",
    "has_waiting_edit",
    "hold",
    "imported",
    "initial",
    "is_final",
    "is_reply",
    "is_standing",
    "is_withdrawn",
    "last_shown",
    "latest",
    "limit_pins",
    "made_with",
    "mark",
    "note",
    "origin",
    "pin",
    "publish",
    "recount",
    "retract",
    "reveal",
    "reword",
    "take_back",
    "undo",
    "undo_many",
    "withdraw",
]
