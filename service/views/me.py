"""One's own account at the desk: name, password, passkeys, the second step, sessions.

Whoever changes what keeps an account safe has signed in or said who they are a short while ago
(`is_fresh`): a browser left open on a table is not enough.
"""

import time
from datetime import timedelta
from typing import Any

from flask import Response, abort, jsonify, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_security.utils import check_and_update_authn_fresh
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Length

from .. import (
    accounts,
    attempts,
    database,
    events,
    passkeys,
    passwords,
    people,
    second_step,
    visits,
)
from ..accounts import Moderator
from ..events import What
from . import accounts as ways_in
from .accounts import CodeForm, NameForm, NewPasswordForm, PasskeyForm
from .desk import LARGEST_ID, bp, local, vault
from .errors import wants_json
from .forms import SignInForm, line

NEW_SECRET = "new_totp"  # noqa: S105 - where the session's cookie keeps one, encrypted


class ChangePasswordForm(NewPasswordForm):
    present = PasswordField(
        _l("Present password"),
        validators=[Length(max=passwords.MOST)],
        render_kw={"autocomplete": "current-password", "dir": "ltr"},
    )


class PasskeyNameForm(FlaskForm):
    key_name = StringField(
        _l("Name of the passkey"),
        filters=[line],
        validators=[
            DataRequired(_l("Give it a name by which you know the device.")),
            Length(max=passkeys.NAME_LENGTH),
        ],
        render_kw={"dir": "auto", "autocomplete": "off"},
    )
    credential = HiddenField(validators=[Length(max=20_000)])


class VerifyForm(FlaskForm):
    password = PasswordField(
        _l("Password"),
        validators=[Length(max=passwords.MOST)],
        render_kw={"autocomplete": "current-password", "dir": "ltr"},
    )
    code = StringField(
        _l("Code of your app"),
        filters=[line],
        validators=[Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "dir": "ltr"},
    )
    next = HiddenField()


# Freshness


def is_fresh() -> bool:
    """Whether the person before this browser said a short while ago who they are."""
    # No time of grace: what is half-way done is asked about once more.
    is_known = current_user.is_authenticated
    return bool(is_known and check_and_update_authn_fresh(accounts.FRESH, timedelta()))


def fresh_or_verify(onward: str) -> None:
    """Ends this request if the sign-in is too long ago: with a page to say so, or for a script 403."""
    if is_fresh():
        return
    if wants_json():
        abort(403, _("You signed in a while ago. Confirm that it is you, then do this once more."))
    abort(redirect(url_for("desk.verify", next=onward), 303))


@bp.route("/me/verify", methods=["GET", "POST"])
def verify() -> ResponseReturnValue:
    """Says once more who one is: by password, by a code where there is none, or by a passkey."""
    onward = local(request.values.get("next") or url_for("desk.me"))
    if request.method == "GET":
        return _verify_page(VerifyForm(), onward)
    if "credential" in request.form:
        return _verify_by_passkey(onward)
    form = VerifyForm()
    if not form.validate():
        return _verify_page(form, onward)
    account = ways_in.account_of(current_user.email)
    tried = ways_in.take(account, current_user)
    if tried.wait:
        page = _verify_page(form, onward, ways_in.waiting(tried.wait))
        return page, 429, {"Retry-After": str(tried.wait)}
    is_right, counter = _look_at(form)
    with database.writing() as session:
        if is_right and counter is not None:
            is_right = second_step.use(session, current_user.id, counter)
        if is_right:
            attempts.forgive(session, account, ways_in.place_of(current_user))
            events.record(session, What.VERIFIED, current_user)
        else:
            ways_in.record_failure(session, tried, current_user.email)
    if not is_right:
        return _verify_page(form, onward, _("This is not right. Try once more."))
    return _verified(onward)


def _look_at(form: VerifyForm) -> tuple[bool, int | None]:
    """Whether what was typed is right, as far as no transaction is needed; and the app's code."""
    if current_user.password:
        return accounts.has_password(current_user, form.password.data or ""), None
    counter = ways_in.code_counter(current_user, form.code.data or "")
    return counter is not None, counter


def _verify_by_passkey(onward: str) -> ResponseReturnValue:
    form = PasskeyForm()
    if not form.validate():
        abort(400)
    try:
        signed = ways_in.check_passkey(form.credential.data or "")
        if signed.moderator_id != current_user.id:
            raise passkeys.Refused
        with database.writing() as session:
            passkeys.use(session, signed)
            events.record(session, What.VERIFIED, current_user, "passkey")
    except passkeys.Refused:
        return _verify_page(VerifyForm(formdata=None), onward, _("This passkey could not be used."))
    return _verified(onward)


