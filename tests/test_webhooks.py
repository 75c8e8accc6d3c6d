"""Webhooks: what is written when, what a call tells, and that addresses and secrets stay hidden."""

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, on_record, reply, stored, token
from sqlalchemy import event, select, update

from service import accounts, bulk, database, moderation, signatures, text, webhooks
from service.models import Comment, Decision, Hook, Letter, Site, now
from service.moderation import Wording
from service.screening import phrases as lists
from service.status import (
    HookEvent,
    HookShape,
    LetterKind,
    LetterState,
    Mode,
    PhraseKind,
    Status,
    Why,
)
from service.webhooks import Wish, calling, chats, keeping, sealed

URL = "https://own.example/hooks/k3y"


@pytest.fixture
def app(make_app):
    app = make_app(BASE_URL="https://comments.example")
    add_site(app)
    return app


@pytest.fixture
def mo(app):
    """Mo, who gets no mail, so that the outbox holds calls alone."""
    moderator_id = add_moderator(app)
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, moderator_id).letters = accounts.Pace.NONE
    return moderator_id


def add(app, events=tuple(HookEvent), shape=HookShape.STANDARD, url=URL, to="", site=SITE):
    """A webhook; gives its id and secret."""
    with app.app_context(), database.writing() as session:
        found = session.scalar(select(Site).where(Site.key == site))
        wish = Wish("Mine", shape, events, url, to)
        hook, secret = webhooks.add(session, app.extensions["vault"], found, "test", wish)
        return hook.id, secret


def post(app, comment="Hear, hear.", **fields):
    sent = reply(app, app.test_client(), comment=comment, **fields)
    assert sent.status_code == 303
    return sent.location


def act(app, mo, verb, which=-1):
    """Does something with a comment: the verb is given the session, the comment and Mo."""
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, stored(app)[which].id)
        done = verb(session, comment, session.get_one(accounts.Moderator, mo))
        return done.id if isinstance(done, Decision) else None


def decide(app, mo, status, **more):
    return act(app, mo, lambda s, c, m: moderation.decide(s, c, status, c.version, m, **more))


def undo(app, mo, decision_id):
    vault = app.extensions["vault"]

    def verb(session, comment, moderator):
        return moderation.undo(session, session.get_one(Decision, decision_id), moderator, vault)

    return act(app, mo, verb)


def calls(app):
    with app.app_context():
        found = select(Letter).where(Letter.kind == LetterKind.HOOK).order_by(Letter.id)
        return database.session().scalars(found).all()


def events(app, state=LetterState.QUEUED):
    return [letter.about["event"] for letter in calls(app) if letter.state == state]


def all_sent(app):
    with app.app_context(), database.writing() as session:
        session.execute(
            update(Letter)
            .where(Letter.state == LetterState.QUEUED)
            .values(state=LetterState.SENT, sent_at=now(), attempts=1)
        )


def compose(app, letter_id):
    with app.app_context():
        letter = database.session().get_one(Letter, letter_id)
        base = app.config["BASE_URL"]
        return webhooks.compose(database.session(), app.extensions["vault"], letter, base)


def told(app, which=-1):
    return json.loads(compose(app, calls(app)[which].id).body)


# --- What is written ----------------------------------------------------------------------------


def test_a_comment_that_comes_in_is_told_of_at_once(app):
    hook_id, _ = add(app)
    post(app)
    (letter,) = calls(app)
    comment = stored(app)[0]
    assert letter.about == {"event": "received"}
    assert (letter.hook_id, letter.comment_id) == (hook_id, comment.id)
    assert (letter.article_id, letter.site_id) == (comment.article_id, comment.site_id)
    assert letter.cause_key == f"hook {hook_id} received first {comment.id}"
    assert letter.due_at <= now()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("Hear, hear.", ["received", "approved"]), ("viagra", ["received", "spam"])],
)
def test_what_the_rules_decide_is_told_too(app, words, expected):
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).one()
        site.settings = {"mode": Mode.HOLD_CAUGHT.value}
        lists.add(session, site.id, PhraseKind.SPAM, ["viagra"])
    mo = add_moderator(app)
    post(app)
    decide(app, mo, Status.APPROVED)  # the article is known from here on
    add(app)
    post(app, words + " Once more.")
    assert events(app) == expected


