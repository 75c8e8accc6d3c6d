"""The desk's bans: seen first, made and lifted by whoever may, and no address anywhere."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from cast import add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from service import accounts, bans, database
from service.models import Author, Ban, now
from service.status import BanKind, Role, Status

JSON = {"Accept": "application/json"}
STARS = "https://stars.example"
ADDRESS = "hidden.rita@secret-place.example"
# What no page, URL, row that tells something, or log line may hold.
TRACES = ("hidden.rita", "secret-place")
HOME = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}


@pytest.fixture
def ada(app: Flask, daily: int) -> FlaskClient:
    """Ada, who administers all sites."""
    return sign_in(app, app.test_client(), add_moderator(app, "ada@x.example", None, Role.ADMIN))


@pytest.fixture
def stella(app: Flask, daily: int) -> FlaskClient:
    """Stella, who moderates another site."""
    add_site(app, "stars", STARS)
    return sign_in(app, app.test_client(), add_moderator(app, "stella@x.example", "stars"))


@pytest.fixture
def waiting(app: Flask, daily: int) -> str:
    """A reply of Rita's in the queue."""
    sent = reply(app, app.test_client(), email=ADDRESS, website="https://www.evil.example/x")
    assert sent.status_code == 303
    return stored(app)[-1].public_id


def post(who: FlaskClient, path: str, **fields: Any) -> TestResponse:
    """Posts with the page's own token. `headers` and `environ_base` are the request's."""
    asked = {name: fields.pop(name) for name in ("headers", "environ_base") if name in fields}
    fields.setdefault("csrf_token", csrf(who.get("/desk/").text))
    return who.post(path, data=fields, **asked)


def sealed(page: str) -> str:
    found = re.search(r'name="sealed" value="([0-9a-f]+)"', page)
    assert found, page
    return found[1]


def preview(who: FlaskClient, kind: str, value: str, **fields: Any) -> TestResponse:
    return post(who, "/desk/bans/preview", kind=kind, value=value, **fields)


def ban(who: FlaskClient, page: TestResponse, **fields: Any) -> TestResponse:
    """Bans what a page shows."""
    told = {"sealed": sealed(page.text), "term": "week", "reason": "sells shoes", **fields}
    return post(who, "/desk/bans/", **told)


def rows(app: Flask, table: type[Any]) -> list[Any]:
    with app.app_context():
        found = list(database.session().scalars(select(table).order_by(table.id)))
        database.session().expunge_all()
        return found


def records(app: Flask) -> list[tuple[str, str]]:
    return [(event.what, event.about) for event in on_record(app)]


def leaks(text: str) -> list[str]:
    return [trace for trace in TRACES if trace in text.casefold()]


