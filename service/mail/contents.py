"""What a letter says, before it is a mail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Contents:
    """What a kind of letter says. Its two parts are templates/mail/NAME.txt and NAME.html."""

    subject: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    # A Message-ID that every letter of one conversation refers to, so that they stand together.
    conversation: str = ""
    leave_url: str = ""  # where one click ends such letters (RFC 8058); "" for none
    # The comments that it tells of, and the other letters that end with it since it tells of theirs.
    told: tuple[int, ...] = ()
    told_too: tuple[int, ...] = ()
