"""Readers taking part without writing: likes, and reports with a receipt.

Like the reader's other doors it never touches the session; its forms sign their own tokens.
"""

from typing import Any

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
from sqlalchemy.orm import Session

from .. import comments, database, folds, likes, moderation, notices, reports, text
from ..models import Comment
from ..site_settings import SiteSettings
from ..status import ReportReason, Status
from . import errors, headers, languages
from .forms import REPORT_REASONS, ReportForm
from .limits import LIKING, REPORTING, limiter, or_plainly, wait
from .reader import Place, check_origin, way_back

bp = Blueprint("participation", __name__)
bp.before_request(languages.choose)  # for what is refused before its site is known

EXCERPT = 280  # characters of the comment that a report is about


@bp.post("/embed/<key>/comments/<public_id>/like")
@limiter.limit(LIKING)
def like(key: str, public_id: str) -> ResponseReturnValue:
    """Counts a like; one more from the same network today is answered the same."""
    place, _comment = _shown_or_404(database.session(), key, public_id)
    if not place.settings.likes:
        abort(404)
    check_origin(place)
    if place.tokens.read(request.form.get("token", "")) is None:
        abort(
            400,
            _("This page was open for a long time. Load it anew and press “Like” once more."),
        )
    with database.writing() as session:
        _place, comment = _shown_or_404(session, key, public_id)
        count = likes.like(session, comment, _network())
    if errors.wants_json():
        return {"likes": count}
    return redirect(_back(place, public_id), 303)


@bp.get("/embed/<key>/comments/<public_id>/report")
def offer(key: str, public_id: str) -> ResponseReturnValue:
    """The form in which a reader says what is wrong with a comment."""
    place, comment = _reportable_or_404(database.session(), key, public_id)
    return _form(place, comment, ReportForm(place.tokens, formdata=None), status=200)


@bp.post("/embed/<key>/comments/<public_id>/report")
@limiter.limit(REPORTING)
def report(key: str, public_id: str) -> ResponseReturnValue:
    """Stores a report; a second one from the same network is answered like the first."""
    place, comment = _reportable_or_404(database.session(), key, public_id)
    check_origin(place)
    form = ReportForm(place.tokens)
    if not form.validate():
        return _form(place, comment, form)
    try:
        token = _store(place, public_id, form)
    except database.Busy:
        said = _(
            "Many people are writing at this moment. Your report is kept; try again in 5 seconds."
        )
        return _form(place, comment, form, said, 503, 5)
    return redirect(
        url_for(".receipt", report_token=token, **_carried(), _external=True, _anchor="report"), 303
    )


@bp.errorhandler(RateLimitExceeded)
@or_plainly
def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    """A report comes back with what was typed and says when to try again."""
    seconds = wait(error)
    if request.endpoint != "participation.report":
        return errors.answer(429, headers={"Retry-After": str(seconds)})
    place, comment = _reportable_or_404(database.session(), **(request.view_args or {}))
    said = _(
        "You have sent several reports in a short time. Your text is kept; try again %(when)s.",
        when=languages.in_time(seconds),
    )
    return _form(place, comment, ReportForm(place.tokens), said, 429, seconds)


@bp.get("/reports/<report_token>")
def receipt(report_token: str) -> ResponseReturnValue:
    """What became of one's report. The link is a key: nothing else opens this page."""
    read = current_app.extensions["signer"].read("report", report_token)
    session = database.session()
    found = reports.by_public_id(session, read[0]) if read else None
    if found is None:
        abort(404, _("This link is not complete, or its report was erased. Check the link."))
    place = _place(found.comment)
    is_shown = found.comment.status == Status.APPROVED
    reason = ReportReason(read[1])
    is_illegal = reason == ReportReason.ILLEGAL
    page = render_template(
        "reader/reported.html",
        site=place.site,
        settings=place.settings,
        state="received" if found.outcome is None else "kept" if is_shown else "removed",
        said=_said(found.comment) if is_shown else None,
        reason=REPORT_REASONS[reason],
        is_illegal=is_illegal,
        why=reports.public_reason(session, found) if is_illegal else "",
        sent_at=found.created_at,
        back=_back(place, found.comment.public_id),
    )
    return headers.keep_private(make_response(page))


