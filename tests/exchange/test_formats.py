"""What a file is taken for by its beginning, and how it is opened whatever its format is."""

import gzip
import io

import pytest
from cast import add_site, stored

from service.exchange.formats import READERS, looks_like
from service.exchange.opening import Opened
from service.exchange.record import Addresses, Troubles, Unreadable
from service.urls import NotAnAddress

DISQUS = (
    b'<?xml version="1.0"?><!-- ours --><disqus xmlns="http://disqus.com">'
    b'<thread dsq:id="2" xmlns:dsq="x"><link>https://daily.example/review</link></thread>'
    b'<post dsq:id="4" xmlns:dsq="x"><message>Hear.</message><author><name>Rita</name></author>'
    b'<createdAt>2020-01-02T03:04:05Z</createdAt><thread dsq:id="2"/></post></disqus>'
)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (DISQUS, "disqus"),
        (b"\xef\xbb\xbf\n" + DISQUS, "disqus"),
        (DISQUS.decode().encode("utf-16"), "disqus"),
        (b'<rss xmlns:wp="http://wordpress.org/export/1.2/">', "wordpress"),
        (b"SQLite format 3\0", "isso"),
        (b'[{"id": "/x", "comments": [', "isso"),
        (b'{"version":1,"users":[]', "remark42"),
        (b'{"id":"1","pid":"","locator":{', "remark42"),
        (b'{"version":1, "comments":[\n{"id":"1","pid":"","locator":{', "remark42"),
        (b'{"version": 3, "pages": [', "commento"),
        (b'{"comments":[', "commento"),
        (b'{"id": "1", "source_id": "2", "parent": null, "article": "', "json"),
        (b"<rss>", ""),
        (b"<html><disqus>", ""),
        (b"", ""),
        (b"\xff\xfe\x00", ""),
    ],
)
def test_a_format_is_known_by_its_beginning(start, name):
    assert looks_like(start) == name


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"disqus"}))
def test_a_file_of_another_format_says_which_it_is(name):
    with pytest.raises(Unreadable, match="looks like a Disqus export"):
        list(READERS[name].read(io.BytesIO(DISQUS), Addresses(), Troubles()))


def test_a_file_is_read_whole_in_pieces_of_any_size():
    content = bytes(range(256)) * 100
    packed = gzip.compress(content[:9_000]) + gzip.compress(content[9_000:]) + b"\0" * 20
    for given in (content, packed):
        opened, found = Opened(io.BytesIO(given)), b""
        while piece := opened.read(1_000):
            assert len(piece) <= 1_000
            found += piece
        assert found == content
        assert opened.read(1) == b""


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_an_export_comes_in_by_the_command_line(app, tmp_path, packed):
    add_site(app)
    file = tmp_path / "export.xml.gz"
    file.write_bytes(packed(DISQUS))
    words = ["import", "disqus", str(file), "--site", "daily"]
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    assert [(c.name, c.source_id, c.source) for c in stored(app)] == [("Rita", "4", "disqus")]
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    assert len(stored(app)) == 1


def test_a_path_lies_on_the_origin_where_no_rule_says_otherwise():
    addresses = Addresses([("/old", "https://b.example/new")], base="https://a.example")
    assert addresses.canonical("/x?p=1") == "https://a.example/x?p=1"
    assert addresses.canonical("//evil.example/x") == "https://a.example//evil.example/x"
    assert addresses.canonical("/old/x") == "https://b.example/new/x"
    assert addresses.canonical("A.example/x") == addresses.canonical("https://a.example/x")
    assert addresses.canonical("a.example") == "https://a.example/"
    assert addresses.canonical("https://c.example/x") == "https://c.example/x"
    for nowhere in ("", "javascript:alert(1)", "no address", "a.example.org/x"):
        with pytest.raises(NotAnAddress):
            addresses.canonical(nowhere)
