"""`flask rules`: what there is, what one would have done, what was said of a comment."""

import pytest
from cast import add_site, on_record, reply, stored
from sqlalchemy import select

from service import database, screening
from service.models import Site
from service.rules import RULES, History, Verdict
from service.status import Occasion, Status

TWO = "Look: https://a.example and https://b.example"


@pytest.fixture
def flask(app):
    add_site(app)

    def run(*words):
        return app.test_cli_runner().invoke(args=["rules", *words])

    return run


def kept(app):
    with app.app_context():
        return database.session().scalars(select(Site)).one().screening


def test_it_lists_the_rules_in_their_order(flask):
    told = flask("list", "daily")
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[0] == "mode: hold_every"
    assert [line.split(". ", 1)[1].partition(":")[0] for line in lines[1:]] == [
        rule.name for rule in RULES
    ]
    sentence = "many_links: Holds a comment with more links than 2. (on, holds, caught nothing yet)"
    assert sentence in told.output
    assert "(on, holds; can be told to mark as spam, caught nothing yet)" in told.output
    assert "Holds every reply, where the site chose so. (always on, holds)" in told.output


def test_it_sets_a_rule_and_puts_it_on_record(app, flask):
    assert flask("set", "daily", "many_links", "off", "most=5").exit_code == 0
    assert kept(app) == {"rules": {"many_links": {"on": False, "most": 5}}}
    [event] = on_record(app)
    assert (event.by, event.about) == (
        "the operator",
        "many links: switched off; links that a comment may have 2 → 5",
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("list", "nowhere"), 1, "There is no site nowhere"),
        (("set", "nowhere", "many_links", "on"), 1, "There is no site nowhere"),
        (("set", "daily", "nonsense", "on"), 2, "There is no rule nonsense"),
        (("set", "daily", "many_links", "most=many"), 2, "from 0 to 100"),
        (("set", "daily", "many_links", "to=spam"), 2, "to: Choose hold."),
        (("set", "daily", "too_long", "to=mars"), 2, "to: Choose hold or spam."),
        (("set", "daily", "many_links", "takes=latin"), 2, "takes: This rule looks at no list."),
        (("set", "daily", "other_writing", "takes=klingon"), 2, "takes: Choose from arabic, arm"),
        (("set", "daily", "other_language", "takes=!"), 2, "takes: Write each language as its tag"),
        (
            ("try", "daily", "learned", "most=1"),
            2,
            "most: This rule has no such number; what it has: percent.",
        ),
        (
            ("set", "daily", "repeated", "most=1"),
            2,
            "most: This rule has no such number; it has none.",
        ),
        (("set", "daily", "many_links", "perhaps"), 2, "perhaps"),
        (("set", "daily", "many_links"), 2, "Missing"),
        (("set", "daily", "withheld", "off"), 2, "always on"),
        (("try", "daily", "many_links", "most=-1"), 2, "from 0 to 100"),
        (("ledger", "nothing"), 1, "There is no comment nothing"),
    ],
)
def test_what_cannot_be_changes_nothing(app, flask, words, status, said):
    told = flask(*words)
    assert (told.exit_code, said in told.output) == (status, True), told.output
    assert kept(app) == {}


def test_it_tries_a_rule_and_changes_nothing(app, flask):
    reply(app, app.test_client(), comment=TWO)
    told = flask("try", "daily", "many_links", "most=1")
    assert told.exit_code == 0
    assert "Of readers' comments the newest were judged anew: 1." in told.output
    assert "1 caught as well" in told.output
    assert f"{stored(app)[0].public_id}  not decided yet  Look:" in told.output
    assert "changed nothing" in flask("try", "daily", "many_links", "on").output
    assert kept(app) == {}


def test_what_is_not_kept_cannot_be_tried(app, flask):
    flask("set", "daily", "too_fast", "off")
    reply(app, app.test_client())
    told = flask("try", "daily", "too_fast", "on")
    assert told.exit_code == 1
    assert "not kept" in told.output


@pytest.mark.parametrize(("chance", "percent"), [(1.0, 99), (0.17, 17), (0.0, 1)])
def test_the_filter_is_never_certain_and_its_words_are_told_as_on_the_card(
    app, flask, chance, percent
):
    reply(app, app.test_client())
    [comment] = stored(app)
    with app.app_context(), database.writing() as session:
        known = History(chance=chance, telling=("+casino", "-thanks"))
        screening.judged(session, comment, Verdict(Status.PENDING), known, Occasion.EDITED)
    told = flask("ledger", comment.public_id).output
    assert f"The filter: {percent} % likely spam. For it: casino. Against it: thanks." in told


def test_it_prints_the_ledger_of_a_comment(app, flask):
    reply(app, app.test_client(), comment=f"{TWO} https://c.example")
    told = flask("ledger", stored(app)[0].public_id)
    assert told.exit_code == 0
    assert "posted: pending" in told.output
    assert "  Links in it: 3." in told.output
