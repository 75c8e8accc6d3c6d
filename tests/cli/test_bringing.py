"""The worker at imports of the desk: it rehearses, runs, stops, goes on and takes back."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from cast import ARTICLE, SITE, add_site, reply, stored
from conftest import SETTINGS
from sqlalchemy import func, select, update
from workers import share_work

from service import database
from service.cli import bringing, importing, worker
from service.exchange import undoing
from service.models import Article, Comment, Decision, Event, Import, Lesson, Letter, Site, now
from service.status import ImportState, ImportWish, Status

HEAD = """<?xml version="1.0"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<wp:base_blog_url>http://old.example</wp:base_blog_url>"""
COMMENT = (
    "<wp:comment><wp:comment_id>{id}</wp:comment_id><wp:comment_author>Rita</wp:comment_author>"
    "<wp:comment_date_gmt>{date}</wp:comment_date_gmt>"
    "<wp:comment_content><![CDATA[{text}]]></wp:comment_content>"
    "<wp:comment_approved>{state}</wp:comment_approved></wp:comment>"
)


@pytest.fixture(autouse=True)
def at_work(monkeypatch):
    monkeypatch.setattr(bringing, "_at_work", {})
    monkeypatch.setattr(bringing, "BEAT", 0.02)


@pytest.fixture
def daily(app):
    return add_site(app)


def wxr(*comments, link="http://old.example/harbour"):
    made = [{"date": "2020-01-02 03:04:05", "text": "Hear.", "state": "1"} | c for c in comments]
    body = "".join(COMMENT.format(**fields) for fields in made)
    return f"{HEAD}<item><title>Harbour</title><link>{link}</link>{body}</item></channel></rss>"


