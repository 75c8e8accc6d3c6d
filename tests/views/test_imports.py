"""Comments brought along at the desk: the file that goes up, the rehearsal's page, and what is asked for."""

import fcntl
import hashlib
import io
import json
import re
import stat
import time
import tracemalloc
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from sqlalchemy import select, update

from service import database
from service.accounts import Membership
from service.exchange import arrivals
from service.models import Article, Comment, Import, now
from service.status import ImportState, ImportWish, Role, Status
from service.views import uploads

LIST = f"/desk/sites/{SITE}/imports/"
WXR = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<wp:base_blog_url>https://daily.example</wp:base_blog_url>
<item><title>A review</title><link>https://daily.example/review</link><wp:post_id>7</wp:post_id>
<wp:comment><wp:comment_id>1</wp:comment_id><wp:comment_author>Rita</wp:comment_author>
<wp:comment_author_email>rita@example.org</wp:comment_author_email>
<wp:comment_date_gmt>2020-01-02 03:04:05</wp:comment_date_gmt>
<wp:comment_content>Hear, hear.</wp:comment_content><wp:comment_approved>1</wp:comment_approved>
<wp:comment_parent>0</wp:comment_parent></wp:comment></item></channel></rss>"""
REPORT = {
    "is_run": False,
    "new": {"approved": 1200, "spam": 3},
    "known": {"approved": 4},
    "articles": 202,
    "new_articles": 2,
    "foreign": 1,
    "first": "2019-03-01T09:30:00+00:00",
    "last": "2024-05-02T10:00:00+00:00",
    "pages": [
        {
            "url": "https://daily.example/review",
            "was": "http://old.example/review",
            "comments": 900,
            "is_new": True,
            "is_ours": True,
        },
        {
            "url": "http://other.example/x",
            "was": "http://other.example/x",
            "comments": 1,
            "is_new": False,
            "is_ours": False,
        },
    ],
    "troubles": [
        {"words": "name that is an e-mail address: masked", "count": 12, "samples": ["7"]}
    ],
    "changed": [{"id": "9", "before": "<b onclick=x>Hm</b>", "after": "Hm"}],
    "unused": ["http://never.example=https://daily.example"],
}


class Body(io.RawIOBase):
    """What is sent, made while it is read. Its length is told as files tell theirs."""

    length = 10_000_000
    at = 0

    def readable(self):
        return True

    def seek(self, place, whence=io.SEEK_SET):
        self.at = self.length if whence == io.SEEK_END else place
        return self.at

    def tell(self):
        return self.at


class Trap(Body):
    """A body that nobody may read."""

    def readinto(self, _):
        raise AssertionError("the body was read")


class Flowing(Body):
    """A form whose file has `size` bytes."""

    def __init__(self, size):
        head = _part("format", b"wordpress") + _part("file", b"", "a.xml")[:-2]
        self.parts = [head, size - len(WXR), b"\r\n--B--\r\n"]
        self.parts.insert(1, WXR)
        self.length = len(head) + size + len(self.parts[-1])

    def readinto(self, buffer):
        while self.parts and not self.parts[0]:
            self.parts.pop(0)
        if not self.parts:
            return 0
        if isinstance(self.parts[0], int):
            given = b" " * min(len(buffer), self.parts[0])
            self.parts[0] -= len(given)
        else:
            given, self.parts[0] = self.parts[0][: len(buffer)], self.parts[0][len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def _part(name, content, file=""):
    named = f'; filename="{file}"' if file else ""
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.fixture
def pia(app, daily):
    """Pia, who publishes The Daily, signed in."""
    pia_id = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), pia_id)


def sending(client, key=SITE):
    """Where the form of a site's page sends its file."""
    page = client.get(f"/desk/sites/{key}/imports/").text
    return unescape(re.search(r'action="([^"]+ticket[^"]+)"', page)[1])


def bring(client, content=WXR, name="export.xml", to="", **fields):
    sent = {"format": "wordpress", "rules": "", **fields, "file": (io.BytesIO(content), name)}
    return client.post(to or sending(client), data=sent, content_type="multipart/form-data")


