"""Calls of webhooks, by the worker to a real server, and `flask hook`."""

import base64
import hashlib
import hmac
import time
from collections import Counter
from datetime import timedelta

import pytest
from cast import SITE, add_moderator, add_site, on_record, reply, stored
from conftest import SETTINGS
from outsiders import LOOPBACK, serving
from sqlalchemy import select, update
from workers import share_work

from service import accounts, database, moderation, webhooks
from service.cli import hooks as command
from service.cli import worker
from service.mail import outbox
from service.models import Comment, Hook, Letter, Site, now
from service.status import HookEvent, HookShape, LetterKind, LetterState, Pace, Status, Why
from service.webhooks import Wish, calling


@pytest.fixture
def own(monkeypatch):
    """The publisher's own service."""
    monkeypatch.setattr(command, "_resting", {})
    with serving() as service:
        service.answer = (204, {}, b"")
        yield service


@pytest.fixture
def app(make_app, own):
    app = make_app(PRIVATE_NETWORKS=f"{LOOPBACK} port {own.port}")
    add_site(app)
    return app


@pytest.fixture
def mo(app):
    moderator_id = add_moderator(app)
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, moderator_id).letters = Pace.NONE
    return moderator_id


@pytest.fixture
def flask(app):
    def run(*words, **options):
        return app.test_cli_runner().invoke(args=["hook", *map(str, words)], **options)

    return run


def add(app, url, shape=HookShape.STANDARD, to="", events=tuple(HookEvent)):
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).first()
        wish = Wish("Mine", shape, events, url, to)
        hook, secret = webhooks.add(session, app.extensions["vault"], site, "test", wish)
        return hook.id, secret


def post(app, comment="Hear, hear.", **fields):
    assert reply(app, app.test_client(), comment=comment, **fields).status_code == 303


def decide(app, mo, status):
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, stored(app)[-1].id)
        moderator = session.get_one(accounts.Moderator, mo)
        return moderation.decide(session, comment, status, comment.version, moderator).id


def make_due(app):
    with app.app_context(), database.writing() as session:
        queued = update(Letter).where(Letter.state == LetterState.QUEUED)
        session.execute(queued.values(due_at=now() - timedelta(seconds=1)))


def work(app, is_due=True):
    """One turn of the worker's, after so long that all that waits is due."""
    if is_due:
        make_due(app)
    with app.app_context():
        return command.call_hooks()


def calls(app):
    with app.app_context():
        found = select(Letter).where(Letter.kind == LetterKind.HOOK).order_by(Letter.id)
        return database.session().scalars(found).all()


def is_signed(asked, secret):
    """By code of its own (standardwebhooks.com, "Verifying signatures")."""
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    good = base64.b64encode(hmac.new(key, signed + asked.body, hashlib.sha256).digest()).decode()
    return f"v1,{good}" in asked.headers["webhook-signature"].split(" ")


def test_the_worker_makes_calls():
    assert command.call_hooks in worker.TASKS


def test_a_call_arrives_signed_after_its_cause(app, mo, own):
    _, secret = add(app, f"{own.url}/a/path?key=1")
    post(app)
    assert work(app, is_due=False)
    (asked,) = own.asked
    assert (asked.method, asked.path) == ("POST", "/a/path?key=1")
    assert asked.headers["Content-Type"] == "application/json"
    assert is_signed(asked, secret)
    assert asked.json["type"] == "comment.received"
    (letter,) = calls(app)
    assert (letter.state, letter.attempts) == (LetterState.SENT, 1)
    assert letter.last_answer == "204 No Content"
    decide(app, mo, Status.APPROVED)
    assert work(app, is_due=False) is False  # not before the undo window is over
    assert work(app)
    assert own.asked[1].json["type"] == "comment.approved"
    assert own.asked[1].headers["webhook-id"] != asked.headers["webhook-id"]
    assert work(app) is False


def test_what_is_undone_in_between_is_not_told(app, mo, own):
    add(app, own.url, events=[HookEvent.APPROVED, HookEvent.PENDING])
    post(app)
    decide(app, mo, Status.APPROVED)
    with app.app_context(), database.writing() as session:
        last = moderation.latest(session, stored(app)[0].id)
        moderation.undo(session, last, session.get_one(accounts.Moderator, mo))
    while work(app):
        pass
    assert own.asked == []
    assert {(one.state, one.why) for one in calls(app)} == {(LetterState.DROPPED, Why.UNDONE)}


