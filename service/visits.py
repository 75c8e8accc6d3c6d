"""Sessions of those who are signed in: started, seen, listed and ended, each by itself.

The cookie holds a secret, the table its digest: whoever reads the one cannot make the other, and
a session that has ended is over with the next request. That a visit was seen is written by what
somebody does (POST), at most every five minutes; looking at pages (GET) writes nothing.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from .models import Visit, now

SEEN_EVERY = timedelta(minutes=5)
KEPT = timedelta(days=90)  # after its end

FAMILIES = (
    ("Edge", r"\bEdg(e|A|iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\b(Headless)?Chrom(e|ium)/|\bCriOS/"),
    ("Safari", r"\bSafari/"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh|Mac OS X"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", "Linux"),
)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def start(session: Session, moderator_id: int, browser: str, network: str) -> str:
    """The secret of a new visit. What ended long ago is forgotten on the way."""
    long_ago = now() - KEPT
    session.execute(
        delete(Visit)
        .where(Visit.moderator_id == moderator_id)
        .where((Visit.ended_at < long_ago) | (Visit.seen_at < long_ago))
    )
    secret = secrets.token_urlsafe(24)
    session.add(
        Visit(digest=digest(secret), moderator_id=moderator_id, browser=browser, network=network)
    )
    return secret


def touch(session: Session, visit_id: int) -> None:
    """Somebody was there."""
    session.execute(update(Visit).where(Visit.id == visit_id).values(seen_at=now()))


def going_on(session: Session, moderator_id: int) -> Sequence[Visit]:
    """A person's visits that have not ended, the one seen last first."""
    return session.scalars(
        select(Visit)
        .where(Visit.moderator_id == moderator_id, Visit.ended_at.is_(None))
        .where(Visit.seen_at > now() - Visit.LASTS)
        .order_by(Visit.seen_at.desc(), Visit.id.desc())
    ).all()


def end(session: Session, moderator_id: int, visit_id: int) -> Visit | None:
    """Ends one visit of a person's own; None if there is no such one."""
    return session.scalar(
        update(Visit)
        .where(Visit.id == visit_id, Visit.moderator_id == moderator_id, Visit.ended_at.is_(None))
        .values(ended_at=now())
        .returning(Visit)
    )


def end_all(session: Session, moderator_id: int, but: int = 0) -> int:
    """Ends all visits of a person but one, if given; how many these were."""
    ended = session.scalars(
        update(Visit)
        .where(Visit.moderator_id == moderator_id, Visit.ended_at.is_(None), Visit.id != but)
        .values(ended_at=now())
        .returning(Visit.id)
    )
    return len(ended.all())


def last_seen(session: Session, moderator_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these people was last seen, as far as that is known."""
    found = session.execute(
        select(Visit.moderator_id, func.max(Visit.seen_at))
        .where(Visit.moderator_id.in_(moderator_ids))
        .group_by(Visit.moderator_id)
    )
    return {row[0]: row[1] for row in found}


def browser_of(agent: str) -> str:
    """The family of a browser and its system, which is all that is kept: "Firefox on Linux"."""
    family = next((name for name, mark in FAMILIES if re.search(mark, agent)), "")
    system = next((name for name, mark in SYSTEMS if re.search(mark, agent)), "")
    return " on ".join(filter(None, (family, system)))
