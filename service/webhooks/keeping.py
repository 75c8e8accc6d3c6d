"""The verbs of a site's webhooks. Each change is on record, without the address and the secret."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import events, letters, signatures
from ..accounts import Moderator
from ..models import Hook, Letter, Site, now
from ..status import HookEvent, HookShape, LetterKind, LetterState, Why
from ..text import mask_addresses
from ..vault import Vault
from . import sealed

EVENTS = tuple(HookEvent)
MOST = 20  # of a site: each costs a row for every event
FORMER_IS_GOOD = timedelta(hours=24)
TEST = "test"
BY_HAND = "again"


class TooMany(Exception):
    """The site has as many webhooks as it may have."""


class NotReplayable(Exception):
    """This call waits for its time, or what caused it was taken back."""


@dataclass(frozen=True)
class Wish:
    """What a webhook is to be like."""

    name: str
    shape: HookShape
    events: Sequence[HookEvent]
    url: str = field(default="", repr=False)  # "" keeps the one there is
    to: str = ""  # a chat's number, for Telegram


def add(
    session: Session, vault: Vault, site: Site, by: Moderator | str, wish: Wish
) -> tuple[Hook, str]:
    """A new webhook, and the secret that its calls are signed with, to be shown this once; "" for a
    chat, which knows no signatures. Raises TooMany."""
    session.execute(select(Site.id).where(Site.id == site.id).with_for_update())
    living = (Hook.site_id == site.id, Hook.removed_at.is_(None))
    if (session.scalar(select(func.count()).where(*living)) or 0) >= MOST:
        raise TooMany
    hook = Hook(site_id=site.id, name=wish.name, shape=wish.shape, events=[], sealed_url="")
    session.add(hook)
    session.flush()
    _set(vault, hook, wish)
    secret = signatures.new_secret() if wish.shape == HookShape.STANDARD else ""
    hook.sealed_secret = sealed.seal_secret(vault, hook, secret) if secret else ""
    _record(session, hook, by, "added")
    return hook, secret


def change(session: Session, vault: Vault, hook: Hook, by: Moderator | str, wish: Wish) -> None:
    """Another name, other events, another chat or address. Its shape stays."""
    _set(vault, hook, wish)
    _record(session, hook, by, "a new address" if wish.url else "changed")


def switch(session: Session, hook: Hook, by: Moderator | str, is_on: bool) -> None:
    """Has it called, or no longer; then what waits for it is called no more."""
    if hook.is_on == is_on:
        return
    hook.is_on = is_on
    if not is_on:
        letters.drop(session, Why.OFF, hook_id=hook.id)
    _record(session, hook, by, "on" if is_on else "off")


def gone(session: Session, hook: Hook) -> None:
    """Its address answered that it wants no more calls (410), so it is switched off."""
    hook.is_on = False
    letters.drop(session, Why.OFF, hook_id=hook.id)
    _record(session, hook, "worker", "off, for its address answered 410")


def remove(session: Session, hook: Hook, by: Moderator | str) -> None:
    """For good: its address and secrets go, and what was called stays in the outbox' past."""
    hook.is_on, hook.removed_at = False, now()
    hook.sealed_url = hook.sealed_secret = hook.sealed_former = hook.to = ""
    letters.drop(session, Why.OFF, hook_id=hook.id)
    _record(session, hook, by, "removed")


def rotate(session: Session, vault: Vault, hook: Hook, by: Moderator | str) -> str:
    """A new secret, to be shown this once. The one before is good for another 24 hours: calls are
    signed with both."""
    secret = signatures.new_secret()
    hook.sealed_former, hook.former_until = hook.sealed_secret, now() + FORMER_IS_GOOD
    hook.sealed_secret = sealed.seal_secret(vault, hook, secret)
    _record(session, hook, by, "a new secret")
    return secret


def ping(session: Session, hook: Hook) -> int | None:
    """Writes a call that tells of nothing but that it arrives; returns its letter's id."""
    cause = f"hook {hook.id} test {secrets.token_hex(8)}"
    about = {"event": TEST}
    return letters.write(
        session, LetterKind.HOOK, cause, hook.site_id, hook_id=hook.id, about=about
    )


def replay(session: Session, hook: Hook, letter: Letter, by: Moderator | str) -> None:
    """Has one call made once more, with the same id. Raises NotReplayable for one that was not
    tried yet, or whose cause was taken back."""
    is_tried = letter.attempts > 0
    may_again = {
        LetterState.QUEUED: is_tried,
        LetterState.DROPPED: letter.why == Why.OFF,
    }
    if not hook.is_on or not may_again.get(letter.state, True):
        raise NotReplayable
    letter.about = letter.about | {BY_HAND: True}
    letter.state, letter.why, letter.attempts, letter.due_at = LetterState.QUEUED, None, 0, now()
    about = f"{mask_addresses(hook.name)}: {letter.about.get('event', '')} {letter.id}"
    events.record(session, events.What.HOOK_REPLAYED, by, about, hook.site_id)


def is_test(letter: Letter) -> bool:
    return letter.about.get("event") == TEST


def is_by_hand(letter: Letter) -> bool:
    """Whether somebody at the desk waits for this call: whoever rests is called all the same."""
    return is_test(letter) or BY_HAND in letter.about


def reseal(session: Session, vault: Vault) -> None:
    """Puts what is sealed of all webhooks under the newest key."""
    for hook in session.scalars(select(Hook).where(Hook.removed_at.is_(None))):
        sealed.reseal(vault, hook)


def _set(vault: Vault, hook: Hook, wish: Wish) -> None:
    hook.name, hook.to = wish.name, wish.to
    hook.events = [event.value for event in EVENTS if event in wish.events]
    if wish.url:
        hook.sealed_url = sealed.seal_url(vault, hook, wish.url)


def _record(session: Session, hook: Hook, by: Moderator | str, said: str) -> None:
    about = f"{mask_addresses(hook.name)}: {said}"
    events.record(session, events.What.HOOK_CHANGED, by, about, hook.site_id)
