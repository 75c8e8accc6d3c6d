"""Many writers at once, on the real thing: threads, processes, a lock held by somebody else."""

import multiprocessing
import sqlite3
import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from writer import write, write_often

from service import database
from service.database import Busy, Database
from service.models import Check, Site
from service.settings import Unusable


@pytest.fixture
def opened(database_url):
    opened = Database(database_url, waiting_writers=10)
    yield opened
    opened.dispose()


def names(opened):
    with opened.read_engine.connect() as connection:
        return set(connection.scalars(select(Site.key)))


def test_what_is_written_can_be_read(opened):
    write(opened, "a")
    assert names(opened) == {"a"}


def test_a_fault_leaves_nothing_behind(opened):
    def break_off():
        with opened.writing() as session:
            session.add(Site(key="a", name="a", origins=[]))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert names(opened) == set()
    write(opened, "b")  # and keeps no lock
    assert names(opened) == {"b"}


def test_the_reading_side_refuses_to_write(opened):
    with pytest.raises(DBAPIError), opened.read_engine.begin() as connection:
        connection.execute(text("UPDATE sites SET version = 2"))


def test_readers_do_not_wait_for_a_writer(opened):
    write(opened, "a")
    with opened.writing() as session:
        session.add(Site(key="b", name="b", origins=[]))
        session.flush()
        assert names(opened) == {"a"}


def test_threads_that_write_at_once_all_succeed(opened):
    faults = []

    def many(thread):
        try:
            for n in range(20):
                write(opened, f"{thread}-{n}")
        except Exception as fault:
            faults.append(fault)

    running = [threading.Thread(target=many, args=(thread,)) for thread in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert faults == []
    assert len(names(opened)) == 160


@pytest.mark.long
def test_processes_that_write_at_once_all_succeed(opened, database_url):
    context = multiprocessing.get_context("spawn")
    faults = context.Queue()
    running = [
        context.Process(target=write_often, args=(database_url, n, faults)) for n in range(2)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert faults.empty()
    assert len(names(opened)) == 40


def test_who_waits_too_long_is_told_so(opened, monkeypatch):
    """On SQLite; PostgreSQL's writers wait for rows, not for each other."""
    if opened.write_engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has one writer at a time")
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with opened.writing():
            inside.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait()
    try:
        with pytest.raises(Busy), opened.writing():
            pass
    finally:
        done.set()
        holder.join()
    write(opened, "a")


def test_only_so_many_of_a_process_may_wait(database_url):
    few = Database(database_url, waiting_writers=0)
    with few.writing(), pytest.raises(Busy), few.writing():
        pass
    few.dispose()


def test_sqlite_keeps_an_accepted_reply_through_a_power_cut(opened):
    if opened.write_engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL does so unasked")
    with opened.write_engine.connect() as connection:
        found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}
    assert found == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_keys_that_are_not_the_database_s_stop_the_start(opened):
    with pytest.raises(Unusable, match="INDEX_KEY is not the one"):
        database.check_keys(opened, b"another")


def test_a_database_without_keys_stops_the_start(opened):
    with opened.writing() as session:
        session.delete(session.get(Check, "keys"))
    with pytest.raises(Unusable, match="run `flask setup`"):
        database.check_keys(opened, b"any")


def test_a_database_without_tables_stops_the_start(tmp_path):
    sqlite3.connect(tmp_path / "empty.db").close()
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Unusable, match="run `flask setup`"):
        database.check_keys(empty, b"any")
    empty.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_stands_in_a_circle_is_told_that_many_are_writing(opened):
    first = opened.write_engine.connect()
    took = "SELECT pg_advisory_xact_lock(%s)"
    first.exec_driver_sql(took, (1,))
    has_two = threading.Event()
    busy = []

    def other():
        try:
            with opened.writing() as session:
                connection = session.connection()
                connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
                connection.exec_driver_sql(took, (2,))
                has_two.set()
                connection.exec_driver_sql(took, (1,))
        except Busy as error:
            busy.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    has_two.wait(10)
    with first:
        first.exec_driver_sql("SET LOCAL deadlock_timeout = '1min'")
        first.exec_driver_sql(took, (2,))
    thread.join()
    assert len(busy) == 1
