"""`flask import`: comments in from elsewhere."""

import fcntl
import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from .. import database
from ..exchange import moves, store, undoing
from ..exchange.formats import READERS, Read
from ..exchange.pile import Pile, gather
from ..exchange.record import Addresses, Record, Troubles, Unreadable
from ..exchange.report import Found, Tally
from ..exchange.store import Run
from ..models import Comment, Import, Site, now
from ..status import ImportState, ImportWish, Status
from .sites import site_or_stop

# From so many bytes on, starting processes that render costs less than it saves.
MANY = 2_000_000
BEAT = 1.0  # seconds after which an import says again that somebody works on it
TRIES = 6  # times five seconds that a step waits for its turn
# What may end a run half-way; it can then be run on.
FAULTS = (KeyboardInterrupt, SQLAlchemyError, database.Busy)

import_ = AppGroup("import", help="Bring in the comments of another system.")


class Stopped(Exception):
    """Somebody asked for it at the desk."""


class Mapping(click.ParamType[str]):
    """OLD=NEW, two beginnings of article addresses, or two patterns."""

    name = "OLD=NEW"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            moves.parse(value)
        except moves.NoRule as error:
            self.fail(str(error), param, ctx)
        return str(value)


@dataclass(frozen=True)
class Source:
    """A file, and how it is read, which moves a bar on a terminal."""

    read: Read
    path: Path
    addresses: Addresses
    rules: tuple[str, ...] = ()

    def records(self, doing: str, troubles: Troubles) -> Generator[Record]:
        with self.path.open("rb") as file, _bar(doing, self.path.stat().st_size) as move:
            yield from self.read(cast(BinaryIO, _Metered(file, move)), self.addresses, troubles)


class _Metered:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, move: Callable[[int], None]) -> None:
        self.file = file
        self.move = move
        self.name = file.name

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        self.move(len(chunk))
        return chunk


@contextmanager
def _bar(doing: str, length: int, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; elsewhere than on a terminal just one line."""
    if not sys.stderr.isatty():
        click.echo(f"{doing} ({length:,} {unit}) …", err=True)
        yield lambda _: None
        return
    with click.progressbar(length=length, label=doing, file=sys.stderr) as bar:
        yield bar.update


def _import_command(format: str, read: Read) -> click.Command:
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--site", "key", required=True, help="The site's key.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
    @click.option(
        "--map",
        "maps",
        multiple=True,
        type=Mapping(),
        help="Rewrite articles' addresses by their beginning, or by a pattern with *; repeat for more.",
    )
    def command(file: Path, key: str, dry_run: bool, maps: tuple[str, ...]) -> None:
        site = site_or_stop(database.session(), key)
        try:
            source = Source(read, file, moves.addresses(maps, site.origins), maps)
        except moves.NoRule as error:  # two that contradict each other
            raise click.UsageError(f"--map {error}.") from None
        with _one_line(file):
            _bring(format, source, site, dry_run)

    command.__doc__ = f"Bring in the comments of FILE: {READERS[format].label}."
    return import_.command(format)(command)


for _reader in READERS.values():
    _import_command(_reader.name, _reader.read)


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Turns what can go wrong with a file into the one line that the operator reads."""
    try:
        yield
    except Unreadable as error:
        raise click.ClickException(f"{path} cannot be imported: {error}.") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}.") from None
    except database.Busy:
        raise click.ClickException("The database is busy; try again in a moment.") from None


@contextmanager
def alone(site_id: int) -> Iterator[None]:
    """One import or undo of a site at a time. The kernel ends the hold with its process, however
    that ends."""
    if (held := hold(site_id)) is None:
        raise click.ClickException(
            "An import of this site is running; wait until it is done, then run this again."
        )
    with held:
        yield


def hold(site_id: int) -> IO[bytes] | None:
    """The open file whose lock says that an import of the site is running, None if one is."""
    held = Path(current_app.config["INSTANCE"], f"import-{site_id}.lock").open("ab")  # noqa: SIM115  given on open
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def _state(found: Import) -> ImportState:
    """What an import is doing; one whose process was killed could not say that it stopped."""
    if found.state == ImportState.RUNNING and (held := hold(found.site_id)):
        held.close()
        return ImportState.STOPPED
    return found.state


