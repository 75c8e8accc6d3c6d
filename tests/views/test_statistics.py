"""The statistics' page: for whom, and what it says in words."""

import re
from datetime import timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from service import database, statistics
from service.models import Article, Comment, Decision, Reason, now
from service.status import Act, Role, Status
from service.views.statistics import in_ten, long

PAGE = "/desk/statistics/daily"


def fill(app: Flask, *statuses: Status, **more: object) -> None:
    """Puts a comment of each status into the database, an hour old; decided ones after 3 minutes."""
    at = now() - timedelta(hours=1)
    with app.app_context(), database.writing() as session:
        article = session.scalars(select(Article)).first()
        if article is None:
            article = Article(site_id=1, url=f"{ORIGIN}/a", title="Buy gold")
            session.add(article)
            session.flush()
        row = {
            "site_id": 1,
            "article_id": article.id,
            "name": "Rita",
            "renderer": 1,
            "text": "Yes.",
        }
        row |= {"html": "<p>Yes.</p>", "created_at": at} | more
        for status in statuses:
            rows = insert(Comment).returning(Comment.id)
            number = session.scalar(rows, [row | {"status": status}])
            session.add(Reason(comment_id=number, rule="repeated", matched="2×"))
            if status != Status.PENDING:
                decision = {"comment_id": number, "moderator_id": 1, "by": "mo", "version": 2}
                decision |= {"from_status": Status.PENDING, "to_status": status, "act": Act.DECIDED}
                decision["at"] = row["created_at"] + timedelta(minutes=3)
                session.execute(insert(Decision), [decision])


def words(page: str) -> str:
    """What stands on a page, apart from its bar."""
    main = page.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


DURATIONS = {
    0: "0 s",
    45.4: "45 s",
    60: "1 min",
    89: "89 s",
    600: "10 min",
    3_600: "1 h",
    4_800: "80 min",
    12_000: "3 h 20 min",
    45_000: "13 h",
    46_800: "13 h",
    86_400: "1 day",
    187_200: "2 days 4 h",
    2_592_000: "30 days",
}
SHARES = {0.02: "1 of 10", 0.5: "5 of 10", 0.94: "9 of 10", 0.96: "all"}


def test_durations_and_shares_are_said_as_people_say_them(app: Flask) -> None:
    with app.test_request_context():
        assert {seconds: long(seconds) for seconds in DURATIONS} == DURATIONS
        assert {part: in_ten(part) for part in SHARES} == SHARES


def test_who_has_one_site_is_taken_to_it(mo: FlaskClient) -> None:
    answer = mo.get("/desk/statistics/")
    assert (answer.status_code, answer.location) == (302, PAGE)


def test_who_has_several_chooses(app: Flask, mo: FlaskClient) -> None:
    add_site(app, "stars", "https://stars.example")
    add_moderator(app, site="stars")
    fill(app, Status.PENDING)
    page = mo.get("/desk/statistics/")
    assert "The Daily 1 comment waits The Daily nothing waits" in words(page.text)
    assert 'href="/desk/statistics/stars"' in page.text


@pytest.mark.parametrize(
    "path", ["stars", "nowhere", "daily?days=31", "daily?days=x", "daily?days="]
)
def test_there_is_no_page_for_another_s_site_or_another_span(
    app: Flask, mo: FlaskClient, path: str
) -> None:
    add_site(app, "stars", "https://stars.example")
    assert mo.get(f"/desk/statistics/{path}").status_code == 404


def test_it_says_so_where_there_is_nothing(mo: FlaskClient) -> None:
    page = mo.get(PAGE)
    assert page.status_code == 200
    for said in (
        "No comment came in these 30 days.",
        "No day has enough decisions yet",
        "Nothing is waiting.",
        "No rule held anything",
        "Nothing was written",
        "No wave of spam",
    ):
        assert said in words(page.text)
    assert "<svg" not in page.text


def test_it_says_in_words_and_numbers_what_it_draws(app: Flask, mo: FlaskClient) -> None:
    fill(app, Status.APPROVED, Status.APPROVED, Status.SPAM, Status.PENDING)
    page = mo.get(f"{PAGE}?days=7").text
    said = words(page)
    assert "Comments came on 1 of 7 days: 2 approved, 1 spam, 1 pending." in said
    assert "On 1 of 1 days half were decided within an hour." in said
    assert "half within 3 min" in said
    assert "under 1 hour 0 1 to 6 hours 1" in said
    assert "The same words were posted before (…). 4 1 turned down 2 let through 1 not" in said
    assert f"{ORIGIN}/a (opens in a new tab) 3" in said  # no title that only a poster sent
    assert "Buy gold" not in page
    drawn = re.findall(r'<svg class="plot [^"]*" role="img" aria-labelledby="(\S+)" aria-d', page)
    assert drawn == ["arrivals-title", "waits-title"]
    assert page.count('<div class="table" role="region" tabindex="0"') == 5
    assert "style=" not in page


def test_a_wave_shows_when_it_was_and_what_it_linked_to(app: Flask, mo: FlaskClient) -> None:
    at = (now() - timedelta(days=3)).replace(hour=2, minute=0)
    fill(app, *[Status.SPAM] * 25, created_at=at, website="https://cheap.example/<x>")
    said = words(mo.get(PAGE).text)
    assert "02:00 to 03:00 UTC 25 spam comments within an hour. All link to cheap.example ." in said


def test_a_rule_of_an_earlier_release_keeps_its_name(app: Flask, mo: FlaskClient) -> None:
    fill(app, Status.PENDING)
    with app.app_context(), database.writing() as session:
        session.add(Reason(comment_id=stored(app)[0].id, rule="full_moon"))
    assert "full_moon 1" in words(mo.get(PAGE).text)


def test_what_was_counted_is_kept_for_a_minute(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, Status.APPROVED)
    assert "Comments in 30 days 1 " in words(mo.get(PAGE).text)
    fill(app, Status.APPROVED)
    assert "Comments in 30 days 1 " in words(mo.get(PAGE).text)
    later = now() + timedelta(seconds=61)
    monkeypatch.setattr("service.views.statistics.now", lambda: later)
    assert "Comments in 30 days 2 " in words(mo.get(PAGE).text)


def test_very_many_are_told_from_a_part_and_it_says_so(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "SAMPLE", 5)
    fill(app, *[Status.APPROVED] * 10)
    assert "told from one comment in 2." in words(mo.get(PAGE).text)


def test_a_moderator_of_the_site_may_look(app: Flask, daily: int) -> None:
    for role in (Role.MODERATOR, Role.PUBLISHER):
        who = sign_in(app, app.test_client(), add_moderator(app, f"{role}@x.example", role=role))
        assert who.get(PAGE).status_code == 200