def pour(client, to, body):
    """Sends a body that is a stream."""
    kind = "multipart/form-data; boundary=B"
    return client.post(to, input_stream=body, content_type=kind)


def folder(app):
    return Path(app.config["INSTANCE"], "imports")


def files(app):
    return sorted(folder(app).glob("*")) if folder(app).exists() else []


def imports(app):
    with app.app_context():
        found = database.session().scalars(select(Import).order_by(Import.id)).all()
        database.session().expunge_all()
        return found


def add_import(app, state=ImportState.REHEARSED, **fields):
    """An import as the worker would leave it; gives its number."""
    given = {"stored_as": "f" * 32, "report": REPORT, "by": "Pia", "file_digest": "d", **fields}
    with app.app_context(), database.writing() as session:
        site_id = given.pop("site_id", 1)
        found = Import(
            site_id=site_id, format="wordpress", file_name="old.xml", state=state, **given
        )
        session.add(found)
        session.flush()
        return found.id


def change(app, number, **values):
    with app.app_context(), database.writing() as session:
        session.execute(update(Import).where(Import.id == number).values(**values))


def error(page, field):
    found = re.search(rf'id="{field}-error">.*?</span>(.*?)</p>', page, re.S)
    return unescape(found[1]) if found else ""


def ask(client, number, verb, key=SITE, **fields):
    page = client.get(LIST).text
    sent = {"csrf_token": csrf(page), **fields}
    return client.post(f"/desk/sites/{key}/imports/{number}/{verb}", data=sent)


# --- The file -----------------------------------------------------------------------------------


def test_a_file_is_kept_for_the_worker_and_its_rehearsal_asked_for(app, pia):
    sent = bring(pia, rules="http://old.example=https://daily.example\n")
    (found,) = imports(app)
    assert (sent.status_code, sent.location) == (303, f"{LIST}{found.id}")
    assert (found.state, found.wish) == (ImportState.UPLOADED, ImportWish.REHEARSE)
    assert (found.format, found.file_name, found.size) == ("wordpress", "export.xml", len(WXR))
    assert found.file_digest == hashlib.sha256(WXR).hexdigest()
    assert found.rules == ["http://old.example=https://daily.example"]
    (kept,) = files(app)
    assert kept.name == found.stored_as
    assert kept.read_bytes() == WXR
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    (event,) = on_record(app)
    assert (event.what, event.about) == ("import_brought", f"{found.id}: export.xml")


def test_its_page_says_that_it_waits_and_the_list_shows_it(app, pia):
    page = pia.get(bring(pia).location).text
    assert "It waits to be read." in page
    assert 'http-equiv="refresh"' in page
    listed = pia.get(LIST).text
    assert "export.xml" in listed
    assert "waits to be read" in listed


def test_a_name_with_an_address_in_it_is_masked(app, pia):
    bring(pia, name="C:\\old\\rita@example.org.xml")
    (found,) = imports(app)
    assert "rita@" not in found.file_name
    assert "old" not in found.file_name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty"),
        (b"PK\x03\x04" + b"zip" * 50, "cannot be imported as WordPress (WXR): it is"),
        (b'{"version": 1, "users": []}', "cannot be imported as WordPress (WXR): it looks like a"),
        (WXR[:-20], "cannot be imported as WordPress (WXR): it ends too early"),
    ],
    ids=["empty", "packed", "another format", "cut off"],
)
def test_a_file_that_is_none_to_import_is_one_line_beside_its_field(app, pia, content, said):
    sent = bring(pia, content, rules="http://old.example=https://daily.example")
    assert sent.status_code == 422
    assert said in error(sent.text, "file")
    assert "\n" not in error(sent.text, "file")
    assert "http://old.example=https://daily.example</textarea>" in sent.text
    assert re.search(r'value="wordpress" checked', sent.text)
    assert files(app) == imports(app) == []


