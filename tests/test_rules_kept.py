"""Whatever stands in a site's row, a comment is judged."""

import pytest

from service import rules
from service.rules import NAMED, RULES, Draft, History, Policy, kept
from service.status import Mode, Status

NUMBER = {"many_links": {"most": 3}}


@pytest.mark.parametrize(
    ("stored", "tuned"),
    [
        ({"rules": {"many_links": {"most": 3, "on": False}}}, {"many_links": {"on": False, "most": 3}}),
        ({"rules": {"odd_characters": {"to": "spam"}}}, {"odd_characters": {"to": "spam"}}),
        *((broken, {}) for broken in (5, "x", [], None, {"rules": 5}, {"rules": []}, {"rules": {"a": 1}})),
        *(
            ({"rules": {"many_links": broken}}, {})
            for broken in (5, "x", [], None, {"most": "3"}, {"most": None}, {"most": -1}, {"most": True},
                           {"most": 10**400}, {"most": [3]}, {"to": "nonsense"}, {"to": []},
                           {"to": "approved"}, {"on": "maybe"}, {"nothing": 3})
        ),
        ({"rules": {"gone": {"on": True}, **NUMBER}}, NUMBER),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_passed_over(stored, tuned):
    assert kept.tuned(stored, RULES) == tuned


@pytest.mark.parametrize(
    "stored", [5, [], None, {"writing": 5}, {"writing": "latin"}, {"writing": [5]}]
)
def test_what_is_no_list_of_words_is_none(stored):
    assert kept.words(stored, "writing") == ()


def test_a_rule_that_fails_holds_and_tells_nothing_of_the_comment(monkeypatch, caplog):
    def fails(case):
        raise ValueError(case.draft.text)

    monkeypatch.setitem(NAMED["many_links"].__dict__, "fires", fails)
    verdict = rules.judge(Draft("Rita", "secret words"), History(), Policy(mode=Mode.HOLD_CAUGHT))
    assert verdict.status == Status.PENDING
    assert [(fired.rule, fired.matched) for fired in verdict.reasons] == [("failed", "many_links")]
    assert "many_links failed: ValueError" in caplog.text
    assert "secret" not in caplog.text
