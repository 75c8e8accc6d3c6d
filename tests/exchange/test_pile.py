"""A file's records by article, beside memory."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.exchange.pile import Pile, gather
from service.exchange.record import Addresses, Past, Unreadable
from service.status import Markup, Status

ONE, TWO = "https://daily.example/1", "https://daily.example/2"


def whole(pile):
    return {t.url: t.records(t.slots()) for t in pile.threads()}


def test_an_article_that_the_file_comes_back_to_is_one_thread(wxr):
    records = [wxr.record(1, 3, url=ONE), wxr.record(2, url=TWO), wxr.record(3, url=ONE)]
    with wxr.piled(records) as pile:
        assert whole(pile) == {ONE: [records[0], records[2]], TWO: [records[1]]}
        assert [(t.url, t.comments) for t in pile.threads()] == [(ONE, 2), (TWO, 1)]


def test_a_record_comes_out_as_it_went_in(wxr):
    record = wxr.record(
        1, 2, website="https://rita.example", state=Status.SPAM, text="<b>\u00e4</b>\U0001f600",
        likes=3, is_pinned=True, edited_at=datetime(2021, 1, 1, tzinfo=UTC), markup=Markup.MARKDOWN,
        article_is_closed=True, public_id="abcdefghijkm", language="de",
        pinned_at=datetime(2022, 1, 1, tzinfo=UTC),
        past=Past(({"rule": "x"},), ({"act": "decided"},), ({"text": "y"},), {"id": "7"}),
    )  # fmt: skip
    with wxr.piled([record]) as pile:
        assert whole(pile) == {record.article_url: [record]}
        assert pile.has_names


def test_an_article_has_the_first_title_that_is_one_and_is_closed_if_any_record_says_so(wxr):
    titles = ["", "First", "Second"]
    records = [wxr.record(n, article_title=title) for n, title in enumerate(titles)]
    with wxr.piled([*records, replace(records[0], source_id="9", article_is_closed=True)]) as pile:
        assert [(t.title, t.is_closed) for t in pile.threads()] == [("First", True)]


def test_it_knows_how_the_file_writes_an_address(wxr):
    addresses = Addresses([("http://old.example", "https://daily.example")])
    record = wxr.record(1, url=addresses.canonical("http://old.example/a"))
    with Pile() as pile:
        list(gather([record], addresses, pile))
        assert [(t.url, t.was) for t in pile.threads()] == [
            ("https://daily.example/a", "http://old.example/a")
        ]


def test_an_article_can_be_put_under_another_address(wxr):
    records = [wxr.record(1, url=ONE), wxr.record(2, url=TWO), wxr.record(3, url=ONE)]
    with wxr.piled(records) as pile:
        pile.join(ONE, TWO)
        (thread,) = pile.threads()
        assert (thread.url, thread.comments) == (TWO, 3)
        assert [r.source_id for r in thread.records(thread.slots())] == ["1", "2", "3"]
        assert (pile.lacks([TWO]), pile.lacks([ONE])) == (False, True)


def test_nothing_to_import_is_a_fault(wxr):
    with pytest.raises(Unreadable), wxr.piled([]):
        pass


@pytest.mark.long
def test_memory_is_bounded_whatever_the_order_of_the_file(wxr):
    """40,000 comments of 2,000 characters, each under another article than the one before: 80 MB."""
    text = "a" * 2_000

    def records():
        for n in range(40_000):
            yield wxr.record(n, url=f"https://daily.example/{n % 400}", text=text)

    tracemalloc.start()
    with wxr.piled(records()) as pile:
        for thread in pile.threads():
            thread.records(thread.slots())
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
