"""`flask outside`: services outside that are asked about new comments; and the worker's part, which
tells Akismet what moderators decided."""

import sys
import time

import akismet
import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from .. import database, outside
from ..models import Site
from ..outbound import Refused
from ..outside import by_akismet, choice, feedback
from ..rules import Opinion
from ..status import Status
from .sites import site_or_stop

BY = "flask outside"
TURN_SECONDS = 3.0  # that one turn of the worker's may take with Akismet
WAITS = (60.0, 3600.0)  # seconds until Akismet is told again after it failed: at first, at most
SAID = {
    Status.APPROVED: "has nothing against it",
    Status.PENDING: "has it wait",
    Status.SPAM: "takes it for spam",
}
SWITCH = click.Choice(["on", "off"])
_waiting: dict[int, tuple[float, float]] = {}  # a site's id: when to try again, the wait after


@click.group("outside")
def outside_() -> None:
    """Services outside that are asked about new comments."""


@outside_.command("show")
@click.argument("key")
@with_appcontext
def show(key: str) -> None:
    """Print what the site KEY has asked; no secret is shown."""
    found = outside.of(current_app.extensions["vault"], site_or_stop(database.session(), key))
    asked, own = found.akismet, found.hook
    click.echo(f"Akismet  {_on(asked.is_on)}, {'a key' if asked.key else 'no key'}")
    click.echo(f"  told e-mail addresses  {_on(asked.tells_email)}")
    click.echo(f"  told IP addresses      {_on(asked.tells_client)}")
    click.echo(f"Own service  {_on(own.is_on)}, {'a secret' if own.secret else 'no secret'}")
    click.echo(f"  address  {own.url or 'none'}")


@outside_.command("set")
@click.argument("key")
@click.option("--akismet", "akismet_", type=SWITCH, help="Whether Akismet is asked.")
@click.option("--akismet-key-stdin", is_flag=True, help="Read Akismet's key from standard input.")
@click.option("--akismet-email", type=SWITCH, help="Whether it is told e-mail addresses.")
@click.option("--akismet-ip", type=SWITCH, help="Whether it is told whole IP addresses.")
@click.option("--hook", type=SWITCH, help="Whether the site's own service is asked.")
@click.option("--hook-url", default="", help="That service's address.")
@click.option("--new-secret", is_flag=True, help="Make a new secret for it, and print it.")
@with_appcontext
def set_(
    key: str,
    akismet_: str | None,
    akismet_key_stdin: bool,
    akismet_email: str | None,
    akismet_ip: str | None,
    hook: str | None,
    hook_url: str,
    new_secret: bool,
) -> None:
    """Choose what the site KEY has asked; what is not named stays as it is."""
    if not any(
        (akismet_, akismet_key_stdin, akismet_email, akismet_ip, hook, hook_url, new_secret)
    ):
        raise click.UsageError("Say what to change; `flask outside set --help` lists it.")
    if hook_url:
        try:
            current_app.extensions["outbound"].check(hook_url)
        except Refused as refused:
            raise click.UsageError(f"The service's address cannot be used: {refused}.") from None
    given = sys.stdin.readline().strip() if akismet_key_stdin else ""
    vault, secret = current_app.extensions["vault"], ""
    try:
        with database.writing() as session:
            site = site_or_stop(session, key)
            now = outside.of(vault, site)
            if akismet_ or given or akismet_email or akismet_ip:
                choice.set_akismet(
                    session,
                    vault,
                    site,
                    BY,
                    is_on=_switched(akismet_, now.akismet.is_on),
                    key=given,
                    tells_email=_switched(akismet_email, now.akismet.tells_email),
                    tells_client=_switched(akismet_ip, now.akismet.tells_client),
                )
            if hook or hook_url:
                is_on = _switched(hook, now.hook.is_on)
                secret = choice.set_hook(session, vault, site, BY, is_on=is_on, url=hook_url)
            if new_secret and not secret:
                secret = choice.renew_secret(session, vault, site, BY)
            asks = outside.of(vault, site).is_any
    except ValueError as error:
        raise click.ClickException(f"Nothing was changed: {error}.") from None
    click.echo("Done.")
    if asks:
        click.echo(
            "While a service cannot be asked every new comment waits for a moderator: "
            f"see with `flask outside test {key}` whether it can."
        )
    if secret:
        click.echo(f"The secret that requests are signed with, shown this once: {secret}")


@outside_.command("test")
@click.argument("key")
@with_appcontext
def test(key: str) -> None:
    """Ask the services of the site KEY about a comment that is made up; nothing is stored."""
    site = site_or_stop(database.session(), key)
    found = outside.of(current_app.extensions["vault"], site)
    if not found.is_any:
        raise click.ClickException(f"{key} asks nobody outside.")
    question = outside.made_up(site)
    database.forget()
    opinions = outside.ask(current_app.extensions["outbound"], found, question)
    for opinion in opinions:
        if opinion.status is not None:
            click.echo(_words(opinion))
    failed = [_words(opinion) for opinion in opinions if opinion.status is None]
    if failed:
        raise click.ClickException(f"{' '.join(failed)} New comments are held meanwhile.")


def tell_akismet() -> bool:
    """Tells Akismet what moderators decided, a few seconds of it; whether there was something."""
    vault = current_app.extensions["vault"]
    sites = (
        database.session()
        .scalars(select(Site).where(Site.deleted_at.is_(None)).order_by(Site.id))
        .all()
    )
    chosen = [(site, outside.of(vault, site)) for site in sites]
    return sum(_tell(site, found) for site, found in chosen if found.akismet.is_on) > 0


def _tell(site: Site, found: outside.Choice) -> bool:
    at, _ = _waiting.get(site.id, (0.0, 0.0))
    if time.monotonic() < at:
        return False
    vault, out = current_app.extensions["vault"], current_app.extensions["outbound"]
    told, last = feedback.pending(database.session(), vault, site, found)
    database.forget()
    until = time.monotonic() + TURN_SECONDS
    for one in told:
        left = until - time.monotonic()
        try:
            if left <= 0:
                break
            by_akismet.submit(out, found.akismet, one.question, one.is_spam, TURN_SECONDS)
        except akismet.AkismetError:
            _wait(site.id)
            return False
        _remember(site.id, one.decision_id)
    else:
        if last is not None:
            _remember(site.id, last)
    _waiting.pop(site.id, None)
    return last is not None


def _remember(site_id: int, to: int) -> None:
    with database.writing() as session:
        feedback.advance(session, site_id, to)


def _wait(site_id: int) -> None:
    _, wait = _waiting.get(site_id, (0.0, WAITS[0]))
    _waiting[site_id] = (time.monotonic() + wait, min(2 * wait, WAITS[1]))


def _words(opinion: Opinion) -> str:
    who = "Akismet" if opinion.source == by_akismet.SOURCE else "The site's own service"
    if opinion.status is None:
        return f"{who} could not be asked: {opinion.why}."
    reason = f" ({opinion.why})" if opinion.why else ""
    return f"{who} answered: it {SAID[opinion.status]}{reason}."


def _switched(given: str | None, before: bool) -> bool:
    return before if given is None else given == "on"


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"
