"""A site's comments on their way out, some at a time, article by article.

A parent always comes before its replies: whatever is answered was stored first. What is about to be
one article is one here already.
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session, aliased

from ..aliases import PRESENT
from ..models import Article, ArticleAlias, Author, Comment, Site
from ..vault import Hidden, Vault

AT_A_TIME = 1_000


class Around(str):
    """A piece of a file that is no comment: its head, its foot, an article."""


def windows(session: Session, site: Site) -> Iterator[Sequence[int]]:
    """The comments' ids, so many at a time. All of them together take 8 bytes each."""
    wanted = select(Comment.id).where(Comment.site_id == site.id)
    of_site = Article.site_id == site.id
    merging = select(Article.id).where(of_site, Article.merges_into_id.is_not(None)).limit(1)
    if session.scalar(merging):  # seldom; and then there is no index for the order
        joined = wanted.join(Article, Article.id == Comment.article_id)
        ordered = joined.order_by(PRESENT, Comment.id)
    else:
        ordered = wanted.order_by(Comment.article_id, Comment.id)
    ids = array("q", session.scalars(ordered.execution_options(yield_per=10 * AT_A_TIME)))
    for start in range(0, len(ids), AT_A_TIME):
        yield ids[start : start + AT_A_TIME]


def comments(session: Session, ids: Sequence[int], has_emails: bool) -> list[Row[Any]]:
    """A row for each comment of a window, in its order: the comment's columns, `url`, `title`,
    `closed_at`, `held_at` and `given_id` of its article, `parent` (a public id), and what `email`
    reads where that is asked for."""
    rows = {row.id: row for row in session.execute(_wanted(ids, has_emails))}
    return [rows[id] for id in ids if id in rows]


def _wanted(ids: Sequence[int], has_emails: bool) -> Select[Any]:
    parent, present = aliased(Comment), aliased(Article)
    columns: tuple[Any, ...] = (
        *(Comment.id, Comment.public_id, present.id.label("article_id"), Comment.parent_id),
        *(Comment.source, Comment.source_id, Comment.source_parent),
        *(Comment.name, Comment.website, Comment.kind, Comment.status, Comment.created_at),
        *(Comment.text, Comment.html, Comment.markup, Comment.language, Comment.like_count),
        *(Comment.mark, Comment.pinned_at, Comment.edited_at, Comment.is_reworded),
        *(Comment.edit_text, Comment.edit_at, present.url, present.title, present.closed_at),
        *(present.held_at, present.given_id),
    )
    wanted = (
        select(*columns, parent.public_id.label("parent"))
        .join(Article, Article.id == Comment.article_id)
        .join(present, present.id == PRESENT)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.id.in_(ids))
    )
    if not has_emails:  # then the table of addresses is not even touched
        return wanted
    hidden = (Author.email_index, Author.email_ciphertext, Author.email_key_id)
    return wanted.add_columns(*hidden).outerjoin(Author, Author.id == Comment.author_id)


def aliases(session: Session, articles: Collection[int]) -> dict[int, list[str]]:
    """The former addresses of whichever of these articles is asked for, the oldest first."""
    found: dict[int, list[str]] = defaultdict(list)
    wanted = select(ArticleAlias.article_id, ArticleAlias.url).order_by(ArticleAlias.id)
    for row in session.execute(wanted.where(ArticleAlias.article_id.in_(articles))):
        found[row.article_id].append(row.url)
    gone = select(Article.merges_into_id, Article.url).where(Article.merges_into_id.in_(articles))
    for into, url in session.execute(gone.order_by(Article.id)):
        found[into or 0].append(url)
    return found


def email(row: Row[Any], site: Site, vault: Vault) -> str | None:
    """The address that a comment came with. Raises vault.WrongKey."""
    if row.email_index is None:
        return None
    return vault.reveal(Hidden(row.email_index, row.email_ciphertext, row.email_key_id), site.id)


def utc(at: datetime) -> str:
    """ISO 8601 as JavaScript and Python read it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
