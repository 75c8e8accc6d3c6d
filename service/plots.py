"""Small plots as numbers: where each bar, line, grid line and label stands. A template draws them.

Across, everything is a share of the width in per cent, so that a plot fits a phone and a wide
screen without its words growing or shrinking; down, it is pixels from the top. No colours, no
words: what a number is called is the template's business.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOP = 20.0  # px above the highest bar, where its number stands
LEAST = 1.5  # px of a bar that is not nothing
GAP = 1.0  # px between the pieces of a stack
NEIGHBOUR = 17.0  # px from one label to the next
FILLED = 0.72  # of a column's share of the width
SEPARATE = 20.0  # px from one grid line to the next

MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Round durations for a logarithmic scale, in seconds.
ROUND = (
    *(1, 10, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR),
    *(DAY, 3 * DAY, 10 * DAY, 30 * DAY, 100 * DAY, 365 * DAY),
)


@dataclass(frozen=True)
class Tick:
    """A grid line, or a label under a column: where, and what for."""

    at: float
    value: float


@dataclass(frozen=True)
class Piece:
    """A part of a column."""

    name: str
    y: float
    height: float


@dataclass(frozen=True)
class Column:
    """A bar of one or more pieces, the first at the foot."""

    x: float  # per cent
    width: float
    middle: float
    y: float  # px; the top of all of it
    total: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Label:
    """A name beside the end of what it names."""

    name: str
    y: float


@dataclass(frozen=True)
class Columns:
    height: float  # px, without the labels below
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]  # across, the lowest first
    marks: tuple[int, ...]  # which columns have a label below
    ends: tuple[Label, ...]  # at the end side, from the top down
    peak: int | None  # which column is the highest; None where all are empty


@dataclass(frozen=True)
class Dot:
    x: float  # per cent
    y: float  # px


@dataclass(frozen=True)
class Stroke:
    """A line in runs of neighbouring dots; where something is not known it is interrupted."""

    name: str
    runs: tuple[tuple[Dot, ...], ...]


@dataclass(frozen=True)
class Lines:
    height: float
    strokes: tuple[Stroke, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[int, ...]
    places: tuple[float, ...]  # the middle of each column, per cent
    ends: tuple[Label, ...]


def columns(
    counted: Sequence[Mapping[Any, int]],
    names: Sequence[str],
    height: float = 200,
    every: int = 7,
    has_ends: bool = True,
) -> Columns:
    """Stacked bars. Takes the counts of each column, their names from the foot up, the height in
    px, and that every so many columns one has a label below."""
    totals = [sum(counts.get(name, 0) for name in names) for counts in counted]
    most = max(totals, default=0)
    steps = round_ticks(most)
    scale = (height - TOP) / steps[-1]
    drawn = tuple(
        _column(index, len(counted), counts, names, height, scale)
        for index, counts in enumerate(counted)
    )
    return Columns(
        height,
        drawn,
        tuple(Tick(height - step * scale, step) for step in steps),
        marks(len(counted), every),
        _stack_ends(counted[-1], names, height, scale) if has_ends and counted else (),
        totals.index(most) if most else None,
    )


def lines(
    measured: Mapping[str, Sequence[float | None]], height: float = 200, every: int = 7
) -> Lines:
    """Lines of durations over a logarithmic scale with round steps. Takes seconds, one for each
    column, None where there is none to tell."""
    known = [
        max(value, 1.0) for values in measured.values() for value in values if value is not None
    ]
    count = max(map(len, measured.values()), default=0)
    steps = time_ticks(min(known), max(known)) if known else (MINUTE, HOUR)
    low, high = math.log(steps[0]), math.log(steps[-1])

    def down(seconds: float) -> float:
        share = (math.log(max(seconds, 1.0)) - low) / (high - low)
        return round(height - share * (height - TOP), 2)

    strokes = tuple(
        Stroke(name, _runs([None if v is None else down(v) for v in values]))
        for name, values in measured.items()
    )
    last = {stroke.name: stroke.runs[-1][-1].y for stroke in strokes if stroke.runs}
    ticks = [Tick(down(step), step) for step in steps]
    return Lines(
        height,
        strokes,
        tuple(_apart(ticks)),
        marks(count, every),
        tuple(_middle(index, count) for index in range(count)),
        _labels(last, height),
    )


def share(value: float, most: float) -> float:
    """The length of a bar that lies down, in per cent of the longest one's; never invisible."""
    return max(round(100 * value / most, 2), 0.5) if value and most else 0.0


