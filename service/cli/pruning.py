"""What the worker throws away: what was only kept for a time."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from .. import database, letters, retention, search, site_erasure
from ..exchange import arrivals
from ..follows import asking
from ..models import now
from ..screening import tokens

WRITES = 0.05  # seconds of emptying in one transaction
LOOKS = 3600.0  # seconds until one process looks for old letters again
STEPS = 20  # of one site's erasure, until the other tasks have their turn
_looked = {"letters": float("-inf")}
_erased: dict[int, int] = {}  # up to which comment of a site this process has come


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


def erase_sites() -> bool:
    """Erases what deleted sites held, in short steps, once nobody can restore them."""
    site_id = site_erasure.due(database.session(), now())
    if site_id is None:
        return False
    for _ in range(STEPS):
        if not _erase_step(site_id):
            break
    return True


def _erase_step(site_id: int) -> bool:
    """One more step; whether there is more to do."""
    reached = _erased.get(site_id, 0)
    comments = site_erasure.next_comments(database.session(), site_id, reached)
    files = site_erasure.files(database.session(), site_id)
    with database.writing() as session:
        if site_erasure.letters_next(session, site_id):
            return True
        if comments:
            site_erasure.comments_next(session, comments)
            _erased[site_id] = comments[-1]
            return True
    for name in files:
        arrivals.remove(Path(current_app.config["INSTANCE"]), name)
    with database.writing() as session:
        if site_erasure.rest_next(session, site_id):
            return True
        site_erasure.end(session, site_id)
    _erased.pop(site_id, None)
    return False


@dataclass
class Walk:
    """How far this process is in looking for texts whose time is over."""

    place: retention.Place | None = field(default_factory=retention.Place)
    found: retention.Step | None = None
    waiting: list[int] = field(default_factory=list)
    looked_at: float = float("-inf")


def refused_texts() -> bool:
    """Empties what is not published and was kept for its site's days: each turn looks at a few of
    the comments, or empties some of those that it found, in a short transaction."""
    walk: Walk = current_app.extensions.setdefault("retention", Walk())
    if time.monotonic() < walk.looked_at + LOOKS:
        return False
    if walk.waiting and walk.found:
        _blank_some(walk, walk.found)
        return True
    walk.found = retention.step(database.session(), walk.place, now()) if walk.place else None
    if walk.found is None:
        walk.place, walk.looked_at = retention.Place(), time.monotonic()
        return False
    walk.place, walk.waiting = walk.found.later, list(walk.found.ids)
    return True


def _blank_some(walk: Walk, found: retention.Step) -> None:
    began = time.monotonic()
    with database.writing() as session:
        while walk.waiting and time.monotonic() < began + WRITES:
            retention.blank(session, walk.waiting[0], found.days, found.before)
            walk.waiting.pop(0)


def old_networks() -> bool:
    """Forgets from which networks readers came, once their site's days are over."""
    if asking.has_old(database.session(), now()):
        with database.writing() as session:
            asking.forget(session, now())
    ids = retention.networks(database.session(), now())
    if not ids:
        return False
    with database.writing() as session:
        retention.forget_networks(session, ids)
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
