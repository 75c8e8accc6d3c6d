"""Finding at the desk: what is typed, what is set, an exact address, and what a URL gives away."""

import re
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from cast import (
    ARTICLE,
    ORIGIN,
    RITA,
    add_moderator,
    add_site,
    csrf,
    on_record,
    reply,
    sign_in,
    stored,
)
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from service import database
from service.models import Article, Comment, now, public_id
from service.status import Status

OTTO = "otto@readers.example"
STARS = "https://stars.example"


@pytest.fixture
def mo(app: Flask, client: FlaskClient) -> FlaskClient:
    """Mo, who moderates The Daily, signed in; three replies of Rita and Otto wait."""
    add_site(app)
    reply(app, app.test_client(), comment="The old harbour.")
    reply(app, app.test_client(), comment="See https://pills.example", name="Otto", email=OTTO)
    reply(app, app.test_client(), comment="A harbour, too.", url=f"{ORIGIN}/other")
    return sign_in(app, client, add_moderator(app))


def cards(page: str) -> list[str]:
    return re.findall(r'<article class="card"[^>]*data-comment-id="([^"]+)"', page)


def chips(page: str) -> dict[str, str]:
    """What is set, in words, and where each leads that takes it away."""
    listed = page.partition('<ul class="chips"')[2].partition("</ul>")[0]
    found = re.findall(r'<a href="([^"]+)"><span dir="auto">([^<]+)', listed)
    return {said: href.replace("&amp;", "&") for href, said in found}


def find_address(who: FlaskClient, **fields: str) -> TestResponse:
    fields.setdefault("csrf_token", csrf(who.get("/desk/").text))
    return who.post("/desk/address", data=fields)


def events(app: Flask) -> list[tuple[str, str, str]]:
    return [(event.what, event.by, event.about) for event in on_record(app)]


def test_a_search_is_a_url_that_says_what_is_set_and_how_to_take_it_away(
    app: Flask, mo: FlaskClient
) -> None:
    first, pills, third = (comment.public_id for comment in stored(app))
    url = f"/desk/?q=harbour&article={ARTICLE}&sort=oldest"
    page = mo.get(url).text
    assert cards(page) == [first]
    assert 'name="q" type="search" dir="auto" maxlength="200" value="harbour"' in page
    set_now = chips(page)
    assert list(set_now) == ["text: harbour", f"article: {ARTICLE}", "oldest first"]
    without_article = set_now[f"article: {ARTICLE}"]
    assert cards(mo.get(without_article).text) == [first, third]
    assert cards(mo.get(set_now["text: harbour"]).text) == [first, pills]
    # The other lists keep what is searched for.
    tab = re.search(r'<a href="/desk/\?([^"]+)" data-status="spam"', page)
    asked = {"q": "harbour", "article": ARTICLE, "sort": "oldest", "status": "spam"}
    assert dict(parse_qsl(tab[1].replace("&amp;", "&"))) == asked
    assert chips(mo.get("/desk/").text) == {}
    sent = mo.get("/desk/?status=spam&q=harbour&name=&since=&sort=&links=")
    assert (sent.status_code, sent.location) == (302, "/desk/?status=spam&q=harbour")
    assert [cards(mo.get(f"/desk/?{query}").text) for query in ("links=yes", "name=otto")] == [
        [pills],
        [pills],
    ]


def test_what_cannot_be_read_is_said_beside_its_field_and_kept(mo: FlaskClient) -> None:
    answer = mo.get("/desk/?network=10.0.0.0/8&q=harbour&since=soon")
    assert answer.status_code == 422
    error = answer.text.partition('id="find-network-error"')[2].partition("</p>")[0]
    assert "Enter an address like 192.0.2.7, or a network like 192.0.2.0/24." in error
    assert re.search(
        r'name="network"[^>]*value="10.0.0.0/8"\s*aria-invalid="true"'
        r'\s*aria-describedby="\s*find-network-error"',
        answer.text,
    )
    assert 'value="harbour"' in answer.text
    assert (cards(answer.text), '<details class="filters" open>' in answer.text) == ([], True)


def test_where_nothing_matches_it_says_what_to_do(mo: FlaskClient) -> None:
    page = mo.get("/desk/?q=lighthouse&first=yes").text
    empty = page.partition('id="nothing"')[2].partition("</div>")[0]
    assert "Nothing matches." in empty
    assert re.findall(r'<a href="([^"]+)">([^<]+)', empty) == [
        ("/desk/?first=yes", "text: lighthouse"),
        ("/desk/?q=lighthouse", "first comment of its author"),
    ]
    assert "Nothing is waiting" not in page
    assert "No comment is spam here." in mo.get("/desk/?status=spam").text


