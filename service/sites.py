"""A publisher's websites: added, renamed, tuned, closed, deleted and restored.

Each verb puts what it changed on record, with the old and the new value, in the transaction of its
door; asked for what is so already, nothing happens. A site that is deleted is gone for everybody at
once, can be restored for 30 days, and is erased afterwards (site_erasure.py).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import events, urls
from .accounts import Membership, Moderator
from .events import What
from .models import Article, Comment, Event, Site, now
from .site_settings import SiteSettings
from .status import Mode, Role, Status

NAME_LENGTH = 200  # characters
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST_ORIGINS = 50
KEPT = timedelta(days=30)  # for which a deleted site can be restored
SHOWN = 90  # characters of a name or a text on the record: two and a name have room there
BEFORE = 20  # characters that are shown ahead of the first one that differs
DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(SiteSettings)}
WAITS: dict[str, str] = {
    Mode.HOLD_EVERY: "every reply",
    Mode.HOLD_NEW: "whoever is new",
    Mode.HOLD_CAUGHT: "only what a rule catches",
}
# What is on record about a site as a whole, in place of which a later form is not saved unseen.
CHANGES = (
    *(What.SETTING_CHANGED, What.RULE_CHANGED, What.REASONED, What.HELD, What.RELEASED),
    *(What.SITE_RENAMED, What.ORIGINS_CHANGED, What.SITE_CLOSED, What.SITE_OPENED),
)

By = Moderator | str  # who does something: a moderator, or "the operator"


# What has to go together: a change of one is checked with the others.
TOGETHER: tuple[set[str], ...] = (
    {"theme", "text_colour", "link_colour", "ground_colour"},
    {"sort", "likes"},
)


class Taken(Exception):
    """There is a site with this key already."""


class Changed(Exception):
    """Somebody else changed the site in between."""


class TooLate(Exception):
    """The site was deleted too long ago: what it held is erased."""


class Clash(ValueError):
    """Settings that do not go together: `problems` has what is wrong by the setting it is said of."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} {why}" for name, why in problems.items()))
        self.problems = problems


class NoOrigin(ValueError):
    """This is not the origin of a website; its text says what would be."""


# Readings


def find(session: Session, key: str) -> Site | None:
    """The site of a key, unless it was deleted."""
    return session.scalar(select(Site).where(Site.key == key, Site.deleted_at.is_(None)))


def is_gone(site: Site) -> bool:
    """Whether nobody is to meet the site any more."""
    return site.deleted_at is not None


def restorable_until(site: Site) -> datetime | None:
    """Until when a deleted site can be restored; None for one that is not deleted."""
    return site.deleted_at + KEPT if site.deleted_at else None


def deleted(session: Session, moderator: Moderator, at: datetime | None = None) -> Sequence[Site]:
    """The deleted sites that a moderator may still restore, the latest first."""
    found = select(Site).where(Site.deleted_at > (at or now()) - KEPT, Site.name != "")
    if not moderator.is_admin:
        held = select(Membership.site_id).where(
            Membership.moderator_id == moderator.id,
            Membership.role == Role.PUBLISHER,
            Membership.removed_at.is_(None),
        )
        found = found.where(Site.id.in_(held))
    return session.scalars(found.order_by(Site.deleted_at.desc(), Site.id)).all()


def sizes(session: Session, site: Site, most: int) -> dict[str, int]:
    """How many articles, comments and waiting comments a site has; `most` stands for any more."""
    pending = (Comment.site_id == site.id, Comment.status == Status.PENDING)
    asked = {
        "articles": select(Article.id).where(Article.site_id == site.id),
        "comments": select(Comment.id).where(Comment.site_id == site.id),
        "pending": select(Comment.id).where(*pending),
    }
    return {
        name: session.scalar(select(func.count()).select_from(some.limit(most).subquery())) or 0
        for name, some in asked.items()
    }


def staff(session: Session, site: Site) -> Sequence[tuple[Moderator, Role]]:
    """Who has a role on a site, admins first, by name."""
    found = (
        select(Moderator, Membership.role)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(Membership.removed_at.is_(None), Moderator.active)
        .where((Membership.site_id == site.id) | Membership.site_id.is_(None))
        .order_by(Membership.site_id.is_not(None), func.lower(Moderator.name), Moderator.id)
    )
    return [(moderator, role) for moderator, role in session.execute(found)]