def test_only_hooks_that_are_on_and_want_it_are_called(app, mo):
    wants, _ = add(app, [HookEvent.APPROVED])
    off, _ = add(app)
    gone, _ = add(app)
    add_site(app, "weekly", "https://weekly.example")
    add(app, site="weekly")
    with app.app_context(), database.writing() as session:
        webhooks.switch(session, session.get_one(Hook, off), "test", False)
        webhooks.remove(session, session.get_one(Hook, gone), "test")
    post(app)
    decide(app, mo, Status.APPROVED)
    assert [(one.hook_id, one.about["event"]) for one in calls(app)] == [(wants, "approved")]


@pytest.mark.parametrize("status", [Status.APPROVED, Status.REJECTED, Status.SPAM, Status.DELETED])
def test_a_decision_waits_for_the_undo_window_and_dies_with_an_undo(app, mo, status):
    add(app)
    post(app)
    all_sent(app)
    decision = decide(app, mo, status)
    letter = calls(app)[-1]
    assert letter.about == {"event": status.value}
    assert letter.decision_id == decision
    assert timedelta(minutes=9) < letter.due_at - now() <= timedelta(minutes=10)
    undo(app, mo, decision)
    _received, told_of, back = calls(app)
    assert (told_of.state, told_of.why) == (LetterState.DROPPED, Why.UNDONE)
    assert back.about == {"event": "pending"}
    assert compose(app, back.id) == Why.UNDONE  # nobody heard of it, so nothing came back


def test_an_undo_after_the_call_tells_of_the_status_that_came_back(app, mo):
    add(app)
    post(app)
    decision = decide(app, mo, Status.APPROVED)
    all_sent(app)
    undone = undo(app, mo, decision)
    assert told(app)["type"] == "comment.pending"
    again = undo(app, mo, undone)  # before that call is made
    assert compose(app, calls(app)[-1].id) == Why.UNDONE
    undo(app, mo, again)
    assert told(app)["type"] == "comment.pending"


def test_an_undo_after_a_call_that_may_have_arrived_tells_too(app, mo):
    add(app)
    post(app)
    decision = decide(app, mo, Status.APPROVED)
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(attempts=1))  # it took too long to answer
    undone = undo(app, mo, decision)
    assert told(app)["type"] == "comment.pending"
    undo(app, mo, undone)
    assert told(app)["type"] == "comment.approved"


def test_a_text_that_changes_is_told_of(app, mo):
    add(app, [HookEvent.EDITED])
    receipt = post(app)
    wording = Wording("Otherwise.", "<p>Otherwise.</p>", None)
    reworded = act(app, mo, lambda s, c, m: moderation.reword(s, c, c.version, wording, m))
    undo(app, mo, reworded)
    assert events(app) == ["edited"]  # that it is as it was, which nobody heard otherwise
    assert compose(app, calls(app)[-1].id) == Why.UNDONE
    reader = app.test_client()
    page = reader.get(receipt).text
    fields = {
        n: re.search(f'name="{n}"[^>]*value="([^"]*)"', page)[1] for n in ("token", "version")
    }
    path = receipt.partition("?")[0] + "/edit"
    assert reader.post(path, data=fields | {"comment": "By myself."}).status_code == 303
    letter = calls(app)[-1]
    assert letter.about == {"event": "edited"}
    assert letter.due_at <= now()
    assert told(app)["data"]["comment"]["text"] == "By myself."


