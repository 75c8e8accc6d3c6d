"""XML exports as a stream: what every reader of XML refuses, and how it says so."""

from collections.abc import Iterator
from typing import BinaryIO, Generic, TypeVar
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from .record import Unreadable

CHUNK = 64 * 1024
LONGEST = 16 * 1024 * 1024  # bytes of one tag, and characters of one text: none is as long
DEEPEST = 200  # elements within each other; the parser itself keeps every one that is open

Part = TypeVar("Part")


class Hearer(ContentHandler, Generic[Part]):
    """Hears the parser, and gives away what it has finished."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: list[Part] = []
        self.path: list[str] = []  # the elements that are open
        self._pieces: list[str] = []
        self._length = 0

    def enter(self, name: str) -> None:
        """An element begins, under this name. Raises Unreadable."""
        self.path.append(name)
        if len(self.path) > DEEPEST:
            raise Unreadable(f"its elements are nested more than {DEEPEST} deep")

    def add(self, content: str) -> None:
        """Takes a piece of a text. Raises Unreadable for one that no export has."""
        self._pieces.append(content)
        self._length += len(content)
        if self._length > LONGEST:
            raise Unreadable(f"a text in it is longer than {LONGEST:,} characters")

    def text(self) -> str:
        """What was added since it was asked for last."""
        said, self._pieces, self._length = "".join(self._pieces), [], 0
        return said

    def take(self) -> list[Part]:
        finished, self.finished = self.finished, []
        return finished


def heard(file: BinaryIO, hearer: Hearer[Part], whose: str) -> Iterator[Part]:
    """What the hearer finishes while the file is read, never more of it than one part at a time.

    `whose` names the system. A document type, and so every entity bomb, is refused. Raises
    Unreadable with the line of the fault.
    """
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(hearer)
    at, waiting = (0, 0), 0
    try:
        while chunk := file.read(CHUNK):
            parser.feed(chunk)
            yield from hearer.take()
            before, at = at, (parser.getLineNumber() or 0, parser.getColumnNumber() or 0)
            waiting = waiting + len(chunk) if at == before else 0
            if waiting > LONGEST:
                raise Unreadable(f"a tag does not end, at line {at[0]}, column {at[1]}")
        parser.close()
        yield from hearer.take()
    except DefusedXmlException:
        raise Unreadable(f"it declares a document type, which no {whose} export does") from None
    except SAXParseException as fault:
        raise Unreadable(_explain(fault)) from None
    except (ValueError, LookupError) as fault:  # an encoding that the parser does not know
        raise Unreadable(f"its encoding cannot be read: {fault}") from None


def _explain(fault: SAXParseException) -> str:
    where = f"line {fault.getLineNumber()}, column {fault.getColumnNumber()}"
    words = fault.getMessage()
    if words in ("no element found", "unclosed token", "unclosed CDATA section"):
        return f"it ends too early, at {where}"
    if words.startswith("XML or text declaration not at start"):
        return f"something stands before its first line, up to {where}"
    return f"it is not well-formed XML: {words}, {where}"
