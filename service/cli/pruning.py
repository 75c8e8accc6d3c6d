"""What the worker throws away: what was only kept for a time."""

from .. import database, search
from ..models import now
from ..screening import tokens


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
