"""The catalogues: nothing is left out of any, and no placeholder, plural or button's name is broken."""

import io
import re

import catalogues
import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo, write_mo

from service.views import languages

UNREVIEWED = "unreviewed: no native speaker has read this yet"
NAMES = [tag.replace("-", "_") for tag in languages.AVAILABLE if tag != "en"]


@pytest.fixture(scope="module")
def said():
    return catalogues.said()


def test_there_is_a_catalogue_for_each_language_but_english():
    assert catalogues.names() == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_says_all_that_readers_meet_and_nothing_else(said, name):
    """If this fails: `make translations`, then translate what it lists."""
    lacking = catalogues.faults(said, catalogues.read(name), catalogues.compiled(name))
    assert lacking == []


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_that_nobody_has_reviewed_says_so_and_so_does_the_page_about_them(name):
    told = (catalogues.ROOT / "docs" / "translations.md").read_text()
    [row] = [line for line in told.splitlines() if f"`{name.replace('_', '-')}`" in line]
    is_unreviewed = UNREVIEWED in catalogues.read(name).header_comment
    assert is_unreviewed == row.endswith("| unreviewed |")


@pytest.mark.parametrize("name", NAMES)
def test_a_text_that_names_a_button_names_it_as_the_button_does(name):
    catalogue = catalogues.read(name)
    button = catalogue.get("Post reply").string
    naming = [m for m in catalogue if m.id and "“Post reply”" in m.id]
    assert naming
    assert [m.string for m in naming if button not in m.string] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_the_reply_link_holds_the_word_that_is_seen(name):
    """Who speaks to the page says what they see (WCAG 2.2, 2.5.3)."""
    catalogue = catalogues.read(name)
    seen, named = (catalogue.get(id).string for id in ("Reply", "Reply to %(name)s"))
    assert seen.casefold() in named.casefold()


@pytest.mark.parametrize("name", NAMES)
def test_words_keep_the_style_of_the_english_ones(name):
    """No exclamation marks; what is to be typed stays as it is typed."""
    for message in catalogues.read(name):
        if message.id:
            texts = [message.string] if isinstance(message.string, str) else message.string
            assert not re.search("[!！¡]", "".join(texts)), message.id
            for typed in re.findall(
                r"name@example\.org|https://(?:example\.org)?|\*\*?|`", str(message.id)
            ):
                assert all(typed in text for text in texts), (message.id, typed)


# What `faults` sees, each in a catalogue of one text.


def made():
    """A template of two texts, and a Polish catalogue of them."""
    template, catalogue = Catalog(), Catalog(locale="pl")
    for texts in (template, catalogue):
        texts.add("Reply to %(name)s", flags=["python-format"])
        texts.add(("%(num)d reply", "%(num)d replies"), flags=["python-format"])
    catalogue["Reply to %(name)s"].string = "Odpowiedz: %(name)s"
    catalogue["%(num)d reply"].string = ("Jeden", "%(num)d odpowiedzi", "%(num)d odpowiedzi")
    return template, catalogue


def binary(catalogue):
    file = io.BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return read_mo(file)


def test_a_whole_catalogue_has_no_faults():
    template, catalogue = made()
    assert catalogues.faults(template, catalogue, binary(catalogue)) == []


@pytest.mark.parametrize(
    ("text", "string", "fault"),
    [
        ("Reply to %(name)s", "", "not translated"),
        ("Reply to %(name)s", "Odpowiedz: ", "a space too many"),
        ("Reply to %(name)s", "Odpowiedz: %(nazwa)s", "placeholders differ"),
        ("Reply to %(name)s", "Odpowiedz: %(name)d", "placeholders differ"),
        ("Reply to %(name)s", "100 % %(name)s", "placeholders differ"),
        ("%(num)d reply", ("%(num)d", "%(num)d", ""), "not translated"),
        ("%(num)d reply", ("%(num)d", "kilka", "%(num)d"), "placeholders differ"),
        ("%(num)d reply", ("%(num)d", "%(num)d"), "2 plural forms in place of 3"),
    ],
)
def test_a_broken_text_is_seen(text, string, fault):
    template, catalogue = made()
    catalogue[text].string = string
    found = catalogues.faults(template, catalogue, catalogue)
    assert any(line.startswith(fault) for line in found), found


def test_a_text_left_out_a_stray_one_a_fuzzy_one_and_an_old_file_are_seen():
    template, catalogue = made()
    old = binary(catalogue)
    template.add("Like")
    catalogue.add("Dislike", "Nie lubię", flags=["fuzzy"])
    found = catalogues.faults(template, catalogue, old)
    assert found[:2] == ["missing: 'Like'", "said nowhere: 'Dislike'"]
    assert "fuzzy: 'Dislike'" in found
    assert "the .mo file is not made from this .po file" in found


def test_other_plural_rules_are_seen():
    template, catalogue = made()
    catalogue._num_plurals, catalogue._plural_expr = 2, "(n != 1)"
    [first, *_] = catalogues.faults(template, catalogue, catalogue)
    assert first.startswith("plural forms are not Babel's")
