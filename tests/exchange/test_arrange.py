import itertools

import pytest

from service.exchange import arrange
from service.exchange.pile import Slot
from service.exchange.record import Troubles


def arranged(records, known=(), troubles=None):
    """Each comment as it is placed, and its record."""
    whole = list(records)
    slots = [
        Slot(n, r.source_id, r.source_parent, int(r.created_at.timestamp()))
        for n, r in enumerate(whole)
    ]
    placed = arrange.place(
        slots, lambda some: [whole[s.number] for s in some], known, troubles or Troubles()
    )
    return [(p, whole[p.slot.number]) for p in placed]


def place(records, known=()):
    troubles = Troubles()
    placed = arranged(records, known, troubles)
    return {p.slot.id: p.under for p, _ in placed}, " ".join(troubles.lines())


@pytest.mark.parametrize(
    ("parents", "under", "trouble"),
    [
        ({1: None, 2: 1, 3: 2}, {"1": None, "2": "1", "3": "2"}, ""),
        ({1: 1}, {"1": None}, arrange.SELF),
        ({1: 99}, {"1": None}, arrange.LOST),
        ({1: 2, 2: 1}, {"1": None, "2": "1"}, arrange.CIRCLE),
        ({1: 3, 2: 1, 3: 2, 4: 3}, {"1": None, "2": "1", "3": "2", "4": "3"}, arrange.CIRCLE),
    ],
)
def test_odd_parents_cost_one_comment_its_place_and_none_its_life(wxr, parents, under, trouble):
    records = [wxr.record(id, parent, minutes=id) for id, parent in parents.items()]
    for order in itertools.permutations(records):
        found, said = place(order)
        assert found == under
        assert trouble in said
        assert bool(trouble) == bool(said)


def test_a_parent_that_an_earlier_import_brought_is_known(wxr):
    assert place([wxr.record(2, parent=1)], known={"1"}) == ({"2": "1"}, "")


def test_parents_come_before_replies_and_older_before_newer(wxr):
    records = [
        wxr.record(3, 1, 3),
        wxr.record(2, None, 2),
        wxr.record(1, None, 1),
        wxr.record(4, 3, 0),
    ]
    assert list(place(records)[0]) == ["1", "2", "3", "4"]


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 100_000])
def test_a_chain_of_100_000_replies_is_no_recursion(wxr, first):
    """Nor is one great circle; a walk that is quadratic would never end."""
    records = [wxr.record(n, n - 1, minutes=n) for n in range(1, 100_001)]
    records[0] = wxr.record(1, first or None)
    assert len(place(reversed(records))[0]) == 100_000


def test_the_same_comment_twice_is_taken_once(wxr):
    found, said = place([wxr.record(1), wxr.record(1)])
    assert list(found) == ["1"]
    assert arrange.ONCE in said


def test_different_comments_under_one_id_are_all_kept_whatever_their_order(wxr):
    same = [
        wxr.record(1, minutes=1),
        wxr.record(1, minutes=0, text="Older"),
        wxr.record(1, minutes=1, email="other@example.org"),
        wxr.record(1, minutes=1, email="third@example.org"),
        wxr.record(2, parent=1, minutes=2),
    ]
    found = [place(order)[0] for order in itertools.permutations(same)]
    assert len(found[0]) == 5
    assert all(f.keys() == found[0].keys() for f in found)
    placed = {p.slot.id: record for p, record in arranged(same)}
    assert placed["1"].text == "Older"
    assert not any("example.org" in id for id in placed)