def _verified(onward: str) -> ResponseReturnValue:
    cookie["fs_paa"] = time.time()
    return redirect(onward, 303)


def _verify_page(form: VerifyForm, onward: str, refused: str = "") -> str:
    return render_template(
        "desk/verify.html",
        form=form,
        onward=onward,
        refused=refused,
        key_form=PasskeyForm(formdata=None),
        has_passkey=bool(passkeys.of(database.session(), current_user.id)),
    )


# The page


@bp.get("/me/")
def me() -> ResponseReturnValue:
    return _me_page()


def _me_page(
    name_form: NameForm | None = None,
    password_form: ChangePasswordForm | None = None,
    key_form: PasskeyNameForm | None = None,
    refused: str = "",
) -> str:
    session = database.session()
    return render_template(
        "desk/me.html",
        name_form=name_form or NameForm(formdata=None, name=current_user.name),
        password_form=password_form or ChangePasswordForm(formdata=None),
        key_form=key_form or PasskeyNameForm(formdata=None),
        is_fresh=is_fresh(),
        keys=passkeys.of(session, current_user.id),
        has_second_step=second_step.is_set(session, current_user),
        codes_left=second_step.codes_left(session, current_user.id),
        visits=visits.going_on(session, current_user.id),
        refused=refused,
        said=SAID.get(request.args.get("said", ""), ""),
    )


SAID = {
    "name": _l("Your name is changed."),
    "password": _l("Your password is changed. You are signed out everywhere else."),
    "app": _l("The app is set up. From now on you are asked for its code when you sign in."),
    "app-off": _l("The app is no longer asked for."),
    "key": _l("The passkey is added. You can sign in with it from now on."),
    "key-off": _l("The passkey is removed."),
    "letters": _l("It is changed. What waits for you already keeps to it too."),
    "links": _l("It is changed, for letters that you have already too."),
    "ended": _l("The session is ended. Nothing more can be done from that browser."),
    "others": _l("All other sessions are ended."),
}


def _back(said: str) -> ResponseReturnValue:
    return redirect(url_for("desk.me", said=said), 303)


@bp.post("/me/name")
def rename() -> ResponseReturnValue:
    form = NameForm()
    if not form.validate():
        return _me_page(name_form=form), 422
    with database.writing() as session:
        events.record(session, What.NAME_CHANGED, current_user, form.name.data or "")
        session.get_one(Moderator, current_user.id).name = form.name.data or ""
    return _back("name")


@bp.post("/me/password")
def change_password() -> ResponseReturnValue:
    """Asks for the present one; who has none yet has signed in lately."""
    form = ChangePasswordForm(current_user.email, current_user.name)
    if not current_user.password:
        fresh_or_verify(url_for("desk.me"))
    if not form.validate():
        return _me_page(password_form=form), 422
    account = ways_in.account_of(current_user.email)
    if current_user.password:
        tried = ways_in.take(account, current_user)
        if tried.wait:
            return _me_page(refused=ways_in.waiting(tried.wait)), 429
        if not accounts.has_password(current_user, form.present.data or ""):
            ways_in.failed(tried, current_user.email)
            form.present.errors = [_("This is not your present password.")]
            return _me_page(password_form=form), 422
    hashed = accounts.hashed(form.password.data or "")
    with database.writing() as session:
        found = session.get_one(Moderator, current_user.id)
        found.came_from = current_user.came_from
        attempts.forgive(session, account, ways_in.place_of(found))
        people.set_password(session, found, hashed, but=current_user.visit_id)
        cookie["_user_id"] = found.fs_uniquifier  # this browser stays signed in
    cookie["fs_paa"] = time.time()
    return _back("password")


# The app


@bp.post("/me/app")
def begin_app() -> ResponseReturnValue:
    """A new secret, kept encrypted in this browser's session until a code shows that it arrived."""
    if not SignInForm().validate():
        abort(400)
    fresh_or_verify(url_for("desk.me"))
    cookie[NEW_SECRET] = second_step.new_secret(vault())
    return redirect(url_for("desk.app"), 303)


@bp.get("/me/app")
def app() -> ResponseReturnValue:
    if not cookie.get(NEW_SECRET):
        return redirect(url_for("desk.me"), 303)
    return _app_page(CodeForm(formdata=None))


def _app_page(form: CodeForm, refused: str = "") -> str:
    spelt = second_step.spelt(vault(), cookie[NEW_SECRET])
    return render_template("desk/app.html", form=form, spelt=spelt, refused=refused)


@bp.get("/me/app.svg")
def app_picture() -> ResponseReturnValue:
    """The QR code, as a picture of its own: the page's policy allows none inside the page."""
    if not cookie.get(NEW_SECRET):
        return redirect(url_for("desk.me"), 303)
    drawn = second_step.picture(vault(), cookie[NEW_SECRET], current_user.email)
    return Response(drawn, mimetype="image/svg+xml")


