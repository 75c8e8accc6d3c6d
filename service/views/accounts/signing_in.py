"""The way in by a password."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from ... import accounts, database, first
from ..desk import local
from ..limits import SIGNING_IN, limiter
from .browsers import knocking_from
from .door import go_on
from .forms import PasskeyForm, PasswordForm
from .tries import account_of, failed, take, too_often, waiting


@limiter.limit(SIGNING_IN, key_func=knocking_from, methods=["POST"])
def sign_in_by_password() -> ResponseReturnValue:
    form = PasswordForm()
    onward = local(request.values.get("next", ""))
    if current_user.is_authenticated:
        return redirect(onward, 303)
    if request.method == "GET":
        return login_page(form, onward)
    if not form.validate():
        return login_page(form, onward)
    typed = form.email.data or ""
    account = account_of(typed)
    moderator = accounts.by_email(database.session(), typed)
    tried = take(account, moderator)
    if tried.wait:
        return too_often(tried, login_page(form, onward, waiting(tried.wait)))
    is_right = accounts.has_password(moderator, form.password.data or "")
    if moderator is None or not is_right:
        failed(tried, typed)
        said = _(
            "This email address and password do not belong together. Check both and try once more."
        )
        if tried.next_wait:
            said = f"{said} {waiting(tried.next_wait)}"
        return login_page(form, onward, said)
    return go_on(moderator, "password", onward, account)


def login_page(form: PasswordForm, onward: str, refused: str = "") -> str:
    has_place = bool(request.values.get("next")) and onward != url_for("desk.queue")
    return render_template(
        "accounts/login.html",
        form=form,
        onward=onward if has_place else "",
        refused=refused,
        key_form=PasskeyForm(),
        is_empty=first.is_needed(database.session()),
    )
