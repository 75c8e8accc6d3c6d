import pytest

from service.rules import (
    LIKELY_SPAM,
    RULES,
    Draft,
    History,
    Policy,
    Rule,
    Verdict,
    explain,
    judge,
    risk,
)
from service.status import BanKind, Mode, Status

OPEN = Policy(mode=Mode.HOLD_CAUGHT, least_seconds=2)


BY_DOMAIN = "the domain of its email address"


def fired(draft, history=History(), policy=OPEN):  # noqa: B008 (both are frozen)
    return [(reason.rule, reason.matched) for reason in judge(draft, history, policy).reasons]


@pytest.mark.parametrize(
    ("draft", "history", "policy", "expected"),
    [
        (Draft("Rita", "Hi"), History(), OPEN, []),
        (Draft("Rita", "Hi"), History(), Policy(), [("every_reply", "")]),
        (Draft("Rita", "Hi"), History(is_article_known=False), OPEN, [("unknown_article", "")]),
        (
            Draft("Rita", "to a@b.example", ("a@b.example",)),
            History(),
            OPEN,
            [("address_in_text", "")],
        ),
        (Draft("Rita", "Hi"), History(repeats=3), OPEN, [("repeated", "3×")]),
        (
            Draft("Rita", "Hi"),
            History(ban=BanKind.NAME, ban_reason="sells shoes"),
            OPEN,
            [("banned", "its name (“sells shoes”)")],
        ),
        (Draft("Rita", "Hi"), History(ban=BanKind.DOMAIN), OPEN, [("banned", BY_DOMAIN)]),
        (Draft("Rita", "Hi", is_origin_withheld=True), History(), OPEN, [("withheld", "")]),
        (Draft("Rita", "Hi", seconds=0.51), History(), OPEN, [("too_fast", "0.5 s")]),
        (Draft("Rita", "Hi", seconds=2), History(), OPEN, []),
        (Draft("Rita", "Hi", seconds=None), History(), OPEN, []),
        (Draft("Rita", "Hi", is_trapped=True), History(), OPEN, [("trap", "")]),
        (Draft("Rita", "Hi", has_worked=False), History(), OPEN, [("no_work", "")]),
        (Draft("Rita", "Hi", has_worked=True), History(), OPEN, []),
        (Draft("Rita", "Hi", has_worked=None), History(), OPEN, []),
    ],
)
def test_it_fires(draft, history, policy, expected):
    assert fired(draft, history, policy) == expected


def test_silence_means_approved_and_one_reason_holds():
    assert judge(Draft("Rita", "Hi"), History(), OPEN).status == Status.APPROVED
    assert judge(Draft("Rita", "Hi"), History(repeats=1), OPEN).status == Status.PENDING


@pytest.mark.parametrize("kind", BanKind)
def test_what_is_banned_is_spam_whatever_else_is_said_of_it(kind):
    verdict = judge(Draft("Rita", "Hi"), History(ban=kind, ban_reason="x" * 300), Policy())
    assert verdict.status == Status.SPAM
    assert [reason.rule for reason in verdict.reasons] == ["banned", "every_reply"]
    assert len(verdict.reasons[0].matched) == 300  # what the database takes


def test_every_reason_that_fired_is_on_record():
    draft = Draft("Rita", "a@b.example", ("a@b.example",), is_origin_withheld=True)
    assert [rule for rule, _ in fired(draft)] == ["address_in_text", "withheld"]


def test_no_reason_holds_an_address():
    draft = Draft("Rita", "a@b.example", ("a@b.example",))
    assert "a@b" not in repr(judge(draft, History(), OPEN).reasons)


def test_every_reason_has_a_sentence_for_moderators():
    draft = Draft("Rita", "a@b.example", ("a@b.example",), True, 0.1)
    for rule, matched in fired(
        draft, History(False, repeats=2, ban=BanKind.NAME), Policy(least_seconds=2)
    ):
        assert (explain(rule) % {"matched": matched}).endswith(".")


def verb(rule: Rule) -> str:
    if rule.asks:
        return "Asks"
    return "Catches" if rule.may else "Holds" if rule.to == Status.PENDING else "Marks as spam"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_its_sentence_begins_with_what_it_does_and_catches_where_a_site_may_choose(rule):
    assert rule.does.startswith(f"{verb(rule)} ")


def test_what_holds_every_reply_weighs_nothing_and_much_together_is_likely_spam():
    assert risk(judge(Draft("Rita", "Hi"), History(), Policy())) == 0
    alone = [
        risk(judge(Draft("Rita", "Hi", seconds=0.1), History(), Policy(least_seconds=2))),
        risk(judge(Draft("Rita", "Hi"), History(repeats=1), Policy())),
    ]
    assert all(0 < one < LIKELY_SPAM for one in alone)
    both = judge(Draft("Rita", "Hi", seconds=0.1), History(repeats=1), Policy(least_seconds=2))
    assert risk(both) == min(100, sum(alone)) >= LIKELY_SPAM
    assert risk(Verdict(Status.SPAM)) == 100


def test_a_site_chooses_what_the_trap_does():
    caught = Draft("Rita", "Hi", is_trapped=True)
    for to, status in [({}, Status.SPAM), ({"to": "pending"}, Status.PENDING)]:
        policy = Policy(mode=Mode.HOLD_CAUGHT, tuned={"trap": to})
        assert judge(caught, History(), policy).status == status
    off = Policy(mode=Mode.HOLD_CAUGHT, tuned={"trap": {"on": False}})
    assert judge(caught, History(), off).status == Status.APPROVED
