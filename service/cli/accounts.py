"""`flask moderator`: the people who sign in. The operator may do what an admin may."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import accounts, database, events, mail, passwords, people
from ..accounts import Membership, Moderator, Purpose
from ..events import What
from ..models import Site
from ..status import Role
from ..vault import mask
from .address import served_at
from .sites import site_or_stop

FAULTS = {
    "short": f"The password needs at least {passwords.LEAST} characters.",
    "long": f"The password may have at most {passwords.MOST} characters.",
    "common": "This password is one of the first that anybody would try.",
    "yours": "The password is made of the address.",
}
ROLES = click.Choice([role.value for role in Role])


@click.group()
def moderator() -> None:
    """The people who sign in at the desk."""


@moderator.command("add")
@click.argument("email")
@click.option("--role", required=True, type=ROLES)
@click.option("--site", "site_key", help="The site's key; every role but admin has one.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def add(email: str, role: str, site_key: str | None, password_stdin: bool) -> None:
    """Add a person with a role, or give a known one another role. Who was removed begins anew:
    with this password, and without the passkeys and the app of before."""
    address = _address(email, role, site_key)
    hashed = accounts.hashed(_password(password_stdin, address))
    with told(), database.writing() as session:
        site = site_or_stop(session, site_key) if site_key else None
        known = accounts.by_email(session, address)
        if known and not known.active:
            people.enter_anew(session, known, known.email, known.name, hashed)
        held = _live(known, site) if known else None
        if held and held.role != role:
            people.change(session, people.OPERATOR, held.id, Role(role), site)
        else:
            accounts.add(session, address, Role(role), site, hashed)
            about = f"{mask(address)}: {people.said(Role(role), site)}"
            events.record(session, What.JOINED, people.OPERATOR, about, site.id if site else None)
    click.echo(f"{address} is {role}" + (f" of {site_key}." if site_key else " on all sites."))


@moderator.command("invite")
@click.argument("email")
@click.option("--role", required=True, type=ROLES)
@click.option("--site", "site_key", help="The site's key; every role but admin has one.")
@click.option("--print", "is_printed", is_flag=True, help="Print the link even where mail leaves.")
@with_appcontext
def invite(email: str, role: str, site_key: str | None, is_printed: bool) -> None:
    """Invite a person, who chooses a password. The link goes to them by letter; where no mail
    leaves it is printed."""
    address, config = _address(email, role, site_key), current_app.config
    is_mailed = not is_printed and not mail.lacks(config)
    with told(), database.writing() as session:
        site = site_or_stop(session, site_key) if site_key else None
        secret = people.invite(session, people.OPERATOR, address, Role(role), site, is_mailed)
    if is_mailed:
        click.echo(f"A letter with the link is on its way to {address}.")
    else:
        token = current_app.extensions["signer"].sign(Purpose.JOIN.by_secret, secret)
        click.echo(f"{served_at()}/desk/join/{token}")


@moderator.command("list")
@with_appcontext
def list_all() -> None:
    """Print who has which role on which site, a line for each role."""
    held = (
        select(Moderator.email, Moderator.name, Membership.role, Site.key, Site.deleted_at)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .outerjoin(Site, Site.id == Membership.site_id)
        .where(Membership.removed_at.is_(None), Moderator.active)
        .order_by(Moderator.email, Site.key)
    )
    for email, name, role, key, gone in database.session().execute(held):
        where = f"{key or 'all sites'}{' (deleted)' if gone else ''}"
        click.echo(f"{email}  {role.value}  {where}  {name}")


@moderator.command("link")
@click.argument("email")
@with_appcontext
def link(email: str) -> None:
    """Print a link that signs a person in once, for who forgot the password or lost the second step."""
    with database.writing() as session:
        found = moderator_or_stop(session, email)
        if not found.active:
            raise click.ClickException(f"{email} was removed; `flask moderator add` brings back.")
        secret = accounts.make_link(session, found)
        about = f"{found.name}: to sign in"
        events.record(session, What.LINK_MADE, people.OPERATOR, about)
    click.echo(f"{served_at()}/desk/sign-in/{secret}")


@moderator.command("role")
@click.argument("email")
@click.argument("role", type=ROLES)
@click.option("--site", "site_key", help="The site's key; every role but admin has one.")
@with_appcontext
def role(email: str, role: str, site_key: str | None) -> None:
    """Give a person another role: on the site named, or from or to admin."""
    if role != Role.ADMIN and not site_key:
        raise click.UsageError("Every role but admin needs --site KEY.")
    with told(), database.writing() as session:
        found = moderator_or_stop(session, email)
        site = site_or_stop(session, site_key) if site_key else None
        held = _live(found, site) or _live(found, None)
        if held is None:
            raise click.ClickException(
                f"{email} has no role there; `flask moderator add` gives one."
            )
        people.change(session, people.OPERATOR, held.id, Role(role), site)
    click.echo(
        f"{email} is {role}" + (" on all sites." if role == Role.ADMIN else f" of {site_key}.")
    )


@moderator.command("remove")
@click.argument("email")
@click.option("--site", "site_key", help="Take away the role on this site only.")
@with_appcontext
def remove(email: str, site_key: str | None) -> None:
    """Take a person's roles away. Who has none left is signed out at once."""
    with told(), database.writing() as session:
        found = moderator_or_stop(session, email)
        site = site_or_stop(session, site_key) if site_key else None
        held = [m for m in found.memberships if site is None or m.site_id == site.id]
        if not held:
            raise click.ClickException(f"{email} has no role there.")
        for membership in held:
            people.remove(session, people.OPERATOR, membership.id)
    click.echo(f"{email} is removed" + (f" from {site_key}." if site_key else "."))


def moderator_or_stop(session: Session, email: str) -> Moderator:
    """The person, or the end of the command."""
    found = accounts.by_email(session, email)
    if found is None:
        raise click.ClickException(f"There is no moderator {email}.")
    return found


@contextmanager
def told() -> Iterator[None]:
    """What people.py refuses, in one line."""
    try:
        yield
    except (people.NotAllowed, people.LastAdmin, people.Unknown) as error:
        raise click.ClickException(str(error.__doc__)) from None


def _address(email: str, role: str, site_key: str | None) -> str:
    """The address in its one spelling, for a role that goes with the site; or wrong usage."""
    if (role == Role.ADMIN) == bool(site_key):
        raise click.UsageError("An admin is one on all sites; every other role needs --site KEY.")
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise click.UsageError("This is no e-mail address.") from None


def _live(found: Moderator, site: Site | None) -> Membership | None:
    here = [m for m in found.memberships if m.site_id == (site.id if site else None)]
    return here[0] if here else None


def _password(is_piped: bool, address: str) -> str:
    if is_piped:
        password = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise click.UsageError("Nobody can type a password here: use --password-stdin.")
    if fault := passwords.fault(password, (address,)):
        raise click.ClickException(FAULTS[fault])
    return str(password)
