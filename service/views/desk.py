"""The desk: the queue, decisions, undo. Shut to everybody who is not signed in."""

import re
from datetime import datetime, timedelta
from typing import Any, cast

from babel.numbers import format_decimal
from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from .. import database, desk, moderation, rules, text
from ..models import Comment, Decision, now
from ..status import Act, Status
from ..vault import Vault
from .errors import wants_json
from .forms import DecideForm, UndoForm

bp = Blueprint("desk", __name__, url_prefix="/desk")

ACTIONS = {
    "approve": Status.APPROVED,
    "reject": Status.REJECTED,
    "spam": Status.SPAM,
    "delete": Status.DELETED,
    "pending": Status.PENDING,
}
BUTTONS = {
    "approve": _l("Approve"),
    "reject": _l("Reject"),
    "spam": _l("Spam"),
    "delete": _l("Delete"),
    "pending": _l("Back to pending"),
}
STATUSES = {
    Status.PENDING: _l("pending"),
    Status.APPROVED: _l("approved"),
    Status.REJECTED: _l("rejected"),
    Status.SPAM: _l("spam"),
    Status.DELETED: _l("deleted"),
}

LARGEST_ID = 2**63 - 1  # what the databases can hold
EXCERPT = 280  # characters of the comment that another answers


@bp.before_app_request
def require_moderator() -> ResponseReturnValue | None:
    """Nobody comes in unknown: the whole door is shut by default. Asked before the forms' own check,
    which would tell somebody whose session has ended that their page is too old."""
    if request.blueprint != bp.name or current_user.is_authenticated:
        return None
    if request.method != "GET" or wants_json():
        abort(401, _("You are signed out. Sign in and decide once more; nothing was changed."))
    return redirect(url_for("security.login", next=request.full_path.rstrip("?")))


@bp.get("/")
def queue() -> ResponseReturnValue:
    status = status_or_404(request.args.get("status", Status.PENDING))
    site = request.args.get("site", "")
    session = database.session()
    sites = desk.sites(session, current_user)
    if site and site not in {known.key for known in sites}:
        abort(404)
    page = desk.queue(session, vault(), current_user, status, site, request.args.get("after", ""))
    return render_template(
        "desk/queue.html",
        queue=page,
        status=status,
        site=site,
        sites=sites,
        counts=desk.counts(session, current_user, site),
        last=desk.last_decisions(session, current_user),
        newest=None if page.cards else desk.newest(session, current_user, site),
    )


@bp.get("/comments/<public_id>")
def comment(public_id: str) -> ResponseReturnValue:
    return _one(public_id)


@bp.post("/comments/<public_id>/decide")
def decide(public_id: str) -> ResponseReturnValue:
    form = DecideForm()
    if (
        not form.validate()
        or form.action.data not in ACTIONS
        or not re.fullmatch("[0-9]{1,9}", str(form.version.data))
    ):
        abort(400)
    try:
        with database.writing() as session:
            decided = moderation.decide(
                session,
                comment_or_404(session, public_id),
                ACTIONS[form.action.data],
                int(form.version.data or 0),
                current_user,
                (form.note.data or "").strip(),
            )
            decision_id = decided.id if decided else None
    except moderation.Stale:
        return too_late(public_id, form.action.data)
    return _done(public_id, decision_id)


@bp.post(f"/decisions/<int(max={LARGEST_ID}):decision_id>/undo")
def undo(decision_id: int) -> ResponseReturnValue:
    if not UndoForm().validate():
        abort(400)
    try:
        with database.writing() as session:
            decision = desk.find_decision(session, current_user, decision_id) or abort(404)
            public_id = decision.comment.public_id
            undone = moderation.undo(session, decision, current_user)
            undone_id = undone.id
    except moderation.Stale:
        return too_late(public_id, "undo")
    return _done(public_id, undone_id)


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
    return _one(public_id, revealed=address)


