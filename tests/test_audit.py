"""The record: who sees what of it, in which order, and that nothing alters it."""

from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

import pytest
from cast import add_moderator, add_site
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from service import accounts, audit, database, events
from service.accounts import Moderator
from service.audit import Filter, Place
from service.events import What
from service.models import Article, Bulk, Comment, Decision, Event, Site
from service.status import Act, Role, Status
from service.views import audit as view

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Log:
    """Two sites with a comment each, and what was done there, a minute apart."""

    def __init__(self, app):
        self.app = app
        self.sites = {
            key: add_site(app, key, f"https://{key}.example") for key in ("daily", "stars")
        }
        self.people = {
            name: add_moderator(app, f"{name}@x.example", site, role)
            for name, site, role in (
                ("mo", "daily", Role.MODERATOR),
                ("sol", "stars", Role.MODERATOR),
                ("pia", "daily", Role.PUBLISHER),
                ("ada", None, Role.ADMIN),
            )
        }
        self.comments, self.minutes = {}, 0
        with app.app_context(), database.writing() as session:
            for key, site_id in self.sites.items():
                article = Article(site_id=site_id, url=f"https://{key}.example/a")
                session.add(article)
                session.flush()
                comment = Comment(
                    site_id=site_id,
                    article_id=article.id,
                    name="Rita",
                    text="Yes.",
                    html="<p>Yes.</p>",
                    renderer=1,
                    status=Status.PENDING,
                )
                session.add(comment)
                session.flush()
                self.comments[key] = comment.id

    def _add(self, table, who, at=None, **more):
        self.minutes += 1
        row = {
            "at": at or START + timedelta(minutes=self.minutes),
            "moderator_id": self.people.get(who),
            "by": who,
            "network": "203.0.113.0/24",
        }
        with self.app.app_context(), database.writing() as session:
            return session.scalar(insert(table).returning(table.id), [row | more])

    def decided(self, who, site="daily", to=Status.APPROVED, act=Act.DECIDED, **more):
        comment = {"comment_id": self.comments[site], "from_status": Status.PENDING, "version": 2}
        return self._add(Decision, who, act=act, to_status=to, **comment, **more)

    def event(self, who, what, site=None, **more):
        return self._add(Event, who, what=what, site_id=self.sites.get(site), **more)

    def page(self, who="ada", wanted=None, **more):
        with self.app.app_context():
            session = database.session()
            moderator = session.get_one(Moderator, self.people[who])
            page = audit.page(session, moderator, wanted or Filter(), **more)
            return [said(entry) for entry in page.entries], page.older

    def seen(self, reader="ada", **wanted):
        return self.page(reader, Filter(**wanted))[0]


def said(entry):
    row = entry.row
    what = row.what if entry.event else (row.to_status if row.act == Act.DECIDED else row.act)
    return f"{row.by} {what} {entry.site.key if entry.site else '-'}"


@pytest.fixture
def log(app):
    return Log(app)


@pytest.fixture
def busy(log):
    """One of each that matters, in this order."""
    log.event("mo", "signed_in")
    log.decided("mo")
    log.decided("sol", "stars", Status.SPAM)
    log.event("mo", What.CLOSED, "daily")
    log.event("sol", What.HELD, "stars")
    log.event("sol", "signed_in")
    log.event("pia", "role_changed", "daily")
    log.decided("author", act=Act.EDITED)
    log.event("ada", What.RELEASED)
    log.event("mo", "searched")
    log.event("somebody", "sign_in_failed")
    return log


def test_two_logs_are_one_list_newest_first(log):
    log.decided("mo")
    log.event("mo", What.CLOSED, "daily")
    log.decided("mo", to=Status.SPAM)
    log.decided("mo", act=Act.REVEALED)
    log.event("mo", What.OPENED, "daily")
    assert log.page() == (
        [
            "mo opened daily",
            "mo revealed daily",
            "mo spam daily",
            "mo closed daily",
            "mo approved daily",
        ],
        None,
    )


