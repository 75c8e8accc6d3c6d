"""The schema that migrations make is the one that the models describe, on both databases."""

import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import DBAPIError

from service import accounts, database
from service.models import Base
from service.settings import Unusable


@pytest.fixture
def connection(database_url):
    engine = database.connect(database_url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


# Every table, column, index, constraint and trigger, as the database itself spells them.
SPELT = {
    "sqlite": "SELECT name, sql FROM sqlite_master ORDER BY name",
    "postgresql": """
        SELECT table_name || '.' || column_name AS name, data_type || is_nullable
          FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
        ORDER BY 1, 2""",
}


def schema(url):
    engine = database.connect(url, is_read_only=True)
    with engine.connect() as connection:
        spelt = connection.execute(text(SPELT[engine.dialect.name])).all()
        revision = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    engine.dispose()
    return [*map(tuple, spelt), *revision]


def differences(connection):
    """What a new migration would have to change. The full-text index is each database's own and
    in no model."""

    def is_modelled(name, kind, parents):
        return kind != "table" or (name != "search" and not name.startswith("search_"))

    opts = {"compare_type": True, "include_name": is_modelled}
    context = MigrationContext.configure(connection, opts=opts)
    return compare_metadata(context, Base.metadata)


def test_an_upgraded_schema_is_the_one_of_the_models(connection):
    assert accounts.Moderator.__table__ in Base.metadata.tables.values()
    assert differences(connection) == []


def test_it_would_see_a_column_that_no_migration_made(connection):
    connection.execute(text("ALTER TABLE sites DROP COLUMN name"))
    assert [(kind, column.name) for kind, _, _, column in differences(connection)] == [
        ("add_column", "name")
    ]


def test_the_database_has_every_check_that_the_models_name(connection):
    """Alembic compares no CHECK constraints, so they are compared by name here."""
    named = {
        constraint.name
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    seen = inspect(connection)
    found = {
        check["name"]
        for table in seen.get_table_names()
        for check in seen.get_check_constraints(table)
    }
    assert named == found


@pytest.fixture
def bare_url(database_url, tmp_path):
    """The URL of a database without any table."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'bare.db'}"
    engine = database.connect(database_url)
    with engine.begin() as opened:
        opened.execute(text("DROP SCHEMA public CASCADE"))
        opened.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return database_url


AT = {"at": "2026-01-01 00:00:00+00", "key": b"k"}
# One row of each table that a later step touches, as the first release wrote them.
FIRST_ROWS = (
    "INSERT INTO sites VALUES (1, 'daily', 'The Daily', '[]', '{}', 1, :at)",
    "INSERT INTO moderators VALUES (1, 'rita@example.org', NULL, true, 'u', 'Rita', :at)",
    "INSERT INTO articles VALUES (1, 1, 'https://example.org/a', NULL, '', false, 1, 1, :at)",
    "INSERT INTO authors VALUES (1, 1, :key, :key, 'k', :at)",
    """INSERT INTO comments (id, public_id, site_id, article_id, root_id, parent_id, approved_below,
         author_id, name, website, text, html, markup, renderer, status, kind, version, created_at,
         language, network)
       VALUES (1, 'one', 1, 1, NULL, NULL, 1, 1, 'Ann', '', 'Hi', '<p>Hi</p>', 'markdown', 1,
         'approved', 'comment', 2, :at, '', ''),
              (2, 'two', 1, 1, 1, 1, 0, 1, 'Bob', 'https://www.Ann.example:8080/me?x', 'Hi',
         '<p><a href="https://a.example">a</a> <a href="https://b.example">b</a></p>', 'markdown',
         1, 'pending', 'comment', 3, :at, '', '')""",
    "INSERT INTO reasons VALUES (1, 2, 'withheld', ''), (2, 2, 'every_reply', '')",
    "INSERT INTO decisions VALUES (7, 2, 1, 'Rita', 'decided', 'pending', 'spam', 2, :at, NULL)",
    "INSERT INTO decisions VALUES (9, 2, 1, 'Rita', 'undone', 'spam', 'pending', 3, :at, 7)",
    "INSERT INTO notes VALUES (7, 'a slip')",
)
WITHDRAWN = """
    INSERT INTO decisions (id, comment_id, moderator_id, by, act, from_status, to_status, version, at)
    VALUES (10, 2, 1, 'Rita', 'withdrawn', 'pending', 'spam', 2, :at)"""
FOUND_BY = """SELECT website_domain, link_count, is_first, risk, report_count
    FROM comments ORDER BY id"""
FOUND = [("", 0, True, 0, 0), ("ann.example", 2, False, 30, 0)]
READ = (
    "SELECT id, by, act, from_status, to_status, version, undoes_id FROM decisions ORDER BY id",
    "SELECT decision_id, text FROM notes",
    "SELECT id, name, root_id, parent_id, status, version FROM comments ORDER BY id",
)


def test_a_database_of_the_first_release_is_brought_along_with_its_rows(bare_url):
    """And the log is as shut as before."""
    database.migrate(bare_url, "0001")
    engine = database.connect(bare_url)
    with engine.begin() as opened:
        for insert in FIRST_ROWS:
            opened.execute(text(insert), AT)
        before = [opened.execute(text(query)).all() for query in READ]
    engine.dispose()
    database.migrate(bare_url)
    with engine.begin() as opened:
        assert [opened.execute(text(query)).all() for query in READ] == before
        assert (
            opened.execute(text("SELECT mark, like_count FROM comments")).all() == [("none", 0)] * 2
        )
        assert opened.execute(text(FOUND_BY)).all() == FOUND
        opened.execute(text(WITHDRAWN), AT)
    for change in ("DELETE FROM decisions", "UPDATE decisions SET version = 1"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as opened:
            opened.execute(text(change))
    engine.dispose()


def test_a_database_whose_rows_point_at_nothing_is_left_as_it_is(tmp_path):
    """Only SQLite lets such rows in: somebody wrote into the file with another tool."""
    url = f"sqlite:///{tmp_path / 'broken.db'}"
    database.migrate(url, "0001")
    with sqlite3.connect(tmp_path / "broken.db") as opened:
        opened.execute("INSERT INTO notes VALUES (1, 'on no decision')")
    before = schema(url)
    with pytest.raises(Unusable, match="point at rows"):
        database.migrate(url)
    assert schema(url) == before


def test_migrating_again_changes_nothing(database_url):
    before = schema(database_url)
    database.migrate(database_url)
    assert len(before) > 20
    assert schema(database_url) == before


def test_the_database_refuses_to_change_what_is_on_record(connection):
    """It has no rows here, so the triggers are looked for, not pulled."""
    where = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT event_object_table FROM information_schema.triggers",
    }[connection.dialect.name]
    assert {"decisions", "events"} <= set(connection.scalars(text(where)))


def test_the_database_refuses_a_word_that_is_none(connection):
    insert = "INSERT INTO memberships (moderator_id, site_id, role) VALUES (1, 1, 'owner')"
    with pytest.raises(DBAPIError, match="role_known"):
        connection.execute(text(insert))
