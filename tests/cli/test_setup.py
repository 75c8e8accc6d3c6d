"""`flask setup` and `flask settings` as an operator runs them: in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def flask(tmp_path):
    """Runs a command against an installation in an empty folder."""

    def run(*words, **environ):
        known = {k: v for k, v in os.environ.items() if not k.startswith("REJOINDER_")}
        return subprocess.run(
            [sys.executable, "-m", "flask", *words],
            cwd=ROOT,
            env=known | {"REJOINDER_INSTANCE": str(tmp_path / "instance")} | environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    return run


def test_it_makes_schema_and_secrets_once(flask, tmp_path):
    done = flask("setup")
    assert done.returncode == 0
    assert "/desk/first/" in done.stdout  # the way in for the first admin
    secrets = tmp_path / "instance" / "secrets.toml"
    first = secrets.read_text()
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700
    assert flask("setup").returncode == 0
    assert secrets.read_text() == first


def test_lost_secrets_are_not_replaced_behind_the_database_s_back(flask, tmp_path):
    flask("setup")
    (tmp_path / "instance" / "secrets.toml").unlink()
    again = flask("setup")
    assert again.returncode == 1
    assert "INDEX_KEY is not the one this database was written with" in again.stderr
    assert again.stderr.count("\n") == 1
    assert not (tmp_path / "instance" / "secrets.toml").exists()


@pytest.mark.long
def test_a_newer_key_stands_before_the_older_ones(flask, tmp_path):
    flask("setup")
    old = _keys(tmp_path)
    assert flask("setup", "--new-email-key").returncode == 0
    new = _keys(tmp_path)
    assert new[1:] == old
    rotated = flask("privacy", "rotate-keys")
    assert rotated.returncode == 0, rotated.stderr


def _keys(tmp_path):
    secrets = (tmp_path / "instance" / "secrets.toml").read_text()
    [line] = [line for line in secrets.splitlines() if line.startswith("EMAIL_KEYS")]
    return line.partition('"')[2].strip('"').split(",")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "run `flask setup`"),
        ({"REJOINDER_TRUSTED_PROXIES": "many"}, "TRUSTED_PROXIES must be"),
    ],
)
def test_what_stops_a_start_is_one_line(flask, environ, said):
    stopped = flask("demo", **environ)
    assert stopped.returncode == 1
    assert said in stopped.stderr
    assert stopped.stderr.count("\n") == 1


def test_a_database_that_cannot_be_reached_is_one_line(flask):
    stopped = flask("setup", REJOINDER_DATABASE_URL="sqlite:////nowhere/at/all.db")
    assert stopped.returncode == 1
    assert stopped.stderr.count("\n") == 1


def test_settings_prints_every_setting_without_a_set_up_installation(flask):
    printed = flask("settings")
    assert printed.returncode == 0
    words = " ".join(printed.stdout.split())
    for setting in SETTINGS:
        assert setting.name in words
        assert setting.sentence in words
