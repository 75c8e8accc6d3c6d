"""Many at once: what is picked is decided in the same request, everything that matches by a job."""

from typing import Any, cast
from urllib.parse import parse_qsl

from flask import abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from wtforms import HiddenField, IntegerField
from wtforms.validators import DataRequired, InputRequired, NumberRange

from .. import bulk, database, desk, folds, moderation
from ..filters import Filter, Unreadable
from ..models import Bulk, Comment, now
from ..status import BulkState
from .bulk_words import heading, numeral, said, title, why
from .cards import too_late
from .desk import ACTIONS, LARGEST_ID, TABS, bp, comment_or_404, local
from .errors import wants_json
from .find import chips
from .forms import UndoForm
from .jobs import at_once, run

FRESH_SECONDS = 120  # so long a job that has ended is told of above the queue
MOST_PICKED = 2_000  # a page holds 50; a fold may be larger

SCOPES = ("picked", "page", "matching")
MANY = {
    "approve": _l("Approve all"),
    "reject": _l("Reject all"),
    "spam": _l("All are spam"),
    "delete": _l("Delete all"),
    "pending": _l("All back to pending"),
}


class BulkForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])
    scope = HiddenField(default="picked")
    words = HiddenField(default="")


class StartForm(FlaskForm):
    """The confirmation: what was shown, as it stood then."""

    action = HiddenField(validators=[DataRequired()])
    words = HiddenField(default="")
    until = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])
    decided = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])


class AlikeForm(FlaskForm):
    """A fold, as it was shown."""

    action = HiddenField(validators=[DataRequired()])
    status = HiddenField(validators=[DataRequired()])
    until = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])
    decided = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])


@bp.post("/bulk")
def decide_many() -> ResponseReturnValue:
    """What was picked is decided; for everything that matches the answer is a page that asks."""
    form = BulkForm()
    if not form.validate() or form.action.data not in ACTIONS or form.scope.data not in SCOPES:
        abort(400)
    if form.scope.data == "matching":
        return confirm(form.action.data, form.words.data or "")
    picked = _picked(request.form.getlist("pick" if form.scope.data == "picked" else "shown"))
    if not picked:
        abort(400, _("Nothing was picked. Go back, pick some comments and decide once more."))
    to = ACTIONS[form.action.data]
    return answer(at_once(lambda session: bulk.start_picked(session, current_user, to, picked)))


def confirm(action: str, asked: str) -> ResponseReturnValue:
    words = read(asked)
    found = bulk.preview(database.session(), current_user, words)
    return render_template(
        "desk/bulk_confirm.html",
        preview=found,
        action=action,
        asked=asked,
        words=words,
        heading=heading(action, found.count, bulk.COUNTED),
        chips=chips(Filter.read(words), desk.colleagues(database.session(), current_user)),
        next=local(request.form.get("next", "")),
    )


@bp.post("/bulk/start")
def start_bulk() -> ResponseReturnValue:
    form = StartForm()
    if not form.validate() or form.action.data not in ACTIONS:
        abort(400)
    words = read(form.words.data or "")
    matching = bulk.Matching(words, form.until.data or 0, form.decided.data or 0)
    total = bulk.count(database.session(), current_user, matching)
    with database.writing() as session:
        to = ACTIONS[form.action.data]
        job_id = bulk.start_matching(session, current_user, to, matching, total).id
    run(job_id)
    return answer(job_id, is_over=False)


@bp.get("/comments/<public_id>/alike")
def alike(public_id: str) -> ResponseReturnValue:
    """The first of those that are folded into a card."""
    session = database.session()
    moment()
    head = comment_or_404(session, public_id)
    fold = folds.of(session, [head]).get(head.id)
    members = folds.members(session, head) if fold else []
    return render_template("desk/alike.html", head=head, fold=fold, members=members)


@bp.post("/comments/<public_id>/alike")
def decide_alike(public_id: str) -> ResponseReturnValue:
    """Decides on a card and all that are folded into it: a few at once, more by a job."""
    form = AlikeForm()
    if not form.validate() or form.action.data not in ACTIONS:
        abort(400)
    head = comment_or_404(database.session(), public_id)
    to, shown = ACTIONS[form.action.data], (form.until.data or 0, form.decided.data or 0)
    if head.status != form.status.data:
        return too_late(public_id, form.action.data)
    group = folds.Group(head.site_id, head.status, head.fold_key or "")

    def start(session: Session) -> Bulk:
        found = session.get_one(Comment, head.id)
        return bulk.start_fold(session, current_user, to, found, group, *shown)

    try:
        return answer(at_once(start))
    except moderation.Stale:
        return too_late(public_id, form.action.data)


@bp.get("/bulk/")
def jobs() -> ResponseReturnValue:
    return render_template("desk/bulks.html", jobs=bulk.recent(database.session(), current_user))


