"""WordPress exports: every field, every date, and every way in which a file can be broken."""

import gzip
import html
import tracemalloc
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest

from service.exchange import record, wordpress
from service.exchange.record import Addresses, Troubles, Unreadable
from service.status import Kind, Status


@pytest.fixture
def one(wxr):
    """The only record of an export with one comment, and what was said of it."""

    def read(article=None, **fields):
        reading = wxr.read(wxr.export(wxr.item(wxr.comment(**fields), **(article or {}))))
        return reading.records[0], " ".join(reading.troubles)

    return read


def test_every_field_comes_in(one):
    found, said = one(parent="3")
    assert (found.article_url, found.article_title) == ("https://daily.example/review", "A review")
    assert (found.source_id, found.source_parent) == ("1", "3")
    assert (found.author, found.email) == ("Rita", "rita@example.org")
    assert (found.website, found.text) == ("http://rita.example", "Hear, hear.")
    assert (found.kind, found.state) == (Kind.COMMENT, Status.APPROVED)
    assert found.created_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert said == ""


def test_an_address_does_not_show_when_a_record_is_printed(one):
    assert "rita@" not in repr(one()[0])


@pytest.mark.parametrize(
    ("fields", "at", "trouble"),
    [
        ({}, "2020-01-02 03:04:05", ""),
        ({"date_gmt": "0000-00-00 00:00:00"}, "2020-01-02 04:04:05", "no date in UTC"),
        ({"date_gmt": None}, "2020-01-02 04:04:05", "no date in UTC"),
        ({"date_gmt": "2020-02-30 00:00:00"}, "2020-01-02 04:04:05", "no date in UTC"),
        ({"date_gmt": "", "date": "0000-00-00 00:00:00"}, "2019-12-31 00:00:00", "the article's"),
        ({"date_gmt": "\n2020-01-02T03:04:05+02:00 "}, "2020-01-02 01:04:05", ""),
        ({"date_gmt": "2999-01-01 00:00:00"}, "2999-01-01 00:00:00", "future"),
        ({"date_gmt": "0001-01-01T00:00:00+23:00"}, "2020-01-02 04:04:05", "no date in UTC"),
    ],
)
def test_a_date_is_the_first_that_is_one(one, fields, at, trouble):
    found, said = one(**fields)
    assert f"{found.created_at:%Y-%m-%d %H:%M:%S}" == at
    assert found.created_at.tzinfo is UTC
    assert trouble in said
    assert bool(trouble) == bool(said)


def test_without_any_date_the_articles_and_then_a_fixed_one_is_taken(one):
    none = {"date": None, "date_gmt": None}
    article = {"wp_post_date_gmt": None, "pubDate": "Tue, 14 Jan 2014 17:31:03 +0100"}
    assert one(article, **none)[0].created_at == datetime(2014, 1, 14, 16, 31, 3, tzinfo=UTC)
    found, said = one({"wp_post_date_gmt": None}, **none)
    assert found.created_at == record.LONG_AGO
    assert "1970" in said


@pytest.mark.parametrize(
    ("kind", "state", "comes_in_as", "trouble"),
    [
        ("comment", "1", (Kind.COMMENT, Status.APPROVED), ""),
        ("Pingback", "1", (Kind.PINGBACK, Status.APPROVED), ""),
        ("trackback", "spam", (Kind.TRACKBACK, Status.SPAM), ""),
        ("review", "1", (Kind.COMMENT, Status.APPROVED), "kept as a comment"),
        ("webmention", "1", (Kind.PINGBACK, Status.APPROVED), "kept as a pingback"),
        ("unheard-of", "1", (Kind.COMMENT, Status.PENDING), "not published"),
        ("unheard-of", "spam", (Kind.COMMENT, Status.SPAM), "not published"),
        ("", "unheard-of", (Kind.COMMENT, Status.PENDING), "unknown state"),
        ("", None, (Kind.COMMENT, Status.PENDING), "unknown state"),
    ],
)
def test_what_is_unknown_is_never_published(one, kind, state, comes_in_as, trouble):
    found, said = one(type=kind, approved=state)
    assert (found.kind, found.state) == comes_in_as
    assert trouble in said
    assert bool(trouble) == bool(said)


@pytest.mark.parametrize("kind", ["order_note", "webhook_delivery", "note"])
def test_a_shops_own_notes_are_left_out_and_counted(wxr, kind):
    reading = wxr.read(wxr.export(wxr.item(wxr.comment(type=kind), wxr.comment(id="2"))))
    assert [r.source_id for r in reading.records] == ["2"]
    assert "left out" in reading.troubles[0]


NO_LINK = '<guid isPermaLink="false">https://a.example/g</guid>'


@pytest.mark.parametrize(
    ("link", "guid", "post", "url", "trouble"),
    [
        ("https://a.example/x#y", "", "7", "https://a.example/x", ""),
        ("", "<guid>https://a.example/g</guid>", "7", "https://a.example/g", "guid"),
        ("", NO_LINK, "7", "https://daily.example/blog/?p=7", "?p=ID"),
        ("no address", "", "7", "https://daily.example/blog/?p=7", "?p=ID"),
        ("https://daily.example/?p=9", "", "7", "https://daily.example/?p=9", ""),
        ("", "", "", None, "left out"),
    ],
)  # fmt: skip
def test_an_article_is_found_by_its_link_its_guid_or_its_number(
    wxr, link, guid, post, url, trouble
):
    content = wxr.export(wxr.item(wxr.comment(), link=link, guid=guid, wp_post_id=post))
    reading = wxr.read(content)
    assert [r.article_url for r in reading.records] == ([url] if url else [])
    assert trouble in " ".join(reading.troubles)
    assert bool(trouble) == bool(reading.troubles)