def test_it_offers_to_ban_what_a_comment_came_with(mo: FlaskClient, waiting: str) -> None:
    assert f"/desk/comments/{waiting}/ban" in mo.get(f"/desk/comments/{waiting}").text
    page = mo.get(f"/desk/comments/{waiting}/ban").text
    choices = re.findall(r'name="choice" value="([^"]+)".*?<bdi[^>]*>([^<]+)</bdi>', page, re.S)
    assert choices == [
        ("address", "h…@s…"),
        ("domain", "s…e.example"),
        ("name", "Rita"),
        ("website:evil.example", "evil.example"),
        ("network", "127.0.0.0/24"),
    ]
    assert leaks(page) == []
    assert "every site" not in page


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("address", "Email address h…@s…"),
        ("domain", "Email domain s…e.example"),
        ("name", "Name Rita"),
        ("website:evil.example", "Website evil.example"),
        ("network", "Network 127.0.0.0/24"),
    ],
)
def test_it_shows_then_bans_and_what_it_catches_is_answered_as_ever(
    app: Flask, mo: FlaskClient, waiting: str, choice: str, shown: str
) -> None:
    page = post(mo, f"/desk/comments/{waiting}/ban", choice=choice)
    assert "It would have caught 1 comment" in page.text
    assert "Hear, hear." in page.text
    assert "h…@s…" in page.text
    [(what, about)] = records(app)
    assert what == "previewed"
    assert about == {"address": "an email address", "domain": "an email domain"}.get(
        choice, f"a {choice.partition(':')[0]}"
    )
    assert rows(app, Ban) == []

    banned = ban(mo, page)
    [made] = rows(app, Ban)
    assert banned.status_code == 303
    assert banned.location == f"/desk/bans/?began={waiting}#ban-{made.id}"
    assert records(app)[1:] == [("banned", f"ban {made.id}: {about}, for a week")]
    assert abs(made.expires_at - now() - timedelta(days=7)) < timedelta(hours=1)
    after = mo.get(banned.location).text
    assert "Back to the comment by Rita" in after
    assert "sells shoes" in after

    words = {"email": ADDRESS, "website": "https://evil.example", "comment": "Once more."}
    sent = reply(app, app.test_client(), **words)
    assert sent.status_code == 303
    receipt = app.test_client().get(sent.location).text
    assert "waiting" in receipt
    assert "sells shoes" not in receipt
    assert [comment.status for comment in stored(app)] == [Status.PENDING, Status.SPAM]
    assert "caught 1 reply" in mo.get("/desk/bans/").text
    spam = mo.get("/desk/?status=spam").text
    assert "A ban caught it by" in spam
    assert "sells shoes" in spam

    [digest] = [made.digest] if made.digest else [b"none such"]
    told = page.text + after + spam + banned.location + repr(records(app))
    told += repr([vars(row) for row in rows(app, Ban)])
    assert leaks(told) == []
    assert digest.hex() not in page.text + after + spam

    lifted = post(mo, f"/desk/bans/{made.id}/lift")
    assert lifted.location == f"/desk/bans/?show=past#ban-{made.id}"
    assert records(app)[2:] == [("lifted", f"ban {made.id}: {about}")]
    values = ("Rita", "sells", "shoes", made.value)
    assert not [value for value in values if value in repr(records(app))]
    assert "Nothing is banned." in mo.get("/desk/bans/").text
    assert "sells shoes" in mo.get(lifted.location).text
    assert post(mo, f"/desk/bans/{made.id}/lift").status_code == 303
    assert len(records(app)) == 3
    reply(app, app.test_client(), **words, nonce="another")
    assert stored(app)[-1].status == Status.PENDING


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [("address", ADDRESS, "h…@s…"), ("domain", "Secret-Place.example", "s…e.example")],
)
def test_an_address_that_was_typed_comes_back_in_no_page(
    app: Flask,
    mo: FlaskClient,
    waiting: str,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    value: str,
    masked: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    page = preview(mo, kind, value)
    assert "It would have caught 1 comment" in page.text
    unsaid = ban(mo, page, reason=" ")
    assert unsaid.status_code == 422
    assert "Nothing is banned yet" in unsaid.text
    assert "Say why" in unsaid.text
    done = ban(mo, unsaid, reason=f"as {ADDRESS} always writes")
    assert done.status_code == 303
    again = ban(mo, page)
    assert again.status_code == 409
    assert "banned already, until" in again.text
    pages = [page.text, unsaid.text, done.location, again.text, mo.get("/desk/bans/").text]
    assert masked in pages[-1]
    assert leaks("".join(pages) + repr(records(app)) + caplog.text) == []
    assert len(rows(app, Ban)) == 1


@pytest.mark.parametrize(
    ("kind", "value", "said", "comes_back"),
    [
        ("address", "hidden.rita at secret-place", "like jane@example.org", False),
        ("website", ADDRESS, "Enter a website", False),
        ("network", "0.0.0.0/0", "the widest are /8", True),
        ("", "Rita", "Choose what to ban.", True),
        ("nonsense", "Rita", "Choose what to ban.", True),
    ],
)
def test_what_is_nothing_to_ban_is_said_at_its_field(
    mo: FlaskClient, kind: str, value: str, said: str, comes_back: bool
) -> None:
    page = preview(mo, kind, value)
    assert page.status_code == 422
    assert said in page.text
    assert (f'value="{value}"' in page.text) == comes_back
    assert leaks(page.text) == []


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("domain", "GMail.com", "Many people have an address at this provider"),
        ("network", "203.0.0.0/16", "You are in this network yourself"),
        ("website", "daily.example", "A website of ours lies there"),
        ("domain", "secret-place.example", ""),
        ("network", "203.0.113.8", ""),
        ("website", "evil.example", ""),
    ],
)
def test_it_warns_of_what_would_hit_many_or_oneself(
    mo: FlaskClient, kind: str, value: str, said: str
) -> None:
    page = preview(mo, kind, value, **HOME)
    assert ("Mind:" in page.text) == bool(said)
    assert said in page.text
    # The form that comes back with an error still says so.
    assert said in ban(mo, page, reason="", **HOME).text