def test_a_change_that_waits_is_told_of_when_it_is_approved(app, mo):
    add(app, [HookEvent.EDITED, HookEvent.APPROVED])
    post(app)
    decide(app, mo, Status.APPROVED)
    all_sent(app)
    wording = Wording("Or not.", "<p>Or not.</p>", None)
    verdict = type("Held", (), {"status": Status.PENDING})()
    act(app, mo, lambda s, c, m: moderation.edit(s, c, c.version, wording, verdict))
    assert events(app) == []
    decision = decide(app, mo, Status.APPROVED, vault=app.extensions["vault"])
    assert events(app) == ["edited"]
    assert calls(app)[-1].due_at > now()
    assert told(app)["data"]["comment"]["text"] == "Or not."
    undo(app, mo, decision)
    assert compose(app, calls(app)[-1].id) == Why.UNDONE


def test_a_comment_that_is_taken_back_is_told_of_without_a_word_of_it(app, mo):
    add(app)
    post(app)
    decide(app, mo, Status.APPROVED)
    act(app, mo, lambda s, c, m: moderation.withdraw(s, c))
    assert events(app) == ["received", "approved", "deleted"]
    assert calls(app)[-1].due_at <= now()
    for number in range(3):
        said = told(app, number)["data"]["comment"]
        assert (said["text"], said["html"], said["author"]["name"]) == ("", "", "")
        assert said["status"] == "deleted"


def test_of_what_a_moderator_deletes_there_is_no_text_either(app, mo):
    add(app)
    post(app, website="https://rita.example/")
    decide(app, mo, Status.DELETED)
    said = told(app)
    assert said["type"] == "comment.deleted"
    assert said["data"]["comment"]["author"] == {"name": "", "website": ""}
    assert (said["data"]["comment"]["text"], said["data"]["comment"]["html"]) == ("", "")


def test_a_report_is_told_once(app, mo):
    add(app, [HookEvent.REPORTED])
    post(app)
    decide(app, mo, Status.APPROVED)
    url = f"/embed/{SITE}/comments/{stored(app)[0].public_id}/report"
    for _ in range(2):
        words = "He writes from bad@evil.example."
        sent = {"token": token(app), "reason": "offensive", "explanation": words}
        app.test_client().post(url, data=sent)
    (letter,) = calls(app)
    assert letter.due_at <= now()
    assert told(app)["data"]["report"] == {"reason": "offensive", "open": 1}
    assert "evil" not in str(told(app))


@pytest.mark.parametrize("has_hooks", [False, True])
def test_a_batch_of_a_thousand_asks_no_more_than_one_does(app, mo, has_hooks):
    if has_hooks:
        add(app)
        add(app, [HookEvent.SPAM])
    post(app)
    with app.app_context(), database.writing() as session:
        first = session.scalars(select(Comment)).one()
        columns = ("site_id", "article_id", "name", "text", "html", "renderer", "status")
        kept = {name: getattr(first, name) for name in columns}
        session.add_all(Comment(**kept) for _ in range(999))
    asked = []
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        seen = dict(session.execute(select(Comment.public_id, Comment.version)).all())
        job = bulk.start_picked(session, moderator, Status.SPAM, seen)
        ids = dict(session.execute(select(Comment.id, Comment.version)).all())
        engine = session.get_bind()

        def listen(connection, cursor, statement, parameters, context, many):
            asked.append(statement)

        event.listen(engine, "before_cursor_execute", listen)
        try:
            decided = moderation.decide_many(session, ids, Status.SPAM, moderator, job.id)
        finally:
            event.remove(engine, "before_cursor_execute", listen)
    assert decided == 1000
    of_hooks = [one for one in asked if "FROM hooks" in one]
    assert len(of_hooks) == 1
    written = [one for one in asked if "INSERT INTO letters" in one]
    assert len(calls(app)) == (2001 if has_hooks else 0)
    assert len(asked) - len(written) < 40
    assert (len(written) > 0) == has_hooks


# --- What a call tells --------------------------------------------------------------------------


