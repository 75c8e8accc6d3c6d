"""What a list of the desk shows: which comments, in which order, a page at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site
from sqlalchemy import delete, insert, select, update
from sqlalchemy import text as sql

from service import accounts, database, filters, moderation
from service.filters import Filter, asking
from service.models import Article, Comment, Reason, Report, Site, public_id
from service.rules import Verdict
from service.status import ReportReason, Status

START = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = (
    "The old harbour at dawn",
    "Buy cheap pills at https://pills.example",
    "Nobody sails from the HARBOUR any more",
    "Äpfel und Birnen",
    "東京都知事 spoke",
    "pills, pills, pills",
)


@pytest.fixture
def mo(app):
    """Mo, who moderates The Daily, with six comments waiting, a minute apart."""
    add_site(app)
    return add(app, *TEXTS), add_moderator(app)


def add(app, *texts, site="daily", **columns):
    with app.app_context(), database.writing() as session:
        found = session.scalars(select(Site).where(Site.key == site)).one()
        article = session.scalar(select(Article).where(Article.site_id == found.id))
        if article is None:
            article = Article(site_id=found.id, url=f"{ORIGIN}/{site}/1")
            session.add(article)
            session.flush()
        values = [
            {
                "public_id": public_id(),
                "site_id": found.id,
                "article_id": article.id,
                "name": f"Reader {n}",
                "text": text,
                "html": f"<p>{text}</p>",
                "renderer": 1,
                "status": Status.PENDING,
                "created_at": START + timedelta(minutes=n),
            }
            | columns
            for n, text in enumerate(texts)
        ]
        session.execute(insert(Comment), values)
        return [value["public_id"] for value in values]


def texts(app, wanted, size=50, after="", moderator_id=1):
    with app.app_context():
        session = database.session()
        moderator = session.get_one(accounts.Moderator, moderator_id)
        found = wanted.page(session, moderator, after, size)
        by_id = dict(session.execute(select(Comment.id, Comment.text)).all())
        return [by_id[id] for id in found.ids]


WORDS = {
    "harbour": [2, 0],
    "Harbour OLD": [0],
    '"old harbour"': [0],
    '"harbour old"': [],
    "apfel": [3],
    "pills.example": [1],
    "京都": [4],
    "spoke 知事": [4],
    ":-)": [],
    "harb": [],
    'text : "x" OR harbour*': [],
    '"': [5, 4, 3, 2, 1, 0],
}


def test_it_finds_words_whatever_their_capitals_accents_and_script(app, mo):
    for sort, way in (("newest", 1), ("oldest", -1)):
        found = {typed: texts(app, Filter(text=typed, sort=sort)) for typed in WORDS}
        assert found == {typed: [TEXTS[n] for n in ns[::way]] for typed, ns in WORDS.items()}


def walked(app, asked, size):
    """All pages of a list, one after the other."""
    pages, after = [], ""
    while True:
        with app.app_context():
            session = database.session()
            moderator = session.get_one(accounts.Moderator, 1)
            found = asked.page(session, moderator, after, size)
            pages.append(found.ids)
            if not found.has_more:
                return pages, found.among
            after = session.get_one(Comment, found.ids[-1]).public_id


def change(app, number, **values):
    """Gives the comment of this number other columns, as no verb of ours would."""
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).where(Comment.id == number).values(values))


@pytest.fixture
def varied(app, mo):
    """Six comments, of which each has something of its own."""
    change(app, 1, website_domain="ann.example", language="de", risk=70)
    change(app, 2, network="192.0.2.0/24", language="de-AT", link_count=1, report_count=2)
    change(app, 3, is_first=True, language="en", risk=10, report_count=3)
    change(app, 4, name="Mary Ann", risk=70)
    with app.app_context(), database.writing() as session:
        session.add(Reason(comment_id=5, rule="too_fast"))
        session.add(Report(comment_id=6, reason=ReportReason.SPAM, network_digest=b"1"))
        site_id = session.scalars(select(Site.id)).one()
        url, title = f"{ORIGIN}/2", "Of Apples"
        other = Article(site_id=site_id, url=url, title=title, given_id="a-2", is_title_proved=True)
        session.add(other)
        session.flush()
        session.get_one(Comment, 6).article_id = other.id


NARROWED = [
    ({}, [1, 2, 3, 4, 5, 6]),
    ({"website": "https://www.ANN.example/about"}, [1]),
    ({"network": "192.0.2.77"}, [2]),
    ({"network": "192.0.2.0/24", "links": "yes"}, [2]),
    ({"network": "198.51.100.0/24"}, []),
    ({"name": "ann"}, [4]),
    ({"name": "reader", "q": "harbour"}, [3, 1]),
    ({"language": "de"}, [1, 2]),
    ({"language": "de-AT"}, [2]),
    ({"first": "yes"}, [3]),
    ({"links": "yes"}, [2]),
    ({"spam": "yes"}, [1, 4]),
    ({"rule": "too_fast"}, [5]),
    ({"reason": "spam"}, [6]),
    ({"reason": "illegal"}, []),
    ({"article": f"{ORIGIN}/2?utm_source=x#top"}, [6]),
    ({"article": "a-2"}, [6]),
    ({"article": "apple"}, [6]),
    ({"article": "pear"}, []),
    ({"article": "apple", "q": "pills"}, [6]),
    ({"since": "2026-03-02"}, []),
    ({"until": "2026-02-28"}, []),
    ({"since": "2026-03-01", "until": "2026-03-01", "q": "spoke"}, [5]),
    ({"site": "daily"}, [1, 2, 3, 4, 5, 6]),
    ({"site": "nosuch"}, []),
    ({"status": "approved"}, []),
    ({"sort": "newest"}, [6, 5, 4, 3, 2, 1]),
    ({"sort": "riskiest"}, [4, 1, 3, 6, 5, 2]),
    ({"sort": "reported"}, [3, 2, 1, 4, 5, 6]),
    ({"sort": "riskiest", "q": "harbour"}, [1, 3]),
    ({"sort": "oldest", "q": "harbour"}, [1, 3]),
]


def test_it_narrows_the_list(app, varied):
    """And counts, and walks for a job, the same that it shows."""
    for args, found in NARROWED:
        asked = Filter.read(args)
        assert walked(app, asked, 50) == ([found], 0), args
        assert [id for page in walked(app, asked, 2)[0] for id in page] == found, args
        assert Filter.read(asked.words()) == asked
        with app.app_context():
            session = database.session()
            moderator = session.get_one(accounts.Moderator, 1)
            counts = [asked.count(session, moderator, most) for most in (1_000, 1)]
            assert counts == [len(found), min(2, len(found))], args
            jobs = [asked.walk(session, moderator, after, 3) for after in (0, 2)]
            ids = [[row.id for row in rows] for rows in jobs]
            assert ids == [[id for id in sorted(found) if id > after][:3] for after in (0, 2)], args


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"since": "yesterday"}, {"since": "Enter a day like 2026-11-25."}),
        ({"until": "9999-12-31"}, {"until": "Enter a day like 2026-11-25."}),
        ({"since": "2026-03-02", "until": "2026-03-01"}, {"until": "not before the first"}),
        ({"network": "10.0.0.0/8"}, {"network": "192.0.2.0/24"}),
        ({"network": "here", "website": "a b"}, {"network": "192.0.2.7", "website": "example.org"}),
        ({"language": "English, please"}, {"language": "pt-BR"}),
        ({"moderator": "mo"}, {"moderator": "Choose"}),
        ({"sort": "best"}, {"sort": "Choose"}),
        ({"reason": "dull"}, {"reason": "Choose"}),
        ({"status": "every"}, {"status": "Choose"}),
    ],
    ids=str,
)
def test_it_says_what_it_cannot_read(args, said):
    with pytest.raises(filters.Unreadable) as raised:
        Filter.read(args)
    assert raised.value.fields.keys() == said.keys()
    assert all(part in raised.value.fields[word] for word, part in said.items())


def test_its_words_hold_no_default_and_no_author():
    asked = Filter(text="a b", author_ids=(7,), has_links=True, since=START.date())
    assert asked.words() == {"q": "a b", "links": "yes", "since": "2026-03-01", "sort": "oldest"}
    assert not Filter.read({"author_ids": "7", "authors": "7"}).author_ids
    assert (Filter().words(), Filter.read({"q": "a"}).words()) == ({}, {"q": "a"})
    plain = [Filter(), Filter.read({"status": "spam", "site": "x", "sort": "riskiest"})]
    assert [one.is_plain() for one in [*plain, asked]] == [True, True, False]


def test_it_knows_who_decided_last(app, mo):
    """Not who decided before, and not who only looked."""
    ina = add_moderator(app, "ina@daily.example")
    with app.app_context(), database.writing() as session:
        people = [session.get_one(accounts.Moderator, id) for id in (mo[1], ina)]
        for number, who in ((1, 0), (1, 1), (2, 1), (2, 0)):
            comment = session.get_one(Comment, number)
            to = Status.SPAM if comment.status == Status.PENDING else Status.REJECTED
            moderation.decide(session, comment, to, comment.version, people[who])
        moderation.reveal(session, session.get_one(Comment, 1), people[0])
    for few in (asking.FEW, 0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(asking, "FEW", few)
            assert walked(app, Filter(status="rejected", moderator=mo[1]), 9)[0] == [[2]]
            assert walked(app, Filter(status="rejected", moderator=ina), 9)[0] == [[1]]


def test_a_pending_list_holds_edits_that_wait_but_a_job_leaves_them_out(app, mo):
    change(app, 2, status=Status.APPROVED, edit_text="x", edit_html="x", edit_at=START)
    change(app, 3, status=Status.APPROVED)
    for sort in filters.SORTS:
        assert set(walked(app, Filter(sort=sort), 2)[0][0]) <= {1, 2, 4, 5, 6}
    assert walked(app, Filter(), 9)[0] == [[1, 2, 4, 5, 6]]
    assert walked(app, Filter(text="pills"), 9)[0] == [[2, 6]]
    with app.app_context():
        session = database.session()
        moderator = session.get_one(accounts.Moderator, 1)
        assert [row.id for row in Filter().walk(session, moderator, 0, 9)] == [1, 4, 5, 6]
        assert Filter().count(session, moderator, 9) == 5
        assert Filter().count(session, moderator, 9, with_edits=False) == 4


def test_it_goes_on_after_a_comment_that_was_decided(app, mo):
    """Which takes its reports from it, and so its place among the most reported."""
    for number in (1, 2, 3, 4):
        change(app, number, report_count=number, reported_at=START + timedelta(hours=number))
    most = Filter(sort="reported")
    for asked in (most, Filter(status="reported"), Filter(status="reported", sort="reported")):
        assert len(texts(app, asked, 2)) == 2
    assert walked(app, most, 2)[0] == [[4, 3], [2, 1], [5, 6]]
    change(app, 3, status=Status.SPAM, report_count=0, reported_at=None)
    assert texts(app, most, 2, mo[0][2]) == [TEXTS[3], TEXTS[1]]  # begins anew, without it
    assert texts(app, Filter(), 2, mo[0][2]) == [TEXTS[3], TEXTS[4]]
    for sort, first in (("reported", 3), ("oldest", 0), ("newest", 3)):
        assert texts(app, Filter(status="reported", sort=sort), 1, mo[0][2]) == [TEXTS[first]]


def test_it_stays_within_the_moderator_s_reach(app, mo):
    add_site(app, "stars", "https://stars.example")
    add(app, "harbour lights", site="stars")
    assert walked(app, Filter(text="harbour"), 9)[0] == [[1, 3]]
    assert walked(app, Filter(text="harbour", site="stars"), 9)[0] == [[]]
    add_moderator(app, site="stars")  # now Mo moderates both
    assert walked(app, Filter(text="harbour"), 9)[0] == [[1, 7, 3]]
    assert walked(app, Filter(), 3)[0] == [[1, 7, 2], [3, 4, 5], [6]]
    assert walked(app, Filter(site="stars"), 9)[0] == [[7]]
    with app.app_context(), database.writing() as session:
        session.execute(delete(accounts.Membership))  # and now none
    for asked in (
        Filter(),
        Filter(text="harbour"),
        Filter(status="reported"),
        Filter(site="daily"),
    ):
        assert walked(app, asked, 9)[0] == [[]]
        with app.app_context():
            session = database.session()
            moderator = session.get_one(accounts.Moderator, mo[1])
            assert (
                asked.count(session, moderator, 9) == len(asked.walk(session, moderator, 0, 9)) == 0
            )


def test_of_too_many_matches_it_sorts_the_newest_and_says_so(app, mo, monkeypatch):
    add(app, *(f"pills {n}" for n in range(10)))  # 7 to 16; pills stand in 2 and 6 too
    for name in ("WINDOW", "NEWEST", "ASKED"):
        monkeypatch.setattr(asking, name, 5)
    assert walked(app, Filter(text="pills", sort="oldest"), 9) == ([[12, 13, 14, 15, 16]], 5)
    newest = [16, 15, 14, 13], [12, 11, 10, 9], [8, 7, 6, 2]
    assert walked(app, Filter(text="pills", sort="newest"), 4) == (list(newest), 0)
    change(app, 16, status=Status.SPAM)  # a list that is short is asked one by one
    assert walked(app, Filter(status="spam", text="pills"), 9) == ([[16]], 0)
    # By time alone there are nine before the first of them: of letters no index knows.
    monkeypatch.setattr(asking, "LOOKED_AT", 4)
    assert walked(app, Filter(text="京", sort="newest"), 9)[1] == 4
    change(app, 5, created_at=START + timedelta(days=1))
    assert walked(app, Filter(text="京", sort="newest"), 9) == ([[5]], 4)


def test_what_a_reader_takes_back_leaves_the_index(app, mo):
    """Its words too, not only the way from them to the comment (hard rule 12)."""
    add(app, "a quincunx of trees", name="Quentin")
    assert texts(app, Filter(text="quincunx")) == ["a quincunx of trees"]
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.get_one(Comment, 7))
    for asked in (Filter(text="quincunx"), Filter(name="quentin")):
        assert texts(app, replace(asked, status="deleted")) == []
    assert left_in_the_index(app, "quincunx") == left_in_the_index(app, "quentin") == []
    assert left_in_the_index(app, "harbour") != []


def left_in_the_index(app, word):
    """Rows of the index's own tables in which a word stands."""
    with app.app_context():
        session = database.session()
        if session.get_bind().dialect.name == "sqlite":
            stored = session.execute(sql("SELECT id, block FROM search_data")).all()
            # A term shares its first letters with the one before it: so its end is looked for.
            return [row.id for row in stored if word[2:].encode() in row.block]
        held = sql("SELECT comment_id FROM search WHERE concat(name, text) LIKE :word")
        return session.scalars(held, {"word": f"%{word}%"}).all()


def test_the_index_follows_every_other_change(app, mo):
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, 1)
        wording = moderation.Wording("A lighthouse", "<p>A lighthouse</p>", None)
        moderation.edit(session, comment, 1, wording, Verdict(Status.PENDING))
        session.delete(session.get_one(Comment, 3))
    assert walked(app, Filter(text="harbour"), 9)[0] == [[]]
    assert walked(app, Filter(text="lighthouse"), 9)[0] == [[1]]
