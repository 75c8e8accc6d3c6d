import pytest
from growth import WORST, grown
from hypothesis import given
from hypothesis import strategies as st

from service.rules import Draft, History, Policy, judge
from service.rules.names import look_alike, skeleton, skeletons
from service.status import Mode

OPEN = Policy(mode=Mode.HOLD_CAUGHT)


@pytest.mark.parametrize(
    ("theirs", "typed"),
    [
        *(("Rita", typed) for typed in ("rita", "RITA", "R i t a", "Rita.", "Rita ✓", "Rita™")),
        *(("Rita", typed) for typed in ("Ｒｉｔａ", "𝐑𝐢𝐭𝐚", "Ⓡⓘⓣⓐ", "R\u200bita", "Rіtа", "ʀɪᴛᴀ")),
        ("Ida", "lda"),
        ("Ida", "ІDA"),
        ("Paul", "Раul"),
        ("Helen", "ΗELEN"),
        ("José", "Jose"),
        ("mark", "rnark"),
        ("Mo", "M0"),
        ("Андрей", "АНДРЕЙ"),
    ],
)
def test_a_name_that_can_be_taken_for_another_is_found(theirs, typed):
    assert look_alike(theirs, typed)
    assert look_alike(typed, theirs)


@pytest.mark.parametrize(
    ("theirs", "typed"),
    [
        ("Anna", "Hanna"),
        ("Lida", "Iida"),  # a Finnish name
        ("रवि", "रावि"),  # a vowel is no accent
        ("ใจ", "จ"),
        ("***", "--"),
        ("", ""),
        ("王伟", "王芳"),
    ],
)
def test_names_that_differ_to_the_eye_are_two(theirs, typed):
    assert not look_alike(theirs, typed)


@given(st.text(max_size=300))
def test_any_name_looks_like_itself_unless_nothing_is_seen_of_it(name):
    assert look_alike(name, name) == any(skeletons(name))
    assert skeleton(name) == skeletons(name)[1]


def test_the_rule_names_whom():
    verdict = judge(Draft("Rita", "Hi"), History(resembled="staff"), OPEN)
    assert [(found.rule, found.matched) for found in verdict.reasons] == [
        ("lookalike_name", "staff")
    ]


def test_of_a_name_no_more_is_read_than_names_have():
    for unit in WORST.values():
        assert grown(skeletons.__wrapped__, unit) <= 1.5
