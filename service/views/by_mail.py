"""The door of letters: a moderator decides on one comment by a link, without signing in.

The link is a key to one action on one comment (mail/deciding.py): kept by no cache, told to nobody;
no cookie is read or set. Opening it only shows, for whatever scans mails opens everything; a button
acts, on the version that its page showed. Who the link is for is looked at again each time.
"""

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
from flask_limiter import RateLimitExceeded
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import comments, compare, database, moderation, reports, text
from ..mail import deciding
from ..mail.deciding import ACTIONS, LIFETIME
from ..models import Decision, Revision
from ..moderation import Wording
from . import desk, headers
from .desk import told_with_note, vault
from .languages import in_time
from .limits import DECIDING, limiter, or_plainly, wait
from .opened import ANSWERS, APPROVE, ByMailAnswerForm, ByMailForm, Opened, opened_or_refuse, refuse

bp = Blueprint("by_mail", __name__, url_prefix="/decide")
bp.context_processor(desk.words)
bp.after_request(headers.keep_private)

UNDO = "undo by mail"
TOLD = 3  # of what became of the comment since the letter


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
        refuse(404, _("This button is not complete. Open the link once more from the letter."))
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
        refuse(403, _("This was sent from another website. Nothing was changed."))
