import json
import unicodedata

import pytest
from growth import WORST, grown, work
from hypothesis import given
from hypothesis import strategies as st

from service.rules import Draft, History, Policy, judge
from service.rules.characters import odd
from service.status import Mode

OPEN = Policy(mode=Mode.HOLD_CAUGHT)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("abc \u202egnp.exe", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("שלום \u202eabc\u202c", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("print \u2067 this", "U+2067 RIGHT-TO-LEFT ISOLATE"),
        ("שלום \u2067 עולם", "U+2067 RIGHT-TO-LEFT ISOLATE"),  # stays open
        ("vi\u200bagra", "U+200B ZERO WIDTH SPACE"),
        ("is\u200cAdmin", "U+200C ZERO WIDTH NON-JOINER"),
        ("v\xadi\xada\xadg", "U+00AD SOFT HYPHEN"),
        ("hi\U000e0041\U000e0042 there", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("hidden \u200b\u200c\u200b\u200c here", "U+200B ZERO WIDTH SPACE"),
        ("a" + "\u0301" * 9, "9 accents on one letter"),
        ("pаypal", "U+0430 CYRILLIC SMALL LETTER A in “pаypal”"),
        ("sayНello", "U+041D CYRILLIC CAPITAL LETTER EN in “sayНello”"),
        ("Кaзино", "U+0061 LATIN SMALL LETTER A in “Кaзино”"),
    ],
)
def test_what_hides_something_is_named(text, found):
    assert odd(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Plain words.",
        "iPhone中文 5G網絡 α-helix 10 μm ρgh Δx",
        "می\u200cخواهم PDF\u200cها ۵\u200cام",
        "क्\u200dष क्\u200cष",
        "ශ්\u200dරී",
        "👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "שלום \u2066C++\u2069 עולם",
        "\u200fשלום\u200e, עולם.",
        "בְּרֵאשִׁ֖ית בָּרָ֣א",
        "Tiếng Việt thật là hay",
        unicodedata.normalize("NFD", "Tiếng Việt thật là ổ"),
        "Donau\xaddampf\xadschiff",
        "私はPCでTシャツを\u200b買った",
        "Я пишу в WhatsAppе и про COVIDный год",
        "葛\U000e0100城",
        "ภาษา\u200bไทย",
        "ကြ\u200bည့်",
    ],
)
def test_what_people_write_is_left_alone(text):
    assert odd(text) is None


def test_nearly_all_of_trojan_source_is_found(corpora):
    lines = json.loads((corpora / "unicode" / "trojan_source_dev.json").read_text())
    assert sum(odd(line["text"]) is not None for line in lines) >= 0.95 * len(lines)


def test_real_comments_are_left_alone(corpora):
    files = sorted((corpora / "comments").rglob("*.jsonl"))
    texts = [json.loads(line)["text"] for file in files for line in file.open()]
    assert len(texts) > 1_000
    assert sum(odd(text) is not None for text in texts) <= 0.001 * len(texts)


@given(st.text())
def test_it_reads_anything(text):
    found = odd(text)
    assert found is None or found.isprintable() or "“" in found


def test_the_name_is_read_too():
    verdict = judge(Draft("Аnna", "Hi"), History(), OPEN)
    assert [found.rule for found in verdict.reasons] == ["odd_characters"]


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_work_grows_no_faster_than_the_text(unit):
    assert grown(odd, unit) <= 12


def test_a_text_is_searched_for_cyrillic_once():
    assert grown(lambda text: odd(f"{text}Привет"), "WhatsAppе ") <= 12


def test_a_comment_as_long_as_one_may_be_is_read_in_few_steps():
    """Of words that are looked at twice: foreign names with Cyrillic endings."""
    text = ("Привет WhatsAppе " * 5_000)[:50_000]
    odd(text[:-1])
    assert work(odd, text) <= 100 * len(text)
