"""The sites that a publisher keeps: their list, and of each its name, origins, people, and its end."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length

from .. import accounts, closing, database, desk, sites
from ..models import Site
from ..site_settings import SiteSettings
from ..status import Role
from .desk import bp, may_publish
from .forms import VersionField, Visible, line
from .people import ROLES
from .places import ActionForm

# The pages that each site has, in the order of their tabs: an endpoint that takes the site's key.
PAGES: dict[str, Any] = {
    "desk.site": _l("Overview"),
    "desk.settings_of": _l("Settings"),
    "desk.embed": _l("Embed"),
    "desk.articles": _l("Articles"),
    "desk.rules_of": _l("Rules"),
    "desk.outside": _l("Services outside"),
    "desk.imports": _l("Import"),
    "desk.export": _l("Export"),
    "desk.doctor": _l("Doctor"),
}
COUNTED = 1_000  # exact up to here, then "1,000+"
SAID = {
    "added": _l("The site is added. What to do next stands below."),
    "name": _l("The name is saved."),
    "origins": _l("The origins are saved."),
    "closed": _l("The site takes no new comments now, and every thread says so."),
    "held": _l("Every new comment of this site waits for a moderator now."),
    "released": _l("The rules say again which new comments wait."),
    "opened": _l("The site takes new comments again."),
    "restored": _l("The site is back as it was."),
}


class NameForm(FlaskForm):
    name = StringField(
        _l("Name"),
        filters=[line],
        validators=[
            DataRequired(_l("Enter the name that readers know the site by.")),
            Length(max=sites.NAME_LENGTH, message=_l("Enter at most %(max)d characters.")),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"dir": "auto", "autocomplete": "off"},
    )
    version = VersionField()


class OriginsForm(FlaskForm):
    origins = TextAreaField(
        _l("Origins"),
        validators=[DataRequired(_l("Enter an origin, like https://www.example.org."))],
        render_kw={"dir": "ltr", "rows": 4, "spellcheck": "false", "autocomplete": "off"},
    )
    version = VersionField()

    def validate_origins(self, field: Field) -> None:
        try:
            self.read = sites.origins_of(field.data or "")
        except sites.NoOrigin as error:
            raise ValidationError(str(error)) from None


class AddForm(OriginsForm, NameForm):
    key = StringField(
        _l("Key"),
        filters=[line],
        validators=[DataRequired(_l("Enter a key for the site, like daily."))],
        render_kw={"dir": "ltr", "autocapitalize": "none", "spellcheck": "false"},
    )

    def validate_key(self, field: Field) -> None:
        if not sites.KEY.fullmatch(field.data or ""):
            raise ValidationError(
                _("Enter 1 to 40 small letters, digits and hyphens, like the-daily.")
            )


class DeleteForm(FlaskForm):
    typed = StringField(
        _l("The site’s key"),
        filters=[line],
        render_kw={"dir": "ltr", "autocapitalize": "none", "autocomplete": "off"},
    )


@bp.app_context_processor
def _site_pages() -> dict[str, Any]:
    return {"site_pages": PAGES, "may_restore": _may_restore}


def _may_restore() -> bool:
    """Whether the one who is signed in kept a site that is deleted and not erased yet."""
    return bool(sites.deleted(database.session(), current_user))


def site_or_refuse(session: Session, key: str) -> Site:
    """A site whose settings this moderator keeps, or the end of this request."""
    site = sites.find(session, key) or abort(404)
    if not accounts.may(current_user, site.id, Role.PUBLISHER):
        abort(403)
    return site


def _admin_or_refuse() -> None:
    if not current_user.is_admin:
        abort(403, _("Only an administrator adds a site."))


# The list


@bp.get("/sites/", endpoint="sites")
def all_sites() -> ResponseReturnValue:
    """The sites that a publisher keeps, and those deleted that can be restored."""
    session = database.session()
    gone = sites.deleted(session, current_user)
    if not may_publish() and not gone:
        abort(403, _("Publishers and administrators keep the settings of sites."))
    known = desk.sites(session, current_user)
    kept = [site for site in known if accounts.may(current_user, site.id, Role.PUBLISHER)]
    return render_template(
        "desk/sites.html",
        sites=kept,
        settings={site.key: SiteSettings.read(site.settings) for site in kept},
        sizes={site.key: sites.sizes(session, site, COUNTED + 1) for site in kept},
        most=COUNTED,
        gone=[(site, sites.restorable_until(site)) for site in gone],
    )


@bp.get("/sites/add", endpoint="sites_add")
def offer_to_add() -> ResponseReturnValue:
    _admin_or_refuse()
    return render_template("desk/site_add.html", form=AddForm())


@bp.post("/sites/add", endpoint="sites_new")
def add() -> ResponseReturnValue:
    _admin_or_refuse()
    form = AddForm()
    if not form.validate():
        return render_template("desk/site_add.html", form=form), 422
    key = form.key.data or ""
    try:
        with database.writing() as session:
            sites.add(session, key, form.name.data or "", form.read, current_user)
    except sites.Taken:
        form.key.errors = [_("There is a site with this key already, or was one. Choose another.")]
        return render_template("desk/site_add.html", form=form), 422
    return redirect(url_for(".site", key=key, saved="added"), 303)


# One site


@bp.get("/sites/<key>/", endpoint="site")
def overview(key: str) -> ResponseReturnValue:
    return _page(site_or_refuse(database.session(), key))


@bp.post("/sites/<key>/name", endpoint="site_name")
def rename(key: str) -> ResponseReturnValue:
    form, site = NameForm(), site_or_refuse(database.session(), key)
    if not form.validate():
        return _page(site, name=form), 422
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            sites.rename(session, site, form.name.data or "", current_user, form.version.data)
    except sites.Changed:
        return _overtaken(key, name=form)
    return redirect(url_for(".site", key=key, saved="name"), 303)


@bp.post("/sites/<key>/origins", endpoint="site_origins")
def set_origins(key: str) -> ResponseReturnValue:
    form, site = OriginsForm(), site_or_refuse(database.session(), key)
    if not form.validate():
        return _page(site, origins=form), 422
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            sites.set_origins(session, site, form.read, current_user, form.version.data)
    except sites.Changed:
        return _overtaken(key, origins=form)
    return redirect(url_for(".site", key=key, saved="origins"), 303)


@bp.post("/sites/<key>/hold")
def hold_site(key: str) -> ResponseReturnValue:
    """Has every new comment of a site wait for a moderator, or no longer."""
    form = ActionForm()
    if not form.validate() or form.action.data not in ("hold", "release"):
        site_or_refuse(database.session(), key)
        abort(400)
    with database.writing() as session:
        is_held = form.action.data == "hold"
        closing.hold_site(session, site_or_refuse(session, key), is_held, current_user)
    return redirect(url_for(".site", key=key, saved="held" if is_held else "released"), 303)


@bp.post("/sites/<key>/close", endpoint="site_close")
def close(key: str) -> ResponseReturnValue:
    """Closes every thread of a site to new comments, or opens them again."""
    form = ActionForm()
    if not form.validate() or form.action.data not in ("close", "open"):
        site_or_refuse(database.session(), key)
        abort(400)
    is_closed = form.action.data == "close"
    with database.writing() as session:
        sites.close(session, site_or_refuse(session, key), is_closed, current_user)
    return redirect(url_for(".site", key=key, saved="closed" if is_closed else "opened"), 303)


@bp.post("/sites/<key>/delete", endpoint="site_delete")
def delete(key: str) -> ResponseReturnValue:
    """Deletes a site whose key was typed out."""
    form, site = DeleteForm(), site_or_refuse(database.session(), key)
    if not form.validate():
        abort(400)
    if form.typed.data != key:
        form.typed.errors = [_("Type %(key)s to delete the site. Nothing was deleted.", key=key)]
        return _page(site, deleting=form), 422
    with database.writing() as session:
        sites.delete(session, site_or_refuse(session, key), current_user)
    return redirect(url_for(".sites", saved="deleted"), 303)


@bp.post("/sites/<key>/restore", endpoint="sites_restore")
def restore(key: str) -> ResponseReturnValue:
    """Brings a deleted site back, for who kept it or any administrator."""
    form = FlaskForm()
    is_sent = form.validate()
    mine = _mine_of_deleted(database.session(), key)
    if not is_sent or mine is None:
        abort(400 if mine else 404)
    try:
        with database.writing() as session:
            found = _mine_of_deleted(session, key) or abort(404)
            sites.restore(session, found, current_user)
    except sites.TooLate:
        abort(410, _("This site was deleted more than 30 days ago; what it held is erased."))
    return redirect(url_for(".site", key=key, saved="restored"), 303)


def _mine_of_deleted(session: Session, key: str) -> Site | None:
    """A deleted site that the one who is signed in may restore; 403 for another's site."""
    mine = sites.deleted(session, current_user)
    found = next((site for site in mine if site.key == key), None)
    known = session.scalar(select(Site).where(Site.key == key))
    if found is None and known is not None:
        here = accounts.may(current_user, known.id, Role.PUBLISHER)
        abort(404 if here else 403)
    return found