def test_a_call_is_signed_json_that_tells_of_the_comment(app, mo):
    _, secret = add(app)
    post(app)
    reason = "Say it more kindly."
    decide(app, mo, Status.REJECTED, public_note=reason, note="Awful.")
    letter = calls(app)[-1]
    call = compose(app, letter.id)
    said = json.loads(call.body)
    comment = stored(app)[0]
    assert said["type"] == "comment.rejected"
    assert said["data"] == {
        "site": {"key": "daily", "name": "The Daily"},
        "article": {"url": ARTICLE, "id": None, "title": "", "is_title_proved": False},
        "comment": {
            "id": comment.public_id,
            "version": 2,
            "parent": None,
            "author": {"name": "Rita", "website": ""},
            "text": "Hear, hear.",
            "html": "<p>Hear, hear.</p>",
            "language": "",
            "status": "rejected",
            "created_at": said["data"]["comment"]["created_at"],
            "edited_at": None,
            "url": f"https://comments.example/comments/{comment.public_id}",
            "desk_url": f"https://comments.example/desk/comments/{comment.public_id}",
        },
        "public_reason": reason,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["timestamp"])
    verify(call, secret)
    number = re.fullmatch("msg_([0-9a-f]{24})", call.headers["webhook-id"])[1]
    assert number in letter.message_id
    for hidden in ("Awful", "mo@", "Mo", "rita.reader", "127.0.0", "receipts"):
        assert hidden not in call.body.decode()


def verify(call, *secrets):
    """By code of its own: each of these secrets, and no other, has signed."""
    head = call.headers
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + call.body
    expected = [
        hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
        for secret in secrets
    ]
    sent = [base64.b64decode(one.partition("v1,")[2]) for one in head["webhook-signature"].split()]
    assert sent == expected
    assert abs(int(head["webhook-timestamp"]) - time.time()) < 60


def test_addresses_that_somebody_wrote_are_masked(app, mo):
    add(app)
    typed = "Write to <rita@private.example> or [me](https://x.example/?m=rita%40private.example)."
    post(app, typed, website="https://x.example/?m=rita%40private.example")
    body = compose(app, calls(app)[0].id).body.decode()
    assert "private" not in body
    said = json.loads(body)["data"]["comment"]
    assert text.addresses(said["html"]) == []
    assert said["author"]["website"] == ""
    assert said["text"].startswith("Write to <r…@…>")


def test_a_reply_names_its_parent_and_a_title_says_what_it_is(app, mo):
    post(app, title="A review")
    decide(app, mo, Status.APPROVED)
    parent = stored(app)[0].public_id
    add(app)
    post(app, "I agree.", parent=parent)
    said = told(app)["data"]
    assert said["comment"]["parent"] == parent
    assert said["article"]["title"] == "A review"
    assert said["article"]["is_title_proved"] is True


def test_a_secret_is_rotated_without_a_gap(app, mo):
    hook_id, old = add(app)
    post(app)
    with app.app_context(), database.writing() as session:
        hook = session.get_one(Hook, hook_id)
        new = webhooks.rotate(session, app.extensions["vault"], hook, "test")
    assert new != old
    letter_id = calls(app)[0].id
    verify(compose(app, letter_id), new, old)
    with app.app_context(), database.writing() as session:
        hook = session.get_one(Hook, hook_id)
        assert timedelta(hours=23) < hook.former_until - now() <= timedelta(hours=24)
        hook.former_until = now()
    verify(compose(app, letter_id), new)


def test_nothing_of_an_address_or_a_secret_is_readable_in_the_database(app):
    hook_id, secret = add(app)
    with app.app_context():
        hook = database.session().get_one(Hook, hook_id)
        kept = repr({c.key: getattr(hook, c.key) for c in Hook.__table__.columns})
        assert webhooks.host(app.extensions["vault"], hook) == "own.example"
        assert sealed.url_of(app.extensions["vault"], hook) == URL
    for hidden in ("own.example", "k3y", secret):
        assert hidden not in kept
    assert not any("own.example" in e.about or "whsec" in e.about for e in on_record(app))
    assert [e.about for e in on_record(app)] == ["Mine: added"]


