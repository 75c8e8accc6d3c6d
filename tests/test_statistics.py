"""How it goes, counted from hand-made rows whose answers are known."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from cast import add_moderator, add_site
from sqlalchemy import event, insert

from service import database, statistics
from service.models import Article, Comment, Decision, Import, Reason, Site
from service.statistics import Busy, Queue, Use, Waits
from service.status import Act, Mark, Markup, Status

AT = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)
TODAY = AT.date()
P, A, R, S, D = (
    Status.PENDING,
    Status.APPROVED,
    Status.REJECTED,
    Status.SPAM,
    Status.DELETED,
)
ids = itertools.count(1)


def ago(**units):
    return AT - timedelta(**units)


class Newspaper:
    """A site, and what came in there."""

    def __init__(self, app):
        self.app, self.site_id, self.mo = app, add_site(app), add_moderator(app)
        self.comments, self.decisions, self.reasons = [], [], []
        self.articles = [self.add(Article(site_id=self.site_id, url="https://daily.example/0"))]

    def add(self, row):
        with self.app.app_context(), database.writing() as session:
            session.add(row)
            session.flush()
            return row.id

    def comment(self, at, status=A, rules=(), **more):
        number = next(ids)
        row = {
            "id": number,
            "public_id": f"{number:012d}",
            "site_id": self.site_id,
            "article_id": self.articles[0],
            "name": "Rita",
            "website": "",
            "text": "Yes.",
            "html": "<p>Yes.</p>",
            "markup": Markup.MARKDOWN,
            "renderer": 1,
            "status": status,
            "mark": Mark.NONE,
            "created_at": at,
            "text_digest": None,
            "import_id": None,
            "edit_at": None,
        }
        self.comments.append(row | more)
        self.reasons += [{"comment_id": number, "rule": rule} for rule in rules]
        return number

    def decided(self, comment_id, at, to, by_moderator=True, act=Act.DECIDED, before=P):
        self.decisions.append(
            {
                "comment_id": comment_id,
                "moderator_id": self.mo if by_moderator else None,
                "by": "mo",
                "act": act,
                "from_status": before,
                "to_status": to,
                "version": 2,
                "at": at,
            }
        )

    def waited(self, at, seconds, status=A, **more):
        number = self.comment(at, status, **more)
        self.decided(number, at + timedelta(seconds=seconds), status)
        return number

    def report(self, span=7, at=AT):
        with self.app.app_context(), database.writing() as session:
            tables = ((Comment, "comments"), (Reason, "reasons"), (Decision, "decisions"))
            for table, name in tables:
                if rows := getattr(self, name):
                    session.execute(insert(table), rows)
                setattr(self, name, [])
        with self.app.app_context():
            return statistics.report(database.session(), self.site_id, span, at)


@pytest.fixture
def daily(app):
    return Newspaper(app)


def test_it_counts_each_day_by_what_became_of_its_comments(app, daily):
    midnight = AT.replace(hour=0, minute=0)
    for at, status in (
        (AT, P),
        (midnight, A),  # the first moment of today
        (midnight - timedelta(microseconds=1), S),  # the last of yesterday
        (midnight - timedelta(hours=3), A),
        (midnight - timedelta(days=6), R),  # the first moment of 7 days
        (midnight - timedelta(days=6, microseconds=1), A),  # too old
        (AT + timedelta(minutes=1), A),  # not yet
    ):
        daily.comment(at, status)
    other = daily.add(Site(key="stars", name="Stars", origins=["https://stars.example"]))
    daily.comment(AT, A, site_id=other)
    told = daily.report()
    assert [day.date for day in told.days] == [TODAY - timedelta(days=n) for n in range(6, -1, -1)]
    some = {day.date: {s: n for s, n in day.counts.items() if n} for day in told.days}
    assert {day: counts for day, counts in some.items() if counts} == {
        date(2026, 3, 4): {R: 1},
        date(2026, 3, 9): {S: 1, A: 1},
        date(2026, 3, 10): {P: 1, A: 1},
    }
    assert (told.total, told.totals[A], told.totals[D]) == (5, 2, 0)
    assert len(daily.report(span=90).days) == 90
    assert daily.report(span=90).total == 6


def test_a_site_without_comments_has_a_report_of_zeros(daily):
    told = daily.report()
    assert (told.total, told.waits, told.rules, told.articles, told.waves) == (
        0,
        Waits(),
        (),
        (),
        (),
    )
    assert told.queue == Queue((0,) * 6, None)


@pytest.mark.parametrize(
    ("waits", "waiting", "half", "nine_of_ten"),
    [
        ([], 0, None, None),
        ([5], 0, 5, 5),
        ([3, 1], 0, 1, 3),  # half of two is one
        ([3, 1, 2], 0, 2, 3),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0, 5, 9),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], 1, 5, 9),  # what still waits is the longest
        ([1, 2, 3, 4, 5, 6, 7, 8], 2, 5, None),
        ([1], 1, 1, None),
        ([1], 2, None, None),
    ],
)
def test_half_and_nine_of_ten_are_told_by_nearest_rank(waits, waiting, half, nine_of_ten):
    total = len(waits) + waiting
    assert statistics.time_within(waits, total, 0.5) == half
    assert statistics.time_within(waits, total, 0.9) == nine_of_ten


def test_it_tells_how_long_each_day_s_comments_waited(daily):
    for seconds in (60, 120, 600, 7_200):
        daily.waited(ago(days=1), seconds)
    daily.waited(ago(days=2), 30, R)
    daily.comment(ago(hours=1), P)
    told = daily.report()
    waits = {day.date.day: day.waits for day in told.days if day.waits != Waits()}
    assert waits == {
        8: Waits(1, 0, 30, 30),
        9: Waits(4, 0, 120, 7_200),
        10: Waits(0, 1, None, None),
    }
    assert told.waits == Waits(5, 1, 120, None)


def test_only_a_moderator_s_first_decision_out_of_the_queue_counts(app, daily):
    run = daily.add(Import(site_id=daily.site_id, format="json", file_name="a", file_digest="b"))
    yesterday = ago(days=1)
    twice = daily.waited(yesterday, 60, R)
    daily.decided(twice, yesterday + timedelta(hours=9), A, before=R)
    undone = daily.waited(yesterday, 90, P)  # decided once, whatever came of it
    daily.decided(undone, yesterday + timedelta(hours=1), P, act=Act.UNDONE, before=A)
    daily.waited(yesterday, 5, mark=Mark.STAFF)
    daily.waited(yesterday, 5, import_id=run)
    daily.comment(yesterday, P, import_id=run)
    daily.comment(yesterday, A)  # nobody had to decide
    by_nobody = daily.comment(yesterday, D)
    daily.decided(by_nobody, yesterday, D, by_moderator=False, act=Act.WITHDRAWN)
    from_spam = daily.comment(yesterday, A)
    daily.decided(from_spam, yesterday + timedelta(seconds=1), A, before=S)
    held = daily.comment(yesterday, R)  # published at first; only readers' reports made it wait
    daily.decided(held, yesterday + timedelta(hours=5), P, False, Act.HELD, before=A)
    daily.decided(held, yesterday + timedelta(hours=6), R)
    looked_at = daily.comment(yesterday, P)
    daily.decided(looked_at, yesterday, P, act=Act.REVEALED)
    assert daily.report().waits == Waits(2, 1, 90, None)


def test_it_tells_how_old_the_queue_is(app, daily):
    for age in (
        {"minutes": 1},
        {"minutes": 59},
        {"hours": 2},
        {"hours": 23},
        {"days": 2},
        {"days": 5},
        {"days": 8},
        {"days": 400},
    ):
        daily.comment(ago(**age), P)
    daily.comment(ago(days=90), A, edit_at=ago(minutes=30))  # a change that waits, and is new
    daily.comment(ago(days=90), R, edit_at=ago(minutes=30))
    told = daily.report().queue
    assert told == Queue((3, 1, 1, 1, 1, 2), ago(days=400))
    assert told.total == 9


def test_it_tells_how_often_moderators_agreed_with_a_rule(daily):
    yesterday = ago(days=1)
    for status in (R, S, D, A):
        daily.waited(yesterday, 60, status, rules=["repeated"])
    daily.comment(yesterday, P, rules=["repeated", "too_fast", "too_fast"])  # twice is once
    daily.comment(yesterday, S, rules=["too_fast"])  # the rule's own doing: nobody looked
    undone = daily.waited(yesterday, 60, P, rules=["too_fast"])
    daily.decided(undone, ago(hours=1), P, act=Act.UNDONE, before=R)
    daily.waited(ago(days=7), 60, R, rules=["repeated"])  # the evening before, so too old
    repeated, too_fast = daily.report().rules
    assert repeated == Use("repeated", agreed=3, disagreed=1, undecided=1)
    assert (too_fast.rule, too_fast.agreed, too_fast.hits) == ("too_fast", 0, 3)


def test_it_tells_of_one_rule_since_a_moment_and_of_its_newest(app, daily):
    for days, status in ((100, R), (80, A), (2, S)):
        daily.waited(ago(days=days), 60, status, rules=["repeated", "repeated"])
    by_nobody = daily.comment(ago(days=1), A, rules=["repeated"])  # no moderator let it through
    daily.waited(ago(days=1), 60, R, rules=["too_fast"])
    other = daily.add(Site(key="stars", name="Stars", origins=["https://stars.example"]))
    daily.waited(ago(days=1), 60, A, rules=["repeated"], site_id=other)
    daily.report()
    with app.app_context():
        session, site_id = database.session(), daily.site_id
        told = [
            statistics.use(session, site_id, "repeated"),
            statistics.use(session, site_id, "repeated", ago(days=90)),
            statistics.use(session, site_id, "repeated", most=2),
        ]
        let_through = [c.id for c in statistics.passed(session, site_id, "repeated")]
    assert [(use.agreed, use.disagreed, use.undecided) for use in told] == [
        (2, 1, 1),
        (1, 1, 1),
        (1, 0, 1),
    ]
    assert len(let_through) == 1
    assert by_nobody not in let_through


def test_the_busiest_articles_are_named_only_where_the_title_is_proved(app, daily):
    busy = daily.add(
        Article(
            site_id=daily.site_id,
            url="https://daily.example/1",
            title="The harbour",
            is_title_proved=True,
        )
    )
    hint = daily.add(
        Article(site_id=daily.site_id, url="https://daily.example/2", title="Buy gold now")
    )
    for article_id, many, status in ((busy, 3, A), (hint, 2, P), (hint, 5, S), (hint, 5, D)):
        for _ in range(many):
            daily.comment(ago(hours=1), status, article_id=article_id)
    assert daily.report().articles == (
        Busy("The harbour", "https://daily.example/1", 3),
        Busy("", "https://daily.example/2", 2),
    )


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([], []),
        ([19, 0, 0], []),
        ([20, 0, 0], [(0, 1)]),
        ([0, 30, 40, 0, 25, 0, 0], [(1, 3), (4, 5)]),
        ([6, 6, 6, 30], []),  # not more than 5 times the usual hour
        ([6, 6, 6, 31], [(3, 4)]),
    ],
)
def test_a_wave_is_far_more_spam_than_usual(counts, found):
    assert statistics.surges(counts) == found


def test_it_tells_a_wave_with_what_its_comments_share(daily):
    start = ago(days=2).replace(minute=0)
    link = '<p><a href="https://www.Cheap.example/{}">x</a></p>'
    for number in range(30):
        more = {"text_digest": b"same"} if number < 20 else {"text_digest": bytes([number])}
        daily.comment(start + timedelta(minutes=number), S, html=link.format(number), **more)
    for number in range(20):
        at = start + timedelta(hours=1, minutes=number)
        daily.comment(at, S, website="https://cheap.example")
    daily.comment(start - timedelta(hours=1), S)
    daily.comment(start + timedelta(hours=2), A)
    [wave] = daily.report().waves
    assert (wave.start, wave.end) == (start, start + timedelta(hours=2))
    assert (wave.before, wave.hours, wave.after) == ((0, 0, 0, 0, 0, 1), (30, 20), (0,) * 6)
    assert (wave.total, wave.host, wave.host_share) == (50, "cheap.example", 1.0)
    assert wave.same_share == 0.4


def test_of_very_many_comments_a_part_is_looked_at(app, daily, monkeypatch):
    monkeypatch.setattr(statistics, "SAMPLE", 10)
    for _ in range(40):
        daily.waited(ago(days=1), 60, R, rules=["repeated"])
    told = daily.report()
    assert (told.total, told.every) == (40, 4)  # exact, and a quarter
    assert (told.waits.decided, told.waits.median) == (10, 60)
    assert [use.hits for use in told.rules] == [40]
    assert [article.count for article in told.articles] == [40]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_counts_from_an_index_alone(daily):
    """So that a large table is not read for it, and what waits is told from few rows."""
    asked = []
    with daily.app.app_context():
        session = database.session()
        event.listen(
            session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2:4])
        )
        statistics.report(session, daily.site_id, 7, AT)
        queries = [
            pair for pair in asked if "substr" in pair[0] or "min(comments.created" in pair[0]
        ]
        plans = [
            session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).first().detail
            for sql, given in queries
        ]
    index = "COVERING INDEX ix_comments_site_queue (site_id=? AND status=?"
    assert len(plans) == 2
    assert plans[0].endswith(f"{index} AND created_at>? AND created_at<?)")
    assert plans[1].endswith(f"{index})")