def test_a_file_that_knows_paths_alone_is_taken(app, pia):
    """As Isso's: they lie on the site's first origin, or where a rule says."""
    page = {"id": "/2020/review", "title": "A review"}
    said = {"id": 1, "created": "2020-01-02 03:04:05", "text": "Hear, hear.", "author": "Rita"}
    content = json.dumps([page | {"comments": [said]}]).encode()
    assert bring(pia, content, format="isso").status_code == 303
    assert bring(pia, content, format="isso", rules="/=https://daily.example/").status_code == 303


def test_no_file_no_format_and_no_rule_are_each_said_beside_their_field(app, pia):
    sent = pia.post(
        sending(pia),
        data={"rules": "a b"},
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    assert sent.status_code == 422
    assert "No file was taken" in sent.text
    assert "Choose the file" in error(sent.text, "file")
    assert "Choose where" in error(sent.text, "format")
    assert "“a b” is no rule" in error(sent.text, "rules")
    assert 'href="#format-0"' in sent.text
    assert files(app) == []


def test_a_file_that_is_too_large_is_said_so_and_what_was_typed_stays(make_app):
    app = make_app(IMPORT_SIZE=2_000)
    add_site(app)
    pia_id = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    pia = sign_in(app, app.test_client(), pia_id)
    for size in (2_001, 1_000_000):
        sent = pour(pia, sending(pia), Flowing(size))
        assert sent.status_code == 422
        assert "This file is too large: at most 2 KB" in error(sent.text, "file")
        assert files(app) == imports(app) == []
    assert re.search(r'value="wordpress" checked', bring(pia, WXR + b" " * 2_000).text)
    assert bring(pia).status_code == 303


def test_it_takes_far_more_than_any_other_page_in_little_memory(app, pia):
    to, size = sending(pia), 24 * 1024 * 1024
    assert size > 30 * app.config["MAX_BODY"]
    tracemalloc.start()
    try:
        sent = pour(pia, to, Flowing(size))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent.status_code == 303, sent.text
    assert [path.stat().st_size for path in files(app)] == [size]
    assert peak < 6 * 1024 * 1024
    elsewhere = pour(pia, f"/desk/sites/{SITE}/reasons", Flowing(size))
    assert elsewhere.status_code == 413


def test_a_form_of_another_kind_is_read_no_further_than_any_other_page_s(app, pia):
    """It would stand in memory as a whole."""
    to, kind = sending(pia), "application/x-www-form-urlencoded"
    sent = pia.post(to, input_stream=Trap(), content_type=kind)
    assert sent.status_code == 422
    assert "too large" in error(sent.text, "file")
    ended = {"wsgi.input_terminated": True}  # as a server has it for a body without a length
    sent = pia.post(
        to, input_stream=io.BytesIO(b"a" * 3_000_000), content_type=kind, environ_overrides=ended
    )
    assert sent.status_code == 422
    assert "too large" in error(sent.text, "file")
    assert files(app) == imports(app) == []


def test_whoever_may_not_send_one_is_refused_before_a_byte_is_read(app, pia, mo, another):
    add_site(app, "weekly", "https://weekly.example")
    eve = another("eve", site="weekly", role=Role.PUBLISHER)
    to = sending(pia)
    bare = to.partition("?")[0]
    paul = another("paul", role=Role.PUBLISHER)
    refused = [
        (app.test_client(), to, 401),
        (mo, to, 403),
        (eve, to, 403),
        (pia, bare, 400),
        (pia, f"{bare}?ticket=nonsense", 400),
        (paul, to, 400),  # it is Pia's
        (eve, sending(eve, "weekly").replace("weekly", SITE), 403),
    ]
    for client, where, status in refused:
        assert pour(client, where, Trap()).status_code == status, where
    sent = pia.post(to, input_stream=Trap(), headers={"Origin": "https://evil.example"})
    assert sent.status_code == 403
    assert files(app) == imports(app) == on_record(app) == []


def test_a_site_has_few_files_waiting_and_the_next_is_not_read(app, pia):
    to = sending(pia)
    for number in range(arrivals.MOST_WAITING):
        add_import(app, stored_as=f"{number:032x}")
    sent = pour(pia, to, Trap())
    assert sent.status_code == 422
    assert "3 files of this site wait here already" in error(sent.text, "file")


@pytest.mark.parametrize("state", [ImportState.DONE, ImportState.UNDONE])
def test_files_that_nothing_needs_any_more_keep_none_out_and_go_with_the_next(app, pia, state):
    for number in range(arrivals.MOST_WAITING):
        add_import(app, state, stored_as=f"{number:032x}")
    assert bring(pia).status_code == 303
    assert [bool(found.stored_as) for found in imports(app)] == [False, False, False, True]


def test_what_does_not_arrive_whole_leaves_nothing(app, pia):
    body = Flowing(500_000)
    body.parts[2] -= 100_000
    assert pour(pia, sending(pia), body).status_code in (400, 422)
    ends_early = Flowing(500_000)
    ends_early.parts.pop()
    ends_early.length -= len(b"\r\n--B--\r\n")
    assert pour(pia, sending(pia), ends_early).status_code == 422
    assert files(app) == imports(app) == []


def test_one_form_brings_one_file(app, pia):
    sent = {"format": "wordpress", "file": [(io.BytesIO(WXR), "a.xml"), (io.BytesIO(WXR), "b.xml")]}
    answer = pia.post(sending(pia), data=sent, content_type="multipart/form-data")
    assert answer.status_code == 400
    assert files(app) == imports(app) == []


def test_a_process_takes_few_at_a_time(app, pia):
    to = sending(pia)
    turns = app.extensions["uploads"]
    for _ in range(uploads.AT_ONCE):
        assert turns.acquire(blocking=False)
    sent = pour(pia, to, Trap())
    assert sent.status_code == 503
    assert "Other files are on their way" in sent.text
    turns.release()
    assert bring(pia).status_code == 303
    assert turns.acquire(blocking=False)  # it gave its turn back


def test_a_full_disk_is_said_and_nothing_is_read(app, pia, monkeypatch):
    monkeypatch.setattr(arrivals, "SPARED", 2**62)
    sent = pour(pia, sending(pia), Trap())
    assert sent.status_code == 422
    assert "no room for this file" in error(sent.text, "file")


def test_what_a_killed_process_left_is_swept_away_with_the_next_file(app, pia, monkeypatch):
    folder(app).mkdir()
    left, held, named, foreign = (
        folder(app) / name for name in ("a" * 32, "b" * 32, "c" * 32, "notes.txt")
    )
    for path in (left, held, named, foreign):
        path.write_bytes(b"x")
    add_import(app, stored_as="c" * 32)
    with held.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert bring(pia).status_code == 303
        assert left.exists()  # it is too young to say so
        monkeypatch.setattr(arrivals, "YOUNG", -1)
        assert bring(pia).status_code == 303
    assert [path.exists() for path in (left, held, named, foreign)] == [False, True, True, True]
    assert all(folder(app).joinpath(found.stored_as).exists() for found in imports(app)[1:])


def test_a_publisher_who_lost_the_role_meanwhile_brings_nothing(app, pia, monkeypatch):
    real = arrivals.look

    def look(*given):
        with app.app_context(), database.writing() as session:
            session.execute(update(Membership).values(removed_at=now()))
        real(*given)

    monkeypatch.setattr(arrivals, "look", look)
    assert bring(pia).status_code == 403
    assert files(app) == imports(app) == []


# --- One import ---------------------------------------------------------------------------------


def test_the_rehearsal_is_told_in_words(app, pia):
    page = unescape(pia.get(f"{LIST}{add_import(app)}").text)
    for said in (
        "This is a rehearsal: nothing is imported yet.",
        "1,200",
        "1,203",
        "202 articles, 2 of them new here",
        "written from 1 March 2019 to 2 May 2024",
        "1 article lies elsewhere",
        "https://daily.example/review",
        "in the file:",
        "http://old.example/review",
        "200 articles with fewer comments are not listed.",
        "12 ×</b> name that is an e-mail address: masked",
        "such as 7",
        "<b onclick=x>Hm</b>",
        "http://never.example=https://daily.example",
        "Import now",
        "Rehearse again",
        "Throw the file away",
    ):
        assert said in page, said
    assert "<b onclick" not in pia.get(f"{LIST}1").text  # as text alone


def test_of_many_articles_only_the_first_are_unfolded(app, pia):
    pages = [REPORT["pages"][0] | {"url": f"https://daily.example/{n}"} for n in range(30)]
    number = add_import(app, report=REPORT | {"pages": pages, "articles": 1_234})
    page = pia.get(f"{LIST}{number}").text
    before, _, folded = page.partition("<summary>10 more articles</summary>")
    assert "https://daily.example/19<" in before
    assert "https://daily.example/20<" in folded
    assert "1,204 articles with fewer comments are not listed." in folded
    tried = ask(pia, number, "try", rules="http://x.example=https://daily.example").text
    assert tried.count("<summary>10 more articles</summary>") == 2
    assert "Import now" not in tried  # it would go without the rules that stand there
    assert "To import with the rules below, rehearse again first." in tried


def test_a_rehearsal_that_found_nothing_offers_no_import(app, pia):
    nothing = REPORT | {"new": {}, "known": {}, "pages": [], "articles": 0}
    page = pia.get(f"{LIST}{add_import(app, report=nothing)}").text
    assert "Nothing: there is no comment in it that can be imported." in page
    assert "Import now" not in page
    page = pia.get(f"{LIST}{add_import(app, report=REPORT | {'new': {}})}").text
    assert "every comment of the file is here already" in page


def test_how_far_it_is_is_told_to_people_and_to_script(app, pia):
    at_work = {"total": 2_000, "progress": 1_250, "beat_at": now()}
    at = f"{LIST}{add_import(app, ImportState.RUNNING, **at_work)}"
    page = pia.get(at).text
    assert '<progress aria-label="How far it is" value="1250" max="2000">' in page
    assert "1,250 of 2,000" in page
    assert re.search(
        r'role="status">The comments are being imported\. 60 percent are done\.<', page
    )
    assert ">Stop<" in page
    assert "Nobody works on it" not in page
    facts = pia.get(at, headers={"Accept": "application/json"}).json
    assert (facts["state"], facts["done"], facts["total"]) == ("running", 1_250, 2_000)
    assert facts["said"] == "The comments are being imported. 60 percent are done."


@pytest.mark.parametrize(
    "fields",
    [
        {"state": ImportState.RUNNING, "beat_at": now() - timedelta(seconds=90)},
        {"state": ImportState.UPLOADED, "wish": ImportWish.REHEARSE},
    ],
)
def test_it_says_when_nobody_works_on_it(app, pia, fields):
    began = {"started_at": now() - timedelta(minutes=2)}
    page = pia.get(f"{LIST}{add_import(app, **(began | fields))}").text
    assert "Nobody has worked on it for a minute: is “flask worker” running?" in page
    assert "Nobody works on it." in pia.get(LIST).text


def test_a_failed_one_says_why(app, pia):
    why = "it ends too early, within line 7"
    page = pia.get(f"{LIST}{add_import(app, ImportState.FAILED, why=why, report={})}").text
    assert "The file cannot be imported. Nothing of it is here." in page
    assert "It ends too early, within line 7." in page
    assert "get the file from the other system once more" in page


def test_where_reading_broke_off_it_is_not_the_file_s_fault(app, pia):
    told = {"why": "the disk is full", "report": {}}
    page = pia.get(f"{LIST}{add_import(app, ImportState.UPLOADED, **told)}").text
    assert "The disk is full." in page
    assert "This is not the file’s fault. Rehearse again" in unescape(page)
    assert ">Rehearse again<" in page


def test_one_that_stopped_says_how_much_of_it_is_here(app, pia):
    number = brought_and_answered(app)
    change(app, number, state=ImportState.STOPPED)
    page = pia.get(f"{LIST}{number}").text
    assert "It stopped before its end." in page
    assert "2 comments of it are here." in page
    assert "nothing is there twice afterwards" in page
    assert "What would come" in page  # which the rehearsal said
    assert "What came" not in page


def test_one_that_is_done_is_no_success_if_nothing_came(app, pia):
    told = REPORT | {"is_run": True}
    page = pia.get(f"{LIST}{add_import(app, ImportState.DONE, report=told)}").text
    assert "The comments are imported." in page
    assert "What came" in page
    number = add_import(app, ImportState.DONE, report=told | {"new": {}})
    page = pia.get(f"{LIST}{number}").text
    assert "Nothing was imported: every comment of the file was here already." in page
    assert "The comments are imported." not in page


def test_one_that_was_taken_back_says_what_stays(app, pia):
    number = brought_and_answered(app)
    change(app, number, state=ImportState.UNDONE)
    page = pia.get(f"{LIST}{number}").text
    assert "2 comments were decided on or answered since: they stay as empty places." in page
    assert "1 reply that readers have written to them stays." in page
    assert "empty place" not in pia.get(f"{LIST}{add_import(app, ImportState.UNDONE)}").text


def test_an_old_page_does_nothing_to_another_file_under_its_number(app, pia):
    """SQLite gives the number of what was thrown away once more."""
    number = add_import(app)
    page = pia.get(f"{LIST}{number}").text
    begun = re.search(r'name="begun" value="([^"]+)"', page)[1]
    change(app, number, started_at=now() + timedelta(minutes=1))
    for verb in ("run", "rehearse", "discard"):
        assert ask(pia, number, verb, begun=begun).status_code == 409
    assert imports(app)[0].wish is None
    change(app, number, started_at=datetime.fromisoformat(begun))
    assert ask(pia, number, "run", begun=begun).status_code == 303


def test_rules_are_tried_on_the_pages_of_the_rehearsal_and_not_kept(app, pia):
    number = add_import(app)
    rules = "http://other.example=https://daily.example\nhttp://none.example=https://daily.example"
    tried = ask(pia, number, "try", rules=rules)
    assert tried.status_code == 200
    shown = unescape(tried.text).partition("Where these rules lead")[2].partition("<section")[0]
    assert "https://daily.example/x" in shown
    assert "http://old.example/review" in shown  # which no rule moves now
    assert shown.count("on the site") == 1
    assert "This rule moves none" in shown
    assert rules in unescape(tried.text)  # what was typed stays
    (found,) = imports(app)
    assert (found.rules, found.wish) == ([], None)
    wrong = ask(pia, number, "try", rules="x")
    assert wrong.status_code == 422
    assert "is no rule" in error(wrong.text, "rules")
    pattern = ask(pia, number, "try", rules="http://other.example/*=https://daily.example/blog/*")
    assert "https://daily.example/blog/x" in pattern.text


def test_it_is_rehearsed_again_with_other_rules(app, pia):
    number = add_import(app)
    rules = "http://old.example=https://daily.example"
    assert ask(pia, number, "rehearse", rules=rules).location == f"{LIST}{number}"
    (found,) = imports(app)
    assert (found.wish, found.rules) == (ImportWish.REHEARSE, [rules])
    assert "It waits to be read." in pia.get(f"{LIST}{number}").text


@pytest.mark.parametrize(
    ("verb", "state", "wish", "what"),
    [
        ("run", ImportState.REHEARSED, ImportWish.RUN, "import_began"),
        ("run", ImportState.STOPPED, ImportWish.RUN, "import_began"),
        ("stop", ImportState.RUNNING, ImportWish.STOP, "import_stopped"),
        ("stop", ImportState.REHEARSING, ImportWish.STOP, "import_stopped"),
        ("undo", ImportState.DONE, ImportWish.UNDO, "import_undone"),
    ],
)
def test_what_is_asked_for_waits_for_the_worker_and_is_on_record(app, pia, verb, state, wish, what):
    number = add_import(app, state)
    assert ask(pia, number, verb).status_code == 303
    (found,) = imports(app)
    assert (found.state, found.wish) == (state, wish)
    (event,) = on_record(app)
    assert (event.what, event.about, event.by) == (what, f"{number}: old.xml", "pia")
    again = ask(pia, number, verb)
    assert again.status_code == 409
    assert "not at that point any more" in again.text
    assert len(on_record(app)) == 1


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("run", ImportState.DONE),
        ("run", ImportState.FAILED),
        ("run", ImportState.UPLOADED),
        ("stop", ImportState.REHEARSED),
        ("undo", ImportState.REHEARSED),
        ("undo", ImportState.STOPPED),  # which has brought nothing
        ("undo", ImportState.UNDONE),
        ("rehearse", ImportState.DONE),
        ("discard", ImportState.RUNNING),
    ],
)
def test_what_makes_no_sense_changes_nothing(app, pia, verb, state):
    assert ask(pia, add_import(app, state), verb).status_code == 409
    assert imports(app)[0].wish is None
    assert on_record(app) == []


