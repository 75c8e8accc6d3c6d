import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cast import ARTICLE, SENT, add_moderator, add_site, stored
from sqlalchemy import select

from service import accounts, comments, database, moderation, text
from service.models import Article, Author, Comment, Decision, Reason, Site, now
from service.moderation import Wording
from service.rules import Draft, Policy
from service.status import Act, Mark, Mode, Status

OPEN = Policy(mode=Mode.HOLD_CAUGHT)


@pytest.fixture
def site(app):
    return add_site(app)


@pytest.fixture
def submit(app, site):
    def submit(policy=Policy(), at=None, **changes):  # noqa: B008 (frozen)
        sent = dataclasses.replace(SENT, **changes)
        with app.app_context(), database.writing() as session:
            vault = app.extensions["vault"]
            found = session.get_one(Site, site)
            return comments.submit(session, vault, found, sent, policy, at).public_id

    return submit


def approve(app, public_id):
    """As if a moderator had: only to set a scene."""
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        comment.article.approved_count += 1
        session.execute(type(comment).__table__.update().values(status="approved"))


def test_it_stores_a_reply_that_waits(app, submit):
    submit()
    [comment] = stored(app)
    assert (comment.name, comment.text, comment.status) == ("Rita", "Hear, hear.", Status.PENDING)
    assert comment.network == "192.0.2.0/24"


def test_the_address_lives_encrypted_with_the_author(app, submit):
    submit()
    with app.app_context():
        author = database.session().scalars(select(Author)).one()
        assert b"rita" not in author.email_ciphertext
        assert app.extensions["vault"].index("RITA@example.org") == author.email_index


@pytest.mark.parametrize("nonce", ["", "a nonce that script made"])
def test_the_same_form_sent_twice_is_one_comment(app, submit, nonce):
    assert submit(nonce=nonce) == submit(nonce=nonce)
    assert len(stored(app)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hear."},
        {"name": "R."},
        {"website": "https://rita.example/"},
        {"email": "another@example.org"},
        {"url": ARTICLE + "-2"},
        {"network": "198.51.100.0/24"},
        {"nonce": "made by script"},
    ],
)
def test_another_form_is_another_comment(app, submit, change):
    assert submit() != submit(**change)


def test_without_script_the_same_words_may_be_said_again_later(app, submit):
    then = now() - comments.SAME_FORM - timedelta(seconds=1)
    assert submit(at=then) != submit()


def test_without_script_a_retry_is_known_across_any_boundary_of_the_clock(app, submit):
    start = now().replace(microsecond=0)
    first = submit(at=start)
    for seconds in (1, 299, 599):
        assert submit(at=start + timedelta(seconds=seconds)) == first


def test_a_stranger_who_repeats_another_s_words_gets_nothing_of_theirs(app, submit):
    first = submit()
    assert submit(network="198.51.100.0/24", email="stranger@example.org") != first
    with app.app_context():
        [second] = database.session().scalars(select(Comment).where(Comment.public_id != first))
        rules = [reason.rule for reason in second.reasons]
    assert rules == ["every_reply", "unknown_article", "repeated"]


def test_an_article_nobody_approved_anything_under_is_held_in_any_mode(app, submit):
    submit(OPEN)
    assert stored(app)[0].status == Status.PENDING


def test_a_comment_that_no_rule_holds_is_counted_at_once(app, submit):
    approve(app, submit())
    submit(OPEN, text="Well said.")
    with app.app_context():
        assert database.session().scalar(select(Article.approved_count)) == 2


def test_a_reply_hangs_under_what_it_answers(app, submit):
    first = submit()
    approve(app, first)
    second = submit(parent=first, text="So it is.")
    approve(app, second)
    submit(parent=second, text="It is.")
    one, two, three = stored(app)
    assert (two.parent_id, two.root_id) == (one.id, one.id)
    assert (three.parent_id, three.root_id) == (two.id, one.id)


def test_a_reply_to_what_is_not_shown_is_refused_and_nothing_is_stored(app, submit):
    waiting = submit()
    for parent in (waiting, "nonsense"):
        with pytest.raises(comments.NoSuchParent):
            submit(parent=parent, text="Me too.")
    approve(app, waiting)
    with pytest.raises(comments.NoSuchParent):
        submit(parent=waiting, url=ARTICLE + "-2", text="Me too.")
    assert len(stored(app)) == 1


def test_the_publisher_s_own_id_finds_an_article_that_has_moved(app, submit):
    approve(app, submit(given_id="review-7"))
    submit(given_id="review-7", url="https://daily.example/moved", text="Again.")
    assert len({comment.article_id for comment in stored(app)}) == 1


def test_a_stranger_who_posts_first_cannot_take_a_publisher_s_id(app, submit):
    """What the first poster sends is a hint until something is approved there."""
    submit(given_id="review-7", url="https://daily.example/elsewhere")
    submit(given_id="review-7", text="On the page itself.")
    elsewhere, here = stored(app)
    with app.app_context():
        article = comments.find_article(database.session(), here.site_id, ARTICLE, "review-7")
        assert (article.id, article.given_id) == (here.article_id, "review-7")
    assert elsewhere.article_id != here.article_id


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_of_a_client_s_address_the_network_is_kept(address, network):
    assert comments.network_of(address) == network


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_first_replies_at_one_moment_are_all_stored(app, submit, monkeypatch):
    """On PostgreSQL, where two can look before either has written: same article, same author."""
    both_looked, seen = threading.Barrier(2, timeout=10), threading.local()
    find_article = comments.find_article

    def find(*about):
        found = find_article(*about)
        if not hasattr(seen, "once"):
            seen.once = both_looked.wait()
        return found

    monkeypatch.setattr(comments, "find_article", find)
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(submit, text=words, nonce=words) for words in ("One.", "Two.")]
        assert len({reply.result() for reply in sent}) == 2
    assert {comment.text for comment in stored(app)} == {"One.", "Two."}
    assert len({(comment.article_id, comment.author_id) for comment in stored(app)}) == 1


