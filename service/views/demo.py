"""An article page of ours with the embed under it, to see the service at work."""

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from .. import database
from ..models import Site
from . import languages

bp = Blueprint("demo", __name__)

KEY = "demo"


@bp.get("/demo/")
def article() -> ResponseReturnValue:
    """Only where `flask demo` has made the demo's site."""
    site = database.session().scalar(select(Site).where(Site.key == KEY)) or abort(404)
    languages.choose("en")
    return render_template("demo/article.html", site=site, base=current_app.config["BASE_URL"])
