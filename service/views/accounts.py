"""The ways in: a password and a second step, a passkey, a link that works once, an invitation.

Nothing here says which addresses have an account. Passwords are hashed outside any transaction;
each try is counted before it is looked at (attempts.py).
"""

import ipaddress
import secrets
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_limiter.util import get_remote_address
from flask_security import current_user, login_user, logout_user
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy.orm import Session
from wtforms import EmailField, HiddenField, PasswordField, StringField, ValidationError
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
from ..accounts import Moderator, Purpose
from ..attempts import Try
from ..comments import network_of
from ..events import What
from ..models import now
from ..tokens import Signer
from ..vault import mask, normal
from . import headers, more, participation, reader, receipts
from .desk import local, vault
from .forms import EMAIL_LENGTH, NAME_LENGTH, SignInForm, Visible, line
from .limits import SIGNING_IN, limiter

bp = Blueprint("accounts", __name__, url_prefix="/desk")

HALF_WAY = 300  # seconds between the first step and the second
CEREMONY = 300  # seconds in which a passkey has to answer
KNOWN_COOKIE = "rejoinder_known"
KNOWN_FOR = timedelta(days=365)
KNOWN_MOST = 5  # accounts that one browser is known to
# A passkey is checked in no time, and nobody can guess one.
ASKING_PASSKEYS = "60 per minute"

FAULTS = {
    "short": _l("Use at least %(least)d characters.", least=passwords.LEAST),
    "long": _l("Use at most %(most)d characters.", most=passwords.MOST),
    "common": _l("This password is one of the first that anybody would try. Choose another."),
    "yours": _l("Choose a password that is not made of your name or address."),
}
USED_LINK = _l("This link has been used or is too old. Ask for a new one.")


class PasswordForm(FlaskForm):
    """Signing in. Only shape: what is wrong with the pair is never said."""

    email = EmailField(
        _l("Email"),
        filters=[line],
        validators=[DataRequired(_l("Enter your email address.")), Length(max=EMAIL_LENGTH)],
        render_kw={"autocomplete": "username", "dir": "ltr"},
    )
    password = PasswordField(
        _l("Password"),
        validators=[DataRequired(_l("Enter your password.")), Length(max=passwords.MOST)],
        render_kw={"autocomplete": "current-password", "dir": "ltr"},
    )
    next = HiddenField()


class CodeForm(FlaskForm):
    """The second step."""

    code = StringField(
        _l("Code"),
        filters=[line],
        validators=[DataRequired(_l("Enter a code.")), Length(max=40)],
        render_kw={
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
            "dir": "ltr",
        },
    )


class PasskeyForm(FlaskForm):
    """What a browser answers for a passkey."""

    credential = HiddenField(validators=[DataRequired(), Length(max=20_000)])
    next = HiddenField()


class NewPasswordForm(FlaskForm):
    """A new password. Takes words about its owner, which it may not consist of."""

    password = PasswordField(
        _l("New password"),
        validators=[DataRequired(_l("Choose a password."))],
        render_kw={"autocomplete": "new-password", "dir": "ltr"},
    )

    def __init__(self, *about: str, **kwargs: Any) -> None:
        self.about = about
        super().__init__(**kwargs)

    def validate_password(self, field: Any) -> None:
        if fault := passwords.fault(field.data, self.about):
            raise ValidationError(FAULTS[fault])


class JoinForm(NewPasswordForm):
    name = StringField(
        _l("Name"),
        filters=[line],
        validators=[
            DataRequired(_l("Enter the name that your colleagues know you by.")),
            Length(max=NAME_LENGTH),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"autocomplete": "name", "dir": "auto"},
    )

    def validate_password(self, field: Any) -> None:
        self.about = (*self.about, self.name.data or "")
        super().validate_password(field)


# Where somebody stands


def network() -> str:
    return network_of(request.remote_addr or "")


def is_loopback(address: str | None) -> bool:
    """Whether the client sits at this very machine."""
    return bool(address) and ipaddress.ip_address(address or "").is_loopback


def _signer() -> Signer:
    return cast(Signer, current_app.extensions["signer"])


def known_browser() -> tuple[str, list[int]]:
    """This browser's own id, and whose accounts it has signed in to; nothing if to none."""
    value = _signer().read("known browser", request.cookies.get(KNOWN_COOKIE, ""))
    return (value[0], value[1]) if isinstance(value, list) else ("", [])


def place_of(moderator: Moderator | None) -> str:
    """Where a try comes from: a browser that is known to the account, else the network."""
    browser, accounts_known = known_browser()
    is_known = moderator is not None and moderator.id in accounts_known
    return attempts.KNOWN + browser if is_known else network()


def knocking_from() -> str:
    """Whom a rate limit counts: a known browser by itself, so that nobody beside it in the same
    network can use up what it may do."""
    return known_browser()[0] or get_remote_address()


