"""The people of the desk: who has which role where. For publishers, on their sites, and admins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, EmailField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length

from .. import database, people, sites
from .. import mail as post_office
from ..accounts import Moderator, Purpose
from ..models import Site
from ..status import Role
from ..vault import mask
from . import headers
from .accounts import signed
from .desk import LARGEST_ID, bp
from .forms import EMAIL_LENGTH, SignInForm, line
from .here import served_at
from .me import fresh_or_verify, is_fresh

ROLES = {
    Role.MODERATOR: _l("moderator"),
    Role.PUBLISHER: _l("publisher"),
    Role.ADMIN: _l("admin"),
}
SAID = {
    "role": _l("The role is changed. It counts at once."),
    "removed": _l("The role is taken away, and whoever has none left is signed out."),
    "restored": _l("The role is given back."),
    "withdrawn": _l("The invitation is taken back. Its link leads nowhere now."),
}


class RoleForm(FlaskForm):
    """A role, and the site that it is for. Takes the sites and roles that one may give."""

    role = SelectField(_l("Role"), validators=[DataRequired(_l("Choose a role."))])
    site = SelectField(_l("Site"))

    def __init__(self, sites: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role.choices = [SelectChoice(role.value, ROLES[role]) for role in roles]
        self.site.choices = [SelectChoice(site.key, site.name) for site in sites]
        if Role.ADMIN in roles:
            self.site.choices.append(SelectChoice("", _l("all sites (admins only)")))
        self.site.validate_choice = False

    def site_or_fault(self, session: Session) -> Site | None:
        """The site that was chosen; an admin has none, whatever was chosen."""
        if self.role.data == Role.ADMIN:
            return None
        return sites.find(session, self.site.data or "")


class InviteForm(RoleForm):
    email = EmailField(
        _l("Email"),
        filters=[line],
        validators=[DataRequired(_l("Enter their email address.")), Length(max=EMAIL_LENGTH)],
        render_kw={"autocomplete": "off", "dir": "ltr"},
    )

    def validate_email(self, field: Any) -> None:
        try:
            checked = validate_email(field.data, check_deliverability=False)
        except EmailNotValidError:
            said = _l("Enter an email address like name@example.org.")
            raise ValidationError(said) from None
        field.data = checked.normalized.lower()

    def validate_site(self, field: Any) -> None:
        if self.role.data != Role.ADMIN and field.data not in {
            c.value for c in field.choices if c.value
        }:
            raise ValidationError(_l("Choose a site."))


class ResetForm(FlaskForm):
    is_step_lost = BooleanField(_l("Their app and passkeys are lost too: switch these off"))


@contextmanager
def told() -> Iterator[None]:
    """What people.py refuses, as an answer."""
    try:
        yield
    except people.NotAllowed as error:
        abort(403, _(str(error.__doc__)))
    except people.LastAdmin as error:
        abort(409, _(str(error.__doc__)))
    except people.Unknown:
        abort(404, _("Somebody was quicker: this has changed in between. Load the page anew."))


def _guard() -> None:
    """These pages are for who decides about people."""
    if not current_user.runs_a_site:
        abort(403)


def _act(form: FlaskForm | None = None) -> None:
    _guard()
    if not (form or SignInForm()).validate():
        abort(400)
    fresh_or_verify(url_for("desk.people_page"))


@bp.get("/people/")
def people_page() -> ResponseReturnValue:
    _guard()
    return _page()


def _page(form: InviteForm | None = None, **more: Any) -> str:
    session = database.session()
    sites = people.sites(session, current_user)
    roles = people.roles(current_user)
    return render_template(
        "desk/people.html",
        form=form or InviteForm(sites, roles, formdata=None),
        people=people.everybody(session, current_user),
        invitations=people.invitations(session, current_user),
        names={site.id: site.name for site in sites},
        sites=sites,
        roles=roles,
        role_names=ROLES,
        mask=mask,
        is_fresh=is_fresh(),
        said=SAID.get(request.args.get("said", ""), ""),
        **more,
    )


def _back(said: str) -> ResponseReturnValue:
    return redirect(url_for("desk.people_page", said=said), 303)


def _done(
    verb: Callable[[Session, Moderator, int], None], about_id: int, said: str
) -> ResponseReturnValue:
    """What takes nothing but an invitation or a role: one verb of people.py about it."""
    _act()
    with told(), database.writing() as session:
        verb(session, current_user, about_id)
    return _back(said)


@bp.post("/people/invite")
def invite() -> ResponseReturnValue:
    _guard()
    session = database.session()
    form = InviteForm(people.sites(session, current_user), people.roles(current_user))
    fresh_or_verify(url_for("desk.people_page"))
    if not form.validate():
        return _page(form), 422
    with told(), database.writing() as session:
        site = form.site_or_fault(session)
        invited, role, is_mailed = form.email.data or "", Role(form.role.data), _has_mail()
        secret = people.invite(session, current_user, invited, role, site, is_mailed)
    if is_mailed:
        return _letter_page(invited, _("Invitation"), people.INVITATION_LASTS.days)
    link = _outside(url_for("accounts.join", invitation=signed(Purpose.JOIN, secret)))
    return _link_page(link, _("Invitation"), people.INVITATION_LASTS.days)


def _has_mail() -> bool:
    return not post_office.lacks(current_app.config)


def _letter_page(address: str, heading: str, days: int, is_returned: bool = False) -> str:
    """In place of the link, which only whom it is for gets to see."""
    return render_template(
        "desk/link.html",
        masked=mask(address),
        heading_is=heading,
        days=days,
        is_returned=is_returned,
    )


def _outside(path: str) -> str:
    return served_at() + path


def _link_page(link: str, heading: str, days: int) -> ResponseReturnValue:
    """Shown in this answer and never again: only a digest of it is kept."""
    page = render_template("desk/link.html", link=link, heading_is=heading, days=days)
    return headers.keep_private(make_response(page))


@bp.post(f"/people/invitations/<int(max={LARGEST_ID}):invitation_id>/withdraw")
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    return _done(people.withdraw, invitation_id, "withdrawn")


@bp.post(f"/people/roles/<int(max={LARGEST_ID}):membership_id>/change")
def change_role(membership_id: int) -> ResponseReturnValue:
    _guard()
    form = RoleForm(people.sites(database.session(), current_user), people.roles(current_user))
    _act(form)
    with told(), database.writing() as session:
        site = form.site_or_fault(session)
        people.change(session, current_user, membership_id, Role(form.role.data), site)
    return _back("role")


@bp.post(f"/people/roles/<int(max={LARGEST_ID}):membership_id>/remove")
def remove_role(membership_id: int) -> ResponseReturnValue:
    return _done(people.remove, membership_id, "removed")


@bp.post(f"/people/roles/<int(max={LARGEST_ID}):membership_id>/restore")
def restore_role(membership_id: int) -> ResponseReturnValue:
    return _done(people.restore, membership_id, "restored")


@bp.post(f"/people/<int(max={LARGEST_ID}):person_id>/reset")
def reset_person(person_id: int) -> ResponseReturnValue:
    form = ResetForm()
    _act(form)
    with told(), database.writing() as session:
        is_lost, is_mailed = bool(form.is_step_lost.data), _has_mail()
        secret = people.reset(session, current_user, person_id, is_lost, is_mailed)
    if is_mailed:
        person = database.session().get_one(Moderator, person_id)
        is_returned = person.returned_at is not None
        return _letter_page(person.email, _("A new password"), 1, is_returned)
    link = _outside(url_for("accounts.reset", reset_link=signed(Purpose.RESET, secret)))
    return _link_page(link, _("A new password"), 1)


@bp.post(f"/people/<int(max={LARGEST_ID}):person_id>/address")
def show_address(person_id: int) -> ResponseReturnValue:
    _guard()
    if not SignInForm().validate():
        abort(400)
    with told(), database.writing() as session:
        _name, address = people.address(session, current_user, person_id)
    return _page(shown={person_id: address})
