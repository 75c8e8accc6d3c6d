"""The moderators' door: who comes in, what they see, and that nobody overwrites a colleague."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from cast import ARTICLE, ORIGIN, RITA, add_site, csrf, reply, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from service import accounts, database, views
from service.models import Article, Comment, Decision, Note, Site, now
from service.status import Act, Role, Status

JSON = {"Accept": "application/json"}
STARS = "https://stars.example"


def post(who: FlaskClient, path: str, **fields: object) -> TestResponse:
    headers = fields.pop("headers", {})
    fields.setdefault("csrf_token", csrf(who.get("/desk/").text))
    return who.post(path, data=fields, headers=headers)


def decide(who: FlaskClient, comment: str, action: str, **fields: object) -> TestResponse:
    fields.setdefault("version", 1)
    return post(who, f"/desk/comments/{comment}/decide", action=action, **fields)


def decisions(app: Flask) -> list[Decision]:
    with app.app_context():
        found = list(database.session().scalars(select(Decision).order_by(Decision.id)))
        database.session().expunge_all()
        return found


def cards(page: str) -> list[str]:
    return re.findall(r'<article class="card"[^>]*data-comment-id="([^"]+)"', page)


def counts(page: str) -> dict[str, str]:
    found = re.findall(r'data-status="(\w+)"[^>]*>\w+\s*<span class="count"[^>]*>([^<]+)', page)
    return dict(found)


def add_comments(app: Flask, how_many: int, status: Status = Status.PENDING) -> None:
    """Puts comments into the database, three at a time, so that times alone do not order them."""
    start = now() - timedelta(days=1)
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).first()
        article = Article(site_id=site.id, url=f"{ORIGIN}/many/{status}")
        session.add(article)
        session.flush()
        for number in range(how_many):
            session.add(
                Comment(
                    site_id=site.id,
                    article_id=article.id,
                    name=f"Reader {number}",
                    text="Yes.",
                    html="<p>Yes.</p>",
                    renderer=1,
                    status=status,
                    created_at=start + timedelta(minutes=number // 3),
                )
            )


# Strangers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/desk/"),
        ("GET", "/desk/comments/{id}"),
        ("POST", "/desk/comments/{id}/decide"),
        ("POST", "/desk/comments/{id}/reveal"),
        ("POST", "/desk/decisions/1/undo"),
    ],
)
def test_it_turns_a_stranger_away(
    client: FlaskClient, waiting: str, method: str, path: str
) -> None:
    answer = client.open(path.format(id=waiting), method=method)
    if method == "GET":
        assert answer.status_code == 302
        assert answer.location.startswith("/desk/login?next=")
    else:
        assert answer.status_code == 401
    assert "Hear, hear." not in answer.text


def test_it_tells_a_script_that_its_moderator_is_signed_out(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    token = csrf(mo.get("/desk/").text)
    post(mo, "/desk/logout")
    answer = mo.post(
        f"/desk/comments/{waiting}/decide",
        data={"action": "approve", "version": 1},
        headers={**JSON, "X-CSRFToken": token},
    )
    assert (answer.status_code, stored(app)[0].status) == (401, Status.PENDING)
    assert "signed out" in answer.json["error"]


@pytest.mark.parametrize("path", ["comments/{id}/decide", "comments/{id}/reveal"])
def test_it_takes_nothing_without_the_page_s_own_token(
    app: Flask, mo: FlaskClient, waiting: str, path: str
) -> None:
    answer = mo.post(f"/desk/{path.format(id=waiting)}", data={"action": "spam", "version": 1})
    assert answer.status_code == 400
    assert "open for a long time" in answer.text
    assert (stored(app)[0].status, decisions(app)) == (Status.PENDING, [])


# The queue


def test_it_shows_what_is_needed_to_decide(mo: FlaskClient, waiting: str) -> None:
    page = mo.get("/desk/").text
    assert cards(page) == [waiting]
    assert "<p>Hear, hear.</p>" in page
    assert f'id="who-{waiting}" title="Rita"><bdi>Rita</bdi>' in page
    assert f'href="{ARTICLE}" target="_blank" rel="noopener"' in page
    assert "This site holds every reply for a moderator." in page
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[^"]+\+00:00" title="[^"]+ UTC">', page)
    assert re.search(r"\d+ seconds? ago", page)


def test_it_believes_a_title_only_once_something_was_approved(
    app: Flask, mo: FlaskClient, daily: int
) -> None:
    reply(app, app.test_client(), title="Vote for Pedro")
    assert "Vote for Pedro" not in mo.get("/desk/").text
    decide(mo, stored(app)[0].public_id, "approve")
    assert "Vote for Pedro" in mo.get("/desk/?status=approved").text


def test_it_folds_the_comment_that_is_answered(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    reply(app, app.test_client(), comment="Quite.", name="Otto", parent=waiting)
    page = mo.get("/desk/").text
    answered = page.partition('<details class="answered"')[2].partition("</details>")[0]
    assert "answers Rita" in answered
    assert "Hear, hear." in answered


def test_it_shows_an_address_masked_only(app: Flask, mo: FlaskClient, waiting: str) -> None:
    for path in ("/desk/", f"/desk/comments/{waiting}"):
        page = mo.get(path).text
        assert "r…@e…" in page
        assert RITA["email"] not in page


def test_it_masks_a_name_that_is_an_address(app: Flask, mo: FlaskClient, waiting: str) -> None:
    with app.app_context(), database.writing() as session:
        session.scalars(select(Comment)).one().name = "old.import@example.org"
    answer = decide(mo, waiting, "approve", headers=JSON)
    pages = [mo.get("/desk/?status=approved").text, mo.get(f"/desk/comments/{waiting}").text]
    assert not [page for page in [*pages, answer.text] if "old.import@" in page]
    assert "o…@…" in pages[0]


def test_it_shows_no_script_of_a_comment(app: Flask, mo: FlaskClient, daily: int) -> None:
    reply(app, app.test_client(), name="<b>Bob</b>", comment="<script>alert(1)</script> <b>hi</b>")
    page = mo.get("/desk/").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;Bob" in page


def test_it_counts_each_status_and_marks_the_tab_one_is_on(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    add_comments(app, 3, Status.SPAM)
    page = mo.get("/desk/?status=spam").text
    assert counts(page) == {
        "pending": "1",
        "approved": "0",
        "rejected": "0",
        "spam": "3",
        "deleted": "0",
        "reported": "0",
    }
    assert re.findall(r'data-status="(\w+)" aria-current="page"', page) == ["spam"]


def test_it_counts_no_further_than_a_thousand(
    app: Flask, mo: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.desk.COUNTED", 4)
    add_comments(app, 4)
    assert counts(mo.get("/desk/").text)["pending"] == "4"
    add_comments(app, 1, Status.SPAM)
    monkeypatch.setattr("service.desk.COUNTED", 3)
    assert counts(mo.get("/desk/").text)["pending"] == "3+"


@pytest.mark.parametrize("system", ["C", "de_DE"])
def test_a_count_is_written_as_the_page_speaks(
    app: Flask, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """Whatever the machine's own language is."""
    for name in ("LC_ALL", "LC_NUMERIC", "LANG", "LANGUAGE"):
        monkeypatch.setenv(name, system)
    with app.test_request_context("/desk/"):
        assert [views.desk._count(number) for number in (999, 1_000, 1_001)] == [
            "999",
            "1,000",
            "1,000+",
        ]


