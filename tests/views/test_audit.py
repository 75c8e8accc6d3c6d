"""The record's page and its export."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from cast import ARTICLE, RITA, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from service import accounts, database, events, moderation
from service.models import Comment, Decision, Event, Note, Site, now
from service.status import Act, Role

PAGE = "/desk/audit/"
EXPORT = "/desk/audit/export"


@pytest.fixture
def daily(app: Flask) -> int:
    return add_site(app)


@pytest.fixture
def enter(app: Flask, daily: int) -> Callable[..., FlaskClient]:
    def enter(name: str, role: Role = Role.MODERATOR, site: str | None = "daily") -> FlaskClient:
        moderator_id = add_moderator(app, f"{name}@daily.example", site, role)
        return sign_in(app, app.test_client(), moderator_id)

    return enter


@pytest.fixture
def mo(app: Flask, enter: Callable[..., FlaskClient]) -> FlaskClient:
    """Mo, who rejected a reply of Rita's."""
    mo = enter("mo")
    reply(app, app.test_client())
    decide(mo, stored(app)[0].public_id, "reject")
    return mo


@pytest.fixture
def pia(mo: FlaskClient, enter: Callable[..., FlaskClient]) -> FlaskClient:
    return enter("pia", Role.PUBLISHER)


def decide(who: FlaskClient, public_id: str, action: str) -> None:
    sent = {"csrf_token": csrf(who.get("/desk/").text), "action": action, "version": 1}
    sent["note"] = "a note for us alone"
    assert who.post(f"/desk/comments/{public_id}/decide", data=sent).status_code == 303


def export(who: FlaskClient, **asked: str) -> TestResponse:
    return who.post(EXPORT, data={"csrf_token": csrf(who.get(PAGE).text), **asked})


def rows(answer: TestResponse) -> list[list[str]]:
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<main")[2]).split())


def record(app: Flask, *rows: dict[str, object]) -> None:
    with app.app_context(), database.writing() as session:
        session.execute(insert(Event), [{"site_id": 1, "at": now(), "by": "mo"} | r for r in rows])


def test_it_says_who_did_what_to_what_when_and_from_where(app: Flask, mo: FlaskClient) -> None:
    page = mo.get(PAGE).text
    assert re.search(r"\d\d:\d\d:\d\d mo rejected this\. Comment by Rita", words(page))
    assert ARTICLE in page
    assert '<span class="network" dir="ltr">127.0.0.0/24</span>' in page
    assert f'href="/desk/comments/{stored(app)[0].public_id}"' in page
    assert "a note for us alone" not in page
    assert RITA["email"] not in page


def test_the_time_stands_beside_a_sentence_and_not_in_it_too(app: Flask, mo: FlaskClient) -> None:
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        moderator = session.scalars(select(accounts.Moderator)).first()
        moderation.hand(session, comment, moderator, None)
        moderation.take_back(session, comment, moderator)
        moderation.note(session, comment, moderator, "Sure?")
        for act in Act:
            state = {"from_status": comment.status, "to_status": comment.status, "version": 9}
            session.add(Decision(comment=comment, by="mo", act=act, handed_to="ina", **state))
    page = mo.get(PAGE).text
    told = " ".join(re.findall(r'<span dir="auto">([^<]*)</span>', page))
    for said in ("mo left this to ina.", "mo noted.", "mo said that they decide this after all."):
        assert said in told
    assert len(told) > 500
    assert not re.search(r" ago| in 0|just now| [.:]|  |%|Sure", told)


def test_an_event_says_what_it_was_about(app: Flask, mo: FlaskClient) -> None:
    record(app, {"what": "closed", "about": "<b>The harbour</b>"}, {"what": "unheard_of"})
    page = mo.get(PAGE).text
    assert "mo closed an article to new comments." in page
    assert "&lt;b&gt;The harbour&lt;/b&gt;" in page
    assert "mo: unheard_of" in page  # a word of a later release is no reason to fall over


def test_a_name_that_is_an_address_is_masked_on_the_page_and_in_the_file(
    app: Flask, mo: FlaskClient, pia: FlaskClient
) -> None:
    with app.app_context(), database.writing() as session:
        session.scalars(select(Comment)).one().name = "old.import@example.org"
    page, file = mo.get(PAGE).text, export(pia).text
    assert "old.import@" not in page + file
    assert "o…@…" in page
    assert "o…@…" in file


NARROWED = {
    "what=to.rejected": True,
    "what=to.approved": False,
    "what=act.held": False,
    "who=1": True,
    "who=0": False,
    "network=127.0.0.1": True,  # one address stands for its network
    "network=10.0.0.0/24": False,
    "since=2020-01-01": True,
    "until=2020-01-01": False,
    "site=daily&each=1": True,
}


def test_it_can_be_narrowed_by_a_url_that_can_be_shared(mo: FlaskClient) -> None:
    pages = {query: mo.get(f"{PAGE}?{query}").text for query in NARROWED}
    assert {query: "mo rejected this" in page for query, page in pages.items()} == NARROWED
    assert {q: "Nothing on record fits" not in page for q, page in pages.items()} == NARROWED
    assert all('<details class="narrowing" open>' in page for page in pages.values())


def test_today_is_included_on_both_sides(mo: FlaskClient) -> None:
    today = f"{now():%Y-%m-%d}"
    assert "mo rejected this" in mo.get(f"{PAGE}?since={today}&until={today}").text


