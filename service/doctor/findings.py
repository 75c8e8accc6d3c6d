"""One thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    GOOD = "good"
    NOTE = "note"  # nothing is broken; it could be better, or could not be seen
    MEND = "mend"


@dataclass(frozen=True)
class Finding:
    """What is so, and what to do where it should not be."""

    state: State
    said: str
    advice: str = ""


def good(said: str) -> Finding:
    return Finding(State.GOOD, said)


def note(said: str, advice: str = "") -> Finding:
    return Finding(State.NOTE, said, advice)


def mend(said: str, advice: str) -> Finding:
    return Finding(State.MEND, said, advice)
