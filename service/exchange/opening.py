"""A file as it is opened for a reader: unpacked where it is packed, and its beginning looked at."""

import zlib
from typing import BinaryIO

from .record import Unreadable

LOOKED_AT = 4096  # bytes of the beginning by which a format is known
GZIP = b"\x1f\x8b"
PACKED = {b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zstd"}
PIECE = 64 * 1024
# Deflate packs to a thousandth at most; real exports to a twentieth, rarely a fiftieth.
INNOCENT = 64 * 1024 * 1024  # bytes that may come out of anything
MOST_TIMES = 200  # how many times its size a file may have unpacked
MOST = 16 * 1024**3  # bytes; no export is as large


class Opened:
    """A file that is read from its beginning; `start` is the beginning, unpacked."""

    def __init__(self, file: BinaryIO) -> None:
        self.name = getattr(file, "name", "")
        first = _filled(file, LOOKED_AT)
        if not first:
            raise Unreadable("it is empty")
        for magic, name in PACKED.items():
            if first.startswith(magic):
                raise Unreadable(f"it is compressed ({name}); unpack it first")
        self.is_packed = first.startswith(GZIP)
        self._rest: BinaryIO | Again | Unpacked = Again(first, file)
        self.start = first
        if self.is_packed:
            self._rest = Unpacked(self._rest)
            self.start = _filled(self._rest, LOOKED_AT)
            self._rest = Again(self.start, self._rest)

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(size)


class Again:
    """What was read already, and then the rest."""

    def __init__(self, first: bytes, file: "BinaryIO | Again | Unpacked") -> None:
        self.first = first
        self.file = file

    def read(self, size: int = -1) -> bytes:
        if not self.first:
            return self.file.read(size)
        end = len(self.first) if size < 0 else size
        given, self.first = self.first[:end], self.first[end:]
        return given + self.file.read() if size < 0 else given


class Unpacked:
    """A gzip file unpacked while it is read, in pieces, and never many times its size.

    Raises Unreadable where it is cut off or damaged, and for a bomb.
    """

    def __init__(self, file: "BinaryIO | Again | Unpacked") -> None:
        self.file = file
        self.taken = self.given = 0
        self._begin()

    def _begin(self) -> None:
        self.inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def read(self, size: int = -1) -> bytes:
        """So many bytes or fewer; b"" at the end. Never the whole file at once."""
        wanted = PIECE if size < 0 else size
        while wanted:
            piece = self._piece(wanted)
            if piece is None or piece:
                return piece or b""
        return b""

    def _piece(self, wanted: int) -> bytes | None:
        """What the next bytes unpack to, perhaps nothing yet; None at the end."""
        packed = self.inflate.unconsumed_tail or self.inflate.unused_data
        if self.inflate.eof:  # a gzip file may be several, one after the other
            packed = packed.lstrip(b"\0") or self._more()
            if not packed:
                return None
            self._begin()
        elif not packed and not (packed := self._more()):
            raise Unreadable("it ends too early: its gzip data is cut off")
        try:
            piece = self.inflate.decompress(packed, wanted)
        except zlib.error:
            raise Unreadable("its gzip data is damaged") from None
        self.given += len(piece)
        if self.given > max(INNOCENT, min(self.taken * MOST_TIMES, MOST)):
            raise Unreadable(f"it unpacks to more than {MOST_TIMES} times its size")
        return piece

    def _more(self) -> bytes:
        packed = self.file.read(PIECE)
        self.taken += len(packed)
        return packed


def _filled(file: "BinaryIO | Again | Unpacked", size: int) -> bytes:
    """So many bytes, fewer only where the file ends."""
    found = b""
    while len(found) < size and (more := file.read(size - len(found))):
        found += more
    return found
