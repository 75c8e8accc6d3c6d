"""`flask privacy`: all that is stored under an address is told, and erased; nothing else is."""

import json
from pathlib import Path

import pytest
from cast import ORIGIN, SITE, add_moderator, add_site, on_record, reply, stored
from letterbox import RITA as HER_ADDRESS
from letterbox import acquaint, all_letters, write
from mailserver import mail_server
from sqlalchemy import MetaData, select

from service import accounts, database, holdings, letters, moderation
from service.cli import mail as command
from service.mail import outbox
from service.models import (
    Asking,
    Author,
    Ban,
    Comment,
    Decision,
    Follow,
    Report,
    Revision,
    Unwanted,
    now,
)
from service.status import (
    Act,
    BanKind,
    FollowPace,
    LetterKind,
    LetterState,
    ReportReason,
    Status,
)

RITA = "Rita.Hidden+7@Example.org"
BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def flask(app):
    def run(*words, **more):
        return app.test_cli_runner().invoke(args=["privacy", *words], **more)

    return run


@pytest.fixture
def everything(app, client):
    """Of Rita's: a proved comment that was edited, one that is only typed, one on another site, what
    she follows, a report, letters, that she was asked. And Nina's, who answered. Gives Rita's
    address as it is stored."""
    add_site(app)
    add_site(app, "weekly", "https://weekly.example")
    article = {"url": "https://weekly.example/x"}
    for fields in ({"comment": "Proved."}, {"comment": f"Typed. Write to {RITA}"}):
        assert reply(app, client, email=RITA, **fields).status_code == 303
    assert reply(app, client, "weekly", email=RITA, **article, comment="There.").status_code == 303
    assert reply(app, client, email="nina@example.org", comment="Nina's.").status_code == 303
    with app.app_context(), database.writing() as session:
        proved, typed, _there, ninas = session.scalars(select(Comment).order_by(Comment.id))
        proved.is_proved = True
        ninas.parent_id = ninas.root_id = proved.id
        session.add(Revision(comment_id=proved.id, text="Before.", html="<p>Before.</p>"))
        who = {"author_id": proved.author_id, "pace": FollowPace.AT_ONCE}
        session.add(Follow(**who, comment_id=proved.id, confirmed_at=now()))
        session.add(Follow(**who, article_id=typed.article_id))
        rude = {"reason": ReportReason.SPAM, "explanation": "Rude.", "network_digest": b"a network"}
        session.add(Report(comment_id=ninas.id, contact_id=proved.author_id, **rude))
        index = app.extensions["vault"].index(RITA)
        session.add(Asking(site_id=1, email_index=index, network="192.0.2.0/24"))
        session.add(Asking(site_id=2, email_index=index))
        for author in session.scalars(select(Author).where(Author.email_index == index)):
            key, more = f"to {author.id}", {"author_id": author.id}
            letters.write(session, LetterKind.ANSWERED, key, author.site_id, **more)
    return hidden(app)


def rows(app):
    """Every value of every table, by the table's name."""
    opened = app.extensions["database"].read_engine
    tables = MetaData()
    tables.reflect(opened)
    with opened.connect() as connection:
        return {
            name: repr([tuple(row) for row in connection.execute(table.select())])
            for name, table in tables.tables.items()
        }


def hidden(app):
    """Rita's address as it is stored: its index, and its ciphertext on each site."""
    index = app.extensions["vault"].index(RITA)
    with app.app_context():
        sealed = select(Author.email_ciphertext).where(Author.email_index == index)
        return [index, *database.session().scalars(sealed)]


def traces(app, known):
    """The tables in which the address is found: as it was typed, or as it is stored."""
    sought = [RITA, RITA.lower(), *(repr(secret)[2:-1] for secret in known)]
    return {name for name, said in rows(app).items() if any(one in said for one in sought)}


def comments(app):
    return {comment.id: comment for comment in stored(app)}


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


# Taking along


@BOTH
def test_all_that_is_stored_is_told_on_every_site(app, flask, everything):
    result = flask("export", f" {RITA.lower()} ")
    assert result.exit_code == 0, result.output
    told = lines(result)
    by_what = {}
    for line in told:
        by_what.setdefault(line["what"], []).append(line)
    assert {what: len(found) for what, found in by_what.items()} == {
        "address": 2, "comment": 3, "follow": 2, "report": 1, "letter": 2, "asking": 2,
    }  # fmt: skip
    assert {line["email"] for line in by_what["address"]} == {RITA}
    proved = by_what["comment"][0]
    assert (proved["site"], proved["text"], proved["is_proved"]) == (SITE, "Proved.", True)
    assert proved["article"] == f"{ORIGIN}/2026/review"
    assert [text["text"] for text in proved["earlier_texts"]] == ["Before."]
    assert by_what["report"][0]["explanation"] == "Rude."
    assert by_what["follow"][0]["comment"] == proved["id"]
    assert by_what["letter"][0]["kind"] == "answered"
    assert "Nina" not in result.output


