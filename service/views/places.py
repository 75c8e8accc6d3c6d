"""An article at the desk: closed to new comments, or each of them held."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import HiddenField
from wtforms.validators import DataRequired

from .. import closing, database, desk
from ..models import Article, now
from ..site_settings import SiteSettings
from .desk import LARGEST_ID, bp, local
from .errors import wants_json

# What can be said of an article: the verb, and whether it is so afterwards.
ARTICLE_ACTIONS = {
    "close": (closing.close, True),
    "open": (closing.close, False),
    "hold": (closing.hold, True),
    "release": (closing.hold, False),
}


class ActionForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])


def article_or_404(session: Session, article_id: int) -> Article:
    """An article on one of this moderator's sites, or the end of this request."""
    return desk.find_article(session, current_user, article_id) or abort(404)


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