def test_a_long_list_keeps_its_filter_from_page_to_page(app: Flask, mo: FlaskClient) -> None:
    with app.app_context(), database.writing() as session:
        article = session.scalars(select(Article)).first()
        rows = [
            {
                "public_id": public_id(),
                "site_id": article.site_id,
                "article_id": article.id,
                "name": f"Reader {n}",
                "text": "A lighthouse.",
                "html": "<p>A lighthouse.</p>",
                "renderer": 1,
                "status": Status.PENDING,
                "risk": 80,
                "created_at": now() + timedelta(seconds=n),
            }
            for n in range(60)
        ]
        session.execute(insert(Comment), rows)
    ids = [row["public_id"] for row in rows]
    page = mo.get("/desk/?q=lighthouse").text
    assert cards(page) == ids[:9:-1]
    later = re.search(r'<a class="button" href="([^"]+)" rel="next">Earlier comments', page)
    assert cards(mo.get(later[1].replace("&amp;", "&")).text) == ids[9::-1]
    # And what the rules think little of is one tap away.
    likely = re.search(r'<a class="likely" href="([^"]+)">Review 60 likely spam', page)
    assert cards(mo.get(likely[1].replace("&amp;", "&")).text) == ids[:9:-1]
    assert 'class="likely"' not in mo.get("/desk/?status=spam").text


def test_an_address_is_found_on_the_record_and_shown_nowhere(app: Flask, mo: FlaskClient) -> None:
    expected = [comment.public_id for comment in stored(app) if comment.name == "Rita"]
    with app.app_context(), database.writing() as session:
        session.get_one(Comment, 1).status = Status.SPAM  # in whatever list
    answer = find_address(mo, address=" Rita.Reader@Example.ORG ")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert cards(answer.text) == expected[::-1]
    assert "rita.reader@" not in answer.text.lower()
    assert "r…@e…" in answer.text
    assert events(app) == [("searched", "mo", "")]
    # Without script a decision leads back to a page that can be opened.
    returned = set(re.findall(r'name="next" value="([^"#]*)', answer.text))
    assert returned == {"/desk/address"}
    assert mo.get("/desk/address").status_code == 200


@pytest.mark.parametrize("word", ["q", "name", "article", "network", "since"])
def test_an_address_is_searched_for_in_no_url(app: Flask, mo: FlaskClient, word: str) -> None:
    answer = mo.get(f"/desk/?status=spam&{word}=ask rita.reader@example.org now&links=yes&rule=")
    assert (answer.status_code, answer.location) == (
        302,
        f"/desk/?status=spam&links=yes&refused={word}",
    )
    page = mo.get(answer.location)
    assert page.status_code == 422
    assert "Search for an address below" in page.text
    assert "Nothing was searched for yet." in page.text
    for leaked in ("rita.reader", "%40", "@example"):
        assert leaked not in answer.text + page.text
    assert mo.get("/desk/?refused=nothing").status_code == 200
    assert mo.get("/desk/?article=https://blogs.example/@rita/1").status_code == 200


def test_an_address_that_nobody_has_is_said_masked(app: Flask, mo: FlaskClient) -> None:
    answer = find_address(mo, address="nobody@elsewhere.example")
    assert "Nobody wrote here with the address n…@e…." in answer.text
    assert "nobody@" not in answer.text
    answer = find_address(mo, address="rita")
    assert (answer.status_code, len(events(app))) == (422, 1)
    assert "Enter a whole email address like name@example.org." in answer.text
    assert mo.get("/desk/address").status_code == 200
    assert mo.post("/desk/address", data={"address": RITA["email"]}).status_code == 400


def test_the_next_page_of_an_address_needs_no_address(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.views.queue.PAGE", 1)
    first = find_address(mo, address=RITA["email"]).text
    fields = dict(re.findall(r'name="(authors|after)" value="([^"]+)"', first))
    second = find_address(mo, **fields)
    assert cards(first) + cards(second.text) == [stored(app)[2].public_id, stored(app)[0].public_id]
    assert events(app) == [("searched", "mo", "")]  # one search
    assert 'name="after"' not in second.text


def test_an_address_is_sought_only_where_one_moderates(app: Flask, mo: FlaskClient) -> None:
    add_site(app, "stars", STARS)
    reply(app, app.test_client(), site="stars", url=f"{STARS}/1", email="sue@stars.example")
    assert cards(find_address(mo, address="sue@stars.example").text) == []
    theirs = str(stored(app)[-1].author_id)
    assert find_address(mo, authors=theirs).status_code == 404
    assert find_address(mo, authors="1; 2").status_code == 400


def test_script_can_ask_for_the_counts_alone(app: Flask, mo: FlaskClient) -> None:
    add_site(app, "stars", STARS)
    expected = dict.fromkeys(("approved", "rejected", "spam", "deleted", "reported"), 0)
    assert mo.get("/desk/counts").json == {"pending": 3, **expected}
    assert mo.get("/desk/counts?site=daily").json["pending"] == 3
    assert mo.get("/desk/counts?site=stars").status_code == 404
