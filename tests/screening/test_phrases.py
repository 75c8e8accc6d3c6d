import re

import pytest
from cast import add_site, reply, stored
from sqlalchemy import select

from service import database
from service.models import Judgement, Phrase, Site
from service.rules.phrases import NotAPhrase, Phrases
from service.screening import phrases
from service.status import Occasion, PhraseKind, Status

NAMES = ("token", "version")


@pytest.fixture
def daily(app):
    return add_site(app)


@pytest.fixture
def site_of(app, daily):
    """Gives The Daily phrases of a kind."""

    def give(kind, *written):
        with app.app_context(), database.writing() as session:
            return len(phrases.add(session, daily, kind, written))

    return give


def hits(app):
    with app.app_context():
        rows = database.session().execute(select(Phrase.phrase, Phrase.hits))
        return {row.phrase: row.hits for row in rows}


def test_they_are_found_at_once_after_a_change(app, client, daily, site_of):
    reply(app, client, comment="one poker")
    site_of(PhraseKind.SPAM, "poker")
    reply(app, client, comment="two poker")
    with app.app_context(), database.writing() as session:
        assert phrases.remove(session, daily, PhraseKind.SPAM, ["poker"]) == 1
    reply(app, client, comment="three poker")
    assert [c.status for c in stored(app)] == [Status.PENDING, Status.SPAM, Status.PENDING]


def test_a_phrase_is_stored_once_and_counts_what_it_found(app, client, site_of):
    assert site_of(PhraseKind.HOLD, "poker", "bridge") == 2
    assert site_of(PhraseKind.HOLD, "poker") == 0
    reply(app, client, comment="Poker, poker and bridge")
    reply(app, client, comment="poker again")
    assert hits(app) == {"poker": 2, "bridge": 1}


def test_the_same_form_sent_twice_is_counted_once(app, client, site_of):
    site_of(PhraseKind.HOLD, "poker")
    for _ in range(2):
        reply(app, client, comment="poker", nonce="same")
    assert hits(app) == {"poker": 1}


def test_another_wording_is_asked_for_and_nothing_is_stored(app, client, site_of):
    site_of(PhraseKind.REFUSE, "damn*", "poker")
    answer = reply(app, client, comment="Damned poker, I said")
    assert answer.status_code == 422
    assert "Damned poker, I said</textarea>" in answer.text
    assert "This site takes no comments with “damn, poker”." in answer.text
    assert stored(app) == []
    assert hits(app) == {"damn*": 1, "poker": 1}
    with app.app_context():
        row = database.session().scalars(select(Judgement)).one()
    assert (row.occasion, row.comment_id) == (Occasion.REFUSED, None)
    assert "I said" not in repr(row.reasons)
    assert reply(app, client, comment="Blessed bridge, I said").status_code == 303


def test_a_script_is_told_the_same(app, client, site_of):
    site_of(PhraseKind.REFUSE, "poker")
    answer = reply(app, client, comment="poker", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert "poker" in answer.json["errors"]["comment"][0]
    assert stored(app) == []


@pytest.mark.parametrize("written", ["jane@example.org", "to *jane@example.org*"])
def test_no_address_is_kept_among_them(written):
    with pytest.raises(NotAPhrase):
        phrases.clean(written)


@pytest.mark.parametrize(
    ("key", "phrase"),
    [
        ("viagra", "*viagra*"),
        (" cheap  nike ", "*cheap nike*"),
        ("/link.php?", "*/link.php?*"),
        ("*star*", "*star*"),
    ],
)
def test_a_key_of_wordpress_is_found_inside_words(key, phrase):
    assert phrases.from_wordpress(key) == phrase


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("192.0.2.7", "network"),
        ("192.0.2.", "network"),
        ("2001:db8::/32", "network"),
        ("jane@example.org", "address"),
        ("x", "short"),
        ("ｅr", "spelling"),
        ("іn", "spelling"),
        ("çç", "spelling"),
        ("x" * 300, "long"),
    ],
)
def test_what_is_no_phrase_is_left_out_and_said(key, why):
    found, outcome = phrases.read_lines(f"{key}\n\nfine", is_wordpress=True)
    assert (found, dict(outcome.left_out)) == (["*fine*"], {why: 1})


