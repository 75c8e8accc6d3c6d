"""The desk's pages of sites: the list, adding one, its overview, its end and its return."""

import re

import pytest
from cast import SITE, add_moderator, add_site, csrf, on_record, reply, sign_in
from flask import url_for
from sqlalchemy import select

from service import database
from service.accounts import Moderator
from service.models import Site
from service.status import Role
from service.views.sites import PAGES

PAGE = f"/desk/sites/{SITE}/"
ADD = "/desk/sites/add"
NEW = {"name": "The Stars", "key": "stars", "origins": "https://stars.example"}


@pytest.fixture
def pia(another):
    """The Daily's publisher."""
    return another("pia", role=Role.PUBLISHER)


@pytest.fixture
def ada(another):
    """Ada, who administers all sites."""
    return another("ada", site=None, role=Role.ADMIN)


def do(who, path, page="/desk/", **fields):
    return who.post(path, data={"csrf_token": csrf(who.get(page).text)} | fields)


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def the_site(app, key=SITE):
    with app.app_context():
        found = database.session().scalar(select(Site).where(Site.key == key))
        database.session().expunge_all()
        return found


def test_the_list_tells_how_much_there_is_on_each_site(app, daily, pia):
    add_site(app, "stars", "https://stars.example")
    reply(app, app.test_client())
    page = pia.get("/desk/sites/")
    assert "Comments: 1 · articles: 1 · waiting: 1" in words(page)
    assert PAGE in page.text
    assert "stars" not in page.text
    assert ADD not in page.text


