"""Which waiting comments stand in one card, and that each fold always has just one that stands."""

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cast import add_moderator, add_site
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from service import bulk, database, folds, moderation
from service.accounts import Moderator
from service.filters import Filter
from service.models import Article, Bulk, Comment, Decision, Site
from service.rules import Verdict
from service.status import Status
from service.text import render

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
WAVE = "Buy the best watches here, number {}: https://cheap.example/w{}"


@pytest.fixture
def daily(app: Flask) -> Iterator[int]:
    site_id = add_site(app)
    with app.app_context():
        yield site_id


@pytest.fixture
def mo(app: Flask, daily: int) -> int:
    return add_moderator(app)


minutes = itertools.count()


def arrive(app: Flask, typed: str, network: str = "", **columns: Any) -> int:
    """A comment that comes in, a minute after the one before."""
    vault = app.extensions["vault"]
    with database.writing() as session:
        site = session.get_one(Site, columns.pop("site_id", 1))
        article = session.scalar(select(Article).where(Article.site_id == site.id))
        if article is None:
            article = Article(site_id=site.id, url=f"https://a.example/{site.id}")
        html = str(render(typed))
        comment = Comment(
            **{
                "site_id": site.id,
                "article": article,
                "name": "Rita",
                "text": typed,
                "html": html,
                "renderer": 1,
                "status": Status.PENDING,
                "created_at": START + timedelta(minutes=next(minutes)),
                "network": network,
                "fold_digest": folds.digest(vault, typed),
                "link_domain": folds.link_domain(html, site.origins),
            }
            | columns
        )
        session.add(comment)
        session.flush()
        folds.join(session, vault, comment)
        return comment.id


def standing(status: Status = Status.PENDING) -> list[int]:
    """What has a card of its own."""
    cards = select(Comment.id).where(folds.stands(), Comment.status == status)
    return list(database.session().scalars(cards.order_by(Comment.created_at, Comment.id)))


def alike(head: int) -> tuple[int, str] | None:
    """How many stand in a card with it, and why."""
    session = database.session()
    fold = folds.of(session, [session.get_one(Comment, head)]).get(head)
    return (fold.count, fold.why) if fold else None


def decide(comment_id: int, to: Status, moderator_id: int) -> int:
    with database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        who = session.get_one(Moderator, moderator_id)
        return moderation.decide(session, comment, to, comment.version, who).id  # type: ignore[union-attr]


def expect_whole() -> None:
    """Of each fold in each list that waits one stands, the oldest; elsewhere none is folded."""
    rows = database.session().scalars(select(Comment)).all()
    groups: dict[Any, list[Comment]] = {}
    for row in rows:
        if row.fold_key and row.status in folds.WAITING:
            groups.setdefault((row.site_id, row.status, row.fold_key), []).append(row)
        else:
            assert not row.is_folded
    for group in groups.values():
        oldest = min(group, key=lambda row: (row.created_at, row.id))
        assert [row.id for row in group if not row.is_folded] == [oldest.id]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Buy it now, buy it now!", "BUY it now – buy it, now", True),
        ("Call 0800 12345 for watches", "Call 0800 9 for watches", False),
        ("Watches, 20 € at https://a.example/20", "Watches, 7 € at https://a.example/7", True),
        ("Ｆｕｌｌ width letters", "Full width letters", True),
        ("Look: https://www.a.example/one?x=1 here", "Look: https://a.example/two here", True),
        ("Look: https://a.example/one here", "Look: https://b.example/one here", False),
        ("I liked the harbour a lot", "I liked the lighthouse a lot", False),
        ("Сходите на наш сайт сегодня", "сходите на НАШ сайт, сегодня!", True),
    ],
)
def test_what_of_a_text_makes_two_the_same(one: str, other: str, is_same: bool) -> None:
    assert (folds.normal(one) == folds.normal(other)) == is_same


def test_what_differs_in_its_numbers_is_almost_the_same(app: Flask, daily: int) -> None:
    for year in (1961, 1962):
        arrive(app, f"The harbour was built in {year}, I think.")
    assert len(standing()) == 2
    some = [arrive(app, f"Watches from {n} € at https://a.example/{n}") for n in (7, 20)]
    assert alike(some[0]) == (1, folds.ALMOST)


def test_a_short_text_is_no_wave(app: Flask, daily: int) -> None:
    both = [arrive(app, "Thank you!") for _ in range(2)]
    assert standing() == both


@pytest.mark.parametrize(
    ("html", "domain"),
    [
        ('<a href="https://www.Cheap.example/x">x</a>', "cheap.example"),
        ('<a href="https://daily.example/a">a</a> <a href="http://b.example">b</a>', "b.example"),
        ("<p>cheap.example</p>", ""),
    ],
)
def test_the_site_that_a_text_links_to(html: str, domain: str) -> None:
    assert folds.link_domain(html, ["https://daily.example"]) == domain


