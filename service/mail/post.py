"""From whom letters come, and what is needed to send any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from ..tokens import Signer
from ..vault import Vault

NEEDED = ("MAIL_URL", "MAIL_FROM", "BASE_URL")


def lacks(settings: Mapping[str, Any]) -> str:
    """The first setting without which no letter leaves, "" if there is nothing in its way."""
    return next((name for name in NEEDED if not settings[name]), "")


@dataclass(frozen=True)
class Post:
    """What a letter is made with. Signed links are made here, while it is sent, and kept nowhere."""

    base_url: str
    sender: str  # the address
    sender_name: str  # "" for the site's
    reply_to: str
    vault: Vault = field(repr=False)
    signer: Signer = field(repr=False)
    bounces: str = ""  # where undelivered mail goes, "" for back to the sender

    @classmethod
    def of(cls, settings: Mapping[str, Any], vault: Vault, signer: Signer) -> "Post":
        name, address = parseaddr(settings["MAIL_FROM"])
        reply_to = parseaddr(settings["MAIL_REPLY_TO"])[1]
        bounces = parseaddr(settings["MAIL_BOUNCES"])[1]
        return cls(settings["BASE_URL"], address, name, reply_to, vault, signer, bounces)

    @property
    def envelope_sender(self) -> str:
        """Whom the mail server is told that mails come from (RFC 5321's reverse-path)."""
        return self.bounces or self.sender

    def url(self, path: str) -> str:
        """The whole address of one of the service's pages."""
        return f"{self.base_url}{path}"