def test_a_free_mail_domain_is_warned_of_from_a_card_too(
    app: Flask, mo: FlaskClient, daily: int
) -> None:
    reply(app, app.test_client(), email="rita@gmail.com")
    page = post(mo, f"/desk/comments/{stored(app)[0].public_id}/ban", choice="domain")
    assert "Many people have an address at this provider" in page.text
    assert "gmail" not in page.text


def test_a_ban_of_one_site_is_nobody_else_s(
    app: Flask, mo: FlaskClient, stella: FlaskClient, waiting: str
) -> None:
    ban(mo, preview(mo, "name", "Rita"))
    [made] = rows(app, Ban)
    assert "sells shoes" not in stella.get("/desk/bans/").text
    assert post(stella, f"/desk/bans/{made.id}/lift").status_code == 404
    assert stella.get(f"/desk/comments/{waiting}/ban").status_code == 404
    assert post(stella, f"/desk/comments/{waiting}/ban", choice="name").status_code == 404
    assert preview(stella, "name", "Rita", site="daily").status_code == 404
    assert "caught nothing" in preview(stella, "name", "Rita").text
    reply(app, app.test_client(), site="stars", url=f"{STARS}/1", comment="Starry.")
    assert stored(app)[-1].status == Status.PENDING
    assert rows(app, Ban)[0].ended_at is None


def test_only_an_admin_bans_on_every_site(
    app: Flask, mo: FlaskClient, stella: FlaskClient, ada: FlaskClient, waiting: str
) -> None:
    assert preview(mo, "name", "Rita", site="*").status_code == 404
    assert post(mo, f"/desk/comments/{waiting}/ban", choice="name", site="*").status_code == 404
    page = post(ada, f"/desk/comments/{waiting}/ban", choice="name", site="*")
    # What one person's page holds is nobody else's to send.
    assert ban(mo, page).status_code == 400
    assert ban(ada, page, term="ever").status_code == 303
    [made] = rows(app, Ban)
    assert (made.site_id, made.expires_at) == (None, None)
    for who in (mo, stella):
        shown = who.get("/desk/bans/").text
        assert "On every site" in shown
        assert f"/desk/bans/{made.id}/lift" not in shown
        assert post(who, f"/desk/bans/{made.id}/lift").status_code == 404
    reply(app, app.test_client(), site="stars", url=f"{STARS}/1", comment="Starry.")
    assert stored(app)[-1].status == Status.SPAM
    assert post(ada, f"/desk/bans/{made.id}/lift").status_code == 303


def test_a_role_that_ended_meanwhile_bans_nothing(app: Flask, mo: FlaskClient) -> None:
    page = preview(mo, "name", "Rita")
    token = csrf(mo.get("/desk/").text)
    with app.app_context(), database.writing() as session:
        session.execute(delete(accounts.Membership))
    assert ban(mo, page, csrf_token=token).status_code == 404
    assert rows(app, Ban) == []
    assert "sells shoes" not in mo.get("/desk/bans/").text


