import pytest
from cast import add_moderator, add_site
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from service import accounts, database, moderation
from service.models import Article, Comment, Decision
from service.rules import Verdict
from service.status import Act, Status


@pytest.fixture
def people(app):
    site = add_site(app)
    mo, ann = add_moderator(app), add_moderator(app, "ann@daily.example")
    with app.app_context(), database.writing() as session:
        article = Article(site_id=site, url="https://daily.example/a", title="A")
        session.add(article)
        session.flush()
        root = Comment(**_row(site, article.id, "Root"))
        session.add(root)
        session.flush()
        session.add(Comment(**_row(site, article.id, "Reply"), parent_id=root.id, root_id=root.id))
    return mo, ann


def _row(site, article, said):
    return {
        "site_id": site,
        "article_id": article,
        "name": "Rita",
        "text": said,
        "html": said,
        "renderer": 1,
        "status": moderation.initial(Verdict(Status.PENDING)),
    }


@pytest.fixture
def writing(app):
    with app.app_context():
        yield database.writing


def comment(session, said="Root"):
    return session.scalar(select(Comment).where(Comment.text == said))


def test_a_decision_is_the_change_and_its_row(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo, "Fine.")
    with writing() as session:
        decision = session.scalar(select(Decision))
        assert (decision.from_status, decision.to_status) == (Status.PENDING, Status.APPROVED)
        assert (decision.by, decision.note.text, decision.version) == ("mo", "Fine.", 2)
        assert comment(session).status == Status.APPROVED
        assert comment(session).version == 2


def test_counters_follow(people, writing):
    def seen(session):
        article = session.scalar(select(Article))
        return article.approved_count, comment(session).approved_below, article.version

    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.APPROVED, 1, mo)
    with writing() as session:
        assert seen(session) == (1, 1, 2)
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.SPAM, 2, mo)
    with writing() as session:
        assert seen(session) == (0, 0, 3)
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.REJECTED, 3, mo)
    with writing() as session:
        assert seen(session) == (0, 0, 3)  # readers see no difference, so nothing is fetched anew


def test_a_title_is_proved_by_the_first_approval(people, writing):
    with writing() as session:
        assert not session.scalar(select(Article)).is_title_proved
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        session.expire_all()
        assert session.scalar(select(Article)).is_title_proved


def test_a_stale_decision_is_refused_and_told_of_the_other(people, writing):
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        moderation.decide(session, comment(session), Status.REJECTED, 1, mo)
        with pytest.raises(moderation.Stale) as refused:
            moderation.decide(session, comment(session), Status.APPROVED, 1, ann)
        assert (refused.value.latest.by, refused.value.latest.to_status) == ("mo", Status.REJECTED)
        assert comment(session).status == Status.REJECTED


def test_deciding_what_is_so_already_changes_nothing(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        assert moderation.decide(session, comment(session), Status.PENDING, 1, mo) is None
        assert comment(session).version == 1


def test_undo_goes_back_and_is_a_decision_too(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        spam = moderation.decide(session, comment(session), Status.SPAM, 1, mo)
        undone = moderation.undo(session, spam, mo)
        session.flush()
        assert (undone.act, undone.undoes_id) == (Act.UNDONE, spam.id)
        assert comment(session).status == Status.PENDING
        again = moderation.undo(session, undone, mo)  # an undo can be taken back as well
        assert again.to_status == Status.SPAM


def test_undo_works_on_the_latest_decision_only(people, writing):
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        first = moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        moderation.decide(session, comment(session), Status.DELETED, 2, ann)
        with pytest.raises(moderation.Stale) as refused:
            moderation.undo(session, first, mo)
        assert refused.value.latest.by == "ann"


def test_a_look_at_the_address_is_on_record_and_does_not_hinder_an_undo(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        approved = moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        moderation.reveal(session, comment(session), mo)
        assert moderation.undo(session, approved, mo).to_status == Status.PENDING
        acts = session.scalars(select(Decision.act).order_by(Decision.id)).all()
        assert acts == [Act.DECIDED, Act.REVEALED, Act.UNDONE]


def test_recounting_comes_to_what_the_rows_say(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        for said in ("Root", "Reply"):
            moderation.decide(session, comment(session, said), Status.APPROVED, 1, mo)
        session.flush()
        session.execute(text("UPDATE articles SET approved_count = 77"))
        session.execute(text("UPDATE comments SET approved_below = 77"))
        moderation.recount(session, comment(session).article_id)
        session.expire_all()
        assert session.scalar(select(Article.approved_count)) == 2
        assert comment(session).approved_below == 1


@pytest.mark.parametrize("statement", ["UPDATE decisions SET version = 7", "DELETE FROM decisions"])
def test_the_database_itself_refuses_to_alter_the_record(people, writing, statement):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
    with pytest.raises(DBAPIError, match="append-only"), writing() as session:
        session.execute(text(statement))
