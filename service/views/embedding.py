"""What a publisher pastes into their pages, and a sample article with the thread as it will look."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from .. import database
from ..site_settings import SiteSettings
from . import headers, recipes, samples
from .desk import bp
from .here import served_at
from .recipes import Recipe
from .sites import site_or_refuse

LOOKS = ("light", "dark")


@bp.get("/sites/<key>/embed")
def embed(key: str) -> ResponseReturnValue:
    """The three ways onto a publisher's pages, each ready to copy, and how it will look."""
    site = site_or_refuse(database.session(), key)
    base, website = served_at(), recipes.website(site)

    def filled(block: str) -> str:
        return recipes.fill(block, base, site.key, website)

    def each(of: tuple[Recipe, ...]) -> list[dict[str, Any]]:
        return [
            {"system": one.system, "where": one.where, "block": filled(one.block)} for one in of
        ]

    return render_template(
        "desk/embed.html",
        site=site,
        base=base,
        elements=each(recipes.RECIPES),
        link=filled(recipes.LINK),
        fragments=each(recipes.FRAGMENTS),
    )


@bp.get("/sites/<key>/sample")
def embed_sample(key: str) -> ResponseReturnValue:
    """An article that is made up, with this site's thread under it. Only our own pages frame it."""
    site = site_or_refuse(database.session(), key)
    headers.allow_frames([])
    look = request.args.get("look", "")
    return render_template(
        "desk/sample.html",
        site=site,
        look=look if look in LOOKS else "",
        thread_language=SiteSettings.read(site.settings).language,
        address=samples.address(key),
    )
