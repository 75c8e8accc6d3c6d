"""A letter that comes back is found by its Message-ID; SQLite's search bears any number of erasures"""

from typing import Any

from alembic import op

revision = "returned"
down_revision = "mail_links"

# Before 3.42 each merge that the erasure of a text asks for (migration "search") puts two empty
# levels on the index, and with 2,000 of them SQLite takes the index for malformed: then nothing can
# be written any more. So it merges no further when there are many, until the worker makes the index
# anew (service/search.py). A level is two bytes of the record that describes the index.
SINCE = (3, 42)
TRIGGER = """CREATE TRIGGER search_change AFTER UPDATE OF name, text ON comments BEGIN
    INSERT INTO search(search, rowid, name, text)
        VALUES ('delete', old.id, old.name, old.text);
    INSERT INTO search(rowid, name, text) VALUES (new.id, new.name, new.text);
    INSERT INTO search(rowid, name, text)
        SELECT -1, '', '' WHERE new.text = '' AND old.text <> '';
    INSERT INTO search(search, rowid, name, text)
        SELECT 'delete', -1, '', '' WHERE new.text = '' AND old.text <> '';
    INSERT INTO search(search, rank)
        SELECT 'merge', -1000 WHERE new.text = '' AND old.text <> ''
            AND (SELECT length(block) FROM search_data WHERE id = 10) < 3000; END"""


def upgrade() -> None:
    op.create_index("ix_letters_message_id", "letters", ["message_id"])
    bind: Any = op.get_bind()
    if bind.dialect.name != "sqlite" or bind.dialect.dbapi.sqlite_version_info >= SINCE:
        return
    op.execute("DROP TRIGGER search_change")
    bind.exec_driver_sql(TRIGGER)
    bind.exec_driver_sql("INSERT INTO search(search) VALUES ('rebuild')")
