"""The doctor at the desk and on the command line."""

from datetime import UTC, datetime

import pytest
from cast import SITE, add_moderator, add_site, csrf, sign_in
from outsiders import LOOPBACK, serving
from sqlalchemy import update

from service import database
from service.models import Article, Site, now
from service.status import Role

PAGE = f"/desk/sites/{SITE}/doctor"


@pytest.fixture
def blog():
    with serving() as service:
        link = '<a href="http://localhost/embed/daily">Comments</a>'
        element = f'<rejoinder-thread site="daily">{link}</rejoinder-thread>'
        service.answer = (200, {"Content-Type": "text/html"}, element.encode())
        yield service


@pytest.fixture
def app(make_app, blog):
    made = make_app(PRIVATE_NETWORKS=f"{LOOPBACK} port {blog.port}")
    add_site(made, origin=blog.url)
    return made


@pytest.fixture
def pia(app):
    moderator = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), moderator)


def ask(client, url):
    return client.post(PAGE, data={"csrf_token": csrf(client.get(PAGE).text), "url": url})


def test_a_publisher_is_told_what_to_mend(pia, blog):
    shown = ask(pia, f"{blog.url}/harbour").text
    assert "One thing is to be mended" in shown
    assert "The script is missing" in shown
    assert f'value="{blog.url}/harbour"' in shown


def test_the_article_that_was_written_under_last_is_suggested_if_it_is_one_of_the_sites(
    app, pia, blog
):
    assert 'value="http' not in pia.get(PAGE).text
    for number, url in enumerate((f"{blog.url}/a", f"{blog.url}/b", "https://gone.example/x")):
        at = datetime(2026, 3, 1 + number, tzinfo=UTC)
        with app.app_context(), database.writing() as session:
            session.add(Article(site_id=1, url=url, last_at=at))
    assert f'value="{blog.url}/b"' in pia.get(PAGE).text


@pytest.mark.parametrize("typed", ["", "harbour", "javascript:alert(1)"])
def test_what_is_no_address_is_refused_and_nothing_fetched(pia, blog, typed):
    refused = ask(pia, typed)
    assert refused.status_code == 422
    assert "Enter" in refused.text
    assert blog.asked == []


def test_another_site_s_page_is_not_fetched(pia):
    assert "not on one of the site’s origins" in ask(pia, "http://127.0.0.1:1/").text


def test_only_a_publisher_sends_it_out(app, blog):
    mo = sign_in(app, app.test_client(), add_moderator(app))
    assert mo.get(PAGE).status_code == 403
    assert mo.post(PAGE, data={"url": blog.url}).status_code in (400, 403)
    assert blog.asked == []


def test_looking_at_the_form_fetches_nothing(pia, blog):
    assert pia.get(PAGE, query_string={"url": blog.url}).status_code == 200
    assert blog.asked == []


def test_the_command_says_the_same_and_ends_with_1(app, blog):
    done = app.test_cli_runner().invoke(args=["doctor", "embed", f"{blog.url}/harbour"])
    assert done.exit_code == 1
    assert "mend  The script is missing" in done.output
    assert "1 to mend." in done.output


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("nonsense", 2, "This is no address"),
        ("https://star.example/", 1, "is an origin of no site"),
    ],
)
def test_the_command_refuses_what_it_cannot_look_at(app, url, status, said):
    done = app.test_cli_runner().invoke(args=["doctor", "embed", url])
    assert (done.exit_code, said in done.output) == (status, True)


def test_the_command_knows_no_deleted_site(app, blog):
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(deleted_at=now()))
    done = app.test_cli_runner().invoke(args=["doctor", "embed", f"{blog.url}/harbour"])
    assert (done.exit_code, "is an origin of no site" in done.output) == (1, True)


def test_what_a_request_calls_this_service_is_not_asked(make_app, blog):
    app = make_app(PRIVATE_NETWORKS=f"{LOOPBACK} port {blog.port}", BASE_URL="")
    add_site(app, origin=blog.url)
    moderator = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    pia = sign_in(app, app.test_client(), moderator)
    typed = {"csrf_token": csrf(pia.get(PAGE).text), "url": f"{blog.url}/harbour"}
    shown = pia.post(PAGE, data=typed).text
    assert "BASE_URL is not set" in shown
    assert [asked.path for asked in blog.asked] == ["/harbour"]
