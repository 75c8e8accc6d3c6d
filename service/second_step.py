"""The second step of signing in: a code of an authenticator app, or one of ten recovery codes.

The app's secret is encrypted at rest (Flask-Security's Totp, with a key made of INDEX_KEY, which
never changes), recovery codes are kept as keyed digests. Each code works once.
"""

import io
import secrets
import time
from types import SimpleNamespace
from typing import Any

import segno
from flask_security.totp import Totp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from .accounts import Moderator
from .models import Passkey, RecoveryCode, now
from .vault import Vault

ISSUER = "Rejoinder"
WINDOW = 30  # seconds that clocks may differ; RFC 6238, 5.2
CODES = 10
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no 0 o 1 l


class _Once(Totp):
    """Knows which code was used last: one that was seen over a shoulder is no use (RFC 6238, 5.2)."""

    def get_last_counter(self, user: Any) -> int | None:
        return user.last if user.last is None else int(user.last)

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.counter = tmatch.counter


def clock() -> float:
    """The time that codes are made of, in seconds."""
    return time.time()


def _totp(vault: Vault) -> _Once:
    made = _Once({"1": vault.digest("totp", "").hex()}, ISSUER)
    made._totp.now = staticmethod(lambda: clock())  # as TOTP.using(now=…) does
    return made


def new_secret(vault: Vault) -> str:
    """A secret for an app, encrypted."""
    return str(_totp(vault).generate_totp_secret())


def spelt(vault: Vault, secret: str) -> str:
    """The secret to be typed into an app."""
    return str(_totp(vault).get_totp_pretty_key(secret))


def picture(vault: Vault, secret: str, name: str) -> bytes:
    """The same as a QR code, in SVG: dark on light, as cameras want it, whatever the page's colours."""
    made = io.BytesIO()
    uri = _totp(vault).get_totp_uri(name, secret)
    # Sizes by attributes, without style or script: the page's policy forbids both.
    segno.make(uri, micro=False).save(
        made, kind="svg", scale=5, border=4, light="#fff", dark="#000", title=None
    )
    return made.getvalue()


def counter(vault: Vault, secret: str, code: str, last: int | None) -> int | None:
    """Which of the app's codes this is; None for a wrong, old or used one. Slow: not for inside a
    write transaction."""
    known = SimpleNamespace(last=last, counter=None)
    digits = "".join(code.split())
    if not digits.isascii() or not digits.isdigit():
        return None
    matched = _totp(vault).verify_totp(digits, secret, known, WINDOW)  # type: ignore[arg-type]
    return known.counter if matched else None


def use(session: Session, moderator_id: int, counter: int) -> bool:
    """Uses a code up; whether it was still good."""
    used = session.scalar(
        update(Moderator)
        .where(Moderator.id == moderator_id)
        .where(or_(Moderator.totp_counter.is_(None), Moderator.totp_counter < counter))
        .values(totp_counter=counter)
        .returning(Moderator.id)
    )
    return used is not None


def switch_on(session: Session, moderator_id: int, secret: str, counter: int) -> None:
    session.execute(
        update(Moderator)
        .where(Moderator.id == moderator_id)
        .values(totp_secret=secret, totp_counter=counter)
    )


def switch_off(session: Session, moderator_id: int) -> bool:
    """Takes the app away; whether there was one."""
    found = session.scalar(
        update(Moderator)
        .where(Moderator.id == moderator_id, Moderator.totp_secret.is_not(None))
        .values(totp_secret=None, totp_counter=None)
        .returning(Moderator.id)
    )
    tidy(session, moderator_id)
    return found is not None


def is_set(session: Session, moderator: Moderator) -> bool:
    """Whether a password alone does not sign this person in: they have an app, or a passkey."""
    keys = select(Passkey.id).where(Passkey.moderator_id == moderator.id)
    return bool(moderator.totp_secret) or session.scalar(keys.limit(1)) is not None


def with_one(session: Session, moderator_ids: list[int]) -> set[int]:
    """Which of these people have a second step."""
    apps = select(Moderator.id).where(Moderator.totp_secret.is_not(None))
    keys = select(Passkey.moderator_id)
    return set(session.scalars(apps.where(Moderator.id.in_(moderator_ids)))) | set(
        session.scalars(keys.where(Passkey.moderator_id.in_(moderator_ids)))
    )


# Recovery codes


def new_codes(session: Session, vault: Vault, moderator_id: int) -> list[str]:
    """Ten codes in place of all earlier ones, shown now and never again."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id))
    codes = [_code() for _ in range(CODES)]
    session.add_all(
        RecoveryCode(moderator_id=moderator_id, digest=_digest(vault, moderator_id, code))
        for code in codes
    )
    return codes


def use_code(session: Session, vault: Vault, moderator_id: int, typed: str) -> bool:
    """Uses a recovery code up; whether it was one."""
    used = session.scalar(
        update(RecoveryCode)
        .where(RecoveryCode.moderator_id == moderator_id, RecoveryCode.used_at.is_(None))
        .where(RecoveryCode.digest == _digest(vault, moderator_id, typed))
        .values(used_at=now())
        .returning(RecoveryCode.id)
    )
    return used is not None


def codes_left(session: Session, moderator_id: int) -> int:
    left = select(func.count()).where(
        RecoveryCode.moderator_id == moderator_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(left) or 0


def tidy(session: Session, moderator_id: int) -> None:
    """Without a second step there is nothing that a recovery code could stand in for."""
    session.flush()
    if not with_one(session, [moderator_id]):
        session.execute(delete(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id))


def _code() -> str:
    """50 random bits, in two groups that can be read aloud."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"{drawn[:5]}-{drawn[5:]}"


def _digest(vault: Vault, moderator_id: int, typed: str) -> bytes:
    bare = "".join(character for character in typed.casefold() if character.isalnum())
    return vault.digest("recovery code", f"{moderator_id} {bare}")
