"""A site's comments as a file to take away. With addresses only for an admin who has said once more
who they are (hard rule 4); that it was taken is on record.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, abort, current_app, render_template, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import func, select
from wtforms import BooleanField, RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired

from .. import accounts, database, events
from ..events import What
from ..exchange import taking
from ..exchange.formats import WRITERS, Writer
from ..models import Comment, Site, now
from ..status import Role
from ..vault import WrongKey
from .desk import bp, vault
from .me import fresh_or_verify, is_fresh
from .sites import site_or_refuse


class TakeForm(FlaskForm):
    format = RadioField(
        _l("As what"),
        choices=[SelectChoice(writer.name, writer.label) for writer in WRITERS.values()],
        default=next(iter(WRITERS)),
        validators=[DataRequired(_l("Choose a format."))],
    )
    has_emails = BooleanField(_l("With the email addresses of those who wrote"))


@bp.get("/sites/<key>/export", endpoint="export")
def page(key: str) -> ResponseReturnValue:
    return _page(site_or_refuse(database.session(), key))


@bp.post("/sites/<key>/export")
def export_take(key: str) -> ResponseReturnValue:
    """The file, written while it is sent."""
    site = site_or_refuse(database.session(), key)
    form = TakeForm()
    if not form.validate():
        return _page(site, form), 422
    has_emails = bool(form.has_emails.data)
    if has_emails:
        if not _is_admin():
            abort(403, _("Only administrators can take addresses along."))
        fresh_or_verify(url_for(".export", key=key))
        try:
            taking.check_keys(database.session(), site.id, vault())
        except WrongKey as error:
            said = _(
                "Some addresses are hidden under the key %(key)s, which EMAIL_KEYS lacks. Nothing "
                "was taken along.",
                key=str(error),
            )
            return _page(site, form, str(said)), 409
    writer = WRITERS[form.format.data]
    with database.writing() as session:
        what = What.ADDRESSES_EXPORTED if has_emails else What.COMMENTS_EXPORTED
        site = site_or_refuse(session, key)
        events.record(session, what, current_user, writer.label, site.id)
        site_id = site.id
    name = f"comments-{key}-{now():%Y-%m-%d}{writer.suffix}"
    return Response(
        stream_with_context(_lines(writer, site_id, has_emails)),
        mimetype=writer.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(writer: Writer, site_id: int, has_emails: bool) -> Iterator[str]:
    """The file, as the site stood at one moment. Its reading begins here (see audit.py)."""
    session = taking.at_one_moment()
    lines = writer.lines(session, session.get_one(Site, site_id), vault() if has_emails else None)
    try:
        yield from taking.marked(lines)
    except Exception:
        current_app.logger.exception("An export of site %s broke off", site_id)
        raise


def _is_admin() -> bool:
    return accounts.may(current_user, None, Role.ADMIN)


def _page(site: Site, form: TakeForm | None = None, message: str = "") -> str:
    errors: dict[str, Any] = {}
    if form is not None and form.format.errors:
        errors["format-0"] = form.format.errors
    counted = select(func.count()).where(Comment.site_id == site.id)
    return render_template(
        "desk/export.html",
        site=site,
        form=form or TakeForm(formdata=None),
        errors=errors,
        message=message,
        writers=WRITERS,
        comments=database.session().scalar(counted) or 0,
        is_admin=_is_admin(),
        is_fresh=is_fresh(),
    )
