"""Somebody who writes: in a module of its own, so that another process can run it too."""

import time
from multiprocessing.queues import Queue

from sqlalchemy import select

from service.database import Database
from service.models import Site


def write(opened: Database, name: str, seconds: float = 0.0) -> None:
    with opened.writing() as session:
        session.scalar(select(Site.id).limit(1))  # reads first, as real verbs do
        session.add(Site(key=name, name=name, origins=[]))
        session.flush()
        time.sleep(seconds)


def write_often(url: str, number: int, faults: "Queue[str]") -> None:
    opened = Database(url)
    try:
        for n in range(20):
            write(opened, f"{number}-{n}")
    except Exception as fault:
        faults.put(repr(fault))
    opened.dispose()
