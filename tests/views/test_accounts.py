"""Signing in and out: by password, or by a link that works once."""

import re
import shutil
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from cast import Device, add_moderator, add_site, csrf, on_record, sign_in
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import accounts, database, second_step
from service.models import Event, Letter, Passkey, Site, now
from service.status import Role
from service.views import accounts as ways_in
from service.views.accounts import tries

EMAIL, PASSWORD = "mo@daily.example", "correct horse battery"
AFAR = {"REMOTE_ADDR": "203.0.113.9"}
REFUSED = "This email address and password do not belong together."


@pytest.fixture
def mo(app: Flask) -> int:
    """Mo, who moderates The Daily and has a password; not signed in."""
    add_site(app)
    moderator_id = add_moderator(app, EMAIL)
    with app.app_context(), database.writing() as session:
        hashed = hash_password(PASSWORD)
        session.get_one(accounts.Moderator, moderator_id).password = hashed
    return moderator_id


def link(app: Flask, moderator_id: int, is_local: bool = False) -> str:
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, moderator_id)
        return f"/desk/sign-in/{accounts.make_link(session, moderator, is_local)}"


def try_password(client: FlaskClient, next: str = "", **fields: str) -> TestResponse:
    token = csrf(client.get("/desk/login").text)
    sent = {"email": EMAIL, "password": PASSWORD, "csrf_token": token, "next": next, **fields}
    return client.post("/desk/login", data=sent)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/desk/").status_code == 200


# By password


def test_it_signs_in_by_password(client: FlaskClient, mo: int) -> None:
    assert try_password(client).status_code == 303
    assert "Sign out" in client.get("/desk/").text


def test_it_takes_an_address_in_any_case(client: FlaskClient, mo: int) -> None:
    try_password(client, email="Mo@Daily.Example")
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "fields",
    [{"password": "wrong"}, {"email": "nobody@daily.example"}, {"email": "no address"}],
    ids=["wrong password", "unknown address", "no address"],
)
def test_it_says_the_same_of_every_wrong_pair(
    client: FlaskClient, mo: int, fields: dict[str, str]
) -> None:
    page = try_password(client, **fields).text
    assert REFUSED in page
    assert page.count('role="alert"') == 1
    assert "<title>Error: Sign in" in page
    assert f'value="{fields.get("email", EMAIL)}"' in page
    assert PASSWORD not in page
    assert not is_signed_in(client)


def test_what_no_keyboard_types_is_not_looked_for(client: FlaskClient, mo: int) -> None:
    assert REFUSED in try_password(client, email="mo\0@nowhere.example").text
    assert "Enter your email address." in try_password(client, email="\0").text
    try_password(client, email=f"\0{EMAIL}")
    assert is_signed_in(client)


def test_it_asks_for_what_is_missing_beside_its_field(client: FlaskClient, mo: int) -> None:
    page = try_password(client, email="", password="").text
    assert re.search(r'id="email-error"><span[^>]*>Error: </span>Enter your email address\.', page)
    assert 'aria-describedby="password-error" aria-invalid="true"' in page
    assert REFUSED not in page


def test_it_labels_both_fields(client: FlaskClient) -> None:
    page = client.get("/desk/login").text
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page
        assert f'id="{name}" name="{name}"' in page
    assert 'autocomplete="current-password"' in page


def test_it_turns_away_somebody_who_was_switched_off(
    app: Flask, client: FlaskClient, mo: int
) -> None:
    try_password(client)
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo).active = False
    assert not is_signed_in(client)
    try_password(client)
    assert not is_signed_in(client)


def test_it_needs_the_form_s_own_token(client: FlaskClient, mo: int) -> None:
    client.get("/desk/login")
    sent = client.post("/desk/login", data={"email": EMAIL, "password": PASSWORD})
    assert sent.status_code == 400
    assert not is_signed_in(client)


def test_it_returns_to_where_somebody_was_turned_away(client: FlaskClient, mo: int) -> None:
    turned = client.get("/desk/?status=spam").location
    page = client.get(turned).text
    found = re.search(r'name="next" value="([^"]*)"', page)
    assert found
    assert found[1] == "/desk/?status=spam"
    assert try_password(client, next=found[1]).location == "/desk/?status=spam"


AWAY = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://localhost:9/",
]


