"""What a worker does with a letter in hand, be it a mail or a call: has it put into words, and writes
down what became of it, for what is not written down is sent once more."""

from collections.abc import Callable
from typing import TypeVar

from flask import current_app
from sqlalchemy.orm import Session

from .. import database
from ..mail import outbox
from ..models import now
from ..status import Why

Made = TypeVar("Made")

TRIES = 5  # each for as long as a writer waits


def write_down(write: Callable[[Session], None]) -> None:
    """Writes, and insists while others are writing. Raises database.Busy in the end."""
    for attempt in range(TRIES):
        try:
            with database.writing() as session:
                return write(session)
        except database.Busy:
            if attempt == TRIES - 1:
                raise
    return None


def put_into_words(
    letter_id: int,
    me: str,
    make: Callable[[], Made | Why | None],
    failures: tuple[type[Exception], ...] = (),
) -> Made | None:
    """What is to be sent; None where there is nothing, and then why is written down. Takes what puts
    the letter into words (None if it is gone altogether) and the failures that its caller knows what
    to do about; any other fault is logged, and the letter tried later."""
    try:
        made = make()
    except failures:
        raise
    except Exception:
        current_app.logger.exception("Letter %s could not be put into words", letter_id)
        write_down(lambda s: outbox.try_later(s, letter_id, me, Why.BROKEN, "", now()))
        return None
    finally:
        database.forget()
    if isinstance(made, Why):
        why = made
        write_down(lambda session: outbox.drop(session, letter_id, me, why))
        return None
    return made
