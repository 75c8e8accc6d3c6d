"""The desk's word over an article or a site: closed to new comments, or each of them held.

What changes is on record as an event; asked for what is so already, nothing happens.
"""

from sqlalchemy.orm import Session

from . import events, sites
from .accounts import Moderator
from .events import What
from .models import Article, Site, now
from .text import mask_addresses


def close(session: Session, article: Article, is_closed: bool, moderator: Moderator | str) -> None:
    """Closes an article to new comments, or opens it; readers' pages of it are fetched anew."""
    if bool(article.closed_at) == is_closed:
        return
    article.closed_at = now() if is_closed else None
    article.version = Article.version + 1
    what = What.CLOSED if is_closed else What.OPENED
    events.record(session, what, moderator, _named(article), article.site_id)


def hold(session: Session, article: Article, is_held: bool, moderator: Moderator | str) -> None:
    """Has every new comment under an article wait for a moderator, or no longer."""
    if bool(article.held_at) == is_held:
        return
    article.held_at = now() if is_held else None
    what = What.HELD if is_held else What.RELEASED
    events.record(session, what, moderator, _named(article), article.site_id)


def hold_site(session: Session, site: Site, is_held: bool, moderator: Moderator) -> None:
    """The same for every article of a site."""
    sites.set_settings(session, site, {"hold_all": is_held}, moderator)


def _named(article: Article) -> str:
    return mask_addresses(article.url)
