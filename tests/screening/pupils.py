"""Processes that teach a filter: in a module of their own, so that another process can run them."""

from multiprocessing.queues import Queue

from service import lessons
from service.database import Busy, Database
from service.screening import filter
from service.vault import Vault

KEYS = ([b"an e-mail key for the tests only"], b"an index key for the tests only.")


def teach_often(url: str, site_id: int, number: int, times: int, faults: "Queue[str]") -> None:
    """Teaches so many batches of two examples, some words of which everybody teaches."""
    opened, vault = Database(url), Vault(*KEYS)
    try:
        for n in range(times):
            examples = [
                lessons.Example(
                    is_spam,
                    filter.looked_at(vault, site_id, "", "", f"shared words {number} {n}"),
                    f"{number} {n} {is_spam}".encode(),
                )
                for is_spam in (True, False)
            ]
            done = False
            while not done:
                try:
                    with opened.writing() as session:
                        lessons.teach(session, site_id, examples)
                    done = True
                except Busy:
                    continue
    except Exception as fault:
        faults.put(repr(fault))
    opened.dispose()
