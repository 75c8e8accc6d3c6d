"""Many at the same time: in a module of its own, so that another process can run it too."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.database import Database
from service.models import Comment
from service.rules import Policy
from service.screening import waves
from service.status import Status


def arrive(session: Session, site_id: int, article_id: int, at: datetime, **said: Any) -> Comment:
    """A comment is stored, and nobody has looked yet whether it is part of a wave."""
    told = {"name": "Ann", "text": "Words.", "html": "<p>Words.</p>", "renderer": 1}
    here = {"site_id": site_id, "article_id": article_id, "created_at": at}
    comment = Comment(**{"status": Status.PENDING, **told, **here, **said})
    session.add(comment)
    session.flush()
    return comment


def arrive_apart(url: str, site_id: int, article_id: int, at: datetime) -> None:
    """One more comes in by another process, which watches."""
    opened = Database(url, waiting_writers=50)
    with opened.writing() as session:
        waves.watch(session, arrive(session, site_id, article_id, at), Policy())
    opened.dispose()
