"""What a site keeps for a time: texts that are not published, and readers' networks."""

from datetime import timedelta

import pytest
from cast import add_moderator, add_site, reply, sign_in, stored
from sqlalchemy import func, insert, select, update

from service import database, moderation, reports, retention
from service.accounts import Moderator
from service.cli import pruning, worker
from service.models import (
    Article,
    Asking,
    Author,
    Comment,
    Decision,
    Import,
    Note,
    Past,
    Revision,
    Site,
    now,
)
from service.status import Act, ReportReason, Status

DAY = timedelta(days=1)


@pytest.fixture
def daily(app):
    return add_site(app)


@pytest.fixture
def mo(app, daily):
    return add_moderator(app)


@pytest.fixture
def sent(app, client, daily):
    """Posts a reply and gives its id."""

    def sent(**typed):
        assert reply(app, client, **typed).status_code == 303
        return stored(app)[-1].id

    return sent


@pytest.fixture
def decided(app, mo, monkeypatch):
    """Has Mo decide on a comment, as if it was some days ago."""

    def decided(comment_id, to, days):
        with app.app_context(), database.writing() as session:
            comment = session.get_one(Comment, comment_id)
            moderator = session.get_one(Moderator, mo)
            at = now() - days * DAY
            with monkeypatch.context() as patched:
                patched.setattr("service.moderation.change.now", lambda: at)
                moderation.decide(session, comment, to, comment.version, moderator, "why so")
            comment.created_at = min(comment.created_at, at)

    return decided


def vault(app):
    return app.extensions["vault"]


def age(app, comment_id, days, **values):
    with app.app_context(), database.writing() as session:
        old = update(Comment).where(Comment.id == comment_id)
        session.execute(old.values(created_at=now() - days * DAY, **values))


def prune(app):
    """What the worker does of it until nothing is left to do, an hour later."""
    app.extensions.pop("retention", None)
    with app.app_context():
        while any([pruning.refused_texts(), pruning.old_networks()]):
            database.forget()


def read(app, comment_id):
    return next(comment for comment in stored(app) if comment.id == comment_id)


@pytest.mark.parametrize("status", [Status.REJECTED, Status.SPAM, Status.DELETED])
def test_what_is_not_published_goes_after_its_days_with_all_that_quotes_it(
    app, sent, decided, status
):
    comment_id = sent(website="https://rita.example")
    decided(comment_id, status, 91)
    with app.app_context(), database.writing() as session:
        session.add(Revision(comment_id=comment_id, text="Hear.", html="<p>Hear.</p>"))
        told = {"at": "2020", "by": "Bo", "note": "a quotation", "public_text": "it too"}
        words = {"reasons": [{"matched": "Hear"}], "revisions": [{"text": "Hear"}]}
        session.add(Past(comment_id=comment_id, decisions=[told], **words))
    prune(app)
    comment = read(app, comment_id)
    assert (comment.name, comment.website, comment.text, comment.html) == ("", "", "", "")
    assert (comment.status, comment.author_id, comment.fold_key) == (Status.DELETED, None, None)
    with app.app_context():
        session = database.session()
        last = moderation.latest(session, comment_id)
        assert (last.act, last.by) == (Act.WITHDRAWN, "retention after 90 days")
        assert moderation.days_kept(last) == 90
        assert session.scalars(select(Revision.text)).all() == [""]
        assert set(session.scalars(select(Note.text))) == {""}
        assert session.scalar(select(func.count(Author.id))) == 0
        past = session.get(Past, comment_id)
        assert (past.reasons, past.revisions) == ([], [])
        assert past.decisions == [{"at": "2020", "by": "Bo"}]


@pytest.mark.parametrize(
    ("status", "days"), [(Status.REJECTED, 89), (Status.APPROVED, 400), (Status.PENDING, 400)]
)
def test_what_is_younger_or_public_or_waits_stays(app, sent, decided, status, days):
    comment_id = sent()
    if status == Status.PENDING:
        age(app, comment_id, days)
    else:
        decided(comment_id, status, days)
    prune(app)
    assert read(app, comment_id).text == "Hear, hear."


def test_the_days_begin_with_the_decision_and_not_with_the_comment(app, sent, decided):
    comment_id = sent()
    decided(comment_id, Status.REJECTED, 2)
    age(app, comment_id, 400)
    prune(app)
    assert read(app, comment_id).text


def test_spam_that_nobody_decided_on_is_as_old_as_it_is(app, sent):
    comment_id = sent()
    age(app, comment_id, 91, status=Status.SPAM)
    prune(app)
    assert not read(app, comment_id).text


def test_what_an_import_brought_is_as_old_as_the_import(app, sent, daily):
    ids = [sent(comment=f"Number {number}") for number in range(2)]
    with app.app_context(), database.writing() as session:
        for days, comment_id in zip((3, 100), ids, strict=True):
            file = {"format": "json", "file_name": "old", "file_digest": "x"}
            brought = Import(site_id=daily, started_at=now() - days * DAY, **file)
            session.add(brought)
            session.flush()
            comment = session.get_one(Comment, comment_id)
            comment.import_id, comment.status = brought.id, Status.SPAM
            comment.created_at = now() - 3_000 * DAY
    prune(app)
    assert [bool(read(app, comment_id).text) for comment_id in ids] == [True, False]


