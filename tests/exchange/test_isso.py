"""Isso's database and its generic JSON: every mode, hostile files, and what is refused."""

import gzip
import html
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from service.exchange import isso
from service.exchange.formats import READERS
from service.exchange.record import Addresses, Troubles, Unreadable
from service.status import Markup, Status

THREADS = "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR UNIQUE, title VARCHAR)"
COMMENTS = """CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY,
parent INTEGER, created FLOAT NOT NULL, modified FLOAT, mode INTEGER, remote_addr VARCHAR,
text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER DEFAULT 0,
dislikes INTEGER DEFAULT 0, voters BLOB)"""
RITA = {
    "tid": 1,
    "id": 4,
    "parent": None,
    "created": 1577934245.25,
    "mode": 1,
    "text": "Hear, *hear*.",
    "author": "Rita",
    "email": "rita@example.org",
    "website": "https://rita.example",
    "likes": 2,
}


@pytest.fixture
def written(tmp_path):
    """Makes a database of comments, of other tables, of more statements; gives its path."""

    def write(*comments, uri="/review", tables=(THREADS, COMMENTS), more=()):
        path = tmp_path / "comments ?#.db"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as made, made:
            for statement in tables:
                made.execute(statement)
            if tables == (THREADS, COMMENTS):
                made.execute("INSERT INTO threads VALUES (1, ?, 'A review')", (uri,))
            for fields in comments:
                marks = ", ".join(f":{name}" for name in fields)
                made.execute(f"INSERT INTO comments ({', '.join(fields)}) VALUES ({marks})", fields)
            for statement in more:
                made.execute(statement)
        return path

    return write


def read(path, maps=(), base="https://daily.example"):
    troubles = Troubles()
    with path.open("rb") as file:
        records = list(READERS["isso"].read(file, Addresses(maps, base), troubles))
    return records, " ".join(troubles.lines())


def test_every_field_comes_in(written):
    changed = RITA | {"parent": 3, "modified": 1577934300.0}
    (found,), said = read(written(changed))
    assert (found.article_url, found.article_title) == ("https://daily.example/review", "A review")
    assert (found.source_id, found.source_parent, found.author) == ("4", "3", "Rita")
    assert (found.email, found.website) == ("rita@example.org", "https://rita.example")
    assert (found.text, found.markup) == ("Hear, *hear*.", Markup.MARKDOWN)
    assert found.created_at == datetime(2020, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)
    assert found.edited_at == datetime(2020, 1, 2, 3, 5, tzinfo=UTC)
    assert (found.state, found.likes, said) == (Status.APPROVED, 2, "")
    assert "rita@" not in repr(found)


@pytest.mark.parametrize(
    ("mode", "state", "trouble"),
    [
        (1, Status.APPROVED, ""),
        (2, Status.PENDING, ""),
        (4, Status.DELETED, ""),
        (9, Status.PENDING, "unknown state"),
        ("one", Status.PENDING, "unknown state"),
        (None, Status.PENDING, "unknown state"),
    ],
)
def test_a_mode_is_kept_as_the_state_that_it_was(written, mode, state, trouble):
    (found,), said = read(written(RITA | {"mode": mode}))
    assert found.state == state
    assert trouble in said
    assert bool(trouble) == bool(said)


def test_a_deleted_comment_keeps_its_place(written):
    gone = RITA | {"mode": 4, "author": None, "text": "", "website": None}
    records, said = read(written(gone, RITA | {"id": 5, "parent": 4}))
    assert (records[0].author, records[0].text) == ("Anonymous", "")
    assert (records[1].source_parent, said) == ("4", "")


@pytest.mark.parametrize(
    ("uri", "maps", "url"),
    [
        ("/2014/x?p=4", (), "https://daily.example/2014/x?p=4"),
        ("no-slash", (), "https://daily.example/no-slash"),
        ("//evil.example/x", (), "https://daily.example//evil.example/x"),
        ("/old/x", [("/old", "https://new.example/n")], "https://new.example/n/x"),
        ("https://a.example/x", (), "https://a.example/x"),
        ("", (), None),
    ],
)
def test_a_path_is_laid_on_the_sites_origin_or_mapped(written, uri, maps, url):
    records, said = read(written(RITA, uri=uri), maps)
    assert [r.article_url for r in records] == ([url] if url else [])
    assert bool(said) == (url is None)


def test_a_comment_of_no_thread_is_counted(written):
    records, said = read(written(RITA | {"tid": 7}))
    assert (records, "not in the file: left out (id 4)" in said) == ([], True)


def test_an_old_database_without_the_later_columns_is_read(written):
    old = COMMENTS.replace("modified FLOAT,", "").replace("likes INTEGER DEFAULT 0,", "", 1)
    few = {name: value for name, value in RITA.items() if name not in ("likes", "modified")}
    thread = "INSERT INTO threads VALUES (1, '/review', '')"
    path = written(few, tables=(THREADS, old), more=[thread])
    assert read(path)[0][0].likes == 0


@pytest.mark.parametrize(
    "odd",
    [
        {"created": "yesterday"},
        {"created": 1e300},
        {"created": float("inf")},
        {"author": b"Ri\xffta"},
        {"author": "Ri\0ta"},
        {"text": b"\x00\x01\xff"},
        {"likes": "many"},
        {"parent": "above"},
        {"email": 7},
    ],
    ids=str,
)
def test_odd_values_are_none_and_stop_nothing(written, odd):
    (found,), _ = read(written(RITA | odd))
    assert "\0" not in found.author + found.text
    assert found.created_at.tzinfo is UTC