def last_change(session: Session, site: Site) -> int:
    """The id of the latest event of a site, 0 for none: changes_since() begins behind it."""
    return session.scalar(select(func.max(Event.id)).where(Event.site_id == site.id)) or 0


def changes_since(session: Session, site: Site, event_id: int, most: int = 20) -> Sequence[Event]:
    """What was changed about a site since an event, oldest first."""
    later = (Event.site_id == site.id, Event.id > event_id, Event.what.in_(CHANGES))
    return session.scalars(select(Event).where(*later).order_by(Event.id).limit(most)).all()


# Origins


def origin_of(typed: str) -> str:
    """An origin as somebody types it, in its one spelling. Raises NoOrigin with a kind word."""
    typed = typed.strip()
    try:
        origin = urls.origin(typed if "://" in typed else f"https://{typed}")
    except urls.NotAnAddress:
        raise NoOrigin(
            f"“{typed[:100]}” is no origin; one looks like https://www.example.org."
        ) from None
    if "://" not in typed:
        raise NoOrigin(f"An origin begins with http:// or https://: {origin}")
    if typed.partition("://")[2].rstrip("/") != typed.partition("://")[2].partition("/")[0]:
        raise NoOrigin(f"An origin has no path: {origin}")
    if any(sign in typed for sign in "?#@"):
        raise NoOrigin(f"An origin is scheme and host alone: {origin}")
    return origin


def origins_of(typed: str) -> list[str]:
    """Origins, one a line. Raises NoOrigin for the first that is none, and where there are none."""
    found = sorted({origin_of(line) for line in typed.splitlines() if line.strip()})
    if not 1 <= len(found) <= MOST_ORIGINS:
        raise NoOrigin(f"Enter 1 to {MOST_ORIGINS} origins, like https://www.example.org.")
    return found


def variants(origins: Sequence[str]) -> list[str]:
    """Other origins that the same website often has too: with and without www., by http."""
    near = {near for origin in origins for near in _near(origin)}
    return sorted(near - set(origins))


def _near(origin: str) -> Iterator[str]:
    scheme, _, host = origin.partition("://")
    if ":" in host or "." not in host or host.replace(".", "").isdigit():
        return
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    if other.startswith("www.") and host.count(".") > 1:
        other = host  # a subdomain is seldom reached by www.
    yield from (f"https://{host}", f"http://{host}", f"{scheme}://{other}")


# Verbs


def add(session: Session, key: str, name: str, origins: Sequence[str], by: By) -> Site:
    """A new site. Takes its key, its name, and its origins as urls.origin writes them. Raises Taken,
    for the key of a deleted site too: pages out there may still ask for it."""
    if session.scalar(select(Site.id).where(Site.key == key)):
        raise Taken
    site = Site(key=key, name=name, origins=sorted(set(origins)))
    session.add(site)
    session.flush()
    events.record(session, What.SITE_ADDED, by, f"{name} ({', '.join(site.origins)})", site.id)
    return site


def rename(session: Session, site: Site, name: str, by: By, seen: int | None = None) -> None:
    """Another name; `seen` is the version of the site that its maker saw. Raises Changed."""
    _hold(session, site, seen)
    if site.name == name:
        return
    about = f"{_short(site.name)} → {_short(name)}"
    site.name, site.version = name, site.version + 1
    events.record(session, What.SITE_RENAMED, by, about, site.id)


def set_origins(
    session: Session, site: Site, origins: Sequence[str], by: By, seen: int | None = None
) -> None:
    """Which websites may show the site's threads, as urls.origin writes them. Raises Changed."""
    _hold(session, site, seen)
    if set(site.origins) == set(origins):
        return
    gone, come = set(site.origins) - set(origins), set(origins) - set(site.origins)
    said = [f"added {one}" for one in sorted(come)] + [f"removed {one}" for one in sorted(gone)]
    site.origins, site.version = sorted(set(origins)), site.version + 1
    for part in _rows(said, events.ABOUT_LENGTH - len(_short(site.name)) - 2):
        about = f"{_short(site.name)}: {part}"
        events.record(session, What.ORIGINS_CHANGED, by, about, site.id)


