"""Signed values, each good for one purpose."""

import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

FORM_LIFETIME = 24 * 3600  # seconds
AUTHOR_LIFETIME = 400 * 24 * 3600  # seconds; what browsers keep a cookie for at most (RFC 6265bis)
BUCKET_SECONDS = 3600  # a form's token is constant for an hour, so that pages can be cached
# Of the proof of work that a page does while a wave is on: one number in 4,096 will do. A slow phone
# tries some 18,000 in a second (Chromium slowed down six times): half of all are done in 0.2 s, 99 of
# 100 in 1.1 s (test_how_long_the_work_takes).
WORK_BITS = 12


class Signer:
    """Signs and reads values. Takes the secrets newest first: older ones only read."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = list(reversed(secrets))  # itsdangerous wants the oldest first

    def sign(self, purpose: str, value: Any) -> str:
        """A URL-safe token; the same value gives the same token."""
        return self._serializer(purpose).dumps(value)

    def read(self, purpose: str, token: str) -> Any | None:
        """The value, or None for anything that was not signed for this purpose."""
        try:
            return self._serializer(purpose).loads(token)
        except (BadData, ValueError):
            return None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._secrets, salt=f"rejoinder {purpose}", signer_kwargs={"key_derivation": "hmac"}
        )


def bucket(now: float | None = None) -> int:
    """The number of the hour, which a page's form token is made from."""
    return int((time.time() if now is None else now) // BUCKET_SECONDS)


@dataclass(frozen=True)
class Touched:
    """What a token tells of how a form was used; of a page's own, which many share, nothing."""

    seconds: float | None  # since script fetched it
    work: int = 0  # bits of work that were asked for then
    digest: bytes | None = None  # of what it says, for it may be spelled otherwise


@dataclass(frozen=True)
class FormTokens:
    """The tokens of a reader's form on one site and article.

    A page's token is constant for an hour, so that the page can be cached and shared. Script
    fetches one of its own when the form is touched; only that one tells how long somebody took.
    """

    signer: Signer
    site: str
    url: str

    def for_page(self) -> str:
        return self.signer.sign("form", [self.site, self.url, bucket()])

    def for_script(self, work: int = 0) -> str:
        """Takes how many bits of work the page is to do, which the token remembers."""
        asked = [work] if work else []
        nonce = secrets.token_urlsafe(12)
        return self.signer.sign("form", [self.site, self.url, time.time(), nonce, *asked])

    def read(self, token: str) -> Touched | None:
        """What the token tells, None if it is not for this form or too old."""
        value = self.signer.read("form", token)
        if not isinstance(value, list) or value[:2] != [self.site, self.url]:
            return None
        is_own = len(value) > 3
        issued_at = value[2] if is_own else value[2] * BUCKET_SECONDS
        age = time.time() - issued_at
        if age > FORM_LIFETIME:
            return None
        if not is_own:
            return Touched(None)
        return Touched(age, sum(value[4:]), hashlib.sha256(repr(value).encode()).digest())


def has_worked(token: str, number: str, bits: int) -> bool:
    """Whether a number is the proof of work for a token: SHA-256 of "TOKEN.NUMBER" begins with so
    many zero bits (Back, "Hashcash", 2002)."""
    if not re.fullmatch("[0-9]{1,15}", number):
        return False
    digest = hashlib.sha256(f"{token}.{number}".encode()).digest()
    return int.from_bytes(digest) >> (8 * len(digest) - bits) == 0


@dataclass(frozen=True)
class AuthorTokens:
    """The proof that a browser keeps after its user confirmed an address on one site (hard rule 1).

    It says whose it is by the address's blind index alone.
    """

    signer: Signer
    site: str

    def make(self, email_index: bytes) -> str:
        return self.signer.sign("author", [self.site, email_index.hex(), int(time.time())])

    def read(self, token: str) -> bytes | None:
        """The blind index of the address that was confirmed; None for a token of another site, one
        that is too old, and for anything else."""
        value = self.signer.read("author", token)
        if not isinstance(value, list) or value[:1] != [self.site]:
            return None
        is_good = time.time() - value[2] <= AUTHOR_LIFETIME
        return bytes.fromhex(value[1]) if is_good else None


@dataclass(frozen=True)
class ReceiptTokens:
    """The tokens of one form on one receipt. Takes what the form does, and the comment's id."""

    signer: Signer
    purpose: str
    public_id: str

    def for_page(self) -> str:
        return self.signer.sign(self.purpose, [self.public_id, bucket()])

    def read(self, token: str) -> Touched | None:
        """What the token tells, None if it is not for this form or too old."""
        value = self.signer.read(self.purpose, token)
        if not isinstance(value, list) or value[:1] != [self.public_id]:
            return None
        age = time.time() - value[1] * BUCKET_SECONDS
        return Touched(None) if age <= FORM_LIFETIME else None
