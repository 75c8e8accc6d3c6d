"""The door of letters: a moderator decides on one comment by a link, without signing in.

The link is a key to one action on one comment (mail/deciding.py): kept by no cache, told to nobody;
no cookie is read or set. Opening it only shows, for whatever scans mails opens everything; a button
acts, on the version that its page showed. Who the link is for is looked at again each time.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter import RateLimitExceeded
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length, Optional

from .. import accounts, comments, compare, database, moderation, reports, text
from ..accounts import Moderator
from ..mail import deciding
from ..mail.deciding import ACTIONS, LIFETIME, Link
from ..models import Comment, Decision, Revision, Site, now
from ..moderation import Wording
from ..settings import SiteSettings
from ..status import Status
from ..tokens import ReceiptTokens
from . import desk, headers
from .desk import public_reasons, told_with_note, vault
from .forms import CommentForm, FormToken, VersionField, comment_field, trimmed
from .languages import in_time
from .limits import DECIDING, limiter, or_plainly, wait

bp = Blueprint("by_mail", __name__, url_prefix="/decide")
bp.context_processor(desk.words)
bp.after_request(headers.keep_private)

UNDO = "undo by mail"
NOTE_LENGTH = 500  # as at the desk
TOLD = 3  # of what became of the comment since the letter
APPROVE = "approve"
QUESTIONS = {
    "approve": _l("Approve this comment?"),
    "reject": _l("Reject this comment?"),
    "spam": _l("Mark this comment as spam?"),
}
OF_EDITS = {"approve": _l("Publish this change?"), "reject": _l("Keep the text as it was?")}
OF_REPORTED = {"approve": _l("Keep this comment?")}
BUTTONS = {"spam": _l("Mark as spam")}  # said at more length than in a letter
ANSWERS = {
    "new": _l("Approve and answer"),
    "edit": _l("Publish the change and answer"),
    "reported": _l("Keep it and answer"),
}


class PageToken(FormToken):
    too_old = _l("This page was open for a long time. Nothing was changed: press the button again.")


class ByMailForm(FlaskForm):
    """The button of a link. Takes `tokens` for its page, and the reasons that an author may read."""

    class Meta:
        csrf_class = PageToken
        csrf_field_name = "token"

    version = VersionField()
    public_reason = SelectField(
        _l("Reason that the author may read"),
        filters=[trimmed],
        validators=[Optional(), Length(max=NOTE_LENGTH)],
        validate_choice=False,
    )
    note = TextAreaField(
        _l("Note (optional)"),
        filters=[lambda typed: text.normalise(typed or "").strip()],
        validators=[
            Length(max=NOTE_LENGTH, message=_l("Shorten the note: it may have %(max)d characters."))
        ],
        render_kw={"rows": 2, "dir": "auto"},
    )

    def __init__(self, tokens: ReceiptTokens, reasons: Sequence[str], **kwargs: Any) -> None:
        super().__init__(meta={"csrf_context": tokens}, **kwargs)
        none = SelectChoice("", _("None"))
        self.public_reason.choices = [none, *(SelectChoice(said, said) for said in reasons)]


class ByMailAnswerForm(CommentForm, FlaskForm):
    """A reply by staff. Takes `tokens` for its page and how many characters it may have."""

    class Meta:
        csrf_class = PageToken
        csrf_field_name = "token"

    comment = comment_field()
    nonce = HiddenField(validators=[DataRequired(), Length(max=64)])
    version = VersionField()

    def __init__(self, tokens: ReceiptTokens, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(meta={"csrf_context": tokens}, **kwargs)
        self.comment.label.text = _("Your answer")


@dataclass(frozen=True)
class Opened:
    """What a link leads to, as it stands now."""

    token: str
    link: Link
    moderator: Moderator
    comment: Comment
    since: Sequence[Decision]  # what became of the comment since the letter, oldest first

    @property
    def site(self) -> Site:
        return self.comment.article.site

    @property
    def settled(self) -> Decision | None:
        """The decision since the letter that is in force."""
        standing = None
        for decision in self.since:
            if moderation.origin(decision).act in moderation.ANSWERS:
                is_open = decision.to_status == Status.PENDING
                stands = moderation.is_standing(decision) and not is_open
                standing = decision if stands else None
        return standing

    @property
    def is_open(self) -> bool:
        """Whether there is something left for the link to do."""
        return self.settled is None and deciding.waits(self.comment)

    @property
    def undoable(self) -> Decision | None:
        """What was decided by this link's moderator from a letter, as long as nothing came after."""
        last, settled = self.since[-1] if self.since else None, self.settled
        if settled is None or settled is not last or not settled.by_mail:
            return None
        return settled if settled.moderator_id == self.moderator.id else None

    @property
    def kind(self) -> str:
        if moderation.has_waiting_edit(self.comment):
            return "edit"
        return "reported" if self.comment.status == Status.APPROVED else "new"

    @property
    def question(self) -> str:
        asked = {"edit": OF_EDITS, "reported": OF_REPORTED}.get(self.kind, {})
        return str(asked.get(self.link.action, QUESTIONS[self.link.action]))

    @property
    def button(self) -> str:
        word = deciding.buttons(self.comment)[self.link.action]
        return str(BUTTONS.get(self.link.action, word))

    @property
    def may_answer(self) -> bool:
        return self.link.action == APPROVE and self.is_open

    @property
    def public_name(self) -> str:
        """As whom the moderator answers (hard rule 14)."""
        return self.moderator.staff_name or self.site.name

    def refuse_if_closed(self, version: int) -> None:
        """Nothing is decided anew on what was decided already, whatever version a page says that it
        saw; raises moderation.Stale. What is sent twice gets past, to be answered the same."""
        settled = self.settled
        if settled is not None and version < settled.version:
            return
        if not self.is_open:
            raise moderation.Stale(settled)

    def tokens(self) -> ReceiptTokens:
        """Of the forms on this link's page."""
        link = self.link
        page = f"{link.public_id} {link.moderator_id} {link.action}"
        return ReceiptTokens(current_app.extensions["signer"], "page by mail", page)

    def blank(self) -> ByMailForm:
        return self.filled(formdata=None, data={"version": self.comment.version})

    def filled(self, **values: Any) -> ByMailForm:
        return ByMailForm(self.tokens(), public_reasons(self.site), **values)

    def blank_answer(self) -> ByMailAnswerForm:
        new = {"nonce": secrets.token_urlsafe(16), "version": self.comment.version}
        return self.filled_answer(formdata=None, data=new)

    def filled_answer(self, **values: Any) -> ByMailAnswerForm:
        longest = SiteSettings.read(self.site.settings).comment_length
        return ByMailAnswerForm(self.tokens(), longest, **values)


