"""The way in for the first admin, by the link that `flask setup` prints."""

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from ... import accounts, database, first, people
from ...accounts import Key, Purpose
from .. import headers
from ..limits import SIGNING_IN, limiter
from .browsers import network
from .door import admit, bp, leave, let_in
from .forms import FirstForm
from .links import USED_LINK, key_of


@bp.route("/first/<first_token>", methods=["GET", "POST"])
@limiter.limit(SIGNING_IN, methods=["POST"])
def first_admin(first_token: str) -> ResponseReturnValue:
    """Makes the first admin's account, and leads on to the first site."""
    key = key_of(Purpose.FIRST, first_token)
    if current_user.is_authenticated and current_user.is_admin:  # made it, and opens it once more
        return redirect(url_for("desk.begin"), 303)
    if not first.is_open(database.session(), key):
        abort(404, str(USED_LINK))
    form = FirstForm()
    if request.method == "POST" and form.validate():
        return _entered(key, form)
    return _page(form)


def _page(form: FirstForm) -> ResponseReturnValue:
    page = render_template("accounts/first.html", form=form)
    return headers.keep_private(make_response(page, 422 if form.errors else 200))


def _entered(key: Key, form: FirstForm) -> ResponseReturnValue:
    hashed = accounts.hashed(form.password.data or "")
    try:
        with database.writing() as session:
            admin = first.enter(session, key, form.address, form.name.data or "", hashed, network())
            leave(session)
            admin_id, visit = admin.id, admit(session, admin, "first link")
    except people.Unknown:
        abort(404, str(USED_LINK))
    except people.Taken:
        form.email.errors = [_("This address has an account here. Enter another one.")]
        return _page(form)
    let_in(admin_id, visit, "first link")
    return redirect(url_for("desk.begin"), 303)
