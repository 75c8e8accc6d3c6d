import json

import pytest
from growth import WORST, grown
from hypothesis import given
from hypothesis import strategies as st

from service.rules import Draft, History, Policy, judge
from service.rules.phrases import NotAPhrase, Phrases, _forms, named, read
from service.status import Mode, Status


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("cunt", "Scunthorpe", False),
        ("cunt", "you CUNT!", True),
        ("*cunt*", "Scunthorpe", True),
        ("cunt*", "Scunthorpe", False),
        ("scun*", "Scunthorpe", True),
        ("*thorpe", "Scunthorpe", True),
        ("*scun", "Scunthorpe", False),
        ("viagra", "via\u200bgra", True),
        ("viagra", "buy vіagra", True),
        ("соса", "coca", False),  # Latin
        ("coca", "соса", False),  # all Cyrillic
        ("café", "the CAFE", True),
        ("cafe", "le café", True),
        ("fine", "ﬁne", True),
        ("buy now", "Buy...\n\nNOW!", True),
        ("buy now", "buy it now", False),
        ("buy now*", "buy nowadays", True),
        ("*uy now", "you buy now", True),
        ("buy now", "rebuy now", False),
        ("c++", "I like C++.", True),
        ("*https www*", "see https://www.example.org/a", False),
        ("*https www*", "see https www example org", True),
        ("example org", "see https://example.org/a", True),
        ("*/groups/*", "see https://example.org/groups/a", True),
        ("c++", "plan c, please", False),
        ("100%", "100% safe", True),
        ("100%", "1100%", False),
        ("*100%*", "1100%", True),
        ("istanbul", "İSTANBUL", True),
        ("strasse", "Straße", True),
        ("العربية", "اللغة العَرَبِيَّة", True),
        ("한국", "한국에서는", True),
        ("免费", "这里免费领取", True),
        ("iphone", "买iPhone吧", True),
        ("ดี", "สวัสดีครับ", True),
        ("हिन्दी", "हिन्दू", False),
        ("don't", "I don’t", True),
    ],
)
def test_it_finds(phrase, text, is_found):
    assert Phrases([phrase]).find(text) == (phrase if is_found else None)


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        ("", "nothing"),
        ("*", "nothing"),
        ("**", "nothing"),
        ("a*b", "star"),
        ("\u200b", "nothing"),
        ("*a*", "short"),
        ("a*", "short"),
        ("!", "short"),
    ],
)
def test_what_would_be_found_everywhere_is_no_phrase(phrase, why):
    with pytest.raises(NotAPhrase) as error:
        read(phrase)
    assert error.value.why == why
    assert Phrases([phrase]).find("a text!") is None


def test_overlapping_phrases_are_all_found():
    found = Phrases(["buy", "buy now", "now please", "*lea*"]).every("Buy now, please")
    assert list(found) == ["buy", "buy now", "now please", "*lea*"]


def judged(draft, **lists):
    finders = {f"phrases_{kind}": Phrases(phrases) for kind, phrases in lists.items()}
    return judge(draft, History(), Policy(mode=Mode.HOLD_CAUGHT, phrases=finders))


def test_each_list_does_what_it_is_for():
    assert judged(Draft("Rita", "poker"), hold=["poker"]).status == Status.PENDING
    assert judged(Draft("Rita", "poker"), spam=["poker"]).status == Status.SPAM
    assert judged(Draft("Rita", "poker"), refuse=["poker"]).asks
    assert judged(Draft("Rita", "bridge"), refuse=["poker"], hold=["poker"]).reasons == ()


@pytest.mark.parametrize(
    "draft",
    [
        Draft("Poker", "Hi"),
        Draft("Rita", "Hi", website="https://poker.example"),
        Draft("Rita", "[look](https://x.example/p%6fker)"),
        Draft("Rita", "[look](https://x.example/&#112;oker)"),
    ],
)
def test_the_name_the_website_and_where_links_lead_are_looked_at(draft):
    assert [fired.matched for fired in judged(draft, hold=["poker"]).reasons] == ["poker"]


def test_the_domain_of_the_address_is_not_looked_at():
    draft = Draft("Rita", "Hi", mail_domain="poker.example")
    assert judged(draft, hold=["*poker*"]).reasons == ()


def test_words_of_two_fields_are_no_phrase():
    assert judged(Draft("Buy", "now"), hold=["buy now"]).reasons == ()


def test_every_phrase_is_named_and_an_address_is_masked():
    fired = judged(Draft("Rita", "poker casinos"), hold=["poker", "casino*"]).reasons[0]
    assert fired.matched == "poker · casino*"
    assert named(fired.matched) == ["poker", "casino"]
    draft = Draft("Rita", "to jane@example.org", ("jane@example.org",))
    assert "jane@" not in repr(judged(draft, hold=["jane@example.org"]).reasons)


@given(st.lists(st.text(max_size=20), max_size=10), st.text(max_size=300))
def test_nothing_that_people_type_breaks_it(phrases, text):
    found = Phrases(phrases)
    assert set(found.every(text)) <= set(phrases)
    list(found.every("".join(phrases) + text))


class Counted(dict):
    """A dictionary that counts how often it is asked."""

    asked = 0

    def __contains__(self, key):
        Counted.asked += 1
        return super().__contains__(key)


@pytest.mark.parametrize("many", [10, 5_000])
def test_the_work_grows_with_the_text_and_not_with_the_phrases(many):
    finder = Phrases([f"*aaaa{'a' * (i % 60)}{i}*" for i in range(many)])
    finder._words.known = Counted(finder._words.known)

    def work(length):
        Counted.asked = 0
        list(finder.every("a" * length))
        return Counted.asked

    once, twice = work(1_000), work(2_000)
    assert 0 < twice <= 2.1 * once
    assert once <= 1_000 * 70  # as many look-ups at a place as there are lengths


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_work_grows_no_faster_than_the_text(unit):
    finder = Phrases(["*aaaa*", "buy now", "免费", "c++", "*a a a*", "привет", "*\u2066\u2066*"])

    def every(text):
        _forms.cache_clear()
        return list(finder.every(text))

    assert grown(every, unit) <= 12


def test_hostile_texts_go_through_it(corpora):
    texts = [item["string"] for item in json.loads((corpora / "naughty_strings.json").read_text())]
    texts += (corpora / "unicode" / "trojan_source_dev.json").read_text().splitlines()
    finder = Phrases([*texts, *(f"*{text}*" for text in texts)])
    for text in texts:
        list(finder.every(text))