def test_what_became_of_a_comment_is_told_and_not_by_whom(app, flask, everything):
    mo = add_moderator(app)
    with app.app_context(), database.writing() as session:
        comment, moderator = session.get_one(Comment, 1), session.get_one(accounts.Moderator, mo)
        moderator.name = "Mo Secret"
        moderation.decide(
            session, comment, Status.REJECTED, comment.version, moderator, "among us", "Be kind."
        )
    result = flask("export", RITA)
    (decided,) = lines(result)[1]["decisions"]
    assert (decided["to"], decided["told"]) == ("rejected", "Be kind.")
    assert "Mo Secret" not in result.output
    assert "among us" not in result.output


def test_of_an_address_that_nobody_gave_there_is_nothing(app, flask, everything):
    for verb in ("export", "erase"):
        result = flask(verb, "nobody@example.org")
        assert result.exit_code == 0
        assert "Nothing is stored under this address." in result.output
        assert flask(verb, "nobody").exit_code == 2
    assert flask("erase", RITA, "--site", "none").exit_code == 2


def test_an_account_at_the_desk_is_another_matter(app, flask, everything):
    add_moderator(app, "nina@example.org")
    for words in (["export"], ["erase", "--yes"]):
        assert "An account at the desk" in flask(*words, "nina@example.org").stderr


# Erasing


@BOTH
def test_nothing_of_it_is_left_but_that_the_address_wants_no_mail(app, flask, everything):
    vault = app.extensions["vault"]
    with app.app_context(), database.writing() as session:
        index = vault.index(RITA)
        session.add(Unwanted(email_index=index))
        session.add(Ban(kind=BanKind.ADDRESS, digest=index, value="R…@E…", by="Mo"))
    assert {"authors", "askings", "comments", "unwanted", "bans"} <= traces(app, everything)
    result = flask("erase", RITA, "--yes")
    assert result.exit_code == 0, result.output
    assert "daily: comments: 2 (1 proved, 1 only typed); follows: 2; reports: 1; letters: 1" in (
        result.output
    )
    assert "weekly: comments: 1" in result.output
    assert "never written to" in result.output
    assert "A ban of it stays" in result.output
    assert traces(app, everything) == {"unwanted", "bans"}
    assert all("Hidden" not in said for said in rows(app).values())
    gone = [one for one in stored(app) if one.status == Status.DELETED]
    assert [(one.text, one.html, one.name, one.author_id) for one in gone] == [
        ("", "", "", None)
    ] * 3
    with app.app_context():
        session = database.session()
        assert session.scalars(select(Follow)).all() == []
        assert session.scalar(select(Report.contact_id)) is None
        assert session.scalar(select(Report.explanation)) == "Rude."
        assert session.scalars(select(Revision.text)).all() == [""]
        made = session.scalars(select(Decision).order_by(Decision.id)).all()
        assert {(one.act, one.by) for one in made} == {(Act.WITHDRAWN, "command line")}
    assert [letter for letter in all_letters(app) if letter.author_id] == []
    assert [(one.what, one.about) for one in on_record(app)] == [
        ("erased", "2 comments, 1 of them proved"),
        ("erased", "1 comments, 0 of them proved"),
    ]


def test_others_keep_what_is_theirs(app, flask, everything):
    assert flask("erase", RITA, "--yes").exit_code == 0
    ninas = comments(app)[4]
    assert (ninas.text, ninas.parent_id) == ("Nina's.", 1)
    assert len(lines(flask("export", "nina@example.org"))) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_itself_holds_it_no_more(app, flask, everything, database_url):
    path = Path(database_url.removeprefix("sqlite:///"))
    sought = [*everything, b"Proved.", RITA.encode()]

    def found():
        kept = [path, path.with_name(f"{path.name}-wal")]
        whole = b"".join(one.read_bytes() for one in kept if one.exists())
        return [one for one in sought if one in whole]

    assert len(found()) == len(sought)
    assert flask("erase", RITA, "--yes").exit_code == 0
    assert found() == []