def _overtaken(key: str, **forms: FlaskForm) -> ResponseReturnValue:
    """Somebody else saved something first: what was typed is kept, over what is so now."""
    site = site_or_refuse(database.session(), key)
    message = _(
        "Somebody else changed this site while the page was open. Nothing of yours is saved yet; "
        "look at what is so now, and save once more."
    )
    return _page(site, message=message, **forms), 409


def _page(
    site: Site,
    name: FlaskForm | None = None,
    origins: FlaskForm | None = None,
    deleting: FlaskForm | None = None,
    message: str = "",
) -> str:
    session = database.session()
    wrong = [form for form in (name, origins, deleting) if form is not None]
    written = "\n".join(site.origins)
    return render_template(
        "desk/site.html",
        site=site,
        settings=SiteSettings.read(site.settings),
        name=name or NameForm(None, name=site.name, prefix=""),
        origins=origins or OriginsForm(None, origins=written, prefix=""),
        deleting=deleting or DeleteForm(None, prefix=""),
        variants=sites.variants(site.origins),
        staff=sites.staff(session, site),
        role_names=ROLES,
        sizes=sites.sizes(session, site, COUNTED + 1),
        errors={id: said for form in wrong for id, said in form.errors.items()}
        | ({"typed": deleting.typed.errors} if deleting else {}),
        message=message,
        said=SAID.get(request.args.get("saved", ""), "") if not wrong else "",
    )
