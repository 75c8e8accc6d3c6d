"""Akismet and a site's own service, from the reader's form to the database, with real servers."""

import base64
import hashlib
import hmac
import json
import logging
import time
from pathlib import Path

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, on_record, reply, sign_in, stored
from outsiders import LOOPBACK, FakeAkismet, serving
from sqlalchemy import select

from service import database, outside
from service.models import Site
from service.outside import asking, choice
from service.status import Mode, Role, Status

AKISMET_KEY = "a1b2c3d4e5f6"
MARK = "A remark that nobody logs."


@pytest.fixture
def own():
    """The publisher's own service."""
    with serving() as service:
        yield service


@pytest.fixture
def akismet(monkeypatch):
    with serving() as service:
        monkeypatch.setattr("akismet._common._API_URL", service.url)
        yield FakeAkismet(service)


@pytest.fixture
def app(make_app, own, akismet):
    ports = (own.port, akismet.service.port)
    app = make_app(PRIVATE_NETWORKS=[*(f"{LOOPBACK} port {port}" for port in ports)])
    add_site(app, mode=Mode.HOLD_CAUGHT.value)
    return app


def switch(app, akismet=None, hook=None, **tells):
    """Has services asked; gives the hook's secret."""
    with app.app_context(), database.writing() as session:
        site = session.scalar(select(Site).where(Site.key == SITE))
        vault, secret = app.extensions["vault"], ""
        if akismet:
            choice.set_akismet(session, vault, site, "test", is_on=True, key=akismet, **tells)
        if hook:
            secret = choice.set_hook(session, vault, site, "test", is_on=True, url=hook)
        return secret


def caught(app):
    """What the rules about services outside said of the one comment there is, and its status."""
    comment = stored(app)
    assert len(comment) == 1
    with app.app_context():
        kept = database.session().get(type(comment[0]), comment[0].id)
        outsiders = ("akismet", "hook")
        reasons = {r.rule: r.matched for r in kept.reasons if r.rule.startswith(outsiders)}
        return reasons, kept.status


def test_nothing_leaves_while_nothing_is_on(app, own, akismet):
    assert reply(app, app.test_client()).status_code == 303
    assert caught(app)[0] == {}
    assert own.asked == akismet.service.asked == []


def test_akismet_is_told_no_address_and_takes_it_for_spam(app, akismet):
    switch(app, AKISMET_KEY)
    akismet.verdict = b"true"
    sent = reply(
        app,
        app.test_client(),
        comment="Write to rita.reader@example.org",
        website="https://r.example/?m=rita.reader%40example.org",
    )
    assert sent.status_code == 303
    assert caught(app) == ({"akismet": ""}, Status.SPAM)
    (asked,) = akismet.asked("comment-check")
    assert asked["user_ip"] == "127.0.0.0"
    assert (asked["permalink"], asked["blog"]) == (ARTICLE, "https://daily.example")
    assert asked["comment_content"] == "Write to r…@…"
    assert "example.org" not in str(asked)


def test_akismet_is_told_addresses_where_the_site_says_so(app, akismet):
    switch(app, AKISMET_KEY, tells_email=True, tells_client=True)
    reply(app, app.test_client())
    (asked,) = akismet.asked("comment-check")
    assert asked["user_ip"] == "127.0.0.1"
    assert asked["comment_author_email"] == "rita.reader@example.org"
    assert "akismet" not in caught(app)[0]


def test_advice_to_discard_discards_nothing(app, akismet):
    switch(app, AKISMET_KEY)
    akismet.verdict, akismet.tip = b"true", "discard"
    assert reply(app, app.test_client()).status_code == 303
    assert caught(app) == ({"akismet": ""}, Status.SPAM)


def down(akismet):
    akismet.is_down = True


def wrong_key(akismet):
    akismet.key = "another"


def nonsense(akismet):
    akismet.verdict = b"<html>"


@pytest.mark.parametrize("fault", [down, wrong_key, nonsense])
def test_akismet_s_failure_holds_the_comment_and_says_why(app, akismet, fault):
    switch(app, AKISMET_KEY)
    fault(akismet)
    assert reply(app, app.test_client()).status_code == 303
    reasons, status = caught(app)
    assert (list(reasons), status) == (["akismet_silent"], Status.PENDING)
    assert reasons["akismet_silent"]