def test_what_is_sealed_for_one_hook_opens_for_no_other(app):
    one, _ = add(app)
    two, _ = add(app, url="https://other.example/")
    with app.app_context(), database.writing() as session:
        a, b = session.get_one(Hook, one), session.get_one(Hook, two)
        b.sealed_url, b.sealed_secret = a.sealed_url, a.sealed_secret
        vault = app.extensions["vault"]
        assert (sealed.url_of(vault, b), sealed.secrets_of(vault, b, now())) == ("", [])


def test_a_removed_one_is_called_no_more_and_nothing_secret_of_it_is_left(app):
    hook_id, _ = add(app)
    post(app)
    with app.app_context(), database.writing() as session:
        webhooks.remove(session, session.get_one(Hook, hook_id), "test")
    (letter,) = calls(app)
    assert (letter.state, letter.why) == (LetterState.DROPPED, Why.OFF)
    with app.app_context():
        hook = database.session().get_one(Hook, hook_id)
        assert (hook.sealed_url, hook.sealed_secret, hook.sealed_former) == ("", "", "")
        assert webhooks.find(database.session(), hook_id) is None
    assert compose(app, letter.id) == Why.OFF


def test_a_site_has_so_many_and_no_more(app, monkeypatch):
    monkeypatch.setattr(keeping, "MOST", 2)
    add(app)
    hook_id, _ = add(app)
    with pytest.raises(webhooks.TooMany):
        add(app)
    with app.app_context(), database.writing() as session:
        webhooks.remove(session, session.get_one(Hook, hook_id), "test")
    add(app)


def test_a_call_is_made_again_only_where_that_is_right(app, mo):
    hook_id, _ = add(app)
    post(app)
    decide(app, mo, Status.APPROVED)

    def again(which, **columns):
        with app.app_context(), database.writing() as session:
            letter = session.get_one(Letter, calls(app)[which].id)
            for name, value in columns.items():
                setattr(letter, name, value)
            webhooks.replay(session, session.get_one(Hook, hook_id), letter, "test")

    with pytest.raises(webhooks.NotReplayable):
        again(-1)  # it waits for the undo window
    with pytest.raises(webhooks.NotReplayable):
        again(-1, state=LetterState.DROPPED, why=Why.UNDONE)
    before = calls(app)[0].message_id
    again(0, state=LetterState.SENT, sent_at=now(), attempts=3, due_at=now() - timedelta(days=9))
    letter = calls(app)[0]
    assert (letter.state, letter.attempts, letter.message_id) == (LetterState.QUEUED, 0, before)
    assert letter.due_at > now() - timedelta(minutes=1)
    again(0, state=LetterState.FAILED)
    again(0, state=LetterState.DROPPED, why=Why.OFF)
    assert [e.what for e in on_record(app)] == ["hook_changed"] + ["hook_replayed"] * 3
    with app.app_context(), database.writing() as session:
        webhooks.switch(session, session.get_one(Hook, hook_id), "test", False)
    with pytest.raises(webhooks.NotReplayable):
        again(0, state=LetterState.SENT)


# --- Chats --------------------------------------------------------------------------------------

HOSTILE = (
    "<!channel> @all @here <https://evil.example|Click> *b* _i_ `c` [x](https://e.example) &lt;"
)


def chat(shape, event_="received", name=HOSTILE, html="", **more):
    said = {
        "type": f"comment.{event_}",
        "data": {
            "site": {"key": "daily", "name": "The Daily"},
            "article": {"url": ARTICLE, "title": "A review", "is_title_proved": True},
            "comment": {
                "author": {"name": name, "website": ""},
                "html": html or str(text.render(HOSTILE)),
                "status": "pending",
                "desk_url": "https://comments.example/desk/comments/abc",
            },
            **more,
        },
    }
    return json.loads(chats.body(shape, said, "-1001"))


