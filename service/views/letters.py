"""The outbox at the desk: which letters wait and why, which failed, and trying one again.

For publishers, of their sites, and admins. Whom a letter is for is masked, and no link of a letter
is ever shown: there is none before it is sent (hard rule 5).
"""

from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired

from .. import accounts, database, desk, events, notices
from .. import mail as post_office
from ..accounts import Moderator
from ..events import What
from ..mail import outbox, undeliverable
from ..models import Author, Invitation, Letter, now
from ..status import LetterKind, LetterState, Pace, Role, Why
from ..vault import Hidden, WrongKey, mask
from .desk import LARGEST_ID, bp, comment_or_404, vault
from .forms import SignInForm

LISTED = 50  # in each part; older ones are only counted
KINDS = {
    LetterKind.WAITING: _l("Comments wait"),
    LetterKind.WAVE: _l("Far more comments than usual"),
    LetterKind.CONFIRM: _l("Is this address yours?"),
    LetterKind.PUBLISHED: _l("A reply is published"),
    LetterKind.REFUSED: _l("A reply is not published"),
    LetterKind.ANSWERED: _l("Somebody answered"),
    LetterKind.FOLLOWED: _l("New comments under an article"),
    LetterKind.INVITATION: _l("An invitation"),
    LetterKind.RESET: _l("A link for a new password"),
}
WHYS = {
    Why.UNDONE: _l("What caused it was taken back."),
    Why.SETTLED: _l("Nothing was left to tell of."),
    Why.GONE: _l("The comment or the address is gone."),
    Why.UNWANTED: _l("They want no such letters."),
    Why.FORBIDDEN: _l("They have no role on the site any more."),
    Why.CAP: _l("So many went in the last hour that this one waits."),
    Why.SERVER: _l("The mail server cannot be used at the moment."),
    Why.LATER: _l("The mail server did not take it yet."),
    Why.REFUSED: _l("The mail server refused it."),
    Why.BROKEN: _l("It could not be put into words. The worker’s log says more."),
    Why.TOGETHER: _l("Another letter told of it too."),
    Why.NEVER: _l("The address asked never to be written to."),
    Why.RETURNED: _l("Mail to the address came back before."),
    Why.OFF: _l("The webhook is switched off."),
}
PACES = {
    Pace.AT_ONCE: _l("At once; what comes after it together, once an hour at most"),
    Pace.HOURLY: _l("Once an hour"),
    Pace.DAILY: _l("Once a day, in the morning (6:00 UTC)"),
    Pace.NONE: _l("Never"),
}


class PaceForm(FlaskForm):
    pace = RadioField(
        choices=[SelectChoice(pace.value, said) for pace, said in PACES.items()],
        validators=[DataRequired()],
    )


@dataclass(frozen=True)
class Shown:
    """A letter as its page shows it."""

    letter: Letter
    kind: str
    site: str
    name: str  # of whom it is for, "" for an author
    masked: str
    why: str
    is_returned: bool  # mail to the address comes back


@bp.get("/letters/", endpoint="letters")
def outbox_page() -> ResponseReturnValue:
    session = database.session()
    sites = _sites(session) or abort(403)
    return render_template(
        "desk/letters.html",
        lacks=post_office.lacks(current_app.config),
        waiting=_shown(session, sites, LetterState.QUEUED),
        failed=_shown(session, sites, LetterState.FAILED),
        sent=_shown(session, sites, LetterState.SENT),
        dropped=_shown(session, sites, LetterState.DROPPED),
        counts=_counts(session, sites),
        most=LISTED,
        is_again=request.args.get("said") == "again",
        at=now(),
    )


@bp.post(f"/letters/<int(max={LARGEST_ID}):letter_id>/again")
def send_again(letter_id: int) -> ResponseReturnValue:
    """Puts a letter that has failed back among those that wait."""
    sites = _sites(database.session()) or abort(403)
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        theirs = select(Letter.id).where(Letter.id == letter_id, _theirs(sites))
        if session.scalar(theirs) is None:
            abort(404)
        _allow(session, session.get_one(Letter, letter_id))
        if not outbox.try_again(session, letter_id, now()):
            abort(
                409, _("Somebody was quicker: this letter is not among the failed ones any more.")
            )
    return redirect(url_for(".letters", said="again"), 303)


