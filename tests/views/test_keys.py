"""The keys' map and switch, notes without a decision, and decisions that are sent twice."""

import re
from collections.abc import Callable

import pytest
from cast import add_moderator, add_site, csrf, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service import accounts, database
from service.models import Comment, Decision, Note, now
from service.status import Act, Status

JSON = {"Accept": "application/json"}


def post(who: FlaskClient, path: str, **fields: object) -> TestResponse:
    headers = fields.pop("headers", {})
    return who.post(
        path, data={"csrf_token": csrf(who.get("/desk/").text), **fields}, headers=headers
    )


def decide(who: FlaskClient, comment: str, action: str, **fields: object) -> TestResponse:
    return post(who, f"/desk/comments/{comment}/decide", action=action, **{"version": 1, **fields})


def decisions(app: Flask) -> list[Decision]:
    with app.app_context():
        found = list(database.session().scalars(select(Decision).order_by(Decision.id)))
        database.session().expunge_all()
        return found


def attribute(page: str, name: str) -> str:
    found = re.search(f'data-{name}="([^"]*)"', page)
    assert found, page
    return found[1]


# The switch


def test_it_switches_the_keys_off_and_on_for_whoever_asks(
    app: Flask,
    mo: FlaskClient,
    another: Callable[..., FlaskClient],
    waiting: str,
) -> None:
    assert attribute(mo.get("/desk/").text, "keys") == "on"
    assert 'aria-keyshortcuts="a"' in mo.get("/desk/").text
    answer = post(mo, "/desk/keys", has_keys="no", next="/desk/?status=spam")
    assert (answer.status_code, answer.location) == (303, "/desk/?status=spam")
    page = mo.get("/desk/").text
    assert attribute(page, "keys") == "off"
    assert "aria-keyshortcuts" not in page
    assert "<kbd" not in page.partition('<div class="cards"')[2].partition("<dialog")[0]
    assert "switched off for you" in mo.get("/desk/keys").text
    assert attribute(another("ina").get("/desk/").text, "keys") == "on"
    assert post(mo, "/desk/keys", has_keys="yes").location == "/desk/keys"
    assert attribute(mo.get("/desk/").text, "keys") == "on"


def test_it_knows_no_third_way(mo: FlaskClient) -> None:
    assert post(mo, "/desk/keys", has_keys="maybe").status_code == 400
    assert attribute(mo.get("/desk/").text, "keys") == "on"


def test_its_page_lists_every_key_without_script(mo: FlaskClient) -> None:
    page = mo.get("/desk/keys").text
    listed = re.findall(r"<dt>(.*?)</dt>", page)
    keys = [" ".join(re.findall("<kbd>(.)</kbd>", found)) for found in listed]
    assert {*"jkarsdecnxz/?"} < set(keys)
    assert {key for key in keys if key.startswith("g ")} == {f"g {tab}" for tab in "parsdo"}


# Notes


def test_it_keeps_a_note_that_decides_nothing(app: Flask, mo: FlaskClient, waiting: str) -> None:
    here = f"/desk/comments/{waiting}"
    answer = post(mo, f"{here}/note", note=" ask <Ina> first ", next=here)
    assert (answer.status_code, answer.location) == (303, here)
    noted = decisions(app)[0]
    assert (noted.act, noted.by, noted.from_status, noted.to_status, noted.version) == (
        Act.NOTED,
        "mo",
        Status.PENDING,
        Status.PENDING,
        1,
    )
    page = mo.get(here).text
    assert re.search(r"mo noted \d+ seconds? ago:", page)
    assert "ask &lt;Ina&gt; first" in page
    assert (stored(app)[0].version, decide(mo, waiting, "approve").status_code) == (1, 303)