@pytest.mark.long
def test_the_whole_list_of_wordpress_is_taken(corpora):
    text = (corpora / "wordlists" / "wordpress_disallowed_keys.txt").read_text()
    found, outcome = phrases.read_lines(text, is_wordpress=True)
    assert len(found) + outcome.left_out.total() == len(set(text.split("\n"))) - 1
    assert len(found) > 64_000
    finder = Phrases(found)
    assert finder.find("Cheap viagra here")
    assert finder.find("The council meets again on Monday to talk of the bridge.") is None


def test_a_process_keeps_what_it_compiled_and_not_all_of_it(app, daily, site_of, monkeypatch):
    site_of(PhraseKind.HOLD, "poker")
    weekly_id = add_site(app, "weekly", "https://weekly.example")
    with app.app_context():
        session = database.session()
        site = session.get_one(Site, daily)
        first = phrases.finders(session, site)
        assert phrases.finders(session, site) is first
        monkeypatch.setattr(phrases, "MOST_KEPT", 1)
        weekly = session.get_one(Site, weekly_id)
        phrases.finders(session, weekly)
        assert phrases.finders(session, site) is not first


def test_an_edit_is_asked_for_other_words_too(app, client, site_of):
    receipt = reply(app, client, headers={"Accept": "application/json"}).json["receipt"]
    site_of(PhraseKind.REFUSE, "poker")
    page = client.get(receipt).text
    form = re.search(r"<form[^>]*/edit.*?</form>", page, re.S)[0]
    inputs = [re.search(rf'name="{name}"[^>]*value="([^"]*)"', form) for name in NAMES]
    fields = dict(zip(NAMES, (found[1] for found in inputs), strict=True))
    answer = client.post(f"{receipt}/edit", data=fields | {"comment": "Now it says poker."})
    assert answer.status_code == 422
    assert "Now it says poker.</textarea>" in answer.text
    assert "takes no comments with “poker”" in answer.text
    assert stored(app)[0].text == "Hear, hear."
    assert hits(app) == {"poker": 1}
    with app.app_context():
        rows = database.session().scalars(select(Judgement).order_by(Judgement.id))
        assert [row.occasion for row in rows] == [Occasion.POSTED, Occasion.REFUSED]


def test_a_part_of_a_phrase_is_sought_as_it_is_written(app, daily, site_of):
    site_of(PhraseKind.HOLD, "100%", "Poker", "1000 poker chips")
    with app.app_context():
        found = phrases.page(database.session(), daily, PhraseKind.HOLD, 9, "100%")
        assert [row.phrase for row in found] == ["100%"]
        found = phrases.page(database.session(), daily, PhraseKind.HOLD, 9, "poker")
        assert [row.phrase for row in found] == ["1000 poker chips", "Poker"]


@pytest.mark.parametrize("by_hits", [False, True])
def test_page_by_page_each_is_shown_once(app, client, daily, site_of, by_hits):
    words = [f"word{number}" for number in range(7)]
    site_of(PhraseKind.HOLD, *words)
    reply(app, client, comment="word3 and word5")
    reply(app, client, comment="word5")
    seen, after = [], None
    with app.app_context():
        while True:
            asked = (database.session(), daily, PhraseKind.HOLD, 2)
            rows = phrases.page(*asked, after=after, by_hits=by_hits)
            seen += [row.phrase for row in rows]
            if len(rows) < 2:
                break
            after = rows[-1].hits, rows[-1].phrase
    first = ["word5", "word3"] if by_hits else []
    assert seen == first + [word for word in words if word not in first]


def test_what_is_put_back_has_its_hits(app, client, daily, site_of):
    site_of(PhraseKind.HOLD, "poker")
    reply(app, client, comment="poker")
    with app.app_context(), database.writing() as session:
        phrases.remove(session, daily, PhraseKind.HOLD, ["poker"])
        phrases.restore(session, daily, PhraseKind.HOLD, "poker", 1)
    assert hits(app) == {"poker": 1}
