"""`flask demo`: an article with a thread and a queue, to see the service at work.

On this machine only: the sign-in link that it prints is for whoever reads the terminal.
"""

import ipaddress
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import accounts, articles, comments, database, moderation, text
from ..models import Article, Site, now
from ..rules import Draft, Policy
from ..status import Mark, Role, Status
from . import address

KEY = "demo"
ARTICLE = "demo-review"
MODERATOR = "moderator@demo.example"
THREAD = Path(__file__).with_name("demo.json")


@click.command()
@with_appcontext
def demo() -> None:
    """Make the demo's site once, and print where it is and a one-time sign-in link."""
    base = _base()
    with database.writing() as session:
        site = session.scalar(select(Site).where(Site.key == KEY))
        if site is None:
            site = _make(session, base)
        _move(session, site, base)
        moderator = accounts.add(session, MODERATOR, Role.PUBLISHER, site, None)
        session.flush()
        secret = accounts.make_link(session, moderator, is_local=True)
    click.echo(f"The demo's article:   {base}/demo/")
    click.echo(f"The moderators' desk: {base}/desk/")
    click.echo(f"Sign in once with:    {base}/desk/sign-in/{secret}")


def _base() -> str:
    """Where the demo is served; ends the command for an address that others can reach."""
    base = address.served_at()
    name = urlsplit(base).hostname or ""
    if not _is_loopback(name):
        raise click.ClickException(
            f"The demo is for this machine only; {name} can be reached by others."
        )
    return str(base)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _make(session: Session, base: str) -> Site:
    site = Site(key=KEY, name="The Matinee", origins=[base], settings={"likes": True})
    session.add(site)
    session.flush()
    moderator = accounts.add(session, MODERATOR, Role.PUBLISHER, site, None)
    moderator.name = "Mo"
    session.flush()
    for entry in json.loads(THREAD.read_text("utf-8")):
        _post(session, site, base, moderator, entry)
    return site


def _post(
    session: Session,
    site: Site,
    base: str,
    moderator: accounts.Moderator,
    entry: dict[str, Any],
    parent: str = "",
) -> None:
    """Posts a comment and what answers it as readers would, and decides as a moderator would."""
    at = now() - timedelta(minutes=entry["minutes_ago"])
    sent = _submission(base, entry, parent)
    stored = comments.submit(session, current_app.extensions["vault"], site, sent, Policy(), at)
    session.flush()
    if (status := Status(entry["status"])) != stored.status:
        moderation.decide(session, stored, status, stored.version, moderator)
    if mark := entry.get("mark"):
        moderation.mark(session, stored, Mark(mark), stored.version, moderator)
    for reply in entry.get("replies", ()):
        _post(session, site, base, moderator, reply, stored.public_id)


def _submission(base: str, entry: dict[str, Any], parent: str) -> comments.Submission:
    typed = entry["text"]
    html, website = text.render(typed), entry.get("website", "")
    return comments.Submission(
        url=f"{base}/demo/",
        given_id=ARTICLE,
        title=entry.get("title", ""),
        parent=parent,
        name=entry["name"],
        website=website,
        email=f"{entry['name'].split()[0].lower()}@example.org",
        text=typed,
        html=html,
        language="en",
        network="192.0.2.0/24",
        nonce=f"demo {entry['minutes_ago']}",
        draft=Draft(
            entry["name"],
            typed,
            tuple(text.addresses(typed)),
            website=website,
            links=text.count_links(html),
            language="en",
        ),
    )


def _move(session: Session, site: Site, base: str) -> None:
    """The demo may be served on another port than the last time."""
    if base not in site.origins:
        site.origins, site.version = [*site.origins, base], site.version + 1
    of_site, url = select(Article).where(Article.site_id == site.id), f"{base}/demo/"
    article = session.scalar(of_site.where(Article.given_id == ARTICLE))
    if article and not session.scalar(of_site.where(Article.url == url)):
        articles.move(session, article, url, "flask demo")
