import io
import re
from collections.abc import Callable

import pytest
from cast import add_moderator, add_site, csrf, on_record, reply, sign_in
from sqlalchemy import select

from service import database
from service.models import Phrase, Site
from service.screening import phrases as lists
from service.status import PhraseKind, Role
from service.views import phrases as room

HOLD = "/desk/sites/daily/phrases/hold"


@pytest.fixture
def pia(app, daily):
    """Pia, who publishes The Daily, signed in."""
    moderator = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), moderator)


@pytest.fixture
def send(pia) -> Callable:
    """Pia sends a form of the page, and sees what comes of it."""

    def send(path="", follow_redirects=True, **fields):
        token = csrf(pia.get(HOLD).text)
        data = {"csrf_token": token, **fields}
        return pia.post(f"{HOLD}{path}", data=data, follow_redirects=follow_redirects)

    return send


def kept(app):
    with app.app_context():
        rows = database.session().execute(select(Phrase.phrase, Phrase.hits))
        return {row.phrase: row.hits for row in rows}


def version(app):
    with app.app_context():
        return database.session().scalars(select(Site.screening_version)).one()


def notice(page):
    return re.search(r'class="done" role="status"[^>]*>(.*?)</(?:p|div)>', page.text, re.S)[1]


def test_lines_are_added_and_each_is_told(app, send):
    before = version(app)
    page = send(written="poker\r\nbuy now\r\n\r\n")
    assert notice(page) == "Added: “poker”, “buy now”."
    assert kept(app) == {"poker": 0, "buy now": 0}
    assert version(app) > before
    assert notice(send(written="poker\nbridge")) == "Added: “bridge”. In the list already: “poker”."


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("*a*", "so short that it would be found everywhere"),
        ("jane@example.org", "has an email address in it"),
        ("x" * 201, "is longer than 200 characters"),
        ("***", "has no letter or sign to look for"),
    ],
)
def test_what_is_no_phrase_stays_in_the_field_with_its_why(app, send, line, why):
    page = send(written=f"poker\n{line}")
    assert page.status_code == 422
    assert notice(page) == "Added: “poker”."
    error = re.search(r'id="written-error">(.*?)</p>', page.text, re.S)[1]
    assert why in error
    assert line[:50] in error
    assert re.search(r"<textarea[^>]*>\r?\n?(.*?)</textarea>", page.text, re.S)[1].strip() == line
    assert kept(app) == {"poker": 0}


def test_of_very_many_lines_some_are_named(app, send):
    page = send(written="\n".join(f"word{number}" for number in range(100)))
    assert "and 95 more" in notice(page)
    page = send(written="\n".join("*a*" for _ in range(100)))
    assert "and 95 more" in page.text


@pytest.mark.parametrize(("path", "field"), [("", "written"), ("/import", "file")])
def test_nothing_is_not_added(send, path, field):
    page = send(path, written=" \n")
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text


def test_it_is_on_record_and_names_none_of_the_words(app, send):
    send(written="poker")
    event = on_record(app)[-1]
    assert (event.what, event.about) == ("phrases_changed", "1 of hold added")
    assert event.by == "pia"


def test_one_is_removed_and_put_back_with_its_hits(app, client, send):
    send(written="poker")
    reply(app, client, comment="Poker night")
    with app.app_context():
        [row] = database.session().scalars(select(Phrase)).all()
    page = send("/remove", phrase=row.id)
    assert kept(app) == {}
    assert "<bdi>poker</bdi>" in notice(page)
    sealed = re.search(r'name="removed" value="([^"]+)"', page.text)[1]
    assert send("/restore", removed=f"{sealed}x").status_code == 400
    assert kept(app) == {}
    page = send("/restore", removed=sealed)
    assert notice(page) == "“poker” is in the list again."
    assert kept(app) == {"poker": 1}
    assert "found in 1 reply" in page.text
    assert [e.about for e in on_record(app)][-2:] == ["1 of hold removed", "1 of hold added"]


def test_who_removes_one_of_those_sought_comes_back_to_them(app, pia, send):
    send(written="poker one\npoker two\nbridge")
    page = pia.get(f"{HOLD}?q=poker").text
    action = re.search(r'action="([^"]+/remove[^"]*)"', page)[1].replace("&amp;", "&")
    number = re.search(r'name="phrase" value="(\d+)"', page)[1]
    answer = send(action.removeprefix(HOLD), follow_redirects=False, phrase=number)
    assert "q=poker" in answer.location
    page = pia.get(answer.location).text
    assert re.findall(r'class="phrase"[^>]*>(.*?)<', page) == ["poker two"]
    assert "q=poker" in re.search(r'action="([^"]+/restore[^"]*)"', page)[1]


@pytest.mark.parametrize("number", ["", "x", "-1", str(10**30)])
def test_a_number_that_no_phrase_has_is_refused(send, number):
    assert send("/remove", phrase=number).status_code == 400


def test_what_a_colleague_removed_is_told(app, send):
    assert "a colleague removed it" in send("/remove", phrase=4711).text


def test_a_phrase_of_another_site_or_kind_is_out_of_reach(app, send):
    weekly = add_site(app, "weekly", "https://weekly.example")
    with app.app_context(), database.writing() as session:
        lists.add(session, weekly, PhraseKind.HOLD, ["theirs"])
        ids = session.scalars(select(Phrase.id)).all()
    assert send("/remove", phrase=ids[0]).status_code == 404
    assert kept(app) == {"theirs": 0}


