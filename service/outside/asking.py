"""Asks the services outside about a comment, both at once, and not for long."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..outbound import Outbound
from ..rules import Opinion
from . import by_akismet, by_hook
from .choice import Choice
from .question import Question

__all__ = ["Question", "ask"]

SECONDS = 3.0  # that a reader waits for all of it
log = logging.getLogger(__name__)
AT_ONCE = threading.BoundedSemaphore(4)  # of one process: the others do not wait


def ask(outbound: Outbound, choice: Choice, asked: Question) -> tuple[Opinion, ...]:
    """What the services that are on say of a comment, or that one could not be asked. Takes no
    longer than SECONDS, raises nothing and reads no database."""
    asks: list[tuple[str, Callable[[], Opinion]]] = []
    if choice.akismet.is_on:
        chosen = choice.akismet
        asks.append((by_akismet.SOURCE, lambda: by_akismet.check(outbound, chosen, asked, SECONDS)))
    if choice.hook.is_on:
        own = choice.hook
        asks.append((by_hook.SOURCE, lambda: by_hook.check(outbound, own, asked, SECONDS)))
    if not asks:
        return ()
    if not AT_ONCE.acquire(blocking=False):
        return tuple(Opinion(source, None, "too many were asked at once") for source, _ in asks)
    try:
        with ThreadPoolExecutor(len(asks)) as pool:
            return tuple(pool.map(lambda one: _safely(*one), asks))
    finally:
        AT_ONCE.release()


def _safely(source: str, check: Callable[[], Opinion]) -> Opinion:
    """Whatever goes wrong there, the comment is stored and waits."""
    try:
        return check()
    except Exception as error:  # what it said may quote the comment, and stays out of the log
        log.error("Asking %s failed: %s", source, type(error).__name__)
        return Opinion(source, None, "something went wrong while it was asked")
