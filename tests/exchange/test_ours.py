"""Rejoinder's JSON Lines, read: whoever wrote them."""

import io
import json

import pytest

from service.exchange import ours
from service.exchange.record import Addresses, Past, Troubles, Unreadable
from service.status import Kind, Markup, Status

LINE = {
    "id": "abcdefghijkm",
    "source_id": None,
    "parent": None,
    "source_parent": None,
    "article": "https://daily.example/review",
    "title": "A review",
    "author": "Rita",
    "website": "",
    "kind": "comment",
    "status": "approved",
    "created_at": "2020-01-02T03:04:05Z",
    "text": "Hear, hear.",
    "html": "<p>Hear, hear.</p>",
}
DECISION = {
    "at": "2020-01-03T00:00:00Z",
    "by": "Mo",
    "act": "decided",
    "from": "pending",
    "to": "approved",
    "version": 2,
    "note": "",
    "public_text": "",
}


def line(**fields):
    return json.dumps(LINE | fields)


def read(*lines):
    troubles = Troubles()
    content = lines[0] if isinstance(lines[0], bytes) else "\n".join(lines).encode()
    records = list(ours.read(io.BytesIO(content), Addresses(), troubles))
    return records, "\n".join(troubles.lines())


def test_the_keys_of_the_contract_are_enough():
    (found,), troubles = read("", line(), "")
    assert not troubles
    assert (found.source_id, found.public_id, found.past) == ("abcdefghijkm", "abcdefghijkm", None)
    assert (found.state, found.kind, found.markup) == (
        Status.APPROVED,
        Kind.COMMENT,
        Markup.MARKDOWN,
    )


def test_what_was_imported_before_is_html_and_knows_its_origin():
    (found,), _ = read(line(source_id="12", source_parent="7"))
    assert found.markup == Markup.HTML
    assert found.past == Past(origin={"source": None, "id": "12", "parent": "7"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"id": "1"', "line 1 is not well-formed JSON"),
        (line() + "\n[]", "line 2 is no object"),
        (line() + "\n\n" + line(status=None), "line 3 has no text under 'status'"),
        ("[" * 100_000, "line 1 is not well-formed JSON"),
        (b'{"id": "\xff"}', "line 1 is not UTF-8"),
        (b"{" + b" " * ours.LONGEST + b"}", "line 1 is longer than 16 MB"),
    ],
    ids=["cut", "list", "missing", "deep", "latin", "long"],
)
def test_what_is_no_export_is_one_line(content, words):
    with pytest.raises(Unreadable, match=words):
        read(content)


def test_nobody_from_elsewhere_speaks_for_the_site_and_no_html_is_taken_over():
    revision = {"text": "*x*", "html": "<script>", "replaced_at": "2020-01-03T00:00:00Z"}
    (found,), troubles = read(line(mark="staff", html="<script>", revisions=[revision]))
    assert "the staff's there: not here" in troubles
    assert found.past.revisions[0]["html"] == "<p><em>x</em></p>"
    assert not any("script" in str(part) for part in (found, *found.past.revisions))


@pytest.mark.parametrize(
    "broken",
    [
        {"act": "crowned"},
        {"to": "published"},
        {"at": "yesterday"},
        {"undoes": "x"},
    ],
)
def test_a_decision_that_cannot_be_read_is_told_of(broken):
    (found,), troubles = read(line(decisions=[DECISION | broken, DECISION, "x"]))
    assert found.past.decisions == (DECISION,)
    assert "2 × one of its decisions cannot be read" in troubles


def test_no_address_comes_along_in_history():
    decision = DECISION | {"by": "mo@daily.example", "note": "ask rita@example.org"}
    reason = {"rule": "names", "matched": "rita@example.org"}
    (found,), _ = read(line(decisions=[decision], reasons=[reason], email="rita@example.org"))
    assert "@example.org" not in repr((found.past.decisions, found.past.reasons, found))
    assert "@daily" not in repr(found.past.decisions)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "loved"}, "unknown status: taken as pending"),
        ({"kind": "song"}, "unknown kind: taken as comment"),
        ({"article": "no address"}, "article without an address: left out"),
        ({"created_at": "2020-99-01"}, "no date at all"),
        ({"edited_at": "soon"}, "edited_at is no date: left out"),
        ({"colour": "red"}, "keys that are none of ours: left out"),
        ({"waiting_edit": {"text": "x", "at": "y"}}, "an edit that waited"),
        ({"waiting_edit": "x"}, "an edit that waited"),
        (
            {"waiting_edit": {"text": "x", "at": "2020-01-01"}, "status": "spam"},
            "an edit that waited",
        ),
        ({"article_aliases": ["x"]}, "a former address of the article that is none"),
        ({"reasons": [{}] * 1_001}, "reasons are no list of at most 1,000"),
        ({"id": ""}, "comment without an id"),
    ],
)
def test_nothing_is_changed_silently(fields, words):
    assert words in read(line(**fields))[1]


def test_an_id_may_be_a_number_and_what_is_null_is_not_there():
    bare = dict.fromkeys(("title", "website", "kind", "html", "markup", "likes", "reasons"))
    (first, second), troubles = read(line(id=1, **bare), line(id=2, parent=1))
    assert (first.source_id, second.source_id, second.source_parent) == ("1", "2", "1")
    assert not troubles


def test_values_of_any_type_are_met_with_calm():
    wild = [None, 1, -1, 1e999, True, [], {}, "\ud800", "x" * 300, [[]], [{"a": {}}], ["x"]]
    fields = set(ours.KNOWN) - set(ours.NEEDED)
    content = [line(id=f"n{n}", **{f: v}) for n, v in enumerate(wild) for f in fields - {"id"}]
    for found in read(*content)[0]:
        assert 0 <= found.likes <= 2**31
        assert len(found.language) <= 20
        repr(found).encode()


def test_only_names_of_our_own_form_are_kept():
    (found,), _ = read(line(id="17"))
    assert (found.source_id, found.public_id) == ("17", "")
