"""Webhooks at the desk: who keeps them, what is typed, what is shown once, and calls made again."""

import re

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from outsiders import LOOPBACK, serving
from sqlalchemy import select, update

from service import database, webhooks
from service.cli import hooks as command
from service.models import Hook, Letter, now
from service.status import HookEvent, LetterKind, LetterState, Role, Why

PAGE = "/desk/hooks/"
NEW = f"/desk/sites/{SITE}/hooks/new"
EVERY = [event.value for event in HookEvent]


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setattr(command, "_resting", {})
    with serving() as service:
        yield service


@pytest.fixture
def app(make_app, own):
    return make_app(PRIVATE_NETWORKS=f"{LOOPBACK} port {own.port}")


@pytest.fixture
def pia(another):
    """Pia, who publishes The Daily."""
    return another("pia", role=Role.PUBLISHER)


def do(who, path, **fields):
    fields = {"csrf_token": csrf(who.get(PAGE).text)} | fields
    return who.post(path, data=fields)


def add(who, url, **fields):
    given = {"name": "My service", "shape": "standard", "url": url, "to": "", "events": EVERY}
    return do(who, NEW, **given | fields)


def hooks(app):
    with app.app_context():
        return database.session().scalars(select(Hook).order_by(Hook.id)).all()


def letters(app):
    with app.app_context():
        found = select(Letter).where(Letter.kind == LetterKind.HOOK).order_by(Letter.id)
        return database.session().scalars(found).all()


def again(app, who, which=0, hook=1):
    return do(who, f"{PAGE}{hook}/calls/{letters(app)[which].id}/replay")


def work(app):
    with app.app_context():
        return command.call_hooks()


def test_a_publisher_adds_one_and_sees_its_secret_once(app, pia, own):
    assert PAGE in pia.get("/desk/sites/").text
    assert NEW in pia.get(PAGE).text
    made = add(pia, f"{own.url}/a-path-that-is-a-key")
    assert made.status_code == 200
    secret = re.search("whsec_[A-Za-z0-9+/=]+", made.text.replace("&#43;", "+"))[0]
    assert made.headers["Cache-Control"].startswith("no-store")
    for page in (made.text, pia.get(f"{PAGE}1").text, pia.get(PAGE).text):
        assert "127.0.0.1" in page
        assert "a-path-that-is-a-key" not in page
    assert "whsec_" not in pia.get(f"{PAGE}1").text
    (hook,) = hooks(app)
    assert (hook.name, hook.shape, hook.events, hook.is_on) == (
        "My service", "standard", EVERY, True,
    )  # fmt: skip
    assert secret not in hook.sealed_secret
    assert [(e.what, e.about) for e in on_record(app)] == [("hook_changed", "My service: added")]
    page = pia.get("/desk/audit/").text
    assert "changed a webhook." in page
    assert "a-path-that-is-a-key" not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Give it a name"),
        ({"name": "x" * 81}, "A name has at most 80 characters."),
        ({"url": ""}, "Enter the address that is to be called."),
        ({"url": "ftp://own.example/"}, "does not begin with http:// or https://"),
        ({"url": "https://u:p@own.example/"}, "holds a name or a password"),
        ({"url": "http://10.0.0.1/"}, "This address cannot be called"),
        ({"url": "http://169.254.169.254/"}, "This address cannot be called"),
        ({"url": "https://own.example/" + "x" * 1_000}, "at most 1000 characters"),
        ({"events": []}, "Choose at least one."),
        ({"events": ["nonsense"]}, "not"),
        ({"shape": "nonsense"}, "Not a valid choice"),
        ({"shape": "telegram", "to": "-1"}, "https://api.telegram.org/botTOKEN/sendMessage"),
        ({"shape": "telegram", "url": "https://t.example/sendMessage"}, "Enter the chat’s number"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_kept(app, pia, fields, said):
    answer = add(pia, **{"url": "https://own.example/"} | fields)
    assert answer.status_code == 422
    assert answer.text.count(said) >= 2  # in the summary and beside the field
    assert 'class="error"' in answer.text
    assert hooks(app) == []
    for typed in fields.values():
        if isinstance(typed, str) and typed.strip() and "nonsense" not in typed:
            assert typed in answer.text  # nothing that was typed is lost


def test_a_site_has_so_many(app, pia, monkeypatch):
    monkeypatch.setattr(webhooks.keeping, "MOST", 1)
    assert add(pia, "https://own.example/").status_code == 200
    answer = add(pia, "https://own.example/")
    assert (answer.status_code, "A site has at most" in answer.text) == (422, True)


def test_a_chat_has_no_secret(app, pia):
    made = add(pia, "https://hooks.slack.com/services/T/B/X", shape="slack", to="left over")
    assert made.status_code == 303
    page = pia.get(made.location).text
    assert "The webhook is added." in page
    assert "Make a new secret" not in page
    assert hooks(app)[0].to == ""
    assert do(pia, f"{PAGE}1/secret").status_code == 404


def test_it_is_changed_and_an_empty_address_keeps_the_one_there_is(app, pia, own):
    add(pia, own.url)
    before = hooks(app)[0].sealed_url
    fields = {"name": "Ours", "url": "", "to": "", "events": ["approved"]}
    answer = do(pia, f"{PAGE}1/change", **fields)
    assert "It is changed." in pia.get(answer.location).text
    (hook,) = hooks(app)
    assert (hook.name, hook.events, hook.sealed_url) == ("Ours", ["approved"], before)
    wrong = do(pia, f"{PAGE}1/change", **fields | {"url": "http://10.0.0.1/"})
    assert (wrong.status_code, "cannot be called" in wrong.text) == (422, True)
    do(pia, f"{PAGE}1/change", **fields | {"url": "https://other.example/"})
    assert "other.example" in pia.get(f"{PAGE}1").text


def test_a_test_is_sent_and_its_outcome_shown(app, pia, own):
    add(pia, own.url)
    answer = do(pia, f"{PAGE}1/test")
    assert "A test is on its way." in pia.get(answer.location).text
    assert "Waits." in pia.get(f"{PAGE}1").text
    own.answer = (500, {}, b"<b>words</b>")
    work(app)
    page = pia.get(f"{PAGE}1").text
    assert "The address did not take it." in page
    assert "500 Internal Server Error" in page
    assert "words" not in page


def test_a_call_is_made_again_with_the_same_id_and_on_record(app, pia, own):
    add(pia, own.url)
    assert reply(app, app.test_client()).status_code == 303
    work(app)
    page = pia.get(f"{PAGE}1").text
    assert "Taken." in page
    assert stored(app)[0].public_id in page
    answer = again(app, pia)
    assert "is made in a moment" in pia.get(answer.location).text
    work(app)
    first, second = own.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert second.json["data"]["article"]["url"] == ARTICLE
    assert [e.what for e in on_record(app)] == ["hook_changed", "hook_replayed"]
    assert "had a webhook called once more." in pia.get("/desk/audit/").text


def test_what_was_undone_cannot_be_made_again(app, pia, own):
    add(pia, own.url)
    reply(app, app.test_client())
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(state=LetterState.DROPPED, why=Why.UNDONE))
    page = pia.get(f"{PAGE}1").text
    assert "What caused it was taken back." in page
    assert "Replay" not in page
    assert again(app, pia).status_code == 409
    assert do(pia, f"{PAGE}1/calls/99/replay").status_code == 404


