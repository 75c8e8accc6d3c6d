"""An author's past: what is proved apart from what was only typed, and in bounded work."""

from datetime import UTC, datetime, timedelta

import pytest
from cast import add_site
from sqlalchemy import event, insert, select

from service import database, facts, moderation
from service.models import Article, Author, Comment
from service.status import Status

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def add(app):
    """Puts comments of one author, or of none, under an article; gives the last one's id."""
    site_id = add_site(app)
    authors = {}

    def add(who, status, times=1, is_proved=False):
        with app.app_context(), database.writing() as session:
            article = session.scalars(select(Article)).first() or Article(
                site_id=site_id, url="https://daily.example/a"
            )
            session.add(article)
            if who and who not in authors:
                index = who.encode()
                author = Author(
                    site_id=site_id, email_index=index, email_ciphertext=b"c", email_key_id="k"
                )
                session.add(author)
                session.flush()
                authors[who] = author.id
            session.flush()
            row = {
                "site_id": site_id,
                "article_id": article.id,
                "author_id": authors.get(who),
                "name": who or "Nobody",
                "text": "",
                "html": "",
                "renderer": 1,
                "status": moderation.imported(status),
                "is_proved": is_proved,
            }
            ages = range(times)
            rows = [row | {"created_at": START + timedelta(days=day)} for day in ages]
            session.execute(insert(Comment), rows)
            return session.scalars(select(Comment.id).order_by(Comment.id.desc())).first()

    return add


@pytest.fixture
def past(app):
    def past(*ids):
        with app.app_context():
            session = database.session()
            return facts.pasts(session, [session.get_one(Comment, id) for id in ids])

    return past


def test_what_is_proved_and_what_was_only_typed_stand_apart(add, past):
    add("rita", Status.APPROVED, 3)
    add("rita", Status.SPAM)
    add("rita", Status.APPROVED, 2, is_proved=True)
    add("otto", Status.REJECTED, 5)
    waiting = add("rita", Status.PENDING)
    told = past(waiting)[waiting]
    assert told.typed.counts == {Status.APPROVED: 3, Status.SPAM: 1}
    assert told.proved.counts == {Status.APPROVED: 2}
    assert told.typed.since == told.proved.since == START
    assert not told.is_new


def test_a_comment_is_not_its_own_past(add, past):
    first = add("rita", Status.APPROVED)
    assert past(first)[first].is_new
    proved = add("rita", Status.APPROVED, is_proved=True)
    told = past(first, proved)
    assert (told[first].proved.counts, told[first].typed.counts) == ({Status.APPROVED: 1}, {})
    assert (told[proved].proved.counts, told[proved].typed.counts) == ({}, {Status.APPROVED: 1})


def test_who_gave_no_address_has_no_past(add, past):
    add(None, Status.SPAM, 3)
    assert past(add(None, Status.PENDING)) == {}


def test_it_counts_no_further_than_a_hundred(add, past):
    add("rita", Status.SPAM, 99)
    waiting = add("rita", Status.PENDING)
    assert past(waiting)[waiting].typed.counts == {Status.SPAM: 99}
    last = add("rita", Status.SPAM, 30)
    assert past(waiting)[waiting].typed.counts == {Status.SPAM: 101}
    assert past(last)[last].typed.counts == {Status.PENDING: 1, Status.SPAM: 101}


def test_a_whole_page_is_told_by_one_query_along_an_index(app, add, past):
    ids = [add(f"reader {n}", Status.PENDING) for n in range(50)]
    with app.app_context():
        session = database.session()
        found = [session.get_one(Comment, id) for id in ids]
        asked = []
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        assert len(facts.pasts(session, found)) == 50
        [(statement, values)] = asked
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row.detail for row in plan if "comments" in row.detail]
            assert steps
            assert all("USING COVERING INDEX ix_comments_author (author_id=?" in s for s in steps)
