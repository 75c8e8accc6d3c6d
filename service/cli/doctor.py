"""`flask doctor`: what is right about the comments on a page, and what is to be mended."""

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database, doctor, urls
from ..models import Site
from .address import served_at
from .sites import site_or_stop

WORDS = {doctor.State.MEND: "mend", doctor.State.NOTE: "note", doctor.State.GOOD: "good"}

doctor_ = AppGroup("doctor", help="Look whether comments work on a publisher's page.")


@doctor_.command("embed")
@click.argument("url")
@click.option("--site", "key", help="The site's key, where several sites are on the same origin.")
def embed(url: str, key: str | None) -> None:
    """Fetch the article at URL and say what is right about its comments, and what is to be mended;
    ends with 1 if there is something."""
    session = database.session()
    site = site_or_stop(session, key) if key else _site_of(session, url)
    base = served_at()
    try:
        own = current_app.config["BASE_URL"]
        out = current_app.extensions["outbound"]
        seen = doctor.visit(out, list(site.origins), url, own, site.key)
    except doctor.Lost as lost:
        raise click.ClickException(f"{lost.said} {lost.advice}") from None
    findings = doctor.examine(session, site, seen, base)
    for finding in findings:
        click.echo(f"{WORDS[finding.state]}  {finding.said}")
        if finding.advice:
            click.echo(f"      {finding.advice}")
    wrong = sum(finding.state == doctor.State.MEND for finding in findings)
    if wrong:
        raise click.ClickException(f"{wrong} to mend.")


def _site_of(session: Session, url: str) -> Site:
    """The site on whose origin an address is, or the end of the command."""
    try:
        urls.canonical(url)
    except urls.NotAnAddress:
        raise click.UsageError("This is no address; it begins with https:// or http://.") from None
    sites = session.scalars(select(Site).where(Site.deleted_at.is_(None)).order_by(Site.id))
    found = [site for site in sites if urls.is_within(url, site.origins)]
    if not found:
        raise click.ClickException(f"{urls.origin(url)} is an origin of no site.")
    if len(found) > 1:
        keys = ", ".join(site.key for site in found)
        raise click.UsageError(f"Several sites are there ({keys}): name one with --site.")
    return found[0]