def test_who_does_not_publish_the_site_is_refused(app, mo, pia):
    add_site(app, "weekly", "https://weekly.example")
    assert mo.get(HOLD).status_code == 403
    assert pia.get(HOLD.replace("daily", "weekly")).status_code == 403
    assert app.test_client().get(HOLD).status_code == 302
    assert pia.get(HOLD.replace("hold", "love")).status_code == 404


def test_each_kind_says_what_it_does_and_holds_its_own(pia, send):
    send(written="poker")
    page = pia.get(HOLD.replace("hold", "refuse")).text
    assert "asked to say it in other words, and keeps their text" in page
    assert "poker" not in page
    assert "waits for a moderator" in pia.get(HOLD).text


def test_a_long_list_has_pages_and_a_search(pia, send):
    assert 'type="search"' not in pia.get(HOLD).text
    send(written="\n".join(f"word{number:03}" for number in range(120)))
    seen, url = [], HOLD
    while url:
        page = pia.get(url).text
        seen += re.findall(r'class="phrase"[^>]*>(.*?)<', page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        url = found and found[1].replace("&amp;", "&")
    assert seen == [f"word{number:03}" for number in range(120)]
    page = pia.get(f"{HOLD}?q=d11").text
    assert re.findall(r'class="phrase"[^>]*>(.*?)<', page) == [f"word11{n}" for n in range(10)]
    assert "None of them has “zebra” in it." in pia.get(f"{HOLD}?q=zebra").text


def test_those_found_most_come_first_if_asked(app, client, pia, send):
    send(written="alpha\nbeta")
    reply(app, client, comment="beta")
    page = pia.get(f"{HOLD}?sort=hits").text
    assert re.findall(r'class="phrase"[^>]*>(.*?)<', page) == ["beta", "alpha"]


@pytest.mark.parametrize(
    "query",
    [
        "after=%00",
        "hits=x&after=a&sort=hits",
        f"hits={10**30}&after=a&sort=hits",
        f"hits=-{10**30}&after=a&sort=hits",
        "said=x&removed=y",
    ],
)
def test_an_odd_address_breaks_nothing(pia, query):
    assert pia.get(f"{HOLD}?{query}").status_code in (200, 400)


def test_keys_of_wordpress_are_taken_from_a_file_or_pasted(app, send):
    file = io.BytesIO("\ufeffviagra\n192.0.2.7\nx\n".encode())
    page = send("/import", file=(file, "keys.txt"), keys="poker\r\nviagra")
    assert kept(app) == {"*viagra*": 0, "*poker*": 0}
    assert notice(page) == "2 added, 0 in the list already. Left out: 1 IP addresses, 1 too short."
    assert notice(send("/import", keys="poker")) == "0 added, 1 in the list already."


def test_a_file_that_is_no_text_is_told(app, send):
    page = send("/import", file=(io.BytesIO(b"\xff\xfe\x00a"), "keys.txt"))
    assert page.status_code == 422
    assert "cannot be read as text" in page.text


def test_more_than_a_site_may_have_is_told_beside_the_field(app, send, monkeypatch):
    monkeypatch.setattr(lists, "MOST", 2)
    for page in (send(written="a1\nb2\nc3"), send("/import", keys="aa\nbb\ncc")):
        assert page.status_code == 422
        assert "A site has at most 2 phrases. Nothing was added." in page.text
    assert "c3</textarea>" in send(written="a1\nb2\nc3").text
    assert kept(app) == {}


@pytest.mark.parametrize("is_file", [True, False])
def test_a_list_may_be_larger_than_what_other_doors_take(app, send, is_file):
    text = "\n".join(f"{'x' * 150}{number}" for number in range(6_000))
    assert len(text) > app.config["MAX_CONTENT_LENGTH"]
    assert send(written=text).status_code == 413
    brought = {"file": (io.BytesIO(text.encode()), "keys.txt")} if is_file else {"keys": text}
    assert notice(send("/import", **brought)) == "6,000 added, 0 in the list already."
    assert len(kept(app)) == 6_000


def test_beyond_its_own_limit_it_says_how_large_a_list_may_be(app, send):
    page = send("/import", file=(io.BytesIO(b"x" * room.LARGEST_LIST), "keys.txt"))
    assert page.status_code == 413
    assert "A list has at most 2 MB." in page.text


def test_the_larger_limit_is_for_who_is_signed_in(app, daily):
    answer = app.test_client().post(f"{HOLD}/import", data={"keys": "x" * 1_000_000})
    assert answer.status_code == 413


@pytest.mark.long
def test_the_long_list_of_wordpress_goes_in_by_short_transactions(app, send, corpora, monkeypatch):
    taken, plain = [], lists.add
    monkeypatch.setattr(lists, "add", lambda *told: taken.append(len(told[3])) or plain(*told))
    file = (corpora / "wordlists" / "wordpress_disallowed_keys.txt").open("rb")
    page = send("/import", file=(file, "keys.txt"))
    assert page.status_code == 200
    assert len(kept(app)) == sum(taken) > 64_000
    assert max(taken) <= lists.BATCH


def test_the_pages_lead_to_each_other(pia):
    assert HOLD in pia.get("/desk/sites/").text
    assert HOLD in pia.get("/desk/sites/daily/rules").text


def test_a_list_that_is_known_is_brought_again_however_full_it_is(app, send, monkeypatch):
    send("/import", keys="poker\ncasino")
    monkeypatch.setattr(lists, "MOST", 2)
    assert notice(send("/import", keys="poker\ncasino")) == "0 added, 2 in the list already."