# Who sees what: (moderator, what they see, newest first)
SEEN = [
    ("mo", ["mo searched -", "author edited daily", "mo closed daily", "mo approved daily"]),
    ("sol", ["sol held stars", "sol spam stars"]),
    (
        "pia",
        [
            "author edited daily",
            "pia role_changed daily",
            "mo closed daily",
            "mo approved daily",
            "mo signed_in -",
        ],
    ),
]


def test_each_sees_their_own_sites_publishers_their_people_too_and_an_admin_all(busy):
    assert [(who, busy.seen(who)) for who, _ in SEEN] == SEEN
    assert len(busy.seen("ada")) == 11


def leave(log, who, site):
    """Takes a role away, as people.py does."""
    with log.app.app_context(), database.writing() as session:
        mine = session.get_one(Moderator, log.people[who]).memberships
        next(m for m in mine if m.site_id == log.sites[site]).removed_at = START


def give(log, who, site, role=Role.MODERATOR):
    with log.app.app_context(), database.writing() as session:
        accounts.give(session, session.get_one(Moderator, log.people[who]), role, log.sites[site])


ELSEWHERE = [
    lambda log: give(log, "mo", "stars"),
    lambda log: leave(log, "mo", "daily"),
    lambda log: (give(log, "mo", "stars"), leave(log, "mo", "stars")),
    lambda log: (give(log, "mo", "stars"), leave(log, "mo", "daily")),
]


@pytest.mark.parametrize("happens", ELSEWHERE)
def test_a_publisher_reads_nothing_of_what_a_colleague_does_elsewhere(busy, happens):
    """Nor what they may have done there: no sign-in says for which site it was."""
    happens(busy)
    busy.event("mo", "signed_in")
    busy.event("mo", What.BULK)
    seen = busy.seen("pia")
    assert [said for said in seen if said.startswith("mo") and said.endswith("-")] == []
    assert {"mo closed daily", "mo approved daily"} <= set(seen)


def test_what_concerns_no_site_and_no_people_is_for_admins_and_whoever_did_it(busy):
    busy.event("mo", What.BULK)
    assert "mo bulk -" not in busy.seen("pia")
    assert all("mo bulk -" in busy.seen(who) for who in ("mo", "ada"))


def test_a_publisher_reads_their_own_sign_ins_wherever_else_they_have_a_role(busy):
    give(busy, "pia", "stars")
    busy.event("pia", "signed_in")
    assert "pia signed_in -" in busy.seen("pia")


def test_who_has_no_role_sees_nothing(busy):
    busy.people["new"] = add_moderator(busy.app, "new@x.example")
    with busy.app.app_context(), database.writing() as session:
        for held in session.get_one(Moderator, busy.people["new"]).memberships:
            session.delete(held)
    assert busy.seen("new") == []


def test_only_a_publisher_s_sites_count_for_an_export(busy):
    with busy.app.app_context(), database.writing() as session:
        stars = session.get_one(Site, busy.sites["stars"])
        accounts.add(session, "pia@x.example", Role.MODERATOR, stars, None)
    assert "sol spam stars" in busy.seen("pia")
    with busy.app.app_context():
        session = database.session()
        pia = session.get_one(Moderator, busy.people["pia"])
        taken = [said(entry) for entry in audit.everything(session, pia, Filter(), size=2)]
        assert audit.may_export(pia)
        assert [audit.may_export(pia, busy.sites[key]) for key in busy.sites] == [True, False]
    assert taken == dict(SEEN)["pia"]


WANTED = [
    ({"site": "stars"}, ["sol held stars", "sol spam stars"]),
    ({"what": "to.spam"}, ["sol spam stars"]),
    ({"what": "act.edited"}, ["author edited daily"]),
    ({"what": "event.held"}, ["sol held stars"]),
    ({"what": "act.held"}, []),  # what readers' reports did to a comment is something else
    ({"who": 0}, ["somebody sign_in_failed -", "author edited daily"]),
    ({"network": "198.51.100.0/24"}, []),
    ({"since": START + timedelta(minutes=11)}, ["somebody sign_in_failed -"]),
    ({"until": START + timedelta(minutes=3)}, ["mo approved daily", "mo signed_in -"]),
    (
        {"since": START + timedelta(minutes=3), "until": START + timedelta(minutes=5)},
        ["mo closed daily", "sol spam stars"],
    ),
    ({"since": START + timedelta(days=1)}, []),
]