@pytest.mark.parametrize("away", AWAY)
def test_it_passes_no_way_off_the_service_on(client: FlaskClient, mo: int, away: str) -> None:
    page = client.get("/desk/login", query_string={"next": away}).text
    assert 'name="next"' not in page
    assert try_password(client).location == "/desk/"


@pytest.mark.parametrize("away", AWAY)
def test_it_never_leads_off_the_service(client: FlaskClient, mo: int, away: str) -> None:
    location = try_password(client, next=away).location or ""
    assert urlsplit(urljoin("http://localhost/desk/login", location)).netloc == "localhost"


def test_it_slows_down_who_guesses(make_app, mo: int) -> None:
    client = make_app(RATE_LIMITS="on").test_client()
    answers = [try_password(client, password="").status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


# Who guesses waits


class Clock:
    """What the door takes for the time."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(tries, "now", made)
    return made


def guess(client: FlaskClient, times: int = 5, **fields: str) -> TestResponse:
    for _ in range(times):
        answer = try_password(client, password="wrong", **fields)
    return answer


@pytest.mark.parametrize("email", [EMAIL, "nobody@daily.example"])
def test_who_guesses_is_told_how_long_to_wait_of_any_address(
    client: FlaskClient, mo: int, clock: Clock, email: str
) -> None:
    last = guess(client, email=email)
    assert REFUSED in last.text
    assert "Wait 30 seconds" in last.text
    waits = try_password(client, email=email)
    assert (waits.status_code, waits.headers["Retry-After"]) == (429, "30")
    assert "Wait 30 seconds" in waits.text
    clock.at += timedelta(seconds=30)
    assert "Wait 60 seconds" in guess(client, 1, email=email).text
    clock.at += timedelta(seconds=59)
    assert "Wait 1 second," in try_password(client, email=email).text
    clock.at += timedelta(seconds=1)
    try_password(client, email=email)
    assert is_signed_in(client) == (email == EMAIL)


def test_the_hash_is_made_for_an_address_without_an_account_too(
    client: FlaskClient, mo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time tells nothing."""
    hashed = []
    monkeypatch.setattr(accounts, "hash_password", lambda typed: hashed.append(typed) or "")
    monkeypatch.setattr(accounts, "verify_password", lambda typed, _: bool(hashed.append(typed)))
    try_password(client)
    try_password(client, email="nobody@daily.example")
    assert hashed == [PASSWORD, PASSWORD]


def test_nobody_s_guesses_keep_the_rightful_person_out(app: Flask, mo: int, clock: Clock) -> None:
    """Neither those of other networks, nor those beside them in their own."""
    home, attacker = app.test_client(), app.test_client()
    try_password(home)
    home.post("/desk/logout", data={"csrf_token": csrf(home.get("/desk/").text)})
    guess(attacker)
    assert try_password(attacker).status_code == 429
    assert try_password(home).status_code == 303
    stranger = app.test_client()
    for number in range(6):
        stranger.environ_base["REMOTE_ADDR"] = f"198.51.{number}.7"
        guess(stranger)
    from_afar = app.test_client()
    from_afar.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert try_password(from_afar).status_code == 303


def test_a_known_browser_is_known_to_its_own_accounts_only(
    app: Flask, client: FlaskClient, mo: int, clock: Clock
) -> None:
    add_moderator(app, "ina@daily.example")
    try_password(client)
    client.post("/desk/logout", data={"csrf_token": csrf(client.get("/desk/").text)})
    kept = client.get_cookie(ways_in.KNOWN_COOKIE, path="/desk")
    assert kept
    assert kept.http_only
    assert kept.same_site == "Lax"
    guess(client, email="ina@daily.example")
    assert try_password(app.test_client(), email="ina@daily.example").status_code == 429
    forger = app.test_client()
    forger.set_cookie(ways_in.KNOWN_COOKIE, "x" + kept.value, path="/desk")
    guess(forger)
    assert try_password(forger).status_code == 429
    assert try_password(client).status_code == 303


def test_a_rate_limit_counts_a_known_browser_by_itself(make_app, mo: int, clock: Clock) -> None:
    app = make_app(RATE_LIMITS="on")
    home, attacker = app.test_client(), app.test_client()
    try_password(home)
    home.post("/desk/logout", data={"csrf_token": csrf(home.get("/desk/").text)})
    answers = [try_password(attacker, password="").status_code for _ in range(10)]
    assert answers[-1] == 429
    assert try_password(home).status_code == 303


def test_who_came_in_and_who_failed_is_on_record_without_a_whole_address(
    app: Flask, client: FlaskClient, mo: int, clock: Clock
) -> None:
    guess(client)
    clock.at += timedelta(minutes=1)
    try_password(client)
    with app.app_context():
        events = database.session().scalars(select(Event).order_by(Event.id)).all()
        said = [(event.what, event.by, event.about) for event in events]
        assert {event.network for event in events} == {"127.0.0.0/24"}
    assert said == [
        *[("sign_in_failed", "somebody", "m…@d…")] * 5,
        ("locked_out", "somebody", "m…@d…: 30 s"),
        ("signed_in", "mo", "password"),
    ]


# By a passkey


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "nonsense", '{"id": "AAAA"}', '{"id": 7}', '{"id": "\\u0000"}']
)
def test_what_is_no_passkey_signs_nobody_in(client: FlaskClient, mo: int, answer: str) -> None:
    token = csrf(client.get("/desk/login").text)
    for is_asked in (False, True):
        if is_asked:
            options = client.post("/desk/login/passkey/options", headers={"X-CSRFToken": token})
            assert options.json["userVerification"] == "required"
            assert options.json["rpId"] == "localhost"
        sent = client.post("/desk/login/passkey", data={"csrf_token": token, "credential": answer})
        assert sent.status_code == (422 if answer else 400)
    assert not is_signed_in(client)


