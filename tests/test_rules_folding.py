import json

import pytest
from growth import WORST, grown
from hypothesis import given
from hypothesis import strategies as st

from service.rules import folding
from service.rules.folding import fold, seen


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("CAFÉ", "cafe"),
        ("cafe\u0301", "cafe"),
        ("ﬁne", "fine"),
        ("via\u200bgra\u00ad\ufeff", "viagra"),
        ("𝓿𝓲𝓪𝓰𝓻𝓪 ｗｉｄｅ", "viagra wide"),
        ("vіagra VІАGRА", "viagra viagra"),  # Cyrillic і, І, А
        ("ΗELLO", "hello"),  # Greek Eta
        ("cпам", "спам"),  # a Latin c
        ("соса Спам", "соса спам"),  # all Cyrillic: left alone
        ("İSTANBUL ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
        ("Straße STRASSE", "strasse strasse"),
        ("العَرَبِيَّة", "العربية"),
        ("أهـــلا", "اهلا"),
        ("한국 \u1112\u1161\u11ab", "한국 한"),
        ("ｶﾞが か\u3099", "ガが が"),
        ("हिन्दी", "हिन्दी"),  # its marks are vowels
        ("it’s “so” – no", 'it\'s "so" - no'),
        ("a\nb", "a\nb"),
        ("", ""),
    ],
)
def test_what_reads_the_same_folds_to_the_same(text, folded):
    assert fold(text) == folded


def test_case_and_accents_stay_in_what_is_seen():
    assert seen("Ｃafé vіagra") == "Café viagra"


@given(st.text(max_size=300))
def test_it_takes_any_text_and_folding_once_is_enough_for_finding(text):
    assert fold(fold(text)) is not None


def test_the_corpora_fold(corpora):
    names = json.loads((corpora / "naughty_strings.json").read_text())
    texts = [item["string"] for item in names]
    texts.append((corpora / "unicode" / "trojan_source_dev.json").read_text())
    texts.append((corpora / "unicode" / "confusables.json").read_text())
    for text in texts:
        assert not {"\u200b", "\u202e", "\ufeff"} & set(fold(text))


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_work_grows_no_faster_than_the_text(unit):
    for read in (fold, seen):
        assert grown(read, unit) <= 12


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_no_text_becomes_many_times_as_long(unit):
    text = unit * 1_000
    assert len(fold(text)) <= 4 * len(text)


def test_a_table_forgets_before_it_grows_without_end(monkeypatch):
    monkeypatch.setattr(folding, "MOST_REMEMBERED", 50)
    table = folding._Remembered(folding._bare)
    "".join(map(chr, range(0x400, 0x500))).translate(table)
    assert len(table) <= 50


def test_what_is_made_of_many_scripts_is_no_disguised_word():
    many = "aбγدअกა"
    assert fold(many) == many
    folding._as_in.cache_clear()
    fold("".join(chr(0x400 + n % 40) + chr(0x5D0 + n % 20) + chr(0x904 + n % 40) + chr(0x10D0 + n % 30) + "ab"
                 for n in range(2_000)))  # fmt: skip
    assert folding._as_in.cache_info().misses == 0
