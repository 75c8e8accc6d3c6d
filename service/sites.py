"""A publisher's websites: added."""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import events
from .accounts import Moderator
from .events import What
from .models import Site

NAME_LENGTH = 200  # characters
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Taken(Exception):
    """There is a site with this key already."""


def add(session: Session, key: str, name: str, origins: Sequence[str], by: Moderator | str) -> Site:
    """A new site. Takes its key, its name, and its origins as urls.origin writes them. Raises Taken."""
    if session.scalar(select(Site.id).where(Site.key == key)):
        raise Taken
    site = Site(key=key, name=name, origins=sorted(set(origins)))
    session.add(site)
    session.flush()
    events.record(session, What.SITE_ADDED, by, f"{name} ({', '.join(site.origins)})", site.id)
    return site
