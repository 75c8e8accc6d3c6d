"""Who does the jobs over many comments: this request, or a thread of the process that took it.

A job needs no tab, and no worker: if its process dies, whoever looks at it can go on with it.
"""

import threading
import time
from collections.abc import Callable

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from .. import bulk, database
from ..models import Bulk

# A writer waits for the file lock by looking every 2 ms: a job leaves it free as long as it held it.
LEAST_PAUSE, LONGEST_PAUSE = 0.01, 0.1  # seconds
BUSY_PAUSE = 0.25
MOST_FAILED = 200  # tries in a row that found no turn: about a minute
ATTEMPTS = 4


def at_once(start: Callable[[Session], Bulk]) -> int:
    """Does a job that is one batch in one transaction; a larger one is begun. Returns its number."""
    for attempt in range(ATTEMPTS):
        try:
            with database.writing() as session:
                job = start(session)
                job_id, is_more = job.id, True
                if job.total <= bulk.BATCH:
                    bulk.step(session, job_id, bulk.ahead(session, job_id))
                    # What was counted as one batch may have grown: a second one is the job's.
                    if bulk.ahead(session, job_id) is None:
                        is_more = bulk.step(session, job_id, None)
            break
        except database.Busy:  # somebody decides on one of these at this very moment
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(BUSY_PAUSE)
    if is_more:
        run(job_id)
    return job_id


def run(job_id: int) -> None:
    """Starts a thread that does the job. Its application remembers it, for who wants to wait."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_run, args=(app, job_id), name=f"job {job_id}", daemon=True)
    app.extensions.setdefault("jobs", {})[job_id] = thread
    thread.start()


def _run(app: Flask, job_id: int) -> None:
    """Batch after batch; between them others get their turn."""
    is_ended, failed = False, 0
    with app.app_context():
        try:
            while not is_ended:
                began = time.monotonic()
                try:
                    batch = bulk.ahead(database.session(), job_id)
                    database.forget()
                    began = time.monotonic()
                    with database.writing() as session:
                        is_ended = not bulk.step(session, job_id, batch)
                    failed = 0
                except (database.Busy, OperationalError):
                    # Others have their turn, or a lock stood in a circle.
                    failed += 1
                    if failed > MOST_FAILED:
                        app.logger.error("Job %s found no turn to write", job_id)
                        return
                    time.sleep(BUSY_PAUSE)
                    continue
                time.sleep(min(max(time.monotonic() - began, LEAST_PAUSE), LONGEST_PAUSE))
        finally:
            if not is_ended:  # it is found dead on its page, and can be taken up there
                app.logger.error("Job %s stopped in the middle", job_id)