UNKNOWN = (
    *("what=nothing", "what=to.nothing", "what=event.nothing", "who=mo"),
    "site=stars",
)


def test_what_cannot_be_asked_is_not_silently_left_out(mo: FlaskClient) -> None:
    assert {mo.get(f"{PAGE}?{query}").status_code for query in UNKNOWN} == {404}


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_a_day_that_is_none_is_said_beside_its_field(pia: FlaskClient, name: str, day: str) -> None:
    answer = pia.get(f"{PAGE}?{name}={day}&what=to.rejected")
    assert answer.status_code == 422
    assert "Enter a day like 2026-11-25." in answer.text
    assert f'aria-describedby="{name}-error"' in answer.text
    assert "mo rejected this" not in answer.text
    assert EXPORT not in answer.text
    assert "Nothing on record fits" not in answer.text
    taken = export(pia, **{name: day})
    assert taken.status_code == 422
    assert "Enter a day like 2026-11-25." in taken.text


def test_older_entries_are_a_page_further_with_the_same_filter(app: Flask, mo: FlaskClient) -> None:
    at = now() - timedelta(days=1)
    record(app, *({"what": "held", "about": f"number {n}.", "at": at} for n in range(60)))
    first = mo.get(f"{PAGE}?what=event.held").text
    assert "number 10." in first
    assert "number 9." not in first
    [older] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = mo.get(older.replace("&amp;", "&")).text
    assert "what=event.held" in older
    assert len(re.findall(r"number \d\.", second)) == 10
    assert "mo rejected" not in second
    assert 'rel="next"' not in second


def test_what_is_about_people_is_offered_to_publishers_alone(
    app: Flask, mo: FlaskClient, pia: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.audit.OF_PEOPLE", {"closed"})
    record(app, {"what": "closed", "about": "somebody"})
    assert "closed an article" in pia.get(PAGE).text
    assert 'value="event.closed"' in pia.get(PAGE).text
    assert "closed an article" not in mo.get(PAGE).text
    assert 'value="event.closed"' not in mo.get(PAGE).text


# The export


def test_a_publisher_takes_along_what_the_filter_shows(
    app: Flask, mo: FlaskClient, pia: FlaskClient
) -> None:
    record(app, {"what": "closed", "about": "=HYPERLINK(1)", "network": "203.0.113.0/24"})
    answer = export(pia, what="event.closed")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="record-2')
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"\xef\xbb\xbfat,who,")  # what spreadsheets know UTF-8 by
    heads, *found = rows(answer)
    assert heads == ["at", "who", "what", "site", "about", "author", "page", "network", "way"]
    assert [row[1:] for row in found] == [
        ["mo", "closed", "daily", "'=HYPERLINK(1)", "", "", "203.0.113.0/24", ""]
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found[0][0])


def test_a_decision_s_row_names_the_comment_and_no_address(
    app: Flask, mo: FlaskClient, pia: FlaskClient
) -> None:
    [row] = [row for row in rows(export(pia)) if row[2] == "rejected"]
    page = f"http://localhost/desk/comments/{stored(app)[0].public_id}"
    assert row[1:] == ["mo", "rejected", "daily", ARTICLE, "Rita", page, "127.0.0.0/24", ""]
    assert "@" not in export(pia).text
    assert "a note" not in export(pia).text


def test_an_export_goes_on_record_before_it_leaves(app: Flask, pia: FlaskClient) -> None:
    _, first, *_ = rows(export(pia, site="daily", since="2020-01-01"))
    assert first[1:5] == ["pia", "exported", "daily", "site daily, since 2020-01-01"]
    [event] = on_record(app)
    assert (event.what, event.site_id, event.network) == (events.What.EXPORTED, 1, "127.0.0.0/24")


def test_only_publishers_take_it_along_and_only_of_their_sites(
    app: Flask, mo: FlaskClient, pia: FlaskClient
) -> None:
    assert export(mo).status_code == 403
    assert EXPORT not in mo.get(PAGE).text
    assert EXPORT in pia.get(PAGE).text
    add_site(app, "stars", "https://stars.example")
    assert export(pia, site="stars").status_code == 404
    add_moderator(app, "pia@daily.example", "stars")
    assert export(pia, site="stars").status_code == 403
    assert EXPORT not in pia.get(f"{PAGE}?site=stars").text
    assert on_record(app) == []


def test_an_export_needs_the_page_s_own_token(app: Flask, pia: FlaskClient) -> None:
    assert pia.post(EXPORT).status_code == 400
    assert pia.get(EXPORT).status_code == 405


def test_a_long_record_is_sent_whole(app: Flask, pia: FlaskClient) -> None:
    record(app, *({"what": "held", "about": str(n)} for n in range(1_100)))
    found = rows(export(pia, what="event.held"))
    assert [row[4] for row in found[1:]] == [str(n) for n in reversed(range(1_100))]


def test_the_note_of_a_decision_stands_in_the_comment_s_history_alone(
    app: Flask, mo: FlaskClient
) -> None:
    with app.app_context():
        assert database.session().scalars(select(Note)).one().text == "a note for us alone"
        assert database.session().scalars(select(Site)).one().key == "daily"
    assert "a note for us alone" not in mo.get(PAGE).text
    assert "a note for us alone" in mo.get(f"/desk/comments/{stored(app)[0].public_id}").text
