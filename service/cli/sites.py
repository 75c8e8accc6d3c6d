"""`flask site`: websites that may embed threads."""

import re
from dataclasses import asdict

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database, urls
from ..models import Site
from ..site_settings import SiteSettings

NAME_LENGTH = 200
LOOKS = ("theme", "text_colour", "link_colour", "ground_colour")  # what has to go together
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


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
    if not KEY.fullmatch(key):
        raise click.UsageError("A site key has 1 to 40 small letters, digits and hyphens.")
    try:
        allowed = sorted({urls.origin(origin) for origin in origins})
    except urls.NotAnAddress as error:
        raise click.UsageError(
            f"{error} is no origin; it looks like https://www.example.org."
        ) from None
    if not 1 <= len(name.strip()) <= NAME_LENGTH:
        raise click.UsageError(f"A site's name has 1 to {NAME_LENGTH} characters.")
    with database.writing() as session:
        if session.scalar(select(Site).where(Site.key == key)):
            raise click.ClickException(f"There is a site {key} already.")
        session.add(Site(key=key, name=name.strip(), origins=allowed))
    click.echo(f"Added {name}. Its articles may lie on {', '.join(allowed)}.")


@site.command("set")
@click.argument("key")
@click.argument("name")
@click.argument("value")
@with_appcontext
def set_(key: str, name: str, value: str) -> None:
    """Give the site KEY's setting NAME a VALUE; `flask settings` lists them."""
    try:
        parsed = SiteSettings.parse(name, value)
    except ValueError as error:
        raise click.UsageError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    with database.writing() as session:
        found = site_or_stop(session, key)
        chosen = found.settings | {name: parsed}
        if name in LOOKS and (problems := SiteSettings.read(chosen).problems()):
            raise click.UsageError(f"{'; '.join(problems.values())}.")
        found.settings = chosen
        found.version += 1  # what readers are shown may change
    click.echo(f"{name} of {key} is {_shown(parsed)}.")


@site.command("show")
@click.argument("key")
@with_appcontext
def show(key: str) -> None:
    """Print the site KEY's name, origins and settings."""
    found = site_or_stop(database.session(), key)
    click.echo(f"{found.name} ({', '.join(found.origins)})")
    for name, value in asdict(SiteSettings.read(found.settings)).items():
        click.echo(f"{name}  {_shown(value)}")


def _shown(value: object) -> str:
    """On one line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " / ".join(str(value).splitlines())


def site_or_stop(session: Session, key: str) -> Site:
    """The site, or the end of the command."""
    found = session.scalar(select(Site).where(Site.key == key))
    if found is None:
        raise click.ClickException(f"There is no site {key}; `flask site add` makes one.")
    return found
