"""`flask worker`: what goes on when nobody asks. Any number of them may run; each can be stopped
at any moment, for a task does its work in short transactions and remembers how far it has come."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import database, events
from ..models import now
from ..screening import waves

IDLE_SECONDS = 2.0  # until it looks again where there was nothing to do

# Each is called over and over, and says whether there was something to do.
Task = Callable[[], bool]


def end_waves() -> bool:
    """Ends the waves that are over, where no comment comes in that would tell."""
    at = now()
    for wave_id in waves.quiet(database.session(), at):
        with database.writing() as session:
            if wave := waves.relax(session, wave_id, at):
                about = waves.named(session, wave)
                events.record(session, events.What.WAVE_ENDED, waves.BY, about, wave.site_id)
    return False  # one that is over is asked for once; one that goes on is seen again by then


TASKS: tuple[Task, ...] = (end_waves,)


@click.command()
@click.option("--once", is_flag=True, help="Do what there is to do, and end.")
@click.option("--with-parent", is_flag=True, help="End when the process that started it ends.")
@with_appcontext
def worker(once: bool, with_parent: bool) -> None:
    """Do what goes on in the background; end it with Ctrl-C."""
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        stopped.set()

    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    parent = os.getppid()
    while not stopped.is_set() and not (with_parent and os.getppid() != parent):
        was_busy = run()
        if once and not was_busy:
            break
        if not was_busy:
            stopped.wait(IDLE_SECONDS)


def run() -> bool:
    """Each task once; whether any had something to do. A fault ends its own task's turn alone."""
    return sum(_turn(task) for task in TASKS) > 0


def _turn(task: Task) -> bool:
    with suppress(database.Busy):  # many write at this moment: the next turn
        try:
            return task()
        except Exception:
            current_app.logger.exception("The task %s failed", task.__name__)
        finally:
            database.forget()
    return False
