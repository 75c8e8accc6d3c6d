"""The blueprint of the ways in; coming in by any of them, going out, and being there."""

import time
from contextlib import suppress
from typing import cast

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user, login_user, logout_user
from sqlalchemy.orm import Session

from ... import accounts, attempts, database, events, second_step, visits
from ...accounts import Moderator
from ...events import What
from ...models import now
from ..forms import SignInForm
from .browsers import network, place_of, remember_browser

bp = Blueprint("accounts", __name__, url_prefix="/desk")


def admit(session: Session, moderator: Moderator, how: str) -> str:
    """Inside a write transaction: the secret of a visit that begins now, on the record."""
    moderator.came_from = network()
    agent = request.user_agent.string
    events.record(session, What.SIGNED_IN, moderator, how)
    return visits.start(session, moderator.id, visits.browser_of(agent), network())


def let_in(moderator_id: int, visit: str, how: str) -> None:
    """Signs this browser in, after the transaction: nothing of an earlier session is left."""
    cookie.clear()
    login_user(accounts.get(moderator_id), remember=False, authn_via=[how])
    cookie[accounts.VISIT] = visit
    remember_browser(moderator_id)


def leave(session: Session) -> None:
    """Ends the visit that this browser is on, if any."""
    if current_user.is_authenticated:
        visits.end(session, current_user.id, current_user.visit_id)


def go_on(moderator: Moderator, how: str, onward: str, account: bytes | None = None) -> Response:
    """After a first step: the second if there is one, else in."""
    if second_step.is_set(database.session(), moderator):
        if current_user.is_authenticated:
            with database.writing() as session:
                leave(session)
        cookie.clear()
        cookie["half"] = {
            "who": moderator.fs_uniquifier,
            "at": time.time(),
            "next": onward,
            "how": how,
        }
        return cast(Response, redirect(url_for("accounts.second"), 303))
    with database.writing() as session:
        leave(session)
        found = session.get_one(Moderator, moderator.id)
        if account:
            attempts.forgive(session, account, place_of(found))
        visit = admit(session, found, how)
    let_in(moderator.id, visit, how)
    return cast(Response, redirect(onward, 303))


def sign_out() -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    if current_user.is_authenticated:
        current_user.came_from = network()
        with database.writing() as session:
            leave(session)
            events.record(session, What.SIGNED_OUT, current_user)
    logout_user()
    cookie.clear()
    return redirect(url_for("security.login"), 303)


def refuse_foreign() -> None:
    """Nobody else's page posts to the desk, whatever token it has. A browser says whose page it is:
    by Sec-Fetch-Site over https, the older ones by Origin. Ours that tell no Referer have a null one
    (Fetch, "append a request Origin header"), so what says nothing is left to the token."""
    if request.method in ("GET", "HEAD", "OPTIONS") or not request.path.startswith("/desk"):
        return
    origin = request.headers.get("Origin", "").partition("://")[2]
    base = current_app.config["BASE_URL"].partition("://")[2].rstrip("/")
    is_foreign = origin not in ("", request.host, base)
    said = request.headers.get("Sec-Fetch-Site")
    if said not in ("same-origin", "none") if said else is_foreign:
        abort(403, _("This was sent from another website. Nothing was changed."))


def keep_seen() -> None:
    """That somebody was there is kept with what they do, every five minutes at most. Looking at
    pages writes nothing: GET changes nothing."""
    if request.method in ("GET", "HEAD", "OPTIONS") or request.blueprint != "desk":
        return
    if not current_user.is_authenticated or now() - current_user.seen_at < visits.SEEN_EVERY:
        return
    with suppress(database.Busy), database.writing() as session:
        visits.touch(session, current_user.visit_id)


bp.before_app_request(refuse_foreign)
bp.before_app_request(keep_seen)