def test_a_comment_without_an_id_gets_one_that_stays(wxr):
    content = wxr.export(wxr.item(wxr.comment(id=None), wxr.comment(id="", content="Two")))
    first, second = (wxr.read(content).records for _ in range(2))
    assert [r.source_id for r in first] == [r.source_id for r in second]
    assert len({r.source_id for r in first}) == 2


def test_comments_of_a_private_article_are_pointed_out(one):
    assert "private" in one({"wp_status": "private"})[1]
    assert "private" in one({"wp_post_password": "secret"})[1]


def test_an_article_that_takes_no_more_comments_is_closed(one):
    assert one({"wp_comment_status": "closed"})[0].article_is_closed
    assert not one({"wp_comment_status": "open"})[0].article_is_closed


def test_markup_that_nobody_wrapped_keeps_its_words(wxr):
    plain = wxr.comment(content=None).replace(
        "</wp:comment>",
        "<wp:comment_content>One <b>two</b> three</wp:comment_content></wp:comment>",
    )
    assert wxr.read(wxr.export(wxr.item(plain))).records[0].text == "One two three"


@pytest.mark.parametrize(
    "changed",
    [
        lambda c: c.replace(b"1.2/", b"1.0/"),
        lambda c: c.replace(b"http://wordpress", b"https://wordpress"),
        lambda c: c.replace(b"wp:", b"w:").replace(b"xmlns:wp", b"xmlns:w"),
        lambda c: b"\xef\xbb\xbf" + c,
        lambda c: c.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda c: c.decode().replace("UTF-8", "ISO-8859-1").encode("iso-8859-1"),
    ],
)
def test_every_version_prefix_and_encoding_reads_the_same(wxr, changed):
    content = wxr.export(wxr.item(wxr.comment(author="Zoë")))
    assert wxr.read(changed(content)) == wxr.read(content)


BOMB = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "document type"),
        (b"<!DOCTYPE rss><rss/>", "document type"),
        (b'<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>', "document type"),
        (b"<html><body/></html>", "<html>"),
        (b"<rss><channel/></rss>", "no WordPress export"),
        (b"<rss>\n<channel>", "ends too early, at line 2"),
        (b"<rss>\n</channel>", "line 2, column"),
        (b"<rss>\n&#x0b;</rss>", "line 2, column"),
        (b"<rss>\n\x0b</rss>", "line 2, column"),
        (b"<rss>&nbsp;</rss>", "line 1, column"),
        (b'\n<?xml version="1.0"?><rss/>', "before its first line"),
        (b'<?xml version="1.0" encoding="utf-8"?><rss>\xe9</rss>', "line 1, column"),
        (b'<?xml version="1.0" encoding="gbk"?><rss/>', "encoding"),
        (b'<?xml version="1.0" encoding="no-such"?><rss/>', "encoding"),
        (gzip.compress(b"<rss/>", mtime=0), "line 1, column"),
        (b"<rss>" + b"<a>" * 300_000, "nested more than 200 deep"),
        (b"<rss><channel><item><title>" + b"x" * 20_000_000, "longer than"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_broken_or_hostile_file_is_refused_in_one_line(wxr, content, said):
    with pytest.raises(Unreadable) as refused:
        wxr.read(content)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


class _Long:
    """An export of many megabytes whose articles are long, or of one article with very many
    comments; it is never in memory as a whole."""

    def __init__(self, wxr, is_one):
        article = wxr.item(wxr.comment(), content="lorem ipsum " * 17_000).encode()
        head, tail = wxr.export(wxr.item("|")).split(b"|")
        several = wxr.comment(content="lorem ipsum " * 170).encode() * 50
        within = [several] * 80 if is_one else [b"</item>", *[article] * 200, b"<item>"]
        self.parts = iter([head, *within, tail])

    def read(self, size):
        return next(self.parts, b"")


@pytest.mark.parametrize(("is_one", "comments"), [(True, 4_000), (False, 200)])
def test_it_reads_in_bounded_memory(wxr, is_one, comments):
    tracemalloc.start()
    count = sum(1 for _ in wordpress.read(_Long(wxr, is_one), Addresses(), Troubles()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == comments
    assert peak < 5_000_000


def test_real_exports_agree_with_another_reading(wxr, corpora):
    """Corpus, against a reading of the same files that shares no code with ours."""
    total = 0
    for file in sorted((corpora / "wxr").glob("*.xml")):
        wanted = []
        for article in ET.parse(file).iter("item"):
            for each in (e for e in article if e.tag.endswith("}comment")):
                row = {
                    e.tag.rpartition("}")[2].removeprefix("comment_"): (e.text or "").strip()
                    for e in each
                }
                wanted.append(row | {"link": article.findtext("link")})
        found = wxr.read(file.read_bytes()).records
        assert len(found) == len(wanted) > 0
        for ours, row in zip(found, wanted, strict=True):
            assert ours.source_id == row["id"]
            assert (ours.source_parent or "0") == row["parent"]
            assert ours.author == html.unescape(row["author"])  # WordPress stores names as HTML
            assert ours.website == row["author_url"]
            assert ours.email == row["author_email"]
            assert ours.text == row["content"]
            assert ours.kind == (row.get("type") or "comment")
            assert f"{ours.created_at:%Y-%m-%d %H:%M:%S}" == row["date_gmt"]
            assert ours.state == {"1": "approved", "0": "pending"}[row["approved"]]
            assert ours.article_url.rstrip("/") == row["link"].strip().rstrip("/")
        total += len(found)
    assert total >= 79