def test_a_passkey_that_is_somebody_s_and_did_not_sign_is_on_record(
    app: Flask, client: FlaskClient, mo: int
) -> None:
    with app.app_context(), database.writing() as session:
        session.add(Passkey(moderator_id=mo, credential=b"key", public_key=b"", name="laptop"))
    token = csrf(client.get("/desk/login").text)
    for answer in ('{"id": "a2V5"}', '{"id": "AAAA"}'):
        client.post("/desk/login/passkey/options", headers={"X-CSRFToken": token})
        sent = client.post("/desk/login/passkey", data={"csrf_token": token, "credential": answer})
        assert sent.status_code == 422
    with app.app_context():
        said = database.session().execute(select(Event.what, Event.about)).all()
    assert [tuple(row) for row in said] == [("sign_in_failed", "m…@d…: passkey")]


def test_what_a_passkey_answered_signs_in_once_whatever_cookie_comes_with_it(
    app: Flask, client: FlaskClient, mo: int
) -> None:
    """A browser's session is kept in its cookie, so whoever has a copy has what stood in it."""
    device = Device(app, mo)
    script = {"X-CSRFToken": csrf(client.get("/desk/login").text)}
    options = client.post("/desk/login/passkey/options", headers=script)
    kept = client.get_cookie("rejoinder", path="/desk")
    sent = {
        "csrf_token": script["X-CSRFToken"],
        "credential": device.answer(options.json["challenge"]),
    }
    assert client.post("/desk/login/passkey", data=sent).status_code == 303
    assert is_signed_in(client)
    thief = app.test_client()
    thief.set_cookie("rejoinder", kept.value, path="/desk")
    assert thief.post("/desk/login/passkey", data=sent).status_code == 422
    assert not is_signed_in(thief)
    with app.app_context():
        said = database.session().execute(select(Event.what, Event.about).order_by(Event.id))
        assert [tuple(row) for row in said] == [
            ("signed_in", "passkey"),
            ("sign_in_failed", "m…@d…: passkey"),
        ]


def test_a_passkey_says_who_one_is_once(app: Flask, client: FlaskClient, mo: int) -> None:
    device = Device(app, mo)
    sign_in(app, client, mo)
    script = {"X-CSRFToken": csrf(client.get("/desk/me/").text)}
    options = client.post("/desk/login/passkey/options", headers=script)
    kept = client.get_cookie("rejoinder", path="/desk").value
    answer = device.answer(options.json["challenge"])
    for status in (303, 200):  # the second time, the page says that this could not be used
        client.set_cookie("rejoinder", kept, path="/desk")
        sent = {"csrf_token": script["X-CSRFToken"], "credential": answer}
        assert client.post("/desk/me/verify", data=sent).status_code == status


