"""The site's own service: a signed POST, and a verdict in JSON."""

import base64
import binascii
import hmac
import json
import secrets
import time
from typing import Any

from ..outbound import Failed, Outbound
from ..rules import Opinion
from ..status import Status
from ..text import mask_addresses
from .choice import WHSEC, Hook
from .question import Question

SOURCE = "hook"
LONGEST = 200  # characters of its reason
VERDICTS = {"approve": Status.APPROVED, "hold": Status.PENDING, "spam": Status.SPAM}
HTTP_OK = 200


def check(outbound: Outbound, chosen: Hook, asked: Question, seconds: float) -> Opinion:
    """What the service says; it never frees what a rule holds, and no answer holds."""
    ask = f"ask_{secrets.token_urlsafe(18)}"
    body = json.dumps(_told(ask, asked), ensure_ascii=False).encode()
    at = int(time.time())
    try:
        headers = {
            "Content-Type": "application/json",
            "webhook-id": ask,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(chosen.secret, ask, at, body),
        }
        answer = outbound.post(chosen.url, body, headers, seconds=seconds)
    except Failed as failed:
        return Opinion(SOURCE, None, str(failed))
    except binascii.Error:
        return Opinion(SOURCE, None, "there is no secret to sign with")
    if answer.status != HTTP_OK:
        return Opinion(SOURCE, None, f"it answered with the status {answer.status}")
    return _read(answer.body)


def sign(secret: str, ask: str, at: int, body: bytes) -> str:
    """The signature of Standard Webhooks (standardwebhooks.com). Its kept package brings many
    others along for what are these three lines. Raises binascii.Error for what is no secret."""
    if not secret.startswith(WHSEC):
        raise binascii.Error
    key = base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    signed = hmac.digest(key, f"{ask}.{at}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"


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
