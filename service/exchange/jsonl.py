"""Every comment of a site as JSON Lines, in the order in which they were stored.

A parent always comes before its replies. Addresses are left out unless they are asked for.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session, aliased

from ..models import Article, Author, Comment, Site
from ..vault import Hidden, Vault

AT_A_TIME = 1_000


def lines(session: Session, site: Site, vault: Vault | None = None) -> Iterator[str]:
    """A line for each comment. With a vault the lines have e-mails.

    Raises vault.WrongKey if an address is under a key that is not on the ring.
    """
    rows = session.execute(_wanted(site.id, bool(vault)).execution_options(yield_per=AT_A_TIME))
    for row in rows:
        yield json.dumps(_line(row, site.id, vault), ensure_ascii=False) + "\n"


def _wanted(site_id: int, has_emails: bool) -> Select[Any]:
    parent = aliased(Comment)
    columns = (Comment.public_id, Comment.source_id, Comment.source_parent, Comment.name)
    texts = (Comment.website, Comment.kind, Comment.status, Comment.text, Comment.html)
    wanted = (
        select(*columns, *texts, Comment.created_at, Article.url, Article.title)
        .add_columns(parent.public_id.label("parent"))
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.site_id == site_id)
        .order_by(Comment.id)
    )
    if not has_emails:  # then the table of addresses is not even touched
        return wanted
    hidden = (Author.email_index, Author.email_ciphertext, Author.email_key_id)
    return wanted.add_columns(*hidden).outerjoin(Author, Author.id == Comment.author_id)


def _line(row: Row[Any], site_id: int, vault: Vault | None) -> dict[str, Any]:
    emails = {"email": _email(row, site_id, vault)} if vault else {}
    return {
        "id": row.public_id,
        "source_id": row.source_id,
        "parent": row.parent,
        "source_parent": row.source_parent,
        "article": row.url,
        "title": row.title,
        "author": row.name,
        "website": row.website,
        **emails,
        "kind": row.kind,
        "status": row.status,
        "created_at": _utc(row.created_at),
        "text": row.text,
        "html": row.html,
    }


def _email(row: Row[Any], site_id: int, vault: Vault) -> str | None:
    if row.email_index is None:
        return None
    return vault.reveal(Hidden(row.email_index, row.email_ciphertext, row.email_key_id), site_id)


def _utc(at: datetime) -> str:
    """ISO 8601 as JavaScript and Python read it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