def test_a_note_stands_in_the_way_of_no_undo(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    post(mo, f"/desk/comments/{waiting}/note", note="a slip?")
    decided, noted = decisions(app)
    assert f"/desk/decisions/{decided.id}/undo" in mo.get(f"/desk/comments/{waiting}").text
    assert post(mo, f"/desk/decisions/{noted.id}/undo").status_code == 404
    assert post(mo, f"/desk/decisions/{decided.id}/undo").status_code == 303
    assert stored(app)[0].status == Status.PENDING


@pytest.mark.parametrize(
    ("note", "said"), [(" \n", "Write the note first."), ("x" * 501, "it may have 500 characters")]
)
def test_it_says_what_is_wrong_with_a_note(
    app: Flask,
    mo: FlaskClient,
    waiting: str,
    note: str,
    said: str,
) -> None:
    answer = post(mo, f"/desk/comments/{waiting}/note", note=note, headers=JSON)
    assert answer.status_code == 400
    assert said in answer.json["error"]
    assert decisions(app) == []


def test_nobody_writes_notes_on_another_site(
    app: Flask,
    another: Callable[..., FlaskClient],
    waiting: str,
) -> None:
    add_site(app, "stars", "https://stars.example")
    stella = another("stella", site="stars")
    assert post(stella, f"/desk/comments/{waiting}/note", note="hm").status_code == 404
    with app.app_context():
        assert database.session().scalars(select(Note)).all() == []


# Sent twice, since the answer was lost


@pytest.mark.parametrize("action", ["approve", "reject", "spam", "delete"])
def test_a_decision_that_is_sent_twice_is_made_once_and_told_as_done(
    app: Flask,
    mo: FlaskClient,
    waiting: str,
    action: str,
) -> None:
    first = decide(mo, waiting, action, headers=JSON)
    again = decide(mo, waiting, action, headers=JSON)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json == first.json
    assert (len(decisions(app)), stored(app)[0].version) == (1, 2)


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_so_is_one_on_a_waiting_edit(
    app: Flask, mo: FlaskClient, waiting: str, action: str
) -> None:
    decide(mo, waiting, "approve")
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        comment.edit_text, comment.edit_html, comment.edit_at = "Better.", "<p>Better.</p>", now()
    first = decide(mo, waiting, action, version=2, headers=JSON)
    again = decide(mo, waiting, action, version=2, headers=JSON)
    assert (again.status_code, again.json) == (200, first.json)
    assert len(decisions(app)) == 2


def test_another_decision_or_another_s_is_no_repeat(
    app: Flask,
    mo: FlaskClient,
    another: Callable[..., FlaskClient],
    waiting: str,
) -> None:
    decide(mo, waiting, "approve")
    assert decide(mo, waiting, "spam", headers=JSON).status_code == 409
    assert decide(another("ina"), waiting, "approve", headers=JSON).status_code == 409
    assert len(decisions(app)) == 1


def test_nor_is_one_that_was_taken_back_since(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    post(mo, f"/desk/decisions/{decisions(app)[0].id}/undo")
    answer = decide(mo, waiting, "approve", headers=JSON)
    assert answer.status_code == 409
    assert "mo took a decision back" in answer.json["error"]
    assert stored(app)[0].status == Status.PENDING


# Whose page it is


def test_a_page_left_open_decides_nothing_in_the_name_of_who_signed_in_since(
    app: Flask,
    mo: FlaskClient,
    waiting: str,
) -> None:
    mos = attribute(mo.get("/desk/").text, "who")
    sign_in(app, mo, add_moderator(app, "ina@daily.example"))
    answer = decide(mo, waiting, "approve", headers={**JSON, "X-Moderator": mos})
    assert (answer.status_code, decisions(app)) == (403, [])
    assert "Somebody else is signed in" in answer.json["error"]
    inas = attribute(mo.get("/desk/").text, "who")
    assert decide(mo, waiting, "approve", headers={**JSON, "X-Moderator": inas}).status_code == 200


def test_what_a_browser_knows_a_moderator_by_outlives_sessions_and_addresses(
    app: Flask, mo: FlaskClient
) -> None:
    before = attribute(mo.get("/desk/").text, "who")
    with app.app_context(), database.writing() as session:
        moderator = session.scalars(select(accounts.Moderator)).one()
        moderator.email, moderator.fs_uniquifier = "new@daily.example", "another"
        moderator_id = moderator.id
    assert attribute(sign_in(app, mo, moderator_id).get("/desk/").text, "who") == before


def test_any_moderator_of_the_site_undoes_a_colleague_s_decision_from_the_history(
    app: Flask,
    mo: FlaskClient,
    another: Callable[..., FlaskClient],
    waiting: str,
) -> None:
    decide(mo, waiting, "spam")
    ina = another("ina")
    undo = f"/desk/decisions/{decisions(app)[0].id}/undo"
    assert undo in ina.get(f"/desk/comments/{waiting}").text
    assert post(ina, undo).status_code == 303
    assert stored(app)[0].status == Status.PENDING
    late = post(mo, undo)
    assert late.status_code == 409
    assert re.search("ina took a decision back .* Your “Undo” was not applied", late.text)
