"""Many at once: what is picked is decided in the same request, everything that matches by a job.

A job runs in a thread of the process that took the request. It needs no tab, and no worker: if its
process dies, whoever looks at it can go on with it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import Flask, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from wtforms import HiddenField, IntegerField
from wtforms.validators import DataRequired, InputRequired, NumberRange

from .. import bulk, database, desk, folds, moderation
from ..filters import Filter, Unreadable
from ..models import Bulk, Comment, now
from ..status import BulkState, Status
from .cards import too_late
from .desk import ACTIONS, LARGEST_ID, TABS, bp, comment_or_404, local
from .errors import wants_json
from .find import chips
from .forms import UndoForm

# A writer waits for the file lock by looking every 2 ms: a job leaves it free as long as it held it.
LEAST_PAUSE, LONGEST_PAUSE = 0.01, 0.1  # seconds
BUSY_PAUSE = 0.25
MOST_FAILED = 200  # tries in a row that found no turn: about a minute
ATTEMPTS = 4
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


def at_once(start: Callable[[Session], Bulk]) -> int:
    """Does a job that is one batch in one transaction; a larger one is begun. Returns its number."""
    for attempt in range(ATTEMPTS):
        try:
            with database.writing() as session:
                job = start(session)
                job_id, is_more = job.id, True
                if job.total <= bulk.BATCH:
                    bulk.step(session, job_id, bulk.ahead(session, job_id))
                    # What was counted as one batch may have grown: a second one is the job's.
                    if bulk.ahead(session, job_id) is None:
                        is_more = bulk.step(session, job_id, None)
            break
        except database.Busy:  # somebody decides on one of these at this very moment
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(BUSY_PAUSE)
    if is_more:
        run(job_id)
    return job_id


def run(job_id: int) -> None:
    """Starts a thread that does the job. Its application remembers it, for who wants to wait."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_run, args=(app, job_id), name=f"job {job_id}", daemon=True)
    app.extensions.setdefault("jobs", {})[job_id] = thread
    thread.start()


def _run(app: Flask, job_id: int) -> None:
    """Batch after batch; between them others get their turn."""
    is_more, failed = True, 0
    with app.app_context():
        while is_more:
            began = time.monotonic()
            try:
                batch = bulk.ahead(database.session(), job_id)
                database.forget()
                began = time.monotonic()
                with database.writing() as session:
                    is_more = bulk.step(session, job_id, batch)
                failed = 0
            except (
                database.Busy,
                OperationalError,
            ):  # others have their turn, or a lock was in a circle
                failed += 1
                if failed > MOST_FAILED:
                    app.logger.error("Job %s found no turn to write", job_id)
                    return
                time.sleep(BUSY_PAUSE)
                continue
            except Exception:
                # It is found dead on its page, and can be taken up there.
                app.logger.exception("Job %s stopped in the middle", job_id)
                return
            time.sleep(min(max(time.monotonic() - began, LEAST_PAUSE), LONGEST_PAUSE))


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
            "%(seen)s of %(total)s", seen=_n(found.done + found.skipped), total=_n(found.total)
        ),
        "page": url_for(".job", bulk_id=found.id),
        "undo": url_for(".undo_bulk", bulk_id=found.id),
    }


def heading(action: str, number: int, most: int = LARGEST_ID) -> str:
    """What a button does with so many comments; "100,000+" where they were not counted further."""
    count = _n(number) if number <= most else f"{_n(most)}+"
    said = {
        "approve": ngettext(
            "Approve %(count)s comment", "Approve %(count)s comments", number, count=count
        ),
        "reject": ngettext(
            "Reject %(count)s comment", "Reject %(count)s comments", number, count=count
        ),
        "spam": ngettext(
            "Mark %(count)s comment as spam", "Mark %(count)s comments as spam", number, count=count
        ),
        "delete": ngettext(
            "Delete %(count)s comment", "Delete %(count)s comments", number, count=count
        ),
        "pending": ngettext(
            "Put %(count)s comment back to pending",
            "Put %(count)s comments back to pending",
            number,
            count=count,
        ),
    }
    return str(said[action])


def said(found: Bulk) -> str:
    """What a job has done, in a sentence or two."""
    done = {
        Status.APPROVED: ngettext(
            "%(count)s comment approved.",
            "%(count)s comments approved.",
            found.done,
            count=_n(found.done),
        ),
        Status.REJECTED: ngettext(
            "%(count)s comment rejected.",
            "%(count)s comments rejected.",
            found.done,
            count=_n(found.done),
        ),
        Status.SPAM: ngettext(
            "%(count)s comment marked as spam.",
            "%(count)s comments marked as spam.",
            found.done,
            count=_n(found.done),
        ),
        Status.DELETED: ngettext(
            "%(count)s comment deleted.",
            "%(count)s comments deleted.",
            found.done,
            count=_n(found.done),
        ),
        Status.PENDING: ngettext(
            "%(count)s comment put back to pending.",
            "%(count)s comments put back to pending.",
            found.done,
            count=_n(found.done),
        ),
        None: ngettext(
            "%(count)s comment is as it was before.",
            "%(count)s comments are as they were before.",
            found.done,
            count=_n(found.done),
        ),
    }[found.to_status]
    if not found.skipped:
        return str(done)
    skipped = ngettext(
        "%(count)s was skipped: somebody else was faster, or there was nothing to decide.",
        "%(count)s were skipped: somebody else was faster, or there was nothing to decide.",
        found.skipped,
        count=_n(found.skipped),
    )
    return f"{done} {skipped}"


def title(found: Bulk) -> str:
    """What a job is about, in a few words."""
    if found.to_status is None:
        return str(_("Undo job %(number)s", number=found.undoes_id))
    action = next(action for action, status in ACTIONS.items() if status == found.to_status)
    return heading(action, found.total)


def why(fold: folds.Fold) -> str:
    """Why comments stand in one card."""
    if fold.why == folds.DOMAIN:
        return str(_("they link to the same site, %(domain)s", domain=fold.domain))
    said = {
        folds.TEXT: _l("they say the same"),
        folds.ALMOST: _l("they say almost the same"),
        folds.NETWORK: _l("they came from one network within an hour"),
    }
    return str(said[fold.why])


def _n(number: int) -> str:
    return str(format_decimal(number))


def last_job() -> Bulk | None:
    """My latest job, as long as it can be undone and is the last that I did at all."""
    found = bulk.last(database.session(), current_user)
    return found if found and bulk.undoing(database.session(), found) is None else None


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
        "format_number": _n,
    }
