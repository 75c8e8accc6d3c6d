"""Waves at the desk: what came in one, cleared by one job after a look at it, or called off."""

from datetime import timedelta
from typing import Any

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from .. import bulk, database, events, moderation, statistics
from ..accounts import within_reach
from ..models import Article, Bulk, Site, Wave, now
from ..rules.holding import WAVE_MINUTES
from ..screening import sweep, waves
from ..status import Status
from .bulk import moment
from .bulk_words import heading
from .desk import LARGEST_ID, bp
from .forms import UndoForm
from .jobs import at_once

LISTED = 50
# So long one that is over is told of above the queue, unless it is cleared.
ASKED_FOR = timedelta(days=7)


class ClearForm(FlaskForm):
    """A wave, as it was shown; `after` is the job that had cleared it before, 0 for none."""

    until = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])
    decided = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])
    after = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_ID)])


@bp.get("/waves/", endpoint="waves")
def past() -> ResponseReturnValue:
    """The latest waves of one's sites, newest first."""
    session = database.session()
    found = select(Wave).where(within_reach(current_user, Wave.site_id))
    listed = session.scalars(found.order_by(Wave.id.desc()).limit(LISTED)).all()
    return render_template("desk/waves.html", waves=listed)


@bp.get(f"/waves/<int(max={LARGEST_ID}):wave_id>")
def wave(wave_id: int) -> ResponseReturnValue:
    session = database.session()
    moment()  # before anything else is read
    found = wave_or_404(session, wave_id)
    look = sweep.look(session, found)
    status = Status.PENDING if look.clears else Status.SPAM
    host, linking, same = statistics.shared(session, sweep.within(found, [status]))
    job = session.get(Bulk, found.bulk_id) if found.bulk_id else None
    return render_template(
        "desk/wave.html",
        wave=found,
        found=look,
        heading=heading("spam", look.clears, sweep.COUNTED),
        shared={"host": host, "linking": linking, "same": same},
        job=job,
        undoing=bulk.undoing(session, job) if job else None,
    )


@bp.post(f"/waves/<int(max={LARGEST_ID}):wave_id>/clear")
def clear_wave(wave_id: int) -> ResponseReturnValue:
    """Marks what was shown as spam: a little at once, more by a job."""
    reading = database.session()
    shown, form = wave_or_404(reading, wave_id), ClearForm()
    if not form.validate():
        abort(400)
    until, decided = form.until.data or 0, form.decided.data or 0
    total = sweep.count(reading, shown, until)

    def start(session: Session) -> Bulk:
        found = session.get_one(Wave, wave_id)
        after = form.after.data or None
        return bulk.start_wave(session, current_user, found, total, until, decided, after)

    try:
        if total:
            at_once(start)
    except moderation.Stale:
        abort(409, _("Somebody has cleared this wave in between. Look at it once more."))
    return redirect(url_for(".wave", wave_id=wave_id), 303)


@bp.post(f"/waves/<int(max={LARGEST_ID}):wave_id>/none")
def deny_wave(wave_id: int) -> ResponseReturnValue:
    """Ends a false alarm; what waits goes on waiting, and none begins there for an hour."""
    wave_or_404(database.session(), wave_id)
    if not UndoForm().validate():
        abort(400)
    with database.writing() as session:
        if ended := waves.call_off(session, wave_id):
            about = waves.named(session, ended)
            events.record(session, events.What.WAVE_DENIED, current_user, about, ended.site_id)
    return redirect(url_for(".wave", wave_id=wave_id), 303)


def wave_or_404(session: Session, wave_id: int) -> Wave:
    """A wave on one of this moderator's sites, or the end of this request."""
    within = (Wave.id == wave_id, within_reach(current_user, Wave.site_id))
    return session.scalar(select(Wave).where(*within)) or abort(404)


def to_tell() -> list[Wave]:
    """What is told above the queue: waves that are on, and those of which something waits that
    nobody has cleared."""
    session = database.session()
    is_open = or_(Wave.ended_at.is_(None), Wave.ended_at > now() - ASKED_FOR)
    those = (is_open, Wave.bulk_id.is_(None), within_reach(current_user, Wave.site_id))
    found = session.scalars(select(Wave).where(*those).order_by(Wave.id.desc()).limit(LISTED))
    return [one for one in found if _is_told(session, one)]


def _is_told(session: Session, found: Wave) -> bool:
    if found.ended_at is None:
        return True
    return not waves.is_called_off(found) and sweep.has_any(session, found)


def where(found: Wave) -> str:
    """Where a wave is, in words; a title that a stranger sent is none (hard rule 10)."""
    session = database.session()
    if found.article_id is None:
        site = session.get_one(Site, found.site_id)
        return str(_("all of %(site)s", site=site.name))
    article = session.get_one(Article, found.article_id)
    return article.title if article.title and article.is_title_proved else article.url


@bp.context_processor
def _words() -> dict[str, Any]:
    return {
        "waves_to_tell": to_tell,
        "wave_where": where,
        "is_called_off": waves.is_called_off,
        "most_counted": waves.MOST,
        "wave_minutes": WAVE_MINUTES,
    }
