"""The second step, for who has taken the first."""

import time
from contextlib import suppress
from typing import Any

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ... import accounts, attempts, database, events, passkeys, second_step
from ...accounts import Moderator
from ...events import What
from ..desk import local, vault
from ..limits import SIGNING_IN, limiter
from .browsers import knocking_from, network, place_of
from .door import admit, bp, let_in
from .forms import CodeForm, PasskeyForm
from .tries import account_of, record_failure, take, too_often, waiting

HALF_WAY = 300  # seconds between the first step and the second


def half() -> tuple[Moderator, dict[str, Any]] | None:
    """Who has taken the first step in this browser, and how."""
    kept = cookie.get("half")
    if not isinstance(kept, dict) or time.time() - kept["at"] > HALF_WAY:
        return None
    found = accounts.by_uniquifier(database.session(), kept["who"])
    return (found, kept) if found else None


@bp.route("/login/second", methods=["GET", "POST"])
@limiter.limit(SIGNING_IN, key_func=knocking_from, methods=["POST"])
def second() -> ResponseReturnValue:
    """The second step: a code of the app, a recovery code, or a passkey."""
    begun = half()
    if begun is None:
        return redirect(url_for("security.login"), 303)
    moderator, kept = begun
    form = CodeForm()
    if request.method == "GET" or not form.validate():
        return _second_page(form, moderator)
    account = account_of(moderator.email, "second step")
    tried = take(account, moderator)
    if tried.wait:
        return too_often(tried, _second_page(form, moderator, waiting(tried.wait)))
    typed = form.code.data or ""
    counter = code_counter(moderator, typed)
    with database.writing() as session:
        found = session.get_one(Moderator, moderator.id)
        used = use_code(session, found, typed, counter)
        if used:
            attempts.forgive(session, account, place_of(found))
            attempts.forgive(session, account_of(moderator.email), place_of(found))
            how = f"{kept['how']} and {used}"
            visit = admit(session, found, how)
        else:
            record_failure(session, tried, moderator.email)
    if not used:
        said = _("This code is wrong, too old or used. Enter the one that the app shows now.")
        return _second_page(form, moderator, said)
    let_in(moderator.id, visit, how)
    return redirect(local(kept["next"]), 303)


def code_counter(moderator: Moderator, typed: str) -> int | None:
    """Which code of the app was typed, if it is one. Slow; not for inside a transaction."""
    if not moderator.totp_secret:
        return None
    # A secret that cannot be read, since INDEX_KEY is another, is like none: codes still work.
    with suppress(ValueError, TypeError, KeyError):
        secret, last = moderator.totp_secret, moderator.totp_counter
        return second_step.counter(vault(), secret, typed, last)
    return None


def use_code(session: Session, moderator: Moderator, typed: str, counter: int | None) -> str:
    """Uses up what was typed; says what it was, "" if nothing that is good."""
    if counter is not None:
        return "app" if second_step.use(session, moderator.id, counter) else ""
    if second_step.use_code(session, vault(), moderator.id, typed):
        left = second_step.codes_left(session, moderator.id)
        moderator.came_from = network()
        events.record(session, What.CODE_USED, moderator, f"{left} left")
        return "recovery code"
    return ""


def _second_page(form: CodeForm, moderator: Moderator, refused: str = "") -> str:
    session = database.session()
    return render_template(
        "accounts/second.html",
        form=form,
        refused=refused,
        has_app=bool(moderator.totp_secret),
        has_passkey=bool(passkeys.of(session, moderator.id)),
        key_form=PasskeyForm(),
    )
