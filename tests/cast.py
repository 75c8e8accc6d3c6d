"""The people of the tests: Rita reads and replies, Mo moderates The Daily, Ada administers."""

import base64
import hashlib
import hmac
import json
import re
import struct
from collections.abc import Sequence
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import accounts, comments, database, second_step, text
from service.events import What
from service.models import Comment, Event, Passkey, Site
from service.rules import Draft
from service.status import Role
from service.tokens import FormTokens

SITE = "daily"
ORIGIN = "https://daily.example"
ARTICLE = "https://daily.example/2026/review"
# What Rita sends, as the door hands it on.
SENT = comments.Submission(
    url=ARTICLE,
    given_id="",
    title="A review",
    parent="",
    name="Rita",
    website="",
    email="rita@example.org",
    text="Hear, hear.",
    html=str(text.render("Hear, hear.")),
    language="en",
    network="192.0.2.0/24",
    nonce="",
    draft=Draft("Rita", "Hear, hear."),
)
RITA = {"name": "Rita", "email": "rita.reader@example.org", "comment": "Hear, hear."}


def add_site(app: Flask, key: str = SITE, origin: str = ORIGIN, **settings: Any) -> int:
    with app.app_context(), database.writing() as session:
        site = Site(key=key, name="The Daily", origins=[origin], settings=settings)
        session.add(site)
        session.flush()
        return site.id


def add_moderator(
    app: Flask,
    email: str = "mo@daily.example",
    site: str | None = SITE,
    role: Role = Role.MODERATOR,
) -> int:
    with app.app_context(), database.writing() as session:
        found = session.scalar(select(Site).where(Site.key == site)) if site else None
        moderator = accounts.add(session, email, role, found, None)
        session.flush()
        return moderator.id


def sign_in(app: Flask, client: FlaskClient, moderator_id: int) -> FlaskClient:
    """Signs in as people do by a link: a page with a button."""
    with app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, moderator_id))
    page = client.get(f"/desk/sign-in/{secret}").text
    sent = client.post(f"/desk/sign-in/{secret}", data={"csrf_token": csrf(page)})
    assert sent.status_code == 303, sent.text
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


def token(app: Flask, url: str = ARTICLE, site: str = SITE) -> str:
    return FormTokens(app.extensions["signer"], site, url).for_page()


def reply(app: Flask, client: FlaskClient, site: str = SITE, **fields: Any) -> TestResponse:
    """Posts the form as a browser without script does; fields over Rita's own."""
    headers = fields.pop("headers", {})
    url = fields.get("url", ARTICLE)
    sent = {"url": url, "token": token(app, url, site), **RITA, **fields}
    return client.post(f"/embed/{site}/comments", data=sent, headers=headers)


def on_record(app: Flask) -> Sequence[Event]:
    """What is on record beside decisions, oldest first, without that somebody signed in."""
    with app.app_context():
        kept = select(Event).where(Event.what != What.SIGNED_IN).order_by(Event.id)
        found = database.session().scalars(kept).all()
        database.session().expunge_all()
        return found


def stored(app: Flask) -> Sequence[Comment]:
    """All comments, oldest first, to be looked at apart from any session."""
    with app.app_context():
        found = database.session().scalars(select(Comment).order_by(Comment.id)).all()
        database.session().expunge_all()
        return found


def totp(key: str, steps: int = 0) -> str:
    """What an app shows for a key (RFC 6238), by other code than the service's; some half
    minutes later, if asked."""
    secret = base64.b32decode(key.replace("-", "").replace(" ", ""))
    digest = hmac.digest(
        secret, struct.pack(">Q", int(second_step.clock()) // 30 + steps), hashlib.sha1
    )
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


class Device:
    """Somebody's device with a passkey for http://localhost that counts nothing (WebAuthn, 6.1)."""

    def __init__(self, app: Flask, moderator_id: int) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        stored = {"credential": b"key", "public_key": public_key, "name": "laptop"}
        with app.app_context(), database.writing() as session:
            session.add(Passkey(moderator_id=moderator_id, **stored))

    def answer(self, challenge: str) -> str:
        """What the browser sends, once the owner's finger was there."""
        sent = {"type": "webauthn.get", "challenge": challenge, "origin": "http://localhost"}
        said = json.dumps(sent).encode()
        about = hashlib.sha256(b"localhost").digest() + bytes([0b101]) + bytes(4)
        signature = self.key.sign(about + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"clientDataJSON": said, "authenticatorData": about, "signature": signature}
        response = {name: _spelt(part) for name, part in parts.items()}
        named = {"id": _spelt(b"key"), "rawId": _spelt(b"key"), "type": "public-key"}
        return json.dumps(named | {"response": response, "clientExtensionResults": {}})


def _spelt(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