def _remember_browser(moderator_id: int) -> None:
    browser, known = known_browser()
    value = [
        browser or secrets.token_urlsafe(12),
        [moderator_id, *(i for i in known if i != moderator_id)][:KNOWN_MOST],
    ]

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            KNOWN_COOKIE,
            _signer().sign("known browser", value),
            max_age=KNOWN_FOR,
            path=accounts.DeskSessions.PATH,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def waiting(seconds: int) -> str:
    """How long somebody has to wait, in words."""
    if seconds < 120:
        span = ngettext("%(num)d second", "%(num)d seconds", seconds)
    else:
        span = ngettext("%(num)d minute", "%(num)d minutes", -(-seconds // 60))
    return str(_("Somebody tried too often. Wait %(span)s, then try once more.", span=span))


def account_of(typed: str, purpose: str = "account") -> bytes:
    return vault().digest(purpose, normal(typed))


def take(account: bytes, moderator: Moderator | None) -> Try:
    with database.writing() as session:
        return attempts.take(session, account, place_of(moderator), now())


def failed(tried: Try, address: str) -> None:
    """Puts a failure on record: the network, and no more of the address than tells two apart."""
    with database.writing() as session:
        record_failure(session, tried, address)


def record_failure(session: Session, tried: Try, address: str) -> None:
    shown = mask(address)
    events.record(session, What.SIGN_IN_FAILED, "somebody", shown, network=network())
    if tried.next_wait:
        about = f"{shown}: {tried.next_wait} s"
        events.record(session, What.LOCKED_OUT, "somebody", about, network=network())


# Coming in


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
    _remember_browser(moderator_id)


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


@limiter.limit(SIGNING_IN, key_func=knocking_from, methods=["POST"])
def sign_in_by_password() -> ResponseReturnValue:
    form = PasswordForm()
    onward = local(request.values.get("next", ""))
    if current_user.is_authenticated:
        return redirect(onward, 303)
    if request.method == "GET":
        return _login_page(form, onward)
    if not form.validate():
        return _login_page(form, onward)
    typed = form.email.data or ""
    account = account_of(typed)
    moderator = accounts.by_email(database.session(), typed)
    tried = take(account, moderator)
    if tried.wait:
        return _too_often(tried, _login_page(form, onward, waiting(tried.wait)))
    is_right = accounts.has_password(moderator, form.password.data or "")
    if moderator is None or not is_right:
        failed(tried, typed)
        said = _(
            "This email address and password do not belong together. Check both and try once more."
        )
        if tried.next_wait:
            said = f"{said} {waiting(tried.next_wait)}"
        return _login_page(form, onward, said)
    return go_on(moderator, "password", onward, account)


def _login_page(form: PasswordForm, onward: str, refused: str = "") -> str:
    has_place = bool(request.values.get("next")) and onward != url_for("desk.queue")
    return render_template(
        "accounts/login.html",
        form=form,
        onward=onward if has_place else "",
        refused=refused,
        key_form=PasskeyForm(),
    )


def _too_often(tried: Try, page: str) -> ResponseReturnValue:
    return page, 429, {"Retry-After": str(tried.wait)}


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
        return _too_often(tried, _second_page(form, moderator, waiting(tried.wait)))
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


# Passkeys


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
    """The challenge that this browser was given, once; raises passkeys.Refused."""
    kept = cookie.pop("challenge", None)
    if not isinstance(kept, list) or time.time() - kept[1] > CEREMONY:
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
        moderator, key_id, count = check_passkey(answer)
    except passkeys.Refused:
        _record_passkey(answer)
        said = _("This passkey could not be used. Try once more, or sign in with your password.")
        return _login_page(PasswordForm(formdata=None), onward, said), 422
    with database.writing() as session:
        leave(session)
        found = session.get_one(Moderator, moderator.id)
        passkeys.use(session, key_id, count)
        visit = admit(session, found, "passkey")
    let_in(moderator.id, visit, "passkey")
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


def check_passkey(answer: str) -> tuple[Moderator, int, int]:
    """Whose passkey signed, which it is and how often it has been used; raises passkeys.Refused."""
    challenge = taken_challenge()
    key = passkeys.named_in(database.session(), answer)
    moderator = database.session().get(Moderator, key.moderator_id) if key else None
    if key is None or moderator is None or not moderator.active:
        raise passkeys.Refused
    return moderator, key.id, ceremony().signed(key, challenge, answer)


# By a link


@bp.get("/sign-in/<secret>")
def offer(secret: str) -> ResponseReturnValue:
    """Shows a button: programs that open every link in a mail sign nobody in."""
    link = accounts.find_link(database.session(), secret)
    if link is None:
        abort(404, str(USED_LINK))
    page = render_template("accounts/sign_in.html", form=SignInForm(), email=link.moderator.email)
    return headers.keep_private(make_response(page))


@bp.post("/sign-in/<secret>")
@limiter.limit(SIGNING_IN)
def sign_in(secret: str) -> ResponseReturnValue:
    """The operator's link stands for both steps: it is the way back for who lost everything."""
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        moderator = accounts.use_link(session, secret, is_loopback(request.remote_addr))
        if moderator is None:
            abort(404, str(USED_LINK))
        leave(session)
        moderator_id, visit = moderator.id, admit(session, moderator, "link")
    let_in(moderator_id, visit, "link")
    return redirect(url_for("desk.queue"), 303)


def signed(purpose: Purpose, secret: str) -> str:
    """A link's secret as it stands in the link: signed, for this purpose only. What nobody signed
    never reaches the database; what stands there is a digest."""
    return _signer().sign(f"{purpose} link", secret)


def secret_of(purpose: Purpose, token: str) -> str:
    """The secret in a link, or the end of this request."""
    return str(_signer().read(f"{purpose} link", token) or abort(404, str(USED_LINK)))


@bp.route("/join/<invitation>", methods=["GET", "POST"])
@limiter.limit(SIGNING_IN, methods=["POST"])
def join(invitation: str) -> ResponseReturnValue:
    """Takes an invitation up. Who has an account already signs in with it first."""
    session = database.session()
    secret = secret_of(Purpose.JOIN, invitation)
    invited = people.invitation(session, secret) or abort(404, str(USED_LINK))
    known = people.account_of(session, invited.email)
    is_mine = bool(known and current_user.is_authenticated and current_user.id == known.id)
    form = SignInForm() if known else JoinForm(invited.email)
    if request.method == "POST" and form.validate() and (is_mine or not known):
        return _joined(secret, form, current_user if is_mine else None)
    page = render_template(
        "accounts/join.html",
        form=form,
        email=invited.email,
        role=invited.role,
        site=people.site_of(session, invited),
        by=invited.by,
        known=known,
        is_mine=is_mine,
        here=url_for("accounts.join", invitation=invitation),
    )
    return headers.keep_private(
        make_response(page, 409 if known and request.method == "POST" else 200)
    )


def _joined(secret: str, form: Any, signed_in: Moderator | None) -> ResponseReturnValue:
    hashed = None if signed_in else accounts.hashed(form.password.data)
    name = "" if signed_in else form.name.data
    try:
        with database.writing() as session:
            joined = people.join(session, secret, name, hashed, signed_in, network())
            moderator_id = joined.id
            if signed_in is None:
                leave(session)
                visit = admit(session, joined, "invitation")
    except (people.Unknown, people.Taken):
        abort(404, str(USED_LINK))
    if signed_in is None:
        let_in(moderator_id, visit, "invitation")
    return redirect(url_for("desk.queue"), 303)


@bp.route("/reset/<reset_link>", methods=["GET", "POST"])
@limiter.limit(SIGNING_IN, methods=["POST"])
def reset(reset_link: str) -> ResponseReturnValue:
    """A new password for who has the link; the second step is still asked for."""
    secret = secret_of(Purpose.RESET, reset_link)
    link = accounts.find_link(database.session(), secret, Purpose.RESET) or abort(
        404, str(USED_LINK)
    )
    owner = link.moderator
    form = NewPasswordForm(owner.email, owner.name)
    if request.method == "GET" or not form.validate():
        page = render_template("accounts/reset.html", form=form, email=owner.email)
        return headers.keep_private(make_response(page))
    hashed = accounts.hashed(form.password.data or "")
    with database.writing() as session:
        used = accounts.use_link(
            session, secret, is_loopback(request.remote_addr), Purpose.RESET
        ) or abort(404, str(USED_LINK))
        used.came_from = network()
        people.set_password(session, used, hashed)
        moderator_id = used.id
    moderator = database.session().get_one(Moderator, moderator_id)
    return go_on(moderator, "reset link", url_for("desk.queue"))


# Going out, and being there


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


def keep_seen() -> None:
    """That somebody was there is kept with what they do, every five minutes at most. Looking at
    pages writes nothing: GET changes nothing."""
    if request.method in ("GET", "HEAD", "OPTIONS") or request.blueprint != "desk":
        return
    if not current_user.is_authenticated or now() - current_user.seen_at < visits.SEEN_EVERY:
        return
    with suppress(database.Busy), database.writing() as session:
        visits.touch(session, current_user.visit_id)


bp.before_app_request(keep_seen)


def init_app(app: Flask) -> None:
    csrf = CSRFProtect(app)
    csrf.exempt(reader.bp)  # anonymous, cookieless: its form signs its own token
    csrf.exempt(receipts.bp)
    csrf.exempt(participation.bp)
    for view in (more.edit, more.reply):  # their forms ask for it, and give back what was typed
        csrf.exempt(view)
    # Flask-Security's URLs and names, our own way: its view knows neither visits nor attempts.
    app.view_functions["security.login"] = sign_in_by_password
    app.view_functions["security.logout"] = sign_out
