"""JSON exports as a stream of their parts: one comment, author or article at a time."""

import codecs
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

import ijson

from .record import Unreadable

LARGEST = 16 * 1024 * 1024  # bytes of one part; the parser's time grows with the square of a text's
DEEPEST = 64  # arrays and objects within each other

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Part = tuple[str, Any]


def parts(file: BinaryIO, lists: Collection[str] = ()) -> Iterator[Part]:
    """The parts of a file of one JSON value or several, each with the name of its list.

    The elements of a list at the top (named "") and of those of the top object that `lists` names
    come one at a time. What is left of a top object comes at its end, named "" like every other
    value. Raises Unreadable.
    """
    feed = _Feed(file)
    builder = _Builder(lists)
    try:
        # Any other number than a double or 64 bits ends the process (ijson 3.6.0, yajl2_c).
        for event, value in ijson.basic_parse(feed, multiple_values=True, use_float=True):
            if part := builder.hear(event, value):
                yield part
                feed.since = 0
    except (ijson.JSONError, UnicodeError) as fault:  # its words quote the file: not shown
        if feed.is_read:
            raise Unreadable(f"it ends too early, after {feed.count:,} bytes") from None
        words = "not UTF-8" if "UTF8" in str(fault) else "not well-formed JSON"
        raise Unreadable(f"it is {words}, within its first {feed.count:,} bytes") from None


class _Feed:
    """The file; tells how much of it was read, and since the last part."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.count = self.since = 0
        self.is_read = False

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        if not self.count:
            if chunk.startswith(_WIDE):
                raise Unreadable("it is not UTF-8, but UTF-16")
            chunk = chunk.removeprefix(codecs.BOM_UTF8)  # as editors on Windows begin a file
        self.is_read = not chunk
        self.count += len(chunk)
        self.since += len(chunk)
        if self.since > LARGEST:
            raise Unreadable(f"one entry in it is larger than {LARGEST >> 20} MB")
        return chunk


class _List(list[Any]):
    """A list that is never filled: its elements are given away."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class _Builder:
    """Makes values of the parser's events, and tells which of them are parts."""

    def __init__(self, lists: Collection[str]) -> None:
        self.lists = lists
        self.open: list[Any] = []
        self.keys: list[str] = [""]  # of the value that comes next, for each that is open

    def hear(self, event: str, value: Any) -> Part | None:
        if event == "map_key":
            self.keys[-1] = value
        elif event == "start_map":
            self._begin({})
        elif event == "start_array":
            self._begin(_List(self.keys[-1]) if self._is_parted() else [])
        elif event in ("end_map", "end_array"):
            ended = self.open.pop()
            self.keys.pop()
            return None if isinstance(ended, _List) else self._put(ended)
        else:
            return self._put(value)
        return None

    def _is_parted(self) -> bool:
        if not self.open:
            return True
        is_of_the_top = len(self.open) == 1 and isinstance(self.open[0], dict)
        return is_of_the_top and self.keys[-1] in self.lists

    def _begin(self, value: Any) -> None:
        if len(self.open) == DEEPEST:
            raise Unreadable(f"its values are nested more than {DEEPEST} deep")
        self.open.append(value)
        self.keys.append("")

    def _put(self, value: Any) -> Part | None:
        if not self.open:
            return "", value
        around = self.open[-1]
        if isinstance(around, _List):
            return around.name, value
        if isinstance(around, dict):
            around[self.keys[-1]] = value
        else:
            around.append(value)
        return None


def said(fields: Any, name: str) -> str:
    """A text or a number under a name; "" for anything else, and where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, str | int | float) else ""


def count(fields: Any, name: str) -> int:
    """A whole number under a name, 0 where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def holds(fields: Any, name: str) -> bool:
    """Whether what stands under a name is true."""
    return isinstance(fields, dict) and fields.get(name) is True


def listed(fields: Any, name: str) -> list[Any]:
    """The list under a name, an empty one where there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, list) else []