def test_a_wish_that_nobody_has_taken_up_is_called_off(app, pia):
    number = add_import(app, wish=ImportWish.RUN)
    assert ask(pia, number, "stop").status_code == 303
    assert imports(app)[0].wish is None


def test_a_file_that_brought_nothing_is_thrown_away_with_its_import(app, pia):
    number = int(bring(pia).location.rpartition("/")[2])
    assert ask(pia, number, "discard").status_code == 409  # the worker may be at it
    assert ask(pia, number, "stop").status_code == 303
    sent = ask(pia, number, "discard")
    assert "The file is thrown away." in pia.get(sent.location).text
    assert files(app) == imports(app) == []
    assert [e.what for e in on_record(app)][-1] == "import_discarded"


def test_of_one_that_is_done_only_the_file_goes(app, pia):
    number = add_import(app, ImportState.DONE)
    assert ask(pia, number, "discard").status_code == 303
    assert imports(app)[0].stored_as == ""


def brought_and_answered(app):
    """An import with two comments, of which Rita has answered one."""
    number = add_import(app, ImportState.DONE)
    for _ in range(2):
        assert reply(app, app.test_client(), comment=f"Old {time.time_ns()}").status_code == 303
    first = stored(app)[0]
    with app.app_context(), database.writing() as session:
        old = update(Comment).values(import_id=number, source="wordpress")
        session.execute(old)
        session.get_one(Comment, first.id).status = Status.APPROVED
        session.get_one(Article, first.article_id).title = "A review"
    sent = reply(app, app.test_client(), comment="New words.", parent=first.public_id)
    assert sent.status_code == 303
    return number