def test_the_hook_is_asked_with_a_signature_and_without_addresses(app, own):
    secret = switch(app, hook=f"{own.url}/ask")
    own.says(verdict="approve")
    reply(app, app.test_client(), comment="Write to rita.reader@example.org or https://a.example")
    (asked,) = own.asked
    told = asked.json
    assert (asked.method, asked.path) == ("POST", "/ask")
    assert told.pop("id") == asked.headers["webhook-id"]
    assert told == {
        "occasion": "posted",
        "site": "daily",
        "url": ARTICLE,
        "name": "Rita",
        "website": "",
        "text": "Write to r…@… or https://a.example",
        "language": "",
        "links": 1,
    }
    assert "127.0.0" not in asked.body.decode()
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, signed + asked.body, hashlib.sha256).digest()
    assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(asked.headers["webhook-timestamp"]) - time.time()) < 60
    assert caught(app)[0] == {}


@pytest.mark.parametrize(
    ("verdict", "rule", "status"),
    [("hold", "hook", Status.PENDING), ("spam", "hook_spam", Status.SPAM)],
)
def test_the_hook_s_verdict_is_on_the_card_without_an_address(app, own, verdict, rule, status):
    switch(app, hook=own.url)
    own.says(verdict=verdict, reason="Known as x@spam.example\0." + "x" * 500)
    reply(app, app.test_client())
    reasons, got = caught(app)
    assert (list(reasons), got) == ([rule], status)
    assert "spam.example" not in reasons[rule]
    assert reasons[rule].startswith("Known as x…@…")
    assert len(reasons[rule]) <= 200


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b'{"verdict": "approve"}'),
        (204, {}, b""),
        (302, {"Location": "https://elsewhere.example/"}, b""),
        (200, {}, b""),
        (200, {}, b"approve"),
        (200, {}, b"[]"),
        (200, {}, b"null"),
        (200, {}, b'"approve"'),
        (200, {}, b'{"verdict": "Approve"}'),
        (200, {}, b'{"verdict": ["approve"]}'),
        (200, {}, b'{"verdict": "approve", "reason": {}, "x": 1'),
        (200, {}, b'{"verdict": "approve", "reason": {"a": 1}}'),
        (200, {}, b"[" * 60_000),
        (200, {}, b"\xff\xfe\xfd"),
        (200, {}, b'{"verdict": "approve"}' + b" " * 100_000),
    ],
)
def test_no_verdict_holds_and_the_comment_is_stored_once(app, own, answer):
    switch(app, hook=own.url)
    own.answer = answer
    assert reply(app, app.test_client()).status_code == 303
    reasons, status = caught(app)
    assert (list(reasons), status) == (["hook_silent"], Status.PENDING)


def test_a_service_that_is_not_there_or_slow_or_private_holds(app, own, monkeypatch):
    monkeypatch.setattr(asking, "SECONDS", 0.3)
    for url in ("http://127.0.0.1:9/", "http://10.0.0.1/", "http://169.254.169.254/"):
        switch(app, hook=url)
        assert reply(app, app.test_client(), comment=url).status_code == 303
    switch(app, hook=own.url)
    own.answer = lambda handler: time.sleep(2)
    began = time.monotonic()
    assert reply(app, app.test_client(), comment="slow").status_code == 303
    assert time.monotonic() - began < 1.8
    assert [comment.status for comment in stored(app)] == [Status.PENDING] * 4


def test_a_good_word_from_outside_frees_nothing(app, own):
    with app.app_context(), database.writing() as session:
        site = session.scalar(select(Site))
        site.settings = {"mode": Mode.HOLD_EVERY.value}
    switch(app, hook=own.url)
    own.says(verdict="approve")
    reply(app, app.test_client())
    assert stored(app)[0].status == Status.PENDING


def test_both_are_asked_and_few_at_once(app, own, akismet):
    switch(app, AKISMET_KEY, own.url)
    own.says(verdict="approve")
    reply(app, app.test_client())
    assert (len(own.asked), len(akismet.asked("comment-check"))) == (1, 1)
    for _ in range(4):
        asking.AT_ONCE.acquire()
    try:
        reply(app, app.test_client(), comment="Once more")
    finally:
        for _ in range(4):
            asking.AT_ONCE.release()
    assert len(own.asked) == 1
    assert stored(app)[-1].status == Status.PENDING