def test_it_takes_nothing_without_the_page_s_own_token_or_with_another_seal(
    app: Flask, mo: FlaskClient, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = preview(mo, "name", "Rita")
    ban(mo, page)
    [made] = rows(app, Ban)
    told = {"sealed": sealed(page.text), "term": "week", "reason": "r", "kind": "name"}
    for path in (
        "/desk/bans/",
        "/desk/bans/preview",
        f"/desk/comments/{waiting}/ban",
        f"/desk/bans/{made.id}/lift",
    ):
        answer = mo.post(path, data={**told, "value": "Rita", "choice": "name"})
        assert answer.status_code == 400, path
        assert "open for a long time" in answer.text
    seal = sealed(page.text)
    for other in ("", "0" * len(seal), seal[:-2], f"{seal}é"):
        assert ban(mo, page, sealed=other).status_code in (400, 422)
    monkeypatch.setattr("service.views.bans.FORM_LIFETIME", -1)
    assert ban(mo, page).status_code == 400
    assert len(rows(app, Ban)) == 1
    assert len(records(app)) == 2


def test_it_answers_a_script(app: Flask, mo: FlaskClient, waiting: str) -> None:
    page = preview(mo, "name", "Rita", headers=JSON).json
    assert page["count"] == 1
    told = {"sealed": page["sealed"], "term": "day", "reason": "r"}
    made = post(mo, "/desk/bans/", **told, headers=JSON).json
    assert made["said"] == "Name Rita is banned."
    again = post(mo, "/desk/bans/", **told, headers=JSON)
    assert (again.status_code, again.json["error"][:24]) == (409, "This is banned already, ")
    unsaid = post(mo, "/desk/bans/", **told | {"reason": ""}, headers=JSON)
    assert (unsaid.status_code, list(unsaid.json["errors"])) == (422, ["reason"])
    nothing = preview(mo, "network", "x", headers=JSON)
    assert (nothing.status_code, list(nothing.json["errors"])) == (422, ["value"])
    lifted = post(mo, made["lift"], headers=JSON).json
    assert lifted["said"] == "Name Rita is no longer banned."


def test_who_is_banned_is_answered_as_anybody_else(app: Flask, mo: FlaskClient, daily: int) -> None:
    """By their own pages and by script: nothing tells that a ban was there (promise 6)."""

    def shape(comment: str) -> tuple[object, ...]:
        sent = reply(app, app.test_client(), comment=comment, headers=JSON)
        kept = {name: value for name, value in sent.json.items() if name not in ("id", "receipt")}
        page = app.test_client().get(sent.json["receipt"]).text
        said = re.findall(r"<h1[^>]*>(.*?)</h1>|<p>(.*?)</p>", page, re.S)
        return sent.status_code, sorted(sent.json), kept, len(said)

    before = shape("One.")
    ban(mo, preview(mo, "name", "Rita"))
    assert shape("Two.") == before
    assert [comment.status for comment in stored(app)] == [Status.PENDING, Status.SPAM]


def test_the_list_parts_what_lasts_from_what_is_over_a_page_at_a_time(
    app: Flask, mo: FlaskClient, daily: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.views.bans.PAGE", 2)
    with app.app_context(), database.writing() as session:
        for number in range(5):
            target = bans.website_target(f"spam{number}.example")
            until = now() + timedelta(days=1)
            bans.ban(session, target, daily, f"reason {number}", until, "Mo")
        past = update(Ban).where(Ban.value == "spam4.example").values(expires_at=now())
        session.execute(past)
    seen, path = [], "/desk/bans/"
    while path:
        page = mo.get(path).text
        seen.append(re.findall(r"spam\d\.example", page))
        later = re.search(r'href="([^"]+)" rel="next"', page)
        path = later[1].replace("&amp;", "&") if later else ""
    assert seen == [["spam3.example", "spam2.example"], ["spam1.example", "spam0.example"]]
    assert re.findall(r"spam\d\.example", mo.get("/desk/bans/?show=past").text) == ["spam4.example"]
    for odd in ("after=-1", "after=x", f"after={2**70}", "began=nobody"):
        assert mo.get(f"/desk/bans/?{odd}").status_code == 200


def test_what_a_comment_has_lost_cannot_be_banned(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    with app.app_context(), database.writing() as session:
        comment = session.merge(stored(app)[0])
        comment.author_id, comment.name, comment.website = None, "", ""
        comment.html, comment.network = "", ""
    assert "Nothing is left" in mo.get(f"/desk/comments/{waiting}/ban").text
    assert post(mo, f"/desk/comments/{waiting}/ban", choice="address").status_code == 404


def test_a_name_that_is_an_address_is_masked_and_still_caught(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    with app.app_context(), database.writing() as session:
        session.merge(stored(app)[0]).name = ADDRESS
        session.execute(update(Author).values(domain_index=None))
    page = post(mo, f"/desk/comments/{waiting}/ban", choice="name")
    assert "It would have caught 1 comment" in page.text
    ban(mo, page)
    assert leaks(page.text + mo.get("/desk/bans/").text + repr(records(app))) == []
    assert rows(app, Ban)[0].kind == BanKind.NAME