def test_it_walks_a_long_queue_by_pages_of_fifty_oldest_first(app: Flask, mo: FlaskClient) -> None:
    add_comments(app, 120)
    expected = [comment.public_id for comment in stored(app)]
    path, seen = "/desk/", []
    while path:
        page = mo.get(path).text
        seen.append(cards(page))
        later = re.search(r'<a class="button" href="([^"]+)" rel="next">Later', page)
        path = later[1].replace("&amp;", "&") if later else ""
    assert [len(page) for page in seen] == [50, 50, 20]
    assert [comment for page in seen for comment in page] == expected


def test_it_walks_on_after_the_page_s_last_card_is_decided(app: Flask, mo: FlaskClient) -> None:
    add_comments(app, 52)
    last = stored(app)[49].public_id
    decide(mo, last, "approve")
    page = mo.get(f"/desk/?after={last}").text
    assert cards(page) == [comment.public_id for comment in stored(app)[50:]]


def test_it_says_that_nothing_is_waiting_and_when_the_last_reply_came(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    decide(mo, waiting, "approve")
    page = mo.get("/desk/").text
    assert re.search(r"Nothing is waiting\.\s+The last reply came \d+ seconds? ago\.", page)


@pytest.mark.parametrize("query", ["status=unheard", "site=nosuch"])
def test_it_knows_no_other_lists(mo: FlaskClient, query: str) -> None:
    assert mo.get(f"/desk/?{query}").status_code == 404


# Roles


@pytest.fixture
def elsewhere(app: Flask) -> str:
    """A reply on a site that Mo has nothing to do with."""
    add_site(app, "stars", STARS)
    reply(app, app.test_client(), site="stars", url=f"{STARS}/1", comment="Starry.")
    return stored(app)[-1].public_id


def test_it_hides_other_sites_altogether(
    app: Flask, mo: FlaskClient, waiting: str, elsewhere: str
) -> None:
    page = mo.get("/desk/").text
    assert (cards(page), counts(page)["pending"]) == ([waiting], "1")
    assert mo.get("/desk/?site=stars").status_code == 404
    assert mo.get(f"/desk/comments/{elsewhere}").status_code == 404
    assert decide(mo, elsewhere, "approve").status_code == 404
    assert post(mo, f"/desk/comments/{elsewhere}/reveal").status_code == 404
    assert [comment.status for comment in stored(app)] == [Status.PENDING, Status.PENDING]
    assert decisions(app) == []


def test_it_lets_nobody_undo_a_decision_on_another_site(
    mo: FlaskClient, another: Callable[..., FlaskClient], elsewhere: str, app: Flask
) -> None:
    decide(another("stella", site="stars"), elsewhere, "approve")
    assert post(mo, f"/desk/decisions/{decisions(app)[0].id}/undo").status_code == 404
    assert stored(app)[-1].status == Status.APPROVED


def test_it_shows_an_admin_all_sites_and_filters_by_one(
    app: Flask, another: Callable[..., FlaskClient], waiting: str, elsewhere: str
) -> None:
    ada = another("ada", site=None, role=Role.ADMIN)
    assert cards(ada.get("/desk/").text) == [waiting, elsewhere]
    assert '<select id="site"' in ada.get("/desk/").text
    stars = ada.get("/desk/?site=stars").text
    assert (cards(stars), counts(stars)["pending"]) == ([elsewhere], "1")


def test_it_offers_no_filter_where_there_is_one_site(mo: FlaskClient) -> None:
    assert 'id="site"' not in mo.get("/desk/").text


def test_it_forgets_what_somebody_decided_on_a_site_they_left(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    decide(mo, waiting, "approve")
    assert "Rita</bdi>: approved" in mo.get("/desk/").text
    with app.app_context(), database.writing() as session:
        session.delete(session.scalars(select(accounts.Membership)).one())
    assert "Rita" not in mo.get("/desk/").text


# Deciding


@pytest.mark.parametrize(
    ("action", "status"),
    [("approve", "approved"), ("reject", "rejected"), ("spam", "spam"), ("delete", "deleted")],
)
def test_it_decides_and_returns_to_the_same_list(
    app: Flask, mo: FlaskClient, waiting: str, action: str, status: str
) -> None:
    here = "/desk/?status=pending&site=daily#card-next"
    answer = decide(mo, waiting, action, next=here)
    assert (answer.status_code, answer.location) == (303, here)
    comment, decision = stored(app)[0], decisions(app)[0]
    assert (comment.status, comment.version) == (status, 2)
    assert (decision.by, decision.act, decision.from_status, decision.to_status) == (
        "mo",
        Act.DECIDED,
        Status.PENDING,
        status,
    )
    page = mo.get(f"/desk/?status={status}").text
    assert cards(page) == [waiting]
    card = page.partition('<article class="card"')[2].partition("</article>")[0]
    assert f'value="{action}"' not in card
    offered = card.partition('<details class="more"')[0]  # which has some once more, for phones
    assert len(re.findall(r'class="act act-\w+" name="action"', offered)) == 4


def test_it_puts_back_to_pending(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "spam")
    decide(mo, waiting, "pending", version=2)
    assert stored(app)[0].status == Status.PENDING
    assert [decision.to_status for decision in decisions(app)] == [Status.SPAM, Status.PENDING]


def test_it_answers_a_script_with_what_is_new(app: Flask, mo: FlaskClient, waiting: str) -> None:
    answer = decide(mo, waiting, "approve", headers=JSON)
    assert answer.status_code == 200
    assert answer.json == {
        "id": waiting,
        "status": "approved",
        "version": 2,
        "said": "Rita: approved",
        "reported": False,
        "undo": f"/desk/decisions/{decisions(app)[0].id}/undo",
        "page": f"/desk/comments/{waiting}",
    }


def test_it_keeps_a_note_in_the_history(mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "reject", note="off <topic>")
    page = mo.get(f"/desk/comments/{waiting}").text
    assert "mo rejected this" in page
    assert "off &lt;topic&gt;" in page


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/desk/\\evil",
        "",
        "javascript:1",
    ],
)
def test_it_never_leads_off_the_desk(mo: FlaskClient, waiting: str, away: str) -> None:
    assert decide(mo, waiting, "approve", next=away).location == "/desk/"


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "publish"},
        {"action": "approve", "version": "x"},
        {"action": "approve", "version": "-1"},
        {"action": "approve", "version": ""},
        {"action": "approve", "version": "9" * 5_000},
        {"action": "approve", "version": "١"},
        {"action": "reject", "note": "x" * 501},
    ],
)
def test_it_refuses_what_no_button_sends(
    app: Flask, mo: FlaskClient, waiting: str, fields: dict[str, str]
) -> None:
    assert decide(mo, waiting, **fields).status_code == 400
    assert decisions(app) == []


