"""Tokens that script fetched and a comment was sent with: a second comment with one is held."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models import SpentToken
from ..rules import Policy
from ..tokens import FORM_LIFETIME
from .arrival import Arrival, Facts

KEPT = timedelta(seconds=FORM_LIFETIME)
BATCH = 1_000


def reused(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """Only a token that script fetched is known: a page's own is everybody's (hard rule 9)."""
    if arrival.token is None:
        return {}
    return {"is_reused": session.get(SpentToken, arrival.token) is not None}


def spend(session: Session, token: bytes | None, at: datetime) -> None:
    """Remembers that a comment was stored which came with a token. Takes the token's digest."""
    if token is not None and session.get(SpentToken, token) is None:
        session.add(SpentToken(digest=token, at=at))


def has_old(session: Session, at: datetime) -> bool:
    """Whether there are tokens that are no longer good, and so need not be remembered."""
    old = select(SpentToken.digest).where(SpentToken.at < at - KEPT)
    return session.scalar(old.limit(1)) is not None


def forget(session: Session, at: datetime) -> int:
    """Forgets some of them; how many."""
    old = select(SpentToken.digest).where(SpentToken.at < at - KEPT).limit(BATCH)
    digests = session.scalars(old).all()
    session.execute(delete(SpentToken).where(SpentToken.digest.in_(digests)))
    return len(digests)
