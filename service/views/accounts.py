"""Signing in: by password (Flask-Security's own view) or by a link that works once."""

import ipaddress
from typing import Any, cast

from flask import (
    Blueprint,
    Flask,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import login_user
from flask_wtf import CSRFProtect

from .. import accounts, database
from . import headers, more, participation, reader, receipts
from .forms import SignInForm
from .limits import SIGNING_IN, limiter

bp = Blueprint("accounts", __name__, url_prefix="/desk")


@bp.get("/sign-in/<secret>")
def offer(secret: str) -> ResponseReturnValue:
    """Shows a button: programs that open every link in a mail sign nobody in."""
    link = accounts.find_link(database.session(), secret)
    if link is None:
        abort(404, _("This link has been used or is too old. Ask for a new one."))
    page = render_template("accounts/sign_in.html", form=SignInForm(), email=link.moderator.email)
    return headers.keep_private(make_response(page))


@bp.post("/sign-in/<secret>")
@limiter.limit(SIGNING_IN)
def sign_in(secret: str) -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        moderator = accounts.use_link(session, secret, is_loopback(request.remote_addr))
        moderator_id = moderator.id if moderator else None
    if moderator_id is None:
        abort(404, _("This link has been used or is too old. Ask for a new one."))
    login_user(accounts.get(moderator_id), remember=False, authn_via=["link"])
    return redirect(url_for("desk.queue"), 303)


def is_loopback(address: str | None) -> bool:
    """Whether the client sits at this very machine."""
    return bool(address) and ipaddress.ip_address(address or "").is_loopback


def init_app(app: Flask) -> None:
    csrf = CSRFProtect(app)
    csrf.exempt(reader.bp)  # anonymous, cookieless: its form signs its own token
    csrf.exempt(receipts.bp)
    csrf.exempt(participation.bp)
    for view in (more.edit, more.reply):  # their forms ask for it, and give back what was typed
        csrf.exempt(view)
    login = app.view_functions["security.login"]
    app.view_functions["security.login"] = cast(
        Any, limiter.limit(SIGNING_IN, methods=["POST"])(login)
    )
