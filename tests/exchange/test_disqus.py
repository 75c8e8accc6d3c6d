"""Disqus exports: threads and posts, every state, and what is refused."""

import gzip
import io
import random
import tracemalloc
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from service.exchange.formats import READERS
from service.exchange.record import Addresses, Troubles, Unreadable
from service.status import Markup, Status

HEAD = '<?xml version="1.0"?><disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/i">'
CATEGORY = '<category dsq:id="1"><forum>daily</forum><title>General</title></category>'
NAMES = ("Rita", "Sam O&#39;Neill", "Zoë", "  Two   Words ")


def thread(id="2", link="https://daily.example/review", title="A review", more="", name="t"):
    return (
        f'<thread dsq:id="{id}"><id>{name}</id><forum>daily</forum><category dsq:id="1"/>'
        f"<link>{link}</link><title>{title}</title><message/><createdAt>2019-12-31T00:00:00Z"
        f"</createdAt><author><name>Editor</name></author>{more}</thread>"
    )


def post(id="4", parent="", of="2", name="Rita", at="2020-01-02T03:04:05Z", text="Hear.", more=""):
    above = f'<parent dsq:id="{parent}"/>' if parent else ""
    return (
        f'<post dsq:id="{id}"><id>wp_id=7</id><message>\n  <![CDATA[{text}]]>\n</message>'
        f"<createdAt>{at}</createdAt>{more}<author><email>rita@example.org</email>"
        f"<name>{name}</name><isAnonymous>true</isAnonymous><username>rita9</username></author>"
        f'<ipAddress>192.0.2.1</ipAddress><thread dsq:id="{of}"/>{above}</post>'
    )


def export(*parts):
    return (HEAD + CATEGORY + "".join(parts) + "</disqus>").encode()


def read(content, name="disqus", base=""):
    troubles = Troubles()
    file = content if hasattr(content, "read") else io.BytesIO(content)
    records = list(READERS[name].read(file, Addresses(base=base), troubles))
    return records, " ".join(troubles.lines())


def grown(posts, articles=5, deep=9, seed=1, words=3):
    """The parts of an export of so many posts by date, in threads up to so many replies deep."""
    chance = random.Random(seed)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    depth = {}
    yield (HEAD + CATEGORY).encode()
    for n in range(articles):
        yield thread(f"t{n}", f"https://daily.example/{n}").encode()
    for n in range(posts):
        of = n % articles
        above = n - articles * chance.randint(1, 3)
        is_reply = depth.get(above, deep) < deep and chance.random() < 0.95
        depth[n] = depth[above] + 1 if is_reply else 1
        state = f"<isDeleted>{str(n % 7 == 0).lower()}</isDeleted><isSpam>false</isSpam>"
        at = (start + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ")
        parent = f"p{above}" if is_reply else ""
        said = "<p>lorem ipsum</p>" * words
        yield post(f"p{n}", parent, f"t{of}", NAMES[n % 4], at, said, state).encode()
    yield b"</disqus>"


def test_every_field_comes_in():
    (found,), said = read(export(thread(more="<isClosed>true</isClosed>"), post(parent="3")))
    assert (found.article_url, found.article_title) == ("https://daily.example/review", "A review")
    assert (found.source_id, found.source_parent) == ("4", "3")
    assert (found.author, found.email) == ("Rita", "rita@example.org")
    assert (found.text, found.markup) == ("Hear.", Markup.HTML)
    assert found.created_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (found.state, found.article_is_closed, said) == (Status.APPROVED, True, "")
    assert "rita@" not in repr(found)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ("<isDeleted>false</isDeleted><isSpam>false</isSpam>", Status.APPROVED),
        ("<isDeleted>true</isDeleted><isSpam>false</isSpam>", Status.DELETED),
        ("<isDeleted>true</isDeleted><isSpam>true</isSpam>", Status.DELETED),
        ("<isSpam>true</isSpam>", Status.SPAM),
        ("<isApproved>false</isApproved>", Status.PENDING),
        ("<isApproved>true</isApproved><isFlagged>true</isFlagged>", Status.APPROVED),
        ("<isSpam>perhaps</isSpam>", Status.PENDING),
        ("<isDeleted>1</isDeleted>", Status.DELETED),
        ("<isDeleted>0</isDeleted><isApproved>0</isApproved>", Status.PENDING),
    ],
)
def test_a_state_is_kept_as_it_was(more, state):
    assert read(export(thread(), post(more=more)))[0][0].state == state


