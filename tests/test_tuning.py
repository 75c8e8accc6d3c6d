"""What a site chooses for its rules: checked, kept, guarded and on record."""

import pytest
from cast import add_moderator, add_site, on_record

from service import accounts, database, tuning
from service.models import Site
from service.rules import NAMED, Number, Policy, Rule
from service.status import Mode, Status

LINKS = NAMED["many_links"]
LOUD = Rule(
    "loud",
    lambda case: None,
    says="It is loud.",
    does="Catches %(most)s capitals.",
    numbers=(Number("most", 5, 1, 9, "Capitals"),),
    may=(Status.PENDING, Status.SPAM),
    is_on=False,
)
WRITING = Rule("other_writing", lambda case: None, says="Odd.", does="Catches the odd.")
FIXED = NAMED["withheld"]
AS_IS = tuning.Choice(False, Status.PENDING, {"most": 5})


@pytest.fixture
def daily(app):
    add_site(app)
    add_moderator(app)
    with app.app_context():
        yield app


def look():
    return database.session().get_one(Site, 1)


def change(rule, version=1, **sent):
    with database.writing() as session:
        site, mo = session.get_one(Site, 1), session.get_one(accounts.Moderator, 1)
        listed = sent.pop("listed", None)
        choice = tuning.read(rule, tuning.chosen(site, rule), sent, listed)
        tuning.save(session, site, rule, choice, version, mo)
    database.forget()


@pytest.mark.parametrize(
    ("rule", "before", "sent", "wrong"),
    [
        (LOUD, AS_IS, {"most": "0"}, "most"),
        (LOUD, AS_IS, {"most": "10"}, "most"),
        (LOUD, AS_IS, {"most": ""}, "most"),
        (LOUD, AS_IS, {"most": "five"}, "most"),
        (LOUD, AS_IS, {"most": "٣"}, "most"),
        (LOUD, AS_IS, {"most": "9" * 5_000}, "most"),
        (LOUD, AS_IS, {"most": "-1"}, "most"),
        (LOUD, AS_IS, {"least": "1"}, "least"),
        (LOUD, AS_IS, {"to": "approved"}, "to"),
        (LOUD, AS_IS, {"on": "perhaps"}, "on"),
        (FIXED, tuning.Choice(True, Status.PENDING, {}), {"on": "off"}, "on"),
        (FIXED, tuning.Choice(True, Status.PENDING, {}), {"to": "spam"}, "to"),
    ],
)
def test_it_refuses_what_a_rule_cannot_be_and_names_the_field(rule, before, sent, wrong):
    with pytest.raises(tuning.Refused) as refusal:
        tuning.read(rule, before, sent)
    assert refusal.value.fields.keys() == {wrong}


def test_what_was_not_said_stays_as_it_was():
    before = tuning.Choice(True, Status.SPAM, {"most": 7})
    assert tuning.read(LOUD, before, {}) == before
    assert tuning.read(LOUD, before, {"most": " 8 "}).numbers == {"most": 8}


@pytest.mark.parametrize(
    ("rule", "listed"),
    [(WRITING, ("latin", "klingon")), (WRITING, ("latin",) * 60), (LOUD, ("latin",))],
)
def test_a_list_is_one_of_what_there_is(rule, listed):
    before = tuning.Choice(rule.is_on, rule.to, {n.name: n.default for n in rule.numbers})
    with pytest.raises(tuning.Refused) as refusal:
        tuning.read(rule, before, {}, listed)
    assert refusal.value.fields.keys() == {"listed"}


def test_a_choice_is_kept_without_what_the_rule_has_by_itself(daily):
    change(LOUD, on="on", to="spam", most="5")
    assert look().screening == {"rules": {"loud": {"on": True, "to": "spam"}}}
    assert look().screening_version == 2
    change(LOUD, 2, on="off", to="hold")
    assert look().screening == {"rules": {}}


def test_a_change_is_on_record_with_the_old_and_the_new_value(daily):
    change(LINKS, most="7", on="off")
    change(WRITING, 2, listed=("latin", "greek"))
    change(WRITING, 3, listed=("latin", "greek"))  # nothing new
    told = [(event.what, event.about, event.by, event.site_id) for event in on_record(daily)]
    assert told == [
        ("rule_changed", "many links: switched off; links that a comment may have 2 → 7", "mo", 1),
        ("rule_changed", "other writing: takes all → latin, greek", "mo", 1),
    ]
    assert look().screening["writing"] == ["latin", "greek"]


def test_a_colleague_s_change_in_between_is_not_overwritten(daily):
    change(LINKS, most="7")
    with pytest.raises(tuning.Changed):
        change(LINKS, 1, most="9")
    with pytest.raises(tuning.Changed):
        change(LOUD, 1, on="on")
    assert look().screening == {"rules": {"many_links": {"most": 7}}}
    assert len(on_record(daily)) == 1


def test_the_mode_is_kept_and_on_record(daily):
    with database.writing() as session:
        site = session.get_one(Site, 1)
        tuning.save_mode(session, site, Mode.HOLD_CAUGHT, 1, "the operator")
        tuning.save_mode(session, site, Mode.HOLD_CAUGHT, 2, "the operator")
        with pytest.raises(tuning.Changed):
            tuning.save_mode(session, site, Mode.HOLD_NEW, 1, "the operator")
    database.forget()
    assert look().settings["mode"] == "hold_caught"
    assert [event.about for event in on_record(daily)] == [
        "what waits: every reply → only what a rule catches"
    ]


def test_a_policy_is_told_as_it_would_be(daily):
    choice = tuning.Choice(True, Status.PENDING, {"most": 9})
    changed = tuning.policy_with(Policy(), look(), LINKS, choice)
    assert changed.tuned == {"many_links": {"most": 9}}
    listed = tuning.Choice(True, Status.PENDING, {}, ("latin",))
    assert tuning.policy_with(Policy(), look(), WRITING, listed).writing == {"latin"}
