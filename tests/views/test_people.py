"""The people of the desk: who sees them, invites them, removes them, and what a removed one can do."""

import re
from datetime import UTC, datetime

import pytest
from cast import add_moderator, add_site, csrf, sign_in
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import accounts, database, people, second_step
from service.accounts import Membership, Moderator, Purpose
from service.models import Event, Site
from service.status import Role
from service.views.accounts import signed

PAGE = "/desk/people/"
GOOD = "correct horse battery"
EMAILS = {"ada", "pia", "mo", "wim"}


@pytest.fixture
def newsroom(app: Flask) -> dict[str, int]:
    """The Daily with its publisher Pia and moderator Mo; The Weekly with Wim; Ada over all."""
    add_site(app)
    add_site(app, "weekly", "https://weekly.example")
    return {
        "ada": add_moderator(app, "ada@daily.example", None, Role.ADMIN),
        "pia": add_moderator(app, "pia@daily.example", role=Role.PUBLISHER),
        "mo": add_moderator(app),
        "wim": add_moderator(app, "wim@weekly.example", "weekly"),
    }


@pytest.fixture
def pia(app: Flask, client: FlaskClient, newsroom: dict[str, int]) -> FlaskClient:
    return sign_in(app, client, newsroom["pia"])


def role_of(app: Flask, person_id: int) -> int:
    with app.app_context():
        held = select(Membership.id).where(Membership.moderator_id == person_id)
        return database.session().scalars(held).one()


def send(client: FlaskClient, path: str, page: str = "/desk/me/", **fields: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf(client.get(page).text), **fields})


def invite(client: FlaskClient, email: str = "nele@daily.example", **fields: str) -> str:
    """Invites somebody; the path of the link that is shown."""
    sent = {"email": email, "role": "moderator", "site": "daily", **fields}
    found = re.search(
        r"http://localhost(/desk/\S+?)</textarea>", send(client, PAGE + "invite", **sent).text
    )
    assert found
    return found[1]


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/desk/").status_code == 200


def events(app: Flask) -> list[tuple[str, str, str]]:
    with app.app_context():
        rows = database.session().execute(
            select(Event.what, Event.by, Event.about).order_by(Event.id)
        )
        return [(what, by, about) for what, by, about in rows if what != "signed_in"]


