"""Waves at the desk: a look at what came in, one button that clears it, and its undo."""

import re
from collections.abc import Callable
from datetime import timedelta
from wave import arrive

import pytest
from cast import add_site, csrf, on_record
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service import bulk, database, moderation
from service.accounts import Moderator
from service.models import Article, Comment, Wave, now
from service.status import Status

AT = now() - timedelta(minutes=5)
WAVE = "/desk/waves/1"


@pytest.fixture
def daily(app: Flask) -> int:
    """The Daily with a wave of seven on its one article, and one comment from before it."""
    site_id = add_site(app)
    with app.app_context(), database.writing() as session:
        session.add(Article(site_id=site_id, url="https://daily.example/a"))
        session.flush()
        arrive(session, site_id, 1, AT - timedelta(hours=2), name="Early")
        for number in range(5):
            arrive(session, site_id, 1, AT + timedelta(seconds=number), name=f"W{number}")
        arrive(session, site_id, 1, AT, name="Proved", is_proved=True)
        arrive(session, site_id, 1, AT, name="Good", status=Status.APPROVED)
        session.add(Wave(site_id=site_id, article_id=1, began_at=AT, peak=7, usual=1))
    return site_id


def post(client: FlaskClient, path: str, **fields: str) -> int:
    page = client.get(WAVE).text
    form = page[page.find('class="bulk-start"') :].partition("</form>")[0]
    shown = dict(re.findall(r'name="(until|decided|after)" value="(\d+)"', form))
    sent = client.post(path, data={"csrf_token": csrf(page), **shown, **fields})
    return sent.status_code


def stands(app: Flask) -> dict[str, str]:
    with app.app_context():
        rows = database.session().execute(select(Comment.name, Comment.status))
        return {name: str(status) for name, status in rows}


def decide(app: Flask, name: str, to: Status, undo: bool = False) -> None:
    """A colleague decides on a comment, and takes it back if asked."""
    with app.app_context(), database.writing() as session:
        ina = session.scalars(select(Moderator)).first()
        comment = session.scalars(select(Comment).where(Comment.name == name)).one()
        decision = moderation.decide(session, comment, to, comment.version, ina)
        if undo:
            assert decision is not None
            assert ina is not None
            moderation.undo(session, decision, ina)


CLEARED = {f"W{number}": "spam" for number in range(5)}
SPARED = {"Early": "pending", "Proved": "pending", "Good": "approved"}


def test_it_shows_what_goes_and_what_is_spared(mo: FlaskClient) -> None:
    page = mo.get(WAVE).text
    assert "Mark 5 comments as spam" in page
    assert "7 comments came in it" in page
    assert "1 by an author who proved their address" in page
    assert "1 that is approved" in page
    assert ">W4<" in page
    assert ">Early<" not in page
    order = (">W0<", ">W4<", 'class="bulk-start"', "Spared", ">Proved<")
    assert sorted(order, key=page.index) == list(order)


def test_one_button_clears_it_and_it_is_undone_as_one(app: Flask, mo: FlaskClient) -> None:
    assert post(mo, f"{WAVE}/clear") == 303
    assert stands(app) == CLEARED | SPARED
    page = mo.get(WAVE).text
    assert "5 comments marked as spam." in page
    undo = re.search(r'action="(/desk/bulk/\d+/undo)"', page)
    assert undo
    assert post(mo, undo[1]) == 303
    assert stands(app) == dict.fromkeys(CLEARED, "pending") | SPARED
    assert "5 comments are as they were before." in mo.get(WAVE).text
    assert post(mo, f"{WAVE}/clear") == 303  # by mistake undone, it is cleared once more
    assert stands(app) == CLEARED | SPARED


