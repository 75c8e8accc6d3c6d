"""What a publisher is given to paste, and the sample page, which nothing is ever stored under."""

import html
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from cast import ORIGIN, SITE, add_moderator, add_site, reply, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service import database, moderation
from service.models import Article, Comment
from service.status import Role, Status

BASE = "https://comments.daily.example"
SAMPLE = f"{BASE}/desk/sites/{SITE}/sample"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(BASE_URL=BASE, SESSION_COOKIE_SECURE=False)
    add_site(app)
    return app


@pytest.fixture
def pia(app: Flask) -> FlaskClient:
    """Pia, who publishes The Daily, signed in."""
    return sign_in(app, app.test_client(), add_moderator(app, role=Role.PUBLISHER))


def blocks(page: str) -> list[str]:
    found = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.S)
    return [html.unescape(block) for block in found]


def articles(app: Flask) -> int:
    with app.app_context():
        return database.session().scalar(select(func.count(Article.id))) or 0


def sample_thread(client: FlaskClient, **asked: str) -> str:
    """The thread of the sample page, as its frame asks for it."""
    answer = client.get(f"/embed/{SITE}?{urlencode({'url': SAMPLE, **asked})}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_lines_name_this_service_and_this_site(pia):
    page = pia.get(f"/desk/sites/{SITE}/embed").text
    given = blocks(page)
    assert len(given) == 9
    assert all(f"{BASE}/embed/{SITE}" in block for block in given)
    assert not any("www.daily.example" in block for block in given)
    elements = [block for block in given if "<rejoinder-thread" in block]
    assert len(elements) == 6
    for block in elements:
        assert f'<script src="{BASE}/embed.js" async></script>' in block
        assert f'<rejoinder-thread site="{SITE}">' in block


def test_the_link_carries_the_address_as_each_system_writes_it(pia):
    given = "\n".join(blocks(pia.get(f"/desk/sites/{SITE}/embed").text))
    for written in (
        "url=https%3A%2F%2Fdaily.example%2Fyour-article",
        "url=<?php echo rawurlencode( get_permalink() ); ?>",
        "url={{ .Permalink }}",
        f'url={{{{ ("{ORIGIN}" + page.url) | urlencode }}}}',
        "url={{ request.base_url | urlencode }}",
        'url={{ request.build_absolute_uri|urlencode:"" }}',
    ):
        assert f"/embed/{SITE}?{written}" in given


def test_it_says_what_the_fragment_trusts_and_needs(pia):
    page = pia.get(f"/desk/sites/{SITE}/embed").text
    assert f"form-action {BASE}" in page
    assert "no wall of ours" in page
    assert "at least once a day" in page


def test_without_a_base_url_the_lines_name_the_address_of_the_request(make_app):
    app = make_app(BASE_URL="")
    add_site(app)
    pia = sign_in(app, app.test_client(), add_moderator(app, role=Role.PUBLISHER))
    given = blocks(pia.get(f"/desk/sites/{SITE}/embed").text)
    assert all(f"http://localhost/embed/{SITE}" in block for block in given)


def test_only_the_site_s_publisher_sees_them(app):
    add_site(app, "weekly", "https://weekly.example")
    mo = sign_in(app, app.test_client(), add_moderator(app, "mo@daily.example"))
    paul_id = add_moderator(app, "paul@weekly.example", "weekly", Role.PUBLISHER)
    paul = sign_in(app, app.test_client(), paul_id)
    for path in ("embed", "sample"):
        assert mo.get(f"/desk/sites/{SITE}/{path}").status_code == 403
        assert paul.get(f"/desk/sites/{SITE}/{path}").status_code == 403
        assert paul.get(f"/desk/sites/weekly/{path}").status_code == 200
        assert app.test_client().get(f"/desk/sites/{SITE}/{path}").status_code == 302


def test_only_our_own_pages_frame_the_sample_page(pia):
    answer = pia.get(f"/desk/sites/{SITE}/sample?look=dark")
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert ORIGIN not in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert 'class="is-dark"' in answer.text
    assert f'url="{SAMPLE}"' in answer.text
    assert "class=" not in pia.get(f"/desk/sites/{SITE}/sample?look=%22x").text.partition(">")[0]
    framed = pia.get(f"/desk/sites/{SITE}/embed").headers
    assert framed["X-Frame-Options"] == "DENY"


def test_the_sample_thread_has_made_up_comments_and_the_site_s_own_form(app, client):
    page = sample_thread(client)
    assert "worth it" in page
    assert "Leave a Reply" in page
    assert '<meta name="robots" content="noindex">' in page
    assert 'rel="canonical"' not in page
    assert page.index("Ada") < page.index("Grace")
    newest = sample_thread(client, sort="newest")
    assert newest.index("Grace") < newest.index("Ada")


def test_nothing_is_stored_under_the_sample_page(app, client):
    sent = reply(app, client, url=SAMPLE, token=token_of(sample_thread(client)))
    assert sent.status_code == 403
    assert "This is a sample: your reply was not posted." in sent.text
    assert "Hear, hear." in sent.text
    told = reply(
        app,
        client,
        url=SAMPLE,
        token=token_of(sample_thread(client)),
        headers={"Accept": "application/json", "Origin": BASE},
    )
    assert told.status_code == 403
    assert "sample" in told.json["error"]
    assert stored(app) == []
    assert articles(app) == 0


def test_the_sample_s_form_shows_its_errors_and_its_preview(app, client):
    token = token_of(sample_thread(client))
    sent = reply(app, client, url=SAMPLE, token=token, name="")
    assert sent.status_code == 422
    assert "Enter your name" in sent.text
    fields = {"url": SAMPLE, "token": token, "comment": "I *liked* it."}
    shown = client.post(f"/embed/{SITE}/preview", data=fields)
    assert shown.status_code == 200
    assert "<em>liked</em>" in shown.text


def test_no_other_address_of_ours_is_a_sample(app, client):
    for url in (
        f"{BASE}/desk/sites/weekly/sample",
        f"{BASE}/sample",
        "https://evil.example/sample",
    ):
        assert client.get(f"/embed/{SITE}?{urlencode({'url': url})}").status_code == 403


def test_a_link_without_an_address_lists_where_people_talk(app, client):
    url = f"/embed/{SITE}"
    assert "No replies yet" in client.get(url).text
    reply(app, client, url=f"{ORIGIN}/a")
    reply(app, client, url=f"{ORIGIN}/b", comment="There, there.", title="A <b>title</b>")
    assert "No replies yet" in client.get(f"{url}?url=").text
    with app.app_context(), database.writing() as session:
        for comment in session.scalars(select(Comment)):
            comment.status = Status.APPROVED
        session.flush()
        for article in session.scalars(select(Article)):
            moderation.recount(session, article.id)
    page = client.get(url)
    assert page.status_code == 200
    assert page.text.index("daily.example/b") < page.text.index("daily.example/a")
    assert "1 reply" in page.text
    assert "title</b>" not in page.text  # what its first poster called it is not proved
    assert f"/embed/{SITE}?url={ORIGIN}/a" in page.text
    assert client.get(url, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert client.get("/embed/none").status_code == 404


def token_of(page: str) -> str:
    found = re.search(r'name="token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]