def round_ticks(most: float, about: int = 3) -> tuple[int, ...]:
    """Whole, round numbers from 0 up to at least the most: steps of 1, 2 or 5 times a power of 10."""
    rough = max(most / about, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(int(n * power) for n in (1, 2, 5, 10) if n * power >= rough * 0.999)
    return tuple(range(0, math.ceil(max(most, 1) / step) * step + 1, step))


def time_ticks(least: float, most: float) -> tuple[int, ...]:
    """Round durations, the first not above the least and the last not below the most, in seconds."""
    first = max((i for i, step in enumerate(ROUND) if step <= least), default=0)
    last = min((i for i, step in enumerate(ROUND) if step >= most), default=len(ROUND) - 1)
    if first >= last:
        first, last = (first, first + 1) if first + 1 < len(ROUND) else (first - 1, first)
    return ROUND[first : last + 1]


def marks(count: int, every: int) -> tuple[int, ...]:
    """Which of so many columns get a label: the last, and each so many before it."""
    return tuple(range((count - 1) % every, count, every)) if count else ()


def spread(wanted: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Moves places apart, from the top down, until none is nearer to its neighbour than the gap and
    none below the bottom. Takes them in order."""
    placed: list[float] = []
    for place in wanted:
        placed.append(max(place, placed[-1] + gap if placed else top))
    limit = bottom
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - gap
    return placed


def _column(
    index: int,
    count: int,
    counts: Mapping[str, int],
    names: Sequence[str],
    height: float,
    scale: float,
) -> Column:
    each = 100 / count
    width = each * FILLED
    pieces, foot, total = [], height, 0
    for name in names:
        number = counts.get(name, 0)
        total += number
        if number:
            tall = max(number * scale, LEAST)
            gap = GAP if tall > 3 * GAP else 0
            pieces.append(Piece(name, round(foot - tall, 2), round(tall - gap, 2)))
            foot -= tall
    return Column(
        round(index * each + (each - width) / 2, 3),
        round(width, 3),
        _middle(index, count),
        round(foot, 2),
        total,
        tuple(pieces),
    )


def _middle(index: int, count: int) -> float:
    return round((index + 0.5) * 100 / count, 3)


def _runs(places: Sequence[float | None]) -> tuple[tuple[Dot, ...], ...]:
    runs: list[list[Dot]] = [[]]
    for index, place in enumerate(places):
        if place is not None:
            runs[-1].append(Dot(_middle(index, len(places)), place))
        elif runs[-1]:
            runs.append([])
    return tuple(tuple(run) for run in runs if run)


def _stack_ends(
    counts: Mapping[str, int], names: Sequence[str], height: float, scale: float
) -> tuple[Label, ...]:
    """Each name beside its piece of the last column, or where that would be."""
    middles: dict[str, float] = {}
    foot = height
    for name in names:
        tall = counts.get(name, 0) * scale
        middles[name] = foot - tall / 2
        foot -= tall
    return _labels(middles, height)


def _labels(wanted: dict[str, float], height: float) -> tuple[Label, ...]:
    order = list(reversed(wanted))  # the last named is the highest, where two are level
    order.sort(key=lambda name: wanted[name])
    places = spread([wanted[name] for name in order], NEIGHBOUR, TOP, height)
    return tuple(Label(name, round(y, 2)) for name, y in zip(order, places, strict=True))


def _apart(ticks: Sequence[Tick]) -> list[Tick]:
    """Grid lines that are far enough from each other to carry words; the outer two stay."""
    kept = [ticks[0]]
    for tick in ticks[1:-1]:
        if kept[-1].at - tick.at >= SEPARATE and tick.at - ticks[-1].at >= SEPARATE:
            kept.append(tick)
    return [*kept, ticks[-1]] if len(ticks) > 1 else kept
