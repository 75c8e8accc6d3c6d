"""What the worker does for imports that somebody asked for at the desk: it rehearses, imports, takes
back, and stops when asked.

One at a time, in a thread of its own, so that letters leave meanwhile. A worker that is killed in
the middle leaves a row whose last sign of life grows old: the next one goes on with it.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Update, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .. import database
from ..exchange import arrivals, moves, store, undoing
from ..exchange.formats import READERS
from ..exchange.pile import Pile, gather
from ..exchange.record import Addresses, Unreadable
from ..exchange.store import Run
from ..models import Import, Site, gone_sites, now
from ..status import ImportState, ImportWish
from .importing import BEAT, Stopped, beat, hold, renderers, said, write

# A worker that gives no sign of life for so long is dead.
SILENT = timedelta(seconds=20)
# After the last that was done with it: how long a file is kept that nobody needs any more, and one
# that was rehearsed, and then forgotten.
FILE_KEPT, REHEARSED_KEPT = timedelta(days=7), timedelta(days=30)
LOOKS = 3600.0  # seconds until one process looks for old files again
DOING = {
    ImportWish.REHEARSE: ImportState.REHEARSING,
    ImportWish.RUN: ImportState.RUNNING,
    ImportWish.UNDO: ImportState.UNDOING,
}
# Where a dead worker's row is taken up again.
AGAIN = {state: wish for wish, state in DOING.items()}
FAULTS = (SQLAlchemyError, database.Busy, OSError, BrokenProcessPool, Unreadable)

_looked = {"files": float("-inf")}
_at_work: dict[str, threading.Thread] = {}


def bring_comments() -> bool:
    """Begins what somebody asked of an import, and waits a moment for it; whether something is done."""
    thread = _at_work.get("thread")
    if thread is None or not thread.is_alive():
        if (found := _next()) is None:
            return False
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        thread = threading.Thread(target=_work, args=(app, *found), daemon=True)
        _at_work["thread"] = thread
        thread.start()
    thread.join(BEAT)
    return True


def old_files() -> bool:
    """Removes the files of imports that are over for a week, and what reports quote of them."""
    if time.monotonic() < _looked["files"] + LOOKS:
        return False
    _looked["files"] = time.monotonic()
    last = func.coalesce(Import.beat_at, Import.ended_at, Import.started_at)
    over = (ImportState.DONE, ImportState.UNDONE, ImportState.FAILED)
    idle = (ImportState.UPLOADED, ImportState.REHEARSED)
    old = or_(
        Import.state.in_(over) & (last < now() - FILE_KEPT),
        Import.state.in_(idle) & (last < now() - REHEARSED_KEPT),
    )
    wanted = select(Import).where(old, Import.wish.is_(None), Import.stored_as != "")
    gone = []
    with database.writing() as session:
        for found in session.scalars(wanted):
            gone.append(found.stored_as)
            found.stored_as, found.report = "", found.report | {"changed": []}
    for stored_as in gone:
        arrivals.remove(Path(current_app.config["INSTANCE"]), stored_as)
    return False


def _next() -> tuple[int, ImportWish] | None:
    """The import to work on, and what to do with it."""
    database.forget()  # what somebody wished for since it last looked
    dead = Import.state.in_(AGAIN) & (Import.beat_at < now() - SILENT) & (Import.stored_as != "")
    rows = database.session().execute(
        select(Import.id, Import.wish, Import.state, Import.site_id)
        .where(or_(Import.wish.is_not(None), dead), Import.site_id.not_in(gone_sites()))
        .order_by(Import.id)
    )
    for row in rows.all():
        if not _is_free(row.site_id):
            continue
        if row.state in AGAIN and row.wish == ImportWish.STOP:
            _end_if_dead(row.id)
        elif row.state in AGAIN:
            return row.id, AGAIN[row.state]
        elif row.wish in DOING:
            return row.id, row.wish
    return None


def _is_free(site_id: int) -> bool:
    """Whether nobody on this machine is at an import of the site."""
    if held := hold(site_id):
        held.close()
    return held is not None


def _end_if_dead(number: int) -> None:
    """Stops what nobody works on any more."""
    silent = or_(Import.beat_at.is_(None), Import.beat_at < now() - SILENT)
    ended = update(Import).where(Import.id == number, silent)
    with database.writing() as session:
        session.execute(ended.values(state=ImportState.STOPPED, wish=None, ended_at=now()))


def _work(app: Flask, number: int, wish: ImportWish) -> None:
    with app.app_context():
        try:
            with _held(number) as is_free:
                if is_free and _begin(number, wish):
                    _do(number, wish)
        except Exception:
            app.logger.exception("Import %s broke off", number)
        finally:
            database.forget()


@contextmanager
def _held(number: int) -> Iterator[bool]:
    """Alone with the site's imports, if nobody else is at one."""
    site_id = database.session().scalar(select(Import.site_id).where(Import.id == number))
    held = hold(site_id) if site_id else None
    try:
        yield held is not None
    finally:
        if held:
            held.close()


def _begin(number: int, wish: ImportWish) -> bool:
    """Takes the wish up; whether it was still there to be taken."""
    state = DOING[wish]
    dead = (Import.state == state) & (Import.beat_at < now() - SILENT)
    taken = update(Import).where(Import.id == number, or_(Import.wish == wish, dead))
    # What somebody wants of it by now, other than this, stays.
    with database.writing() as session:
        done = session.execute(
            taken.values(state=state, wish=None, why="", progress=0, beat_at=now()).returning(
                Import.id
            )
        )
        return done.first() is not None