def test_it_asks_first_and_says_what_is_merely_typed(app, flask, everything):
    result = flask("erase", RITA, input="n\n")
    assert result.exit_code == 1
    assert "(1 proved, 1 only typed)" in result.output
    assert "may be somebody else's" in result.output
    assert result.output.count("@") == 0
    assert stored(app)[0].text == "Proved."
    assert len(all_letters(app)) == 2
    assert flask("erase", RITA, input="y\n").exit_code == 0
    assert stored(app)[0].text == ""


@BOTH
def test_what_is_only_typed_may_stay_without_the_address(app, flask, everything):
    assert flask("erase", RITA, "--proved-only", "--yes").exit_code == 0
    kept = comments(app)
    assert [kept[id].text[:6] for id in (1, 2, 3)] == ["", "Typed.", "There."]
    assert [kept[id].author_id for id in (1, 2, 3)] == [None] * 3
    assert {"comments"} <= traces(app, everything) <= {"comments", "search", "search_content"}
    with app.app_context():
        assert database.session().scalars(select(Author.id)).all() == [kept[4].author_id]


def test_one_site_alone_can_be_meant(app, flask, everything):
    assert flask("erase", RITA, "--site", "weekly", "--yes").exit_code == 0
    assert [one.text for one in stored(app)][:3] == ["Proved.", f"Typed. Write to {RITA}", ""]
    told = lines(flask("export", RITA))
    assert {line["site"] for line in told} == {SITE}


def test_an_imported_comment_goes_too_and_is_not_imported_anew(app, flask, everything):
    with app.app_context(), database.writing() as session:
        imported = session.get_one(Comment, 2)
        imported.source, imported.source_id = "wordpress", "17"
    assert flask("erase", RITA, "--yes").exit_code == 0
    gone = comments(app)[2]
    assert (gone.text, gone.source_id) == ("", "17")


def test_after_it_was_stopped_it_goes_on(app, flask, everything, monkeypatch):
    """Whatever was being done is undone whole, and what was done stays done."""
    withdraw = moderation.withdraw
    left = [1]

    def stopping(*given):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        withdraw(*given)

    monkeypatch.setattr(moderation, "withdraw", stopping)
    assert flask("erase", RITA, "--yes").exit_code != 0
    assert [bool(one.text) for one in stored(app)] == [False, True, True, True]
    assert all_letters(app)[0].state == LetterState.DROPPED
    monkeypatch.setattr(moderation, "withdraw", withdraw)
    assert flask("erase", RITA, "--yes").exit_code == 0
    assert traces(app, everything) == set()


def test_what_comes_in_while_it_goes_on_goes_too(app, flask, everything, monkeypatch):
    forget, late = holdings.forget, [1]

    def overtaken(session, author_id):
        if late and session.get(Author, author_id) is None:
            late.clear()
            index = app.extensions["vault"].hide(RITA, 1)
            author = Author(
                id=author_id, site_id=1, email_index=index.index,
                email_ciphertext=index.ciphertext, email_key_id=index.key_id,
            )  # fmt: skip
            session.add(author)
            session.flush()
            session.get_one(Comment, 4).author_id = author_id
            session.flush()
        return forget(session, author_id)

    monkeypatch.setattr(holdings, "forget", overtaken)
    assert flask("erase", RITA, "--site", SITE, "--yes").exit_code == 0
    assert comments(app)[4].text == ""


def wipe(app, session):
    """Erases all that is Rita's."""
    for one in holdings.of(session, app.extensions["vault"].index(HER_ADDRESS)):
        holdings.end_letters(session, one.author_id)
        while holdings.withdraw_next(session, one.author_id, is_proved_only=False):
            pass
        assert holdings.forget(session, one.author_id)


@pytest.mark.parametrize("moment", ["claimed", "begun"])
def test_a_letter_in_hand_is_not_sent_any_more(make_app, monkeypatch, moment):
    claim, made = outbox.claim, command._made

    def claimed(session, me, at):
        ids = claim(session, me, at)
        wipe(app, session)
        return ids

    def begun(_, post, letter_id):
        with database.writing() as session:
            wipe(app, session)
        return made(database.session(), post, letter_id)

    with mail_server() as mailbox:
        app = make_app(
            MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}",
            MAIL_FROM="comments@service.example",
            BASE_URL="https://comments.example",
        )
        acquaint(app, monkeypatch)
        write(app, 2)
        if moment == "claimed":
            monkeypatch.setattr(outbox, "claim", claimed)
        else:
            monkeypatch.setattr(command, "_made", begun)
        with app.app_context():
            command.send_letters()
        assert (mailbox.mails, list(all_letters(app))) == ([], [])
