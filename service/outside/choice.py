"""Which services outside a site has asked, and their secrets: sealed in the database with the keys
of the vault, never shown again."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import signatures
from ..accounts import Moderator
from ..events import What, record
from ..models import Decision, Knowledge, Site, now
from ..rules import kept
from ..vault import Vault


@dataclass(frozen=True)
class Akismet:
    is_on: bool = False
    key: str = field(default="", repr=False)
    tells_email: bool = False
    tells_client: bool = False  # the whole IP address; without, its network's first
    since: datetime | None = None  # what came before this is nobody's business outside


@dataclass(frozen=True)
class Hook:
    is_on: bool = False
    url: str = field(default="", repr=False)  # may be a key itself
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Choice:
    akismet: Akismet = Akismet()
    hook: Hook = Hook()

    @property
    def is_any(self) -> bool:
        return self.akismet.is_on or self.hook.is_on


def of(vault: Vault, site: Site) -> Choice:
    """What a site chose. A secret that the keys at hand do not open is "", and fails when used."""
    akismet, hook = (kept.mapping(site.screening, name) for name in ("akismet", "hook"))
    since = _text(akismet, "since")
    return Choice(
        Akismet(
            bool(akismet.get("on")),
            vault.open(f"akismet {site.id}", _text(akismet, "key")) or "",
            bool(akismet.get("email")),
            bool(akismet.get("client")),
            datetime.fromisoformat(since) if since else None,
        ),
        Hook(
            bool(hook.get("on")),
            _text(hook, "url"),
            vault.open(f"hook {site.id}", _text(hook, "secret")) or "",
        ),
    )


def _text(chosen: dict[str, Any], name: str) -> str:
    """What is no text counts as none."""
    return chosen[name] if isinstance(chosen.get(name), str) else ""


def set_akismet(
    session: Session,
    vault: Vault,
    site: Site,
    by: Moderator | str,
    *,
    is_on: bool,
    key: str = "",
    tells_email: bool = False,
    tells_client: bool = False,
) -> None:
    """Has Akismet asked, or no longer. Takes a new key; "" keeps the one there is. Raises
    ValueError where it would be asked without a key."""
    before = kept.mapping(site.screening, "akismet")
    sealed = vault.seal(f"akismet {site.id}", key) if key else before.get("key", "")
    if is_on and not sealed:
        raise ValueError("Akismet needs a key")
    since = before.get("since")
    if is_on and not before.get("on"):
        since = now().astimezone(UTC).isoformat()
        _begin_feedback(session, site)
    told = {"on": is_on, "key": sealed, "email": tells_email, "client": tells_client}
    _store(site, "akismet", told | {"since": since})
    words = [
        "on" if is_on else "off",
        *(["a new key"] if key else []),
        *(["told addresses"] if tells_email else []),
        *(["told IP addresses"] if tells_client else []),
    ]
    record(session, What.ASKED_OUTSIDE, by, f"Akismet: {', '.join(words)}", site.id)


def set_hook(
    session: Session, vault: Vault, site: Site, by: Moderator | str, *, is_on: bool, url: str = ""
) -> str:
    """Has the site's own service asked, or no longer. Takes its address; "" keeps the one there is.
    Returns the secret if one was made, to be shown this once, else "". Raises ValueError where it
    would be asked without an address."""
    before = kept.mapping(site.screening, "hook")
    url = url or before.get("url", "")
    if is_on and not url:
        raise ValueError("the hook needs an address")
    _store(site, "hook", before | {"on": is_on, "url": url})
    record(session, What.ASKED_OUTSIDE, by, f"own service: {'on' if is_on else 'off'}", site.id)
    return renew_secret(session, vault, site, by) if url and not before.get("secret") else ""


def renew_secret(session: Session, vault: Vault, site: Site, by: Moderator | str) -> str:
    """Makes a new secret for the hook in the old one's place, and returns it, to be shown once."""
    secret = signatures.new_secret()
    sealed = vault.seal(f"hook {site.id}", secret)
    _store(site, "hook", kept.mapping(site.screening, "hook") | {"secret": sealed})
    record(session, What.ASKED_OUTSIDE, by, "own service: a new secret", site.id)
    return secret


def reseal(vault: Vault, site: Site) -> None:
    """Puts a site's secrets under the newest key."""
    for name, part in (("akismet", "key"), ("hook", "secret")):
        found = kept.mapping(site.screening, name)
        if opened := vault.open(f"{name} {site.id}", _text(found, part)):
            _store(site, name, found | {part: vault.seal(f"{name} {site.id}", opened)})


def _store(site: Site, name: str, told: dict[str, Any]) -> None:
    site.screening = kept.mapping(site.screening) | {name: told}
    site.screening_version += 1


def _begin_feedback(session: Session, site: Site) -> None:
    """Decisions of before are not told."""
    known = session.get(Knowledge, site.id)
    if known is None:
        known = Knowledge(site_id=site.id)
        session.add(known)
    known.last_feedback_id = session.scalar(select(func.max(Decision.id))) or 0