def test_a_change_by_its_author_is_asked_about_too(app, own):
    switch(app, hook=own.url)
    own.says(verdict="approve")
    reader = app.test_client()
    receipt = reply(app, reader).location
    page = reader.get(receipt).text
    fields = dict.fromkeys(("token", "version"), "")
    for name in fields:
        fields[name] = page.split(f'name="{name}"')[1].split('value="')[1].split('"')[0]
    own.says(verdict="spam", reason="worse")
    path = receipt.partition("?")[0] + "/edit"
    sent = reader.post(path, data=fields | {"comment": "Buy now"})
    assert sent.status_code == 303, sent.text
    assert [asked.json["occasion"] for asked in own.asked] == ["posted", "edited"]
    assert own.asked[1].json["text"] == "Buy now"


def test_secrets_are_sealed_and_nothing_is_logged(app, own, akismet, caplog):
    caplog.set_level(logging.DEBUG)
    secret = switch(app, AKISMET_KEY, f"{own.url}/a-path-that-is-a-key")
    own.says(verdict="hold")
    reply(app, app.test_client(), comment=MARK)
    with app.app_context():
        site = database.session().scalar(select(Site))
        kept = json.dumps(site.screening)
        found = outside.of(app.extensions["vault"], site)
    assert (found.akismet.key, found.hook.secret) == (AKISMET_KEY, secret)
    assert AKISMET_KEY not in kept + repr(found)
    assert secret not in kept + repr(found)
    for hidden in (AKISMET_KEY, secret, MARK, "a-path-that-is-a-key"):
        assert hidden not in caplog.text


def test_the_receiver_of_the_documentation_reads_our_signature(app, own, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "outside.md").read_text()
    source = page.split("```python\n")[1].split("```")[0]
    secret = switch(app, hook=own.url)
    monkeypatch.setenv("HOOK_SECRET", secret)
    made: dict = {"__name__": "receiver"}
    exec(source, made)  # our own page
    own.says(verdict="hold")
    reply(app, app.test_client(), comment="Visit my Casino")
    (asked,) = own.asked
    receiver = made["app"].test_client()
    answer = receiver.post("/comment-check", data=asked.body, headers=list(asked.headers.items()))
    assert answer.json["verdict"] == "spam"
    forged = receiver.post(
        "/comment-check", data=asked.body + b" ", headers=list(asked.headers.items())
    )
    assert forged.status_code in (400, 403)


@pytest.fixture
def pia(app):
    moderator = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), moderator)


PAGE = f"/desk/sites/{SITE}/outside"


def do(who, path, prefix="", **fields):
    name = f"{prefix}-csrf_token" if prefix else "csrf_token"
    token = who.get(PAGE).text.split(f'name="{name}" value="')[1].split('"')[0]
    sent = {f"{prefix}-{field}" if prefix else field: value for field, value in fields.items()}
    return who.post(f"{PAGE}/{path}", data={name: token} | sent)


def test_a_publisher_chooses_tries_and_sees_secrets_once(app, pia, own, akismet):
    assert PAGE in pia.get("/desk/sites/").text
    missing = do(pia, "akismet", "akismet", is_on="y")
    assert (missing.status_code, "Enter the key" in missing.text) == (422, True)
    saved = do(pia, "akismet", "akismet", is_on="y", key=AKISMET_KEY)
    assert saved.status_code == 303
    assert "Saved." in pia.get(saved.location).text
    assert "Saved." not in pia.get(PAGE).text
    wrong = do(pia, "hook", "hook", is_on="y", url="ftp://x.example/")
    assert (wrong.status_code, "Enter an address like" in wrong.text) == (422, True)
    inside = do(pia, "hook", "hook", is_on="y", url="http://10.0.0.1/x")
    assert (inside.status_code, "on the public internet" in inside.text) == (422, True)
    made = do(pia, "hook", "hook", is_on="y", url=own.url)
    assert "whsec_" in made.text
    assert "Saved." in made.text
    assert "every new comment waits for a moderator" in made.text
    assert made.headers["Cache-Control"].startswith("no-store")
    page = pia.get(PAGE).text
    assert "whsec_" not in page
    assert AKISMET_KEY not in page
    assert "whsec_" in do(pia, "secret").text
    own.says(verdict="hold", reason="<b>because</b>")
    tried = do(pia, "try").text
    assert "Akismet: It answered: it has nothing against the comment." in tried
    assert "“&lt;b&gt;because&lt;/b&gt;”" in tried
    assert own.asked[0].json["occasion"] == "test"
    assert stored(app) == []
    assert [e.what for e in on_record(app)] == ["asked_outside"] * 4
    assert do(pia, "akismet", "akismet").status_code == 303
    assert do(pia, "hook", "hook").status_code == 303
    assert "both are off" in do(pia, "try").text
