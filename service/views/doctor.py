"""The doctor at the desk: what is right about the comments on a page, and what is to be mended."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import Field, StringField, ValidationError
from wtforms.validators import DataRequired

from .. import database, doctor, urls
from ..models import Article, Site
from .desk import bp
from .forms import trimmed
from .here import served_at
from .limits import EXAMINING, limiter
from .sites import site_or_refuse

NEWEST = (Article.last_at.desc().nulls_last(), Article.id.desc())
LATEST = 50  # articles among which one on the site's own pages is looked for


class AddressForm(FlaskForm):
    url = StringField(
        _l("Address of an article"),
        filters=[trimmed],
        validators=[DataRequired(_l("Enter the address of one of your articles."))],
        render_kw={"dir": "ltr", "inputmode": "url", "autocomplete": "url"},
    )

    def validate_url(self, field: Field) -> None:
        try:
            urls.canonical(field.data)
        except urls.NotAnAddress:
            raise ValidationError(
                _("Enter an address that begins with https:// or http://.")
            ) from None


@bp.get("/sites/<key>/doctor", endpoint="doctor")
def ask(key: str) -> ResponseReturnValue:
    """Asks for an article; the one that was written under last stands there already."""
    session = database.session()
    site = site_or_refuse(session, key)
    newest = select(Article.url).where(Article.site_id == site.id).order_by(*NEWEST).limit(LATEST)
    within = (url for url in session.scalars(newest) if urls.is_within(url, site.origins))
    return _page(site, AddressForm(url=next(within, "")))


@bp.post("/sites/<key>/doctor", endpoint="doctor_look")
@limiter.limit(EXAMINING)
def look(key: str) -> ResponseReturnValue:
    """Fetches the page and says what is so. Nothing is stored."""
    site = site_or_refuse(database.session(), key)
    form = AddressForm()
    if not form.validate():
        return _page(site, form), 422
    own = current_app.config["BASE_URL"]
    base = served_at()
    origins, url = list(site.origins), form.url.data or ""
    database.forget()  # the page may take seconds: no connection waits for it
    try:
        seen = doctor.visit(current_app.extensions["outbound"], origins, url, own, key)
    except doctor.Lost as lost:
        return _page(site_or_refuse(database.session(), key), form, lost=lost)
    session = database.session()
    site = site_or_refuse(session, key)
    return _page(site, form, findings=doctor.examine(session, site, seen, base))


def _page(
    site: Site,
    form: AddressForm,
    findings: list[doctor.Finding] | None = None,
    lost: doctor.Lost | None = None,
) -> str:
    return render_template(
        "desk/doctor.html", site=site, form=form, findings=findings, lost=lost, states=doctor.State
    )
