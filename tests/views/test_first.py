"""The first ten minutes: an account by the console's link, a site, the snippet, the first comment."""

import re

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, csrf, on_record, reply, sign_in
from sqlalchemy import select

from service import accounts, database, first
from service.accounts import Purpose
from service.models import Site
from service.status import Role
from service.views.begin import key_of, origin_of

ADA = {"name": "Ada", "email": "Ada@Daily.example", "password": "seven quiet harbours"}


@pytest.fixture
def link(app):
    with app.app_context(), database.writing() as session:
        secret = first.make_link(session)
    return f"/desk/first/{app.extensions['signer'].sign(Purpose.FIRST.by_secret, secret)}"


@pytest.fixture
def ada(app, client):
    """An admin, on an installation without a site."""
    return sign_in(app, client, add_moderator(app, "ada@daily.example", role=Role.ADMIN))


def send(client, path, page=None, **fields):
    typed = fields | {"csrf_token": csrf(client.get(page or path).text)}
    return client.post(path, data=typed)


def sites(app):
    with app.app_context():
        return database.session().scalars(select(Site)).all()


def test_the_link_makes_an_account_signs_in_and_leads_on(app, client, link):
    shown = client.get(link)
    assert "Make my account" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    done = send(client, link, **ADA)
    assert (done.status_code, done.location) == (303, "/desk/begin")
    assert "Name your site" in client.get("/desk/begin").text
    with app.app_context():
        [admin] = database.session().scalars(select(accounts.Moderator))
        assert (admin.email, admin.name, admin.is_admin) == ("ada@daily.example", "Ada", True)
    assert app.test_client().get(link).status_code == 404
    assert [event.what for event in on_record(app)] == ["joined"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Enter the name"),
        ("email", "nobody", "like name@example.org"),
        ("password", "short", "at least 8"),
        ("password", "ada@daily.example", "not made of your name or address"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_stays_good(app, client, link, field, value, said):
    refused = send(client, link, **ADA | {field: value})
    assert refused.status_code == 422
    assert said in refused.text
    assert field == "name" or 'value="Ada"' in refused.text
    assert send(client, link, **ADA).status_code == 303


def test_the_summary_has_the_errors_in_the_order_of_the_fields(client, link):
    summary = send(client, link).text.partition('id="errors"')[2].partition("</div>")[0]
    assert re.findall('href="#([a-z]+)"', summary) == ["name", "email", "password"]


def test_a_colleague_s_address_is_refused(app, client, link, daily):
    add_moderator(app, "mo@daily.example")
    refused = send(client, link, **ADA | {"email": "mo@daily.example"})
    assert (refused.status_code, "has an account here" in refused.text) == (422, True)


def test_the_sign_in_page_says_where_the_link_is_as_long_as_there_is_no_admin(app, client):
    assert "flask setup" in client.get("/desk/login").text
    add_moderator(app, "ada@daily.example", role=Role.ADMIN)
    assert "flask setup" not in client.get("/desk/login").text


def test_the_service_s_own_address_leads_to_the_desk(client):
    assert client.get("/").location == "/desk/"


def test_a_site_is_named_and_its_key_made_of_the_name(app, ada):
    typed = {"name": "Le Café du Coin", "address": "cafe.example/menu"}
    done = send(ada, "/desk/begin", **typed)
    assert (done.status_code, done.location) == (303, "/desk/begin/le-cafe-du-coin")
    [site] = sites(app)
    assert (site.name, site.origins) == ("Le Café du Coin", ["https://cafe.example"])
    assert on_record(app)[-1].what == "site_added"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Enter the name"),
        ({"address": ""}, "Enter the address"),
        ({"address": "ftp://x"}, "Enter the address"),
        ({"key": "Not A Key"}, "small letters, digits and hyphens"),
        ({"key": SITE}, "There is a site with the key daily already"),
    ],
)
def test_what_is_no_site_is_refused_and_kept(app, ada, daily, typed, said):
    given = {"name": "The Star", "address": "https://star.example", "key": ""} | typed
    refused = send(ada, "/desk/begin", **given)
    assert (refused.status_code, said in refused.text) == (422, True)
    assert [f'value="{value}"' in refused.text for value in given.values() if value]
    assert [site.key for site in sites(app)] == [SITE]


def test_the_snippet_stands_there_and_the_first_comment_is_seen(app, ada, daily):
    page = "/desk/begin/daily"
    before = ada.get(page).text
    assert "&lt;rejoinder-thread site=&#34;daily&#34;" in before
    assert "/embed/daily?url=https%3A%2F%2F" in before
    assert "/desk/sites/daily/embed" in before
    assert "/desk/sites/daily/doctor" in before
    assert 'data-copy="Copy"' in before
    assert "http://localhost/embed.js" in before
    assert "No comment has come yet" in before
    asked = {"Accept": "application/json"}
    assert ada.get(page, headers=asked).json == {"has_comment": False}
    reply(app, app.test_client(), comment="The first word here.", url=ARTICLE)
    assert ada.get(page, headers=asked).json == {"has_comment": True}
    assert "The first word here." in ada.get(page).text


def test_only_an_admin_adds_and_only_who_keeps_it_sees(app, mo, another):
    assert mo.get("/desk/begin").status_code == 403
    assert mo.get("/desk/begin/daily").status_code == 403
    pia = another("pia", role=Role.PUBLISHER)
    assert pia.get("/desk/begin").status_code == 403
    assert pia.get("/desk/begin/daily").status_code == 200
    add_site(app, "stars", "https://stars.example")
    assert pia.get("/desk/begin/stars").status_code == 403


@pytest.mark.parametrize(
    ("name", "key"), [("The Daily", "the-daily"), ("日報", "site"), ("x" * 99, "x" * 40)]
)
def test_a_key_is_made_of_what_ascii_has_of_a_name(name, key):
    assert key_of(name) == key


def test_an_address_is_taken_as_people_type_it():
    assert origin_of("www.Example.org/blog/?x=1") == "https://www.example.org"
    assert origin_of("http://example.org:8080/") == "http://example.org:8080"