def _bring(format: str, source: Source, site: Site, is_rehearsal: bool) -> None:
    run = Run(site.id, site.origins, format, current_app.extensions["vault"])
    digest = _digest(source.path)
    if is_rehearsal:
        with Pile() as pile:
            _gather(run, source, pile)
            for _ in store.rehearse(run, pile.threads()):
                pass
        click.echo(f"Rehearsal for {site.name}: nothing was written.")
    else:
        name = site.name
        with alone(run.site_id), renderers(source.path.stat().st_size) as run.make, Pile() as pile:
            _gather(run, source, pile)
            _open(run, source, digest, pile)
            _write(run, pile)
        click.echo(f"Import {run.import_id} into {name} is done.")
    _tell(run, source.addresses, "to import" if is_rehearsal else "imported")


def _gather(run: Run, source: Source, pile: Pile) -> None:
    records = source.records(f"Reading {source.path.name}", run.troubles)
    try:
        for _ in gather(records, source.addresses, pile):
            pass
    except Unreadable:
        _tell_lines(run.troubles)
        raise
    store.lead(database.session(), run.site_id, pile)


def _digest(path: Path) -> str:
    """Names the file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(run: Run, source: Source, digest: str, pile: Pile) -> None:
    try:
        with database.writing() as session:
            found = store.begin(session, run, source.path.name, digest, pile)
            found.beat_at, found.progress = now(), 0
            found.size, found.total = source.path.stat().st_size, pile.comments
            found.rules = list(source.rules)
    except store.AtTheDesk as error:
        raise click.ClickException(
            f"This file is being brought along at the desk, as import {error}. Wait until that is "
            "done, or stop it there."
        ) from None
    except store.OtherAddresses as error:
        raise click.ClickException(
            f"Import {error} has brought this file's comments to other addresses (another --map?); "
            f"`flask import undo {error}` takes it back."
        ) from None


def _write(run: Run, pile: Pile) -> None:
    state = ImportState.STOPPED
    try:
        with _bar("Importing", pile.comments, "comments") as move:
            before, last = 0, time.monotonic()
            for step in store.write(run, pile.threads()):
                write(step)
                move(run.tally.together() - before)
                before = run.tally.together()
                if time.monotonic() > last + BEAT:
                    last = time.monotonic()
                    if beat(run.import_id, before):
                        raise Stopped
        state = ImportState.DONE
    except (*FAULTS, OSError, BrokenProcessPool, Stopped) as error:
        raise click.ClickException(
            f"Import {run.import_id} stopped ({said(error)}) with "
            f"{run.tally.imported.total():,} of {pile.comments:,} comments written. Run the same "
            f"command again to go on, or `flask import undo {run.import_id}`."
        ) from None
    finally:
        with database.writing() as session:
            store.end(session, run, state)


def beat(number: int, done: int) -> bool:
    """Says how far an import is, and that somebody works on it; whether it is asked to stop."""
    told = update(Import).where(Import.id == number).values(progress=done, beat_at=now())
    with suppress(database.Busy), database.writing() as session:
        return session.scalar(told.returning(Import.wish)) == ImportWish.STOP
    return False


def write(step: store.Step) -> None:
    """Runs a step in a write session of its own. Where many write, it waits for its turn longer than a
    reader would: nothing was done until then."""
    for _ in range(TRIES):
        is_begun = False
        try:
            with database.writing() as session:
                is_begun = True
                return step(session)
        except database.Busy:
            if is_begun:
                raise
    raise database.Busy


@contextmanager
def renderers(size: int) -> Iterator[store.Make]:
    """What makes the HTML: this process, or for a file of so many bytes one process for each core.
    They begin at once, so that they are there when the file is read."""
    cores = os.cpu_count() or 1
    if size < MANY or cores < 2:
        yield store.made_here
        return
    pool = ProcessPoolExecutor(
        cores,
        get_context("spawn"),  # a forked one would share our hold on the database's lock
        _serve,
        (os.getpid(),),
    )
    with pool:
        for _ in range(cores):
            pool.submit(os.getpid)
        yield lambda records: store.made_by(pool, records, cores)


def _serve(parent: int) -> None:
    """Begins a process that renders: Ctrl-C is its parent's business, and it ends with that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def said(error: BaseException) -> str:
    """What happened, without anything that a comment says: a database's error may quote rows."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, Stopped):
        return "somebody asked for it at the desk"
    if isinstance(error, database.Busy):
        return "the database is busy"
    if isinstance(error, Unreadable | OSError):
        return str(error)
    return type(getattr(error, "orig", None) or error).__name__


def _tell(run: Run, addresses: Addresses, verb: str) -> None:
    _tell_table(run.tally, verb)
    for old in sorted(addresses.unused):
        click.echo(f"--map {old}: fits no article's address")
    _tell_lines(run.troubles)
    _tell_found(run.found)
    if run.tally.foreign:
        click.echo("Articles outside the site's origins, shown with a link instead of an embed:")
        for url in run.tally.strange:
            click.echo(f"  {url}")
        if more := run.tally.foreign - len(run.tally.strange):
            click.echo(f"  and {more:,} more")


def _tell_found(found: Found) -> None:
    if found.first and found.last:
        click.echo(f"Written from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}.")
    for each in found.changed:
        click.echo(f"Once it is safe, comment {each['id']} reads differently:")
        click.echo(f"  before: {_printable(each['before'])}")
        click.echo(f"  after:  {_printable(each['after'])}")


def _printable(words: str) -> str:
    """Fit for a terminal, whatever the file holds."""
    return "".join(c for c in words if c.isprintable())


def _tell_table(tally: Tally, verb: str) -> None:
    click.echo(f"{'':<10}{verb:>12}{'already there':>16}")
    for status in Status:
        new, known = tally.imported[status], tally.known[status]
        if new or known or status != Status.DELETED:
            click.echo(f"{status:<10}{new:>12,}{known:>16,}")
    new, known = tally.imported.total(), tally.known.total()
    click.echo(f"{'together':<10}{new:>12,}{known:>16,}")
    click.echo(f"{'articles':<10}{tally.articles:>12,}")


def _tell_lines(troubles: Troubles) -> None:
    for line in troubles.lines():
        click.echo(line)


@import_.command("list")
def list_imports() -> None:
    """Show what was imported, when, and what became of it."""
    brought = select(func.count()).where(Comment.import_id == Import.id).scalar_subquery()
    rows = select(Import, Site.key, brought).join(Site, Site.id == Import.site_id)
    for found, key, comments in database.session().execute(rows.order_by(Import.id)):
        click.echo(
            f"{found.id:>4}  {found.started_at:%Y-%m-%d %H:%M}  {key:<12} {found.format:<10} "
            f"{_state(found):<8} {comments:>9,} comments  {found.file_name}"
        )


@import_.command("undo")
@click.argument("number", type=int)
def undo(number: int) -> None:
    """Take back what import NUMBER brought; `flask import list` shows the numbers.

    Comments that were decided on or answered since then stay as empty places.
    """
    found = database.session().get(Import, number)
    if found is None:
        raise click.ClickException(f"There is no import {number}.")
    if found.state == ImportState.UNDONE:
        raise click.ClickException(f"Import {number} is undone already.")
    try:
        with alone(found.site_id):
            with database.writing() as session:
                store.mark(session, number, ImportState.STOPPED)
            for step in undoing.undo(number):
                write(step)
            with database.writing() as session:
                store.mark(session, number, ImportState.UNDONE)
                kept = undoing.left_of(session, number)
    except FAULTS as error:
        raise click.ClickException(
            f"Undoing import {number} stopped ({said(error)}); run the same command again."
        ) from None
    click.echo(f"Import {number} is undone.")
    if kept.places:
        places = (
            f"{kept.places:,} × decided on or answered since then: emptied, and kept as a place"
        )
        click.echo(places)
    if kept.replies:
        click.echo(f"{kept.replies:,} × a reply to one of these: stays as it is")