@pytest.mark.parametrize("verb", ["switch", "remove"])
def test_what_waits_for_a_hook_that_is_off_is_not_sent(app, own, verb):
    hook_id, _ = add(app, own.url)
    post(app)
    with app.app_context(), database.writing() as session:
        hook = session.get_one(Hook, hook_id)
        if verb == "switch":
            webhooks.switch(session, hook, "test", False)
        else:
            webhooks.remove(session, hook, "test")
    work(app)
    assert own.asked == []
    assert [(one.state, one.why) for one in calls(app)] == [(LetterState.DROPPED, Why.OFF)]


def test_what_is_taken_back_in_between_is_sent_without_its_text(app, own):
    add(app, own.url)
    post(app, "A word that is nowhere else: zyzzyva")
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one())
    work(app)
    assert [asked.json["type"] for asked in own.asked] == ["comment.received", "comment.deleted"]
    for asked in own.asked:
        assert b"zyzzyva" not in asked.body
        assert b"Rita" not in asked.body


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, {}, b"secret words"), "500 Internal Server Error"),
        ((404, {}, b""), "404 Not Found"),
        ((302, {"Location": "/elsewhere"}, b""), "302 Found"),
        ((307, {"Location": "/elsewhere"}, b""), "307 Temporary Redirect"),
        ((200, {}, b"x" * 100_000), "No answer: "),
    ],
)
def test_what_is_not_taken_is_tried_later_with_the_same_id(app, own, answer, words):
    _, secret = add(app, own.url)
    own.answer = answer
    post(app)
    work(app)
    (letter,) = calls(app)
    assert (letter.state, letter.why) == (LetterState.QUEUED, Why.LATER)
    assert letter.last_answer.startswith(words)
    assert now() < letter.due_at < now() + timedelta(minutes=2)
    assert len(own.asked) == 1  # no redirect was followed
    own.answer = (204, {}, b"")
    command._resting.clear()
    work(app)
    first, second = own.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert is_signed(second, secret)
    assert calls(app)[0].state == LetterState.SENT


def test_a_request_to_wait_is_kept_to(app, own):
    add(app, own.url)
    own.answer = (429, {"Retry-After": "3600"}, b"")
    post(app)
    work(app)
    assert calls(app)[0].due_at > now() + timedelta(minutes=59)


def test_after_so_many_attempts_it_has_failed(app, own):
    add(app, own.url)
    own.answer = (500, {}, b"")
    post(app)
    for _ in range(outbox.MOST_ATTEMPTS):
        command._resting.clear()
        work(app)
    assert [(one.state, one.attempts) for one in calls(app)] == [(LetterState.FAILED, 12)]
    assert work(app) is False


def test_whoever_wants_no_more_is_switched_off(app, own):
    hook_id, _ = add(app, own.url)
    own.answer = (410, {}, b"")
    post(app)
    post(app, "Another one.")
    work(app)
    assert len(own.asked) == 1
    first, second = calls(app)
    assert (first.state, first.why, first.last_answer) == (LetterState.FAILED, Why.OFF, "410 Gone")
    assert (second.state, second.why) == (LetterState.DROPPED, Why.OFF)
    with app.app_context():
        assert database.session().get_one(Hook, hook_id).is_on is False
    assert on_record(app)[-1].about == "Mine: off, for its address answered 410"
    post(app, "A third one.")
    assert len(calls(app)) == 2


def test_one_that_does_not_answer_holds_nobody_up(app, make_app, own, monkeypatch):
    monkeypatch.setattr(calling, "SECONDS", 0.2)
    with serving() as slow:
        slow.answer = lambda handler: time.sleep(1)
        open_to = f"{LOOPBACK} port {own.port}, {LOOPBACK} port {slow.port}"
        app.extensions["outbound"] = make_app(PRIVATE_NETWORKS=open_to).extensions["outbound"]
        lost = add(app, slow.url)[0]
        add(app, own.url)
        for number in range(5):
            post(app, f"Comment number {number}.")
        while work(app, is_due=False):
            pass
        assert len(slow.asked) == 1
    assert len(own.asked) == 5
    theirs = [one for one in calls(app) if one.hook_id == lost]
    assert sorted(one.attempts for one in theirs) == [0, 0, 0, 0, 1]
    assert {one.why for one in theirs} == {Why.LATER, Why.SERVER}
    assert all(one.due_at > now() for one in theirs)
    post(app, "One more.")  # is not tried before its turn either
    while work(app, is_due=False):
        pass
    theirs = [one for one in calls(app) if one.hook_id == lost]
    assert sum(one.attempts for one in theirs) == 1
    assert len(own.asked) == 6


