"""Files that people bring to the desk: in the instance's folder `imports`, readable by the service
alone, each under a random name.

Whoever writes one holds a lock on it until an import names it. What nobody holds and no import names
was left by a process that was killed: it is swept away when the next one comes.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..models import Import
from ..status import ImportState
from .formats import READERS
from .record import Addresses, Troubles, Unreadable

FOLDER = "imports"
MOST_WAITING = 3  # files that one site may have lying there
OVER = (ImportState.DONE, ImportState.UNDONE)  # nothing reads their files again
# By so much of it a file is known to be of another format, in bytes and in comments.
LOOKED_AT, LOOKED_AT_RECORDS = 1024 * 1024, 1_000
LOOKED_AT_SECONDS = 3.0  # somebody waits for it
SPARED = 256 * 1024 * 1024  # bytes that stay free on the disk: the database lives there too
YOUNG = 60  # seconds in which nothing is swept: a file is made before it is locked

_NAME = re.compile("[0-9a-f]{32}")


class TooLarge(Exception):
    """The file is larger than this installation takes."""


class NoRoom(Exception):
    """The disk is too full for the file."""


class Arrival:
    """A file on its way to the disk. Takes the instance's folder and how many bytes it may have.

    What is written is counted and digested. Where it is too large, or the disk too full, nothing of
    it stays, what still comes is passed over, and `fault` says why: so the rest of the form is read,
    and whoever sent it gets an answer. Ends with `settle` and `let_go`, or with `discard`.
    """

    def __init__(self, instance: Path, most: int) -> None:
        folder = instance / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self.most = most
        self.size = 0
        self.fault: Exception | None = None
        self.stored_as = secrets.token_hex(16)
        self.path = folder / self.stored_as
        self._sha256 = hashlib.sha256()
        number = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(number, fcntl.LOCK_EX)
        self._file = open(number, "w+b")  # noqa: SIM115  closed by let_go and discard

    @property
    def digest(self) -> str:
        """Names the content, as `imports.file_digest`."""
        return self._sha256.hexdigest()

    def write(self, chunk: bytes) -> int:
        self.size += len(chunk)
        if self.size > self.most:
            self._give_up(TooLarge())
        # Its length was perhaps not told before, and others may come at the same time.
        if self.fault is None and not has_room(self.path.parent, len(chunk)):
            self._give_up(NoRoom())
        if self.fault is None:
            self._sha256.update(chunk)
            try:
                self._file.write(chunk)
            except OSError:
                self._give_up(NoRoom())
        return len(chunk)

    def _give_up(self, fault: Exception) -> None:
        self.fault = self.fault or fault
        with suppress(OSError):
            os.ftruncate(self._file.fileno(), 0)

    def seek(self, place: int, whence: int = 0) -> int:
        """To the beginning: asked for when all is written."""
        return place

    def read(self, size: int = -1) -> bytes:
        """Nothing: whoever wants to read it opens its path."""
        return b""

    def close(self) -> None:
        """Nothing: a request closes its files before it is known what becomes of them."""

    def settle(self) -> None:
        """Brings all of it to the disk, which may take a while. The fault is there where it cannot."""
        try:
            if self.fault is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        except OSError:
            self._give_up(NoRoom())

    def let_go(self) -> None:
        """Leaves the file to the import that names it now."""
        self._file.close()

    def discard(self) -> None:
        """Removes the file, unless it was let go of."""
        if not self._file.closed:
            self.path.unlink(missing_ok=True)
            with suppress(OSError):  # what a full disk did not take
                self._file.close()


def has_room(instance: Path, size: int) -> bool:
    """Whether the disk takes so many bytes more, and has some left then."""
    return shutil.disk_usage(instance).free - size > SPARED


def waiting(session: Session, site_id: int) -> int:
    """How many files of a site lie there and are to be imported still."""
    kept = select(func.count()).where(
        Import.site_id == site_id, Import.stored_as != "", Import.state.not_in(OVER)
    )
    return session.scalar(kept) or 0


def forget_the_imported(session: Session, site_id: int) -> None:
    """Gives up a site's files that nothing needs any more, so that they do not pile up; the next
    sweep removes them."""
    over = (Import.site_id == site_id, Import.stored_as != "", Import.state.in_(OVER))
    session.execute(update(Import).where(*over).values(stored_as=""))


def look(path: Path, format: str, addresses: Addresses) -> None:
    """Reads the beginning of a file as what it is said to be. Raises Unreadable if it is not, or if
    nothing can be imported of it."""
    with path.open("rb") as file:
        if not file.read(1):
            raise Unreadable("it is empty")
        file.seek(0)
        beginning = cast(BinaryIO, _Beginning(file))
        records = READERS[format].read(beginning, addresses, Troubles())
        enough = time.monotonic() + LOOKED_AT_SECONDS
        with suppress(_Enough), closing(records):  # type: ignore[type-var]  # they are generators
            found = 0
            for _ in islice(records, LOOKED_AT_RECORDS):
                found += 1
                if time.monotonic() > enough:
                    break
            if not found:
                raise Unreadable("there is no comment in it to import")


class _Enough(Exception):
    """The beginning was read, and nothing speaks against the rest."""


class _Beginning:
    """A file of which only the first bytes are given."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.name = file.name
        self.left = LOOKED_AT

    def read(self, size: int = -1) -> bytes:
        if self.left <= 0:
            raise _Enough
        chunk = self.file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(chunk)
        return chunk


def remove(instance: Path, stored_as: str) -> None:
    """Removes an import's file, if it is there."""
    if _NAME.fullmatch(stored_as):
        (instance / FOLDER / stored_as).unlink(missing_ok=True)


def sweep(session: Session, instance: Path) -> None:
    """Removes what no import names and nobody is writing. Takes a session that has read nothing."""
    with ExitStack() as held:
        free = [path for path in _left_alone(instance / FOLDER) if _is_held(path, held)]
        # Asked after the locks were had: whoever let go of a file has named it by now.
        named = select(Import.stored_as).where(Import.stored_as.in_([path.name for path in free]))
        known = set(session.scalars(named)) if free else set()
        for path in free:
            if path.name not in known:
                path.unlink(missing_ok=True)


def _is_held(path: Path, held: ExitStack) -> bool:
    """Takes the lock on a file, if nobody else has it."""
    with suppress(BlockingIOError, FileNotFoundError):
        file = held.enter_context(path.open("rb"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _left_alone(folder: Path) -> Iterable[Path]:
    """Files of ours that are not brand new."""
    for path in folder.glob("*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if _NAME.fullmatch(path.name) and time.time() - path.stat().st_mtime > YOUNG:
                yield path
