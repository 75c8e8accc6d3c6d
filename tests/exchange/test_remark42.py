"""Remark42's backups: what each line says, and what is refused."""

import gzip
import io
import json
from datetime import UTC, datetime

import pytest

from service.exchange.formats import READERS
from service.exchange.record import Addresses, Troubles, Unreadable
from service.status import Markup, Status

META = {
    "version": 1,
    "users": [
        {"id": "u1", "verified": False, "details": {"user_id": "u1", "email": "rita@example.org"}},
        {"id": "u2", "blocked": {"status": True, "until": "2126-01-01T00:00:00Z"}},
        {"id": "u3", "verified": True},
    ],
    "posts": [{"url": "https://daily.example/closed", "read_only": True}],
}
RITA = {
    "id": "c1",
    "pid": "",
    "text": "<p>Hear, <em>hear</em>.</p>",
    "orig": "Hear, *hear*.",
    "user": {"name": "Rita", "id": "u1", "picture": "https://x.example/a.png", "admin": False},
    "locator": {"site": "daily", "url": "https://daily.example/review"},
    "score": 2,
    "time": "2020-01-02T03:04:05.123456789-06:00",
    "title": "A review",
}


def backup(*comments, meta=META):
    lines = [meta] if meta else []
    return "".join(json.dumps(line) + "\n" for line in (*lines, *comments)).encode()


def read(content):
    troubles = Troubles()
    found = READERS["remark42"].read(io.BytesIO(content), Addresses(), troubles)
    return list(found), " ".join(troubles.lines())


def one(**fields):
    (found,), said = read(backup(RITA | fields))
    return found, said


def test_every_field_comes_in():
    found, said = one(pid="c0", pin=True, edit={"time": "2020-01-03T00:00:00Z", "summary": ""})
    assert (found.article_url, found.article_title) == ("https://daily.example/review", "A review")
    assert (found.source_id, found.source_parent, found.author) == ("c1", "c0", "Rita")
    assert (found.email, found.website) == ("rita@example.org", "")
    assert (found.text, found.markup) == (RITA["text"], Markup.HTML)
    assert found.created_at == datetime(2020, 1, 2, 9, 4, 5, 123456, tzinfo=UTC)
    assert found.edited_at == datetime(2020, 1, 3, tzinfo=UTC)
    assert (found.state, found.likes, found.is_pinned, said) == (Status.APPROVED, 2, True, "")
    assert "rita@" not in repr(found)


@pytest.mark.parametrize(
    ("fields", "likes"),
    [({"votes": {"a": True, "b": False, "c": True}, "score": 1}, 2), ({"score": -3}, 0)],
)
def test_those_who_liked_a_comment_are_counted(fields, likes):
    assert one(**fields)[0].likes == likes


def test_a_deleted_comment_keeps_its_place():
    found, said = one(delete=True, text="", orig="", user={"name": "", "id": "deleted"})
    assert (found.state, found.text, found.author, said) == (Status.DELETED, "", "Anonymous", "")


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"name": "R", "id": "u2"}, "blocked"),
        ({"name": "R", "id": "u9", "block": True}, "blocked"),
        ({"name": "R", "id": "u3"}, "mark"),
        ({"name": "R", "id": "u9", "admin": True}, "mark"),
    ],
)
def test_marks_of_an_author_are_told_and_change_nothing(user, told):
    found, said = one(user=user)
    assert found.state == Status.APPROVED
    assert told in said


def test_a_read_only_article_is_closed():
    closed = {"locator": {"url": "https://daily.example/closed"}}
    assert one(**closed)[0].article_is_closed
    assert not one()[0].article_is_closed


def test_a_comment_without_an_address_is_counted():
    records, said = read(backup(RITA | {"locator": {"url": "nowhere"}}, RITA))
    assert len(records) == 1
    assert "without an address: left out (id c1)" in said


def test_a_name_that_was_escaped_is_read():
    assert one(user={"name": "Sam &amp; Zoë", "id": "u9"})[0].author == "Sam & Zoë"


def test_what_was_typed_stands_in_where_its_html_is_missing():
    found, _ = one(text="")
    assert (found.text, found.markup) == ("Hear, *hear*.", Markup.MARKDOWN)


@pytest.mark.parametrize("packed", [gzip.compress, lambda c: b"\xef\xbb\xbf" + c])
def test_a_backup_is_read_as_it_comes(packed):
    content = backup(RITA)
    assert read(packed(content)) == read(content)


def test_one_without_its_first_line_is_read():
    assert len(read(backup(RITA, meta=None))[0]) == 1


def test_one_of_2018_is_a_single_object_that_says_last_what_is_known():
    closed = RITA | {"locator": {"url": "https://daily.example/closed"}}
    known = {"users": META["users"], "posts": META["posts"]}
    whole = {"version": 1, "comments": [RITA, closed, closed | {"id": "c2", "pid": "c1"}]}
    records, said = read(json.dumps(whole | {"meta": known}, indent=1).encode())
    assert sorted((r.source_id, r.source_parent, r.article_is_closed) for r in records) == [
        ("c1", None, False),
        ("c1", None, True),
        ("c2", "c1", True),
    ]
    assert (records[0].email, said) == ("rita@example.org", "")
    for odd in (5, [], {"users": 5, "posts": {}}, {"users": [None], "posts": ["x"]}):
        assert len(read(json.dumps(whole | {"meta": odd}).encode())[0]) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (backup(RITA)[:-30], "ends too early"),
        (backup(RITA) + b"garbage", "JSON"),
        (backup(meta=META | {"version": 7}), "version is 7"),
        (b'{"hello": 1}', "does not begin with its version"),
        (b"[1, 2]", "does not begin with its version"),
        (b'{"version": 1, "x": "\xff\xfe"}', "UTF-8"),
        (b'{"version":1,"users":[' + b"[" * 100_000, "nested more than"),
        (b'{"version":1,"users":["' + b"x" * 18_000_000, "larger than 16 MB"),
        (gzip.compress(b'{"version":1,"users":["' + b"x" * 18_000_000), "larger than 16 MB"),
        # With numbers of any length the parser's C code ends the process.
        (b'{"version":' + b"1" * 6_000 + b"}", "JSON"),
        (b'[{"score":' + b"1" * 600_000 + b"}]", "JSON"),
        (b'{"version":1e99999999999999999999}', "JSON"),
    ],
    ids=range(12),
)
def test_a_broken_or_hostile_file_is_refused_in_one_line(content, said):
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_real_backups_agree_with_another_reading(corpora):
    total = 0
    for file in sorted((corpora / "remark42").glob("*.json")):
        head, *rows = map(json.loads, file.read_text().splitlines())
        closed = {p["url"] for p in head["posts"] if p["read_only"]}
        found, _ = read(file.read_bytes())
        assert len(found) == len(rows) > 0
        for ours, row in zip(found, rows, strict=True):
            assert (ours.source_id, ours.source_parent or "") == (row["id"], row["pid"])
            assert ours.author == row["user"]["name"]
            assert ours.created_at == datetime.fromisoformat(row["time"])
            assert ours.state == ("deleted" if row.get("delete") else "approved")
            assert ours.is_pinned == row.get("pin", False)
            assert ours.article_url.rstrip("/") == row["locator"]["url"].rstrip("/")
            assert ours.article_is_closed == (row["locator"]["url"] in closed)
            assert ours.text == row["text"].strip()
        total += len(found)
    assert total >= 36