def test_the_same_words_fold_into_the_oldest(app: Flask, daily: int) -> None:
    first = arrive(app, "What a wonderful, helpful article!")
    other = arrive(app, "I was at the harbour myself that day.")
    arrive(app, "what a WONDERFUL helpful article")
    arrive(app, "What a wonderful... helpful article :-)")
    assert standing() == [first, other]
    assert (alike(first), alike(other)) == ((2, folds.TEXT), None)
    expect_whole()


def test_three_that_link_to_one_site_fold(app: Flask, daily: int) -> None:
    one = arrive(app, "Good watches <https://cheap.example/a>")
    two = arrive(app, "My aunt earns thousands: <https://cheap.example/b>")
    assert standing() == [one, two]
    arrive(app, "See there <https://www.cheap.example/c>")
    assert standing() == [one]
    assert alike(one) == (2, folds.DOMAIN)
    expect_whole()


def test_a_burst_from_one_network_folds_if_all_of_it_looks_bad(app: Flask, daily: int) -> None:
    bad = "192.0.2.0/24"
    some = [arrive(app, f"Unlike all others {'x' * n}", bad, risk=70) for n in range(4)]
    assert standing() == some
    arrive(app, "And the fifth <https://fifth.example>", bad)
    assert standing() == some[:1]
    assert alike(some[0]) == (4, folds.NETWORK)
    expect_whole()


def test_a_fold_whose_first_goes_into_another_still_stands(app: Flask, daily: int) -> None:
    bad = "192.0.2.0/24"
    burst = [arrive(app, f"Opinion {'x' * n} <https://x{n}.example>", bad) for n in range(5)]
    assert standing() == burst[:1]
    for number in range(2):  # from elsewhere, to the site that the first of them links to
        arrive(app, f"Another {'y' * number} <https://x0.example/{number}>")
    assert standing() == burst[:2]
    assert (alike(burst[0]), alike(burst[1])) == ((2, folds.DOMAIN), (3, folds.NETWORK))
    expect_whole()


def test_an_office_does_not_fold(app: Flask, daily: int) -> None:
    office = "198.51.100.0/24"
    links = [arrive(app, f"Opinion {'x' * n} <https://x{n}.example>", office) for n in range(4)]
    plain = arrive(app, "I have an opinion too, without any link.", office)
    last = arrive(app, "And another one <https://last.example>", office)
    assert standing() == [*links, plain, last]


def test_a_burst_is_over_after_an_hour(app: Flask, daily: int) -> None:
    network = "203.0.113.0/24"
    early = [arrive(app, f"Say {'x' * n} it", network, risk=70) for n in range(4)]
    late = START + timedelta(days=2)
    fifth = arrive(app, "The fifth of them", network, risk=70, created_at=late)
    assert standing() == [*early, fifth]


def test_lists_and_sites_stay_apart(app: Flask, daily: int) -> None:
    other = add_site(app, "stars", "https://stars.example")
    said = "What a wonderful, helpful article!"
    here, there = arrive(app, said), arrive(app, said, site_id=other)
    spam = arrive(app, said, status=Status.SPAM)
    public = arrive(app, said, status=Status.APPROVED)
    assert (standing(), standing(Status.SPAM)) == ([here, there], [spam])
    assert not database.session().get_one(Comment, public).is_folded


def test_the_next_stands_when_the_oldest_goes(app: Flask, daily: int, mo: int) -> None:
    wave = [arrive(app, WAVE.format(n, n)) for n in range(4)]
    decision = decide(wave[0], Status.SPAM, mo)
    assert (standing(), standing(Status.SPAM)) == ([wave[1]], [wave[0]])
    assert alike(wave[1]) == (2, folds.DOMAIN)
    decide(wave[2], Status.APPROVED, mo)
    assert (standing(), alike(wave[1])) == ([wave[1]], (1, folds.DOMAIN))
    with database.writing() as session:
        taken = session.get_one(Decision, decision)
        moderation.undo(session, taken, session.get_one(Moderator, mo))
    assert standing() == [wave[0]]  # the oldest again
    expect_whole()


def test_a_changed_text_leaves_its_fold(app: Flask, daily: int, mo: int) -> None:
    wave = [arrive(app, WAVE.format(n, n)) for n in range(3)]
    with database.writing() as session:
        comment = session.get_one(Comment, wave[0])
        wording = moderation.Wording("Sorry.", "<p>Sorry.</p>", None)
        verdict = Verdict(Status.PENDING, ())
        moderation.edit(session, comment, comment.version, wording, verdict)
        moderation.withdraw(session, session.get_one(Comment, wave[1]))
    assert standing() == [wave[0], wave[2]]
    expect_whole()


def all_of(head: int, moderator_id: int, to: Status = Status.SPAM) -> int:
    with database.writing() as session:
        comment, who = session.get_one(Comment, head), session.get_one(Moderator, moderator_id)
        group = folds.Group(comment.site_id, comment.status, comment.fold_key or "")
        return bulk.start_fold(session, who, to, comment, group, *bulk.moment(session)).id


