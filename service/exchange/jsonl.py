"""Every comment of a site with all that is on record of it, as JSON Lines; and back again.

The file goes article by article, a parent always before its replies. Addresses are left out
unless they are asked for. `ours` reads it.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ..models import Site
from ..vault import Vault
from .history import History, histories
from .windows import aliases, comments, email, utc, windows

FORMAT = "json"


def lines(session: Session, site: Site, vault: Vault | None = None) -> Iterator[str]:
    """A line for each comment. With a vault the lines have e-mails.

    Raises vault.WrongKey if an address is under a key that is not on the ring.
    """
    for ids in windows(session, site):
        past = histories(session, ids)
        rows = comments(session, ids, has_emails=bool(vault))
        former = aliases(session, {row.article_id for row in rows})
        for row in rows:
            emails = {"email": email(row, site, vault)} if vault else {}
            line = _line(row, emails, past[row.id], former[row.article_id])
            yield json.dumps(line, ensure_ascii=False) + "\n"


def _line(
    row: Row[Any], emails: dict[str, Any], history: History, aliases: list[str]
) -> dict[str, Any]:
    return {
        "id": row.public_id,
        **_origin(row, history),
        "article": row.url,
        "title": row.title,
        "author": row.name,
        "website": row.website,
        **emails,
        "kind": row.kind,
        "status": row.status,
        "created_at": utc(row.created_at),
        "text": row.text,
        "html": row.html,
        "markup": row.markup,
        "language": row.language,
        "likes": row.like_count,
        "mark": row.mark,
        "pinned_at": utc(row.pinned_at) if row.pinned_at else None,
        "edited_at": utc(row.edited_at) if row.edited_at else None,
        "is_reworded": row.is_reworded,
        "waiting_edit": _waiting_edit(row),
        "article_is_closed": row.closed_at is not None,
        "article_is_held": row.held_at is not None,
        "article_given_id": row.given_id,
        "article_aliases": aliases,
        "reasons": history.reasons,
        "decisions": history.decisions,
        "revisions": history.revisions,
    }


def _origin(row: Row[Any], history: History) -> dict[str, Any]:
    """What the comment and its parent are called, here and where they were first imported from.

    One that came by our own file under its own name was not imported from anywhere else, or its
    past knows from where.
    """
    source, source_id, source_parent = row.source, row.source_id, row.source_parent
    if source == FORMAT and (history.origin or source_id == row.public_id):
        origin = history.origin
        source, source_id, source_parent = (origin.get(k) for k in ("source", "id", "parent"))
    return {
        "source_id": source_id,
        "parent": row.parent,
        "source_parent": source_parent,
        "source": source,
    }


def _waiting_edit(row: Row[Any]) -> dict[str, str] | None:
    if row.edit_text is None or row.edit_at is None:
        return None
    return {"text": row.edit_text, "at": utc(row.edit_at)}
