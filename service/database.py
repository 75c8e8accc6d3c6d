"""Engines, one read session per request, and the one way to write.

Every request reads on a read-only engine. A door opens the write session after validation and
rendering, calls one verb, and commits on leaving:

    with database.writing() as session:
        comments.submit(session, ...)

On SQLite a writer queues on a file lock before BEGIN IMMEDIATE: SQLite's own busy handler polls
unfairly, and a transaction that turns from reader to writer cannot wait at all.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from flask import Flask, current_app, g
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from .models import Check
from .settings import Unusable

WAIT_SECONDS = 5.0
POLL_SECONDS = 0.002
# Between the steps of a long work; and how often in a row one may meet others.
LEAST_PAUSE, LONGEST_PAUSE = 0.01, 0.1  # seconds
MOST_FAILED = 10


class Busy(Exception):
    """Too many people are writing at this moment; nothing was stored."""


class Database:
    """The engines of one application. Takes database URLs (the second of a copy that may lag behind)
    and how many writers may wait."""

    def __init__(self, url: str, read_url: str = "", waiting_writers: int = 3) -> None:
        self.write_engine = connect(url)
        self.read_engine = connect(url, is_read_only=True)
        self.copy_engine = connect(read_url, is_read_only=True) if read_url else self.read_engine
        # The one who writes and those who wait; one thread of the process stays free to answer.
        self.writers = threading.BoundedSemaphore(waiting_writers + 1)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A write session that commits on leaving; raises Busy if its turn does not come in time."""
        if not self.writers.acquire(blocking=False):
            raise Busy
        try:
            with Session(self.write_engine) as session, session.begin():
                session.connection()  # takes the lock now, not at the first statement
                yield session
        except OperationalError as error:
            if _is_about_locks(error):
                raise Busy from error
            raise
        finally:
            self.writers.release()

    def settle(self) -> None:
        """Empties SQLite's log beside the file, which still holds what was erased lately; as far as
        nobody is reading there at this moment. PostgreSQL has its own ways."""
        if self.write_engine.dialect.name == "sqlite":
            connection = self.write_engine.raw_connection()  # outside of any transaction
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def dispose(self) -> None:
        for engine in {self.write_engine, self.read_engine, self.copy_engine}:
            engine.dispose()


def connect(url: str, is_read_only: bool = False) -> Engine:
    """An engine for SQLite or PostgreSQL; a read-only one refuses to write.

    What people wrote stays out of error messages, and so out of logs.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url, is_read_only)
    waits = f"-c lock_timeout={int(WAIT_SECONDS)}s"
    refuses = "-c default_transaction_read_only=on"
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={"options": f"-c timezone=UTC {refuses if is_read_only else waits}"},
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", _cut_details)
    return engine


def _cut_details(context: ExceptionContext) -> None:
    """Leaves only the first line of what PostgreSQL says: its DETAIL and CONTEXT quote keys, rows
    and parameters, which `hide_parameters` does not hide."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])


class _Hinted(SQLiteCompiler):
    """SQLite has no statistics to choose an index by and is told where it matters, by
    `with_hint(table, "INDEXED BY …", "sqlite")`, which SQLAlchemy otherwise passes over."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _sqlite(url: str, is_read_only: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS}, hide_parameters=True)
    engine.dialect.statement_compiler = _Hinted
    lock = Path(f"{engine.url.database}.lock")

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        # FULL: a reply that was acknowledged survives a power cut.
        # What is erased is overwritten, whatever SQLite was built with.
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"]
        # A batch touches pages of some twenty indexes: they are kept (32 MB at most), and brought
        # over from the log after many changes only (32 MB too). An import is a quarter faster.
        mine = (
            ["query_only=ON"] if is_read_only else ["cache_size=-32000", "wal_autocheckpoint=8000"]
        )
        for pragma in [*pragmas, *mine]:
            connection.execute(f"PRAGMA {pragma}")
        if not is_read_only:
            record.info["lock"] = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)

    if is_read_only:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    @event.listens_for(engine, "begin")
    def queue(connection: Connection) -> None:
        _wait_for(connection.connection.info["lock"])
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def leave(connection: Any, record: Any) -> None:
        if "lock" in record.info:
            fcntl.flock(record.info["lock"], fcntl.LOCK_UN)

    @event.listens_for(engine, "close")
    def close(connection: Any, record: Any) -> None:
        if "lock" in record.info:
            os.close(record.info.pop("lock"))

    return engine


def _wait_for(lock: int) -> None:
    """Polls, since a blocking lock knows no time-out; the kernel frees it if its holder dies."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Busy from None
            time.sleep(POLL_SECONDS)


