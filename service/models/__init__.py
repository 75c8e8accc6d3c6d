"""The tables, and what the database itself refuses.

An author's address lives in `authors` and nowhere else. Rows of `decisions` and `events` are only
ever added: triggers refuse to change or remove one. Times are UTC.
"""

from .base import Base, Id, UTCDateTime, now, one_of, public_id
from .comments import (
    Article,
    Author,
    Check,
    Comment,
    Decision,
    Follow,
    Import,
    Like,
    LikeKey,
    Note,
    Reason,
    Report,
    Revision,
    Site,
)
from .desk import Ban, Bulk, Event, Handover, Opening
from .people import Attempt, Invitation, Passkey, RecoveryCode, SpentChallenge, Visit

__all__ = [
    "Article",
    "Attempt",
    "Author",
    "Ban",
    "Base",
    "Bulk",
    "Check",
    "Comment",
    "Decision",
    "Event",
    "Follow",
    "Handover",
    "Id",
    "Import",
    "Invitation",
    "Like",
    "LikeKey",
    "Note",
    "Opening",
    "Passkey",
    "Reason",
    "RecoveryCode",
    "Report",
    "Revision",
    "Site",
    "SpentChallenge",
    "UTCDateTime",
    "Visit",
    "now",
    "one_of",
    "public_id",
]
