"""What the worker throws away: what was only kept for a time."""

import time

from .. import database, letters, search
from ..models import now
from ..screening import tokens

LOOKS = 3600.0  # seconds until one process looks for old letters again
_looked = {"letters": float("-inf")}


def old_letters() -> bool:
    """Removes letters that are old, a batch at a time."""
    if time.monotonic() < _looked["letters"] + LOOKS:
        return False
    ids = letters.old(database.session(), now())
    if not ids:
        _looked["letters"] = time.monotonic()
        return False
    with database.writing() as session:
        letters.forget(session, ids)
    return True


def old_tokens() -> bool:
    """Forgets spent tokens that are too old to be used again, a batch at a time."""
    if not tokens.has_old(database.session(), now()):
        return False
    with database.writing() as session:
        return tokens.forget(session, now()) > 0


def search_index() -> bool:
    """Makes SQLite's search index anew where many texts were erased from it."""
    if not search.has_grown(database.session()):
        return False
    with database.writing() as session:
        search.make_anew(session)
    return True
