"""The tables, and what the database itself refuses.

An author's address lives in `authors` and nowhere else. Rows of `decisions` and `events` are only
ever added: triggers refuse to change or remove one. Times are UTC.
"""

from .base import Base, Id, UTCDateTime, now, one_of, public_id
from .comments import (
    Article,
    ArticleAlias,
    Author,
    Check,
    Comment,
    Decision,
    Follow,
    Import,
    Like,
    LikeKey,
    Move,
    Note,
    Past,
    Reason,
    Report,
    Revision,
    Site,
    gone_sites,
)
from .desk import Ban, Bulk, Event, Handover, Opening
from .letters import Asking, Hook, Letter, Unwanted
from .people import Attempt, Invitation, Passkey, RecoveryCode, SpentChallenge, Visit
from .screening import Feature, Judgement, Knowledge, Lesson, Phrase, SpentToken, Taught, Wave

__all__ = [
    "Article",
    "ArticleAlias",
    "Asking",
    "Attempt",
    "Author",
    "Ban",
    "Base",
    "Bulk",
    "Check",
    "Comment",
    "Decision",
    "Event",
    "Feature",
    "Follow",
    "Handover",
    "Hook",
    "Id",
    "Import",
    "Invitation",
    "Judgement",
    "Knowledge",
    "Lesson",
    "Letter",
    "Like",
    "LikeKey",
    "Move",
    "Note",
    "Opening",
    "Passkey",
    "Past",
    "Phrase",
    "Reason",
    "RecoveryCode",
    "Report",
    "Revision",
    "Site",
    "SpentChallenge",
    "SpentToken",
    "Taught",
    "UTCDateTime",
    "Unwanted",
    "Visit",
    "Wave",
    "gone_sites",
    "now",
    "one_of",
    "public_id",
]
