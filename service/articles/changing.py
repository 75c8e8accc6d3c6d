"""An article's title and address, changed by a publisher."""

from collections.abc import Iterable

from sqlalchemy import String, cast, delete, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import events, urls
from ..accounts import Moderator
from ..events import What
from ..models import Article, ArticleAlias, Site
from ..text import mask_addresses

BY_NUMBER = "#"  # and a number, in an address's place: no address looks like this
SAID = 140  # characters of an address on record, so that two of them find a place


class SamePlace(Exception):
    """The article is there already."""


class OutsideOrigins(Exception):
    """The address is on no website of the site's; its origin has to be added first."""


class ElsewhereTaken(Exception):
    """Another article stands there; holds its address. The two can be made into one."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


def rename(session: Session, article: Article, title: str, by: Moderator | str) -> None:
    """Gives an article its title; a publisher's word proves it (hard rule 10). Without one its
    address stands in its place."""
    if (article.title, article.is_title_proved) == (title, bool(title)):
        return
    about = f"{named(article.url)}: “{mask_addresses(article.title)[:60]}” → “{title[:60]}”"
    article.title, article.is_title_proved = title, bool(title)
    article.version = Article.version + 1
    events.record(session, What.RENAMED, by, about, article.site_id)


def move(session: Session, article: Article, url: str, by: Moderator | str) -> None:
    """Gives an article another address, a canonical one; the old one leads to it from now on.

    An address that led to another article leads to this one. Raises SamePlace, OutsideOrigins, and
    ElsewhereTaken.
    """
    # At once as the last change here needs it: a reader who writes has the row already, for less.
    session.refresh(article, with_for_update={"of": Article})
    site = session.get_one(Site, article.site_id)
    if url == article.url:
        raise SamePlace
    if not urls.is_within(url, site.origins):
        raise OutsideOrigins
    there = select(Article.id).where(Article.site_id == site.id, Article.url == url)
    if session.scalar(there):
        raise ElsewhereTaken(url)
    old = article.url
    article.version = max(article.version, version_at(session, site.id, url)) + 1
    free(session, site.id, [url])
    article.url = url
    try:
        session.flush()
    except IntegrityError:  # somebody wrote there at this moment
        raise ElsewhereTaken(url) from None
    keep(session, article, old)
    events.record(session, What.MOVED, by, from_to(old, url), site.id)


def keep(session: Session, article: Article, url: str, former_id: int | None = None) -> None:
    """Has a former address lead to an article. Takes the number of the article that stood there, if
    that was another."""
    free(session, article.site_id, [url])
    session.add(
        ArticleAlias(site_id=article.site_id, article_id=article.id, url=url, former_id=former_id)
    )
    session.flush()


def version_at(session: Session, site_id: int, url: str) -> int:
    """The version that readers of this address have seen, where it led to another article: what
    stands there next has a higher one, or caches would take the two for the same."""
    led_to = (
        select(Article.version)
        .join(ArticleAlias, ArticleAlias.article_id == Article.id)
        .where(ArticleAlias.site_id == site_id, ArticleAlias.url == url)
    )
    return session.scalar(led_to) or 0


def from_to(old: str, new: str) -> str:
    """Two addresses on record, the beginnings of long ones."""
    return f"{named(old)} → {named(new)}"


def named(url: str) -> str:
    """An address on record: nobody's e-mail address in it, and not too long."""
    masked = mask_addresses(url)
    return masked if len(masked) <= SAID else f"{masked[: SAID - 1]}…"


def free(session: Session, site_id: int, urls: Iterable[str]) -> None:
    """Has former addresses lead nowhere. What led there by an article's number still does: links in
    letters name it."""
    leads = (ArticleAlias.site_id == site_id, ArticleAlias.url.in_(list(urls)))
    number = literal(BY_NUMBER) + cast(ArticleAlias.former_id, String)
    kept = update(ArticleAlias).where(*leads, ArticleAlias.former_id.is_not(None))
    without = {"synchronize_session": False}
    session.execute(kept.values(url=number).execution_options(**without))
    session.execute(delete(ArticleAlias).where(*leads).execution_options(**without))
