"""`flask moderator`: the people who sign in."""

import sys

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import with_appcontext
from flask_security import hash_password
from sqlalchemy import select

from .. import accounts, database
from ..status import Role
from .address import served_at
from .sites import site_or_stop

LEAST = 8  # characters; NIST SP 800-63B, 5.1.1.2


@click.group()
def moderator() -> None:
    """The people who sign in at the desk."""


@moderator.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--site", "site_key", help="The site's key; every role but admin has one.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def add(email: str, role: str, site_key: str | None, password_stdin: bool) -> None:
    """Add a person with a role, or give a known one another role."""
    if (role == Role.ADMIN) == bool(site_key):
        raise click.UsageError("An admin is one on all sites; every other role needs --site KEY.")
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise click.UsageError("This is no e-mail address.") from None
    hashed = hash_password(_password(password_stdin))
    with database.writing() as session:
        site = site_or_stop(session, site_key) if site_key else None
        accounts.add(session, address, Role(role), site, hashed)
    click.echo(f"{address} is {role}" + (f" of {site_key}." if site_key else " on all sites."))


@moderator.command("link")
@click.argument("email")
@with_appcontext
def link(email: str) -> None:
    """Print a link that signs a person in once, for who forgot the password."""
    with database.writing() as session:
        known = select(accounts.Moderator).where(accounts.Moderator.email == email.strip().lower())
        found = session.scalar(known)
        if found is None:
            raise click.ClickException(f"There is no moderator {email}.")
        secret = accounts.make_link(session, found)
    click.echo(f"{served_at()}/desk/sign-in/{secret}")


def _password(is_piped: bool) -> str:
    if is_piped:
        password = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise click.UsageError("Nobody can type a password here: use --password-stdin.")
    if len(password) < LEAST:
        raise click.ClickException(f"The password needs at least {LEAST} characters.")
    return str(password)
