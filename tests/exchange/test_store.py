"""Imports into a database: stopped and run on, run again, undone."""

import itertools

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, stored
from sqlalchemy import func, select

from service import database, moderation
from service.accounts import Moderator
from service.exchange import store, undoing
from service.models import Article, ArticleAlias, Author, Comment, Decision, Import, Site
from service.status import Act, ImportState, Kind, Status


class Desk:
    """Imports records into The Daily as the command line does, in small batches."""

    def __init__(self, app, monkeypatch, wxr):
        monkeypatch.setattr(store, "BATCH", 4)
        monkeypatch.setattr(store, "LOT", 4)
        monkeypatch.setattr(undoing, "REMOVED", 3)
        self.app = app
        self.wxr = wxr
        self.site_id = add_site(app)
        self.mo = add_moderator(app)

    def run(self):
        with self.app.app_context():
            origins = database.session().get_one(Site, self.site_id).origins
        return store.Run(self.site_id, origins, "wordpress", self.app.extensions["vault"])

    def bring(self, records, steps=None, digest="d"):
        """All of an import, or its first steps only, as if its process had died then."""
        run = self.run()
        with self.wxr.piled(records) as pile, self.app.app_context():
            store.lead(database.session(), run.site_id, pile)
            with database.writing() as session:
                store.begin(session, run, "export.xml", digest, pile)
            for step in itertools.islice(store.write(run, pile.threads()), steps):
                with database.writing() as session:
                    step(session)
            if steps is None:
                with database.writing() as session:
                    store.end(session, run, ImportState.DONE)
        return run

    def undo(self, number, steps=None):
        with self.app.app_context():
            for step in itertools.islice(undoing.undo(number), steps):
                with database.writing() as session:
                    step(session)

    def decide(self, source_id, to):
        with self.app.app_context(), database.writing() as session:
            comment = session.scalars(select(Comment).where(Comment.source_id == source_id)).one()
            mo = session.get_one(Moderator, self.mo)
            moderation.decide(session, comment, to, comment.version, mo)

    def read(self, query):
        with self.app.app_context():
            return database.session().execute(query).all()

    def count(self, model):
        return self.read(select(func.count()).select_from(model))[0][0]


@pytest.fixture
def desk(app, monkeypatch, wxr):
    return Desk(app, monkeypatch, wxr)


def thread(wxr, count=10, url=ARTICLE):
    """A comment and replies, each to the one before."""
    return [wxr.record(n, n - 1 if n > 1 else None, n, url) for n in range(1, count + 1)]


def shape(app):
    """Who hangs under whom, in the words of the file."""
    comments = {c.id: c for c in stored(app)}
    return {
        c.source_id: (
            c.parent_id and comments[c.parent_id].source_id,
            c.root_id and comments[c.root_id].source_id,
        )
        for c in comments.values()
    }


def test_a_thread_keeps_its_shape_and_is_counted(app, desk, wxr):
    records = [*thread(wxr), wxr.record(11, 3, 11, state=Status.SPAM, kind=Kind.PINGBACK)]
    run = desk.bring(records)
    assert run.tally.imported == {Status.APPROVED: 10, Status.SPAM: 1}
    assert shape(app)["1"] == (None, None)
    assert shape(app)["10"] == ("9", "1")
    assert shape(app)["11"] == ("3", "1")
    assert desk.read(select(Article.approved_count, Article.is_title_proved)) == [(10, True)]
    assert [c.approved_below for c in stored(app) if c.source_id == "1"] == [9]


def test_an_article_is_as_old_as_its_first_comment(app, desk, wxr):
    desk.bring([wxr.record(2, None, 60), wxr.record(1, None, 5), wxr.record(3, 2, 90)])
    first = select(func.min(Comment.created_at))
    assert desk.read(select(Article.created_at)) == desk.read(first)


