"""A site's services outside, at the desk: whether they are asked, with which key, and a try."""

from flask import abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField, ValidationError
from wtforms.validators import Length

from .. import database, outbound, outside
from ..models import Site
from ..outside import choice
from ..rules import Opinion
from ..status import Status
from .desk import bp
from .forms import SignInForm, trimmed
from .sites import site_or_refuse

SAID = {
    Status.APPROVED: _l("It answered: it has nothing against the comment."),
    Status.PENDING: _l("It answered: the comment should wait."),
    Status.SPAM: _l("It answered: it takes the comment for spam."),
}


class AkismetForm(FlaskForm):
    is_on = BooleanField(_l("Ask Akismet about every new comment"))
    key = PasswordField(
        _l("Key"),
        filters=[trimmed],
        validators=[Length(max=100, message=_l("A key has at most %(max)d characters."))],
        render_kw={"autocomplete": "off"},
    )
    tells_email = BooleanField(_l("Tell it e-mail addresses"))
    tells_client = BooleanField(_l("Tell it whole IP addresses"))


class HookForm(FlaskForm):
    is_on = BooleanField(_l("Ask your own service about every new comment"))
    url = StringField(
        _l("Address"),
        filters=[trimmed],
        validators=[Length(max=500, message=_l("An address has at most %(max)d characters."))],
        render_kw={"dir": "ltr", "inputmode": "url", "autocomplete": "off"},
    )

    def validate_url(self, field: StringField) -> None:
        try:
            if field.data:
                current_app.extensions["outbound"].check(field.data)
        except outbound.Refused:
            raise ValidationError(
                _l(
                    "Enter an address like https://example.org/check, on the public internet and "
                    "without a password in it."
                )
            ) from None


@bp.get("/sites/<key>/outside", endpoint="outside")
def page(key: str) -> ResponseReturnValue:
    return _page(site_or_refuse(database.session(), key))


@bp.post("/sites/<key>/outside/akismet")
def set_akismet(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    form = AkismetForm(prefix="akismet")
    if not form.validate():
        return _page(site, akismet=form)
    try:
        with database.writing() as session:
            choice.set_akismet(
                session,
                current_app.extensions["vault"],
                site_or_refuse(session, key),
                current_user,
                is_on=form.is_on.data,
                key=form.key.data or "",
                tells_email=form.tells_email.data,
                tells_client=form.tells_client.data,
            )
    except ValueError:
        form.key.errors = [_("Enter the key that Akismet gave you for this site.")]
        return _page(site_or_refuse(database.session(), key), akismet=form)
    return redirect(url_for(".outside", key=key, saved="yes"), 303)


@bp.post("/sites/<key>/outside/hook")
def set_hook(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    form = HookForm(prefix="hook")
    if not form.validate():
        return _page(site, hook=form)
    vault, is_on, url = current_app.extensions["vault"], form.is_on.data, form.url.data or ""
    try:
        with database.writing() as session:
            kept = site_or_refuse(session, key)
            secret = choice.set_hook(session, vault, kept, current_user, is_on=is_on, url=url)
    except ValueError:
        form.url.errors = [_("Enter the address of your service.")]
        return _page(site_or_refuse(database.session(), key), hook=form)
    if secret:  # shown in this answer, and never again
        return _page(site_or_refuse(database.session(), key), secret=secret)
    return redirect(url_for(".outside", key=key, saved="yes"), 303)


@bp.post("/sites/<key>/outside/secret")
def renew_secret(key: str) -> ResponseReturnValue:
    """A new secret in the old one's place, shown in this answer and never again."""
    site_or_refuse(database.session(), key)
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        kept = site_or_refuse(session, key)
        secret = choice.renew_secret(session, current_app.extensions["vault"], kept, current_user)
    return _page(site_or_refuse(database.session(), key), secret=secret)


@bp.post("/sites/<key>/outside/try")
def try_outside(key: str) -> ResponseReturnValue:
    """Asks about a comment that is made up, and shows what came back."""
    site = site_or_refuse(database.session(), key)
    if not SignInForm().validate():
        abort(400)
    found = outside.of(current_app.extensions["vault"], site)
    question = outside.made_up(site)
    database.forget()
    opinions = outside.ask(current_app.extensions["outbound"], found, question)
    tried = [(_named(opinion), _said(opinion)) for opinion in opinions]
    return _page(site_or_refuse(database.session(), key), tried=tried)


def _named(opinion: Opinion) -> str:
    return str(_("Akismet") if opinion.source == "akismet" else _("Your own service"))


def _said(opinion: Opinion) -> str:
    if opinion.status is None:
        held = _("It could not be asked: %(why)s. Comments wait while that is so.", why=opinion.why)
        return str(held)
    reason = f" “{opinion.why}”" if opinion.why else ""
    return f"{SAID[opinion.status]}{reason}"


def _page(
    site: Site,
    akismet: AkismetForm | None = None,
    hook: HookForm | None = None,
    secret: str = "",
    tried: list[tuple[str, str]] | None = None,
) -> ResponseReturnValue:
    found = outside.of(current_app.extensions["vault"], site)
    page = render_template(
        "desk/outside.html",
        site=site,
        chosen=found,
        akismet=akismet or AkismetForm(None, obj=found.akismet, prefix="akismet"),
        hook=hook or HookForm(None, obj=found.hook, prefix="hook"),
        secret=secret,
        tried=tried,
    )
    answer = current_app.make_response(page)
    answer.status_code = 422 if akismet or hook else 200
    answer.headers["Cache-Control"] = "no-store"  # it may hold a secret
    return answer
