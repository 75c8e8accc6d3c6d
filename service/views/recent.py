"""A site's articles that were talked about last: what its embed's address shows without any."""

from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from .. import database, threads, urls
from ..models import Site
from ..site_settings import SiteSettings
from . import headers

SIZE = 20


def page(site: Site, settings: SiteSettings) -> ResponseReturnValue:
    """The list, or 304 if the asker has it."""
    talks = threads.talked_about(database.session(), site.id, SIZE)
    articles = [talk for talk in talks if urls.is_within(talk.url, site.origins)]
    response = Response(mimetype="text/html")
    response.headers["Cache-Control"] = headers.SHARED
    response.set_etag(
        headers.etag(site.version, current_app.config["RELEASE"], request.url, *articles)
    )
    if not request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.set_data(
            render_template("reader/recent.html", site=site, settings=settings, articles=articles)
        )
    return response.make_conditional(request)
