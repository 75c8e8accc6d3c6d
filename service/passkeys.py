"""Passkeys (WebAuthn): keys of a person's devices that sign in by themselves.

The device asks its owner for a finger, a face or a PIN each time, so a passkey is both steps at
once. What is kept of one is public.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from .models import Passkey, SpentChallenge, now
from .vault import Vault

NAME_LENGTH = 80
MOST = 20  # of one person
CEREMONY = timedelta(minutes=5)  # in which a passkey has to answer


class Refused(Exception):
    """This passkey could not be checked."""


@dataclass(frozen=True)
class Signed:
    """A challenge that a key answered, and how often the key has been used."""

    moderator_id: int
    key_id: int
    count: int
    challenge: str


@dataclass(frozen=True)
class Ceremony:
    """What a browser is asked, and what was kept to check its answer by."""

    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def to_add(self, vault: Vault, moderator_id: int, name: str, keys: Sequence[Passkey]) -> Any:
        """The options for a new passkey, and the challenge in them."""
        options = webauthn.generate_registration_options(
            rp_id=self.host,
            rp_name="Rejoinder",
            user_id=vault.digest("passkey owner", str(moderator_id)),
            user_name=name,
            user_display_name=name,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=k.credential) for k in keys],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return json.loads(webauthn.options_to_json(options))

    def to_sign_in(self) -> Any:
        """The options for signing in with any passkey that the browser has for us."""
        options = webauthn.generate_authentication_options(
            rp_id=self.host, user_verification=UserVerificationRequirement.REQUIRED
        )
        return json.loads(webauthn.options_to_json(options))

    def added(self, moderator_id: int, challenge: str, answer: str, name: str) -> Passkey:
        """The new passkey, not yet stored; raises Refused."""
        try:
            verified = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise Refused from error
        return Passkey(
            moderator_id=moderator_id,
            credential=verified.credential_id,
            public_key=verified.credential_public_key,
            count=verified.sign_count,
            name=name[:NAME_LENGTH],
        )

    def signed(self, key: Passkey, challenge: str, answer: str) -> Signed:
        """What the key signed, if it is this challenge; raises Refused."""
        try:
            verified = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise Refused from error
        return Signed(key.moderator_id, key.id, verified.new_sign_count, challenge)


def of(session: Session, moderator_id: int) -> Sequence[Passkey]:
    """A person's passkeys, oldest first."""
    return session.scalars(
        select(Passkey).where(Passkey.moderator_id == moderator_id).order_by(Passkey.id)
    ).all()


def named_in(session: Session, answer: str) -> Passkey | None:
    """The passkey that a browser's answer is about."""
    try:
        credential = base64url_to_bytes(str(json.loads(answer)["id"]))
    except (ValueError, KeyError, TypeError):
        return None
    return session.scalar(select(Passkey).where(Passkey.credential == credential))


def spend(session: Session, challenge: str) -> None:
    """Uses a challenge up; raises Refused if it was. A cookie cannot: whoever kept a copy of it and
    of the answer would come in again."""
    session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at < now()))
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[
        session.get_bind().dialect.name
    ]
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    # Kept for longer than it is asked about: clocks of several machines differ a little.
    spent = insert(SpentChallenge).values(digest=digest, expires_at=now() + 2 * CEREMONY)
    new = spent.on_conflict_do_nothing().returning(SpentChallenge.digest)
    if session.scalar(new) is None:
        raise Refused


def use(session: Session, signed: Signed) -> None:
    """That a key has answered a challenge, which it does once; raises Refused."""
    spend(session, signed.challenge)
    key = session.get_one(Passkey, signed.key_id)
    key.count = signed.count
    key.used_at = now()


def remove(session: Session, moderator_id: int, key_id: int) -> str | None:
    """Takes a passkey of a person's own away; its name, None if there is none."""
    return session.scalar(
        delete(Passkey)
        .where(Passkey.id == key_id, Passkey.moderator_id == moderator_id)
        .returning(Passkey.name)
    )


def remove_all(session: Session, moderator_id: int) -> None:
    session.execute(delete(Passkey).where(Passkey.moderator_id == moderator_id))


def id_of(key: Passkey) -> str:
    return bytes_to_base64url(key.credential)
