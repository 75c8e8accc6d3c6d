"""Who has which card before them: kept a minute, locks nothing, and is told on one's own sites only."""

from datetime import timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site
from sqlalchemy import func, select

from service import accounts, database, openings
from service.models import Article, Comment, Opening, now
from service.status import Role, Status

NOW = now()
SECOND = timedelta(seconds=1)


@pytest.fixture
def session(app):
    with app.app_context(), database.writing() as session:
        yield session


@pytest.fixture
def desk(app):
    """The ids of Mo, Ada (an admin) and Stella (of another site), and of a comment on each site."""
    daily, stars = add_site(app), add_site(app, "stars", "https://stars.example")
    people = (
        add_moderator(app),
        add_moderator(app, "ada@daily.example", None, Role.ADMIN),
        add_moderator(app, "stella@daily.example", "stars"),
    )
    with app.app_context(), database.writing() as session:
        return people, [_comment(session, site) for site in (daily, stars)]


def _comment(session, site_id):
    article = Article(site_id=site_id, url=f"{ORIGIN}/{site_id}")
    session.add(article)
    session.flush()
    row = {"name": "Rita", "text": "Yes.", "html": "<p>Yes.</p>", "renderer": 1}
    comment = Comment(site_id=site_id, article_id=article.id, status=Status.PENDING, **row)
    session.add(comment)
    session.flush()
    return comment.id


def people(session, ids):
    return [session.get_one(accounts.Moderator, id) for id in ids]


def test_a_card_that_is_open_is_told_to_others_for_a_minute(desk, session):
    (mo, ada, stella), [here, there] = people(session, desk[0]), desk[1]
    openings.look(session, mo, [here], at=NOW)
    assert openings.others(session, ada, [here, there], NOW + 59 * SECOND) == {here: ["mo"]}
    assert openings.others(session, ada, [here], NOW + 60 * SECOND) == {}
    assert openings.others(session, mo, [here], NOW) == {}  # one knows that oneself
    openings.look(session, mo, [here], at=NOW + 50 * SECOND)  # said again
    assert openings.others(session, ada, [here], NOW + 100 * SECOND) == {here: ["mo"]}
    openings.look(session, ada, [there], at=NOW + 111 * SECOND)
    assert session.scalars(select(Opening.comment_id)).all() == [there]
    assert openings.others(session, stella, [there], NOW + 111 * SECOND) == {there: ["ada"]}


def test_it_tells_nothing_of_other_sites(desk, session):
    (mo, ada, stella), [here, there] = people(session, desk[0]), desk[1]
    openings.look(session, stella, [there], at=NOW)
    openings.look(session, ada, [here, there], at=NOW)
    assert openings.others(session, mo, [here, there], NOW) == {here: ["ada"]}
    assert openings.others(session, ada, [here, there], NOW) == {there: ["stella"]}


def test_a_card_that_was_left_is_told_no_more(desk, session):
    (mo, ada, _), [here, there] = people(session, desk[0]), desk[1]
    openings.look(session, ada, [here], at=NOW)
    openings.look(session, mo, [here], at=NOW)
    openings.look(session, ada, [there], left=[here], at=NOW)
    assert openings.others(session, mo, [here], NOW) == {}
    assert openings.others(session, ada, [here], NOW) == {here: ["mo"]}
    openings.look(session, ada, [], left=[there], at=NOW)
    assert session.scalar(select(func.count()).select_from(Opening)) == 1


@pytest.mark.parametrize(
    ("focus", "left", "later", "is_known"),
    [
        ([0], [], 19, True),
        ([0], [], 20, False),  # time to say it again
        ([1], [], 0, False),
        ([], [], 0, True),
        ([], [1], 0, True),  # nobody knew of that one
        ([], [0], 0, False),
        ([0], [0], 0, True),
    ],
)
def test_it_is_written_only_where_something_is_new(desk, session, focus, left, later, is_known):
    mo, ids = people(session, desk[0])[0], desk[1]
    openings.look(session, mo, ids[:1], at=NOW)
    session.flush()
    asked = [ids[i] for i in focus], [ids[i] for i in left]
    assert openings.is_known(session, mo, *asked, NOW + later * SECOND) == is_known