def test_slack_is_told_in_its_own_escapes():
    said = chat(HookShape.SLACK)
    assert said["text"].startswith("New comment: &lt;!channel&gt; @\u200ball @\u200bhere")
    assert re.findall("<[^>]*>", said["text"]) == [
        "<https://comments.example/desk/comments/abc|Open at the desk>"
    ]
    assert "It waits for a moderator." in said["text"]
    assert (said["mrkdwn"], said["link_names"]) == (False, False)


def test_mattermost_reads_no_markdown_but_ours():
    said = chat(HookShape.MATTERMOST)["text"]
    assert "@all" not in said
    assert "<" not in said
    assert r"\*b\*" in said
    assert r"\[x\]\(https" in said
    assert re.findall(r"(?<!\\)\[[^\]]*(?<!\\)\]\(([^)]*)\)", said) == [
        "https://comments.example/desk/comments/abc"
    ]


def test_telegram_reads_no_tag_but_ours():
    said = chat(HookShape.TELEGRAM)
    assert (said["chat_id"], said["parse_mode"]) == ("-1001", "HTML")
    assert re.findall("<[^>]*>", said["text"]) == [
        '<a href="https://comments.example/desk/comments/abc">', "</a>",
    ]  # fmt: skip
    assert "@all" not in said["text"]


@pytest.mark.parametrize("shape", list(chats.SHAPES))
def test_no_name_is_longer_than_its_line(shape):
    name = "\u202eevil\nsecond line\r\n" + "x" * 5_000
    said = chat(shape, name=name, html=f"<p>{'word ' * 3_000}</p>")["text"]
    assert len(said) < 1_000
    assert "\u202e" not in said
    assert said.splitlines()[0].startswith("New comment:")
    assert len(said.splitlines()) == 4


@pytest.mark.parametrize("event_", list(HookEvent))
def test_each_event_has_its_words(event_):
    more = {"report": {"reason": "illegal", "open": 1}, "public_reason": "Off topic."}
    said = chat(HookShape.SLACK, event_, name="", **more)["text"]
    assert said.startswith(f"{chats.HEADS[event_]}: somebody on A review (The Daily)")
    assert ("believed to be illegal" in said) == (event_ == HookEvent.REPORTED)


def test_a_chat_is_told_of_many_in_one_message(app, mo):
    hook_id, _ = add(app, [HookEvent.SPAM], shape=HookShape.SLACK)
    own, _ = add(app, [HookEvent.SPAM])
    for number in range(3):
        post(app, f"Comment number {number}.")
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        seen = dict(session.execute(select(Comment.public_id, Comment.version)).all())
        job = bulk.start_picked(session, moderator, Status.SPAM, seen)
        ids = dict(session.execute(select(Comment.id, Comment.version)).all())
        moderation.decide_many(session, ids, Status.SPAM, moderator, job.id)
    first, *others = [one.id for one in calls(app) if one.hook_id == hook_id]
    said = json.loads(compose(app, first).body)["text"]
    assert said.startswith("Marked as spam: 3 comments (The Daily)")
    assert "https://comments.example/desk/bulk/1|" in said
    assert [compose(app, other) for other in others] == [Why.TOGETHER] * 2
    all_sent(app)
    with app.app_context(), database.writing() as session:  # nor after that one has gone
        session.get_one(Letter, others[0]).sent_at = None
    assert compose(app, others[0]) == Why.TOGETHER
    # A service is told of each.
    theirs = [one.id for one in calls(app) if one.hook_id == own]
    assert len({json.loads(compose(app, one).body)["data"]["comment"]["id"] for one in theirs}) == 3


def test_a_chat_is_not_told_of_what_is_folded_with_others(app, mo):
    add(app, shape=HookShape.SLACK)
    post(app)
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        comment.fold_key, comment.is_folded = "x", True
    assert compose(app, calls(app)[0].id) == Why.TOGETHER