@bp.get(f"/bulk/<int(max={LARGEST_ID}):bulk_id>")
def job(bulk_id: int) -> ResponseReturnValue:
    found = bulk_or_404(bulk_id)
    undoing = bulk.undoing(database.session(), found)
    if wants_json():
        return facts(found)
    return render_template("desk/bulk.html", job=found, undoing=undoing)


@bp.post(f"/bulk/<int(max={LARGEST_ID}):bulk_id>/stop")
def stop_bulk(bulk_id: int) -> ResponseReturnValue:
    _check()
    bulk_or_404(bulk_id)
    with database.writing() as session:
        bulk.ask_to_stop(session.get_one(Bulk, bulk_id, with_for_update=True))
    return answer(bulk_id, is_over=False)


@bp.post(f"/bulk/<int(max={LARGEST_ID}):bulk_id>/go-on")
def go_on(bulk_id: int) -> ResponseReturnValue:
    """Goes on with a job that was stopped, or whose process died."""
    _check()
    bulk_or_404(bulk_id)
    with database.writing() as session:
        is_mine = bulk.take_up(session, session.get_one(Bulk, bulk_id), current_user)
    if is_mine:
        run(bulk_id)
    return answer(bulk_id, is_over=False)


@bp.post(f"/bulk/<int(max={LARGEST_ID}):bulk_id>/undo")
def undo_bulk(bulk_id: int) -> ResponseReturnValue:
    """Takes back all that a job did, but for what somebody has changed since."""
    _check()
    undone = bulk_or_404(bulk_id)
    if undone.state == BulkState.RUNNING and not bulk.is_dead(undone):
        abort(409, _("This job is still running. Stop it first, then undo what it did."))

    def start(session: Session) -> Bulk:
        found = session.get_one(Bulk, bulk_id, with_for_update=True)
        return bulk.start_undo(session, current_user, found)

    try:
        return answer(at_once(start))
    except IntegrityError:
        abort(409, _("Somebody has undone this already."))


def read(asked: str) -> dict[str, str]:
    """The words of a filter from a queue's address; 404 for a list or a site that there is not."""
    try:
        words = Filter.read(dict(parse_qsl(asked))).words()
    except Unreadable:
        abort(404)
    known = {site.key for site in desk.sites(database.session(), current_user)}
    if words.get("site") and words["site"] not in known:
        abort(404)
    return words


def bulk_or_404(bulk_id: int) -> Bulk:
    return bulk.find(database.session(), current_user, bulk_id) or abort(404)


def _check() -> None:
    if not UndoForm().validate():
        abort(400)


def _picked(values: list[str]) -> dict[str, int]:
    """Comments with the version that was seen, from fields like "public-id:version"."""
    picked = {}
    for value in values[:MOST_PICKED]:
        public_id, _colon, version = value.partition(":")
        if not version.isascii() or not version.isdigit() or len(version) > 9:
            abort(400)
        picked[public_id] = int(version)
    return picked


def answer(job_id: int, is_over: bool = True) -> ResponseReturnValue:
    """For script the facts; a form returns to where it came from, or goes to the job's page."""
    found = bulk_or_404(job_id)
    if wants_json():
        return facts(found)
    back = request.form.get("next", "")
    is_back = is_over and back and found.state != BulkState.RUNNING
    return redirect(local(back) if is_back else url_for(".job", bulk_id=job_id), 303)


def facts(found: Bulk) -> dict[str, Any]:
    return {
        "state": found.state,
        "is_dead": bulk.is_dead(found),
        "done": found.done,
        "skipped": found.skipped,
        "total": found.total,
        "said": said(found),
        "seen": _(
            "%(seen)s of %(total)s",
            seen=numeral(found.done + found.skipped),
            total=numeral(found.total),
        ),
        "page": url_for(".job", bulk_id=found.id),
        "undo": url_for(".undo_bulk", bulk_id=found.id),
    }


def last_job() -> Bulk | None:
    """My latest job, as long as it can be undone and is the last that I did at all."""
    if "last_job" not in g:  # the page asks above its cards and in the strip
        found = bulk.last(database.session(), current_user)
        is_last = found and bulk.undoing(database.session(), found) is None
        g.last_job = found if is_last else None
    return cast("Bulk | None", g.last_job)


def moment() -> tuple[int, int]:
    """What this page has seen: the highest ids of a comment and of a decision. Asked for before
    what it shows is read, since on PostgreSQL each statement sees what is there by then."""
    if "moment" not in g:
        g.moment = bulk.moment(database.session())
    return cast("tuple[int, int]", g.moment)


@bp.context_processor
def _words() -> dict[str, Any]:
    return {
        "last_job": last_job,
        "is_fresh": lambda job: (now() - (job.ended_at or now())).total_seconds() < FRESH_SECONDS,
        "is_dead": bulk.is_dead,
        "bulk_said": said,
        "job_title": title,
        "statuses_and_reported": TABS,
        "why_alike": why,
        "moment": moment,
        "many_buttons": MANY,
        "format_number": numeral,
    }