def test_taking_it_back_says_first_what_goes_and_what_stays(app, pia):
    number = brought_and_answered(app)
    page = pia.get(f"{LIST}{number}/undo").text
    assert "2 comments that this import brought go" in page
    assert "1 reply that readers have written to them since stays" in page
    assert "At least 1 imported comment was decided on or answered since" in page
    assert ask(pia, number, "undo").status_code == 303
    assert "It waits to be taken back." in pia.get(f"{LIST}{number}").text
    assert "nothing to take back" in pia.get(f"{LIST}{number}/undo").text


def test_the_list_says_how_many_of_each_are_here(app, pia):
    number = brought_and_answered(app)
    page = pia.get(LIST).text
    assert "2 comments of it are here" in page
    assert f"{LIST}{number}/undo" in page


@pytest.mark.parametrize("verb", ["", "/undo"])
def test_a_publisher_of_another_site_sees_none_of_it(app, pia, another, verb):
    number = add_import(app)
    add_site(app, "weekly", "https://weekly.example")
    eve = another("eve", site="weekly", role=Role.PUBLISHER)
    assert eve.get(f"{LIST}{number}{verb}").status_code == 403
    assert eve.get(f"/desk/sites/weekly/imports/{number}{verb}").status_code == 404
    assert eve.get("/desk/sites/weekly/imports/").text.count("old.xml") == 0
    page = eve.get("/desk/sites/weekly/imports/").text
    for act in ("try", "rehearse", "run", "stop", "undo", "discard"):
        for key, status in ((SITE, 403), ("weekly", 404)):
            at = f"/desk/sites/{key}/imports/{number}/{act}"
            assert eve.post(at, data={"csrf_token": csrf(page)}).status_code == status
    assert imports(app)[0].wish is None


def test_what_was_done_is_told_on_the_record(app, pia):
    ask(pia, add_import(app), "run")
    page = pia.get("/desk/audit/").text
    assert "pia had a file’s comments imported." in page
    assert ARTICLE not in page
