"""Atom feeds (RFC 4287): the newest comments of a site, and of an article."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import database, sites, threads
from ..models import Article, Site
from ..site_settings import SiteSettings
from . import headers, languages
from .here import served_at
from .reader import place_or_refuse

bp = Blueprint("feeds", __name__)
bp.before_request(languages.choose)  # for what is refused before its site is known

# What XML 1.0 cannot hold, not even escaped; imports bring it along.
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@bp.get("/feeds/<key>.atom")
def site(key: str) -> ResponseReturnValue:
    database.read_a_copy()
    found = sites.find(database.session(), key) or abort(404)
    languages.choose(SiteSettings.read(found.settings).language)
    title = _("Replies on %(site)s", site=found.name)
    return _feed(found, None, title, found.origins[0] if found.origins else "")


@bp.get("/feeds/<key>/thread.atom")
def thread(key: str) -> ResponseReturnValue:
    """An article's; an empty one while nobody has commented on it."""
    database.read_a_copy()
    place = place_or_refuse(key)
    article = place.article
    about = article.title if article and article.is_title_proved else place.url
    title = _("Replies to %(title)s", title=about)
    return _feed(place.site, article, title, place.url, is_known=article is not None)


def _feed(
    site: Site, article: Article | None, title: str, address: str, is_known: bool = True
) -> ResponseReturnValue:
    """The feed, or 304 if the asker has it."""
    session = database.session()
    entries = threads.newest(session, site.id, article) if is_known else []
    updated_at = _updated_at(site, entries)
    xml = render_template(
        "reader/feed.xml",
        site=site,
        title=title,
        address=address,
        entries=entries,
        updated_at=updated_at,
        identify=lambda *parts: _urn(site, *parts),
        base=served_at(),
    )
    response = Response(UNWRITABLE.sub("", xml), mimetype="application/atom+xml")
    response.headers["Cache-Control"] = headers.SHARED
    response.set_etag(headers.etag(response.get_data(as_text=True)))
    # What a moderator took away leaves no entry behind, and still is a change.
    response.last_modified = max(updated_at, threads.decided_at(session) or updated_at)
    return response.make_conditional(request)


def _updated_at(site: Site, entries: Sequence[threads.Entry]) -> datetime:
    return max((entry.updated_at for entry in entries), default=site.created_at)


def _urn(site: Site, *parts: str) -> str:
    """A name for good: it stays when the service moves to another address."""
    named = "\0".join((site.key, site.created_at.isoformat(), *parts))
    return uuid.uuid5(uuid.NAMESPACE_URL, f"rejoinder:{named}").urn
