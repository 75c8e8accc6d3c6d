"""One's own account: name, password, the app, recovery codes, sessions, and who asks lately."""

import re

import pytest
from cast import add_moderator, add_site, csrf, sign_in, totp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import accounts, database, second_step, visits
from service.accounts import Moderator
from service.models import Event, RecoveryCode, Visit
from service.views import accounts as ways_in

EMAIL, PASSWORD, NEW = "mo@daily.example", "correct horse battery", "another staple, please"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def mo(app: Flask) -> int:
    add_site(app)
    moderator_id = add_moderator(app, EMAIL)
    with app.app_context():
        hashed = accounts.hashed(PASSWORD)
        with database.writing() as session:
            session.get_one(Moderator, moderator_id).password = hashed
    return moderator_id


@pytest.fixture(autouse=True)
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of codes stands still."""
    monkeypatch.setattr(second_step, "clock", lambda: 1_800_000_000.0)


@pytest.fixture
def desk(app: Flask, client: FlaskClient, mo: int) -> FlaskClient:
    """Mo's browser, signed in a moment ago."""
    return sign_in(app, client, mo)


def send(client: FlaskClient, path: str, page: str = "/desk/me/", **fields: str) -> TestResponse:
    token = csrf(client.get(page).text)
    return client.post(path, data={"csrf_token": token, **fields})


def try_password(client: FlaskClient, password: str = PASSWORD) -> TestResponse:
    return send(client, "/desk/login", "/desk/login", email=EMAIL, password=password)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/desk/").status_code == 200


def grow_stale(client: FlaskClient) -> None:
    """As if the sign-in were an hour ago."""
    with client.session_transaction("/desk/") as cookie:
        cookie["fs_paa"] -= 3_600


def set_up_app(client: FlaskClient) -> tuple[str, list[str]]:
    """Sets an app up; its key, and the recovery codes shown."""
    assert send(client, "/desk/me/app").location == "/desk/me/app"
    found = re.search(r"<code dir=\"ltr\">([^<]+)</code>", client.get("/desk/me/app").text)
    assert found
    shown = send(client, "/desk/me/app/confirm", "/desk/me/app", code=totp(found[1]))
    return found[1], re.findall(r"<code>([^<]+)</code>", shown.text)


def words(app: Flask) -> list[str]:
    with app.app_context():
        return list(database.session().scalars(select(Event.what).order_by(Event.id)))


# Name and password


def test_a_name_is_changed_and_one_that_is_none_refused(app: Flask, desk: FlaskClient) -> None:
    for nothing in (" ", "\0", "\u2060"):
        assert send(desk, "/desk/me/name", name=nothing).status_code == 422
    assert send(desk, "/desk/me/name", name="Mo\0 Berg").status_code == 303
    assert "Mo Berg" in desk.get("/desk/").text
    assert words(app)[-1] == "name_changed"


@pytest.mark.parametrize(
    ("present", "new", "said"),
    [
        ("wrong", NEW, "This is not your present password."),
        (PASSWORD, "short", "Use at least 8 characters."),
        (PASSWORD, "password123", "one of the first"),
        (PASSWORD, EMAIL, "not made of your name or address"),
    ],
)
def test_a_new_password_needs_the_present_one_and_to_be_good(
    desk: FlaskClient, present: str, new: str, said: str
) -> None:
    refused = send(desk, "/desk/me/password", present=present, password=new)
    assert refused.status_code == 422
    assert said in refused.text
    assert is_signed_in(desk)


def test_a_new_password_ends_every_other_session_and_old_link(
    app: Flask, desk: FlaskClient, mo: int
) -> None:
    other = sign_in(app, app.test_client(), mo)
    with app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(Moderator, mo))
    changed = send(desk, "/desk/me/password", present=PASSWORD, password=NEW)
    assert changed.status_code == 303
    assert is_signed_in(desk)
    assert not is_signed_in(other)
    assert other.get(f"/desk/sign-in/{secret}").status_code == 404
    assert "do not belong together" in try_password(app.test_client()).text
    assert try_password(app.test_client(), NEW).status_code == 303
    assert "password_changed" in words(app)


def test_guessing_the_present_password_is_slowed_as_at_the_door(desk: FlaskClient) -> None:
    answers = [
        send(desk, "/desk/me/password", present="wrong", password=NEW).status_code for _ in range(6)
    ]
    assert answers == [422] * 5 + [429]


# The app and the codes