def test_a_call_of_another_hook_is_not_found(app, pia, own):
    add(pia, own.url)
    reply(app, app.test_client())
    add(pia, own.url)
    work(app)
    assert again(app, pia, hook=2).status_code == 404


def test_it_is_switched_off_and_on_and_removed(app, pia, own):
    add(pia, own.url)
    reply(app, app.test_client())
    off = do(pia, f"{PAGE}1/switch", state="off")
    page = pia.get(off.location).text
    assert "It is switched off." in page
    assert "The webhook was off." in page
    assert "Replay" not in page
    assert do(pia, f"{PAGE}1/test").status_code == 409
    assert again(app, pia).status_code == 409
    do(pia, f"{PAGE}1/switch", state="on")
    assert "Replay" in pia.get(f"{PAGE}1").text
    removed = do(pia, f"{PAGE}1/remove")
    assert "The webhook is removed." in pia.get(removed.location).text
    assert pia.get(f"{PAGE}1").status_code == 404
    assert do(pia, f"{PAGE}1/test").status_code == 404
    assert [e.about.partition(": ")[2] for e in on_record(app)] == ["added", "off", "on", "removed"]
    assert hooks(app)[0].removed_at <= now()


def test_a_new_secret_is_shown_once_and_the_former_one_named(app, pia, own):
    first = re.search("whsec_[^<]+", add(pia, own.url).text)[0]
    answer = do(pia, f"{PAGE}1/secret")
    assert re.search("whsec_[^<]+", answer.text)[0] != first
    assert "The secret before is good until" in answer.text
    assert "whsec_" not in pia.get(f"{PAGE}1").text


def test_the_log_shows_the_newest_fifty(app, pia, own):
    add(pia, own.url)
    with app.app_context(), database.writing() as session:
        hook = session.get_one(Hook, 1)
        for _ in range(60):
            webhooks.ping(session, hook)
    page = pia.get(f"{PAGE}1").text
    assert page.count("goes in a moment") == 50
    assert "The newest 50." in page
    assert "60 waiting" in pia.get(PAGE).text


def test_a_name_is_shown_as_it_is_typed(app, pia, own):
    add(pia, own.url, name="<script>alert(1)</script>")
    for path in (PAGE, f"{PAGE}1", "/desk/audit/"):
        page = pia.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_another_site_s_webhooks_are_none_of_theirs(app, pia, own):
    add(pia, own.url)
    add_site(app, "weekly", "https://weekly.example")
    wim = add_moderator(app, "wim@weekly.example", "weekly", Role.PUBLISHER)
    wims = sign_in(app, app.test_client(), wim)
    assert "My service" not in wims.get(PAGE).text
    assert wims.get(f"{PAGE}1").status_code == 403
    assert wims.get(NEW).status_code == 403
    for path in ("change", "switch", "secret", "test", "remove", "calls/1/replay"):
        assert do(wims, f"{PAGE}1/{path}").status_code == 403
    assert hooks(app)[0].is_on


def test_a_moderator_is_not_shown_them(app, mo, own):
    assert mo.get(PAGE).status_code == 403
    assert PAGE not in mo.get("/desk/me/").text


def test_nothing_is_done_without_the_form(app, pia, own):
    add(pia, own.url)
    for path in ("change", "switch", "secret", "test", "remove", "calls/1/replay"):
        assert pia.post(f"{PAGE}1/{path}").status_code == 400