def opened_or_refuse(session: Session, token: str) -> Opened:
    """What a link leads to, or the end of this request: with what became of the link, and no word
    about the comment."""
    link = deciding.read(current_app.extensions["signer"], token)
    if link is None:
        _refuse(404, _("This link is not complete. Open it once more from the letter."))
    if link.is_over(now()):
        _refuse(410, _("This link was good for %(days)s days, which are over.", days=LIFETIME.days))
    moderator = session.get(Moderator, link.moderator_id)
    if moderator is None or not moderator.active or accounts.proof(moderator) != link.proof:
        _refuse(410, _("This link ended when the account that it was sent to was changed."))
    comment = comments.by_public_id(session, link.public_id)
    if comment is None:
        _refuse(410, _("The comment of this link is gone, and nothing of it is kept."))
    if not accounts.may(moderator, comment.site_id):
        _refuse(403, _("You do not moderate the site of this comment any more."))
    if not deciding.are_wanted(moderator, comment.article.site):
        _refuse(403, _("Deciding from letters is switched off here."))
    moderator.by_mail = True  # for the record
    moderator.came_from = comments.network_of(request.remote_addr or "")
    return Opened(token, link, moderator, comment, _since(session, comment, link.version))


def _since(session: Session, comment: Comment, version: int) -> Sequence[Decision]:
    later = (Decision.version > version, Decision.act.in_(moderation.CHANGES))
    found = select(Decision).where(Decision.comment_id == comment.id, *later)
    return session.scalars(found.options(joinedload(Decision.note)).order_by(Decision.id)).all()


