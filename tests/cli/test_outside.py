"""`flask outside`, and what the worker tells Akismet of moderators' decisions."""

import base64
from datetime import timedelta

import pytest
from cast import SITE, add_moderator, add_site, on_record, reply, stored
from outsiders import FakeAkismet, serving
from sqlalchemy import select, update

from service import accounts, database, moderation
from service.cli import outside as command
from service.models import Comment, Knowledge, Site
from service.outside import choice, feedback
from service.status import Status

AKISMET_KEY = "a1b2c3d4e5f6"


@pytest.fixture
def akismet(monkeypatch):
    monkeypatch.setattr(command, "_waiting", {})
    monkeypatch.setattr(feedback, "SETTLED", timedelta(0))
    with serving() as service:
        monkeypatch.setattr("akismet._common._API_URL", service.url)
        yield FakeAkismet(service)


@pytest.fixture
def app(make_app, akismet):
    app = make_app(PRIVATE_NETWORKS=f"127.0.0.0/8 port {akismet.service.port}")
    add_site(app)
    return app


@pytest.fixture
def flask(app):
    def run(*words, **options):
        return app.test_cli_runner().invoke(args=["outside", *words], **options)

    return run


@pytest.fixture
def mo(app):
    return add_moderator(app)


def decide(app, mo, status, which=-1):
    with app.app_context(), database.writing() as session:
        comment = session.get(Comment, stored(app)[which].id)
        moderator = session.get(accounts.Moderator, mo)
        moderation.decide(
            session, comment, status, comment.version, moderator, vault=app.extensions["vault"]
        )


def work(app):
    with app.app_context():
        return command.tell_akismet()


def place(app):
    with app.app_context():
        return database.session().scalar(select(Knowledge.last_feedback_id))


def on(flask):
    said = flask("set", SITE, "--akismet", "on", "--akismet-key-stdin", input=AKISMET_KEY + "\n")
    assert said.exit_code == 0, said.output


def test_all_is_off_and_the_choice_is_shown_without_secrets(app, flask):
    assert "Akismet  off, no key" in flask("show", SITE).output
    on(flask)
    made = flask("set", SITE, "--hook", "on", "--hook-url", "https://own.example/ask").output
    secret = made.split()[-1]
    assert secret.startswith("whsec_")
    shown = flask("show", SITE).output
    assert "Akismet  on, a key" in shown
    assert "Own service  on, a secret" in shown
    assert AKISMET_KEY not in shown
    assert secret not in shown
    renewed = flask("set", SITE, "--new-secret").output.split()[-1]
    assert renewed.startswith("whsec_")
    assert renewed != secret
    assert [event.what for event in on_record(app)] == ["asked_outside"] * 4
    assert not any(AKISMET_KEY in e.about or "whsec_" in e.about for e in on_record(app))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("set", SITE, "--akismet", "on"), 1),
        (("set", SITE, "--hook", "on"), 1),
        (("set", "weekly", "--hook", "off"), 1),
        (("set", SITE, "--hook-url", "ftp://own.example/"), 2),
        (("set", SITE, "--hook-url", "https://u:p@own.example/"), 2),
        (("set", SITE, "--hook-url", "http://10.0.0.1/check"), 2),
        (("set", SITE), 2),
        (("test", SITE), 1),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(app, flask, words, status):
    said = flask(*words)
    assert said.exit_code == status, said.output
    with app.app_context():
        assert database.session().scalar(select(Site.screening)) == {}


def test_who_sets_it_is_told_that_comments_wait_while_it_cannot_be_asked(flask):
    told = "every new comment waits for a moderator"
    chosen = ("set", SITE, "--hook-url", "https://own.example/ask")
    assert told in flask(*chosen, "--hook", "on").output
    assert told not in flask("set", SITE, "--hook", "off").output


def test_a_test_asks_and_says_what_came_back(app, flask, akismet):
    on(flask)
    assert "Akismet answered: it has nothing against it." in flask("test", SITE).output
    assert akismet.asked("comment-check")[0]["is_test"]
    akismet.is_down = True
    said = flask("test", SITE)
    assert (said.exit_code, said.stdout) == (1, "")
    [line] = said.stderr.splitlines()
    assert "could not be asked" in line
    assert "New comments are held meanwhile." in line
    assert stored(app) == []


def test_akismet_hears_where_a_moderator_decides_otherwise(app, flask, akismet, mo):
    on(flask)
    reply(app, app.test_client(), comment="missed by it")
    decide(app, mo, Status.SPAM)
    akismet.verdict = b"true"
    reply(app, app.test_client(), comment="wronged by it")
    decide(app, mo, Status.APPROVED)
    akismet.verdict = b"false"
    reply(app, app.test_client(), comment="right about it")
    decide(app, mo, Status.APPROVED)
    while work(app):
        pass
    spam, ham = akismet.asked("submit-spam"), akismet.asked("submit-ham")
    assert [told["comment_content"] for told in spam] == ["missed by it"]
    assert [told["comment_content"] for told in ham] == ["wronged by it"]
    assert spam[0]["user_ip"] == "127.0.0.0"
    assert "comment_author_email" not in spam[0]
    assert work(app) is False
    assert len(akismet.asked("submit-spam")) == 1


def test_what_was_told_and_is_taken_back_is_told_again(app, flask, akismet, mo):
    on(flask)
    reply(app, app.test_client())
    decide(app, mo, Status.SPAM)
    work(app)
    decide(app, mo, Status.APPROVED)
    work(app)
    assert len(akismet.asked("submit-spam")) == len(akismet.asked("submit-ham")) == 1


def test_a_failure_keeps_the_place_and_is_tried_again_later(app, flask, akismet, mo):
    on(flask)
    reply(app, app.test_client())
    decide(app, mo, Status.SPAM)
    akismet.is_down, before = True, place(app)
    assert work(app) is False
    assert work(app) is False
    assert len(akismet.service.asked) == 2  # the check, and one attempt: then it waits
    assert place(app) == before
    akismet.is_down = False
    assert work(app) is False
    command._waiting.clear()
    assert work(app) is True
    assert len(akismet.asked("submit-spam")) == 2
    assert place(app) > before


def test_nothing_of_before_or_while_it_is_off_is_told(app, flask, akismet, mo):
    reply(app, app.test_client(), comment="from before")
    decide(app, mo, Status.SPAM)
    work(app)
    on(flask)
    decide(app, mo, Status.APPROVED)
    while work(app):
        pass
    flask("set", SITE, "--akismet", "off")
    reply(app, app.test_client(), comment="while it is off")
    decide(app, mo, Status.SPAM)
    work(app)
    assert akismet.service.asked == []


def test_what_was_erased_is_not_told(app, flask, akismet, mo):
    on(flask)
    reply(app, app.test_client())
    decide(app, mo, Status.SPAM)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(text="", html=""))
    while work(app):
        pass
    assert akismet.asked("submit-spam") == []


def test_secrets_move_to_the_newest_key_with_the_addresses(app, make_app, flask):
    on(flask)
    newer = "bmV3ZXIgbmV3ZXIgbmV3ZXIgbmV3ZXIgbmV3ZXIgISE="
    older = base64.b64encode(app.config["EMAIL_KEYS"][0]).decode()
    both = make_app(EMAIL_KEYS=f"{newer},{older}")
    assert both.test_cli_runner().invoke(args=["privacy", "rotate-keys"]).exit_code == 0
    alone = make_app(EMAIL_KEYS=newer)
    with alone.app_context():
        site = database.session().scalar(select(Site))
        assert choice.of(alone.extensions["vault"], site).akismet.key == AKISMET_KEY
