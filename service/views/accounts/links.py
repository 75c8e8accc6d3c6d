"""The ways in by a link that works once: the operator's, an invitation, a new password."""

import ipaddress
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from ... import accounts, database, people
from ...accounts import Key, Moderator, Named, Purpose
from .. import headers
from ..forms import SignInForm
from ..limits import SIGNING_IN, limiter
from .browsers import network, signer
from .door import admit, bp, go_on, leave, let_in
from .forms import JoinForm, NewPasswordForm

USED_LINK = _l("This link has been used, is too old or was taken back. Ask for a new one.")


def is_loopback(address: str | None) -> bool:
    """Whether the client sits at this very machine."""
    return bool(address) and ipaddress.ip_address(address or "").is_loopback


def signed(purpose: Purpose, secret: str) -> str:
    """A link's secret as it stands in the link: signed, for this purpose only. What nobody signed
    never reaches the database; what stands there is a digest."""
    return signer().sign(purpose.by_secret, secret)


def key_of(purpose: Purpose, token: str) -> Key:
    """What a link opens, by the secret in it or, where it came in a letter, by name; or the end of
    this request."""
    if secret := signer().read(purpose.by_secret, token):
        return str(secret)
    named = signer().read(purpose.by_letter, token)
    return Named.read(str(named or abort(404, str(USED_LINK))))


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


@bp.route("/join/<invitation>", methods=["GET", "POST"])
@limiter.limit(SIGNING_IN, methods=["POST"])
def join(invitation: str) -> ResponseReturnValue:
    """Takes an invitation up. Who has an account already signs in with it first."""
    session = database.session()
    key = key_of(Purpose.JOIN, invitation)
    invited = people.invitation(session, key) or abort(404, str(USED_LINK))
    known = people.account_of(session, invited.email)
    is_mine = bool(known and current_user.is_authenticated and current_user.id == known.id)
    form = SignInForm() if known else JoinForm(invited.email)
    if request.method == "POST" and form.validate() and (is_mine or not known):
        return _joined(key, form, current_user if is_mine else None)
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


def _joined(key: Key, form: Any, signed_in: Moderator | None) -> ResponseReturnValue:
    hashed = None if signed_in else accounts.hashed(form.password.data)
    name = "" if signed_in else form.name.data
    try:
        with database.writing() as session:
            joined = people.join(session, key, name, hashed, signed_in, network())
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
    key = key_of(Purpose.RESET, reset_link)
    link = people.reset_link(database.session(), key) or abort(404, str(USED_LINK))
    owner = link.moderator
    form = NewPasswordForm(owner.email, owner.name)
    if request.method == "GET" or not form.validate():
        page = render_template("accounts/reset.html", form=form, email=owner.email)
        return headers.keep_private(make_response(page))
    hashed = accounts.hashed(form.password.data or "")
    with database.writing() as session:
        is_here = is_loopback(request.remote_addr)
        used = people.use_reset(session, key, is_here) or abort(404, str(USED_LINK))
        used.came_from = network()
        people.set_password(session, used, hashed)
        moderator_id = used.id
    moderator = database.session().get_one(Moderator, moderator_id)
    return go_on(moderator, "reset link", url_for("desk.queue"))