def _do(number: int, wish: ImportWish) -> None:
    work = _Work.of(database.session().get_one(Import, number))
    try:
        {
            ImportWish.REHEARSE: work.rehearse,
            ImportWish.RUN: work.run_on,
            ImportWish.UNDO: work.undo,
        }[wish]()
    except Stopped:
        work.end(_broken_off(wish))
    except store.OtherAddresses as other:
        work.end(
            ImportState.FAILED if not work.has_brought() else ImportState.STOPPED,
            f"Import {other} has brought this file’s comments to other addresses. Take that one "
            "back, or give this one the same rules",
        )
    except FAULTS as fault:
        is_the_file = isinstance(fault, Unreadable) and not work.has_brought()
        work.end(ImportState.FAILED if is_the_file else _broken_off(wish), said(fault))
    except Exception:
        # Else the next worker would take it up, and fall over it, for ever.
        current_app.logger.exception("Import %s broke off", number)
        work.end(_broken_off(wish), "Something happened that was not foreseen; it is in the log")


def _broken_off(wish: ImportWish) -> ImportState:
    """Whence it can be asked for once more."""
    return ImportState.UPLOADED if wish == ImportWish.REHEARSE else ImportState.STOPPED


@dataclass
class _Work:
    """One import that is worked on."""

    number: int
    run: Run
    path: Path
    rules: list[str]
    addresses: Addresses
    last: float = 0.0

    @classmethod
    def of(cls, found: Import) -> "_Work":
        site = database.session().get_one(Site, found.site_id)
        origins = list(site.origins)
        vault = current_app.extensions["vault"]
        run = Run(site.id, origins, found.format, vault, import_id=found.id)
        folder = Path(current_app.config["INSTANCE"], arrivals.FOLDER)
        addresses = moves.addresses(found.rules, origins)
        return cls(found.id, run, folder / found.stored_as, list(found.rules), addresses)

    def rehearse(self) -> None:
        """Reads all of it, and writes nothing but what was found."""
        with Pile() as pile:
            self._gather(pile, is_told=True)
            for _ in store.rehearse(self.run, pile.threads()):
                self.beat(self.run.tally.together())
            self._keep_report(pile, is_run=False)
        self.end(ImportState.REHEARSED)

    def run_on(self) -> None:
        """Imports, or goes on with it."""
        with renderers(self.path.stat().st_size) as self.run.make, Pile() as pile:
            self._gather(pile, is_told=False)
            write(self._take_up(pile))
            try:
                for step in store.write(self.run, pile.threads()):
                    write(step)
                    self.beat(self.run.tally.together())
            except BaseException:
                write(lambda session: store.end(session, self.run, ImportState.STOPPED))
                raise
            self._keep_report(pile, is_run=True)
        write(lambda session: store.end(session, self.run, ImportState.DONE))
        self.end(ImportState.DONE)

    def _take_up(self, pile: Pile) -> store.Step:
        def step(session: Session) -> None:
            store.take_up(session, self.run, pile)
            # What the rehearsal quoted stands in comments from now on, and goes with those.
            found = session.get_one(Import, self.number)
            found.report = found.report | {"changed": []}

        return step

    def undo(self) -> None:
        """Takes back what it brought."""
        total = self._brought()
        write(lambda session: self._put(session, total=total))
        for step in undoing.undo(self.number):
            write(step)
            if self._is_due():
                self.beat(total - self._brought())
        self.end(ImportState.UNDONE)

    def has_brought(self) -> bool:
        return self._brought() > 0

    def end(self, state: ImportState, why: str = "") -> None:
        """Says what became of it."""
        ended = {"state": state, "why": why[:500], "beat_at": now(), "ended_at": now()}
        write(lambda session: self._put(session, wish=None, **ended))

    def beat(self, done: int) -> None:
        """Says once a second how far it is. Raises Stopped where somebody asked for that."""
        if not self._is_due():
            return
        self.last = time.monotonic()
        if beat(self.number, done):
            raise Stopped

    def _is_due(self) -> bool:
        return time.monotonic() - self.last > BEAT

    def _gather(self, pile: Pile, is_told: bool) -> None:
        """Reads the file. Takes whether that is told as progress."""
        with self.path.open("rb") as file:
            read = READERS[self.run.source].read
            records = read(file, self.addresses, self.run.troubles)
            for count in gather(records, self.addresses, pile):
                if not count % 100:
                    self.beat(count if is_told else 0)
        store.lead(database.session(), self.run.site_id, pile)
        write(lambda session: self._put(session, total=pile.comments, progress=0))

    def _keep_report(self, pile: Pile, is_run: bool) -> None:
        unused = moves.unused(self.rules, self.addresses)
        report = self.run.found.to_json(self.run.tally, self.run.troubles, unused, is_run)
        count = pile.comments
        write(lambda session: self._put(session, report=report, total=count, progress=count))

    def _put(self, session: Session, **values: Any) -> None:
        session.execute(self._row().values(**values))

    def _row(self) -> Update:
        return update(Import).where(Import.id == self.number)

    def _brought(self) -> int:
        found = database.session().scalar(undoing.count_of(self.number)) or 0
        database.forget()
        return found
