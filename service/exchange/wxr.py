"""A site's comments as a WordPress export (WXR 1.2), which WordPress's importer takes.

Elements and their order are those of WordPress's own export (wp-admin/includes/export.php); what
reads them is the plug-in wordpress-importer, whose parsers want the version, and which inserts no
post without a title. Rejected comments go to WordPress's trash; deleted ones too, with neither
their text nor a website, so that their replies keep a place. HTML is ours, made safe: WordPress
does not filter what an administrator imports.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ..models import Comment, Site, now
from ..status import Status
from ..vault import Vault
from .windows import Around, comments, email, windows

VERSION = "1.2"
APPROVED = {
    Status.APPROVED: "1",
    Status.PENDING: "0",
    Status.SPAM: "spam",
    Status.REJECTED: "trash",
    Status.DELETED: "trash",
}
HEAD = f"""<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0"
	xmlns:excerpt="http://wordpress.org/export/{VERSION}/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:wfw="http://wellformedweb.org/CommentAPI/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/{VERSION}/"
>
<channel>
"""
FOOT = "</channel>\n</rss>\n"
END_OF_ITEM = "\t</item>\n"

# What XML 1.0 forbids (2.2, Char), however it is written.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
_SLUG = re.compile(r"[^a-z0-9]+")


def lines(session: Session, site: Site, vault: Vault | None = None) -> Iterator[str]:
    """The file piece by piece, an item an article. With a vault the comments have addresses, by
    which WordPress shows pictures of people from Gravatar.

    Raises vault.WrongKey if an address is under a key that is not on the ring.
    """
    yield Around(HEAD + _channel(site))
    article_id = 0
    for ids in windows(session, site):
        rows = comments(session, ids, has_emails=bool(vault))
        first_at = _first_at(session, rows)
        for row in rows:
            if row.article_id != article_id:
                end = END_OF_ITEM if article_id else ""
                yield Around(end + _item(row, first_at[row.article_id]))
                article_id = row.article_id
            yield _comment(row, email(row, site, vault) if vault else None)
    yield Around((END_OF_ITEM if article_id else "") + FOOT)


def _first_at(session: Session, rows: Sequence[Row[Any]]) -> dict[int, datetime]:
    """When each article got its first comment: the date of its post."""
    wanted = select(Comment.article_id, func.min(Comment.created_at)).group_by(Comment.article_id)
    articles = {row.article_id for row in rows}
    found = session.execute(wanted.where(Comment.article_id.in_(articles)))
    return {row[0]: row[1] for row in found}


def _channel(site: Site) -> str:
    home = site.origins[0] if site.origins else ""
    return _elements(
        1,
        ("title", escape(printed(site.name))),
        ("link", escape(home)),
        ("description", ""),
        ("pubDate", format_datetime(now())),
        ("language", escape(str(site.settings.get("language") or "en"))),
        ("wp:wxr_version", VERSION),
        ("wp:base_site_url", escape(home)),
        ("wp:base_blog_url", escape(home)),
    )


def _item(row: Row[Any], at: datetime) -> str:
    """The beginning of an article's item, up to its comments."""
    moment = cdata(_moment(at))
    takes_comments = cdata("closed" if row.closed_at else "open")
    return "\t<item>\n" + _elements(
        2,
        ("title", cdata(escape(row.title or row.url))),  # WordPress takes it for HTML
        ("link", escape(row.url)),
        ("pubDate", format_datetime(at.astimezone(UTC))),
        ("dc:creator", cdata("")),
        ('guid isPermaLink="false"', escape(row.url)),
        ("description", ""),
        ("content:encoded", cdata("")),
        ("excerpt:encoded", cdata("")),
        ("wp:post_id", str(row.article_id)),
        ("wp:post_date", moment),
        ("wp:post_date_gmt", moment),
        ("wp:post_modified", moment),
        ("wp:post_modified_gmt", moment),
        ("wp:comment_status", takes_comments),
        ("wp:ping_status", cdata("closed")),
        ("wp:post_name", cdata(_slug(row.url))),
        ("wp:status", cdata("publish")),
        ("wp:post_parent", "0"),
        ("wp:menu_order", "0"),
        ("wp:post_type", cdata("post")),
        ("wp:post_password", cdata("")),
        ("wp:is_sticky", "0"),
    )


def _comment(row: Row[Any], address: str | None) -> str:
    is_gone = row.status == Status.DELETED
    moment = cdata(_moment(row.created_at))
    inside = _elements(
        3,
        ("wp:comment_id", str(row.id)),
        ("wp:comment_author", cdata(escape(row.name))),  # as WordPress stores names
        ("wp:comment_author_email", cdata(address or "")),
        ("wp:comment_author_url", "" if is_gone else escape(printed(row.website))),
        ("wp:comment_author_IP", cdata("")),
        ("wp:comment_date", moment),
        ("wp:comment_date_gmt", moment),
        ("wp:comment_content", cdata("" if is_gone else paragraphs(row.html))),
        ("wp:comment_approved", cdata(APPROVED[row.status])),
        ("wp:comment_type", cdata(row.kind)),
        ("wp:comment_parent", str(row.parent_id or 0)),
        ("wp:comment_user_id", "0"),
    )
    return f"\t\t<wp:comment>\n{inside}\t\t</wp:comment>\n"


def paragraphs(html: str) -> str:
    """Our HTML as WordPress stores a comment's: it sets paragraphs itself, at blank lines (wpautop)."""
    apart = _PARAGRAPH.sub(lambda found: f"{found[1]}\n\n", html)
    return apart.replace("<br>", "\n").strip()


def printed(text: str) -> str:
    """The text without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def cdata(text: str) -> str:
    """The text as a CDATA section; its end inside it is split over two (as wxr_cdata does)."""
    return f"<![CDATA[{printed(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _elements(depth: int, *pairs: tuple[str, str]) -> str:
    """A line an element; a name may bring an attribute, a text is XML already."""
    tabs = "\t" * depth
    return "".join(f"{tabs}<{name}>{text}</{name.split()[0]}>\n" for name, text in pairs)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _slug(url: str) -> str:
    """What WordPress calls a page in its address: the last word of the path."""
    words = [word for word in urlsplit(url).path.lower().split("/") if word]
    return _SLUG.sub("-", words[-1]).strip("-")[:200] if words else ""