def test_a_large_one_goes_by_a_job(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    assert post(mo, f"{WAVE}/clear") == 303
    for thread in app.extensions["jobs"].values():
        thread.join(20)
    assert stands(app) == CLEARED | SPARED


def test_what_a_moderator_had_in_hand_is_spared(app: Flask, mo: FlaskClient) -> None:
    decide(app, "W2", Status.REJECTED, undo=True)
    assert "1 that a moderator has had in hand" in mo.get(WAVE).text
    assert post(mo, f"{WAVE}/clear") == 303
    assert stands(app) == CLEARED | SPARED | {"W2": "pending"}


def test_what_a_moderator_put_back_together_with_others_is_spared(
    app: Flask, mo: FlaskClient
) -> None:
    for to in (Status.REJECTED, Status.PENDING):
        with app.app_context(), database.writing() as session:
            ina = session.scalars(select(Moderator)).first()
            assert ina is not None
            of_two = select(Comment.public_id, Comment.version)
            rows = session.execute(of_two.where(Comment.name.in_(["W1", "W2"]))).all()
            job = bulk.start_picked(session, ina, to, {row[0]: row[1] for row in rows})
            seen = dict(job.about["picks"])
            assert moderation.decide_many(session, seen, to, ina, job.id) == 2
    assert "2 that moderators have had in hand" in mo.get(WAVE).text
    assert post(mo, f"{WAVE}/clear") == 303
    assert stands(app) == CLEARED | SPARED | {"W1": "pending", "W2": "pending"}


@pytest.mark.parametrize("undo", [False, True])
def test_what_a_colleague_decides_in_between_is_skipped_and_counted(
    app: Flask, mo: FlaskClient, undo: bool
) -> None:
    page = mo.get(WAVE).text
    form = page[page.find('class="bulk-start"') :]
    shown = dict(re.findall(r'name="(until|decided|after)" value="(\d+)"', form))
    with app.app_context(), database.writing() as session:
        arrive(session, 1, 1, now(), name="Late")
    decide(app, "W3", Status.APPROVED, undo)
    sent = mo.post(f"{WAVE}/clear", data={"csrf_token": csrf(page), **shown})
    assert sent.status_code == 303
    left = {"W3": "pending" if undo else "approved", "Late": "pending"}
    assert stands(app) == CLEARED | SPARED | left
    assert "4 comments marked as spam." in mo.get(WAVE).text


def test_who_clears_what_was_cleared_in_between_is_told(app: Flask, mo: FlaskClient) -> None:
    stale = {"until": "100", "decided": "0", "after": "0"}
    assert post(mo, f"{WAVE}/clear") == 303
    with app.app_context(), database.writing() as session:
        arrive(session, 1, 1, now(), name="Late")
    assert post(mo, f"{WAVE}/clear", **stale) == 409
    assert stands(app)["Late"] == "pending"
    assert post(mo, f"{WAVE}/clear") == 303  # what came since, by a look at it
    assert stands(app)["Late"] == "spam"


def test_it_is_told_above_the_queue_until_it_is_cleared(app: Flask, mo: FlaskClient) -> None:
    assert "A wave is on." in mo.get("/desk/").text
    with app.app_context(), database.writing() as session:
        session.scalars(select(Wave)).one().ended_at = now() + timedelta(hours=1)
    assert "A wave is over." in mo.get("/desk/").text
    post(mo, f"{WAVE}/clear")
    assert "A wave is" not in mo.get("/desk/").text


def test_a_false_alarm_ends_with_one_button_on_record(app: Flask, mo: FlaskClient) -> None:
    assert post(mo, f"{WAVE}/none") == 303
    assert post(mo, f"{WAVE}/none") == 303
    [event] = on_record(app)
    assert (event.what, event.by) == ("wave_denied", "mo")
    page = mo.get(WAVE).text
    assert "A moderator said that it was none." in page
    assert "This is no wave" not in page
    assert "A wave is" not in mo.get("/desk/").text
    assert "a moderator said that it was none" in mo.get("/desk/waves/").text
    assert "said that a wave was none" in mo.get("/desk/audit/").text


def test_another_sites_waves_are_not_there(app: Flask, another: Callable[..., FlaskClient]) -> None:
    add_site(app, "weekly", "https://weekly.example")
    wes = another("wes", site="weekly")
    assert wes.get(WAVE).status_code == 404
    token = csrf(wes.get("/desk/waves/").text)
    for act in ("clear", "none"):
        sent = {"csrf_token": token, "until": 9, "decided": 0, "after": 0}
        assert wes.post(f"{WAVE}/{act}", data=sent).status_code == 404
    assert "daily.example" not in wes.get("/desk/waves/").text
    assert "A wave is on" not in wes.get("/desk/").text


def test_a_form_without_its_fields_is_refused(mo: FlaskClient) -> None:
    assert post(mo, f"{WAVE}/clear", until="x") == 400