def test_it_shows_what_was_asked_for(busy):
    assert [(wanted, busy.seen(**wanted)) for wanted, _ in WANTED] == WANTED
    assert busy.seen(who=busy.people["sol"]) == [
        "sol signed_in -",
        "sol held stars",
        "sol spam stars",
    ]


def test_a_job_over_many_is_one_entry_unless_asked_for_each(log):
    with log.app.app_context(), database.writing() as session:
        bulk = Bulk(moderator_id=log.people["mo"], by="mo", about={})
        session.add(bulk)
        session.flush()
        number = bulk.id
    log.event("mo", "bulk", "daily")
    log.decided("mo", bulk_id=number)
    log.decided("mo", bulk_id=number)
    assert log.seen() == ["mo bulk daily"]
    assert len(log.seen(has_each=True)) == 3


def test_pages_follow_each_other_without_gap_or_double(log):
    """Also where both logs say the same moment, and where one of them ends first."""
    for number in range(7):
        at = START + timedelta(minutes=number // 2)
        log.decided("mo", at=at)
        if number < 3:
            log.event("mo", What.CLOSED, "daily", at=at)
    whole, _ = log.page(size=100)
    pages, place = [], Place()
    while place is not None:
        entries, place = log.page(before=place, size=3)
        pages.append(entries)
        log.event("mo", What.OPENED, "daily")  # what comes in between belongs to the first page
    assert list(chain.from_iterable(pages)) == whole
    assert [len(page) for page in pages] == [3, 3, 3, 1]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12.7", Place(12, 7)),
        (".7", Place(None, 7)),
        ("", Place()),
        ("x.1", Place(None, 1)),
        ("1.2.3", Place()),
        ("²." + "9" * 30, Place()),
    ],
)
def test_a_place_is_read_as_it_was_written(written, read):
    assert audit.place(written) == read
    assert audit.place(str(read)) == read


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("Rita", "Rita"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(value, cell):
    assert audit.cell(value) == cell


def test_there_is_a_sentence_for_each_word_on_record():
    """A word that is new in events.What or status.Act needs one in views/audit.py, and where it is
    about people rather than comments, a place among audit.OF_PEOPLE."""
    assert set(map(str, What)) - view.EVENTS.keys() == set()
    assert set(Act) - view.OTHER_ACTS.keys() == {Act.DECIDED}
    assert set(audit.OF_PEOPLE) - view.EVENTS.keys() == set()


def alterations(log):
    return [
        update(log).values(by="nobody"),
        delete(log),
        text(f"UPDATE {log.__tablename__} SET network = ''"),
        text(f"DELETE FROM {log.__tablename__}"),
    ]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_nothing_in_the_application_can_alter_a_row(busy):
    engines = busy.app.extensions["database"]
    before = stored(engines)
    for opened in (engines.write_engine, engines.read_engine):
        for statement in [*alterations(Decision), *alterations(Event)]:
            with pytest.raises(DBAPIError), opened.begin() as connection:
                connection.execute(statement)
    assert stored(engines) == before
    assert len(before) == 11


def stored(engines):
    tables = (Decision.__table__, Event.__table__)
    with engines.read_engine.connect() as connection:
        return [row for t in tables for row in connection.execute(select(t).order_by(t.c.id))]


def test_what_is_recorded_says_from_where(log):
    with log.app.app_context(), database.writing() as session:
        mo = session.get_one(Moderator, log.people["mo"])
        mo.came_from = "198.51.100.0/24"
        events.record(session, What.EXPORTED, mo, "site daily", log.sites["daily"])
    with log.app.app_context():
        [row] = database.session().scalars(select(Event))
        assert (row.by, row.network, row.about) == ("mo", "198.51.100.0/24", "site daily")


def test_rows_come_by_pairs_of_falling_time(busy):
    with busy.app.app_context():
        session = database.session()
        ada = session.get_one(Moderator, busy.people["ada"])
        times = [entry.row.at for entry in audit.everything(session, ada, Filter(), size=3)]
    assert len(times) == 11
    assert all(later >= earlier for later, earlier in pairwise(times))
