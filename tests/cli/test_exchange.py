"""`flask import wordpress` and `flask export json`, as an operator runs them."""

import json
import xml.etree.ElementTree as ET

import pytest
from cast import add_site, stored

from service.status import Status

STATES = {
    "1": "approved",
    "0": "pending",
    "spam": "spam",
    "trash": "rejected",
    "post-trashed": "rejected",
}
HEAD = """<?xml version="1.0"?>{doctype}
<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><wp:wxr_version>1.2</wp:wxr_version>
<item><title>A review</title><link>https://daily.example/review</link><wp:post_id>1</wp:post_id>"""
TAIL = "</item></channel></rss>"


def comment(number, parent=0, approved="1", said="Hear, hear.", name="Rita", kind=""):
    return f"""<wp:comment><wp:comment_id>{number}</wp:comment_id>
<wp:comment_author><![CDATA[{name}]]></wp:comment_author>
<wp:comment_author_email>rita@example.org</wp:comment_author_email>
<wp:comment_author_url>http://rita.example</wp:comment_author_url>
<wp:comment_date_gmt>2020-01-02 03:04:{number % 60:02}</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{said}]]></wp:comment_content>
<wp:comment_approved>{approved}</wp:comment_approved><wp:comment_type>{kind}</wp:comment_type>
<wp:comment_parent>{parent}</wp:comment_parent></wp:comment>"""


@pytest.fixture
def flask(app):
    add_site(app)

    def run(*words):
        return app.test_cli_runner().invoke(args=list(words))

    return run


@pytest.fixture
def bring(flask, tmp_path):
    """Imports comments written into a file; more words go to the command."""

    def bring(*comments, doctype="", words=(), tail=TAIL):
        file = tmp_path / "export.xml"
        file.write_text(HEAD.format(doctype=doctype) + "".join(comments) + tail)
        return flask("import", "wordpress", str(file), "--site", "daily", *words)

    return bring


def by_id(app):
    return {c.source_id: c for c in stored(app)}


@pytest.mark.parametrize("code", STATES)
def test_every_state_is_kept(app, bring, code):
    assert bring(comment(1, approved=code)).exit_code == 0
    assert stored(app)[0].status == STATES[code]


def test_a_state_that_nobody_knows_is_never_published(app, bring):
    bring(comment(1, approved="whatever"), comment(2))
    assert by_id(app)["1"].status != Status.APPROVED


def test_html_goes_through_the_sanitisers_and_pingbacks_are_told_apart(app, bring):
    bring(comment(1, said="<b>Hi</b><script>alert(1)</script>"), comment(2, kind="pingback"))
    assert "<b>Hi</b>" in by_id(app)["1"].html
    assert "alert" not in by_id(app)["1"].html
    assert [by_id(app)[n].kind for n in "12"] == ["comment", "pingback"]


def test_running_it_twice_doubles_nothing(app, bring):
    bring(comment(1), comment(2, parent=1))
    assert bring(comment(1), comment(2, parent=1)).exit_code == 0
    bring(comment(1), comment(2, parent=1), comment(3, parent=2))
    one, two, three = stored(app)
    assert (two.parent_id, three.parent_id, three.root_id) == (one.id, two.id, one.id)


@pytest.mark.parametrize(
    "odd",
    [
        [comment(1, parent=1)],
        [comment(1, parent=99)],
        [comment(1, parent=2), comment(2, parent=1)],
        [comment(1, parent=3), comment(2, parent=1), comment(3, parent=2)],
    ],
)
def test_odd_parents_are_counted_and_no_comment_is_lost(app, bring, odd):
    done = bring(*odd)
    assert done.exit_code == 0
    assert "top level" in done.output
    assert len(stored(app)) == len(odd)


def test_nesting_of_any_depth_is_imported(app, bring):
    assert bring(*(comment(n, parent=n - 1) for n in range(1, 1_501))).exit_code == 0
    assert len(stored(app)) == 1_500


BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "hostile",
    [
        {"doctype": BOMB},
        {"tail": ""},
        {"tail": "</wrong>"},
    ],
)
def test_what_cannot_be_read_is_one_line_and_writes_nothing(app, bring, hostile):
    refused = bring(comment(1), **hostile)
    assert refused.exit_code == 1
    assert "cannot be imported" in refused.output
    assert stored(app) == []


def test_a_file_without_comments_is_no_success(bring):
    assert bring().exit_code == 1


def test_a_rehearsal_writes_nothing(app, bring):
    assert bring(comment(1), words=["--dry-run"]).exit_code == 0
    assert stored(app) == []


def test_addresses_are_mapped_and_the_thread_stands_under_them(app, bring):
    bring(comment(1), words=["--map", "https://daily.example=https://daily.example/old"])
    asked = {"url": "https://daily.example/old/review"}
    assert "Hear, hear." in app.test_client().get("/embed/daily", query_string=asked).text


def test_an_import_is_undone_whole_and_can_be_run_again(app, flask, bring):
    bring(comment(1), comment(2, parent=1))
    assert flask("import", "undo", "1").exit_code == 0
    assert stored(app) == []
    bring(comment(1), comment(2, parent=1))
    assert len(stored(app)) == 2


def test_the_export_holds_addresses_only_if_asked(app, flask, bring):
    bring(comment(1), comment(2, parent=1, approved="0"))
    printed = flask("export", "json", "-", "--site", "daily").stdout
    rows = [json.loads(line) for line in printed.splitlines()]
    assert "rita@example.org" not in printed
    assert list(rows[0])[:4] == ["id", "source_id", "parent", "source_parent"]
    assert not {"email", "network"} & rows[0].keys()
    assert rows[1]["parent"] == rows[0]["id"]
    assert [row["status"] for row in rows] == ["approved", "pending"]
    whole = flask("export", "json", "-", "--site", "daily", "--with-emails").stdout
    assert json.loads(whole.splitlines()[0])["email"] == "rita@example.org"


def test_a_file_that_is_named_by_an_address_is_not_called_so(flask, tmp_path):
    file = tmp_path / "rita@example.org.csv"
    file.write_text("article,author,text\nhttps://daily.example/a,Rita,Hear\n")
    assert flask("import", "csv", str(file), "--site", "daily").exit_code == 0
    assert "rita@" not in flask("import", "list").output


def test_real_exports_come_in_row_by_row(app, flask, corpora):
    """Corpus, against a reading of the same files that shares no code with ours."""
    for file in sorted((corpora / "wxr").glob("*.xml")):
        before = {c.id for c in stored(app)}
        assert flask("import", "wordpress", str(file), "--site", "daily").exit_code == 0, file.name
        brought = {c.source_id: c for c in stored(app) if c.id not in before}
        wanted = [e for e in ET.parse(file).iter() if e.tag.endswith("}comment")]
        read = [{e.tag.rpartition("}")[2]: (e.text or "").strip() for e in each} for each in wanted]
        if len({row["comment_id"] for row in read}) != len(read) or len(brought) != len(read):
            continue  # shares comments with a file before it
        for row in read:
            ours = brought[row["comment_id"]]
            assert ours.status == STATES[row["comment_approved"]]
            assert f"{ours.created_at:%Y-%m-%d %H:%M:%S}" == row["comment_date_gmt"]
            assert (ours.source_parent or "0") == (row["comment_parent"] or "0")
    assert len(stored(app)) >= 60


def test_files_that_are_not_well_formed_give_one_line(app, flask, corpora):
    for file in (corpora / "wxr" / "malformed").iterdir():
        refused = flask("import", "wordpress", str(file), "--site", "daily")
        assert refused.exit_code == 1
        assert "line" in refused.output
    assert stored(app) == []