def test_an_admin_adds_a_site_and_is_told_what_to_do_next(app, daily, ada, pia):
    assert ADD in ada.get("/desk/sites/").text
    assert pia.get(ADD).status_code == 403
    assert do(pia, ADD, **NEW).status_code == 403
    answer = do(ada, ADD, **NEW)
    assert (answer.status_code, answer.location) == (303, "/desk/sites/stars/?saved=added")
    page = ada.get(answer.location).text
    assert "What to do next" in page
    assert "https://www.stars.example" in page
    assert the_site(app, "stars").origins == ["https://stars.example"]
    assert [event.what for event in on_record(app)] == ["site_added"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"origins": "https://stars.example/blog/"}, "An origin has no path"),
        ({"origins": "https://stars.example\nnone"}, "begins with http:// or https://"),
        ({"origins": ""}, "Enter an origin"),
        ({"key": "The Stars"}, "small letters, digits and hyphens"),
        ({"key": SITE}, "There is a site with this key already"),
        ({"key": ""}, "Enter a key"),
        ({"name": ""}, "Enter the name"),
        ({"name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(ada, wrong, said):
    answer = do(ada, ADD, **(NEW | wrong))
    assert answer.status_code == 422
    [field] = wrong
    assert f'href="#{field}"' in answer.text
    assert said in answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    for typed in (NEW | wrong).values():
        assert typed in answer.text


def test_a_site_is_renamed_and_given_origins(app, pia):
    assert do(pia, f"{PAGE}name", PAGE, name="Daily!", version="1").status_code == 303
    sent = do(
        pia, f"{PAGE}origins", PAGE, origins="https://a.example\nhttps://b.example", version=2
    )
    assert sent.status_code == 303
    site = the_site(app)
    assert (site.name, site.origins) == ("Daily!", ["https://a.example", "https://b.example"])
    assert do(pia, f"{PAGE}name", PAGE, name=" ", version=3).status_code == 422
    assert (
        do(pia, f"{PAGE}origins", PAGE, origins="https://a.example/x", version=3).status_code == 422
    )
    assert the_site(app).version == 3


def test_who_comes_second_is_told_and_keeps_what_they_typed(app, pia):
    do(pia, f"{PAGE}name", PAGE, name="First", version="1")
    for path, fields in (
        ("name", {"name": "Second"}),
        ("origins", {"origins": "https://second.example"}),
    ):
        late = do(pia, PAGE + path, PAGE, **fields, version="1")
        assert late.status_code == 409
        assert "Somebody else changed this site" in late.text
        assert next(iter(fields.values())) in late.text
        assert 'name="version" value="2"' in late.text
    assert the_site(app).name == "First"


def test_it_shows_who_is_staff_and_whom_readers_meet(app, pia, mo):
    with app.app_context(), database.writing() as session:
        for one in session.scalars(select(Moderator)):
            one.staff_name = "Editor Mo" if one.name == "mo" else ""
    said = words(pia.get(PAGE))
    assert "mo : moderator; readers meet them as Editor Mo" in said
    assert "pia : publisher; readers meet them under the site’s name" in said


def test_a_site_is_closed_and_opened(app, pia):
    assert do(pia, f"{PAGE}close", PAGE, action="close").status_code == 303
    assert "Closed" in pia.get("/desk/sites/").text
    assert "Open the site again" in pia.get(PAGE).text
    assert do(pia, f"{PAGE}close", PAGE, action="open").status_code == 303
    assert "Close the site" in pia.get(PAGE).text
    assert do(pia, f"{PAGE}close", PAGE, action="burn").status_code == 400


def test_a_site_is_deleted_once_its_key_is_typed_and_restored_by_who_kept_it(app, pia, mo, ada):
    for typed in ("", "Daily", "The Daily"):
        refused = do(pia, f"{PAGE}delete", PAGE, typed=typed)
        assert refused.status_code == 422
        assert "Nothing was deleted" in refused.text
    assert do(mo, f"{PAGE}delete", typed=SITE).status_code == 403
    answer = do(pia, f"{PAGE}delete", PAGE, typed=SITE)
    assert (answer.status_code, answer.location) == (303, "/desk/sites/?saved=deleted")
    assert pia.get(PAGE).status_code == 404
    listed = pia.get("/desk/sites/")
    assert "can be restored until" in listed.text
    assert "can be restored until" in ada.get("/desk/sites/").text
    for who, is_told in ((pia, True), (mo, False)):  # it was the only one of either
        assert ('href="/desk/sites/"' in who.get("/desk/").text) is is_told
    assert do(mo, f"{PAGE}restore").status_code == 403
    assert mo.get("/desk/sites/").status_code == 403
    back = do(pia, f"{PAGE}restore", "/desk/sites/")
    assert (back.status_code, back.location) == (303, f"{PAGE}?saved=restored")
    assert "The site is back" in pia.get(back.location).text
    assert [event.what for event in on_record(app)] == ["site_deleted", "site_restored"]


def test_a_deleted_site_is_no_choice_for_anybodys_role(app, ada):
    add_site(app, "stars", "https://stars.example")
    add_moderator(app, "sam@stars.example", "stars", Role.PUBLISHER)
    assert "stars" in ada.get("/desk/people/").text
    do(ada, "/desk/sites/stars/delete", "/desk/sites/stars/", typed="stars")
    page = ada.get("/desk/people/")
    assert 'value="stars"' not in page.text
    sam = sign_in(app, app.test_client(), 2)
    assert sam.get("/desk/").status_code in (200, 403)


@pytest.mark.parametrize("endpoint", PAGES)
def test_the_row_of_a_sites_pages_stands_on_top_of_each_of_them(app, pia, endpoint):
    with app.test_request_context():
        address = url_for(endpoint, key=SITE)
    page = pia.get(address).text.partition("<main")[2]
    assert f'<a href="{address}" aria-current="page">' in page.partition("<h1")[0]
    assert page.count('aria-label="Pages of ') == 1


@pytest.mark.parametrize("path", ["/desk/nowhere", "/desk/sites/nobody/"])
def test_what_is_not_there_leads_back_to_the_desk(pia, path):
    answer = pia.get(path)
    assert answer.status_code == 404
    assert 'href="/desk/"' in answer.text


def test_a_reader_s_page_that_is_not_there_leads_nobody_to_the_desk(client):
    assert "/desk/" not in client.get("/nowhere").text