def test_an_open_report_keeps_it(app, sent, decided):
    comment_id = sent()
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        notice = reports.Notice(ReportReason.ILLEGAL, "It is against the law.", "192.0.2.0/24")
        reports.submit(session, vault(app), comment, notice, 3)
        comment.status, comment.created_at = Status.REJECTED, now() - 100 * DAY
    prune(app)
    assert read(app, comment_id).text
    with app.app_context(), database.writing() as session:
        late = (90, now() - 90 * DAY)
        assert not retention.blank(session, comment_id, *late)


def test_a_decision_in_between_keeps_it(app, sent, decided):
    """It was found, and then somebody published it, or put it back and rejected it again."""
    comment_id = sent()
    decided(comment_id, Status.REJECTED, 91)
    for now_is in (Status.APPROVED, Status.REJECTED):
        decided(comment_id, now_is, 0)
        with app.app_context(), database.writing() as session:
            assert not retention.blank(session, comment_id, 90, now() - 90 * DAY)
    assert read(app, comment_id).text


def test_a_site_chooses_the_days_or_to_keep_all(app, sent, decided):
    comment_id = sent()
    decided(comment_id, Status.REJECTED, 40)
    for days, is_kept in ((0, True), (41, True), (39, False)):
        with app.app_context(), database.writing() as session:
            session.scalars(select(Site)).one().settings = {"refused_days": days}
        prune(app)
        assert bool(read(app, comment_id).text) is is_kept, days


def test_nothing_is_left_to_decide_on_and_the_desk_says_why(app, client, sent, decided):
    comment_id = sent()
    decided(comment_id, Status.REJECTED, 91)
    prune(app)
    mo = sign_in(app, app.test_client(), add_moderator(app, "bo@daily.example"))
    page = mo.get(f"/desk/comments/{read(app, comment_id).public_id}").text
    assert page.count("Blanked after 90 days.") == 2  # in the text's place, and in the history
    assert "Nothing is left here to decide on." in page
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        moderator = session.scalars(select(Moderator)).first()
        with pytest.raises(moderation.Stale):
            moderation.decide(session, comment, Status.APPROVED, comment.version, moderator)


def test_a_receipt_of_what_was_blanked_says_that_nothing_is_kept(app, client, daily, decided):
    receipt = reply(app, client).location
    decided(stored(app)[-1].id, Status.REJECTED, 91)
    prune(app)
    page = client.get(receipt).text
    assert "Your reply was erased" in page
    assert "Hear, hear." not in page


def test_networks_are_forgotten_after_the_site_s_days_whatever_became_of_the_comment(app, sent):
    old, young = sent(), sent(comment="Younger.")
    age(app, old, 31, network="192.0.2.0/24")
    age(app, young, 29, network="192.0.2.0/24")
    with app.app_context(), database.writing() as session:
        at = now() - timedelta(hours=2)
        session.add(Asking(site_id=1, email_index=b"x", network="192.0.2.0/24", at=at))
    prune(app)
    assert read(app, old).network == ""
    assert read(app, old).text
    assert read(app, young).network == "192.0.2.0/24"
    with app.app_context():
        assert database.session().scalars(select(Asking.network)).all() == [""]


@pytest.mark.parametrize("days", [1, 365])
def test_a_site_chooses_how_long_networks_are_kept(app, sent, days):
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"network_days": days}
    old, young = sent(), sent(comment="Younger.")
    age(app, old, days + 0.1, network="192.0.2.0/24")
    age(app, young, days - 0.1, network="192.0.2.0/24")
    prune(app)
    assert [read(app, one).network for one in (old, young)] == ["", "192.0.2.0/24"]


def test_it_goes_through_more_than_one_step_and_more_than_one_site(app, daily, monkeypatch):
    monkeypatch.setattr(retention, "LOOKED_AT", 3)
    weekly = add_site(app, "weekly", "https://weekly.example", refused_days=10)
    at = now() - 50 * DAY  # too young for The Daily; all at one moment
    with app.app_context(), database.writing() as session:
        for site_id, days in ((daily, 91), (weekly, 50)):
            article = Article(site_id=site_id, url=f"https://{site_id}.example/")
            session.add(article)
            session.flush()
            common = {"site_id": site_id, "article_id": article.id, "renderer": 1, "name": "Spam"}
            rows = [common | {"text": "x", "html": "<p>x</p>", "status": Status.SPAM}] * 7
            at = now() - days * DAY
            session.execute(insert(Comment), [row | {"created_at": at} for row in rows])
    prune(app)
    assert [comment.text for comment in stored(app)] == [""] * 14
    with app.app_context():
        assert database.session().scalar(select(func.count(Decision.id))) == 14


def test_the_worker_does_it(app):
    assert {pruning.refused_texts, pruning.old_networks} <= set(worker.TASKS)
