from datetime import timedelta

import pytest
from cast import ARTICLE
from sqlalchemy import event, select, update

from service import database, screening
from service.models import Article, Comment, SpentToken, now
from service.rules import Policy
from service.screening import tokens
from service.status import Mark, Mode, Status
from service.tokens import FORM_LIFETIME

NEW = Policy(mode=Mode.HOLD_NEW)
WORDS = ("harbour", "library", "mayor", "weather", "bicycle", "orchestra", "winter", "bakery")


def rules(said):
    return set(said[0]) - {"every_reply", "unknown_article"}


@pytest.fixture
def index(app):
    return app.extensions["vault"].index


def change(app, **columns):
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(**columns))


def test_the_sixth_from_an_address_is_held_until_the_time_is_over(submit):
    start = now()
    for at, word in enumerate(WORDS[:5]):
        said = submit(word, at=start + timedelta(seconds=at), network=f"10.0.{at}.0/24")
        assert rules(said) == set()
    late = start + timedelta(minutes=9)
    assert rules(submit(WORDS[5], at=late, network="")) == {"flood_address"}
    assert rules(submit(WORDS[6], at=late, network="", email="mo@example.org")) == set()
    later = start + timedelta(minutes=20)
    assert rules(submit(WORDS[7], at=later, network="")) == set()


def test_a_network_and_an_article_flood_each_by_itself(submit):
    tuned = {"flood_network": {"most": 2}, "flood_article": {"most": 3}}
    policy = Policy(tuned=tuned)
    told = [
        rules(submit(word, policy, email=f"{word}@example.org", network=network, url=url))
        for word, network, url in (
            ("harbour", "10.0.0.0/24", ARTICLE),
            ("library", "10.0.0.0/24", ARTICLE),
            ("mayor", "10.0.0.0/24", ARTICLE),
            ("weather", "10.0.1.0/24", ARTICLE),
            ("bicycle", "10.0.1.0/24", ARTICLE + "-2"),
        )
    ]
    assert told == [set(), set(), {"flood_network"}, {"flood_article"}, set()]


@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_s_replies_and_what_came_afterwards_are_not_counted(app, submit, is_staff):
    for word in WORDS[:5]:
        submit(word)
    change(app, **({"mark": Mark.STAFF} if is_staff else {"created_at": now()}))
    at = now() if is_staff else now() - timedelta(minutes=1)
    assert rules(submit(WORDS[5], at=at)) == set()


def test_whoever_types_rita_s_address_in_a_flood_does_not_have_her_held(submit, index):
    for word in WORDS[:6]:
        submit(word, network="")
    proof = index("rita@example.org")
    assert rules(submit(WORDS[6], network="", proof=proof)) == set()
    assert rules(submit(WORDS[7], network="")) == {"flood_address"}


# Known authors


@pytest.mark.parametrize(
    ("email", "of", "is_known"),
    [
        ("rita@example.org", "rita@example.org", True),
        ("Rita@Example.org", "rita@example.org", True),
        ("rita@example.org", None, False),  # only typed
        ("rita@example.org", "eve@example.org", False),  # another's token
        ("eve@example.org", "rita@example.org", False),  # her token with another address
    ],
)
def test_only_a_comment_with_its_author_s_own_proof_is_of_somebody_known(
    app, submit, index, email, of, is_known
):
    submit("harbour", proof=index("rita@example.org"))
    change(app, status=Status.APPROVED)
    said = submit("library", NEW, email=email, proof=of and index(of))
    assert ("newcomer" not in said[0]) is is_known
    with app.app_context():
        assert database.session().get_one(Comment, said[1]).is_proved is is_known


def test_what_was_approved_without_proof_makes_nobody_known(app, submit, index):
    submit("harbour")
    change(app, status=Status.APPROVED)
    assert "newcomer" in submit("library", NEW, proof=index("rita@example.org"))[0]


# Tokens that were used


def test_a_token_is_good_for_one_comment_and_the_same_form_is_one_comment(app, submit):
    first = submit("harbour", token=b"t", nonce="n")
    assert submit("harbour", token=b"t", nonce="n") == first
    assert rules(submit("library", token=b"t", nonce="n")) == {"reused_token"}
    assert rules(submit("mayor", token=b"u", nonce="n")) == set()


def test_old_tokens_are_forgotten_in_batches(app, site, monkeypatch):
    monkeypatch.setattr(tokens, "BATCH", 2)
    old = now() - timedelta(seconds=FORM_LIFETIME + 1)
    with app.app_context(), database.writing() as session:
        session.add_all(SpentToken(digest=bytes([n]), at=old) for n in range(3))
        session.add(SpentToken(digest=b"new"))
    app.test_cli_runner().invoke(args=["worker", "--once"])
    with app.app_context():
        assert database.session().scalars(select(SpentToken.digest)).all() == [b"new"]


# Plans


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_floods_and_near_duplicates_ask_walks_an_index_to_its_moment(app, submit, site):
    submit("harbour")
    asked = []
    with app.app_context(), database.writing() as session:

        def note(connection, cursor, statement, parameters, context, many):
            asked.append((statement, parameters))

        event.listen(session.connection(), "before_cursor_execute", note)
        author = app.extensions["vault"].index("rita@example.org")
        article = session.scalars(select(Article)).one()
        arrival = screening.Arrival(
            site, article, "Rita", "x", b"x", now(), author, "192.0.2.0/24", token=b"t"
        )
        screening.history(session, arrival, Policy())
        told = [
            row[3]
            for statement, parameters in list(asked)
            for row in session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
        ]
    plan = "\n".join(told)
    assert not [line for line in told if line.startswith("SCAN comments")], plan
    for walk in (
        "ix_comments_author (author_id=? AND is_proved=? AND status=? AND created_at>?",
        "ix_comments_network (network=?)",
        "ix_comments_feed (article_id=? AND status=? AND created_at>?",
        "ix_comments_site_queue (site_id=? AND status=? AND created_at>?",
    ):
        assert walk in plan, plan
