"""Several moderators: what a heartbeat tells and takes, what came in, what is asked of whom."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cast import RITA, add_site, csrf, reply, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from service import accounts, database, moderation
from service.models import Comment, Decision, Opening, now
from service.status import Role, Status
from service.views import together

JSON = {"Accept": "application/json"}
STARS = "https://stars.example"
SAID = re.compile(r'data-since="([^"]+)"')


@pytest.fixture
def ina(another: Callable[..., FlaskClient]) -> FlaskClient:
    return another("ina")


def send(app: Flask, comment: str = "Hear, hear.", **fields: Any) -> str:
    """A reply of Rita's in the queue."""
    assert reply(app, app.test_client(), comment=comment, **fields).status_code == 303
    return stored(app)[-1].public_id


@pytest.fixture
def waiting(app: Flask, daily: int) -> str:
    return send(app)


@pytest.fixture
def elsewhere(app: Flask) -> str:
    """A reply on a site that Mo and Ina have nothing to do with."""
    add_site(app, "stars", STARS)
    return send(app, "Starry.", site="stars", url=f"{STARS}/1")


def post(who: FlaskClient, path: str, **fields: Any) -> TestResponse:
    headers = fields.pop("headers", JSON)
    if "csrf_token" not in fields:
        fields["csrf_token"] = csrf(who.get("/desk/mine").text)
    return who.post(path, data=fields, headers=headers)


def beat(who: FlaskClient, *cards: str, **fields: Any) -> Any:
    """A heartbeat of a page with these cards; what it is told."""
    shown = [card if ":" in card else f"{card}:1" for card in cards]
    answer = post(who, "/desk/together", card=shown, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json


def decide(who: FlaskClient, comment: str, action: str, version: int = 1, **fields: Any) -> Any:
    path = f"/desk/comments/{comment}/decide"
    return post(who, path, action=action, version=version, **fields).json


def hand(who: FlaskClient, comment: str, action: str, **fields: Any) -> TestResponse:
    return post(who, f"/desk/comments/{comment}/handover", action=action, **fields)


def moderator_id(app: Flask, name: str) -> int:
    with app.app_context():
        found = select(accounts.Moderator.id).where(accounts.Moderator.name == name)
        return database.session().scalars(found).one()


def openings(app: Flask) -> list[Any]:
    with app.app_context():
        rows = database.session().execute(select(Opening.moderator_id, Opening.at))
        return [tuple(row) for row in rows]


def grow_old(app: Flask, seconds: int) -> None:
    """Lets time pass for what is open."""
    with app.app_context(), database.writing() as session:
        for opening in session.scalars(select(Opening)):
            opening.at -= timedelta(seconds=seconds)


# Who has what open


def test_it_says_who_has_a_card_open(
    app: Flask, mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    assert beat(mo, waiting, focus=waiting)["open"] == {}
    assert beat(ina, waiting)["open"] == {waiting: "mo has this open."}
    assert "mo has this open." in ina.get("/desk/").text  # without script too
    assert "mo has this open." in ina.get(f"/desk/comments/{waiting}").text
    assert "has this open" not in mo.get("/desk/").text
    grow_old(app, 61)
    assert beat(ina, waiting)["open"] == {}
    assert "has this open" not in ina.get("/desk/").text


def test_it_names_all_of_them_and_never_by_an_address(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    for name in ("ina", "ben", "zoe"):
        beat(another(name), focus=waiting)
    with app.app_context(), database.writing() as session:
        zoe = session.scalars(select(accounts.Moderator).where(accounts.Moderator.name == "zoe"))
        zoe.one().name = "zoe@daily.example"
    assert beat(mo, waiting)["open"] == {waiting: "ben, ina and z…@… have this open."}


def test_it_writes_a_heartbeat_only_now_and_then(app: Flask, mo: FlaskClient, waiting: str) -> None:
    beat(mo, waiting, focus=waiting)
    first = openings(app)
    beat(mo, waiting, focus=waiting)
    assert openings(app) == first
    grow_old(app, 21)
    beat(mo, waiting, focus=waiting)
    assert len(openings(app)) == 1
    assert openings(app)[0][1] > first[0][1]
    beat(mo, left=waiting)
    assert openings(app) == []


def test_it_tells_and_takes_nothing_of_other_sites(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str, elsewhere: str
) -> None:
    ada, stella = another("ada", site=None, role=Role.ADMIN), another("stella", site="stars")
    beat(stella, focus=elsewhere)
    decide(ada, elsewhere, "spam")
    hand(stella, elsewhere, "ask", note="Starry?")
    told = beat(mo, waiting, elsewhere, focus=elsewhere, status="spam", since=_since(days=-1))
    assert (told["open"], told["changed"], told["left"]) == ({}, {}, {})
    assert (told["new"], told["mine"]["count"]) == (0, 0)
    assert len(openings(app)) == 1
    assert beat(ada, elsewhere)["open"] == {elsewhere: "stella has this open."}
    assert beat(ada, elsewhere)["left"] == {
        elsewhere: "stella asks for a second opinion: “Starry?”"
    }
    for action in ("ask", "hand", "back"):
        assert hand(mo, elsewhere, action).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"card": ["x", ":", "a:b", "a:-1", "a:" + "9" * 40, "é:١"]},
        {"card": ["a:1"] * 5_000},
        {"focus": "nosuch", "left": "nosuch"},
        {"status": "pending", "since": "yesterday"},
        {"status": "pending", "since": "0001-01-01T00:00:00+14:00|1"},
        {"status": "pending", "since": "2026-01-01T00:00:00+00:00|" + "9" * 19},
        {"status": "pending", "since": "2026-01-01T00:00:00+00:00|x"},
        {"status": "pending", "site": "nosuch", "since": "2026-01-01T00:00:00+00:00|0"},
        {"status": "no status at all", "since": "2026-01-01T00:00:00+00:00|0"},
    ],
    ids=str,
)
def test_it_takes_what_no_page_sends(mo: FlaskClient, waiting: str, fields: Any) -> None:
    answer = post(mo, "/desk/together", **fields)
    assert (answer.status_code, answer.json["changed"]) == (200, {})
    assert mo.get("/desk/news", query_string=fields).status_code == 200


