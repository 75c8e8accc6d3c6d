"""`flask worker`: what goes on when nobody asks. Any number of them may run; each can be stopped
at any moment, for a task does its work in short transactions and remembers how far it has come."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import database
from . import learning
from .articles import make_one, move_on
from .bringing import bring_comments, old_files
from .hooks import call_hooks
from .mail import send_letters
from .outside import tell_akismet
from .pruning import (
    erase_sites,
    old_letters,
    old_networks,
    old_tokens,
    refused_texts,
    search_index,
)
from .reminding import remind
from .waves import end_waves

IDLE_SECONDS = 2.0  # until it looks again where there was nothing to do

# Each is called over and over, and says whether there was something to do.
Task = Callable[[], bool]
TASKS: tuple[Task, ...] = (
    send_letters,
    call_hooks,
    bring_comments,
    learning.learn,
    learning.rescore,
    tell_akismet,
    end_waves,
    make_one,
    move_on,
    old_tokens,
    old_letters,
    old_files,
    erase_sites,
    old_networks,
    refused_texts,
    remind,
    search_index,
)


@click.command()
@click.option("--once", is_flag=True, help="Do what there is to do, and end.")
@click.option("--parent", type=int, help="End when the process of this number, its parent, ends.")
@with_appcontext
def worker(once: bool, parent: int | None) -> None:
    """Do what goes on in the background; end it with Ctrl-C."""
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        stopped.set()

    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        click.echo("The worker has begun.")
    while not stopped.is_set() and parent in (None, os.getppid()):
        was_busy = run()
        if once and not was_busy:
            break
        if not was_busy:
            stopped.wait(IDLE_SECONDS)


def run() -> bool:
    """Each task once; whether any had something to do. A fault ends its own task's turn alone."""
    return sum(_turn(task) for task in TASKS) > 0


def _turn(task: Task) -> bool:
    try:
        return task()
    except database.Busy:  # many write at this moment: the next turn
        return False
    except Exception:
        current_app.logger.exception("The task %s failed", task.__name__)
        return False
    finally:
        database.forget()