def test_a_publisher_sees_the_people_of_their_site_and_no_whole_address(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    page = pia.get(PAGE).text
    assert "<bdi>mo</bdi>" in page
    assert "<bdi>wim</bdi>" not in page
    assert "m…@d…" in page
    assert not re.search(r"(mo|ada|wim)@", page)
    assert "moderator of The Daily" in page
    assert "never signed in" in page


def test_an_address_is_shown_one_at_a_time_on_the_record(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    shown = send(pia, f"{PAGE}{newsroom['mo']}/address").text
    assert "mo@daily.example" in shown
    assert "ada@" not in shown
    assert events(app) == [("address_shown", "pia", "mo")]
    assert send(pia, f"{PAGE}{newsroom['wim']}/address").status_code == 404


def test_whose_mail_comes_back_is_said_beside_them(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    assert "mail comes back" not in pia.get(PAGE).text
    with app.app_context(), database.writing() as session:
        mo = session.get_one(Moderator, newsroom["mo"])
        mo.returned_at = datetime(2026, 11, 3, 12, tzinfo=UTC)
    of_mo = pia.get(PAGE).text.partition("<bdi>mo</bdi>")[2].partition("<bdi>")[0]
    assert "mail comes back since 3 November 2026" in of_mo


def test_a_moderator_s_menu_leads_to_their_account_only(
    app: Flask, client: FlaskClient, newsroom: dict[str, int]
) -> None:
    mo = sign_in(app, client, newsroom["mo"])
    page = mo.get("/desk/").text
    assert "/desk/me/" in page
    assert PAGE not in page
    assert mo.get(PAGE).status_code == 403


def test_somebody_is_invited_joins_and_is_signed_in(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    link = invite(pia)
    assert "n…@d…" in pia.get(PAGE).text
    nele = app.test_client()
    page = nele.get(link)
    assert "pia invites you to be a moderator of The Daily." in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    for password, said in (
        ("short", "at least 8"),
        ("password1", "first that"),
        ("nele berg", "your name"),
    ):
        refused = send(nele, link, link, name="Nele Berg", password=password)
        assert said in refused.text
    assert not is_signed_in(nele)
    assert send(nele, link, link, name="Nele Berg", password=GOOD).status_code == 303
    assert is_signed_in(nele)
    assert app.test_client().get(link).status_code == 404
    assert nele.post(link, data={"csrf_token": csrf(nele.get("/desk/").text)}).status_code == 404
    late = app.test_client()
    sent = send(late, "/desk/login", "/desk/login", email="Nele@daily.example", password=GOOD)
    assert sent.location == "/desk/"
    assert [what for what, *_ in events(app)] == ["invited", "joined"]


def test_opening_an_invitation_uses_nothing_up_and_no_other_link_does(
    app: Flask, pia: FlaskClient
) -> None:
    link = invite(pia)
    secret = link.rpartition("/")[2]
    stranger = app.test_client()
    for _ in range(2):
        assert stranger.get(link).status_code == 200
    for other in ("sign-in", "reset"):
        assert stranger.get(f"/desk/{other}/{secret}").status_code == 404
    assert stranger.get(f"{link}x").status_code == 404
    unsigned = app.extensions["signer"].read("join link", secret)
    assert unsigned
    assert stranger.get(f"/desk/join/{unsigned}").status_code == 404
    assert stranger.post(link, data={"name": "Nele", "password": GOOD}).status_code == 400
    send(pia, f"{PAGE}invitations/1/withdraw")
    assert stranger.get(link).status_code == 404


def test_who_has_an_account_signs_in_first_and_then_takes_the_role(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    link = invite(pia, "wim@weekly.example")
    stranger = app.test_client()
    page = stranger.get(link).text
    assert "has an account already" in page
    assert "password" not in re.sub(r"<title>.*?</title>", "", page).casefold()
    assert f"/desk/login?next={link}" in page
    sent = stranger.post(link, data={"csrf_token": csrf(stranger.get("/desk/login").text)})
    assert sent.status_code == 409
    wim = sign_in(app, app.test_client(), newsroom["wim"])
    assert send(wim, link, link).status_code == 303
    with app.app_context():
        held = database.session().get_one(Moderator, newsroom["wim"]).memberships
        assert len(held) == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "nobody"}, "Enter an email address like"),
        ({"email": ""}, "Enter their email address."),
        ({"role": "admin"}, "Not a valid choice"),
        ({"site": "weekly"}, "Choose a site."),
        ({"site": ""}, "Choose a site."),
    ],
)
def test_a_publisher_invites_to_their_own_site_and_not_above_their_role(
    app: Flask, pia: FlaskClient, fields: dict[str, str], said: str
) -> None:
    sent = {"email": "n@daily.example", "role": "moderator", "site": "daily", **fields}
    refused = send(pia, PAGE + "invite", **sent)
    assert refused.status_code == 422
    assert said in refused.text
    assert events(app) == []


def test_a_removed_moderator_s_session_ends_at_once(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    mo = sign_in(app, app.test_client(), newsroom["mo"])
    token = csrf(mo.get("/desk/me/").text)
    role = role_of(app, newsroom["mo"])
    assert send(pia, f"{PAGE}roles/{role}/remove").status_code == 303
    assert mo.get("/desk/").location.startswith("/desk/login")
    script = {"Accept": "application/json", "X-CSRFToken": token}
    assert mo.post("/desk/me/name", data={"name": "x"}, headers=script).status_code == 401
    assert "Removed" in pia.get(PAGE).text
    send(pia, f"{PAGE}roles/{role}/restore")
    assert not is_signed_in(mo)
    assert is_signed_in(sign_in(app, mo, newsroom["mo"]))


def test_a_role_is_changed_and_counts_at_once(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    mo = sign_in(app, app.test_client(), newsroom["mo"])
    path = f"{PAGE}roles/{role_of(app, newsroom['mo'])}/change"
    assert send(pia, path, role="publisher", site="daily").status_code == 303
    assert mo.get(PAGE).status_code == 200
    assert send(pia, path, role="admin", site="").status_code == 400
    assert events(app) == [
        ("role_changed", "pia", "mo: moderator of The Daily → publisher of The Daily")
    ]


def test_nobody_touches_those_of_another_site_or_above(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    for name in ("wim", "ada"):
        role = role_of(app, newsroom[name])
        assert send(pia, f"{PAGE}roles/{role}/remove").status_code == 403
        sent = send(pia, f"{PAGE}roles/{role}/change", role="moderator", site="daily")
        assert sent.status_code == 403
        assert send(pia, f"{PAGE}{newsroom[name]}/reset").status_code == 403
    assert events(app) == []


def test_the_last_admin_stays_and_is_told_why(
    app: Flask, client: FlaskClient, newsroom: dict[str, int]
) -> None:
    ada = sign_in(app, client, newsroom["ada"])
    role = role_of(app, newsroom["ada"])
    removed = send(ada, f"{PAGE}roles/{role}/remove")
    assert removed.status_code == 409
    assert "This is the last admin." in removed.text
    demoted = send(ada, f"{PAGE}roles/{role}/change", role="moderator", site="daily")
    assert demoted.status_code == 409
    assert is_signed_in(ada)


def test_a_reset_link_sets_a_password_and_still_asks_for_the_second_step(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    mo_s = newsroom["mo"]
    with app.app_context(), database.writing() as session:
        secret = second_step.new_secret(app.extensions["vault"])
        second_step.switch_on(session, mo_s, secret, 1)
    before = sign_in(app, app.test_client(), mo_s)

    def reset(**fields: str) -> str:
        shown = send(pia, f"{PAGE}{mo_s}/reset", **fields).text
        found = re.search(r"http://localhost(/desk/reset/\S+?)</textarea>", shown)
        assert found
        return found[1]

    link, mo = reset(), app.test_client()
    assert "at least 8" in send(mo, link, link, password="short").text
    assert is_signed_in(before)
    assert send(mo, link, link, password=GOOD).location == "/desk/login/second"
    assert not is_signed_in(mo)
    assert not is_signed_in(before)
    assert mo.get(link).status_code == 404
    link = reset(is_step_lost="y")
    assert send(mo, link, link, password=GOOD + "!").location == "/desk/"
    assert is_signed_in(mo)
    assert [event for event in events(app) if event[0] != "password_changed"] == [
        ("link_made", "pia", "mo: a new password"),
        ("link_made", "pia", "mo: a new password"),
        ("second_step_removed", "pia", "mo"),
    ]


def test_people_are_changed_only_by_who_signed_in_lately(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    with pia.session_transaction("/desk/") as cookie:
        cookie["fs_paa"] -= 3_600
    page = pia.get(PAGE).text
    assert "confirm that it is you" in page
    assert "/remove" not in page
    role = role_of(app, newsroom["mo"])
    turned = send(pia, f"{PAGE}roles/{role}/remove")
    assert turned.location == "/desk/me/verify?next=/desk/people/"
    assert events(app) == []


def test_whom_two_want_to_remove_is_removed_once(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    role = role_of(app, newsroom["mo"])
    with app.app_context(), database.writing() as session:
        people.remove(session, people.OPERATOR, role)
    late = send(pia, f"{PAGE}roles/{role}/remove")
    assert late.status_code == 404
    assert "Somebody was quicker" in late.text
    with app.app_context():
        assert not database.session().get_one(Moderator, newsroom["mo"]).active
        assert database.session().scalars(select(Site)).first()


def test_an_admin_may_do_all_of_it(
    app: Flask, client: FlaskClient, newsroom: dict[str, int]
) -> None:
    ada = sign_in(app, client, newsroom["ada"])
    page = ada.get(PAGE).text
    assert all(f"<bdi>{name}</bdi>" in page for name in EMAILS)
    send(ada, f"{PAGE}roles/{role_of(app, newsroom['wim'])}/change", role="admin", site="")
    with app.app_context():
        wim = database.session().get_one(Moderator, newsroom["wim"])
        assert [m.role for m in wim.memberships] == [Role.ADMIN]
        assert accounts.may(wim, 1, Role.ADMIN)
    assert invite(ada, role="admin", site="").startswith("/desk/join/")


def test_a_link_whose_writer_was_removed_leads_nowhere_and_says_so_kindly(
    app: Flask, pia: FlaskClient, newsroom: dict[str, int]
) -> None:
    shown = send(pia, f"{PAGE}{newsroom['mo']}/reset").text
    found = re.search(r"http://localhost(/desk/reset/\S+?)</textarea>", shown)
    assert found
    stranger = app.test_client()
    for link in (invite(pia), found[1]):
        sent = {"csrf_token": csrf(stranger.get(link).text), "name": "Nele", "password": GOOD}
        with app.app_context(), database.writing() as session:
            role = select(Membership).where(Membership.moderator_id == newsroom["pia"])
            session.scalars(role).one().role = Role.MODERATOR
        for answer in (stranger.get(link), stranger.post(link, data=sent)):
            assert answer.status_code == 404
            assert "was taken back. Ask for a new one." in answer.text
        assert not is_signed_in(stranger)
        with app.app_context(), database.writing() as session:
            session.scalars(role).one().role = Role.PUBLISHER


# Over https, where browsers send no Referer from pages that are keys, and a null Origin

HTTPS = "https://comments.example"


@pytest.fixture
def links(make_app, newsroom: dict[str, int]) -> tuple[FlaskClient, dict[str, str]]:
    """A browser over https, and a link of each kind for it."""
    app = make_app(BASE_URL=HTTPS)
    with app.test_request_context(), database.writing() as session:
        site, mo = session.get_one(Site, 1), session.get_one(Moderator, newsroom["mo"])
        invitation = people.invite(session, "Pia", "n@daily.example", Role.MODERATOR, site)
        made = {
            "join": signed(Purpose.JOIN, invitation),
            "reset": signed(Purpose.RESET, accounts.make_link(session, mo, purpose=Purpose.RESET)),
            "sign-in": accounts.make_link(session, mo),
        }
    return app.test_client(), made


@pytest.mark.parametrize("kind", ["join", "sign-in", "reset"])
def test_a_link_works_over_https_from_a_page_that_tells_no_referer(links, kind: str) -> None:
    browser, made = links
    path = f"/desk/{kind}/{made[kind]}"
    page = browser.get(path, base_url=HTTPS)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    sent = {"csrf_token": csrf(page.text), "name": "Nele Berg", "password": GOOD}
    for said in (
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://e.example"},
    ):
        assert browser.post(path, data=sent, headers=said, base_url=HTTPS).status_code == 403
    null = {"Origin": "null"}
    assert browser.post(path, data={}, headers=null, base_url=HTTPS).status_code == 400
    said = null | {"Sec-Fetch-Site": "same-origin"}
    assert browser.post(path, data=sent, headers=said, base_url=HTTPS).status_code == 303
    assert browser.get("/desk/", base_url=HTTPS).status_code == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 303),
        ({"Origin": HTTPS}, 303),
        ({"Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://daily.example"}, 403),
        ({"Origin": "https://["}, 403),
    ],
)
def test_no_other_website_posts_to_the_desk(links, said: dict[str, str], status: int) -> None:
    """Not even with a token that is right."""
    browser, made = links
    path = f"/desk/sign-in/{made['sign-in']}"
    sent = {"csrf_token": csrf(browser.get(path, base_url=HTTPS).text)}
    assert browser.post(path, data=sent, headers=said, base_url=HTTPS).status_code == status
