"""Commento's and Comentario's exports: both versions, every state, and what is refused."""

import gzip
import io
import json
from datetime import UTC, datetime

import pytest

from service.exchange.formats import READERS
from service.exchange.record import Addresses, Troubles, Unreadable
from service.status import Markup, Status

NOBODY = "00000000-0000-0000-0000-000000000000"
FIRST = {
    "commentHex": "c1",
    "domain": "daily.example",
    "url": "/review",
    "commenterHex": "a1",
    "markdown": "Hear, *hear*.",
    "html": "",
    "parentHex": "root",
    "score": 3,
    "state": "approved",
    "creationDate": "2020-01-02T03:04:05.5Z",
    "deleted": False,
}
RITA = {
    "commenterHex": "a1",
    "email": "rita@example.org",
    "name": "Rita",
    "link": "https://rita.example",
    "photo": "https://gravatar.example/avatar/8f27",
}
PAGE = {"id": "p1", "path": "/review", "title": "A review", "isReadonly": True}
THIRD = {
    "id": "c1",
    "parentId": "c0",
    "pageId": "p1",
    "markdown": "Hear, *hear*.",
    "html": "<p>Hear.</p>",
    "score": -1,
    "isSticky": True,
    "isApproved": True,
    "isPending": False,
    "isDeleted": False,
    "createdTime": "2020-01-02T03:04:05.000Z",
    "editedTime": "2020-01-03T00:00:00.000Z",
    "userCreated": "u1",
    "url": "https://daily.example/review#comentario-c1",
}
USER = {"id": "u1", "email": "rita@example.org", "name": "Rita", "websiteUrl": "https://r.example"}


def read(exported, base=""):
    content = exported if isinstance(exported, bytes) else json.dumps(exported).encode()
    troubles = Troubles()
    found = READERS["commento"].read(io.BytesIO(content), Addresses(base=base), troubles)
    return list(found), " ".join(troubles.lines())


def first(**fields):
    exported = {"version": 1, "comments": [FIRST | fields], "commenters": [RITA, RITA]}
    (found,), said = read(exported, fields.get("base", ""))
    return found, said


def third(**fields):
    exported = {"version": 3, "pages": [PAGE], "comments": [THIRD | fields], "commenters": [USER]}
    (found,), said = read(exported, "https://www.daily.example")
    return found, said


def test_every_field_of_commento_comes_in():
    found, said = first(parentHex="c0")
    assert found.article_url == "https://daily.example/review"
    assert (found.source_id, found.source_parent, found.author) == ("c1", "c0", "Rita")
    assert (found.email, found.website) == ("rita@example.org", "https://rita.example")
    assert (found.text, found.markup) == ("Hear, *hear*.", Markup.MARKDOWN)
    assert found.created_at == datetime(2020, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)
    assert (found.state, found.likes, said) == (Status.APPROVED, 3, "")
    assert "rita@" not in repr(found)


def test_every_field_of_comentario_comes_in():
    found, said = third()
    assert (found.article_url, found.article_title) == ("https://daily.example/review", "A review")
    assert (found.source_id, found.source_parent, found.author) == ("c1", "c0", "Rita")
    assert (found.email, found.website) == ("rita@example.org", "https://r.example")
    assert (found.text, found.markup) == ("Hear, *hear*.", Markup.MARKDOWN)
    assert found.created_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.edited_at == datetime(2020, 1, 3, tzinfo=UTC)
    assert (found.state, found.likes, found.is_pinned) == (Status.APPROVED, 0, True)
    assert (found.article_is_closed, said) == (True, "")


@pytest.mark.parametrize(
    ("fields", "state", "trouble"),
    [
        ({"state": "approved"}, Status.APPROVED, ""),
        ({"state": "unapproved"}, Status.PENDING, ""),
        ({"state": "flagged"}, Status.SPAM, ""),
        ({"deleted": True}, Status.DELETED, ""),
        ({"markdown": "[deleted]"}, Status.DELETED, ""),
        ({"state": "unheard-of"}, Status.PENDING, "unknown state"),
    ],
)
def test_a_state_of_commento_is_kept_as_it_was(fields, state, trouble):
    found, said = first(**fields)
    assert (found.state, trouble in said) == (state, True)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, Status.APPROVED),
        ({"isPending": True, "isApproved": False}, Status.PENDING),
        ({"isDeleted": True}, Status.DELETED),
        ({"isApproved": False}, Status.REJECTED),
    ],
)
def test_a_state_of_comentario_is_kept_as_it_was(fields, state):
    assert third(**fields)[0].state == state