def _refuse(status: int, said: str) -> NoReturn:
    abort(make_response(render_template("desk/by_mail_refused.html", said=said), status))


@bp.get("/<decide_link>")
def page(decide_link: str) -> ResponseReturnValue:
    """The comment as it is now, and the button. Changes nothing."""
    return _page(opened_or_refuse(database.session(), decide_link))


@bp.post("/<decide_link>")
@limiter.limit(DECIDING)
def decide(decide_link: str) -> ResponseReturnValue:
    opened = opened_or_refuse(database.session(), decide_link)
    _refuse_foreign_form()
    form = opened.filled()
    if not form.validate():
        return _page(opened, form, _of_token(form), status=422)
    version = form.version.data
    try:
        with database.writing() as session:
            found = opened_or_refuse(session, decide_link)
            found.refuse_if_closed(version)
            moderation.decide(
                session,
                found.comment,
                ACTIONS[found.link.action],
                version,
                found.moderator,
                form.note.data or "",
                form.public_reason.data or "",
                vault(),
            )
    except moderation.Stale:
        return _overtaken(decide_link, form=form, word=opened.button)
    except database.Busy:
        return _page(opened, form, _busy(), status=503, retry=5)
    return redirect(url_for(".page", decide_link=decide_link), 303)


@bp.post("/<decide_link>/answer")
@limiter.limit(DECIDING)
def answer(decide_link: str) -> ResponseReturnValue:
    """Approves and replies in one act; sent twice it is one reply."""
    opened = opened_or_refuse(database.session(), decide_link)
    _refuse_foreign_form()
    if opened.link.action != APPROVE:
        abort(404)
    form = opened.filled_answer()
    if not form.validate():
        return _page(opened, answer_form=form, message=_of_token(form), status=422)
    typed, version = form.comment.data or "", form.version.data
    wording = Wording(typed, text.render(typed), vault().words(typed))
    word = ANSWERS[opened.kind]
    try:
        with database.writing() as session:
            found = opened_or_refuse(session, decide_link)
            found.refuse_if_closed(version)
            comments.answer(
                session,
                vault(),
                found.comment,
                found.moderator,
                found.public_name,
                wording,
                form.nonce.data or "",
                version,
            )
    except (moderation.Stale, comments.NoSuchParent):
        return _overtaken(decide_link, answer_form=form, word=str(word))
    except database.Busy:
        return _page(opened, answer_form=form, message=_busy(), status=503, retry=5)
    return redirect(url_for(".page", decide_link=decide_link), 303)


@bp.post("/<decide_link>/undo")
@limiter.limit(DECIDING)
def undo(decide_link: str) -> ResponseReturnValue:
    """Takes back what was decided here, as the desk's undo does, with an answer that was part of it."""
    opened = opened_or_refuse(database.session(), decide_link)
    _refuse_foreign_form()
    signed = current_app.extensions["signer"].read(UNDO, request.form.get("undo", ""))
    if signed is None or signed[1] != opened.moderator.id:
        _refuse(404, _("This button is not complete. Open the link once more from the letter."))
    try:
        with database.writing() as session:
            found = opened_or_refuse(session, decide_link)
            _undo(session, found, signed[0])
    except moderation.Stale:
        return _overtaken(decide_link, word=_("Undo"))
    return redirect(url_for(".page", decide_link=decide_link), 303)


def _undo(session: Session, found: Opened, decision_id: int) -> None:
    """Raises moderation.Stale if something was decided since; but the same sent twice is one."""
    decision = session.get(Decision, decision_id)
    if decision is None or decision.comment_id != found.comment.id:
        abort(404)
    last = moderation.latest(session, found.comment.id)
    if last and last.undoes_id == decision_id and last.moderator_id == found.moderator.id:
        return
    moderation.undo(session, decision, found.moderator, vault())