def test_it_goes_on_when_it_answers_again(app, own):
    add(app, own.url)
    own.answer = (503, {}, b"")
    for number in range(3):
        post(app, f"Comment number {number}.")
    work(app)
    assert len(own.asked) == 1
    own.answer = (204, {}, b"")
    work(app)  # due, and still left alone
    assert len(own.asked) == 1
    for hook_id, (_, failures) in command._resting.items():
        command._resting[hook_id] = (now(), failures)
    work(app)
    assert len(own.asked) == 4
    assert command._resting == {}


def test_what_is_asked_for_by_hand_is_called_all_the_same(app, own):
    hook_id, _ = add(app, own.url)
    own.answer = (503, {}, b"")
    post(app)
    work(app)
    with app.app_context(), database.writing() as session:
        webhooks.ping(session, session.get_one(Hook, hook_id))
    work(app)
    received, test = calls(app)
    assert (len(own.asked), test.state, test.attempts) == (2, LetterState.FAILED, 1)
    assert (received.state, received.why) == (LetterState.QUEUED, Why.SERVER)
    own.answer = (204, {}, b"")
    with app.app_context(), database.writing() as session:
        letter = session.get_one(Letter, received.id)
        webhooks.replay(session, session.get_one(Hook, hook_id), letter, "test")
    work(app)
    assert calls(app)[0].state == LetterState.SENT


def test_a_turn_ends_after_so_long_and_lets_go_of_the_others(app, own, monkeypatch):
    monkeypatch.setattr(command, "TURN_SECONDS", 0)
    add(app, own.url)
    post(app)
    work(app)
    assert own.asked == []
    assert calls(app)[0].claimed_until is None


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://localhost/"]
)
def test_a_private_address_is_not_called(app, own, url):
    add(app, url)
    post(app)
    work(app)
    (letter,) = calls(app)
    assert letter.state == LetterState.QUEUED
    assert letter.last_answer.startswith("No answer: ")
    assert url not in letter.last_answer


def test_a_call_that_cannot_be_put_into_words_is_tried_later_and_the_next_one_goes(
    app, own, caplog
):
    broken, _ = add(app, own.url)
    add(app, own.url)
    with app.app_context(), database.writing() as session:
        session.get_one(Hook, broken).sealed_secret = "nonsense"
    post(app)
    work(app)
    mine, other = calls(app)
    assert (mine.state, mine.why, other.state) == (LetterState.QUEUED, Why.BROKEN, LetterState.SENT)
    assert "nonsense" not in caplog.text


def test_nothing_of_an_address_is_logged(app, own, caplog):
    caplog.set_level("DEBUG")
    _, secret = add(app, f"{own.url}/a-path-that-is-a-key")
    own.answer = (500, {}, b"")
    post(app, "A remark that nobody logs.")
    work(app)
    for hidden in ("a-path-that-is-a-key", secret, "A remark that nobody logs."):
        assert hidden not in caplog.text


def test_a_chat_gets_a_text(app, own):
    add(app, f"{own.url}/bot1:x/sendMessage", HookShape.TELEGRAM, "-1001")
    own.says(ok=True)
    post(app, "Hear <b>hear</b> & @all")
    work(app)
    (asked,) = own.asked
    said = asked.json
    assert said["chat_id"] == "-1001"
    assert said["text"].startswith("New comment: Rita on https://daily.example/2026/review")
    assert "&amp; @\u200ball" in said["text"]
    assert f"/desk/comments/{stored(app)[0].public_id}" in said["text"]
    assert "webhook-signature" not in asked.headers
    own.says(ok=False, description="Bad Request: chat not found")
    post(app, "Once more.")
    work(app)
    assert calls(app)[-1].last_answer == "200 OK: Bad Request: chat not found"
    assert calls(app)[-1].state == LetterState.QUEUED


# --- flask hook ---------------------------------------------------------------------------------


def test_the_whole_life_of_one(app, own, flask):
    made = flask("add", SITE, "My service", "--url-stdin", "--event", "approved", input=own.url)
    assert made.exit_code == 0, made.output
    secret = made.output.split()[-1]
    assert secret.startswith("whsec_")
    listed = flask("list", SITE).output
    assert listed == "1  on   standard  127.0.0.1  My service  (approved)\n"
    tested = flask("test", 1)
    assert tested.output == "It took the call: 204 No Content.\n"
    (asked,) = own.asked
    assert asked.json["type"] == "test"
    assert asked.json["data"] == {"site": {"key": "daily", "name": "The Daily"}}
    assert is_signed(asked, secret)
    assert work(app) is False  # the worker does not make it once more
    own.answer = (404, {}, b"")
    failed = flask("test", 1)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr == "Error: It did not take the call. 404 Not Found\n"
    log = flask("log", 1).output.splitlines()
    assert ["sent" in log[1], "failed" in log[0], "404 Not Found" in log[0]] == [True] * 3
    assert flask("rotate", 1).output.split()[-1] not in (secret, "")
    assert flask("switch", 1, "off").output == "It is off.\n"
    assert flask("test", 1).exit_code == 1
    assert flask("remove", 1).output == "Removed.\n"
    assert flask("list", SITE).output == "daily has no webhooks.\n"
    assert flask("log", 1).exit_code == 1
    said = [event.about.partition(": ")[2] for event in on_record(app)]
    assert said == ["added", "a new secret", "off", "removed"]
    assert not any(own.url in event.about for event in on_record(app))


