"""Asking colleagues: a second opinion from anybody, or a comment left to one of them. Both say so
on the card, lock nothing, and end with any decision."""

from collections.abc import Sequence
from typing import Any

from flask import abort, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import Length, Optional

from .. import colleagues, database, desk, moderation, text
from ..accounts import Moderator
from ..models import Comment
from .cards import one, too_late
from .desk import TABS, bp, comment_or_404, local, vault
from .errors import wants_json

# A list of its own beside those of the statuses: what waits for me in person.
MINE = "mine"


class HandoverForm(FlaskForm):
    action = HiddenField()  # "ask" anybody, "hand" to one, or take it "back"
    to = HiddenField()
    note = StringField(
        _l("Note"),
        filters=[lambda typed: text.normalise(typed or "").strip()],
        validators=[Optional(), Length(max=500)],
    )


@bp.get("/mine")
def mine() -> ResponseReturnValue:
    session = database.session()
    wanted = colleagues.mine(session, current_user)
    return render_template(
        "desk/mine.html",
        cards=desk.some(session, vault(), current_user, wanted),
        sites=desk.sites(session, current_user),
        last=desk.last_decisions(session, current_user),
        statuses=TABS,
        status=MINE,
        site="",
    )


@bp.post("/comments/<public_id>/handover")
def handover(public_id: str) -> ResponseReturnValue:
    form = HandoverForm()
    comment = comment_or_404(database.session(), public_id)
    if not form.validate() or form.action.data not in ("ask", "hand", "back"):
        abort(400)
    to = _chosen(comment, form.to.data or "") if form.action.data == "hand" else None
    if form.action.data == "hand" and to is None:
        return _refused(public_id, _("Choose the colleague whom you leave this to."), 422)
    try:
        with database.writing() as session:
            found = comment_or_404(session, public_id)
            if form.action.data == "back":
                asked = moderation.take_back(session, found, current_user)
            else:
                asked = moderation.hand(session, found, current_user, to, form.note.data or "")
    except moderation.Stale:
        return too_late(public_id, "handover")
    if asked is None:
        return _refused(public_id, _("This is not with a colleague any more."), 409)
    if not wants_json():
        return redirect(local(request.form.get("next", "")), 303)
    return {"id": public_id, "said": _done(form.action.data, to)}


def team(comment: Comment) -> Sequence[Moderator]:
    """The colleagues who may decide on a comment; looked up once for each site on a page."""
    known: dict[int, Sequence[Moderator]] = g.setdefault("teams", {})
    if comment.site_id not in known:
        session = database.session()
        known[comment.site_id] = colleagues.team(session, current_user, comment.site_id)
    return known[comment.site_id]


def _chosen(comment: Comment, sent: str) -> Moderator | None:
    """Whom somebody picked; None for anybody who may not decide on this comment."""
    return next((one for one in team(comment) if str(one.id) == sent), None)


def _refused(public_id: str, said: str, code: int) -> ResponseReturnValue:
    if wants_json():
        return {"error": said}, code
    return one(public_id, refused=said), code


def _done(action: str, to: Moderator | None) -> str:
    if action == "back":
        return str(_("You decide this after all."))
    if to is None:
        return str(_("Your colleagues are asked for a second opinion."))
    return str(_("Left to %(to)s.", to=to.name))


@bp.context_processor
def words() -> dict[str, Any]:
    return {"team": team}
