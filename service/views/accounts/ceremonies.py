"""The way in by a passkey, and what adding one needs too."""

import time
from typing import Any

from flask import abort, current_app, jsonify, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ... import database, events, passkeys
from ...accounts import Moderator
from ...events import What
from ...vault import mask
from ..desk import local
from ..forms import SignInForm
from ..limits import limiter
from .browsers import knocking_from, network
from .door import admit, bp, leave, let_in
from .forms import PasskeyForm, PasswordForm
from .signing_in import login_page

# A passkey is checked in no time, and nobody can guess one.
ASKING_PASSKEYS = "60 per minute"


def ceremony() -> passkeys.Ceremony:
    """For the origin that people reach us at. On a machine of one's own it is the one asked for:
    a browser takes no key for any but the page's own."""
    base = current_app.config["BASE_URL"]
    return passkeys.Ceremony(
        (base if base.startswith("https://") else request.host_url).rstrip("/")
    )


def keep_challenge(options: Any) -> Any:
    cookie["challenge"] = [options["challenge"], time.time()]
    return options


def taken_challenge() -> str:
    """The challenge that this browser was given; raises passkeys.Refused. passkeys.spend is what
    makes it one for once."""
    kept = cookie.pop("challenge", None)
    if not isinstance(kept, list) or time.time() - kept[1] > passkeys.CEREMONY.total_seconds():
        raise passkeys.Refused
    return str(kept[0])


@bp.post("/login/passkey/options")
@limiter.limit(ASKING_PASSKEYS, key_func=knocking_from)
def passkey_options() -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    return jsonify(keep_challenge(ceremony().to_sign_in()))


@bp.post("/login/passkey")
@limiter.limit(ASKING_PASSKEYS, key_func=knocking_from)
def passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    onward = local(form.next.data or "")
    if not form.validate():
        abort(400)
    answer = form.credential.data or ""
    try:
        signed = check_passkey(answer)
        with database.writing() as session:
            passkeys.use(session, signed)
            leave(session)
            found = session.get_one(Moderator, signed.moderator_id)
            visit = admit(session, found, "passkey")
    except passkeys.Refused:
        _record_passkey(answer)
        said = _("This passkey could not be used. Try once more, or sign in with your password.")
        return login_page(PasswordForm(formdata=None), onward, said), 422
    let_in(signed.moderator_id, visit, "passkey")
    return redirect(onward, 303)


def _record_passkey(answer: str) -> None:
    """That somebody's passkey was refused. What names none is noise that anybody can make."""
    key = passkeys.named_in(database.session(), answer)
    owner = database.session().get(Moderator, key.moderator_id) if key else None
    if owner is None:
        return
    about = f"{mask(owner.email)}: passkey"
    with database.writing() as session:
        events.record(session, What.SIGN_IN_FAILED, "somebody", about, network=network())


def check_passkey(answer: str) -> passkeys.Signed:
    """What a passkey signed, still to be spent; raises passkeys.Refused."""
    challenge = taken_challenge()
    key = passkeys.named_in(database.session(), answer)
    moderator = database.session().get(Moderator, key.moderator_id) if key else None
    if key is None or moderator is None or not moderator.active:
        raise passkeys.Refused
    return ceremony().signed(key, challenge, answer)