def set_settings(
    session: Session, site: Site, values: Mapping[str, Any], by: By, seen: int | None = None
) -> list[str]:
    """Gives a site other settings, checked ones; returns the names of those that changed. One that
    is as by default is not kept, so that it follows the default. Raises Changed, Clash, ValueError."""
    _hold(session, site, seen)
    before = SiteSettings.read(site.settings)
    changed = [name for name, value in values.items() if getattr(before, name) != value]
    kept = site.settings | {name: values[name] for name in values}
    site.settings = {n: v for n, v in kept.items() if v != DEFAULTS.get(n)}
    after = SiteSettings.read(site.settings)
    if clash := _clash(after, changed):
        raise Clash(clash)
    for name in changed:
        what, about = _said(site, name, getattr(before, name), getattr(after, name))
        events.record(session, what, by, about, site.id)
    if changed:
        site.version += 1  # what readers are shown may change
    if "mode" in changed:
        site.screening_version += 1  # a form of the rules that was open is not saved over it
    return changed


def close(session: Session, site: Site, is_closed: bool, by: By) -> None:
    """Closes every thread of a site to new comments, or opens them again but for those articles that
    are closed by themselves."""
    _hold(session, site)
    if bool(site.closed_at) == is_closed:
        return
    site.closed_at = now() if is_closed else None
    site.version += 1
    what = What.SITE_CLOSED if is_closed else What.SITE_OPENED
    events.record(session, what, by, site.name, site.id)


def delete(session: Session, site: Site, by: By) -> None:
    """Has a site gone for everybody. What it holds is erased after KEPT."""
    _hold(session, site)
    if is_gone(site):
        return
    site.deleted_at = now()
    site.version += 1
    events.record(session, What.SITE_DELETED, by, f"{site.name} ({site.key})", site.id)


def restore(session: Session, site: Site, by: By, at: datetime | None = None) -> None:
    """Brings a deleted site back as it was; raises TooLate."""
    _hold(session, site)
    until = restorable_until(site)
    if until is None:
        return
    if until <= (at or now()):
        raise TooLate
    site.deleted_at = None
    site.version += 1
    events.record(session, What.SITE_RESTORED, by, f"{site.name} ({site.key})", site.id)


def _clash(after: SiteSettings, changed: Collection[str]) -> Mapping[str, str]:
    """What does not go together of that which changed, or has to go with it."""
    touched = {name for group in TOGETHER if not group.isdisjoint(changed) for name in group}
    return {name: why for name, why in after.problems().items() if name in touched}


def shown(value: Any) -> str:
    """A setting's value on one line, as people write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " / ".join(str(value).splitlines())


def _said(site: Site, name: str, old: Any, new: Any) -> tuple[What, str]:
    """What is put on record of a setting that changed."""
    if name == "hold_all":
        return What.HELD if new else What.RELEASED, f"all of {_short(site.name)}"
    if name == "mode":
        return What.RULE_CHANGED, f"what waits: {WAITS.get(old, old)} → {WAITS.get(new, new)}"
    told = f"of {_short(site.name)}: {' → '.join(_apart(shown(old), shown(new)))}"
    if name == "public_reasons":
        return What.REASONED, f"reasons {told}"
    return What.SETTING_CHANGED, f"{name} {told}"


def _rows(said: Sequence[str], most: int) -> Iterator[str]:
    """What was said, in as many rows of the record as it needs. Takes the characters of one."""
    row = ""
    for one in said:
        if row and len(row) + len(one) + 2 > most:
            yield row
            row = ""
        row += f", {one}" if row else one
    yield row


def _apart(old: str, new: str) -> tuple[str, str]:
    """Two values on one line. Of long ones the part is shown from which on they differ."""
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, same - BEFORE) if max(len(old), len(new)) > SHOWN else 0
    first, second = (f"…{one[start:]}" if start else one for one in (old, new))
    return _short(first), _short(second)


def _short(value: str) -> str:
    if not value:
        return "nothing"
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"


def _hold(session: Session, site: Site, seen: int | None = None) -> None:
    """Nobody else changes the site before this transaction ends. Raises Changed where somebody did
    since its version was seen."""
    session.flush()
    session.refresh(site, with_for_update=True)
    if seen is not None and site.version != seen:
        raise Changed