def test_one_address_is_one_author_and_no_address_is_none(app, desk, wxr):
    records = [
        wxr.record(1, email="Rita@Example.org"),
        wxr.record(2, email="rita@example.org"),
        wxr.record(3, email=""),
        wxr.record(4, email=""),
        wxr.record(5, email="not an address"),
    ]
    desk.bring(records)
    assert desk.count(Author) == 2
    indexes = desk.read(select(Author.domain_index))
    assert len(set(indexes)) == 2
    assert (app.extensions["vault"].domain_index("x@example.org"),) in map(tuple, indexes)
    authors = {c.source_id: c.author_id for c in stored(app)}
    assert authors["1"] == authors["2"] != authors["5"]
    assert authors["3"] is authors["4"] is None


def test_running_it_twice_doubles_nothing_and_overwrites_nothing(app, desk, wxr):
    desk.bring(thread(wxr))
    desk.decide("2", Status.REJECTED)
    again = desk.bring(thread(wxr))
    assert len(stored(app)) == 10
    assert again.tally.imported.total() == 0
    assert again.tally.known == {Status.APPROVED: 9, Status.REJECTED: 1}
    assert desk.count(Import) == 1


def test_a_newer_export_adds_what_is_new_under_what_is_there(app, desk, wxr):
    desk.bring(thread(wxr, 5))
    desk.bring(thread(wxr, 8), digest="newer")
    assert len(stored(app)) == 8
    assert shape(app)["6"] == ("5", "1")
    assert desk.count(Import) == 2


@pytest.mark.parametrize("steps", range(8))
def test_wherever_it_was_cut_off_it_can_be_run_on(app, desk, wxr, steps):
    records = thread(wxr) + thread(wxr, 3, "https://daily.example/other")
    desk.bring(records, steps)
    desk.bring(records)
    assert len(stored(app)) == 13
    assert sorted(desk.read(select(Article.approved_count))) == [(3,), (10,)]
    assert desk.read(select(Import.state)) == [(ImportState.DONE,)]


@pytest.mark.parametrize("steps", range(6))
def test_wherever_it_was_cut_off_it_can_be_undone(app, desk, wxr, steps):
    run = desk.bring(thread(wxr), steps)
    desk.undo(run.import_id)
    assert [desk.count(m) for m in (Comment, Article, Author)] == [0, 0, 0]


@pytest.mark.parametrize("steps", range(1, 5))
def test_an_undo_that_was_cut_off_can_be_run_on(app, desk, wxr, steps):
    run = desk.bring(thread(wxr))
    desk.undo(run.import_id, steps)
    desk.undo(run.import_id)
    assert [desk.count(m) for m in (Comment, Article, Author)] == [0, 0, 0]


def test_an_undo_leaves_a_place_for_what_others_built_upon(app, desk, wxr):
    run = desk.bring([*thread(wxr, 6), wxr.record(7, 1, 7), wxr.record(8, 7, 8)])
    desk.decide("3", Status.SPAM)
    answered = next(c.public_id for c in stored(app) if c.source_id == "7")
    assert reply(app, app.test_client(), parent=answered).status_code == 303
    desk.undo(run.import_id)
    left = {c.id: c for c in stored(app)}
    imported = [c for c in left.values() if c.import_id]
    own = next(c for c in left.values() if not c.import_id)
    assert [c.text for c in imported] == [""] * 4  # 1, 2, 3 and 7; 4, 5, 6 and 8 are gone
    assert {c.status for c in imported} == {Status.DELETED}
    assert {(c.source, c.source_id, c.author_id) for c in imported} == {(None, None, None)}
    assert left[own.parent_id].parent_id == own.root_id
    retracted = select(func.count()).where(Decision.act == Act.RETRACTED)
    assert desk.read(retracted) == [(4,)]
    assert desk.count(Author) == 1  # Rita's, who wrote the reply
    assert desk.read(select(Article.approved_count)) == [(0,)]


def test_what_was_undone_can_be_imported_again(app, desk, wxr):
    first = desk.bring(thread(wxr, 5))
    desk.decide("3", Status.SPAM)
    desk.undo(first.import_id)
    with app.app_context(), database.writing() as session:
        store.mark(session, first.import_id, ImportState.UNDONE)
    second = desk.bring(thread(wxr, 5))
    assert second.import_id != first.import_id
    assert second.tally.imported.total() == 5
    assert desk.read(select(Article.approved_count)) == [(5,)]