def test_a_title_that_nobody_vouched_for_is_not_repeated(app, mo):
    add(app, shape=HookShape.SLACK)
    post(app, title="Buy now")
    call = compose(app, calls(app)[0].id)
    assert "Buy now" not in call.body.decode()
    assert ARTICLE in call.body.decode()
    assert "webhook-signature" not in call.headers


# --- What an answer means -----------------------------------------------------------------------


def judged(status, body=b"", shape=HookShape.STANDARD, **headers):
    call = webhooks.Call("https://api.telegram.org/bot123:SECRETKEY/sendMessage", b"", {}, shape)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return calling._judged(call, calling.Answer(status, body, given))


@pytest.mark.parametrize(
    ("status", "body", "shape", "reply_"),
    [
        (200, b"", HookShape.STANDARD, "taken"),
        (204, b"", HookShape.STANDARD, "taken"),
        (202, b'{"ok": false}', HookShape.STANDARD, "taken"),
        (301, b"", HookShape.STANDARD, "later"),
        (302, b"", HookShape.STANDARD, "later"),
        (400, b"", HookShape.STANDARD, "later"),
        (404, b"", HookShape.STANDARD, "later"),
        (408, b"", HookShape.STANDARD, "away"),
        (410, b"", HookShape.STANDARD, "gone"),
        (425, b"", HookShape.STANDARD, "away"),
        (429, b"", HookShape.STANDARD, "away"),
        (500, b"", HookShape.STANDARD, "away"),
        (599, b"", HookShape.STANDARD, "away"),
        (200, b"ok", HookShape.SLACK, "taken"),
        (404, b"no_service", HookShape.SLACK, "later"),
        (200, b'{"ok": true, "result": {}}', HookShape.TELEGRAM, "taken"),
        (200, b'{"ok": false, "description": "Bad"}', HookShape.TELEGRAM, "later"),
        (200, b"[" * 9_000, HookShape.TELEGRAM, "taken"),
    ],
)
def test_what_a_status_means(status, body, shape, reply_):
    assert judged(status, body, shape).reply.value == reply_


def test_a_chat_s_own_words_are_kept_unless_they_quote_the_address():
    said = json.dumps({"ok": False, "description": "Bad Request: chat not found"}).encode()
    assert judged(400, said, HookShape.TELEGRAM).words == (
        "400 Bad Request: Bad Request: chat not found"
    )
    for quoted in (b"unknown SECRETKEY", b"<script>", b"x" * 500, b"jane@example.org"):
        body = json.dumps({"description": quoted.decode()}).encode()
        assert judged(404, body, HookShape.TELEGRAM).words == "404 Not Found"
    assert judged(404, b"no_service", HookShape.SLACK).words == "404 Not Found: no_service"
    assert judged(500, b"secret", HookShape.STANDARD).words == "500 Internal Server Error"


def test_it_waits_as_long_as_it_is_asked_to_within_bounds():
    assert judged(429, retry_after="90").at_least == timedelta(seconds=90)
    assert judged(503, retry_after="999999999").at_least == timedelta(hours=6)
    for none in ("-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9", "٣"):
        assert judged(503, retry_after=none).at_least == timedelta()
    body = b'{"ok": false, "parameters": {"retry_after": 30}}'
    assert judged(429, body, HookShape.TELEGRAM).at_least == timedelta(seconds=30)


def test_the_signature_of_the_standard_s_own_example():
    """From the specification's reference libraries (libraries/python, tests)."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signatures.sign(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_receiver_of_the_documentation_reads_our_calls(app, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "webhooks.md").read_text()
    source = page.split("```python\n")[1].split("```")[0]
    _, secret = add(app)
    monkeypatch.setenv("HOOK_SECRET", secret)
    made: dict = {"__name__": "receiver"}
    exec(source, made)  # our own page
    post(app)
    call = compose(app, calls(app)[0].id)
    receiver = made["app"].test_client()
    assert receiver.post("/rejoinder", data=call.body, headers=call.headers).status_code == 204
    assert (
        receiver.post("/rejoinder", data=call.body + b" ", headers=call.headers).status_code == 403
    )