@bp.post("/comments/<public_id>/write-again")
def write_again(public_id: str) -> ResponseReturnValue:
    """Lets letters go again to the address of a comment that mail came back from."""
    if not SignInForm().validate():
        abort(400)
    with database.writing() as session:
        found = comment_or_404(session, public_id)
        if undeliverable.clear(session, found.author_id):
            about = f"comment {public_id}"
            events.record(session, What.MAIL_ALLOWED, current_user, about, found.site_id)
    return redirect(url_for(".comment", public_id=public_id), 303)


def _allow(session: Session, letter: Letter) -> None:
    """Who has a letter tried again says that its address takes mail, whatever came back before."""
    if undeliverable.clear(session, letter.author_id, letter.moderator_id):
        about = f"letter {letter.id}"
        events.record(session, What.MAIL_ALLOWED, current_user, about, letter.site_id)


@bp.post("/me/letters")
def set_letters() -> ResponseReturnValue:
    """How often the one who asks is written to."""
    form = PaceForm()
    if not form.validate():
        abort(400)
    with database.writing() as session:
        notices.set_pace(session, current_user.id, Pace(form.pace.data))
    return redirect(url_for(".me", said="letters", _anchor="letters"), 303)


@bp.post("/me/mail-links")
def set_mail_links() -> ResponseReturnValue:
    """Whether letters to the one who asks hold links that decide; those that were sent follow."""
    if not SignInForm().validate():
        abort(400)
    is_wanted = "wanted" in request.form
    with database.writing() as session:
        session.get_one(Moderator, current_user.id).has_mail_links = is_wanted
        events.record(session, events.What.MAIL_LINKS, current_user, "on" if is_wanted else "off")
    return redirect(url_for(".me", said="links", _anchor="letters"), 303)


def _sites(session: Session) -> dict[int, str]:
    """The names of the sites whose letters the one who is signed in may see."""
    return {
        site.id: site.name
        for site in desk.sites(session, current_user)
        if accounts.may(current_user, site.id, Role.PUBLISHER)
    }


def _theirs(sites: dict[int, str]) -> ColumnElement[bool]:
    """The mails of these sites, and those of no site for whoever has all of them."""
    theirs: ColumnElement[bool] = Letter.site_id.in_(sites)
    if accounts.may(current_user, None, Role.ADMIN):
        theirs = or_(theirs, Letter.site_id.is_(None))
    return and_(theirs, Letter.hook_id.is_(None))


def _counts(session: Session, sites: dict[int, str]) -> dict[str, int]:
    in_one = Letter.state.in_((LetterState.QUEUED, LetterState.FAILED))
    of_these = (_theirs(sites), in_one)
    counted = select(Letter.state, func.count()).where(*of_these).group_by(Letter.state)
    return {str(state): number for state, number in session.execute(counted)}


def _shown(session: Session, sites: dict[int, str], state: LetterState) -> list[Shown]:
    found = select(Letter).where(_theirs(sites), Letter.state == state)
    orders: dict[LetterState, tuple[Any, ...]] = {
        LetterState.QUEUED: (Letter.due_at, Letter.id),
        LetterState.SENT: (
            Letter.sent_at.desc(),
            Letter.id.desc(),
        ),  # a digest is written long before
    }
    ordered = found.order_by(*orders.get(state, (Letter.id.desc(),)))
    return [
        Shown(
            letter,
            str(KINDS[letter.kind]),
            sites[letter.site_id] if letter.site_id else "",
            *_recipient(session, letter),
            str(WHYS[letter.why]) if letter.why else "",
            _is_returned(session, letter),
        )
        for letter in session.scalars(ordered.limit(LISTED))
    ]


def _is_returned(session: Session, letter: Letter) -> bool:
    author = session.get(Author, letter.author_id) if letter.author_id else None
    moderator = session.get(Moderator, letter.moderator_id) if letter.moderator_id else None
    return any(one is not None and one.returned_at is not None for one in (author, moderator))


def _recipient(session: Session, letter: Letter) -> tuple[str, str]:
    """The name of whom a letter is for, and their address with all but its first letters covered."""
    if letter.moderator_id is not None:
        moderator = session.get_one(Moderator, letter.moderator_id)
        return moderator.name, mask(moderator.email)
    if letter.invitation_id is not None:
        return "", mask(session.get_one(Invitation, letter.invitation_id).email)
    author = session.get_one(Author, letter.author_id)
    hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
    try:
        return "", mask(vault().reveal(hidden, author.site_id))
    except WrongKey:
        return "", "…"


@bp.context_processor
def _words() -> dict[str, Any]:
    return {"paces": PACES, "lacks_mail": lambda: post_office.lacks(current_app.config)}