def test_a_lagging_copy_of_the_database_signs_nobody_out(make_app, mo: int, tmp_path) -> None:
    """READ_DATABASE_URL is for what all may see: it knows no new session."""
    source = make_app().config["DATABASE_URL"]
    if not source.startswith("sqlite"):
        pytest.skip("a copy is made of a file here")
    shutil.copy(source.removeprefix("sqlite:///"), tmp_path / "copy.db")
    app = make_app(READ_DATABASE_URL=f"sqlite:///{tmp_path / 'copy.db'}")
    client = app.test_client()
    try_password(client)
    assert is_signed_in(client)
    with app.app_context(), database.writing() as session:
        session.add(Site(key="new", name="New", origins=["https://new.example"], settings={}))
    assert client.get("/embed/new/counts").status_code == 404
    assert client.get("/embed/new/token?url=https://new.example/a").status_code == 200


# By a link


def test_a_link_signs_in_once(app: Flask, client: FlaskClient, mo: int) -> None:
    address = link(app, mo)
    page = client.get(address).text
    assert EMAIL in page
    sent = client.post(address, data={"csrf_token": csrf(page)})
    assert (sent.status_code, sent.location) == (303, "/desk/")
    assert is_signed_in(client)

    late = app.test_client()
    assert late.get(address).status_code == 404
    token = csrf(late.get("/desk/login").text)
    again = late.post(address, data={"csrf_token": token})
    assert again.status_code == 404
    assert "has been used, is too old" in again.text
    assert not is_signed_in(late)


def test_opening_a_link_uses_nothing_up(app: Flask, client: FlaskClient, mo: int) -> None:
    address = link(app, mo)
    for _ in range(3):
        assert client.get(address).status_code == 200
        assert not is_signed_in(client)
    client.post(address, data={"csrf_token": csrf(client.get(address).text)})
    assert is_signed_in(client)


def test_a_link_is_a_key_and_kept_from_caches_and_other_sites(
    app: Flask, client: FlaskClient, mo: int
) -> None:
    headers = client.get(link(app, mo)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_link_of_this_machine_works_nowhere_else(
    app: Flask, client: FlaskClient, mo: int
) -> None:
    address = link(app, mo, is_local=True)
    token = csrf(client.get(address).text)
    afar = client.post(address, data={"csrf_token": token}, environ_overrides=AFAR)
    assert afar.status_code == 404
    assert not is_signed_in(client)
    client.post(address, data={"csrf_token": token})
    assert is_signed_in(client)


def test_a_link_grows_old(app: Flask, client: FlaskClient, mo: int) -> None:
    address = link(app, mo)
    with app.app_context(), database.writing() as session:
        session.query(accounts.SignInLink).one().expires_at = now() - timedelta(seconds=1)
    assert client.get(address).status_code == 404


def test_a_link_needs_its_page_s_token(app: Flask, client: FlaskClient, mo: int) -> None:
    assert client.post(link(app, mo)).status_code == 400
    assert not is_signed_in(client)


# The session


@pytest.mark.parametrize(
    ("base", "is_secure"), [("http://localhost", False), ("https://comments.example", True)]
)
def test_the_session_s_cookie_is_for_this_site_alone(
    make_app, mo: int, base: str, is_secure: bool
) -> None:
    cookie = make_app(BASE_URL=base).test_client().get("/desk/login").headers["Set-Cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax"} <= attributes
    assert ("secure" in attributes) == is_secure
    assert not [part for part in attributes if part.startswith(("domain", "expires", "max-age"))]


def test_it_signs_out_by_a_button_only(app: Flask, client: FlaskClient, mo: int) -> None:
    sign_in(app, client, mo)
    assert client.get("/desk/logout").status_code == 405
    assert is_signed_in(client)
    client.post("/desk/logout")
    assert is_signed_in(client)
    client.post("/desk/logout", data={"csrf_token": csrf(client.get("/desk/").text)})
    assert not is_signed_in(client)


# Who forgot the password


FORGOTTEN = "/desk/forgotten"
ON_ITS_WAY = "a letter with a link is on its way"


@pytest.fixture
def posting(make_app) -> Flask:
    """An application that mail leaves, with Mo."""
    app = make_app(
        MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="c@service.example", BASE_URL="http://localhost"
    )
    add_site(app)
    add_moderator(app, EMAIL)
    return app


def forget(client: FlaskClient, email: str = EMAIL, **more: Any) -> TestResponse:
    sent = {"email": email, "csrf_token": csrf(client.get(FORGOTTEN).text)}
    return client.post(FORGOTTEN, data=sent, **more)


def letters(app: Flask) -> int:
    with app.app_context():
        return len(database.session().scalars(select(Letter)).all())


def test_the_page_of_a_forgotten_password_says_the_same_of_every_address(posting: Flask) -> None:
    with posting.app_context(), database.writing() as session:
        removed = accounts.add(session, "old@daily.example", Role.ADMIN, None, None)
        removed.active = False
    emails = (EMAIL, "MO@daily.example ", "nobody@daily.example", "old@daily.example")
    answers = [forget(posting.test_client(), email) for email in emails]
    assert {answer.status_code for answer in answers} == {200}
    assert len({re.sub(r'"csrf-token" content="[^"]+"', "", a.text) for a in answers}) == 1
    assert ON_ITS_WAY in answers[0].text
    assert letters(posting) == 2


def test_the_way_to_it_stands_beside_the_password(posting: Flask) -> None:
    assert f'href="{FORGOTTEN}"' in posting.test_client().get("/desk/login").text


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("", "Enter your email address."),
        ("mo", "Enter an email address like name@example.org."),
    ],
)
def test_what_is_no_address_is_said_beside_its_field(posting: Flask, email: str, said: str) -> None:
    page = forget(posting.test_client(), email).text
    assert page.count(said) == 2  # on top, and at the field
    assert ON_ITS_WAY not in page
    assert letters(posting) == 0