def _is_about_locks(error: OperationalError) -> bool:
    """Whether a lock was not to be had in time, or those who wait stood in a circle."""
    is_said = getattr(error.orig, "sqlstate", "") in ("55P03", "40P01")
    return is_said or "database is locked" in str(error.orig)


def migrate(url: str, revision: str = "head") -> None:
    """Brings a database to the newest schema; does nothing to one that has it.

    All of it or nothing; raises Unusable if rows would point at nothing.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = connect(url)
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        # It changes some tables by a copy that takes the old one's place, and no transaction can
        # switch this off (sqlite.org/lang_altertable.html, 7).
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA foreign_keys=OFF"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise Unusable("Rows of the database point at rows that are not there.")
    engine.dispose()


def check_keys(opened: Database, expected: bytes) -> None:
    """Stops a start with keys that are not the ones the rows were written with.

    Takes what the keys at hand would have left in the database; raises Unusable.
    """
    try:
        with Session(opened.read_engine) as session:
            stored = session.get(Check, "keys")
    except (OperationalError, ProgrammingError) as error:
        raise Unusable(f"The database is not ready ({_said(error)}): run `flask setup`.") from error
    if stored is None:
        raise Unusable("The database is not ready (it has no keys): run `flask setup`.")
    if stored.value != expected:
        raise Unusable(
            "INDEX_KEY is not the one this database was written with: "
            "put back the instance/secrets.toml that belongs to it."
        )


def leave_check(url: str, expected: bytes) -> None:
    """Marks a migrated database with its keys; raises Unusable if it has others."""
    opened = Database(url)
    with opened.writing() as session:
        if session.get(Check, "keys") is None:
            session.add(Check(name="keys", value=expected))
    check_keys(opened, expected)
    opened.dispose()


def _said(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0]


def init_app(app: Flask) -> None:
    app.extensions["database"] = Database(
        app.config["DATABASE_URL"], app.config["READ_DATABASE_URL"], app.config["WAITING_WRITERS"]
    )
    app.teardown_appcontext(_close)


def database() -> Database:
    return cast(Database, current_app.extensions["database"])


def session() -> Session:
    """This request's session for reading; every look at an article is a look at one moment."""
    if "reading" not in g:
        opened = database()
        g.reading = Session(opened.copy_engine if "is_public" in g else opened.read_engine)
    return cast(Session, g.reading)


def read_a_copy() -> None:
    """This request shows what all may see: it may read where READ_DATABASE_URL says."""
    g.is_public = True


@contextmanager
def writing() -> Iterator[Session]:
    """This application's write session. The request's reading ends here, so that what is read
    afterwards is what was written."""
    forget()
    with database().writing() as session:
        yield session


def in_steps(
    step: Callable[[Session, Any], bool],
    look: Callable[[Session], Any] = lambda session: None,
    seconds: float | None = None,
) -> bool:
    """Takes step after step, each in a write session of its own, until one says that there is no
    more to do, or the time is over. Each step is given what a look with a session that reads has
    found before. Whether all is done; who comes later can go on.

    In between, others who write have as much time as a step took. One that met what somebody else
    wrote at the same moment is taken again.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    is_more, failed = True, 0
    while is_more and (until is None or time.monotonic() < until):
        seen = look(session())
        forget()
        began = time.monotonic()
        try:
            with writing() as writer:
                is_more = step(writer, seen)
            failed = 0
        except (Busy, IntegrityError):
            failed += 1
            if failed == MOST_FAILED:
                raise
        time.sleep(min(max(time.monotonic() - began, LEAST_PAUSE), LONGEST_PAUSE))
    return not is_more


def forget() -> None:
    """Ends this request's reading."""
    if "reading" in g:
        g.pop("reading").close()


def _close(_: BaseException | None) -> None:
    forget()