# What was decided


def test_it_says_what_was_decided_by_whom_and_why(
    app: Flask, mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    assert beat(mo, waiting)["changed"] == {}
    assert "counts" not in beat(mo, waiting)
    decide(ina, waiting, "reject", note="off <topic>", public_note="Please stay on topic.")
    told = beat(mo, waiting)
    change = told["changed"][waiting]
    assert re.fullmatch(
        r"ina rejected this \d+ seconds? ago "
        r"\(“off <topic>”; told the author: “Please stay on topic\.”\)\.",
        change["said"],
    )
    assert (change["status"], change["version"], change["waits"]) == ("rejected", 2, False)
    assert told["counts"]["pending"] == {"count": 0, "shown": "0"}
    assert told["counts"]["rejected"] == {"count": 1, "shown": "1"}
    assert post(mo, change["undo"]).status_code == 200
    assert stored(app)[0].status == Status.PENDING
    assert "took a decision back" in beat(ina, f"{waiting}:2")["changed"][waiting]["said"]


def test_a_change_that_cannot_be_undone_offers_no_undo(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one())
    change = beat(mo, waiting)["changed"][waiting]
    assert (change["status"], change["undo"]) == ("deleted", None)


def test_who_comes_too_late_reads_both_with_all_notes(
    mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    decide(ina, waiting, "reject", public_note="Please stay on topic.")
    path = f"/desk/comments/{waiting}/decide"
    fields = {"action": "approve", "version": 1}
    told = [post(mo, path, **fields).json["error"], post(mo, path, headers={}, **fields).text]
    for said in told:
        assert re.search(r"ina rejected this \d+ seconds? ago \(told the author: “Please", said)
        assert "Your “Approve” was not applied." in said


# What came in


def _since(**ago: int) -> str:
    return f"{(now() + timedelta(**ago)).isoformat()}|0"


def page_since(who: FlaskClient, path: str = "/desk/") -> dict[str, str]:
    """What a page that is loaded now sends along."""
    found = SAID.search(who.get(path).text)
    assert found
    return {"status": "pending", "since": found[1]}


def cards(page: str) -> list[str]:
    return re.findall(r'<article class="card"[^>]*data-comment-id="([^"]+)"', page)


def test_it_counts_what_came_in_and_gives_its_cards(
    app: Flask, mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    decide(ina, waiting, "spam")
    shown = send(app, "On the page.")
    mark = page_since(mo)
    assert beat(mo, shown, **mark)["new"] == 0  # however short before the page it came
    fresh = [send(app, "Yes."), send(app, "No.")]
    decide(ina, waiting, "pending", version=2)  # put back, and older than all
    told = beat(mo, shown, **mark)
    assert (told["new"], told["news"]) == (3, "Show 3 new comments")
    assert told["counts"]["pending"]["shown"] == "4"
    page = mo.get("/desk/news", query_string={**mark, "card": [shown]}).text
    assert cards(page) == [waiting, *fresh]
    assert RITA["email"] not in page
    found = SAID.search(page)
    assert found
    assert beat(mo, shown, *cards(page), status="pending", since=found[1])["new"] == 0
    assert beat(mo, shown, **mark, site="daily")["new"] == 3
    one = beat(mo, shown, waiting, fresh[0], **mark)
    assert (one["new"], one["news"]) == (1, "Show 1 new comment")


def test_it_shows_no_more_than_a_page_takes(
    app: Flask, mo: FlaskClient, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (together, together.colleagues):
        monkeypatch.setattr(module, "MOST", 1)
    mark = page_since(mo)
    send(app, "Yes.")
    send(app, "No.")
    told = beat(mo, waiting, **mark)
    assert (told["new"], told["news"]) == (2, "More than 1 new: load this page anew")


def test_the_list_of_what_readers_reported_has_news_too(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    mark = page_since(mo, "/desk/?status=reported") | {"status": "reported"}
    assert beat(mo, **mark)["new"] == 0
    with app.app_context(), database.writing() as session:
        session.scalars(select(Comment)).one().reported_at = now()
    assert beat(mo, **mark)["new"] == 1
    assert cards(mo.get("/desk/news", query_string=mark).text) == [waiting]


# Asking colleagues


def test_a_second_opinion_is_asked_of_everybody(
    app: Flask, mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    answer = hand(
        mo, waiting, "ask", note=" Is this\r\nsatire? ", headers={}, next="/desk/?site=daily"
    )
    assert (answer.status_code, answer.location) == (303, "/desk/?site=daily")
    said = "mo asks for a second opinion: “Is this\nsatire?”"
    assert beat(ina, waiting)["left"] == {waiting: said}
    assert beat(ina)["mine"] == {"count": 1, "shown": "1"}
    assert cards(ina.get("/desk/mine").text) == [waiting]
    assert said in ina.get("/desk/").text
    assert re.search(r'For me\s+<span class="count" data-count="1">1<', ina.get("/desk/").text)
    assert cards(mo.get("/desk/mine").text) == []
    assert stored(app)[0].status == Status.PENDING
    history = mo.get(f"/desk/comments/{waiting}").text
    assert re.search(r"mo asked for a second opinion \d+ seconds? ago\.", history)
    assert decide(ina, waiting, "approve")["status"] == "approved"
    assert cards(ina.get("/desk/mine").text) == []
    assert "asks for a second opinion" not in mo.get("/desk/?status=approved").text


def test_a_comment_is_left_to_a_colleague_and_taken_back(
    app: Flask, mo: FlaskClient, ina: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    ben = another("ben")
    told = hand(mo, waiting, "hand", to=moderator_id(app, "ina"), note="<b>Yours</b>").json
    assert told == {"id": waiting, "said": "Left to ina."}
    assert beat(ben, waiting)["left"] == {waiting: "mo left this to ina: “<b>Yours</b>”"}
    assert "mo left this to you: “&lt;b&gt;Yours&lt;/b&gt;”" in ina.get("/desk/mine").text
    assert cards(ben.get("/desk/mine").text) == []
    assert re.search("mo left this to ina", ben.get(f"/desk/comments/{waiting}").text)
    assert "I will decide it myself" not in ina.get("/desk/").text
    assert hand(ina, waiting, "back").status_code == 409
    assert "I will decide it myself" in mo.get("/desk/").text
    assert hand(mo, waiting, "back").json["said"] == "You decide this after all."
    assert hand(mo, waiting, "back").status_code == 409
    assert cards(ina.get("/desk/mine").text) == []
    assert "that they decide this after all" in ben.get(f"/desk/comments/{waiting}").text


def test_only_who_may_decide_there_can_be_asked(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str, elsewhere: str
) -> None:
    another("stella", site="stars")
    another("ada", site=None, role=Role.ADMIN)
    page = mo.get(f"/desk/comments/{waiting}").text
    assert re.findall(r'<option value="\d+">([^<]+)', page) == ["ada"]
    for to in (moderator_id(app, "stella"), moderator_id(app, "mo"), "", "x", "9" * 30):
        answer = hand(mo, waiting, "hand", to=to)
        assert (answer.status_code, "Choose the colleague" in answer.json["error"]) == (422, True)
        assert hand(mo, waiting, "hand", to=to, headers={}).status_code == 422
    for fields in ({"action": "give"}, {"action": "ask", "note": "x" * 501}, {"action": ""}):
        assert hand(mo, waiting, **fields).status_code == 400
    with app.app_context():
        assert database.session().scalars(select(Decision)).all() == []


def test_nobody_is_asked_where_one_works_alone(mo: FlaskClient, waiting: str) -> None:
    assert "Ask a colleague" not in mo.get(f"/desk/comments/{waiting}").text


def test_it_asks_the_database_no_more_often_for_more_cards(
    app: Flask, mo: FlaskClient, ina: FlaskClient, waiting: str
) -> None:
    """Neither the page nor the heartbeat."""

    def count(ask: Callable[[], Any]) -> int:
        asked: list[str] = []
        engine = app.extensions["database"].read_engine

        def note(*args: Any) -> None:
            asked.append(args[2])

        event.listen(engine, "before_cursor_execute", note)
        ask()
        event.remove(engine, "before_cursor_execute", note)
        return len([said for said in asked if "openings" in said or "handovers" in said])

    ids, token = [waiting], csrf(mo.get("/desk/").text)
    few = count(lambda: beat(mo, *ids, csrf_token=token)), count(lambda: mo.get("/desk/"))
    ids += [send(app, f"Number {number}.") for number in range(5)]
    for id in ids:
        hand(ina, id, "ask")
    many = count(lambda: beat(mo, *ids, csrf_token=token)), count(lambda: mo.get("/desk/"))
    assert (many, len(beat(mo, *ids)["left"])) == (few, 6)


def test_one_card_of_a_list_is_given_as_it_is_now(
    mo: FlaskClient, waiting: str, elsewhere: str
) -> None:
    decide(mo, waiting, "approve")
    page = mo.get("/desk/news", query_string={"one": waiting, "status": "approved"}).text
    assert cards(page) == [waiting]
    assert 'data-version="2"' in page
    assert mo.get("/desk/news", query_string={"one": elsewhere}).status_code == 404
