"""Undo says which letters have gone already."""

import pytest
from cast import csrf, sign_in
from sqlalchemy import select
from town import Town

from service import database
from service.models import Comment, Decision, Letter, now
from service.status import LetterKind, LetterState

TO_AUTHOR = "The letter about it has gone to its author."
TO_OTHERS = "Letters about it have gone to those who follow."


@pytest.fixture
def town(app):
    return Town(app)


@pytest.fixture
def mo(town, client):
    return sign_in(town.app, client, town.mo)


def approved(town):
    comment = town.says("Rita")
    town.follows("rita", comment)
    town.follows("fay")
    return comment, town.decides(comment)


def undo(mo, decision, **more):
    token = csrf(mo.get("/desk/").text)
    sent = {"csrf_token": token, "next": "/desk/"}
    return mo.post(f"/desk/decisions/{decision}/undo", data=sent, **more)


def public_id(town, comment):
    with town.app.app_context():
        return database.session().get_one(Comment, comment).public_id


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        ([], ""),
        ([LetterKind.PUBLISHED], TO_AUTHOR),
        ([LetterKind.FOLLOWED], TO_OTHERS),
        ([LetterKind.PUBLISHED, LetterKind.FOLLOWED], f"{TO_AUTHOR} {TO_OTHERS}"),
    ],
)
def test_an_undo_says_whom_letters_have_told(town, mo, kinds, says):
    comment, decision = approved(town)
    with town.app.app_context(), database.writing() as session:
        for letter in session.scalars(select(Letter).where(Letter.kind.in_(kinds))):
            letter.state, letter.sent_at = LetterState.SENT, now()
    answer = undo(mo, decision, headers={"Accept": "application/json"}).json
    assert answer["said"] == ("Rita: pending" + (f". {says}" if says else ""))
    for page in ("/desk/?status=approved", f"/desk/comments/{public_id(town, comment)}"):
        assert (says in mo.get(page).text) if says else ("gone to" not in mo.get(page).text)


def test_so_does_the_undo_of_a_job(town, mo):
    ids = [town.says("Rita", f"No. {number}.") for number in range(3)]
    for comment in ids[:2]:
        town.follows("rita", comment)
    picks = [f"{public_id(town, comment)}:1" for comment in ids]
    form = {"csrf_token": csrf(mo.get("/desk/").text), "action": "approve", "pick": picks}
    job = mo.post("/desk/bulk", data=form).location
    town.set_letters(state=LetterState.SENT, sent_at=now())
    undone = mo.post(f"{job}/undo", data={"csrf_token": form["csrf_token"]})
    said = " ".join(mo.get(undone.location).text.split())
    assert "The letters about 2 of them have gone to their authors." in said


@pytest.fixture
def job(town, mo):
    """Three comments that were approved together, under an article that Fay follows: one letter."""
    town.follows("fay")
    ids = [town.says("Rita", f"No. {number}.") for number in range(3)]
    picks = [f"{public_id(town, comment)}:1" for comment in ids]
    form = {"csrf_token": csrf(mo.get("/desk/").text), "action": "approve", "pick": picks}
    return mo.post("/desk/bulk", data=form).location, ids


def told_fay(town, ids):
    about = {"comments": ids}
    town.set_letters(state=LetterState.SENT, sent_at=now(), about=about)


FOLLOWERS_OF_SOME = "Letters about some of them have gone to those who follow."


@pytest.mark.parametrize("has_gone", [True, False])
def test_the_undo_of_a_job_tells_of_letters_to_those_who_follow(town, mo, job, has_gone):
    where, ids = job
    if has_gone:
        told_fay(town, ids[:1])
    undone = mo.post(f"{where}/undo", data={"csrf_token": csrf(mo.get("/desk/").text)})
    said = " ".join(mo.get(undone.location).text.split())
    assert (FOLLOWERS_OF_SOME in said) == has_gone


def test_what_a_letter_told_of_beside_others_is_said_when_one_of_them_is_undone(town, mo, job):
    _, ids = job
    told_fay(town, ids[:2])
    with town.app.app_context():
        made = select(Decision.id).where(Decision.comment_id.in_(ids)).order_by(Decision.comment_id)
        decisions = database.session().scalars(made.order_by(Decision.id)).all()
    said = [undo(mo, one, headers={"Accept": "application/json"}).json["said"] for one in decisions]
    assert [TO_OTHERS in one for one in said] == [True, True, False]
