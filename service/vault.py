"""Hidden e-mail addresses: encrypted at rest, found by a keyed blind index, shown masked.

AES-256-GCM, bound to the row it stands in; HMAC-SHA256 for the index. Nothing here is reversible
without the keys, and no digest of an address without a key is ever made.
"""

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from email_validator import EmailNotValidError, validate_email

GMAIL = ("gmail.com", "googlemail.com")
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: a random 96-bit nonce


class WrongKey(Exception):
    """The keys given do not open what is stored."""


@dataclass(frozen=True)
class Hidden:
    """An address as it is stored: never printable, never comparable but by its index."""

    index: bytes
    ciphertext: bytes
    key_id: str
    domain_index: bytes | None = None  # of the part behind the @; what domain bans look for


def normal(address: str) -> str:
    """The one spelling under which an address is found again (DESIGN.md, "The blind index").

    Where email-validator refuses, as it does for much of what imports bring, the address is
    trimmed, NFC, case-folded and its domain brought to ASCII.
    """
    trimmed = unicodedata.normalize("NFC", address.strip())
    try:
        return validate_email(trimmed, check_deliverability=False).normalized.casefold()
    except EmailNotValidError:
        local, at, domain = trimmed.casefold().rpartition("@")
        with suppress(UnicodeError):  # an impossible domain stays as it was written
            domain = domain.encode("idna").decode()
        return local + at + domain


def mailbox(address: str) -> str:
    """One spelling for what arrives in the same mailbox, as far as an address tells: without what
    stands behind a + (RFC 5233), in letters of usual width, and at Gmail without the dots that it
    does not look at (support.google.com/mail/answer/7436150). Only to count by: two people may
    share it where a provider has other customs."""
    local, at, domain = normal(address).rpartition("@")
    plain = unicodedata.normalize("NFKC", local).casefold()
    plain = plain.partition("+")[0] or plain
    if domain in GMAIL:
        plain, domain = plain.replace(".", ""), GMAIL[0]
    return plain + at + domain


def domain(address: str) -> str:
    """The part behind an address's last @, as it is found again: in ASCII (IDNA), case-folded, no
    dot at its end; "" if there is none."""
    return _domain(normal(address)) if "@" in address else ""


def _domain(spelled: str) -> str:
    name = spelled.rpartition("@")[2].rstrip(".")
    with suppress(UnicodeError):  # an impossible one stays as it was written
        return name.encode("idna").decode().lower()
    return name


def mask_domain(name: str) -> str:
    """ "example.org" as moderators see a banned domain: "e…e.org"."""
    rest, dot, top = name.rpartition(".")
    if not dot:
        return f"{name[:1]}…"
    last = rest[-1] if len(rest) > 3 else ""  # of a short one nothing would be hidden
    return f"{rest[:1]}…{last}.{top}"


def mask(address: str) -> str:
    """ "jane@example.org" as moderators see it unasked: "j…@e…"; enough to tell two apart at most."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain[:1]}…"


class Vault:
    """Hides and reveals addresses. Takes the key ring, newest key first, and the index key."""

    def __init__(self, email_keys: Sequence[bytes], index_key: bytes) -> None:
        self._keys = {_key_id(key): AESGCM(key) for key in email_keys}
        self.newest = _key_id(email_keys[0])
        self._index_key = index_key

    def has_key(self, key_id: str) -> bool:
        """Whether what was hidden under this key can be revealed."""
        return key_id in self._keys

    def index(self, address: str) -> bytes:
        """The blind index of an address."""
        return self._digest("address", normal(address))

    def mailbox_index(self, address: str) -> bytes:
        """The blind index of an address's mailbox: that of the address itself where nothing is
        added to it."""
        return self._digest("address", mailbox(address))

    def domain_index(self, address: str) -> bytes:
        """The blind index of an address's domain; one of its own for addresses without any."""
        return self._digest("domain", domain(address))

    def mark(self, name: str) -> bytes:
        """What an author's picture is drawn from: the name they show, never their address."""
        return self._digest("mark", name)

    def digest(self, purpose: str, value: str) -> bytes:
        """A keyed digest of something that is no address: repeated words, a network."""
        return self._digest(f"other {purpose}", value)

    def words(self, typed: str) -> bytes:
        """A keyed digest of what was said, whatever its capitals and spaces."""
        return self.digest("words", " ".join(typed.casefold().split()))

    def check(self) -> bytes:
        """A value that tells whether a database was written with these keys."""
        return self._digest("check", "rejoinder")

    def hide(self, address: str, site_id: int, spelled: str = "") -> Hidden:
        """Seals an address for a site, with the newest key. Takes its normal form where that is known:
        it takes longer to find than all the rest."""
        spelled = spelled or normal(address)
        sealed = self._seal(address.strip(), self._digest("address", spelled), site_id)
        name = _domain(spelled) if "@" in address else ""
        return replace(sealed, domain_index=self._digest("domain", name))

    def renew(self, hidden: Hidden, site_id: int) -> Hidden:
        """The same address under the newest key. The index stays: a library's newer idea of a
        normal form may not orphan the row. Raises WrongKey."""
        renewed = self._seal(self.reveal(hidden, site_id), hidden.index, site_id)
        return replace(renewed, domain_index=hidden.domain_index)

    def _seal(self, address: str, index: bytes, site_id: int) -> Hidden:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.newest].encrypt(
            nonce, address.strip().encode(), _row(site_id, index)
        )
        return Hidden(index, nonce + sealed, self.newest)

    def reveal(self, hidden: Hidden, site_id: int) -> str:
        """The address; raises WrongKey if it was hidden by a key not on the ring, or tampered with."""
        nonce, sealed = hidden.ciphertext[:NONCE_BYTES], hidden.ciphertext[NONCE_BYTES:]
        try:
            return (
                self._keys[hidden.key_id]
                .decrypt(nonce, sealed, _row(site_id, hidden.index))
                .decode()
            )
        except (KeyError, InvalidTag):
            raise WrongKey(hidden.key_id) from None

    def seal(self, purpose: str, value: str) -> str:
        """Something that a form carries and nobody may read, the one who sends it included."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.newest].encrypt(nonce, value.encode(), _form(purpose))
        return f"{self.newest}{(nonce + sealed).hex()}"

    def open(self, purpose: str, sealed: str) -> str | None:
        """What was sealed for this purpose; None for anything else."""
        key_id, told = sealed[:8], sealed[8:]
        try:
            raw = bytes.fromhex(told)
            opened = self._keys[key_id].decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], _form(purpose)
            )
        except (KeyError, ValueError, InvalidTag):
            return None
        return opened.decode()

    def _digest(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self._index_key, f"{purpose}\0{value}".encode(), "sha256")


def _row(site_id: int, index: bytes) -> bytes:
    """Binds a ciphertext to its row, so that a copied one does not open elsewhere."""
    return f"author {site_id} ".encode() + index


def _form(purpose: str) -> bytes:
    """No row's ciphertext opens as a form's, nor the other way round."""
    return f"form {purpose}".encode()


def _key_id(key: bytes) -> str:
    """Names a key without telling anything about it."""
    return hashlib.sha256(b"rejoinder key id\0" + key).hexdigest()[:8]
