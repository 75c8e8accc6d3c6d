"""A site's comments as a WordPress export (WXR 1.2), which WordPress's importer takes.

Elements and their order are those of WordPress's own export (wp-admin/includes/export.php); what
reads them is the plug-in wordpress-importer, whose parsers want the version and each author on one
line. It inserts no post without a title, takes posts of the same title and date for one, and loses
whatever is longer than WordPress's columns (wpdb::process_fields): so no two posts here have the
same date, and everything is cut to fit. Rejected comments go to WordPress's trash; deleted ones too,
with neither their text nor a website, so that their replies keep a place. HTML is ours, made safe:
WordPress does not filter what an administrator imports.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ..models import Comment, Site, now
from ..site_settings import SiteSettings
from ..status import Status
from ..text import plain
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
# What fits into WordPress's columns (wp-admin/includes/schema.php): bytes of the first two, which are
# TINYTEXT and TEXT, less the ten that wp_get_comment_fields_max_lengths() leaves; else characters.
NAME, TEXT = 245, 65_525
EMAIL, WEBSITE, SLUG, GUID = 100, 200, 200, 255
FOOT = "</channel>\n</rss>\n"
END_OF_ITEM = "\t</item>\n"

# What XML 1.0 forbids (2.2, Char), however it is written.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
_NO_SLUG = re.compile(r"(?:[^a-z0-9%]|%(?![0-9a-f]{2}))+")
_LAST_LETTER = re.compile(r"(?:%[c-f][0-9a-f])?(?:%[89ab][0-9a-f])*(?:%[0-9a-f]?)?$")
_HALF_ENTITY = re.compile(r"&\w*$")
_SECOND = timedelta(seconds=1)


def lines(session: Session, site: Site, vault: Vault | None = None) -> Iterator[str]:
    """The file piece by piece, an item an article. With a vault the comments have addresses, by
    which WordPress shows pictures of people from Gravatar.

    Raises vault.WrongKey if an address is under a key that is not on the ring.
    """
    yield Around(HEAD + _channel(site))
    article_id = 0
    dates = _Dates()
    for ids in windows(session, site):
        rows = comments(session, ids, has_emails=bool(vault))
        first_at = _first_at(session, {row.article_id for row in rows} - {article_id})
        for row in rows:
            if row.article_id != article_id:
                end = END_OF_ITEM if article_id else ""
                yield Around(
                    end + _item(row, site, dates.free(first_at.get(row.article_id, row.created_at)))
                )
                article_id = row.article_id
            yield _comment(row, email(row, site, vault) if vault else None)
    yield Around((END_OF_ITEM if article_id else "") + FOOT)


def _first_at(session: Session, articles: Collection[int]) -> dict[int, datetime]:
    """When each article got its first comment: the date of its post."""
    wanted = select(Comment.article_id, func.min(Comment.created_at)).group_by(Comment.article_id)
    if not articles:
        return {}
    found = session.execute(wanted.where(Comment.article_id.in_(articles)))
    return {row[0]: row[1] for row in found}


class _Dates:
    """The posts' dates, none of them twice, whatever the titles: MySQL takes "Résumé" for "resume"."""

    def __init__(self) -> None:
        self._after: dict[datetime, datetime] = {}  # where to look on from one that is taken

    def free(self, at: datetime) -> datetime:
        """The second, or the next that is free. WordPress would not publish a post of tomorrow."""
        asked = date = min(at, now()).astimezone(UTC).replace(microsecond=0)
        while date in self._after:
            date = self._after[date]
        self._after[asked] = self._after[date] = date + _SECOND
        return date


def _channel(site: Site) -> str:
    home = site.origins[0] if site.origins else ""
    return _elements(
        1,
        ("title", escape(printed(site.name))),
        ("link", escape(home)),
        ("description", ""),
        ("pubDate", format_datetime(now())),
        ("language", escape(SiteSettings.read(site.settings).language)),
        ("wp:wxr_version", VERSION),
        ("wp:base_site_url", escape(home)),
        ("wp:base_blog_url", escape(home)),
        ("wp:author", _author(site)),
    )


def _author(site: Site) -> str:
    """Whose the posts are. Without one, the importer complains once for each post."""
    return "".join(
        f"<wp:author_{name}>{text}</wp:author_{name}>"
        for name, text in (
            ("id", "1"),
            ("login", cdata(site.key)),
            ("email", cdata("")),
            ("display_name", cdata(site.name)),
            ("first_name", cdata("")),
            ("last_name", cdata("")),
        )
    )


def _item(row: Row[Any], site: Site, at: datetime) -> str:
    """The beginning of an article's item, up to its comments."""
    moment = cdata(_moment(at))
    takes_comments = cdata("closed" if row.closed_at else "open")
    return "\t<item>\n" + _elements(
        2,
        ("title", cdata(escape(row.title or row.url))),  # WordPress takes it for HTML
        ("link", escape(row.url)),
        ("pubDate", format_datetime(at.astimezone(UTC))),
        ("dc:creator", cdata(site.key)),
        ('guid isPermaLink="false"', _fitting(escape(row.url), GUID)),
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
        ("wp:comment_author", cdata(_cut(row.name, NAME))),  # as HTML, as there
        ("wp:comment_author_email", cdata(_fitting(address or "", EMAIL))),
        ("wp:comment_author_url", cdata("" if is_gone else _fitting(row.website, WEBSITE))),
        ("wp:comment_author_IP", cdata("")),
        ("wp:comment_date", moment),
        ("wp:comment_date_gmt", moment),
        ("wp:comment_content", cdata("" if is_gone else _words(row.html))),
        ("wp:comment_approved", cdata(APPROVED[row.status])),
        ("wp:comment_type", cdata(row.kind)),
        ("wp:comment_parent", str(row.parent_id or 0)),
        ("wp:comment_user_id", "0"),
    )
    return f"\t\t<wp:comment>\n{inside}\t\t</wp:comment>\n"


def _words(html: str) -> str:
    """A comment's HTML; of one that does not fit, the beginning without any markup."""
    made = paragraphs(html)
    return made if len(made.encode()) <= TEXT else f"{_cut(plain(html), TEXT - 3)}…"


def _cut(text: str, size: int) -> str:
    """As much of a text as fits into so many bytes when it is HTML."""
    made = escape(text)
    if len(made.encode()) <= size:
        return made
    return _HALF_ENTITY.sub("", made.encode()[:size].decode(errors="ignore"))


def _fitting(text: str, length: int) -> str:
    """What is of use as a whole only: nothing where it does not fit."""
    return text if len(text) <= length else ""


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
    """What WordPress calls a page in its address: the last word of the path, with letters beyond
    ASCII as they stand there."""
    words = [word for word in urlsplit(url).path.lower().split("/") if word]
    slug = _NO_SLUG.sub("-", words[-1]).strip("-") if words else ""
    return slug if len(slug) <= SLUG else _LAST_LETTER.sub("", slug[:SLUG])