def _store(place: Place, public_id: str, form: ReportForm) -> str:
    """Writes the report down; gives the token of its receipt.

    The token names the reason that was sent: whoever reports from a network that did so before
    meets their own words, not a neighbour's.
    """
    vault = current_app.extensions["vault"]
    reason = ReportReason(form.reason.data)
    hidden = vault.hide(form.contact.data, place.site.id) if form.contact.data else None
    with database.writing() as session:
        _place, comment = _reportable_or_404(session, place.site.key, public_id)
        folds.lock(session, [comment.fold_key])  # before any row is taken
        contact = comments.author_of(session, place.site.id, hidden) if hidden else None
        notice = reports.Notice(
            reason, form.explanation.data or "", _network(), contact.id if contact else None
        )
        stored, is_due = reports.submit(
            session, vault, comment, notice, place.settings.report_threshold
        )
        if is_due and place.settings.reports_hold:
            moderation.hold(session, comment)
        notices.reported(session, stored, is_due)
        named = [stored.public_id, reason.value]
    return str(current_app.extensions["signer"].sign("report", named))


def _shown_or_404(session: Session, key: str, public_id: str) -> tuple[Place, Comment]:
    """A comment that readers see on this site, or the end of this request."""
    comment = comments.by_public_id(session, public_id)
    if comment is None or comment.article.site.key != key:
        abort(404)
    place = _place(comment)
    if comment.status != Status.APPROVED:
        abort(404, _("This comment is no longer shown."))
    return place, comment


def _reportable_or_404(session: Session, key: str, public_id: str) -> tuple[Place, Comment]:
    place, comment = _shown_or_404(session, key, public_id)
    if not place.settings.reports:
        abort(404)
    return place, comment


def _place(comment: Comment) -> Place:
    """Where a comment stands; from here on this request speaks the site's language."""
    article, site = comment.article, comment.article.site
    settings = SiteSettings.read(site.settings)
    languages.choose(settings.language)
    headers.allow_frames(site.origins)
    return Place(site, settings, article.url, article.given_id or "", article)


def _form(
    place: Place,
    comment: Comment,
    form: ReportForm,
    message: str = "",
    status: int = 422,
    retry: int = 0,
) -> ResponseReturnValue:
    """The form, with what was typed and each error beside its field."""
    page = render_template(
        "reader/report.html",
        site=place.site,
        settings=place.settings,
        said=_said(comment),
        form=form,
        message=message or " ".join(map(str, form.token.errors)),
        action=url_for(".report", key=place.site.key, public_id=comment.public_id, **_carried()),
        back=_back(place, comment.public_id),
    )
    added = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return page, status, added | ({"Retry-After": str(retry)} if retry else {})


def _said(comment: Comment) -> dict[str, Any]:
    """What readers see of a comment, shortened."""
    return {
        "name": text.mask_addresses(comment.name),
        "at": comment.created_at,
        "excerpt": text.excerpt(text.plain(comment.html), EXCERPT),
    }


def _back(place: Place, public_id: str) -> str:
    """The comment where the reader came from: in a fragment on the publisher's page, or here."""
    anchor = f"comment-{public_id}"
    if page := way_back(place.site, request.values.get("return_to", "")):
        return f"{page.partition('#')[0]}#{anchor}"
    return url_for(
        "reader.thread",
        key=place.site.key,
        url=place.url,
        at=public_id,
        lang=_carried()["lang"],
        _anchor=anchor,
    )


def _network() -> str:
    return comments.network_of(request.remote_addr or "")


def _carried() -> dict[str, Any]:
    """What goes along from page to page."""
    return {name: request.values.get(name) or None for name in ("lang", "return_to")}