@bp.post("/me/app/confirm")
def confirm_app() -> ResponseReturnValue:
    form = CodeForm()
    fresh_or_verify(url_for("desk.app"))
    secret = cookie.get(NEW_SECRET)
    if not secret:
        return redirect(url_for("desk.me"), 303)
    if not form.validate():
        return _app_page(form), 422
    counter = second_step.counter(vault(), secret, form.code.data or "", None)
    if counter is None:
        said = _("This is not the code that the app shows now. Look whether its clock is right.")
        return _app_page(form, said), 422
    with database.writing() as session:
        second_step.switch_on(session, current_user.id, secret, counter)
        events.record(session, What.SECOND_STEP_ADDED, current_user)
        codes = _first_codes(session)
    cookie.pop(NEW_SECRET)
    return _codes_page(codes, "app") if codes else _back("app")


@bp.post("/me/app/remove")
def remove_app() -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    fresh_or_verify(url_for("desk.me"))
    with database.writing() as session:
        if second_step.switch_off(session, current_user.id):
            events.record(session, What.SECOND_STEP_REMOVED, current_user)
    return _back("app-off")


# Recovery codes


@bp.post("/me/codes")
def codes() -> ResponseReturnValue:
    """Ten new ones, shown in this answer and never again."""
    if not SignInForm().validate():
        abort(400)
    fresh_or_verify(url_for("desk.me"))
    with database.writing() as session:
        if not second_step.is_set(session, session.get_one(Moderator, current_user.id)):
            abort(409, _("Set up an app or a passkey first: the codes stand in for these."))
        made = _new_codes(session)
    return _codes_page(made)


def _first_codes(session: Any) -> list[str]:
    """Codes for who has a second step now and no codes yet."""
    return [] if second_step.codes_left(session, current_user.id) else _new_codes(session)


def _new_codes(session: Any) -> list[str]:
    events.record(session, What.CODES_MADE, current_user)
    return second_step.new_codes(session, vault(), current_user.id)


def _codes_page(made: list[str], said: str = "") -> str:
    return render_template("desk/codes.html", codes=made, said=SAID.get(said, ""))


# Passkeys


@bp.post("/me/passkeys/options")
def new_passkey_options() -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    fresh_or_verify(url_for("desk.me"))
    keys = passkeys.of(database.session(), current_user.id)
    ceremony = ways_in.ceremony()
    options = ceremony.to_add(vault(), current_user.id, current_user.email, keys)
    return jsonify(ways_in.keep_challenge(options))


@bp.post("/me/passkeys")
def add_passkey() -> ResponseReturnValue:
    form = PasskeyNameForm()
    fresh_or_verify(url_for("desk.me"))
    if not form.validate():
        return _me_page(key_form=form), 422
    try:
        challenge = ways_in.taken_challenge()
        answer, name = form.credential.data or "", form.key_name.data or ""
        key = ways_in.ceremony().added(current_user.id, challenge, answer, name)
        with database.writing() as session:
            passkeys.spend(session, challenge)
            if len(passkeys.of(session, current_user.id)) >= passkeys.MOST:
                abort(409, _("You have a great many passkeys. Remove one first."))
            session.add(key)
            events.record(session, What.PASSKEY_ADDED, current_user, name)
            session.flush()
            codes = _first_codes(session)
    except passkeys.Refused:
        return _me_page(refused=_("The passkey could not be added. Try once more.")), 422
    return _codes_page(codes, "key") if codes else _back("key")


@bp.post(f"/me/passkeys/<int(max={LARGEST_ID}):key_id>/remove")
def remove_passkey(key_id: int) -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    fresh_or_verify(url_for("desk.me"))
    with database.writing() as session:
        name = passkeys.remove(session, current_user.id, key_id)
        if name is None:
            abort(404)
        second_step.tidy(session, current_user.id)
        events.record(session, What.PASSKEY_REMOVED, current_user, name)
    return _back("key-off")


# Sessions


@bp.post(f"/me/sessions/<int(max={LARGEST_ID}):visit_id>/end")
def end_visit(visit_id: int) -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        ended = visits.end(session, current_user.id, visit_id) or abort(404)
        about = f"{ended.browser}, {ended.network}"
        events.record(session, What.SESSION_ENDED, current_user, about)
    return _back("ended")


@bp.post("/me/sessions/end-others")
def end_other_visits() -> ResponseReturnValue:
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        ended = visits.end_all(session, current_user.id, but=current_user.visit_id)
        events.record(session, What.SESSION_ENDED, current_user, f"{ended} others")
    return _back("others")