def finish(job: int) -> Bulk:
    is_more = True
    while is_more:
        batch = bulk.ahead(database.session(), job)
        database.forget()
        with database.writing() as session:
            is_more = bulk.step(session, job, batch)
        expect_whole()
    return database.session().get_one(Bulk, job)


def test_what_an_import_brings_folds_by_its_words(app: Flask, daily: int) -> None:
    words = "What a wonderful, helpful article!"
    alone = arrive(app, words)
    vault, brought = app.extensions["vault"], []
    for said in (words, "Something else entirely, and only once.", words.upper()):
        brought.append(arrive(app, said, fold_digest=None))
    with database.writing() as session:
        rows = []
        for id in brought:
            comment = session.get_one(Comment, id)
            comment.fold_digest = folds.digest(vault, comment.text)
            rows.append(
                {c: getattr(comment, c) for c in ("id", "site_id", "status", "fold_digest")}
            )
        session.flush()
        folds.join_many(session, rows)
    assert standing() == [alone, brought[1]]
    assert alike(alone) == (2, folds.TEXT)
    expect_whole()


def test_a_fold_is_decided_and_undone_whole(
    app: Flask, daily: int, mo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    wave = [arrive(app, WAVE.format(n, n)) for n in range(8)]
    other = arrive(app, "I was at the harbour myself that day.")
    job = all_of(wave[0], mo)
    late = arrive(app, WAVE.format(9, 9))  # was not shown
    ended = finish(job)
    assert (ended.done, ended.skipped, ended.total) == (8, 0, 8)
    assert (standing(), standing(Status.SPAM)) == ([other, late], [wave[0]])
    assert alike(wave[0]) == (7, folds.DOMAIN)
    with database.writing() as session:
        who = session.get_one(Moderator, mo)
        undo = bulk.start_undo(session, who, session.get_one(Bulk, job)).id
    assert finish(undo).done == 8
    assert standing() == [wave[0], other]
    assert alike(wave[0]) == (8, folds.DOMAIN)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_arrives_while_the_one_that_stands_goes_is_not_lost(
    app: Flask, daily: int, mo: int
) -> None:
    """Neither sees what the other is about to write: one waits for the other."""
    wave = [arrive(app, WAVE.format(n, n)) for n in range(3)]
    with database.writing() as session:
        who = session.get_one(Moderator, mo)
        for id in wave[1:]:
            moderation.decide(session, session.get_one(Comment, id), Status.SPAM, 1, who)
    has_decided, is_there = threading.Event(), threading.Event()

    def take_the_last() -> None:
        with app.app_context(), database.writing() as session:
            who = session.get_one(Moderator, mo)
            moderation.decide(session, session.get_one(Comment, wave[0]), Status.SPAM, 1, who)
            has_decided.set()
            is_there.wait(1)

    colleague = threading.Thread(target=take_the_last)
    colleague.start()
    has_decided.wait(10)
    arrive(app, WAVE.format(7, 7))
    is_there.set()
    colleague.join()
    expect_whole()


def test_a_list_shows_what_stands_unless_each_is_wanted(app: Flask, daily: int, mo: int) -> None:
    wave = [arrive(app, WAVE.format(n, n)) for n in range(4)]
    other = arrive(app, "I was at the harbour myself that day.")
    session = database.session()
    who = session.get_one(Moderator, mo)

    def shown(**words: str) -> list[int]:
        return Filter.read(words).page(session, who, "", 10).ids

    assert shown() == [wave[0], other]
    assert shown(sort="newest") == [other, wave[0]]
    assert shown(site="daily") == [wave[0], other]
    assert shown(fold="off") == [*wave, other]
    assert shown(q="watches", sort="oldest") == wave  # a search misses nothing
    assert Filter.read({}).count(session, who, 100) == 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("words", [{}, {"site": "daily"}], ids=str)
def test_a_wave_is_not_read_through(app: Flask, daily: int, mo: int, words: dict[str, str]) -> None:
    """The list walks an index in which a wave has one place, whatever its size."""
    session = database.session()
    who = session.get_one(Moderator, mo)
    ran = statements(session, lambda: Filter.read(words).page(session, who, "", 5))
    walk = next(said for said in ran if "is_folded" in said.partition("WHERE")[2])
    given = (1,) * walk.count("?")
    rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {walk}", given)
    plan = " ".join(str(row) for row in rows)
    assert "heads" in plan
    assert "TEMP B-TREE" not in plan


def statements(session: Session, work: Callable[[], object]) -> list[str]:
    """What the database is told meanwhile."""
    said: list[str] = []

    def note(*what: Any) -> None:
        said.append(what[2])

    event.listen(session.get_bind(), "before_cursor_execute", note)
    work()
    event.remove(session.get_bind(), "before_cursor_execute", note)
    return said
