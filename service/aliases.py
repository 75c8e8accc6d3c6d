"""Where an article is, and where it was: whoever asks for an address finds what stands there now.

The one place that knows of former addresses. An address where an article stands is that article's,
whatever stood there before.
"""

from collections.abc import Iterable

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from .models import Article, ArticleAlias

PRESENT = func.coalesce(Article.merges_into_id, Article.id)


def article_at(session: Session, site_id: int, urls: Iterable[str]) -> dict[str, int]:
    """The articles of a site by canonical addresses, present or former; an address without one is
    left out. An article that is about to be one with another is that other already.

    Takes at most a few hundred addresses; asks once, and once more where some are not found.
    """
    wanted = set(urls) - {""}
    if not wanted:
        return {}
    here = select(Article.url, PRESENT).where(Article.site_id == site_id)
    found = _read(session, here.where(Article.url.in_(wanted)))
    missing = wanted - found.keys()
    if missing:
        aliases = (
            select(ArticleAlias.url, PRESENT)
            .join(Article, Article.id == ArticleAlias.article_id)
            .where(ArticleAlias.site_id == site_id, ArticleAlias.url.in_(missing))
        )
        found |= _read(session, aliases)
    return found


def lead_to(session: Session, site_id: int, article_id: int, urls: Iterable[str]) -> None:
    """Has canonical addresses lead to an article of the site, where they lead nowhere yet."""
    former = dict.fromkeys(urls)
    of_site = ArticleAlias.site_id == site_id
    led = set(
        session.scalars(select(ArticleAlias.url).where(of_site, ArticleAlias.url.in_(former)))
    )
    for url in (url for url in former if url not in led):
        session.add(ArticleAlias(site_id=site_id, article_id=article_id, url=url))
    session.flush()


def present(session: Session, article_id: int) -> int:
    """The number of the article that one is now: its own, or of the one that it became part of."""
    here = select(PRESENT).where(Article.id == article_id)
    became = (
        select(PRESENT)
        .join(ArticleAlias, Article.id == ArticleAlias.article_id)
        .where(ArticleAlias.former_id == article_id)
    )
    return session.scalar(here) or session.scalar(became.limit(1)) or article_id


def unused(session: Session) -> int | None:
    """The number from which new articles have to be numbered; None where the database does so well
    by itself. SQLite gives the newest row's number once more when that row has gone, and the links
    of what became part of another would lead to the next new article."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    former = session.scalar(
        select(func.max(ArticleAlias.former_id)).where(ArticleAlias.former_id.is_not(None))
    )
    newest = session.scalar(select(func.max(Article.id))) or 0
    return former + 1 if former is not None and former > newest else None


def _read(session: Session, wanted: Select[str, int]) -> dict[str, int]:
    return dict(session.execute(wanted).all())
