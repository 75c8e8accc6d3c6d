"""Many at once at the desk's door: what is picked, a page, all that matches, and a job's own page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cast import SITE, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from service import bulk, database, moderation
from service.accounts import Moderator
from service.models import Article, Bulk, Comment, Site, now
from service.status import Status
from service.views import bulk as views

JSON = {"Accept": "application/json"}
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def daily(app: Flask) -> int:
    site_id = add_site(app)
    add(app, 8)
    return site_id


@pytest.fixture
def ina(app: Flask, daily: int) -> FlaskClient:
    return sign_in(app, app.test_client(), add_moderator(app, "ina@daily.example"))


def add(app: Flask, count: int, site: str = SITE) -> list[str]:
    """Pending comments; gives their public ids."""
    with app.app_context(), database.writing() as session:
        site_id = session.scalars(select(Site.id).where(Site.key == site)).one()
        article = Article(site_id=site_id, url=f"https://a.example/{site}/{now().timestamp()}")
        session.add(article)
        session.flush()
        rows = [
            {
                "site_id": site_id,
                "article_id": article.id,
                "name": f"N{number}",
                "text": f"Words {number}.",
                "html": f"<p>Words {number}.</p>",
                "renderer": 1,
                "status": Status.PENDING,
                "created_at": START + timedelta(minutes=number),
            }
            for number in range(count)
        ]
        session.execute(insert(Comment), rows)
        new = select(Comment.public_id).where(Comment.article_id == article.id)
        return list(session.scalars(new.order_by(Comment.id)))


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    headers = fields.pop("headers", {})
    token = csrf(client.get("/desk/bulk/").text)
    return client.post(path, data={"csrf_token": token, **fields}, headers=headers)


def wait(app: Flask) -> None:
    for thread in app.extensions.get("jobs", {}).values():
        thread.join(20)
        assert not thread.is_alive()


def statuses(app: Flask) -> list[str]:
    with app.app_context():
        return list(database.session().scalars(select(Comment.status).order_by(Comment.id)))


def hidden(page: str) -> dict[str, str]:
    """What the form on a confirmation page sends."""
    form = page[page.index('class="bulk-start"') :].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.replace("&amp;", "&")))


def confirmed(client: FlaskClient, action: str = "spam", words: str = "") -> dict[str, str]:
    page = post(client, "/desk/bulk", action=action, scope="matching", words=words)
    assert page.status_code == 200
    return hidden(page.text)


def test_picked_comments_are_decided_in_one_click(app: Flask, mo: FlaskClient) -> None:
    boxes = re.findall(r'class="pick"[^>]*value="([^"]+)"', mo.get("/desk/").text)
    assert len(boxes) == 8
    answer = post(mo, "/desk/bulk", action="spam", pick=boxes[:3], next="/desk/?after=")
    assert (answer.status_code, answer.location) == (303, "/desk/?after=")
    assert statuses(app) == ["spam"] * 3 + ["pending"] * 5
    page = mo.get("/desk/").text
    assert "3 comments marked as spam." in page
    undo = re.search(r'action="(/desk/bulk/\d+/undo)"', page)
    assert undo
    assert post(mo, undo[1], next="/desk/").location == "/desk/"
    assert statuses(app) == ["pending"] * 8
    assert "3 comments are as they were before." in mo.get("/desk/").text
    assert [event.what for event in on_record(app)] == ["bulk", "bulk_ended"] * 2


def test_a_page_is_decided_without_script(app: Flask, mo: FlaskClient) -> None:
    shown = re.findall(r'name="shown" value="([^"]+)"', mo.get("/desk/").text)
    post(mo, "/desk/bulk", action="approve", scope="page", shown=shown)
    assert statuses(app) == ["approved"] * 8


def test_a_picked_comment_that_a_colleague_decided_is_skipped(
    app: Flask, mo: FlaskClient, ina: FlaskClient
) -> None:
    boxes = re.findall(r'class="pick"[^>]*value="([^"]+)"', mo.get("/desk/").text)
    post(ina, "/desk/bulk", action="approve", pick=boxes[:1])
    answer = post(mo, "/desk/bulk", action="spam", pick=boxes[:2], headers=JSON)
    assert (answer.json["done"], answer.json["skipped"]) == (1, 1)
    assert answer.json["said"].startswith("1 comment marked as spam. 1 was skipped")
    assert statuses(app)[:2] == ["approved", "spam"]


def test_nothing_picked_is_said(mo: FlaskClient) -> None:
    answer = post(mo, "/desk/bulk", action="spam")
    assert answer.status_code == 400
    assert "Nothing was picked." in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "eat"},
        {"action": "spam", "scope": "world"},
        {"action": "spam", "pick": "x:y"},
        {"action": "spam", "pick": "x:²"},
        {"action": "spam", "pick": "x"},
    ],
    ids=str,
)
def test_what_no_page_sends_is_refused(mo: FlaskClient, fields: dict[str, str]) -> None:
    assert post(mo, "/desk/bulk", **fields).status_code == 400


def test_all_that_match_asks_first(app: Flask, mo: FlaskClient) -> None:
    page = post(mo, "/desk/bulk", action="spam", scope="matching", words="status=pending").text
    assert "Mark 8 comments as spam" in page
    assert all(f"Words {number}." in page for number in range(8))
    assert statuses(app) == ["pending"] * 8


def test_it_says_what_is_searched_for(app: Flask, mo: FlaskClient) -> None:
    asked = {"action": "spam", "scope": "matching", "words": "q=Words+3&first="}
    page = post(mo, "/desk/bulk", **asked).text
    assert "Mark 1 comment as spam" in page
    assert "text: Words 3" in page
    assert "Words 4." not in page
    post(mo, "/desk/bulk/start", **hidden(page))
    wait(app)
    assert statuses(app).index("spam") == 3
    assert statuses(app).count("spam") == 1


def test_a_filter_that_is_none_is_refused(mo: FlaskClient) -> None:
    """Above all one that would find more than the page showed."""
    for words in ("status=every", "status=all", "moderator=x"):
        asked = {"action": "spam", "scope": "matching", "words": words}
        assert post(mo, "/desk/bulk", **asked).status_code == 404


def test_the_page_of_an_address_offers_no_job(app: Flask, mo: FlaskClient) -> None:
    reply(app, app.test_client())
    found = post(mo, "/desk/address", address="rita.reader@example.org").text
    assert found.count('class="pick"') == 1
    assert 'value="matching"' not in found
    assert 'value="matching"' in mo.get("/desk/").text


def test_all_that_match_are_decided_by_a_job(app: Flask, mo: FlaskClient) -> None:
    fields = confirmed(mo)
    add(app, 1)  # too late to be meant
    answer = post(mo, "/desk/bulk/start", **fields)
    assert re.fullmatch(r"/desk/bulk/\d+", answer.location)
    wait(app)
    assert statuses(app) == ["spam"] * 8 + ["pending"]
    page = mo.get(answer.location).text
    assert "8 comments marked as spam." in page
    assert "skipped" not in page
    assert "refresh" not in page
    facts = mo.get(answer.location, headers=JSON).json
    assert (facts["state"], facts["done"], facts["total"]) == ("done", 8, 8)
    assert answer.location in mo.get("/desk/bulk/").text
    undone = post(mo, f"{answer.location}/undo")
    wait(app)
    assert "8 comments are as they were before." in mo.get(undone.location or "").text
    assert "mo has taken it back." in mo.get(answer.location).text
    assert post(mo, f"{answer.location}/undo").status_code == 409


def test_a_running_job_refreshes_its_page_and_stops(app: Flask, mo: FlaskClient) -> None:
    job = waiting(app, mo)
    page = mo.get(job).text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "<progress" in page
    assert post(mo, f"{job}/undo").status_code == 409
    post(mo, f"{job}/stop")
    assert post(mo, f"{job}/go-on").status_code == 303  # nobody goes on with what still runs
    assert statuses(app) == ["pending"] * 8
    with app.app_context(), database.writing() as session:
        assert session.scalars(select(Bulk.is_stop_asked)).one()
        assert not bulk.step(session, int(job.rpartition("/")[2]), None)
    page = mo.get(job).text
    assert "It was stopped before its end." in page
    post(mo, f"{job}/go-on")
    wait(app)
    assert statuses(app) == ["spam"] * 8


def test_a_colleague_goes_on_with_a_job_that_died(
    app: Flask, mo: FlaskClient, ina: FlaskClient
) -> None:
    job = waiting(app, mo, words=f"site={SITE}")
    with app.app_context(), database.writing() as session:
        session.execute(update(Bulk).values(seen_at=now() - timedelta(minutes=1)))
    page = ina.get(job).text
    assert "This job stopped in the middle." in page
    assert "Go on" in page
    assert "Your job stopped in the middle." in mo.get("/desk/").text
    post(ina, f"{job}/go-on")
    wait(app)
    assert statuses(app) == ["spam"] * 8


def waiting(app: Flask, client: FlaskClient, words: str = "") -> str:
    """A job whose thread never came to run; gives its page."""
    fields = confirmed(client, words=words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.views.bulk.run", lambda job_id: None)
        return post(client, "/desk/bulk/start", **fields).location or ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_broken_job_is_found_dead_and_logged(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bulk, "step", lambda *_: 1 // 0)
    post(mo, "/desk/bulk/start", **confirmed(mo))
    wait(app)
    assert "stopped in the middle" in caplog.text
    assert statuses(app) == ["pending"] * 8


def test_another_site_is_out_of_reach(app: Flask, mo: FlaskClient) -> None:
    add_site(app, "stars", "https://stars.example")
    foreign = add(app, 2, "stars")
    answer = post(mo, "/desk/bulk", action="spam", pick=[f"{id}:1" for id in foreign], headers=JSON)
    assert answer.json["total"] == 0
    assert (
        post(mo, "/desk/bulk", action="spam", scope="matching", words="site=stars").status_code
        == 404
    )
    assert (
        post(
            mo, "/desk/bulk/start", action="spam", words="site=stars", until=9, decided=0
        ).status_code
        == 404
    )
    post(mo, "/desk/bulk/start", **confirmed(mo))
    wait(app)
    assert statuses(app) == ["spam"] * 8 + ["pending"] * 2
    sam = sign_in(app, app.test_client(), add_moderator(app, "sam@stars.example", "stars"))
    job = "/desk/bulk/1"
    assert mo.get(job).status_code == 200
    assert sam.get(job).status_code == 404
    assert [post(sam, f"{job}/{verb}").status_code for verb in ("stop", "go-on", "undo")] == [
        404
    ] * 3


def test_it_takes_a_form_of_its_own(mo: FlaskClient) -> None:
    for path in ("/desk/bulk", "/desk/bulk/start", "/desk/bulk/1/stop", "/desk/bulk/1/undo"):
        assert mo.post(path, data={"action": "spam"}).status_code == 400


def fold(page: str) -> dict[str, str]:
    """What the form of a fold sends, and where to."""
    form = page[page.index('class="decide-alike"') :].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    return {"at": form.partition('action="')[2].partition('"')[0], **fields}


WAVE = "Buy the best watches, number {}: https://cheap.example/{}"


def test_a_wave_is_one_card_and_one_decision(app: Flask, mo: FlaskClient) -> None:
    post_all(app)
    page = mo.get("/desk/").text
    assert page.count('<article class="card"') == 8 + 1
    assert "and 3 like it" in page
    assert "they link to the same site, cheap.example" in page
    assert mo.get("/desk/?fold=off").text.count('<article class="card"') == 8 + 4
    sent = fold(page)
    listed = mo.get(sent["at"]).text
    assert [f"number {n}" in listed for n in range(5)] == [True] * 4 + [False]
    answer = post(mo, sent.pop("at"), **sent | {"action": "spam"})
    assert answer.location.startswith("/desk/")
    assert statuses(app)[8:] == ["spam"] * 4
    page = mo.get("/desk/?status=spam").text
    assert "4 comments marked as spam." in page
    assert page.count('<article class="card"') == 1  # there too
    job = re.findall(r'action="(/desk/bulk/\d+/undo)"', page)[0]
    post(mo, job)
    assert statuses(app)[8:] == ["pending"] * 4


def post_all(app: Flask, count: int = 4, first: int = 0) -> None:
    for number in range(first, first + count):
        said = WAVE.format(number, number)
        answer = reply(app, app.test_client(), comment=said, email=f"w{number}@x.example")
        assert answer.status_code == 303


def test_a_fold_that_grew_is_decided_as_it_was_shown_and_in_one_batch(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many came in meanwhile: nobody else can write as long as they are gone through."""
    post_all(app)
    sent = fold(mo.get("/desk/").text)
    post_all(app, 6, first=4)
    monkeypatch.setattr(bulk, "BATCH", 4)
    steps = []
    step = bulk.step
    monkeypatch.setattr(bulk, "step", lambda *what: steps.append(what[2]) or step(*what))
    answer = post(mo, sent.pop("at"), **sent | {"action": "spam"})
    assert answer.location.startswith("/desk/")
    assert [len(batch.seen) if batch else 0 for batch in steps] == [4, 0]
    assert statuses(app)[8:] == ["spam"] * 4 + ["pending"] * 6


