"""Signing in and out: by password, or by a link that works once."""

import re
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from cast import add_moderator, add_site, csrf, sign_in
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from werkzeug.test import TestResponse

from service import accounts, database
from service.models import now

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
    assert "has been used or is too old" in again.text
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
