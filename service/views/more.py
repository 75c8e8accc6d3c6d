"""More than yes and no to one comment: another wording, a reply by staff, a place above the others."""

import secrets
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, StringField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from .. import accounts, comments, database, moderation, text, typist
from ..models import Comment
from ..moderation import Wording
from ..site_settings import SiteSettings
from ..status import Markup, Status
from .cards import cannot_pin, done, too_late, what_happened
from .desk import bp, comment_or_404, local, vault
from .errors import wants_json
from .forms import NAME_LENGTH, CommentForm, ReplyForm, VersionField, comment_field, trimmed

TOO_OLD = _l("This page was open for a long time. Your text is kept: press the button once more.")
ANSWER, APPROVE = "answer", "approve-and-answer"  # what the reply's two buttons say


class RewordForm(CommentForm, FlaskForm):
    """Another wording for a comment. Takes how many characters it may have."""

    comment = comment_field()
    note = StringField(
        _l("Note (optional)"),
        filters=[lambda typed: text.normalise(typed or "").strip()],
        validators=[Optional(), Length(max=500, message=_l("Write at most 500 characters."))],
        render_kw={"dir": "auto"},
    )
    version = VersionField()

    def __init__(self, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(**kwargs)


class AnswerForm(CommentForm, FlaskForm):
    """A reply by staff. Takes how many characters it may have."""

    comment = comment_field()
    staff_name = StringField(
        _l("Name that readers see"),
        filters=[trimmed],
        validators=[
            Optional(),
            Length(max=NAME_LENGTH, message=_l("Enter a name of at most %(max)d characters.")),
        ],
        render_kw={"maxlength": None, "dir": "auto"},
    )
    nonce = HiddenField(validators=[DataRequired(), Length(max=64)])
    version = VersionField()

    def __init__(self, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(**kwargs)
        self.comment.label.text = _("Your reply")

    def validate_staff_name(self, field: Field) -> None:
        ReplyForm.validate_name(self, field)
        if field.data and not text.is_visible(field.data):
            raise ValidationError(_l("Enter a name that can be seen."))


class PinForm(FlaskForm):
    pinned = HiddenField(validators=[DataRequired()])
    version = VersionField(validators=[DataRequired()])


@bp.route("/comments/<public_id>/edit", methods=["GET", "POST"])
def edit(public_id: str) -> ResponseReturnValue:
    """Another wording for a comment. The one before is kept, and readers are told who changed it."""
    found = comment_or_404(database.session(), public_id)
    if moderation.is_final(database.session(), found):
        return too_late(public_id, "edit")
    typed = found.text if found.markup == Markup.MARKDOWN else typist.as_typed(found.html)
    form = RewordForm(max(_longest(found), len(typed)))
    if request.method == "GET":
        form.comment.data, form.version.data = typed, found.version
        return _edit_page(found, form)
    if not form.validate():
        return _edit_page(found, form, status=422)
    said = form.comment.data or ""
    wording = Wording(said, text.render(said), vault().words(said))
    try:
        with database.writing() as session:
            comment = comment_or_404(session, public_id)
            version, note = form.version.data, form.note.data or ""
            decided = moderation.reword(session, comment, version, wording, current_user, note)
            decision_id = decided.id if decided else None
    except moderation.Stale:
        return _overtaken(public_id, form, "edit")
    return done(public_id, decision_id)


@bp.route("/comments/<public_id>/reply", methods=["GET", "POST"])
def reply(public_id: str) -> ResponseReturnValue:
    """A reply by staff; what is not public yet is approved in the same act."""
    found = comment_or_404(database.session(), public_id)
    if moderation.is_final(database.session(), found):
        return too_late(public_id, ANSWER)
    form = AnswerForm(_longest(found))
    if request.method == "GET":
        form.nonce.data, form.version.data = secrets.token_urlsafe(16), found.version
        form.staff_name.data = current_user.staff_name
        return _reply_page(found, form)
    if not form.validate():
        return _reply_page(found, form, status=422)
    said, name = form.comment.data or "", form.staff_name.data or ""
    wording = Wording(said, text.render(said), vault().words(said))
    approves = request.form.get("action") == APPROVE
    try:
        with database.writing() as session:
            session.get_one(accounts.Moderator, current_user.id).staff_name = name
            parent = comment_or_404(session, public_id)
            decided, replied = comments.answer(
                session,
                vault(),
                parent,
                current_user,
                name or parent.article.site.name,
                wording,
                form.nonce.data or "",
                form.version.data if approves else None,
            )
            decision_id = decided.id if decided else None
            reply_id = replied.id if replied else None
    except moderation.Stale:
        return _overtaken(public_id, form, APPROVE)
    except comments.NoSuchParent:
        return _overtaken(public_id, form, ANSWER)
    return done(public_id, decision_id, reply_id)


@bp.post("/comments/<public_id>/pin")
def pin(public_id: str) -> ResponseReturnValue:
    """Puts a comment above the others under its article, or back among them."""
    form = PinForm()
    if not form.validate() or form.pinned.data not in ("yes", "no"):
        abort(400)
    is_pinned = form.pinned.data == "yes"
    try:
        with database.writing() as session:
            comment = comment_or_404(session, public_id)
            version = form.version.data
            decided = moderation.pin(session, comment, is_pinned, version, current_user)
            decision_id = decided.id if decided else None
    except moderation.Stale:
        return too_late(public_id, "pin" if is_pinned else "unpin")
    except moderation.PinRefused as refusal:
        return cannot_pin(public_id, refusal)
    return done(public_id, decision_id)


def _longest(comment: Comment) -> int:
    return SiteSettings.read(comment.article.site.settings).comment_length


def _edit_page(
    found: Comment, form: RewordForm, message: str = "", status: int = 200
) -> ResponseReturnValue:
    return _page("desk/edit.html", found, form, message, status)


def _reply_page(
    found: Comment, form: AnswerForm, message: str = "", status: int = 200
) -> ResponseReturnValue:
    return _page("desk/reply.html", found, form, message, status)


def _page(
    template: str, found: Comment, form: FlaskForm, message: str, status: int
) -> ResponseReturnValue:
    """A form about a comment, with all that was typed; for script what is wrong with it."""
    message = message or (str(TOO_OLD) if "csrf_token" in form.errors else "")
    errors = {name: said for name, said in form.errors.items() if name != "csrf_token"}
    if wants_json() and status != 200:
        first = next((said[0] for said in errors.values()), "")
        now_is = {"status": found.status, "version": found.version}
        return {"error": message or first, "errors": errors, **now_is}, status
    page = render_template(
        template,
        comment=found,
        form=form,
        message=message,
        errors=errors,
        next=local(
            request.values.get("next", "") or url_for(".comment", public_id=found.public_id)
        ),
        is_public=found.status == Status.APPROVED,
    )
    return page, status


def _overtaken(public_id: str, form: Any, action: str) -> ResponseReturnValue:
    """Says what somebody did in between. The text is kept, and the form knows what it is about now."""
    found = comment_or_404(database.session(), public_id)
    said = _("%(said)s Your text is kept.", said=what_happened(found, action))
    form.version.data = found.version
    show = _edit_page if action == "edit" else _reply_page
    return show(found, form, said, 409)
