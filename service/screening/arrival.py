"""A new comment as the parts of history are asked about it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..models import Article, Ban
from .filter import Score

Facts = dict[str, Any]  # some fields of History by their names


@dataclass(frozen=True)
class Arrival:
    """A comment that is about to be judged, as far as the database is asked about it."""

    site_id: int
    article: Article | None  # None: nobody has written there before
    name: str
    text: str
    text_digest: bytes  # keyed, of its words
    at: datetime  # what came later than this is not looked at
    email_index: bytes | None = field(default=None, repr=False)  # blind, of the address typed
    network: str = ""
    ban: Ban | None = None  # that catches it
    is_proved: bool = False  # it carries proof of its author (hard rule 1)
    token: bytes | None = None  # digest of the one that script fetched; None for a page's own
    own_id: int | None = None  # of the comment, where it is stored already
    score: Score | None = None  # what the filter said of it, asked before
