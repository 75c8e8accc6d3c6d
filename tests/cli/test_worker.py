"""`flask worker` does what goes on in the background, one task after the other."""

import base64
import os
import signal
import subprocess
import sys
import time

import pytest

from service import database
from service.cli import worker


@pytest.fixture
def tasks(monkeypatch):
    """The tasks of a worker in a test, by their names; each notes its turns."""
    turns = []

    def give(*made):
        monkeypatch.setattr(worker, "TASKS", made)
        return turns

    give.turns = turns
    return give


def busy(turns, times):
    def work():
        turns.append("busy")
        return turns.count("busy") < times

    return work


def test_it_goes_on_until_there_is_nothing_to_do(app, tasks):
    tasks(busy(tasks.turns, 3))
    result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.exit_code == 0
    assert tasks.turns == ["busy"] * 3


def test_a_fault_ends_its_own_task_s_turn_alone(app, tasks, caplog):
    def broken():
        raise ValueError("of this test")

    tasks(broken, busy(tasks.turns, 2))
    assert app.test_cli_runner().invoke(args=["worker", "--once"]).exit_code == 0
    assert tasks.turns == ["busy"] * 2
    assert "The task broken failed" in caplog.text


def test_a_task_that_finds_many_writing_is_tried_again_and_nobody_is_alarmed(app, tasks, caplog):
    def waits():
        raise database.Busy

    tasks(waits)
    with app.app_context():
        assert worker.run() is False
    assert not caplog.records


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(app, number):
    process = started(app)
    process.send_signal(number)
    assert process.wait(20) == 0


@pytest.mark.long
def test_it_ends_with_the_server_that_it_was_started_beside(app):
    """As `make run` starts it: by a shell that then becomes the server."""
    shell = '"$0" -m flask worker --parent $$ & echo $!; exec sleep 300'
    server = subprocess.Popen(
        ["sh", "-c", shell, sys.executable],
        env=environment(app), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    number = int(server.stdout.readline())
    assert "has begun" in server.stdout.readline()
    server.kill()
    server.wait()
    until = time.monotonic() + 30
    while is_running(number) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(number)


def started(app):
    """A worker that listens for signals."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "worker"],
        env=environment(app), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "has begun" in process.stdout.readline()
    return process


def environment(app):
    """The environment of a command on the same database."""
    known = {name: app.config[name] for name in ("DATABASE_URL", "SECRET_KEY", "INSTANCE")}
    for name in ("EMAIL_KEYS", "INDEX_KEY"):
        keys = app.config[name] if isinstance(app.config[name], list) else [app.config[name]]
        known[name] = ",".join(base64.b64encode(key).decode() for key in keys)
    return {**os.environ, **{f"REJOINDER_{name}": str(value) for name, value in known.items()}}


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