@pytest.fixture
def upload(app, daily):
    """Puts a file where the desk's page does, with its row; gives the row's number."""

    def put(text, wish=ImportWish.REHEARSE, rules=(), format="wordpress"):
        folder = bringing.Path(app.config["INSTANCE"], "imports")
        folder.mkdir(exist_ok=True)
        with app.app_context(), database.writing() as session:
            count = session.scalar(select(func.count()).select_from(Import))
            name = f"{count:032x}"
            (folder / name).write_text(text)
            site_id = session.scalar(select(Site.id).where(Site.key == SITE))
            row = Import(
                site_id=site_id, format=format, file_name="export.xml", file_digest=name,
                state=ImportState.UPLOADED, wish=wish, by="Pia", stored_as=name, rules=list(rules),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id

    return put


def work(app):
    with app.app_context():
        while bringing.bring_comments():
            database.forget()  # as the worker does between its tasks


def ask(app, number, **values):
    with app.app_context(), database.writing() as session:
        session.execute(update(Import).where(Import.id == number).values(**values))


def row(app, number):
    with app.app_context():
        found = database.session().get_one(Import, number)
        database.session().expunge_all()
        return found


def test_what_was_asked_for_on_a_deleted_site_waits_until_it_is_restored(app, upload):
    number = upload(wxr({"id": 1}), wish=ImportWish.RUN)
    for deleted_at, state in ((now(), ImportState.UPLOADED), (None, ImportState.DONE)):
        with app.app_context(), database.writing() as session:
            session.execute(update(Site).values(deleted_at=deleted_at))
        work(app)
        assert row(app, number).state == state


def test_a_rehearsal_says_what_would_come_and_writes_nothing(app, upload):
    comments = (
        {"id": 1},
        {"id": 2, "state": "0", "text": "<b>Hear</b> <script>x()</script>"},
        {"id": 3, "state": "spam", "date": "1989-01-01 00:00:00"},
    )
    rule = "http://old.example/*=https://daily.example/blog/*"
    number = upload(wxr(*comments), rules=[rule, "http://never.example=https://daily.example"])
    work(app)
    found = row(app, number)
    assert (found.state, found.wish, found.total) == (ImportState.REHEARSED, None, 3)
    report = found.report
    assert report["new"] == {"approved": 1, "pending": 1, "spam": 1}
    assert report["pages"] == [
        {
            "url": "https://daily.example/blog/harbour",
            "was": "http://old.example/harbour",
            "comments": 3,
            "is_new": True,
            "is_ours": True,
        }
    ]
    assert (report["new_articles"], report["foreign"]) == (1, 0)
    assert report["first"].startswith("1989-01-01")
    assert report["unused"] == ["http://never.example=https://daily.example"]
    assert {"words": "date before 1995: kept", "count": 1, "samples": ["3"]} in report["troubles"]
    assert report["changed"] == [
        {"id": "2", "before": "<b>Hear</b> <script>x()</script>", "after": "Hear"}
    ]
    assert stored(app) == []


def test_it_imports_and_tells_nobody(app, upload):
    number = upload(wxr({"id": 1}, {"id": 2, "state": "0"}), wish=ImportWish.RUN)
    work(app)
    found = row(app, number)
    assert (found.state, found.progress, found.total) == (ImportState.DONE, 2, 2)
    assert [c.status for c in stored(app)] == [Status.APPROVED, Status.PENDING]
    with app.app_context():
        while worker.run():  # not even a task that comes later
            pass
        for told in (Letter, Lesson, Decision, Event):
            assert database.session().scalars(select(told)).all() == []


def test_the_same_file_twice_doubles_nothing(app, upload):
    text = wxr({"id": 1}, {"id": 2})
    upload(text, wish=ImportWish.RUN)
    again = upload(text, wish=ImportWish.RUN)
    work(app)
    assert row(app, again).report["known"] == {"approved": 2}
    assert len(stored(app)) == 2


def test_what_cannot_be_read_says_why_in_one_line(app, upload):
    number = upload(wxr({"id": 1}).removesuffix("</channel></rss>"))
    work(app)
    found = row(app, number)
    assert found.state == ImportState.FAILED
    assert "it ends too early" in found.why
    assert "\n" not in found.why


def test_a_file_without_a_comment_is_no_success(app, upload):
    number = upload(wxr(), wish=ImportWish.RUN)
    work(app)
    assert row(app, number).state == ImportState.FAILED
    assert "no comment in it" in row(app, number).why


def test_it_stops_when_asked_and_goes_on(app, upload, monkeypatch):
    monkeypatch.setattr("service.exchange.store.BATCH", 10)
    monkeypatch.setattr(bringing, "BEAT", 0.0)
    number = upload(wxr(*({"id": n} for n in range(1, 100))), wish=ImportWish.RUN)
    beat = bringing._Work.beat

    def stop_at_once(work, done):
        if work.run.tally.imported.total() >= 30:
            ask(app, number, wish=ImportWish.STOP)
        beat(work, done)

    monkeypatch.setattr(bringing._Work, "beat", stop_at_once)
    work(app)
    assert row(app, number).state == ImportState.STOPPED
    assert 30 <= len(stored(app)) < 99
    monkeypatch.setattr(bringing._Work, "beat", beat)
    ask(app, number, wish=ImportWish.RUN)
    work(app)
    assert row(app, number).state == ImportState.DONE
    assert len(stored(app)) == 99
    report = row(app, number).report  # of all that it brought, not of the last part alone
    assert (report["is_run"], report["new"], report["known"]) == (True, {"approved": 99}, {})
    with app.app_context():
        assert database.session().scalars(select(Article.approved_count)).all() == [99]


def test_it_takes_all_back_but_readers_replies(app, upload):
    number = upload(wxr({"id": 1}, {"id": 2}, link=ARTICLE), wish=ImportWish.RUN)
    work(app)
    reply(app, app.test_client(), parent=stored(app)[0].public_id)
    ask(app, number, wish=ImportWish.UNDO)
    work(app)
    assert row(app, number).state == ImportState.UNDONE
    assert [(c.name, c.status) for c in stored(app)] == [
        ("", Status.DELETED),
        ("Rita", Status.PENDING),
    ]


def test_what_a_killed_worker_left_is_taken_up_once_it_is_silent(app, upload):
    number = upload(wxr({"id": 1}), wish=None)
    ask(app, number, state=ImportState.RUNNING, beat_at=now())
    work(app)
    assert stored(app) == []
    ask(app, number, beat_at=now() - timedelta(minutes=1))
    work(app)
    assert (row(app, number).state, len(stored(app))) == (ImportState.DONE, 1)


def test_a_dead_one_that_is_to_stop_stops(app, upload):
    number = upload(wxr({"id": 1}), wish=None)
    silent = now() - timedelta(minutes=1)
    ask(app, number, state=ImportState.RUNNING, wish=ImportWish.STOP, beat_at=silent)
    work(app)
    assert (row(app, number).state, row(app, number).wish) == (ImportState.STOPPED, None)


def test_a_site_where_the_operator_imports_is_left_alone(app, upload, daily):
    number = upload(wxr({"id": 1}), wish=ImportWish.RUN)
    with app.app_context():
        held = importing.hold(daily)
        assert bringing.bring_comments() is False
        held.close()
    assert row(app, number).wish == ImportWish.RUN


def by_hand(app, tmp_path, text):
    """The same file, imported by the operator. Gives what the command said."""
    path = tmp_path / "export.xml"
    path.write_text(text)
    given = ["import", "wordpress", str(path), "--site", SITE]
    told = app.test_cli_runner().invoke(args=given)
    return told.exit_code, told.stderr


def digest_of(app, number, text):
    ask(app, number, file_digest=hashlib.sha256(text.encode()).hexdigest())


def test_what_is_asked_for_at_the_desk_the_operator_does_not_do_beside_it(app, upload, tmp_path):
    text = wxr({"id": 1})
    number = upload(text, wish=ImportWish.RUN)
    digest_of(app, number, text)
    code, told = by_hand(app, tmp_path, text)
    assert code == 1
    assert f"being brought along at the desk, as import {number}." in told
    assert stored(app) == []
    assert (row(app, number).state, row(app, number).wish) == (
        ImportState.UPLOADED, ImportWish.RUN,
    )  # fmt: skip


def test_what_was_only_rehearsed_there_finds_all_here_afterwards(app, upload, tmp_path):
    text = wxr({"id": 1})
    number = upload(text)
    digest_of(app, number, text)
    work(app)
    assert by_hand(app, tmp_path, text)[0] == 0
    assert row(app, number).state == ImportState.REHEARSED
    ask(app, number, wish=ImportWish.RUN)
    work(app)
    assert (row(app, number).state, row(app, number).report["new"]) == (ImportState.DONE, {})
    assert [c.import_id for c in stored(app)] == [number + 1]


def test_what_stopped_there_the_operator_goes_on_with(app, upload, tmp_path):
    text = wxr({"id": 1})
    number = upload(text, wish=None)
    digest_of(app, number, text)
    ask(app, number, state=ImportState.STOPPED, by="Pia")
    assert by_hand(app, tmp_path, text)[0] == 0
    found = row(app, number)
    assert (found.state, found.by) == (ImportState.DONE, "Pia")
    assert [c.import_id for c in stored(app)] == [number]


def test_the_operator_s_import_gives_signs_of_life_and_stops_when_the_desk_asks(
    app, upload, tmp_path, monkeypatch
):
    monkeypatch.setattr("service.exchange.store.BATCH", 10)
    monkeypatch.setattr(importing, "BEAT", -1.0)
    beat = importing.beat

    def stop_at_30(number, done):
        assert row(app, number).beat_at
        if done >= 30:
            ask(app, number, wish=ImportWish.STOP)
        return beat(number, done)

    monkeypatch.setattr(importing, "beat", stop_at_30)
    text = wxr(*({"id": n} for n in range(1, 100)))
    code, told = by_hand(app, tmp_path, text)
    assert code == 1
    assert "stopped (somebody asked for it at the desk) with 30 of 99 comments" in told
    assert (row(app, 1).state, row(app, 1).wish, row(app, 1).progress) == (
        ImportState.STOPPED, None, 30,
    )  # fmt: skip
    monkeypatch.setattr(importing, "beat", beat)
    assert by_hand(app, tmp_path, text)[0] == 0
    assert len(stored(app)) == 99


@pytest.mark.parametrize(
    ("fault", "said"),
    [(OSError("no room is left"), "no room is left"), (RuntimeError("secret"), "not foreseen")],
)
@pytest.mark.parametrize(
    ("wish", "state"),
    [(ImportWish.REHEARSE, ImportState.UPLOADED), (ImportWish.RUN, ImportState.STOPPED)],
)
def test_what_is_not_the_file_s_fault_can_be_tried_again(
    app, upload, monkeypatch, fault, said, wish, state
):
    number = upload(wxr({"id": 1}), wish=wish)
    with monkeypatch.context() as patched:

        def fail(*_):
            raise fault

        patched.setattr(bringing, "gather", fail)
        work(app)
    found = row(app, number)
    assert (found.state, found.wish) == (state, None)
    assert said in found.why
    ask(app, number, wish=wish)
    work(app)
    assert row(app, number).state in (ImportState.REHEARSED, ImportState.DONE)
    assert row(app, number).why == ""


def test_other_addresses_for_the_same_file_are_refused(app, upload):
    text = wxr({"id": 1})
    upload(text, wish=ImportWish.RUN)
    work(app)
    rule = "http://old.example=https://daily.example"
    again = upload(text, wish=ImportWish.RUN, rules=[rule])
    ask(app, again, file_digest=f"{0:032x}")
    work(app)
    assert "to other addresses" in row(app, again).why
    assert len(stored(app)) == 1


def test_old_files_go_and_new_ones_stay(app, upload, monkeypatch):
    numbers = [upload(wxr({"id": 1})) for _ in range(2)]
    for number, age in zip(numbers, (8, 1), strict=True):
        ask(app, number, wish=None, state=ImportState.DONE, beat_at=now() - timedelta(days=age))
    monkeypatch.setattr(bringing, "_looked", {"files": float("-inf")})
    with app.app_context():
        bringing.old_files()
    assert [bool(row(app, number).stored_as) for number in numbers] == [False, True]
    folder = bringing.Path(app.config["INSTANCE"], "imports")
    assert len(list(folder.iterdir())) == 1


def test_its_json_is_plain(app, upload):
    number = upload(wxr({"id": 1}))
    work(app)
    assert json.loads(json.dumps(row(app, number).report)) == row(app, number).report
    with app.app_context():
        assert database.session().scalar(select(func.count()).select_from(Comment)) == 0


def test_what_a_rehearsal_quotes_goes_with_the_run_and_with_the_file(app, upload, monkeypatch):
    text = wxr({"id": 1, "text": "<iframe>x</iframe>Hear"})
    run, idle = upload(text), upload(text)
    work(app)
    assert all(row(app, number).report["changed"] for number in (run, idle))
    ask(app, run, wish=ImportWish.RUN)
    work(app)
    ask(app, idle, beat_at=now() - timedelta(days=31))
    monkeypatch.setattr(bringing, "_looked", {"files": float("-inf")})
    with app.app_context():
        bringing.old_files()
    assert [row(app, number).report["changed"] for number in (run, idle)] == [[], []]
    assert not row(app, idle).stored_as


def test_an_undo_says_what_stays(app, upload):
    number = upload(wxr({"id": 1}, {"id": 2}, link=ARTICLE), wish=ImportWish.RUN)
    work(app)
    reply(app, app.test_client(), parent=stored(app)[0].public_id)
    ask(app, number, wish=ImportWish.UNDO)
    work(app)
    assert row(app, number).state == ImportState.UNDONE
    with app.app_context():
        assert undoing.left_of(database.session(), number) == undoing.Left(places=1, replies=1)


def test_a_busy_database_ends_no_import(app, upload, monkeypatch):
    """Whoever writes longer than usual only makes it wait."""
    number = upload(wxr({"id": 1}), wish=ImportWish.RUN)
    refusing = iter([True, False] * 100)
    writing = database.writing

    def busy():
        if threading.current_thread() is not threading.main_thread() and next(refusing):
            raise database.Busy
        return writing()

    monkeypatch.setattr(
        bringing, "_begin", lambda number, wish: ask(app, number, wish=None) or True
    )
    monkeypatch.setattr(database, "writing", busy)
    work(app)
    assert (row(app, number).state, len(stored(app))) == (ImportState.DONE, 1)


WORKER = """
import json, sys, time
from datetime import timedelta
from service import create_app, database
from service.cli import bringing
bringing.BEAT, bringing.SILENT = 0.1, timedelta(seconds=1)
app = create_app(**json.loads(sys.argv[1]))
with app.app_context():
    while True:
        bringing.bring_comments()
        database.forget()
        time.sleep(0.05)
"""


@pytest.mark.long
@pytest.mark.parametrize("is_killed", [False, True])
def test_two_workers_bring_each_comment_once_also_if_one_is_killed(
    app, upload, database_url, tmp_path, is_killed
):
    number = upload(wxr(*({"id": n} for n in range(1, 1_900))), wish=ImportWish.RUN)
    given = SETTINGS | {"DATABASE_URL": database_url, "INSTANCE": str(tmp_path)}
    share_work(
        WORKER,
        given,
        lambda: row(app, number).state == ImportState.DONE,
        (lambda: len(stored(app)) >= 600) if is_killed else None,
    )
    assert (row(app, number).state, len(stored(app))) == (ImportState.DONE, 1_899)
    with app.app_context():
        assert database.session().scalars(select(Article.approved_count)).all() == [1_899]