def test_a_fold_decided_by_a_colleague_is_too_late(
    app: Flask, mo: FlaskClient, ina: FlaskClient
) -> None:
    post_all(app)
    sent = fold(mo.get("/desk/").text)
    path = sent.pop("at")
    first = path.split("/")[3]
    decided = post(ina, f"/desk/comments/{first}/decide", action="approve", version=1)
    assert decided.status_code == 303
    answer = post(mo, path, **sent | {"action": "spam"})
    assert answer.status_code == 409
    assert "Your “Spam” was not applied." in answer.text
    assert statuses(app)[8:] == ["approved", *["pending"] * 3]


def test_a_fold_whose_first_is_decided_at_that_moment_is_too_late(
    app: Flask, mo: FlaskClient, ina: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that is published already, of the same fold once, is meant."""
    post_all(app)
    sent = fold(mo.get("/desk/").text)
    path = sent.pop("at")
    last = stored(app)[-1].public_id
    post(ina, f"/desk/comments/{last}/decide", action="approve", version=1)
    at_once = views.at_once

    def late(start: Any) -> int:
        with database.writing() as session:
            who = session.scalars(select(Moderator).where(Moderator.name == "ina")).one()
            moderation.decide(session, session.get_one(Comment, 9), Status.APPROVED, 1, who)
        return at_once(start)

    monkeypatch.setattr(views, "at_once", late)
    answer = post(mo, path, **sent | {"action": "spam"})
    assert answer.status_code == 409
    assert sorted(statuses(app)[8:]) == ["approved"] * 2 + ["pending"] * 2


def test_a_large_fold_is_a_job(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_all(app)
    monkeypatch.setattr(bulk, "BATCH", 2)
    sent = fold(mo.get("/desk/").text)
    answer = post(mo, sent.pop("at"), **sent | {"action": "spam"})
    assert answer.location.startswith("/desk/bulk/")
    wait(app)
    assert statuses(app)[8:] == ["spam"] * 4
