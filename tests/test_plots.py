"""Where bars, lines and labels stand: geometry as tables."""

import pytest

from service import plots
from service.plots import DAY, HOUR, MINUTE, Dot, Label, Piece, Tick


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (7, (0, 5, 10)),
        (60, (0, 20, 40, 60)),
        (61, (0, 50, 100)),
        (277, (0, 100, 200, 300)),
        (1_540, (0, 1_000, 2_000)),
    ],
)
def test_a_scale_has_few_round_steps_and_reaches_the_most(most, ticks):
    assert plots.round_ticks(most) == ticks


@pytest.mark.parametrize(
    ("least", "most", "ticks"),
    [
        (0.2, 0.5, (1, 10)),
        (MINUTE, MINUTE, (MINUTE, 10 * MINUTE)),
        (90, 500, (MINUTE, 10 * MINUTE)),
        (5 * MINUTE, 7 * HOUR, (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY)),
        (400 * DAY, 900 * DAY, (100 * DAY, 365 * DAY)),
    ],
)
def test_a_scale_of_times_holds_the_least_and_the_most(least, most, ticks):
    assert plots.time_ticks(least, most) == ticks


@pytest.mark.parametrize(
    ("count", "every", "marked"),
    [(7, 2, (0, 2, 4, 6)), (30, 7, (1, 8, 15, 22, 29)), (1, 7, (0,)), (0, 7, ())],
)
def test_the_last_column_is_always_named(count, every, marked):
    assert plots.marks(count, every) == marked


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([50, 100], [50, 100]),
        ([50, 52], [50, 67]),  # pushed down
        ([190, 195, 198], [166, 183, 200]),  # and up again, for the foot is the end
        ([], []),
        ([5], [20]),
    ],
)
def test_labels_that_would_cover_each_other_move_apart(wanted, placed):
    assert plots.spread(wanted, 17, 20, 200) == placed


@pytest.mark.parametrize(
    ("value", "most", "length"), [(0, 10, 0), (5, 10, 50), (1, 10_000, 0.5), (0, 0, 0)]
)
def test_a_bar_is_as_long_as_its_share_and_never_invisible(value, most, length):
    assert plots.share(value, most) == length


def test_columns_stand_on_the_foot_and_stack():
    drawn = plots.columns([{"a": 60, "b": 30}, {}, {"b": 1}], ("a", "b"), height=120, every=1)
    # The scale ends at 90 or above: 100 px for 0, 50, 100.
    assert drawn.ticks == (Tick(120, 0), Tick(70, 50), Tick(20, 100))
    first, empty, low = drawn.columns
    assert first.pieces == (Piece("a", 60, 59), Piece("b", 30, 29))  # a gap of 1 px between
    assert (first.x, first.width, first.middle, first.y) == (4.667, 24, 16.667, 30)
    assert (empty.pieces, empty.y, empty.total) == ((), 120, 0)
    assert low.pieces == (Piece("b", 118.5, 1.5),)  # 1 px, but something is to be seen
    assert (drawn.peak, drawn.marks) == (0, (0, 1, 2))


def test_names_stand_at_the_end_in_the_order_of_the_stack():
    drawn = plots.columns([{"a": 50, "b": 50}], ("a", "b", "c"), height=120)
    # "c" has nothing there: its place is the top of the stack, and the others make room.
    assert [label.name for label in drawn.ends] == ["c", "b", "a"]
    assert [label.y for label in drawn.ends] == [20, 45, 95]
    flat = plots.columns([{}], ("a", "b"), height=120)
    assert flat.ends == (Label("b", 103), Label("a", 120))


def test_nothing_at_all_is_still_a_plot():
    drawn = plots.columns([{}, {}], ("a",), height=120)
    assert (drawn.peak, [c.pieces for c in drawn.columns]) == (None, [(), ()])
    empty = plots.lines({"half": [None, None]}, height=120)
    assert (empty.strokes[0].runs, empty.ends) == ((), ())
    assert plots.lines({}, height=120).places == ()


def test_times_stand_on_a_logarithmic_scale():
    drawn = plots.lines({"half": [MINUTE, 10 * MINUTE]}, height=120)
    assert drawn.ticks == (Tick(120, MINUTE), Tick(20, 10 * MINUTE))
    assert drawn.strokes[0].runs == ((Dot(25, 120), Dot(75, 20)),)
    geometric_mean = plots.lines({"half": [MINUTE, 189.7366596, 10 * MINUTE]}, height=120)
    assert geometric_mean.strokes[0].runs[0][1] == Dot(50, 70)


def test_a_line_is_interrupted_where_nothing_is_known():
    drawn = plots.lines({"half": [None, 60, 60, None, None, 60], "most": [600.0] * 6}, height=120)
    half, most = drawn.strokes
    assert [len(run) for run in half.runs] == [2, 1]
    assert [len(run) for run in most.runs] == [6]
    assert drawn.ends == (Label("most", 20), Label("half", 120))


def test_grid_lines_that_are_too_near_are_left_out_but_for_the_outer_two():
    drawn = plots.lines({"half": [1.0, 300 * DAY]}, height=120)
    values = [tick.value for tick in drawn.ticks]
    assert values[0] == 1
    assert values[-1] == 365 * DAY
    gaps = [a.at - b.at for a, b in zip(drawn.ticks, drawn.ticks[1:], strict=False)]
    assert min(gaps) >= plots.SEPARATE
