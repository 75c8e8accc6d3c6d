"""What is sent by no person: held with its reason, and answered like any comment."""

import hashlib
import re
from itertools import count

import pytest
from cast import ARTICLE, RITA, SITE, add_site, reply, stored, token

from service import comments, database
from service.models import Article, Wave, now
from service.status import Mode, Status
from service.tokens import WORK_BITS, FormTokens

ASKED = f"/embed/{SITE}/token?url={ARTICLE}"


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app, mode=Mode.HOLD_CAUGHT)


@pytest.fixture
def wave(app, site):
    with app.app_context(), database.writing() as session:
        session.add(Wave(site_id=site))


def reasons(app):
    """Of the newest comment."""
    with app.app_context():
        found = comments.by_public_id(database.session(), stored(app)[-1].public_id)
        return {reason.rule for reason in found.reasons}


def number_for(sent, bits=WORK_BITS):
    """By other code than the service's."""
    digest = lambda number: hashlib.sha256(f"{sent}.{number}".encode()).hexdigest()  # noqa: E731
    return next(n for n in count() if f"{int(digest(n), 16):0256b}".startswith("0" * bits))


def shape(answer):
    """An answer without what is another each time."""
    return answer.status_code, sorted(answer.headers.keys()), re.sub("[^/]+$", "", answer.location)


# The trap


def test_the_trap_marks_as_spam_and_is_answered_like_any_comment(app, client):
    caught = reply(app, client, subject="Cheap shoes")
    assert stored(app)[-1].status == Status.SPAM
    assert "trap" in reasons(app)
    free = reply(app, client, comment="Another.", subject="")
    assert "trap" not in reasons(app)
    assert shape(caught) == shape(free)
    pages = [client.get(answer.location).text for answer in (caught, free)]
    assert all('data-state="waiting"' in page for page in pages)


def test_white_space_in_the_trap_is_nobody_s_doing(app, client):
    reply(app, client, subject=" \n")
    assert "trap" not in reasons(app)


def test_a_form_that_comes_back_keeps_what_was_in_the_trap(app, client):
    answer = reply(app, client, name="", subject="Cheap shoes")
    assert answer.status_code == 422
    assert 'value="Cheap shoes"' in answer.text


@pytest.mark.parametrize("path", ["", "/fragment"])
def test_the_trap_is_hidden_by_its_attributes_alone(client, path):
    page = client.get(f"/embed/{SITE}{path}", query_string={"url": ARTICLE}).text
    [trap] = re.findall(r"<div hidden inert>(.*)</div>", page)
    [field] = re.findall("<input[^>]*>", trap)
    assert all(said in field for said in ('autocomplete="off"', 'tabindex="-1"', 'type="text"'))
    named, name = (re.search(f' {said}="([^"]+)"', field)[1] for said in ("id", "name"))
    assert f'<label for="{named}">Leave this field empty</label>' in trap
    assert not re.search("name|mail|phone|address|url|company|card", name)


# The work


def test_no_work_is_asked_for_while_no_wave_is_on(app, client):
    assert set(client.get(ASKED).json) == {"token"}
    reply(app, client, token=client.get(ASKED).json["token"])
    assert "no_work" not in reasons(app)


@pytest.mark.parametrize(
    ("work", "is_held"),
    [
        (lambda sent: number_for(sent), False),
        (lambda sent: "", True),
        (lambda sent: "nonsense", True),
        (lambda sent: "9" * 5000, True),
        (lambda sent: number_for("of another token"), True),
    ],
)
def test_in_a_wave_what_came_without_the_work_is_held_with_the_reason(
    app, client, wave, work, is_held
):
    told = client.get(ASKED).json
    assert told["work"] == WORK_BITS
    sent = told["token"]
    answer = reply(app, client, token=sent, work=str(work(sent)))
    assert answer.status_code == 303
    assert ("no_work" in reasons(app)) == is_held
    assert stored(app)[-1].status == Status.PENDING


def test_in_a_wave_who_has_no_script_is_asked_for_nothing_and_held(app, client, wave):
    assert reply(app, client).status_code == 303
    assert "no_work" not in reasons(app)
    assert stored(app)[-1].status == Status.PENDING


def test_who_began_before_the_wave_was_asked_for_nothing(app, client, site):
    sent = client.get(ASKED).json["token"]
    with app.app_context(), database.writing() as session:
        session.add(Wave(site_id=site))
    reply(app, client, token=sent)
    assert "no_work" not in reasons(app)


def test_work_is_asked_for_where_the_wave_is_and_while_it_is_on(app, client, site):
    reply(app, client)
    with app.app_context(), database.writing() as session:
        article = session.query(Article).one()
        session.add(Wave(site_id=site, article_id=article.id))
        session.add(Wave(site_id=site, ended_at=now()))
    assert "work" in client.get(ASKED).json
    assert "work" not in client.get(ASKED + "-2").json


# The token


def foreign(app):
    return token(app, site="weekly")


def of_another_article(app):
    return token(app, ARTICLE + "-2")


def for_another_purpose(app):
    return app.extensions["signer"].sign("receipt", [SITE, ARTICLE, 1])


@pytest.mark.parametrize(
    "stale",
    [lambda app: "", lambda app: "nonsense", foreign, of_another_article, for_another_purpose],
    ids=["missing", "nonsense", "site", "article", "purpose"],
)
@pytest.mark.parametrize("door", ["comments", "preview"])
def test_no_token_loses_a_word(app, client, door, stale):
    sent = RITA | {"url": ARTICLE, "token": stale(app), "website": "https://rita.example/"}
    answer = client.post(f"/embed/{SITE}/{door}", data=sent)
    assert answer.status_code == 422
    for typed in ("Rita", RITA["email"], RITA["comment"], "https://rita.example/"):
        assert typed in answer.text
    fresh = re.search(r'name="token"[^>]*value="([^"]+)"', answer.text)[1]
    assert reply(app, client, token=fresh).status_code == 303
    assert len(stored(app)) == 1


@pytest.mark.parametrize("make", [FormTokens.for_page, FormTokens.for_script])
def test_an_old_token_is_no_refusal(app, client, monkeypatch, make):
    old = make(FormTokens(app.extensions["signer"], SITE, ARTICLE))
    monkeypatch.setattr("service.tokens.FORM_LIFETIME", -7200)
    assert reply(app, client, token=old).status_code == 422
    monkeypatch.undo()
    assert reply(app, client, token=old).status_code == 303


def test_a_page_s_token_is_shared_by_all_who_see_the_page(app):
    shared = token(app)
    for number in range(3):
        sent = reply(app, app.test_client(), token=shared, comment=f"No. {number}")
        assert sent.status_code == 303
    assert reasons(app).isdisjoint({"too_fast", "no_work"})
