"""`flask site`: websites that may embed threads."""

from collections.abc import Callable
from dataclasses import asdict, fields
from itertools import groupby

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database, sites, text, urls
from ..models import Site
from ..people import OPERATOR
from ..site_settings import Group, SiteSettings

GROUPS = {
    Group.FORM: "The form",
    Group.WORDS: "The form's words",
    Group.THREAD: "The thread",
    Group.MODERATION: "Moderation",
    Group.LOOK: "Look and language",
    Group.KEPT: "What is kept",
}


@click.group()
def site() -> None:
    """Websites that may embed threads."""


@site.command("add")
@click.argument("key")
@click.option("--name", required=True, help="The site's name as readers know it.")
@click.option(
    "--origin",
    "origins",
    required=True,
    multiple=True,
    help="Like https://www.example.org; repeat for more.",
)
@with_appcontext
def add(key: str, name: str, origins: tuple[str, ...]) -> None:
    """Add a site, named KEY in its embed."""
    if not sites.KEY.fullmatch(key):
        raise click.UsageError("A site key has 1 to 40 small letters, digits and hyphens.")
    allowed, name = _origins(origins), _name(name)
    try:
        with database.writing() as session:
            sites.add(session, key, name, allowed, OPERATOR)
    except sites.Taken:
        raise click.ClickException(f"There is a site {key} already, or was one.") from None
    click.echo(f"Added {name}. Its articles may lie on {', '.join(allowed)}.")


@site.command("list")
@with_appcontext
def list_() -> None:
    """Print every site: its key, its name, and what is the matter with it."""
    for found in database.session().scalars(select(Site).order_by(Site.key)):
        click.echo(f"{found.key}  {found.name or '(erased)'}{_state(found)}")


@site.command("show")
@click.argument("key")
@with_appcontext
def show(key: str) -> None:
    """Print the site KEY's name, origins and settings; what is as by default is marked."""
    found = site_or_stop(database.session(), key)
    click.echo(f"{found.name} ({', '.join(found.origins)}){_state(found)}")
    values = asdict(SiteSettings.read(found.settings))
    for group, of_group in groupby(fields(SiteSettings), lambda f: f.metadata["group"]):
        click.echo(f"\n{GROUPS[group]}")
        for setting in of_group:
            value, mark = values[setting.name], ""
            if value == setting.default:
                mark = "  (default)"
            click.echo(f"{setting.name}  {sites.shown(value)}{mark}")


@site.command("set")
@click.argument("key")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--default", "is_default", is_flag=True, help="Put back what it is by itself.")
@with_appcontext
def set_(key: str, name: str, value: str | None, is_default: bool) -> None:
    """Give the site KEY's setting NAME a VALUE; `flask settings` lists them."""
    if (value is None) != is_default:
        raise click.UsageError("Give the setting a VALUE, or --default.")
    try:
        if name not in sites.DEFAULTS:
            SiteSettings.parse(name, "")
        parsed = sites.DEFAULTS[name] if value is None else SiteSettings.parse(name, value)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    try:
        with database.writing() as session:
            found = site_or_stop(session, key)
            changed = sites.set_settings(session, found, {name: parsed}, OPERATOR)
    except ValueError as error:  # colours that cannot be read on each other
        raise click.UsageError(f"{error}.") from None
    said = "is" if changed else "was and is"
    click.echo(f"{name} of {key} {said} {sites.shown(parsed) or 'empty'}.")


@site.command("rename")
@click.argument("key")
@click.argument("name")
@with_appcontext
def rename(key: str, name: str) -> None:
    """Give the site KEY another NAME; its key stays."""
    name = _name(name)
    with database.writing() as session:
        sites.rename(session, site_or_stop(session, key), name, OPERATOR)
    click.echo(f"{key} is {name}.")


@site.command("origins")
@click.argument("key")
@click.argument("origins", nargs=-1, required=True, metavar="URL…")
@with_appcontext
def set_origins(key: str, origins: tuple[str, ...]) -> None:
    """Say on which websites the articles of the site KEY lie, in place of those before."""
    allowed = _origins(origins)
    with database.writing() as session:
        sites.set_origins(session, site_or_stop(session, key), allowed, OPERATOR)
    click.echo(f"The articles of {key} may lie on {', '.join(allowed)}.")


@site.command("close")
@click.argument("key")
@with_appcontext
def close(key: str) -> None:
    """Close every thread of the site KEY to new comments."""
    _do(key, lambda session, found: sites.close(session, found, True, OPERATOR))
    click.echo(f"{key} takes no new comments.")


@site.command("open")
@click.argument("key")
@with_appcontext
def open_(key: str) -> None:
    """Open the site KEY to new comments again."""
    _do(key, lambda session, found: sites.close(session, found, False, OPERATOR))
    click.echo(f"{key} takes new comments.")


@site.command("delete")
@click.argument("key")
@click.option("--yes", "typed", help="The key once more; asked for if it is not given.")
@with_appcontext
def delete(key: str, typed: str | None) -> None:
    """Delete the site KEY. It can be restored for 30 days; then all that it holds is erased."""
    name = site_or_stop(database.session(), key).name
    database.forget()
    if typed is None:
        typed = click.prompt(f"To delete {name}, type its key", err=True)
    if typed != key:
        raise click.UsageError(f"That is not {key}; nothing was deleted.")
    _do(key, lambda session, found: sites.delete(session, found, OPERATOR))
    click.echo(f"{key} is deleted. `flask site restore {key}` brings it back for 30 days.")


@site.command("restore")
@click.argument("key")
@with_appcontext
def restore(key: str) -> None:
    """Bring the deleted site KEY back as it was."""
    try:
        with database.writing() as session:
            found = session.scalar(select(Site).where(Site.key == key))
            if found is None:
                raise click.ClickException(f"There is no site {key}, and was none.")
            if not sites.is_gone(found):
                raise click.ClickException(f"The site {key} is not deleted.")
            sites.restore(session, found, OPERATOR)
    except sites.TooLate:
        raise click.ClickException(
            f"The site {key} was deleted more than 30 days ago; what it held is erased."
        ) from None
    click.echo(f"{key} is back as it was.")


def _do(key: str, work: Callable[[Session, Site], None]) -> None:
    with database.writing() as session:
        work(session, site_or_stop(session, key))


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not 1 <= len(name) <= sites.NAME_LENGTH or not text.is_visible(name):
        raise click.UsageError(f"A site's name has 1 to {sites.NAME_LENGTH} characters to be seen.")
    return name


def _origins(typed: tuple[str, ...]) -> list[str]:
    if len(typed) > sites.MOST_ORIGINS:
        raise click.UsageError(f"A site has at most {sites.MOST_ORIGINS} origins.")
    try:
        return sorted({urls.origin(origin) for origin in typed})
    except urls.NotAnAddress as error:
        raise click.UsageError(
            f"{error} is no origin; it looks like https://www.example.org."
        ) from None


def _state(found: Site) -> str:
    if until := sites.restorable_until(found):
        return f"  deleted; can be restored until {until:%Y-%m-%d}" if found.name else ""
    return "  closed" if found.closed_at else ""


def site_or_stop(session: Session, key: str) -> Site:
    """The site, or the end of the command."""
    found = sites.find(session, key)
    if found is None:
        raise click.ClickException(f"There is no site {key}; `flask site add` makes one.")
    return found
