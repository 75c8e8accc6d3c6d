"""A mail that came back, or a complaint, taken apart: which letter it is about, and what it says.

Pure, and written for hostile input: anybody can send such a mail. What makes one count is the
Message-ID of a letter of ours in the headers that it returns; 96 bits of it are random, and only
whoever had the letter before them knows it. Addresses in it prove nothing and are not looked at.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from enum import Enum

from .refusals import ENHANCED, REPLY, tells_of_address

MOST_BYTES = 250_000  # that are looked at; a letter of ours is far smaller
MOST_PARTS = 20  # each in the other: the standard library's parser calls itself for each
# The time it takes for a header's parameters grows with the square of their number.
TYPES = re.compile(rb"(?im)^content-type[^\n]*(?:\n[ \t][^\n]*)*")
MOST_TYPE = 2_000  # characters
MOST_HEADER = 300  # characters of a Message-ID, as many as are stored
MOST_REPORTED = 50  # recipients that a report may name; a letter has one
STATUS = ("message/delivery-status", "message/global-delivery-status")
ABUSE = ("message/feedback-report",)
ORIGINAL = (
    *("message/rfc822", "text/rfc822-headers"),
    *("message/global", "message/global-headers"),
)
NESTED = re.compile(rb"(?i)multipart/|message/")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,298}>")
MESSAGE_ID_LINE = re.compile(r"(?im)^[>\s]{0,10}message-id:[ \t]{0,10}(<[^<>\s]{1,298}>)")
# Where somebody's mailbox got it in the end (RFC 3464, 2.3.3): then the address takes mail.
ARRIVED = ("delivered", "relayed", "expanded")


class Says(Enum):
    GONE = "gone"  # the address takes no mail
    COMPLAINT = "complaint"  # whoever got it calls it spam
    NOTHING = "nothing"  # it may still arrive; or it did not for a reason that is not the address


@dataclass(frozen=True)
class Returned:
    """What came back. Any Message-ID may be a letter's, or nobody's."""

    says: Says
    message_ids: tuple[str, ...]


def read(raw: bytes) -> Returned | None:
    """What a returned mail says; None for one that is not understood. Raises nothing."""
    looked_at = raw[:MOST_BYTES]
    if len(NESTED.findall(looked_at)) > MOST_PARTS:
        return None
    if any(len(header) > MOST_TYPE for header in TYPES.findall(looked_at)):
        return None
    with suppress(Exception):  # of the parser, on nonsense
        return _read(message_from_bytes(looked_at))
    return None


def _read(mail: Message) -> Returned | None:
    parts = list(_parts(mail))
    ids = tuple(dict.fromkeys(filter(None, map(_message_id, parts))))
    if complaints := [part for part in parts if part.get_content_type() in ABUSE]:
        is_abuse = any(_field(_within(one), "Feedback-Type") == "abuse" for one in complaints)
        return Returned(Says.COMPLAINT if is_abuse else Says.NOTHING, ids) if ids else None
    if reports := [part for part in parts if part.get_content_type() in STATUS]:
        groups = [group for report in reports for group in _groups(report)][:MOST_REPORTED]
        return Returned(Says.GONE if _is_gone(groups) else Says.NOTHING, ids) if ids else None
    return _plain(parts, ids)


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a mail, those within them too; but not those of what is returned in it."""
    yield mail
    if mail.is_multipart() and mail.get_content_maintype() == "multipart":
        for part in mail.get_payload():
            if isinstance(part, Message):
                yield from _parts(part)


def _message_id(part: Message) -> str:
    """The Message-ID of the mail that a part returns; "" if it returns none."""
    if part.get_content_type() not in ORIGINAL:
        return ""
    found = MESSAGE_ID.search(str(_within(part).get("Message-ID", ""))[:MOST_HEADER])
    return found[0] if found else ""


def _is_gone(groups: Iterable[Message]) -> bool:
    """Whether for somebody it failed for good since there is no such address, and nobody got it."""
    actions = [(_field(group, "Action"), group) for group in groups]
    return not any(action in ARRIVED for action, _ in actions) and any(
        action == "failed"
        and tells_of_address(_field(group, "Status"), _field(group, "Diagnostic-Code"))
        for action, group in actions
    )


def _groups(report: Message) -> list[Message]:
    """The groups of fields of a delivery report, one for each recipient among them."""
    inner = report.get_payload()
    if report.get_content_type() == STATUS[0] and isinstance(inner, list):
        return [group for group in inner if isinstance(group, Message)]
    # Python's parser knows the other spelling (RFC 6533) as a mail: its first group, then text.
    whole = _within(report).as_string()
    return [message_from_string(one) for one in re.split(r"\r?\n[ \t]*\r?\n", whole) if one]


def _within(part: Message) -> Message:
    """The fields that a part consists of, whether or not the parser took it apart."""
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    return first if isinstance(first, Message) else message_from_string(_text(part))


def _field(group: Message, name: str) -> str:
    """A field's value in one line, in small letters."""
    return " ".join(str(group.get(name, "")).split()).lower()


def _plain(parts: list[Message], ids: tuple[str, ...]) -> Returned | None:
    """A mail in words alone, as qmail and older servers return one: the first line with a code, of
    those above the headers that it quotes."""
    said = "\n".join(_text(part) for part in parts if part.get_content_maintype() == "text")
    quoted = MESSAGE_ID_LINE.search(said)
    ids = ids or ((quoted[1],) if quoted else ())
    above = (said[: quoted.start()] if quoted else said).splitlines()
    told = next((line for line in above if ENHANCED.search(line) or REPLY.search(line)), None)
    if not ids or told is None:
        return None
    return Returned(Says.GONE if tells_of_address("", told) else Says.NOTHING, ids)


def _text(part: Message) -> str:
    """A part's text, as well as it can be read."""
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
