"""The sites that a publisher keeps, and the pages that each of them has at the desk."""

from typing import Any

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import Length

from .. import accounts, closing, database, desk, text
from ..models import Site
from ..site_settings import SiteSettings
from ..status import Role
from .desk import bp, may_publish
from .places import ActionForm

# The pages that each site has, in the order of their tabs: an endpoint that takes the site's key.
PAGES: dict[str, Any] = {
    "desk.embed": _l("Embed"),
    "desk.rules_of": _l("Rules"),
    "desk.outside": _l("Services outside"),
}
LONGEST_REASON = 300  # characters
MOST_REASONS = 30


class ReasonsForm(FlaskForm):
    """A site's public reasons, one a line."""

    public_reasons = TextAreaField(
        _l("Public reasons"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[Length(max=MOST_REASONS * LONGEST_REASON)],
    )

    @property
    def written(self) -> str:
        """Without empty lines, each as long as a reason may be."""
        lines = [
            line.strip()[:LONGEST_REASON] for line in (self.public_reasons.data or "").split("\n")
        ]
        return "\n".join(list(filter(None, lines))[:MOST_REASONS])


@bp.app_context_processor
def _site_pages() -> dict[str, Any]:
    return {"site_pages": PAGES}


def site_or_refuse(session: Session, key: str) -> Site:
    """A site whose settings this moderator keeps, or the end of this request."""
    site = session.scalar(select(Site).where(Site.key == key)) or abort(404)
    if not accounts.may(current_user, site.id, Role.PUBLISHER):
        abort(403)
    return site


@bp.get("/sites/")
def sites() -> ResponseReturnValue:
    """The sites that a publisher keeps: what is held there, and the reasons that authors may read."""
    if not may_publish():
        abort(403, _("Publishers and administrators keep the settings of sites."))
    known = desk.sites(database.session(), current_user)
    kept = [site for site in known if accounts.may(current_user, site.id, Role.PUBLISHER)]
    settings = {site.key: SiteSettings.read(site.settings) for site in kept}
    return render_template("desk/sites.html", sites=kept, settings=settings)


@bp.post("/sites/<key>/hold")
def hold_site(key: str) -> ResponseReturnValue:
    """Has every new comment of a site wait for a moderator, or no longer."""
    form = ActionForm()
    if not form.validate() or form.action.data not in ("hold", "release"):
        site_or_refuse(database.session(), key)
        abort(400)
    with database.writing() as session:
        is_held = form.action.data == "hold"
        closing.hold_site(session, site_or_refuse(session, key), is_held, current_user)
    return redirect(url_for(".sites", _anchor=f"site-{key}"), 303)


@bp.post("/sites/<key>/reasons")
def set_reasons(key: str) -> ResponseReturnValue:
    """Writes a site's list of public reasons anew."""
    form = ReasonsForm()
    if not form.validate():
        site_or_refuse(database.session(), key)
        abort(400)
    with database.writing() as session:
        closing.set_reasons(session, site_or_refuse(session, key), form.written, current_user)
    return redirect(url_for(".sites", _anchor=f"site-{key}"), 303)
