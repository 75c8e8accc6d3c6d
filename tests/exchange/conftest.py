"""WordPress exports of our own writing."""

import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cast import ARTICLE as ARTICLE_URL

from service.exchange import pile, wordpress
from service.exchange.record import Addresses, Record, Troubles
from service.status import Kind, Markup, Status

START = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<title>The Daily</title><link>https://daily.example</link>
<wp:base_blog_url>https://daily.example/blog</wp:base_blog_url>"""
RITA = {
    "comment_id": "1",
    "comment_author": "Rita",
    "comment_author_email": "rita@example.org",
    "comment_author_url": "http://rita.example",
    "comment_date": "2020-01-02 04:04:05",
    "comment_date_gmt": "2020-01-02 03:04:05",
    "comment_content": "Hear, hear.",
    "comment_approved": "1",
    "comment_type": "",
    "comment_parent": "0",
}
ARTICLE = {
    "title": "A review",
    "link": "https://daily.example/review",
    "wp:post_id": "7",
    "wp:post_date_gmt": "2019-12-31 00:00:00",
}


def elements(fields, prefix=""):
    kept = {name: value for name, value in fields.items() if value is not None}
    return "".join(f"<{prefix}{n}><![CDATA[{v}]]></{prefix}{n}>" for n, v in kept.items())


def comment(**fields):
    """Rita's comment with other fields; None leaves one out."""
    changed = {f"comment_{name}": value for name, value in fields.items()}
    return f"<wp:comment>{elements(RITA | changed, 'wp:')}</wp:comment>"


def item(*comments, guid="", **fields):
    changed = {name.replace("wp_", "wp:"): value for name, value in fields.items()}
    return f"<item>{elements(ARTICLE | changed)}{guid}{''.join(comments)}</item>"


def export(*items):
    return (HEAD + "".join(items) + "</channel></rss>").encode()


@dataclass
class Reading:
    records: list[Record]
    troubles: list[str] = field(default_factory=list)


def read(content, maps=()):
    troubles = Troubles()
    records = list(wordpress.read(io.BytesIO(content), Addresses(maps), troubles))
    return Reading(records, list(troubles.lines()))


def record(id, parent=None, minutes=0, url=ARTICLE_URL, **fields):
    """A Record of Rita's, without any format."""
    usual = {
        "article_url": url,
        "article_title": "A review",
        "source_id": str(id),
        "source_parent": None if parent is None else str(parent),
        "author": "Rita",
        "website": "",
        "email": "rita@example.org",
        "kind": Kind.COMMENT,
        "state": Status.APPROVED,
        "created_at": START + timedelta(minutes=minutes),
        "text": "Hear, hear.",
        "markup": Markup.HTML,
    }
    return Record(**(usual | fields))


@contextmanager
def piled(records):
    """The records of a file, gathered by article."""
    with pile.Pile() as made:
        for _ in pile.gather(records, Addresses(), made):
            pass
        yield made


@pytest.fixture(name="wxr")
def _wxr():
    """The words in which these tests write exports: wxr.export(wxr.item(wxr.comment()))."""

    class Words:
        pass

    for word in (export, item, comment, read, record, piled):
        setattr(Words, word.__name__, staticmethod(word))
    return Words
