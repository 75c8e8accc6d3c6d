"""What the worker does about what waits too long: it reminds those who were told of it."""

import time

from .. import database, notices
from ..models import now

LOOKS = 300.0  # seconds until one process looks again
_looked = {"at": float("-inf")}


def remind() -> bool:
    """Writes to moderators that what they were told of still waits."""
    if time.monotonic() < _looked["at"] + LOOKS:
        return False
    _looked["at"] = time.monotonic()
    for site_id in notices.neglected(database.session(), now()):
        with database.writing() as session:
            notices.remind(session, site_id, now())
    return False