def test_an_app_is_asked_for_after_the_password_and_a_code_works_once(
    app: Flask, desk: FlaskClient, mo: int
) -> None:
    key, codes = set_up_app(desk)
    assert len(set(codes)) == second_step.CODES
    late = app.test_client()
    half = try_password(late)
    assert half.location == "/desk/login/second"
    assert not is_signed_in(late)
    # The code that set it up is used; the next one is not, and signs in only once.
    for code, is_good in ((totp(key), False), ("000000", False), (totp(key, 1), True)):
        send(late, "/desk/login/second", "/desk/login/second", code=code)
        assert is_signed_in(late) == is_good
    again = app.test_client()
    try_password(again)
    send(again, "/desk/login/second", "/desk/login/second", code=totp(key, 1))
    assert not is_signed_in(again)
    assert words(app).count("second_step_added") == 1


def test_a_recovery_code_works_once_however_it_is_typed(app: Flask, desk: FlaskClient) -> None:
    _key, codes = set_up_app(desk)
    typed = codes[3].replace("-", " ").upper()
    for is_good in (True, False):
        late = app.test_client()
        try_password(late)
        send(late, "/desk/login/second", "/desk/login/second", code=typed)
        assert is_signed_in(late) == is_good
    assert "9 codes are left" in desk.get("/desk/me/").text
    assert "code_used" in words(app)
    with app.app_context():
        kept = database.session().scalars(select(RecoveryCode.digest)).all()
        assert not [code for code in codes if code.encode() in b"".join(kept)]


def test_new_codes_end_the_old_ones_and_the_last_step_s_end_ends_them(
    app: Flask, desk: FlaskClient
) -> None:
    assert send(desk, "/desk/me/codes").status_code == 409
    _key, codes = set_up_app(desk)
    made = re.findall(r"<code>([^<]+)</code>", send(desk, "/desk/me/codes").text)
    assert len(made) == 10
    assert not set(made) & set(codes)
    assert send(desk, "/desk/me/app/remove").status_code == 303
    with app.app_context():
        assert database.session().scalars(select(RecoveryCode)).all() == []
    assert try_password(app.test_client()).location == "/desk/"
    assert {"codes_made", "second_step_removed"} <= set(words(app))


def test_guessing_codes_is_slowed(app: Flask, desk: FlaskClient) -> None:
    set_up_app(desk)
    late = app.test_client()
    try_password(late)
    tries = [
        send(late, "/desk/login/second", "/desk/login/second", code=f"{n:06}") for n in range(6)
    ]
    assert [tried.status_code for tried in tries] == [200] * 5 + [429]
    assert "Wait 30 seconds" in tries[5].text


def test_the_first_step_is_no_use_for_long_or_after_a_new_password(
    app: Flask, desk: FlaskClient
) -> None:
    key, _codes = set_up_app(desk)
    for spoil in (
        lambda kept: kept.update(at=kept["at"] - ways_in.HALF_WAY - 1),
        lambda kept: kept.update(who="somebody"),
    ):
        late = app.test_client()
        try_password(late)
        with late.session_transaction("/desk/") as cookie:
            spoil(cookie["half"])
            cookie.modified = True
        sent = late.get("/desk/login/second")
        assert (sent.status_code, sent.location) == (303, "/desk/login")
        assert late.post("/desk/login/second", data={"code": totp(key, 1)}).status_code in (
            303,
            400,
        )
        assert not is_signed_in(late)


