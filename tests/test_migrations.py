"""The schema that migrations make is the one that the models describe, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import DBAPIError

from service import accounts, database
from service.models import Base


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
    """What a new migration would have to change."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
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


def test_migrating_again_changes_nothing(database_url):
    before = schema(database_url)
    database.migrate(database_url)
    assert len(before) > 20
    assert schema(database_url) == before


def test_the_database_refuses_to_change_the_decision_log(connection):
    """It has no rows here, so the triggers are looked for, not pulled."""
    where = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT event_object_table FROM information_schema.triggers",
    }[connection.dialect.name]
    assert "decisions" in set(connection.scalars(text(where)))


def test_the_database_refuses_a_word_that_is_none(connection):
    insert = "INSERT INTO memberships (moderator_id, site_id, role) VALUES (1, 1, 'owner')"
    with pytest.raises(DBAPIError, match="role_known"):
        connection.execute(text(insert))