@bp.errorhandler(RateLimitExceeded)
@or_plainly
def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    """The page comes back with what was typed and says when to try again."""
    opened = opened_or_refuse(database.session(), (request.view_args or {})["decide_link"])
    seconds = wait(error)
    said = _(
        "So much was decided from here in a short time that this has to wait. Nothing was changed; "
        "try again %(when)s.",
        when=in_time(seconds),
    )
    form = opened.filled() if request.endpoint == "by_mail.decide" else None
    is_answer = request.endpoint == "by_mail.answer" and opened.may_answer
    answer_form = opened.filled_answer() if is_answer else None
    return _page(opened, form, said, answer_form, status=429, retry=seconds)


def _page(
    opened: Opened,
    form: ByMailForm | None = None,
    message: str = "",
    answer_form: ByMailAnswerForm | None = None,
    status: int = 200,
    retry: int = 0,
) -> ResponseReturnValue:
    """The page of a link. Takes a form that comes back, and a message about the whole."""
    session, comment = database.session(), opened.comment
    undoable = opened.undoable
    signer = current_app.extensions["signer"]
    shown = render_template(
        "desk/by_mail.html",
        opened=opened,
        comment=comment,
        form=form or opened.blank(),
        answer_form=(answer_form or opened.blank_answer()) if opened.may_answer else None,
        unsent="" if opened.may_answer or not answer_form else answer_form.comment.data,
        is_answering=answer_form is not None,
        answer_word=ANSWERS[opened.kind],
        message=message,
        told=[]
        if message and status == 409
        else [told_with_note(one) for one in opened.since][-TOLD:],
        changed=_changed(session, opened),
        reports=reports.open_of(session, [comment.id]).get(comment.id, []),
        undo=signer.sign(UNDO, [undoable.id, opened.moderator.id]) if undoable else "",
        is_done=undoable is not None,
        until=opened.link.at + LIFETIME,
    )
    answered = make_response(shown, status)
    if retry:
        answered.headers["Retry-After"] = str(retry)
    return answered


def _changed(session: Session, opened: Opened) -> list[compare.Piece] | None:
    """What the text became since the letter (hard rule 3); None while it is the same. The earlier
    one is found among those that are kept; where it is not, all of the present one is new."""
    comment, link = opened.comment, opened.link
    present = deciding.shown(comment)
    if deciding.digest(present) == link.words:
        return None
    if moderation.has_waiting_edit(comment):
        return desk.by_the_change(comment)
    kept = select(Revision).where(Revision.comment_id == comment.id).order_by(Revision.id.desc())
    for before in session.scalars(kept):
        if deciding.digest(before.text) == link.words:
            return desk.since_then(comment, before)
    return compare.compared("", present)


def _overtaken(
    decide_link: str,
    form: ByMailForm | None = None,
    answer_form: ByMailAnswerForm | None = None,
    word: str = "",
) -> ResponseReturnValue:
    """Says who did what in between, and that nothing was overwritten. What was typed is kept, and
    the form knows now what it is about."""
    opened = opened_or_refuse(database.session(), decide_link)
    last = opened.settled or moderation.latest(database.session(), opened.comment.id)
    before = told_with_note(last) if last else _("The comment was changed in between.")
    said = _("%(before)s Your “%(action)s” was not applied.", before=before, action=word)
    if form:
        form.version.data = opened.comment.version
    if answer_form:
        answer_form.version.data = opened.comment.version
    return _page(opened, form, said, answer_form, status=409)


def _of_token(form: FlaskForm) -> str:
    """What is wrong with a form as a whole; what is wrong with a field stands beside that."""
    return " ".join(map(str, form["token"].errors))


def _busy() -> str:
    said = _("Many people are writing at this moment. Nothing was changed; try again in 5 seconds.")
    return str(said)


def _refuse_foreign_form() -> None:
    """These forms stand on our own pages only; a browser may withhold where they stood."""
    ours = {"", "null", request.host_url.rstrip("/"), current_app.config["BASE_URL"]}
    if request.headers.get("Origin", "") not in ours:
        _refuse(403, _("This was sent from another website. Nothing was changed."))
