"""What the worker does about waves."""

from .. import database, events
from ..models import now
from ..screening import waves


def end_waves() -> bool:
    """Ends the waves that are over, where no comment comes in that would tell."""
    at = now()
    for wave_id in waves.quiet(database.session(), at):
        with database.writing() as session:
            if wave := waves.relax(session, wave_id, at):
                about = waves.named(session, wave)
                events.record(session, events.What.WAVE_ENDED, waves.BY, about, wave.site_id)
    return False  # one that is over is asked for once; one that goes on is seen again by then