@pytest.mark.parametrize(
    ("words", "given", "status"),
    [
        (("add", SITE, "X"), "https://own.example/", 2),
        (("add", SITE, "X", "--url-stdin"), "", 2),
        (("add", SITE, "X", "--url-stdin"), "ftp://own.example/", 2),
        (("add", SITE, "X", "--url-stdin"), "https://u:p@own.example/", 2),
        (("add", SITE, "X", "--url-stdin"), "http://10.0.0.1/", 2),
        (("add", SITE, "", "--url-stdin"), "https://own.example/", 2),
        (("add", SITE, "X", "--url-stdin", "--shape", "telegram"), "https://own.example/", 2),
        (("add", SITE, "X", "--url-stdin", "--to", "1"), "https://own.example/", 2),
        (("add", "weekly", "X", "--url-stdin"), "https://own.example/", 1),
        (("test", 7), "", 1),
        (("remove", 7), "", 1),
        (("list", "weekly"), "", 1),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(app, flask, words, given, status):
    said = flask(*words, input=given)
    assert said.exit_code == status, said.output
    with app.app_context():
        assert database.session().scalars(select(Hook)).all() == []


def test_addresses_and_secrets_move_to_the_newest_key(app, make_app, own):
    hook_id, secret = add(app, own.url)
    newer = "bmV3ZXIgbmV3ZXIgbmV3ZXIgbmV3ZXIgbmV3ZXIgISE="
    older = base64.b64encode(app.config["EMAIL_KEYS"][0]).decode()
    both = make_app(EMAIL_KEYS=f"{newer},{older}")
    assert both.test_cli_runner().invoke(args=["privacy", "rotate-keys"]).exit_code == 0
    alone = make_app(EMAIL_KEYS=newer)
    with alone.app_context():
        hook = database.session().get_one(Hook, hook_id)
        vault = alone.extensions["vault"]
        assert webhooks.host(vault, hook) == "127.0.0.1"
        assert calling.sealed.secrets_of(vault, hook, now()) == [secret]


# --- Two workers, one of which is killed ---------------------------------------------------------

WORKER = """
import json, sys, time
from datetime import timedelta
from service import create_app
from service.cli import hooks
from service.mail import outbox
outbox.LEASE = timedelta(seconds=2)  # the others take over soon
app = create_app(**json.loads(sys.argv[1]))
print("begun", flush=True)
while True:
    with app.app_context():
        try:
            if not hooks.call_hooks():
                time.sleep(0.1)
        except Exception as error:
            print(type(error).__name__, file=sys.stderr, flush=True)
"""
CALLS = 40


@pytest.mark.long
@pytest.mark.parametrize("is_killed", [False, True], ids=["both live", "one is killed"])
def test_two_workers_share_the_calls_and_none_is_lost(
    make_app, database_url, tmp_path, is_killed, own
):
    given = SETTINGS | {
        "DATABASE_URL": database_url,
        "INSTANCE": str(tmp_path),
        "PRIVATE_NETWORKS": f"{LOOPBACK} port {own.port}",
    }
    app = make_app(**given)
    add_site(app)
    hook_id, _ = add(app, own.url)
    with app.app_context(), database.writing() as session:
        hook = session.get_one(Hook, hook_id)
        for _ in range(CALLS):
            webhooks.ping(session, hook)

    def take(handler):
        time.sleep(0.02)
        handler.send_response(204)
        handler.end_headers()

    own.answer = take

    def states():
        return Counter(letter.state for letter in calls(app))

    share_work(
        WORKER,
        given,
        lambda: states()[LetterState.SENT] == CALLS,
        (lambda: len(own.asked) >= CALLS // 3) if is_killed else None,
    )
    assert states() == {LetterState.SENT: CALLS}
    times = Counter(asked.headers["webhook-id"] for asked in own.asked)
    assert len(times) == CALLS
    assert sum(times.values()) - len(times) <= is_killed  # the one in flight
