"""`flask waves`: the waves of a site; and what the worker does about them."""

from datetime import datetime

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from .. import database, events
from ..models import Wave, now
from ..screening import sweep, waves
from .sites import site_or_stop

LISTED = 50


@click.command("waves")
@click.argument("key")
@with_appcontext
def waves_(key: str) -> None:
    """List the newest waves of the site KEY: since when, until when, how many came, and where."""
    session = database.session()
    of_site = select(Wave).where(Wave.site_id == site_or_stop(session, key).id)
    found = session.scalars(of_site.order_by(Wave.id.desc()).limit(LISTED)).all()
    for wave in found:
        number = sweep.came(session, wave)
        many = f"{min(number, sweep.COUNTED):,}{'+' if number > sweep.COUNTED else ''}"
        said = f"{_time(wave.began_at)}  {_state(wave)}  {many} came"
        click.echo(f"{said}  {waves.named(session, wave)}")
    if not found:
        click.echo(f"There was no wave on {key} yet.")


def _state(wave: Wave) -> str:
    if wave.ended_at is None:
        return "is on"
    called_off = ", said to be none" if waves.is_called_off(wave) else ""
    return f"over {_time(wave.ended_at)}{called_off}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def end_waves() -> bool:
    """Ends the waves that are over, where no comment comes in that would tell."""
    at = now()
    for wave_id in waves.quiet(database.session(), at):
        with database.writing() as session:
            if wave := waves.relax(session, wave_id, at):
                about = waves.named(session, wave)
                events.record(session, events.What.WAVE_ENDED, waves.BY, about, wave.site_id)
    return False  # one that is over is asked for once; one that goes on is seen again by then
