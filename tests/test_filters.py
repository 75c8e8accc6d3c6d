"""What a list of the desk shows: which comments, in which order, a page at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site
from sqlalchemy import insert, select

from service import accounts, database
from service.filters import Filter
from service.models import Article, Comment, Site, public_id
from service.status import Status

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
def session(app):
    with app.app_context():
        yield database.session()


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


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("harbour", [2, 0]),
        ("Harbour OLD", [0]),
        ('"old harbour"', [0]),
        ('"harbour old"', []),
        ("apfel", [3]),
        ("pills.example", [1]),
        ("京都", [4]),
        ("spoke 知事", [4]),
        (":-)", []),
        ("harb", []),
        ('text : "x" OR harbour*', []),
    ],
)
def test_it_finds_words(app, mo, typed, found):
    assert texts(app, Filter(text=typed, sort="newest")) == [TEXTS[n] for n in found]
    assert texts(app, Filter(text=typed, sort="oldest")) == [TEXTS[n] for n in found[::-1]]