# Closed, held


def say(app, **columns):
    """Says something of the only article."""
    with app.app_context(), database.writing() as session:
        article = session.scalars(select(Article)).one()
        for name, value in columns.items():
            setattr(article, name, value)


def test_a_closed_article_takes_no_new_comment(app, submit):
    first = submit()
    say(app, closed_at=now())
    with pytest.raises(comments.NoNewComments):
        submit(text="Another.")
    assert submit() == first  # what was received before is received, sent once more too
    assert len(stored(app)) == 1
    say(app, closed_at=None)
    submit(text="Another.")
    assert len(stored(app)) == 2


def reasons(app):
    with app.app_context():
        newest = select(Reason.rule).order_by(Reason.id.desc())
        return set(database.session().scalars(newest))


def test_where_all_that_is_new_is_held_it_waits_and_says_why(app, submit):
    approve(app, submit(OPEN))
    submit(OPEN, text="Passes.")
    assert stored(app)[-1].status == Status.APPROVED
    say(app, held_at=now())
    submit(OPEN, text="Held here.")
    assert stored(app)[-1].status == Status.PENDING
    assert "article_held" in reasons(app)
    say(app, held_at=None)
    submit(Policy(mode=Mode.HOLD_CAUGHT, is_site_held=True), text="Held everywhere.")
    assert stored(app)[-1].status == Status.PENDING
    assert "site_held" in reasons(app)


# Staff


@pytest.fixture
def answer(app, submit):
    """Answers the first comment as Mo."""
    first, mo = submit(), add_moderator(app)

    def answer(nonce="n", version=None, said="Thank you."):
        with app.app_context(), database.writing() as session:
            parent = comments.by_public_id(session, first)
            moderator = session.get_one(accounts.Moderator, mo)
            wording = Wording(said, str(text.render(said)), None)
            vault = app.extensions["vault"]
            decision, _reply = comments.answer(
                session, vault, parent, moderator, "The desk", wording, nonce, version
            )
            return (decision.act, decision.to_status) if decision else None

    return answer


def test_staff_approve_and_answer_in_one_act_and_sent_twice_it_is_one(app, answer):
    with pytest.raises(comments.NoSuchParent):
        answer()
    with pytest.raises(moderation.Stale):
        answer(version=7)
    assert [c.status for c in stored(app)] == [Status.PENDING]
    assert answer(version=1) == (Act.DECIDED, Status.APPROVED)
    assert answer(version=1) is None
    parent, reply = stored(app)
    assert (parent.status, parent.approved_below) == (Status.APPROVED, 1)
    assert (reply.name, reply.status, reply.mark) == ("The desk", Status.APPROVED, Mark.STAFF)
    assert (reply.author_id, reply.network, reply.parent_id) == (None, "", parent.id)
    with app.app_context():
        article = database.session().scalars(select(Article)).one()
        assert article.approved_count == 2
        by = select(Decision.by).where(Decision.comment_id == reply.id)
        assert database.session().scalars(by).all() == ["mo"]  # who it was is on record


def test_undoing_the_approval_hides_the_reply_that_was_made_with_it(app, answer):
    def undo_last(said):
        with app.app_context(), database.writing() as session:
            found = session.scalars(select(Comment).where(Comment.text == said)).one()
            moderator = session.scalars(select(accounts.Moderator)).one()
            last = moderation.latest(session, found.id)
            moderation.undo(session, last, moderator)

    def became():
        with app.app_context():
            article = database.session().scalars(select(Article)).one()
            return [*(c.status for c in stored(app)), article.approved_count]

    answer(version=1)
    answer("later", said="And more.")
    first = stored(app)[0].text
    undo_last(first)
    assert became() == [Status.PENDING, Status.DELETED, Status.APPROVED, 1]
    undo_last(first)
    assert became() == [Status.APPROVED, Status.APPROVED, Status.APPROVED, 3]
    undo_last("Thank you.")  # by itself: what it answers stands
    assert became() == [Status.APPROVED, Status.DELETED, Status.APPROVED, 2]
    undo_last(first)  # somebody has decided on the reply since: it stays as they left it
    assert became() == [Status.PENDING, Status.DELETED, Status.APPROVED, 1]


def test_staff_may_answer_where_readers_no_longer_can(app, answer):
    answer(version=1)
    say(app, closed_at=now())
    answer(nonce="m", said="Closed, since it was all said.")
    assert len(stored(app)) == 3


def test_it_keeps_what_the_desk_finds_by(app, submit):
    html = str(text.render("See https://a.example and https://b.example"))
    submit(website="https://www.Rita.example/me", html=html)
    submit(text="More.", draft=Draft("Rita", "More.", is_origin_withheld=True))
    submit(email="otto@example.org")
    first, second, third = stored(app)
    assert (first.website_domain, first.link_count) == ("rita.example", 2)
    assert [comment.is_first for comment in (first, second, third)] == [True, False, True]
    assert second.risk > first.risk
    assert third.risk > first.risk  # said before


def test_an_edit_is_weighed_and_counted_anew(app, submit):
    public_id = submit()
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        draft = Draft("Rita", "https://a.example", ("a@b.example",))
        html = str(text.render(draft.text))
        vault, before = app.extensions["vault"], comment.risk
        comments.edit(session, vault, comment, 1, draft, html, Policy(), 60)
        assert (comment.link_count, comment.risk > before) == (1, True)
