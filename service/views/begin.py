"""The first ten minutes: name the site, paste the snippet, see the first comment arrive."""

import re
import unicodedata
from typing import Any

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Field, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from .. import database, desk, sites, urls
from ..models import Comment, Site
from . import recipes
from .desk import bp
from .errors import wants_json
from .forms import Visible, line
from .here import served_at
from .sites import site_or_refuse

DEMO = "demo"


class SiteForm(FlaskForm):
    """A site's name and address; its key is made of the name unless one is typed."""

    name = StringField(
        _l("Name of your site"),
        filters=[line],
        validators=[
            DataRequired(_l("Enter the name that your readers know the site by.")),
            Length(
                max=sites.NAME_LENGTH, message=_l("Enter a name of at most %(max)d characters.")
            ),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"dir": "auto", "autocomplete": "organization"},
    )
    address = StringField(
        _l("Its address"),
        filters=[line],
        validators=[
            DataRequired(_l("Enter the address of your site, like https://www.example.org."))
        ],
        render_kw={"dir": "ltr", "inputmode": "url", "autocomplete": "url"},
    )
    key = StringField(
        _l("Key"),
        filters=[line],
        validators=[],
        render_kw={"dir": "ltr", "autocapitalize": "none", "spellcheck": "false"},
    )

    def validate_address(self, field: Field) -> None:
        try:
            self.origin = origin_of(field.data)
        except urls.NotAnAddress:
            raise ValidationError(
                _("Enter the address of your site, like https://www.example.org.")
            ) from None

    def validate_key(self, field: Field) -> None:
        if field.data and not sites.KEY.fullmatch(field.data):
            raise ValidationError(_("A key has 1 to 40 small letters, digits and hyphens."))

    @property
    def chosen_key(self) -> str:
        return self.key.data or key_of(self.name.data or "")


def origin_of(typed: str) -> str:
    """The origin of an address as people type it: without a scheme, or with a path. Raises
    urls.NotAnAddress."""
    address = typed if "://" in typed else f"https://{typed}"
    return urls.origin("/".join(address.split("/")[:3]))


def key_of(name: str) -> str:
    """A site's key made of its name: "Le Café du Coin" is "le-cafe-du-coin"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "site"


def admin_or_refuse() -> None:
    if not current_user.is_admin:
        abort(403, _("Only an admin adds a site."))


@bp.get("/begin", endpoint="begin")
def name_the_site() -> ResponseReturnValue:
    admin_or_refuse()
    return _page(SiteForm())


@bp.post("/begin", endpoint="begin_site")
def add_the_site() -> ResponseReturnValue:
    admin_or_refuse()
    form = SiteForm()
    if not form.validate():
        return _page(form, 422)
    key = form.chosen_key
    try:
        with database.writing() as session:
            sites.add(session, key, form.name.data or "", [form.origin], current_user)
    except sites.Taken:
        form.key.errors = [
            _("There is a site with the key %(key)s already. Choose another.", key=key)
        ]
        return _page(form, 422)
    return redirect(url_for(".begin_with", key=key), 303)


@bp.get("/begin/<key>")
def begin_with(key: str) -> ResponseReturnValue:
    """What to paste, and whether the first comment has come; script asks for that alone."""
    session = database.session()
    site = site_or_refuse(session, key)
    first = _first_comment(session, site)
    if wants_json():
        return {"has_comment": first is not None}
    snippet = recipes.snippet(served_at(), site)
    return render_template("desk/begin_with.html", site=site, first=first, snippet=snippet)


def _first_comment(session: Session, site: Site) -> Comment | None:
    found = select(Comment).where(Comment.site_id == site.id, Comment.import_id.is_(None))
    return session.scalar(found.order_by(Comment.id).limit(1))


def _page(form: SiteForm, status: int = 200) -> ResponseReturnValue:
    known: list[Any] = [
        site for site in desk.sites(database.session(), current_user) if site.key != DEMO
    ]
    return render_template("desk/begin.html", form=form, known=known), status