def test_it_knows_no_comment_of_another_name(mo: FlaskClient) -> None:
    assert decide(mo, "nosuchnosuch", "approve").status_code == 404


# Two at once


def test_it_tells_the_second_who_decided_what_and_when(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    decide(another("ina"), waiting, "reject", note="off topic")
    answer = decide(mo, waiting, "approve")
    assert answer.status_code == 409
    said = r"ina rejected this \d+ seconds? ago \(“off topic”\)\. Your “Approve” was not applied\."
    assert re.search(said, answer.text)
    assert cards(answer.text) == [waiting]
    assert (stored(app)[0].status, len(decisions(app))) == (Status.REJECTED, 1)


def test_it_tells_a_script_the_same(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    decide(another("ina"), waiting, "spam")
    answer = decide(mo, waiting, "approve", headers=JSON)
    assert answer.status_code == 409
    assert (answer.json["status"], answer.json["version"]) == ("spam", 2)
    assert "ina marked this as spam" in answer.json["error"]


def test_it_tells_of_a_decision_that_was_taken_back(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    ina = another("ina")
    decide(ina, waiting, "spam")
    post(ina, f"/desk/decisions/{decisions(app)[0].id}/undo")
    answer = decide(mo, waiting, "approve", headers=JSON)
    assert "ina took a decision back" in answer.json["error"]
    assert "pending again" in answer.json["error"]


# Undo


def test_it_undoes_from_the_strip(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    page = mo.get("/desk/").text
    assert "Rita</bdi>: approved" in page
    undo = re.search(r'action="(/desk/decisions/\d+/undo)"', page)
    answer = post(mo, undo[1], next="/desk/?status=pending")
    assert (answer.status_code, answer.location) == (303, "/desk/?status=pending")
    assert (stored(app)[0].status, stored(app)[0].version) == (Status.PENDING, 3)
    first, second = decisions(app)
    assert (second.act, second.undoes_id) == (Act.UNDONE, first.id)
    assert "took a decision back" in mo.get(f"/desk/comments/{waiting}").text


def test_it_undoes_only_the_latest_decision(
    app: Flask, mo: FlaskClient, another: Callable[..., FlaskClient], waiting: str
) -> None:
    decide(mo, waiting, "approve")
    decide(another("ina"), waiting, "spam", version=2)
    first, second = decisions(app)
    answer = post(mo, f"/desk/decisions/{first.id}/undo", headers=JSON)
    assert answer.status_code == 409
    assert re.search("ina marked this as spam .* Your “Undo” was not applied", answer.json["error"])
    assert stored(app)[0].status == Status.SPAM
    assert f"/desk/decisions/{first.id}/undo" not in mo.get("/desk/").text
    history = mo.get(f"/desk/comments/{waiting}").text
    assert re.findall(r"/desk/decisions/(\d+)/undo", history) == [str(second.id)]


def test_it_undoes_nothing_twice(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    path = f"/desk/decisions/{decisions(app)[0].id}/undo"
    assert post(mo, path).status_code == 303
    assert post(mo, path).status_code == 409
    assert len(decisions(app)) == 2


# On the record


def test_it_reveals_an_address_and_puts_the_look_on_record(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    page = post(mo, f"/desk/comments/{waiting}/reveal").text
    assert RITA["email"] in page
    look = decisions(app)[0]
    assert (look.act, look.by, look.from_status, look.to_status) == (
        Act.REVEALED,
        "mo",
        Status.PENDING,
        Status.PENDING,
    )
    again = mo.get(f"/desk/comments/{waiting}").text
    assert RITA["email"] not in again
    assert "mo looked at the email address" in again


def test_it_reveals_to_a_script(app: Flask, mo: FlaskClient, waiting: str) -> None:
    answer = post(mo, f"/desk/comments/{waiting}/reveal", headers=JSON)
    assert answer.json == {"email": RITA["email"]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(decisions(app)) == 1


def test_a_look_stands_in_the_way_of_no_decision(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "approve")
    post(mo, f"/desk/comments/{waiting}/reveal")
    assert post(mo, f"/desk/decisions/{decisions(app)[0].id}/undo").status_code == 303
    assert post(mo, f"/desk/decisions/{decisions(app)[1].id}/undo").status_code == 404


@pytest.mark.parametrize("change", ["UPDATE decisions SET by = 'nobody'", "DELETE FROM decisions"])
def test_the_database_itself_keeps_decisions_as_they_are(
    app: Flask, mo: FlaskClient, waiting: str, change: str
) -> None:
    decide(mo, waiting, "approve")
    with app.app_context(), pytest.raises(DBAPIError), database.writing() as session:
        session.execute(text(change))
    assert [decision.by for decision in decisions(app)] == ["mo"]


def test_a_decision_holds_no_word_of_the_reader(app: Flask, mo: FlaskClient, waiting: str) -> None:
    decide(mo, waiting, "reject", note="off topic")
    post(mo, f"/desk/comments/{waiting}/reveal")
    row = " ".join(str(vars(decision)) for decision in decisions(app))
    assert not [word for word in RITA.values() if word in row]
    with app.app_context():
        assert [note.text for note in database.session().scalars(select(Note))] == ["off topic"]


def test_no_page_of_the_desk_is_kept_by_a_cache(mo: FlaskClient, waiting: str) -> None:
    for path in ("/desk/", f"/desk/comments/{waiting}"):
        assert mo.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("version", ["99999999999", "9" * 30])
def test_a_version_that_no_comment_can_have_is_refused(mo, waiting, version):
    assert decide(mo, waiting, "approve", version=version).status_code == 400


def test_a_decision_that_cannot_exist_is_not_there(mo):
    assert post(mo, f"/desk/decisions/{'9' * 30}/undo").status_code == 404


def test_a_way_back_that_is_no_address_leads_to_the_queue(mo, waiting):
    answer = decide(mo, waiting, "approve", next="/desk/?x=\r\nX-Y: 1")
    assert (answer.status_code, answer.location) == (303, "/desk/")