def test_it_asks_for_its_own_token(posting: Flask) -> None:
    assert posting.test_client().post(FORGOTTEN, data={"email": EMAIL}).status_code == 400
    assert letters(posting) == 0


@pytest.mark.parametrize("email", [EMAIL, "nobody@daily.example"])
def test_an_address_is_asked_about_so_often_from_all_networks_together(
    posting: Flask, email: str
) -> None:
    def ask(number: int) -> TestResponse:
        afar = {"REMOTE_ADDR": f"203.0.{number}.9"}
        return forget(posting.test_client(), email, environ_base=afar)

    assert [ask(number).status_code for number in range(6)] == [200] * 5 + [429]
    late = ask(7)
    assert late.headers["Retry-After"] in ("29", "30")
    assert "Somebody tried too often. Wait" in late.text
    assert letters(posting) == (5 if email == EMAIL else 0)
    assert forget(posting.test_client(), "another@daily.example").status_code == 200


def test_a_network_asks_so_often_and_no_oftener(make_app, posting: Flask) -> None:
    names = ("MAIL_URL", "MAIL_FROM", "BASE_URL")
    client = make_app(RATE_LIMITS="on", **{n: posting.config[n] for n in names}).test_client()
    answers = [forget(client, f"n{number}@daily.example").status_code for number in range(6)]
    assert answers == [200] * 5 + [429]


def test_that_a_link_was_asked_for_is_on_record_with_the_network_alone(posting: Flask) -> None:
    forget(posting.test_client(), environ_base=AFAR)
    forget(posting.test_client(), "nobody@daily.example", environ_base=AFAR)
    (event,) = on_record(posting)
    assert (event.what, event.by, event.about) == ("reset_asked", "somebody", "mo")
    assert (event.network, event.moderator_id) == ("203.0.113.0/24", None)


def test_where_no_mail_leaves_it_says_whom_to_ask(app: Flask, mo: int) -> None:
    client = app.test_client()
    page = client.get(FORGOTTEN).text
    assert "Ask a publisher of your site or an admin" in page
    assert "flask moderator link" in page
    assert 'type="email"' not in page
    sent = {"email": EMAIL, "csrf_token": csrf(client.get("/desk/login").text)}
    assert ON_ITS_WAY not in client.post(FORGOTTEN, data=sent).text
    assert letters(app) == 0


def test_the_link_of_a_letter_still_asks_for_the_second_step(posting: Flask) -> None:
    with posting.app_context(), database.writing() as session:
        moderator = session.scalars(select(accounts.Moderator)).one()
        secret = second_step.new_secret(posting.extensions["vault"])
        second_step.switch_on(session, moderator.id, secret, 1)
    forget(posting.test_client())
    with posting.app_context():
        digest = database.session().scalars(select(accounts.SignInLink.digest)).one()
    name = accounts.Named(digest).spelt
    way_back = f"/desk/reset/{posting.extensions['signer'].sign('reset letter', name)}"
    client = posting.test_client()
    sent = {"password": PASSWORD, "csrf_token": csrf(client.get(way_back).text)}
    assert client.post(way_back, data=sent).location == "/desk/login/second"
    assert not is_signed_in(client)
    assert client.get(way_back).status_code == 404