def test_the_secret_is_kept_encrypted_and_its_picture_is_served(
    app: Flask, desk: FlaskClient, mo: int
) -> None:
    assert desk.get("/desk/me/app.svg").location == "/desk/me/"
    send(desk, "/desk/me/app")
    drawn = desk.get("/desk/me/app.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.headers["Cache-Control"] == "no-store"
    assert b"style" not in drawn.data
    assert b"<script" not in drawn.data
    assert "data:" not in desk.get("/desk/me/app").text
    key, _codes = set_up_app(desk)
    with app.app_context():
        stored = database.session().get_one(Moderator, mo).totp_secret or ""
    assert key.replace("-", "") not in stored


# Lately


STALE = ["/desk/me/app", "/desk/me/app/remove", "/desk/me/codes", "/desk/me/passkeys/options"]


@pytest.mark.parametrize("path", STALE)
def test_what_keeps_an_account_safe_is_changed_only_by_who_signed_in_lately(
    desk: FlaskClient, path: str
) -> None:
    token = csrf(desk.get("/desk/me/").text)
    grow_stale(desk)
    sent = desk.post(path, data={"csrf_token": token})
    assert sent.status_code == 303
    assert sent.location.startswith("/desk/me/verify?next=")
    asked = {"Accept": "application/json", "X-CSRFToken": token}
    assert desk.post(path, headers=asked).status_code == 403
    page = desk.get("/desk/me/").text
    assert "Confirm that it is you" in page
    assert 'action="/desk/me/app"' not in page


def test_who_confirms_with_the_password_goes_on_where_they_were(
    app: Flask, desk: FlaskClient
) -> None:
    grow_stale(desk)
    at = "/desk/me/verify?next=/desk/me/"
    assert "This is not right" in send(desk, "/desk/me/verify", at, password="no").text
    confirmed = send(desk, "/desk/me/verify", at, password=PASSWORD, next="/desk/me/")
    assert confirmed.location == "/desk/me/"
    assert 'action="/desk/me/app"' in desk.get("/desk/me/").text
    away = send(desk, "/desk/me/verify", at, password=PASSWORD, next="https://evil.example/")
    assert away.location == "/desk/"
    assert words(app).count("verified") == 2


def test_a_stolen_browser_sets_no_first_password(app: Flask, desk: FlaskClient, mo: int) -> None:
    with app.app_context(), database.writing() as session:
        session.get_one(Moderator, mo).password = None
    token = csrf(desk.get("/desk/me/").text)
    grow_stale(desk)
    sent = desk.post("/desk/me/password", data={"csrf_token": token, "password": NEW})
    assert "/desk/me/verify" in sent.location
    assert "You have no password yet" in desk.get("/desk/me/verify").text


# Sessions


def test_sessions_are_listed_and_ended_and_the_next_request_is_signed_out(
    app: Flask, desk: FlaskClient, mo: int
) -> None:
    other, third = (sign_in(app, app.test_client(), mo) for _ in range(2))
    firefox = app.test_client()
    firefox.environ_base["HTTP_USER_AGENT"] = FIREFOX["User-Agent"]
    sign_in(app, firefox, mo)
    page = desk.get("/desk/me/").text
    assert page.count('/end"') == 3
    assert "Firefox on Linux" in page
    assert page.count("this one") == 1
    found = re.search(r'action="(/desk/me/sessions/\d+/end)"', page)
    assert found
    assert send(desk, found[1]).status_code == 303
    assert not is_signed_in(firefox)
    assert firefox.get("/desk/", headers={"Accept": "application/json"}).status_code == 401
    assert is_signed_in(other)
    send(desk, "/desk/me/sessions/end-others")
    assert [is_signed_in(browser) for browser in (desk, other, third)] == [True, False, False]
    assert words(app).count("session_ended") == 2


def test_nobody_ends_a_colleague_s_session(app: Flask, desk: FlaskClient) -> None:
    ina = sign_in(app, app.test_client(), add_moderator(app, "ina@daily.example"))
    with app.app_context():
        [visit_id] = database.session().scalars(
            select(Visit.id).join(Moderator).where(Moderator.email == "ina@daily.example")
        )
    assert send(desk, f"/desk/me/sessions/{visit_id}/end").status_code == 404
    assert is_signed_in(ina)


def test_a_cookie_that_was_copied_before_signing_out_is_worth_nothing(
    app: Flask, desk: FlaskClient
) -> None:
    copied = desk.get_cookie("rejoinder", path="/desk")
    assert copied
    thief = app.test_client()
    thief.set_cookie("rejoinder", copied.value, path="/desk")
    assert is_signed_in(thief)
    send(desk, "/desk/logout")
    assert not is_signed_in(thief)


def test_a_visit_is_seen_by_what_somebody_does_every_five_minutes_at_most(
    app: Flask, desk: FlaskClient
) -> None:
    def seen() -> object:
        with app.app_context():
            return database.session().scalar(select(Visit.seen_at))

    def age(minutes: int) -> None:
        with app.app_context(), database.writing() as session:
            visit = session.scalars(select(Visit)).one()
            visit.seen_at = visit.started_at - minutes * visits.SEEN_EVERY / 5

    before = seen()
    send(desk, "/desk/me/name", name="Mo")
    assert seen() == before
    age(minutes=6)
    before = seen()
    desk.get("/desk/")
    assert seen() == before
    send(desk, "/desk/me/name", name="Mo")
    assert seen() != before
    age(minutes=31 * 24 * 60)
    assert not is_signed_in(desk)
