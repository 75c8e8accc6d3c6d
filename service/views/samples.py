"""A thread that is made up, so that a publisher sees their settings before anybody has written.

It stands under the sample page at the desk, of each site one: an address of our own, known by itself.
Nothing can be stored there, so its page makes no article.
"""

from datetime import UTC, datetime

from flask import url_for

from .. import text, urls
from ..status import Kind, Mark
from ..threads import Shown, Thread
from .here import served_at


def address(key: str) -> str:
    """Where the sample page of a site is."""
    return served_at() + url_for("desk.embed_sample", key=key)


def is_sample(url: str, key: str) -> bool:
    """Whether a canonical address is that of the site's sample page."""
    try:
        return url.endswith("/sample") and url == urls.canonical(address(key))
    except urls.NotAnAddress:
        return False


def thread(sort: str) -> Thread:
    """Three comments by nobody, in the order that is asked for."""
    ada = _said("sample1", "Ada", "I walked out there *last winter*. The stairs are worth it.", 1)
    ada.like_count = 3
    ada.replies = [_said("sample2", "The author", "So is the view: thank you.", 2)]
    ada.replies[0].mark = Mark.AUTHOR
    grace = _said("sample3", "Grace", "When is it open?\n\n> worth it\n\nI have small children.", 3)
    shown = [grace, ada] if sort == "newest" else [ada, grace]
    return Thread(count=3, version=0, comments=shown, earlier=None, later=None)


def _said(id: str, name: str, typed: str, hour: int) -> Shown:
    at = datetime(2026, 3, 1, 8 + hour, 30, tzinfo=UTC)
    return Shown(id, name, "", str(text.render(typed)), at, Kind.COMMENT)
