"""An article and a site at the desk: closed to new comments, or each of them held; public reasons."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from .. import accounts, closing, database, desk, text
from ..models import Article, Site, now
from ..settings import SiteSettings
from ..status import Role
from .desk import LARGEST_ID, bp, local, may_publish
from .errors import wants_json

# What can be said of an article: the verb, and whether it is so afterwards.
ARTICLE_ACTIONS = {
    "close": (closing.close, True),
    "open": (closing.close, False),
    "hold": (closing.hold, True),
    "release": (closing.hold, False),
}
LONGEST_REASON = 300  # characters
MOST_REASONS = 30


class ActionForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])


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


def article_or_404(session: Session, article_id: int) -> Article:
    """An article on one of this moderator's sites, or the end of this request."""
    return desk.find_article(session, current_user, article_id) or abort(404)


def site_or_refuse(session: Session, key: str) -> Site:
    """A site whose settings this moderator keeps, or the end of this request."""
    site = session.scalar(select(Site).where(Site.key == key)) or abort(404)
    if not accounts.may(current_user, site.id, Role.PUBLISHER):
        abort(403)
    return site


@bp.get(f"/articles/<int(max={LARGEST_ID}):article_id>")
def article(article_id: int) -> ResponseReturnValue:
    found = article_or_404(database.session(), article_id)
    settings = SiteSettings.read(found.site.settings)
    ends_at = settings.closes_at(found.created_at)
    return render_template(
        "desk/article.html",
        article=found,
        is_site_held=settings.hold_all,
        days=settings.close_after_days,
        ends_at=ends_at,
        is_too_old=ends_at is not None and ends_at <= now(),
        pinned=desk.pinned(database.session(), found),
        next=local(request.args.get("next", "")),
    )


@bp.post(f"/articles/<int(max={LARGEST_ID}):article_id>/set")
def set_article(article_id: int) -> ResponseReturnValue:
    """Closes or opens it, holds what comes or no longer."""
    form = ActionForm()
    if not form.validate() or form.action.data not in ARTICLE_ACTIONS:
        abort(400)
    verb, is_so = ARTICLE_ACTIONS[form.action.data]
    with database.writing() as session:
        verb(session, article_or_404(session, article_id), is_so, current_user)
    if wants_json():
        found = article_or_404(database.session(), article_id)
        return {"closed": bool(found.closed_at), "held": bool(found.held_at)}
    return redirect(url_for(".article", article_id=article_id, next=request.form.get("next")), 303)


@bp.get("/sites")
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
