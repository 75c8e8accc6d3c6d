"""Writing down what became of a letter: what is not written down is sent once more."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from .. import database

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
