"""Whether the service is alive, and whether it can work."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from .. import database

bp = Blueprint("ops", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    """Whoever opens the service's own address is meant for the desk."""
    return redirect(url_for("desk.queue"))


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    return {"status": "alive"}, {"Cache-Control": "no-store"}


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    try:
        database.session().execute(text("SELECT 1 FROM checks"))
    except DBAPIError:
        return {"status": "the database does not answer"}, 503
    return {"status": "ready"}, {"Cache-Control": "no-store"}
