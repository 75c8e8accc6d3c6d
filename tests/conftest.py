"""What all tests share: an application on either database, the corpora, a browser.

A test that asks for `database_url`, `app` or `client` runs on SQLite; `make test-postgresql` runs it
once more on PostgreSQL, but for browser/. One that wants it otherwise says
`@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)`.
"""

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import postgres as postgresql
import pytest
import thrift  # noqa: F401 (at once)
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, expect, sync_playwright

from service import accounts, create_app, database
from service.screening import phrases
from service.vault import Vault

# A machine that others use too is slow at times: no test is about how long one example takes.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")

ROOT = Path(__file__).resolve().parent.parent
DATABASES = ("sqlite", "postgresql")
DATABASE = os.environ.get("DATABASE") or "sqlite"

# Fixed, so that a stored row or a signed link in a failing test can be read again.
EMAIL_KEY = b"an e-mail key for the tests only"
INDEX_KEY = b"an index key for the tests only."
SETTINGS = {
    "TESTING": True,
    "SECRET_KEY": "a secret key for the tests only",
    "EMAIL_KEYS": base64.b64encode(EMAIL_KEY).decode(),
    "INDEX_KEY": base64.b64encode(INDEX_KEY).decode(),
    "BASE_URL": "http://localhost",
    "RATE_LIMITS": "off",
    "FORM_MIN_SECONDS": 0,
}

# Argon2 at its cheapest: no test is about how long a password takes.
accounts.SECURITY["SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"] = {
    "argon2__time_cost": 1,
    "argon2__memory_cost": 8,  # KiB
    "argon2__parallelism": 1,
}

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = (
    "--no-sandbox",  # Chromium run by root has none
    "--disable-gpu",
    "--disable-quic",
    # In place of Playwright's own list, which also switches off the partitions that keep an
    # embed's storage apart on each publisher's page: here they stay, as in a reader's browser.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,MediaRouter,PaintHolding",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which database a test runs on."""
    said = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_url" in metafunc.fixturenames and "database_url" not in said:
        is_browsing = metafunc.definition.path.parent.name == "browser"
        kind = "sqlite" if is_browsing else DATABASE
        metafunc.parametrize("database_url", [kind], indirect=True)


def prepare(url: str) -> None:
    """Migrates a database and marks it with the tests' keys, as `flask setup` does."""
    database.migrate(url)
    database.leave_check(url, Vault([EMAIL_KEY], INDEX_KEY).check())


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A PostgreSQL server with a migrated database to copy. That it starts is not optional."""
    with postgresql.server() as server:
        server.make_template(prepare)
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("migrated") / "rejoinder.db"
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture
def make_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[str], AbstractContextManager[str]]:
    """Gives, for "sqlite" or "postgresql", the URL of a migrated, empty database."""

    @contextmanager
    def make(kind: str) -> Iterator[str]:
        assert kind in DATABASES, f"There is no database {kind}."
        if kind == "postgresql":
            with request.getfixturevalue("postgres").database() as url:
                yield url
        else:
            shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "rejoinder.db")
            yield f"sqlite:///{tmp_path / 'rejoinder.db'}"

    return make


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest,
    make_database: Callable[[str], AbstractContextManager[str]],
) -> Iterator[str]:
    with make_database(request.param) as url:
        yield url


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates, compiled once and not again for each test's application."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def make_app(
    database_url: str, tmp_path: Path, compiled: FileSystemBytecodeCache
) -> Iterator[Callable[..., Flask]]:
    """Makes applications on this test's database; settings given by name win."""
    made = []

    def make(**settings: Any) -> Flask:
        defaults = SETTINGS | {"DATABASE_URL": database_url, "INSTANCE": tmp_path}
        made.append(create_app(**(defaults | settings)))
        made[-1].jinja_env.bytecode_cache = compiled
        return made[-1]

    yield make
    phrases._READY.kept.clear()  # the next test's database may have this one's address
    for app in made:
        opened = app.extensions["database"]
        engines = (opened.read_engine, opened.write_engine)
        until = time.monotonic() + 5  # a page that a browser has left may still be on its way
        while any(e.pool.checkedout() for e in engines) and time.monotonic() < until:
            time.sleep(0.01)
        left = sum(e.pool.checkedout() for e in engines)
        opened.dispose()
        assert left == 0, "A connection was taken and not given back."


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application with CSRF on, as it is for real."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that keeps its own cookies."""
    return app.test_client()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Other people's real input, which is not part of the project."""
    folder = Path(os.environ.get("CORPORA") or ROOT.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip("the corpora are not here; CORPORA names their folder")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium that treats an embed as readers' browsers do: each new context blocks
    third-party cookies, as private windows do, and keeps storage in partitions."""
    found = map(shutil.which, filter(None, (os.environ.get("CHROMIUM"), *BROWSERS)))
    executable = next(filter(None, found), None)
    if executable is None:
        pytest.skip("there is no Chromium here; CHROMIUM names its path")
    expect.set_options(timeout=15_000)  # generous: nothing waits that long where all is well
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield launched
        launched.close()
