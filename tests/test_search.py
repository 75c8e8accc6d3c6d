"""The search index bears any number of erasures, and nothing of what was erased stays in it."""

import sqlite3

import pytest
from cast import add_site, reply
from sqlalchemy import text

from service import database, search
from service.cli import pruning, worker
from service.models import Comment

ERASURES = 1_100  # SQLite 3.40 took its index for malformed after 1,000


COPIES = """INSERT INTO comments ({names})
    WITH RECURSIVE counted(number) AS
        (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < {most})
    SELECT {values} FROM comments, counted WHERE id = 1"""


def write_and_erase(path, number):
    """So many texts, each erased in a transaction of its own; a power cut is no matter here."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    names = [row[1] for row in connection.execute("PRAGMA table_info(comments)")]
    own = {"public_id": "printf('p%011d', number)", "submission_key": "NULL"}
    own["text"] = "'a word' || number || ' and another word'"
    values = {name: own.get(name, name) for name in names if name != "id"}
    spelt = {"names": ", ".join(values), "values": ", ".join(values.values())}
    connection.execute(COPIES.format(**spelt, most=number))
    for id in range(2, number + 2):
        connection.execute("UPDATE comments SET text = '' WHERE id = ?", (id,))
    connection.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_any_number_of_texts_may_be_erased(app, client, database_url):
    add_site(app)
    assert reply(app, client).status_code == 303
    write_and_erase(database_url.removeprefix("sqlite:///"), ERASURES)
    assert reply(app, client, comment="After them all.").status_code == 303
    with app.app_context():
        assert pruning.search_index() or sqlite3.sqlite_version_info >= (3, 42)
        assert not pruning.search_index()
    assert reply(app, client, comment="And more.").status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_worker_makes_the_index_anew_when_it_has_grown(app, client, monkeypatch, database_url):
    assert pruning.search_index in worker.TASKS
    add_site(app)
    reply(app, client, comment="Zyzzyva.")
    with app.app_context():
        assert not pruning.search_index()
        monkeypatch.setattr(search, "GROWN", 10)
        with database.writing() as session:
            session.get_one(Comment, 1).text = ""
        assert pruning.search_index()
        found = text("SELECT count(*) FROM search WHERE search MATCH :word")
        assert database.session().scalar(found, {"word": "zyzzyva"}) == 0
        assert database.session().scalar(found, {"word": "rita"}) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_postgresql_s_own_index_there_is_nothing_to_do(app):
    with app.app_context():
        assert not pruning.search_index()
