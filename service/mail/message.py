"""A letter as a mail (RFC 5322): its headers, from which nothing that people typed can break out,
and its two parts."""

import unicodedata
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy

from email_validator import validate_email

from ..models import Letter
from .contents import Contents
from .kinds import Recipient
from .post import Post


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of ours that stays on one line (RFC 5322, 2.1.1, allows 998 characters): Python would
    spell a long address in encoded words, and then it is none to those who look for it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references", "list-unsubscribe"):
    _HEADERS.map_to_type(_name, _Whole)
# Seven bits: not every server on the way takes eight.
POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)
LONGEST_SUBJECT = 150  # characters
LONGEST_NAME = 80
LONGEST_ADDRESS = 400
JOINERS = "\u200c\u200d"  # part of how Persian, and many an emoji, is written


class Unsendable(Exception):
    """The address is none that a mail can bear."""


def build(
    post: Post,
    site_name: str,
    letter: Letter,
    recipient: Recipient,
    contents: Contents,
    plain: str,
    html: str,
    at: datetime,
    language: str = "en",
) -> EmailMessage:
    """The mail. Takes its parts as rendered, the moment it is sent, and the language of its words;
    raises Unsendable."""
    mail = empty(post, site_name, recipient, contents.subject, letter.message_id, at)
    if contents.conversation and contents.conversation != letter.message_id:
        mail["In-Reply-To"] = contents.conversation
        mail["References"] = contents.conversation
    if contents.leave_url:
        mail["List-Unsubscribe"] = f"<{contents.leave_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    mail["Content-Language"] = language
    return mail


def empty(
    post: Post, site_name: str, recipient: Recipient, subject: str, message_id: str, at: datetime
) -> EmailMessage:
    """A mail with the headers that each has, and no text yet; raises Unsendable."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = _address(post.sender_name or site_name, post.sender)
    mail["To"] = _address(recipient.name, recipient.address)
    if post.reply_to:
        mail["Reply-To"] = _address("", post.reply_to)
    mail["Subject"] = line(subject, LONGEST_SUBJECT)
    mail["Date"] = at
    mail["Message-ID"] = message_id
    # Nobody's absence note answers it (RFC 3834), nor Exchange's, which knows another word.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def line(typed: str, most: int) -> str:
    """One line for a header: no control character, no half of a pair, no direction of its own, and
    nothing that is taken for an encoded word (RFC 2047) and decoded into any of these."""
    kept = (c if _is_kept(c) else " " for c in typed)
    whole = " ".join("".join(kept).replace("=?", "= ?").split())
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + "…"


def _is_kept(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ" or character in JOINERS


def _address(name: str, address: str) -> Address:
    """Raises Unsendable for what no server would take, as imports bring it along."""
    whole = address.strip()
    local, at, domain = whole.rpartition("@")
    if not at or " " in whole or line(whole, LONGEST_ADDRESS) != whole:
        raise Unsendable
    shown = line(name, LONGEST_NAME)
    try:
        encoded = domain.encode("idna").decode()
        if local.isascii():
            return Address(shown, addr_spec=f"{local}@{encoded}")
        validate_email(whole, check_deliverability=False)  # email's own parser knows no such
        return Address(shown, username=local, domain=encoded)
    except (ValueError, IndexError, MessageError) as error:
        raise Unsendable from error