@pytest.mark.parametrize(
    ("at", "seen", "trouble"),
    [
        ("2020-01-02T03:04:05", "2020-01-02T03:04:05+00:00", ""),
        ("2020-01-02T03:04:05.25+01:00", "2020-01-02T02:04:05.250000+00:00", ""),
        ("2020-x01", "2019-12-31T00:00:00+00:00", "the article's taken"),
        ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00+00:00", "future"),
    ],
)
def test_a_date_is_exact_or_told_of(at, seen, trouble):
    (found,), said = read(export(thread(), post(at=at)))
    assert found.created_at.isoformat() == seen
    assert trouble in said
    assert bool(trouble) == bool(said)


@pytest.mark.parametrize(
    ("written", "url", "trouble"),
    [
        (thread(link="", name="https://daily.example/x"), "https://daily.example/x", "identifier"),
        (thread(link="", name=""), None, "without an address: left out"),
        (thread(link="/2011/x"), "https://base.example/2011/x", ""),
        (thread(link="", name="7 http://daily.example/?p=7"), "http://daily.example/?p=7", "ident"),
        (thread(link="http://a.example/a b\n/c"), "http://a.example/a%20b/c", ""),
        ('<thread dsq:id="2"><id/></thread>' + thread(), "https://daily.example/review", ""),
        (thread(id="9"), None, "not in the file: left out"),
        (thread(more="<isDeleted>true</isDeleted>"), "https://daily.example/review", "deleted"),
    ],
)
def test_an_article_is_found_or_its_comments_are_counted(written, url, trouble):
    records, said = read(export(written, post()), base="https://base.example")
    assert [r.article_url for r in records] == ([url] if url else [])
    assert trouble in said
    assert bool(trouble) == bool(said)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("  Two   Words ", "Two Words"), ("Sam O&amp;#39;Neill", "Sam O'Neill"), ("", "rita9")],
)
def test_a_name_is_shown_as_disqus_shows_it(name, shown):
    assert read(export(thread(), post(name=name)))[0][0].author == shown


@pytest.mark.parametrize(
    ("title", "shown"),
    [("Tea &amp;amp; &lt;video&gt;", "Tea & <video>"), ("Rita&amp;#8217;s \n  tea", "Rita’s tea")],
)
def test_a_title_is_plain_text(title, shown):
    assert read(export(thread(title=title), post()))[0][0].article_title == shown


def test_a_name_that_is_an_address_is_masked_and_never_told():
    (found,), said = read(export(thread(), post(id="rita@example.org", name="rita@example.org")))
    assert "rita@example.org" not in found.author + said


def test_a_deleted_comment_keeps_its_place_without_a_word():
    gone = post("5", more="<isDeleted>true</isDeleted>", text="", name="").replace("rita9", "")
    records, said = read(export(thread(), gone, post("6", parent="5")))
    assert (records[0].author, records[0].text) == ("Anonymous", "")
    assert (records[1].source_parent, said) == ("5", "")


def test_a_post_without_an_id_has_disquss_other_one():
    assert read(export(thread(), post(id="")))[0][0].source_id == "wp_id=7"


def test_articles_and_parents_are_found_by_identifier_too():
    """As the example in Disqus' own description of the format has them."""
    named = thread(name="1").replace(' dsq:id="2"', "")
    post_1 = (
        post(id="1").replace("wp_id=7", "2").replace('<thread dsq:id="2"/>', "<thread>1</thread>")
    )
    post_2 = post(id="2").replace("wp_id=7", "1").replace("</post>", "<parent>2</parent></post>")
    records, said = read(
        export(named, post_1, post_2.replace('<thread dsq:id="2"/>', "<thread>1</thread>"))
    )
    assert [(r.source_id, r.source_parent) for r in records] == [("1", None), ("2", "1")]
    assert said == ""