def comment_or_404(session: Session, public_id: str) -> Comment:
    """A comment that this moderator may decide on, or the end of this request."""
    return desk.find(session, current_user, public_id) or abort(404)


def status_or_404(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        abort(404)


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


def told(decision: Decision) -> str:
    """A decision in a sentence: who, what, when."""
    sentence = {
        Status.PENDING: _l("%(who)s put this back to pending %(when)s."),
        Status.APPROVED: _l("%(who)s approved this %(when)s."),
        Status.REJECTED: _l("%(who)s rejected this %(when)s."),
        Status.SPAM: _l("%(who)s marked this as spam %(when)s."),
        Status.DELETED: _l("%(who)s deleted this %(when)s."),
    }[decision.to_status]
    if decision.act == Act.REVEALED:
        sentence = _l("%(who)s looked at the email address %(when)s.")
    if decision.act == Act.UNDONE:
        sentence = _l("%(who)s took a decision back %(when)s: %(status)s again.")
    facts = {"who": decision.by, "when": ago(decision.at), "status": STATUSES[decision.to_status]}
    return str(sentence) % facts


def ago(at: datetime) -> str:
    """How long ago a moment was, in words."""
    since = min(at - now(), timedelta())
    return str(format_timedelta(since, granularity="second", add_direction=True))


def too_late(public_id: str, action: str) -> ResponseReturnValue:
    """Says what somebody else did in between; nothing was overwritten."""
    found = comment_or_404(database.session(), public_id)
    latest = moderation.latest(database.session(), found.id)
    before = told(latest) if latest else _("The comment was changed in between.")
    if latest and latest.note and latest.note.text:
        before = f"{before} (“{latest.note.text}”)"
    refused = BUTTONS.get(action, _l("Undo"))
    said = _("%(before)s Your “%(action)s” was not applied.", before=before, action=refused)
    if wants_json():
        return {"error": said, "status": found.status, "version": found.version}, 409
    return _one(public_id, refused=said), 409


def _done(public_id: str, decision_id: int | None) -> ResponseReturnValue:
    """For script what is new, for a form the page it came from."""
    if not wants_json():
        return redirect(_local(request.form.get("next", "")), 303)
    found = comment_or_404(database.session(), public_id)
    return {
        "id": found.public_id,
        "status": found.status,
        "version": found.version,
        "said": _("%(name)s: %(status)s", name=_shown_name(found), status=STATUSES[found.status]),
        "undo": url_for(".undo", decision_id=decision_id) if decision_id else None,
        "page": url_for(".comment", public_id=found.public_id),
    }


def _one(public_id: str, revealed: str = "", refused: str = "") -> str:
    found = comment_or_404(database.session(), public_id)
    shown = desk.card(database.session(), vault(), found)
    return render_template("desk/comment.html", card=shown, revealed=revealed, refused=refused)


def _shown_name(comment: Comment) -> str:
    """The name as typed; one that holds an address (imports bring such) is shown masked here too."""
    return text.mask_addresses(comment.name) or _("Nameless")


def _excerpt(comment: Comment) -> str:
    return text.excerpt(text.plain(comment.html), EXCERPT)


def _local(path: str) -> str:
    """A page of the desk to return to; anything else is the queue."""
    is_ours = path.startswith("/desk/") and "\\" not in path and path.isprintable()
    return path if is_ours else url_for(".queue")


def _count(number: int) -> str:
    """1,000+ where counting further would slow the queue."""
    most = format_decimal(min(number, desk.COUNTED))
    return f"{most}+" if number > desk.COUNTED else most


@bp.context_processor
def words() -> dict[str, Any]:
    return {
        "told": told,
        "ago": ago,
        "shown_name": _shown_name,
        "excerpt": _excerpt,
        "explain": lambda reason: _(rules.explain(reason.rule)) % {"matched": reason.matched},
        "trusted": text.trusted,
        "format_count": _count,
        "actions": ACTIONS,
        "buttons": BUTTONS,
        "statuses": STATUSES,
    }
