"""The site's own service: a signed POST, and a verdict in JSON."""

import binascii
import json
import secrets
import time
from typing import Any

from .. import signatures
from ..outbound import Failed, Outbound
from ..rules import Opinion
from ..status import Status
from ..text import mask_addresses
from .choice import Hook
from .question import Question

SOURCE = "hook"
LONGEST = 200  # characters of its reason
VERDICTS = {"approve": Status.APPROVED, "hold": Status.PENDING, "spam": Status.SPAM}
HTTP_OK = 200


def check(outbound: Outbound, chosen: Hook, asked: Question, seconds: float) -> Opinion:
    """What the service says; it never frees what a rule holds, and no answer holds."""
    ask = f"ask_{secrets.token_urlsafe(18)}"
    body = json.dumps(_told(ask, asked), ensure_ascii=False).encode()
    try:
        headers = signatures.headers([chosen.secret], ask, int(time.time()), body)
        answer = outbound.post(chosen.url, body, headers, seconds=seconds)
    except Failed as failed:
        return Opinion(SOURCE, None, str(failed))
    except binascii.Error:
        return Opinion(SOURCE, None, "there is no secret to sign with")
    if answer.status != HTTP_OK:
        return Opinion(SOURCE, None, f"it answered with the status {answer.status}")
    return _read(answer.body)


def _told(ask: str, asked: Question) -> dict[str, Any]:
    """Nothing of where it came from, and no address (hard rule 4)."""
    return {
        "id": ask,
        "occasion": asked.occasion,
        "site": asked.site,
        "url": asked.url,
        "name": mask_addresses(asked.name),
        "website": asked.website_without_address,
        "text": mask_addresses(asked.text),
        "language": asked.language,
        "links": asked.links,
    }


def _read(body: bytes) -> Opinion:
    try:
        said = json.loads(body)
        status = VERDICTS[said["verdict"]]
        reason = said.get("reason") or ""
        if not isinstance(reason, str):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Opinion(SOURCE, None, "its answer is no verdict")
    # Characters that no database takes, or no line shows, are left out.
    printed = "".join(sign if sign.isprintable() else " " for sign in reason)
    return Opinion(SOURCE, status, mask_addresses(printed.strip())[:LONGEST])
