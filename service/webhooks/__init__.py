"""A site's webhooks: kept, read, put into words and called. Their letters are written by notices/.

A hook's address may be a key itself, so it is sealed like its secret, and only its host is shown.
"""

from .calling import Call, Reply, call, compose
from .keeping import (
    EVENTS,
    MOST,
    NotReplayable,
    TooMany,
    Wish,
    add,
    change,
    gone,
    is_by_hand,
    is_test,
    ping,
    remove,
    replay,
    reseal,
    rotate,
    switch,
)
from .readings import LISTED, Row, find, host, log, of_site, waiting

__all__ = [
    "EVENTS",
    "LISTED",
    "MOST",
    "Call",
    "NotReplayable",
    "Reply",
    "Row",
    "TooMany",
    "Wish",
    "add",
    "call",
    "change",
    "compose",
    "find",
    "gone",
    "host",
    "is_by_hand",
    "is_test",
    "log",
    "of_site",
    "ping",
    "remove",
    "replay",
    "reseal",
    "rotate",
    "switch",
    "waiting",
]