def test_a_packed_export_is_read_as_it_comes():
    content = export(thread(), post())
    assert read(gzip.compress(content)) == read(content)
    assert read(gzip.compress(content[:50]) + gzip.compress(content[50:])) == read(content)


BOMB = b'<!DOCTYPE disqus [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><disqus>&b;</disqus>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "document type"),
        (b"<disqus><post>", "ends too early"),
        (b"<html/>", "<html>"),
        (b'<?xml version="1.0" encoding="utf-8"?><disqus>\xe9</disqus>', "line 1"),
        (gzip.compress(export(thread(), post()))[:-20], "cut off"),
        (gzip.compress(export(thread(), post()))[:40] + b"xxxx" * 99, "damaged"),
        (gzip.compress(b"<disqus>" + b" " * 80_000_000), "200 times its size"),
        (b"PK\x03\x04....", "compressed (zip)"),
        (b"", "it is empty"),
        (b"<disqus><a b='" + b"x" * 20_000_000, "does not end"),
        (b"<disqus>" + b"<a>" * 300, "nested more than 200 deep"),
        (b"<disqus><post><message>" + b"x" * 20_000_000, "longer than"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_broken_or_hostile_file_is_refused_in_one_line(content, said):
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_deep_export_by_date_comes_out_an_article_after_the_other():
    content = b"".join(grown(1_145))
    records, said = read(content)
    assert (len(records), said) == (1_145, "")
    assert len([url for url, _ in groupby(records, lambda r: r.article_url)]) == 5
    above = {r.source_id: r.source_parent for r in records}
    assert max(_depth(id, above) for id in above) == 9
    of = {r.source_id: r.article_url for r in records}
    assert all(of[parent] == of[id] for id, parent in above.items() if parent)


def _depth(id, above):
    return 0 if id is None else 1 + _depth(above[id], above)


class Long:
    """An export that is never in memory as a whole."""

    name = ""

    def __init__(self, parts):
        self.parts, self.left = parts, b""

    def read(self, size):
        while len(self.left) < size and (more := next(self.parts, b"")):
            self.left += more
        given, self.left = self.left[:size], self.left[size:]
        return given


def test_it_reads_in_bounded_memory():
    tracemalloc.start()
    file = Long(grown(4_000, words=300))  # 20 MB
    count = sum(1 for _ in READERS["disqus"].read(file, Addresses(), Troubles()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 5_000_000


def test_real_exports_agree_with_another_reading(corpora):
    """Corpus, against a reading of the same files that shares no code with ours."""
    own, total = "{http://disqus.com/disqus-internals}id", 0
    for file in sorted((corpora / "disqus").glob("*.xml")):
        root = ET.parse(file).getroot()
        links = {
            t.get(own): t.findtext("{*}link") for t in root.iterfind("{*}thread") if t.get(own)
        }
        found = {r.source_id: r for r in read(file.read_bytes())[0]}
        for row in root.iterfind("{*}post"):
            id = row.get(own) or row.findtext("{*}id")
            link = links.get(row.find("{*}thread").get(own))
            if not link:
                assert id not in found
                continue
            ours, total = found.pop(id), total + 1
            above = row.find("{*}parent")
            assert ours.source_parent == (None if above is None else above.get(own))
            assert ours.author == row.findtext("{*}author/{*}name").strip()
            assert ours.article_url == link
            at = row.findtext("{*}createdAt")
            assert f"{ours.created_at:%Y-%m-%dT%H:%M:%SZ}" == at or "x" in at
            told = {name: row.findtext(f"{{*}}{name}") for name in ("isDeleted", "isSpam")}
            wanted = "deleted" if told["isDeleted"] == "true" else "approved"
            assert ours.state == {"true": "spam", "false": wanted}.get(told["isSpam"], "pending")
        assert not found
    assert total >= 16
