"""One comment at the desk: its page, decisions and their undoing, marks, the author's address."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length

from .. import database, desk, moderation, text
from ..models import Comment, Decision
from ..status import Act, Mark
from .desk import (
    ACTIONS,
    BUTTONS,
    LARGEST_ID,
    STATUSES,
    bp,
    comment_or_404,
    letters_gone,
    local,
    result,
    shown_name,
    told_with_note,
    vault,
)
from .errors import wants_json
from .forms import DecideForm, MarkForm, UndoForm, Visible

OTHER_BUTTONS = {
    "mark": _l("Say so"),
    "edit": _l("Save the wording"),
    "answer": _l("Reply"),
    "approve-and-answer": _l("Approve and reply"),
    "pin": _l("Pin"),
    "unpin": _l("Unpin"),
}


class NoteForm(FlaskForm):
    note = StringField(
        _l("Note"),
        filters=[lambda typed: text.normalise(typed or "").strip()],
        validators=[
            Visible(_l("Write the note first.")),
            Length(max=500, message=_l("Shorten the note: it may have %(max)d characters.")),
        ],
    )


@bp.get("/comments/<public_id>")
def comment(public_id: str) -> ResponseReturnValue:
    return one(public_id)


@bp.post("/comments/<public_id>/decide")
def decide(public_id: str) -> ResponseReturnValue:
    form = DecideForm()
    if not form.validate() or form.action.data not in ACTIONS:
        abort(400)
    try:
        with database.writing() as session:
            decided = moderation.decide(
                session,
                comment_or_404(session, public_id),
                ACTIONS[form.action.data],
                form.version.data,
                current_user,
                (form.note.data or "").strip(),
                form.public_words,
                vault(),
            )
            decision_id = decided.id if decided else None
    except moderation.Stale:
        return too_late(public_id, form.action.data)
    return done(public_id, decision_id)


@bp.post(f"/decisions/<int(max={LARGEST_ID}):decision_id>/undo")
def undo(decision_id: int) -> ResponseReturnValue:
    if not UndoForm().validate():
        abort(400)
    try:
        with database.writing() as session:
            decision = desk.find_decision(session, current_user, decision_id) or abort(404)
            public_id = decision.comment.public_id
            undone = moderation.undo(session, decision, current_user, vault())
            undone_id = undone.id
            reply_id = next((one.id for one in moderation.made_with(session, undone)), None)
    except moderation.Stale:
        return too_late(public_id, "undo")
    except moderation.PinRefused as refusal:
        return cannot_pin(public_id, refusal)
    return done(public_id, undone_id, reply_id)


@bp.post("/comments/<public_id>/mark")
def mark(public_id: str) -> ResponseReturnValue:
    """Vouches for who is speaking."""
    form = MarkForm()
    if not form.validate() or form.mark.data not in list(Mark):
        abort(400)
    try:
        with database.writing() as session:
            found = comment_or_404(session, public_id)
            as_whom = Mark(form.mark.data)
            marked = moderation.mark(session, found, as_whom, form.version.data, current_user)
            decision_id = marked.id if marked else None
    except moderation.Stale:
        return too_late(public_id, "mark")
    return done(public_id, decision_id)


@bp.post("/comments/<public_id>/note")
def note(public_id: str) -> ResponseReturnValue:
    """Words for the colleagues, without a decision."""
    form = NoteForm()
    if not form.validate():
        abort(400, str(form.note.errors[0]) if form.note.errors else None)
    with database.writing() as session:
        found = comment_or_404(session, public_id)
        moderation.note(session, found, current_user, form.note.data or "")
    return done(public_id, None)


@bp.post("/comments/<public_id>/reveal")
def reveal(public_id: str) -> ResponseReturnValue:
    """The author's address, one at a time, on the record."""
    if not UndoForm().validate():
        abort(400)
    with database.writing() as session:
        found = comment_or_404(session, public_id)
        address = desk.reveal(session, vault(), found)
        moderation.reveal(session, found, current_user)
    if wants_json():
        return {"email": address}
    return one(public_id, revealed=address)


def too_late(public_id: str, action: str) -> ResponseReturnValue:
    """Says what somebody else did in between; nothing was overwritten."""
    found = comment_or_404(database.session(), public_id)
    said = what_happened(found, action)
    if wants_json():
        now_is = {"status": found.status, "version": found.version, **_asking(found)}
        return {"error": said, **now_is}, 409
    return one(public_id, refused=said), 409


def cannot_pin(public_id: str, refusal: moderation.PinRefused) -> ResponseReturnValue:
    """Says why a comment cannot stand above the others."""
    said = _("Only a published comment that answers no other can be pinned.")
    if isinstance(refusal, moderation.EnoughPinned):
        most = moderation.MOST_PINNED
        said = _("%(most)s comments are pinned under this article. Unpin one first.", most=most)
    if wants_json():
        return {"error": said}, 409
    return one(public_id, refused=said), 409


def what_happened(found: Comment, action: str) -> str:
    """Who did what in between, and that one's own action was not applied."""
    latest = moderation.latest(database.session(), found.id)
    before = told_with_note(latest) if latest else _("The comment was changed in between.")
    refused = {**BUTTONS, **OTHER_BUTTONS}.get(action, _l("Undo"))
    return str(_("%(before)s Your “%(action)s” was not applied.", before=before, action=refused))


def done(
    public_id: str, decision_id: int | None, reply_id: int | None = None
) -> ResponseReturnValue:
    """For script what is new, for a form the page it came from. Takes the decision on the comment,
    and the one on a reply of staff that was made or undone with it."""
    if not wants_json():
        return redirect(local(request.form.get("next", "")), 303)
    found = comment_or_404(database.session(), public_id)
    decision = database.session().get(Decision, decision_id) if decision_id else None
    reply = database.session().get(Decision, reply_id) if reply_id else None
    status = result(decision) if decision else STATUSES[found.status]
    return {
        "id": found.public_id,
        "status": found.status,
        "version": found.version,
        **_asking(found),
        **({"undoes": True} if decision and decision.act == Act.UNDONE else {}),
        **_links(found, str(status), decision),
        **({"reply": _links(reply.comment, result(reply), reply)} if reply else {}),
    }


def _links(comment: Comment, status: str, decision: Decision | None) -> dict[str, Any]:
    """What became of a comment in a few words, the way back, and the way to it."""
    said = _("%(name)s: %(status)s", name=shown_name(comment), status=status)
    gone = letters_gone(decision) if decision else ""
    return {
        "said": f"{said}. {gone}" if gone else said,
        "undo": url_for(".undo", decision_id=decision.id) if decision else None,
        "page": url_for(".comment", public_id=comment.public_id),
    }


def _asking(comment: Comment) -> dict[str, bool]:
    """For script: whether readers' reports ask for a moderator, and that a published comment stands
    among the pending ones too."""
    waits = {"waits": True} if moderation.has_waiting_edit(comment) else {}
    return {"reported": comment.reported_at is not None, **waits}


def one(public_id: str, revealed: str = "", refused: str = "") -> str:
    found = comment_or_404(database.session(), public_id)
    shown = desk.card(database.session(), vault(), found)
    return render_template("desk/comment.html", card=shown, revealed=revealed, refused=refused)


@bp.context_processor
def foreign() -> dict[str, Any]:
    return {"elsewhere": lambda comment: desk.elsewhere(database.session(), comment)}
