"""An article at the desk: closed to new comments, or each of them held; its title and address."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length, StopValidation

from .. import accounts, aliases, articles, closing, database, desk, urls
from ..models import Article, now
from ..site_settings import SiteSettings
from ..status import Role
from .desk import LARGEST_ID, bp, local
from .errors import wants_json
from .forms import line, trimmed

# What can be said of an article: the verb, and whether it is so afterwards.
ARTICLE_ACTIONS = {
    "close": (closing.close, True),
    "open": (closing.close, False),
    "hold": (closing.hold, True),
    "release": (closing.hold, False),
}


TITLE_LENGTH = 300  # the column's width in models
SAID = {
    "renamed": _l("The title is saved."),
    "moved": _l("The article has its new address. The old one leads to it."),
    "merged": _l("The two articles are one. Both addresses lead here."),
    "merging": _l(
        "The two articles become one: both addresses lead here already, and the other comments "
        "follow within minutes."
    ),
}


class ActionForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])


class TitleForm(FlaskForm):
    title = StringField(
        _l("Title"),
        filters=[line],
        validators=[
            Length(max=TITLE_LENGTH, message=_l("A title has at most %(max)d characters."))
        ],
        render_kw={"dir": "auto", "autocomplete": "off"},
    )


def address_field(label: Any, missing: Any) -> StringField:
    """Where an article's address is typed; what is none is refused with a sentence."""
    return StringField(
        label,
        filters=[trimmed],
        validators=[DataRequired(missing), is_address],
        render_kw={
            "dir": "ltr", "inputmode": "url", "autocomplete": "off",
            "autocapitalize": "none", "spellcheck": "false",
        },
    )  # fmt: skip


def is_address(form: FlaskForm, field: StringField) -> None:
    try:
        address = urls.canonical(field.data or "")
    except urls.NotAnAddress:
        address = ""
    if not address or len(address.encode()) > urls.MAX_LENGTH:
        said = _l("Enter a whole address, like https://www.example.org/2026/review.")
        raise StopValidation(said)


class MoveForm(FlaskForm):
    url = address_field(_l("New address"), _l("Enter the new address."))


class IntoForm(FlaskForm):
    into = address_field(
        _l("Address of the article that stays"), _l("Enter the address of the other article.")
    )


def article_or_404(session: Session, article_id: int) -> Article:
    """An article on one of this moderator's sites, or the end of this request."""
    return desk.find_article(session, current_user, article_id) or abort(404)


@bp.get(f"/articles/<int(max={LARGEST_ID}):article_id>")
def article(article_id: int) -> ResponseReturnValue:
    """Its page; that of the one that it became part of."""
    session = database.session()
    if (present := aliases.present(session, article_id)) != article_id:
        article_or_404(session, present)
        return redirect(url_for(".article", article_id=present, next=request.args.get("next")))
    return article_page(article_id)


def article_page(article_id: int, **forms: FlaskForm | Article) -> str:
    """The page, with a form that has to be filled in once more by its name."""
    session = database.session()
    found = article_or_404(session, article_id)
    settings = SiteSettings.read(found.site.settings)
    ends_at = settings.closes_at(found.created_at)
    shown = {
        "titling": TitleForm(formdata=None, data={"title": found.title}),
        "moving": MoveForm(formdata=None),
        "merging": IntoForm(formdata=None),
    }
    errors: dict[str, Any] = {}
    for form in forms.values():
        errors |= form.errors if isinstance(form, FlaskForm) else {}
    return render_template(
        "desk/article.html",
        **(shown | forms),
        errors=errors,
        article=found,
        said=SAID.get(request.args.get("said", "")),
        may_change=accounts.may(current_user, found.site_id, Role.PUBLISHER),
        aliases=articles.aliases(session, found),
        coming=articles.coming(session, found),
        is_site_held=settings.hold_all,
        days=settings.close_after_days,
        ends_at=ends_at,
        is_too_old=ends_at is not None and ends_at <= now(),
        pinned=desk.pinned(session, found),
        next=local(request.args.get("next", "")),
    )


@bp.post(f"/articles/<int(max={LARGEST_ID}):article_id>/set")
def set_article(article_id: int) -> ResponseReturnValue:
    """Closes or opens it, holds what comes or no longer."""
    form = ActionForm()
    if not form.validate() or form.action.data not in ARTICLE_ACTIONS:
        abort(400)
    verb, is_so = ARTICLE_ACTIONS[form.action.data]
    with database.writing() as session:
        verb(session, article_or_404(session, article_id), is_so, current_user)
    if wants_json():
        found = article_or_404(database.session(), article_id)
        return {"closed": bool(found.closed_at), "held": bool(found.held_at)}
    return redirect(url_for(".article", article_id=article_id, next=request.form.get("next")), 303)
