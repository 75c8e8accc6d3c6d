from datetime import UTC, datetime, timedelta

import pytest
from cast import add_site, reply, stored
from sqlalchemy import select

from service import comments, database, likes
from service.models import Article, Like, LikeKey

TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOMORROW = TODAY + timedelta(days=1)
HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"


@pytest.fixture
def like(app, client):
    """Likes Rita's comment from a network; gives the number of likes."""
    add_site(app)
    reply(app, client)
    public_id = stored(app)[0].public_id

    def like(network=HERE, at=TODAY):
        with app.app_context(), database.writing() as session:
            return likes.like(session, comments.by_public_id(session, public_id), network, at)

    return like


def rows(app, table):
    with app.app_context():
        return [tuple(row) for row in database.session().execute(select(*table.__table__.c))]


def test_a_network_counts_once_a_day(app, like):
    assert [like(), like(), like(THERE)] == [1, 1, 2]
    assert stored(app)[0].like_count == 2


def test_a_like_is_seen_on_the_article_and_ages_no_decision(app, like):
    [before] = stored(app)
    like()
    [after] = stored(app)
    with app.app_context():
        article = database.session().scalars(select(Article)).one()
        assert (article.version, article.liked_at) == (1, TODAY)
    assert after.version == before.version


def test_the_day_s_key_and_rows_go_and_the_number_stays(app, like):
    like()
    [(_, first)] = rows(app, LikeKey)
    assert like(at=TOMORROW) == 2
    [(day, second)] = rows(app, LikeKey)
    assert (day, first != second) == ("2026-03-02", True)
    assert [row[-1] for row in rows(app, Like)] == ["2026-03-02"]


def test_no_row_names_the_network(app, like):
    like()
    assert HERE.encode() not in repr(rows(app, Like)).encode()
