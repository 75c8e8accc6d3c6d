"""Who guesses passwords waits longer and longer; the rightful person does not wait for them.

Failures count per account and place. A place is a network or, for a browser that has signed in to
this account before, that browser alone: nobody else's guesses make its owner wait (OWASP,
"Slow down online guessing attacks with device cookies"). When many networks guess at one account,
each gets fewer free tries; none is ever shut out for what others do. An address without an account
is an account like any other here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .models import Attempt

FREE = 5  # tries of one place before it waits
FREE_IN_A_STORM = 2
STORM = 20  # failures of an account within an hour, of all networks together
STORM_LASTS = timedelta(hours=1)
SHORTEST = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=24)
KNOWN = "browser "  # how a place begins that is a browser which has signed in before


@dataclass(frozen=True)
class Try:
    """Whether somebody may try. Seconds to wait, 0 if they may; then what a failure costs."""

    wait: int
    next_wait: int = 0


def delay(failures: int, free: int = FREE) -> timedelta:
    """How long a place waits after so many failures in a row."""
    if failures < free:
        return timedelta()
    doubled: int = 2 ** min(failures - free, 10)
    return min(SHORTEST * doubled, LONGEST)


def take(session: Session, account: bytes, place: str, at: datetime) -> Try:
    """Counts a try as a failure before it is looked at, so that many at once win nothing;
    `forgive` takes it back. A try that has to wait counts for nothing."""
    session.execute(delete(Attempt).where(Attempt.last_at < at - FORGOTTEN))
    row = _row(session, account, place, at)
    free = FREE_IN_A_STORM if _is_stormy(session, account, place, at) else FREE
    left = row.last_at + delay(row.failures, free) - at
    if left > timedelta():
        return Try(ceil(left.total_seconds()))
    row.failures += 1
    row.last_at = at
    return Try(0, ceil(delay(row.failures, free).total_seconds()))


def forgive(session: Session, account: bytes, place: str) -> None:
    """The try was right: this place begins anew."""
    session.execute(delete(Attempt).where(Attempt.account == account, Attempt.place == place))


def _row(session: Session, account: bytes, place: str, at: datetime) -> Attempt:
    """The row of an account and place, made if it is missing, held until the door commits."""
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[
        session.get_bind().dialect.name
    ]
    new = insert(Attempt).values(account=account, place=place, failures=0, last_at=at)
    session.execute(new.on_conflict_do_nothing())
    return session.get_one(Attempt, (account, place), with_for_update=True)


def _is_stormy(session: Session, account: bytes, place: str, at: datetime) -> bool:
    """Whether many guess at this account. What known browsers do is no sign of it, nor theirs."""
    if place.startswith(KNOWN):
        return False
    counted = select(func.coalesce(func.sum(Attempt.failures), 0)).where(
        Attempt.account == account,
        Attempt.last_at > at - STORM_LASTS,
        Attempt.place.not_like(f"{KNOWN}%"),
    )
    return session.scalar(counted) >= STORM  # type: ignore[operator]  # never None
