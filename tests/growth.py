"""Whether work grows with a text and no faster: told by the bytecode that runs, not by seconds.

What runs in C is not counted. There it is one pass: `str.translate`, `unicodedata.normalize`, and
patterns of one repeated class of characters.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

SHORT = 300  # characters
TIMES = 10

# What texts are made of that were written to be slow.
WORST = {
    "letters": "a",
    "words": "a ",
    "spaces": " ",
    "lines": "\n",
    "zero-width": "\u200b",
    "accents": "\u0301",
    "accented": "e\u0301\u0323",
    "soft hyphens": "a\xad",
    "mixed": "аa",
    "mixed words": "vіagra ",
    "inflected": "Привет WhatsAppе ",
    "opened": "\u2066",
    "opened and closed": "שלום \u2067\u2069",
    "emoji": "👩\u200d",
    "flags": "\U0001f3f4\U000e0067",
    "selectors": "❤\ufe0f",
    "jamo": "\u1112\u1161",
    "kana marks": "か\u3099",
    "long forms": "ﷺ",
    "virama": "क्",
    "han and kana": "免の",
    "links": "https://a ",
    "stars": "* ",
}


def work(function: Callable[[str], Any], text: str) -> int:
    """How many instructions run in a call."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        count += event == "opcode"
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(before)
    return count


def grown(function: Callable[[str], Any], unit: str) -> float:
    """How many times as much work a text is that is ten times as long. Its characters are known
    by then: what is remembered of them is the same for both."""
    short = unit * -(-SHORT // len(unit))
    long = short * TIMES
    function(long[:-1])
    few, many = work(function, short), work(function, long)
    return many / max(few, 1_000)