def test_one_who_gave_no_name_is_anonymous():
    assert first(commenterHex="anonymous")[0].author == "Anonymous"
    assert first(commenterHex="anonymous")[1] == ""
    assert third(userCreated=NOBODY, authorName="Sam")[0].author == "Sam"
    found, said = first(commenterHex="gone")
    assert (found.author, "not in the file" in said) == ("Anonymous", True)


@pytest.mark.parametrize(
    ("fields", "base", "url"),
    [
        ({}, "", "https://daily.example/review"),
        ({}, "http://daily.example", "http://daily.example/review"),
        ({"domain": ""}, "https://www.daily.example", "https://www.daily.example/review"),
        ({"url": "", "path": "other", "host": "h.example"}, "", "https://h.example/other"),
        ({"url": ""}, "", "https://daily.example/"),
        (
            {"url": "/go?to=https://h.example/"},
            "",
            "https://daily.example/go?to=https://h.example/",
        ),
        ({"url": "http://h.example/x"}, "", "http://h.example/x"),
        ({"domain": "http://h.example/"}, "", "http://h.example/review"),
    ],
)
def test_a_path_is_laid_on_its_host_or_the_sites_origin(fields, base, url):
    exported = {"version": 1, "comments": [FIRST | fields], "commenters": [RITA]}
    assert read(exported, base)[0][0].article_url == url


def test_a_page_is_found_by_its_path_where_there_is_no_address():
    assert third(url="")[0].article_url == "https://www.daily.example/review"


def test_comments_of_no_page_are_counted():
    exported = {"version": 3, "pages": [], "comments": [THIRD | {"url": ""}], "commenters": []}
    records, said = read(exported, "https://daily.example")
    assert (records, "left out (id c1)" in said) == ([], True)


def test_what_was_made_of_a_text_stands_in_for_it():
    found, _ = third(markdown="")
    assert (found.text, found.markup) == ("<p>Hear.</p>", Markup.HTML)


def test_the_word_for_nothing_is_nobodys_address():
    exported = {"version": 1, "comments": [FIRST], "commenters": [RITA | {"link": "undefined"}]}
    (found,), said = read(exported)
    assert (found.website, said) == ("", "")


def test_an_articles_comments_come_together_and_packed():
    places = ["/a", "/b", "/a", "/b", "/a"]
    comments = [FIRST | {"commentHex": str(n), "url": url} for n, url in enumerate(places)]
    exported = {"version": 1, "comments": comments, "commenters": [RITA]}
    records, _ = read(gzip.compress(json.dumps(exported).encode()))
    assert [r.source_id for r in records] == ["0", "2", "4", "1", "3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"version": 2, "comments": []}', "version is 2"),
        (b'{"version": 1, "comments": [{"commentHex": ', "ends too early"),
        (b'{"comments": [1]}', "comments are none"),
        (b'{"comments": [[]]}', "comments are none"),
        (b'["x"]', "no JSON object"),
        (b"{}", "nothing of one"),
        (b"<html>", "JSON"),
        (json.dumps({"comments": []}).encode("utf-16"), "UTF-16"),
    ],
)
def test_a_broken_or_hostile_file_is_refused_in_one_line(content, said):
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("written", ["root", NOBODY, "0" * 64, "", None])
def test_a_parent_that_is_nobody_is_none(written):
    assert first(parentHex=written)[0].source_parent is None
    assert third(parentId=written)[0].source_parent is None


def test_a_version_may_be_spelt_as_a_text():
    assert len(read({"version": "1", "comments": [FIRST], "commenters": [RITA]})[0]) == 1


def test_odd_values_are_none_and_stop_nothing():
    odd = {"markdown": ["x"], "score": "many", "creationDate": 7, "parentHex": None}
    found, said = first(**odd, html="<p>x</p>")
    assert (found.text, found.likes, found.source_parent) == ("<p>x</p>", 0, None)
    assert "1970" in said


def test_the_real_export_agrees_with_another_reading(corpora):
    content = (corpora / "commento" / "commento.json").read_bytes()
    exported = json.loads(content)
    names = {c["commenterHex"]: c["name"] for c in exported["commenters"]}
    found = {r.source_id: r for r in read(content)[0]}
    assert found.keys() == {c["commentHex"] for c in exported["comments"]}
    for row in exported["comments"]:
        ours = found[row["commentHex"]]
        assert ours.author == names.get(row["commenterHex"], "Anonymous")
        assert (ours.source_parent or "root") == row["parentHex"]
        assert ours.created_at == datetime.fromisoformat(row["creationDate"])
        assert (ours.state, ours.text) == (row["state"], row["markdown"])
        assert ours.article_url == f"https://{row['domain']}{row['url']}"
