"""The way back for who forgot the password: a letter with a link, to the address of the account.

The page says the same of every address. How often is counted for each, whether it has an account or
not, whatever network asks: nobody's mailbox is filled from many places. What was asked for in a row
is one letter, for a later link ends the earlier one and its letter with it.
"""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from ... import attempts, database, people
from ... import mail as post_office
from ...models import now
from ..limits import FORGETTING, limiter
from .browsers import network
from .door import bp
from .forms import AddressForm
from .tries import account_of, too_often, waiting

EVERYWHERE = "everywhere"  # the place that counts, of all networks together


@bp.route("/forgotten", methods=["GET", "POST"])
@limiter.limit(FORGETTING, methods=["POST"])
def forgotten() -> ResponseReturnValue:
    has_mail = not post_office.lacks(current_app.config)
    form = AddressForm()
    if not has_mail or not form.validate_on_submit():
        return _page(form, has_mail=has_mail)
    typed = form.email.data or ""
    account = account_of(typed, "forgotten")
    with database.writing() as session:
        tried = attempts.take(session, account, EVERYWHERE, now())
        person = people.account_of(session, typed)
        if person and not tried.wait:
            people.ask_reset(session, person, network())
    if tried.wait:
        return too_often(tried, _page(form, refused=waiting(tried.wait)))
    return _page(form, is_sent=True)


def _page(
    form: AddressForm, has_mail: bool = True, is_sent: bool = False, refused: str = ""
) -> str:
    return render_template(
        "accounts/forgotten.html",
        form=form,
        has_mail=has_mail,
        is_sent=is_sent,
        refused=refused,
        minutes=people.ASKED_LASTS.seconds // 60,
    )