VIEW = "CREATE VIEW comments AS SELECT 1 AS tid, 1 AS id"


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((THREADS,), "it has no table comments"),
        ((THREADS, VIEW), "its comments is a view"),
        ((THREADS, "CREATE VIRTUAL TABLE comments USING fts4(tid, id)"), "is a virtual"),
        ((THREADS, "CREATE TABLE comments (id INTEGER PRIMARY KEY)"), "comments has no"),
        ((THREADS.replace("PRIMARY KEY", ""), COMMENTS), "not the key of threads"),
        # What the file says of such an index could have each comment look through all articles.
        ((THREADS.replace("INTEGER PRIMARY", "TEXT PRIMARY"), COMMENTS), "not the key of threads"),
        (
            (
                THREADS.replace("PRIMARY KEY", "").replace(
                    "title VARCHAR", "title, PRIMARY KEY (title, id)"
                ),
                COMMENTS,
            ),
            "not the key of threads",
        ),
        (
            (THREADS, COMMENTS.replace("author VARCHAR", "author AS (hex(text))")),
            "has no author",
        ),
    ],
)
def test_what_is_no_isso_database_is_refused_in_one_line(written, tables, said):
    with pytest.raises(Unreadable) as refused:
        read(written(tables=tables))
    assert said in str(refused.value)


def test_a_damaged_database_is_refused_in_one_line(written):
    path = written(*(RITA | {"id": n, "text": "x" * 900} for n in range(50)))
    whole = path.read_bytes()
    for broken in (whole[:100], whole[: len(whole) // 2], whole[:5000] + b"\xff" * 9000):
        path.write_bytes(broken)
        with pytest.raises(Unreadable) as refused:
            read(path)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("broken", [b"\xff\xfe", b"\x1b["], ids=["no text", "an escape"])
def test_what_sqlite_quotes_of_a_damaged_file_stays_out_of_the_line(written, broken):
    path = written(RITA)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"TABLE comments", broken + b"BLE comments"))
    with pytest.raises(Unreadable) as refused:
        read(path)
    assert str(refused.value).isprintable()


def test_a_row_of_many_megabytes_is_refused(written):
    path = written(RITA | {"text": "x" * 17_000_000})
    with pytest.raises(Unreadable, match="too big"):
        read(path)


def test_a_packed_database_is_to_be_unpacked(written):
    path = written(RITA)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(Unreadable, match="unpack it first"):
        read(path)


def test_a_database_that_isso_is_writing_is_refused(written):
    path = written(RITA)
    path.with_name(path.name + "-wal").write_bytes(b"newer comments")
    with pytest.raises(Unreadable, match="stop Isso first"):
        read(path)


def test_nothing_is_written_and_no_trigger_runs(written):
    trigger = "CREATE TRIGGER t AFTER DELETE ON comments BEGIN DELETE FROM threads; END"
    path = written(RITA, more=[trigger])
    before = path.read_bytes()
    path.chmod(0o400)
    assert len(read(path)[0]) == 1
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.name.startswith("comments")] == [path.name]


def test_nothing_but_two_tables_can_be_read(written):
    path = written(RITA, more=["CREATE TABLE preferences (key, value)"])
    with closing(isso._opened(path)) as connection:
        isso._check(connection)
        for statement in (
            "SELECT hex(text) FROM comments",
            "SELECT value FROM preferences",
            "DELETE FROM comments",
            "ATTACH ':memory:' AS other",
        ):
            with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"):
                connection.execute(statement)
        assert connection.execute("SELECT id FROM comments").fetchall() == [(4,)]


GENERIC = [
    {
        "id": "/posts/1/",
        "title": "One",
        "comments": [
            {
                "id": 0,
                "author": "Rita",
                "email": "rita@example.org",
                "website": "",
                "remote_addr": "192.0.2.1",
                "created": "2005-02-24 04:03:37",
                "text": "Hear.",
            }
        ],
    }
]


def read_json(content):
    addresses = Addresses(base="https://d.example")
    return list(READERS["isso"].read(io.BytesIO(content), addresses, Troubles()))


def test_generic_json_comes_in_under_the_same_name():
    (found,) = read_json(json.dumps(GENERIC).encode())
    assert (found.article_url, found.article_title) == ("https://d.example/posts/1/", "One")
    assert (found.source_id, found.source_parent, found.author) == ("0", None, "Rita")
    assert found.created_at == datetime(2005, 2, 24, 4, 3, 37, tzinfo=UTC)
    assert (found.state, found.text) == (Status.APPROVED, "Hear.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "no SQLite file"),
        (b"SQLite format", "no SQLite file"),
        (b'[{"id": 1}]', "has no comments"),
        (b'[{"comments": [', "ends too early"),
        (b"[[[[" * 1000, "nested more than"),
    ],
)
def test_a_file_that_is_neither_is_refused_in_one_line(content, said):
    with pytest.raises(Unreadable, match=said):
        read_json(content)


def test_the_real_database_agrees_with_another_reading(corpora):
    path = corpora / "isso" / "comments-fixtures.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        db.row_factory = sqlite3.Row
        wanted = "SELECT c.*, uri FROM comments c JOIN threads t ON t.id = c.tid"
        rows = {str(row["id"]): row for row in db.execute(wanted)}
    found = {r.source_id: r for r in read(path)[0]}
    assert found.keys() == rows.keys()
    assert len(found) == 44
    for id, ours in found.items():
        row = rows[id]
        assert ours.source_parent == (str(row["parent"]) if row["parent"] else None)
        assert ours.created_at.timestamp() == row["created"]
        assert ours.state == {1: "approved", 2: "pending", 4: "deleted"}[row["mode"]]
        assert ours.article_url.startswith(f"https://daily.example{row['uri'][:20]}")
        assert ours.author[:50] == html.unescape(row["author"])[:50]
        assert ours.text == row["text"].strip()
