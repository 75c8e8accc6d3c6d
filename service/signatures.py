"""Signed HTTP calls as Standard Webhooks has them (standardwebhooks.com): secrets, and signatures.

Its kept package brings many others along for what are these few lines.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Iterable

SECRET_BYTES = 32  # the standard asks for 24 to 64
WHSEC = "whsec_"


def new_secret() -> str:
    """A secret to be shared with who is called."""
    return WHSEC + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def sign(secret: str, call: str, at: int, body: bytes) -> str:
    """The signature of one call. Takes the call's own id, without a dot in it, and the moment in
    seconds since 1970. Raises binascii.Error for what is no secret."""
    if not secret.startswith(WHSEC):
        raise binascii.Error
    key = base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    signed = hmac.digest(key, f"{call}.{at}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"


def headers(secrets: Iterable[str], call: str, at: int, body: bytes) -> dict[str, str]:
    """What goes with a signed call. Takes each secret that is good at the moment: whoever is called
    may know any of them. Raises binascii.Error for what is no secret."""
    return {
        "Content-Type": "application/json",
        "webhook-id": call,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(secret, call, at, body) for secret in secrets),
    }