def test_an_undo_leaves_other_peoples_articles_and_authors(app, desk, wxr):
    reply(app, app.test_client(), email="rita@example.org")
    run = desk.bring(thread(wxr, 5))
    assert desk.count(Author) == 1
    desk.undo(run.import_id)
    assert [desk.count(m) for m in (Comment, Article, Author)] == [1, 1, 1]


def test_the_same_file_under_other_addresses_is_refused(desk, wxr):
    run = desk.bring(thread(wxr, 2))
    with pytest.raises(store.OtherAddresses) as refused:
        desk.bring(thread(wxr, 2, "https://daily.example/elsewhere"))
    assert refused.value.args == (run.import_id,)
    assert desk.count(Comment) == 2


def test_articles_outside_the_sites_origins_come_in_and_are_listed(desk, wxr):
    run = desk.bring(thread(wxr, 2, "https://elsewhere.example/a") + thread(wxr, 1))
    assert (run.tally.foreign, run.tally.strange) == (1, ["https://elsewhere.example/a"])
    assert desk.count(Comment) == 3


def test_a_rehearsal_counts_what_is_new_and_what_is_there(app, desk, wxr):
    desk.bring(thread(wxr, 3))
    run, records = desk.run(), thread(wxr, 5)
    with app.app_context(), wxr.piled(records) as pile:
        for _ in store.rehearse(run, pile.threads()):
            pass
    assert (run.tally.imported.total(), run.tally.known.total()) == (2, 3)
    assert desk.count(Comment) == 3


def test_small_articles_share_a_step(app, desk, wxr):
    records = [wxr.record(n, url=f"https://daily.example/{n}") for n in range(40)]
    with wxr.piled(records) as pile:
        lots = list(store._lots(pile.threads()))
    assert [len(lot) for lot in lots] == [4] * 10


def test_what_the_desk_finds_by_comes_in_too(app, desk, wxr):
    link = '<a href="https://a.example">a</a>'
    desk.bring([wxr.record(1, website="http://www.rita.example/x", text=link), wxr.record(2)])
    desk.bring(
        [wxr.record(3), wxr.record(4, email=""), wxr.record(5, email="o@o.example")], digest="e"
    )
    found = [(c.website_domain, c.link_count, c.is_first) for c in stored(app)]
    assert found[:2] == [("rita.example", 1, True), ("", 0, False)]
    assert [is_first for _, _, is_first in found[2:]] == [False, False, True]


def test_what_the_file_has_under_a_former_address_comes_to_the_article_of_today(app, desk, wxr):
    former, today = "https://daily.example/old", "https://daily.example/new"
    desk.bring([wxr.record(1, url=today)])
    with app.app_context(), database.writing() as session:
        article = session.scalars(select(Article)).one()
        session.add(ArticleAlias(site_id=desk.site_id, article_id=article.id, url=former))
    run = desk.bring([wxr.record(2, 3, url=former), wxr.record(3, url=today)], digest="e")
    assert [c.article_id for c in stored(app)] == [stored(app)[0].article_id] * 3
    assert shape(app)["2"] == ("3", "3")
    assert (run.tally.articles, run.found.new_articles) == (1, 0)


def test_of_pinned_comments_as_many_stay_pinned_as_there_are_places(app, desk, wxr):
    desk.bring([wxr.record(n, is_pinned=True, minutes=n) for n in range(1, 6)])
    assert sum(c.pinned_at is not None for c in stored(app)) == moderation.MOST_PINNED


def test_steps_go_on_over_articles_while_the_next_are_made(app, desk, wxr):
    """What is made of rows is asked for ahead of the step that writes them."""
    run, asked = desk.run(), []
    run.make = lambda records: asked.append(len(records)) or store.made_here(records)
    records = [wxr.record(n, url=f"https://daily.example/{n}") for n in range(40)]
    with wxr.piled(records) as pile, app.app_context():
        with database.writing() as session:
            store.begin(session, run, "export.xml", "d", pile)
        next(store.write(run, pile.threads()))
    assert len(asked) == store.AHEAD + 1
