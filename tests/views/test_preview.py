import re

import pytest
from cast import ARTICLE, ORIGIN, add_site, stored, token

from service.views import limits

TYPED = "I *liked* it: [more](https://a.example/x)"


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def preview(app, client):
    def preview(site="daily", headers=None, **fields):
        url = fields.get("url", ARTICLE)
        sent = {"url": url, "token": token(app, url, site), "comment": TYPED} | fields
        return client.post(f"/embed/{site}/preview", data=sent, headers=headers or {})

    return preview


def test_a_preview_is_the_server_s_rendering_with_links_as_text_and_stores_nothing(app, preview):
    answer = preview()
    assert answer.status_code == 200
    assert "<p>I <em>liked</em> it: more (https://a.example/x)</p>" in answer.text
    assert "[more](https://a.example/x)</textarea>" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert stored(app) == []


def test_a_preview_complains_of_nothing_that_is_missing(preview):
    for typed in (TYPED, "", " \u200b"):
        answer = preview(comment=typed, name="", email="")
        assert answer.status_code == 200
        assert 'id="reply-preview"' in answer.text
        assert not re.search('class="error"|role="alert"', answer.text)
        assert ("There is nothing to show yet" in answer.text) == (typed != TYPED)


def test_a_comment_that_is_too_long_is_not_rendered(app, preview):
    add_site(app, "short", "https://short.example", comment_length=10)
    answer = preview("short", url="https://short.example/a")
    assert answer.status_code == 422
    assert "Shorten your comment by" in answer.text
    assert 'id="reply-preview"' not in answer.text


@pytest.mark.parametrize(
    ("origin", "status"),
    [(ORIGIN, 200), ("http://localhost", 200), ("null", 200), ("https://evil.example", 403)],
)
def test_a_preview_looks_where_the_form_stood(preview, origin, status):
    assert preview(headers={"Origin": origin}).status_code == status


def test_a_preview_of_an_old_page_keeps_the_text_and_renews_it(preview):
    answer = preview(token="old")
    assert answer.status_code == 422
    assert "press “Preview” once more" in answer.text
    fresh = re.search(r'name="token"[^>]*value="([^"]+)"', answer.text)[1]
    assert preview(token=fresh).status_code == 200


def test_nobody_previews_by_a_link_or_for_another_s_article(client, preview):
    assert client.get(f"/embed/daily/preview?url={ARTICLE}&comment=x").status_code == 405
    assert preview(url="https://evil.example/a").status_code == 403


def test_too_many_previews_keep_their_text_and_say_when_to_go_on(make_app, monkeypatch):
    client = (app := make_app(RATE_LIMITS="on")).test_client()
    sent = {"url": ARTICLE, "token": token(app), "comment": TYPED}
    for _ in range(int(limits.PREVIEWING.split()[0])):
        answer = client.post("/embed/daily/preview", data=sent)
        assert answer.status_code == 200
    answer = client.post("/embed/daily/preview", data=sent)
    assert answer.status_code == 429
    assert "try again in 5 minutes." in answer.text
    assert 240 < int(answer.headers["Retry-After"]) <= 301
    assert TYPED in answer.text


def test_a_fragment_previews_at_the_service_and_stores_nothing_at_the_publisher(client):
    page = client.get("/embed/daily/fragment", query_string={"url": ARTICLE}).text
    assert 'formaction="http://localhost/embed/daily/preview#reply-preview"' in page
    assert "<template" not in page
    assert "data-writing" not in page
