"""What the worker does for the filter that learns: a batch at a time, site by site."""

from collections.abc import Callable, Iterator

from flask import current_app
from sqlalchemy import select

from .. import database, lessons
from ..models import Site
from ..screening import rescoring
from ..vault import Vault


def learn() -> bool:
    """Learns from the next decisions of each site's moderators."""
    return sum(map(_learn, _sites())) > 0


def rescore() -> bool:
    """Scores the next of what waits on each site anew, where the filter has learned since."""
    return sum(map(_rescore, _sites())) > 0


def tidy(site_id: int) -> None:
    """Keeps a site's model within its bounds."""
    session = database.session()
    _in_parts(lessons.surplus(session, site_id), lambda part, s: lessons.drop(s, site_id, part))
    session = database.session()
    _in_parts(lessons.too_old(session, site_id), lambda part, s: lessons.forget(s, part))


def _learn(site_id: int) -> bool:
    planned = lessons.plan(database.session(), _vault(), site_id)
    if planned is None:
        database.forget()
        return False
    with database.writing() as session:
        lessons.learn(session, planned)
    tidy(site_id)
    return True


def _rescore(site_id: int) -> bool:
    turn = rescoring.plan(database.session(), _vault(), site_id)
    if turn is None:
        database.forget()
        return False
    with database.writing() as session:
        rescoring.write(session, turn)
    return True


def _in_parts(ids: list[int], work: Callable[..., None]) -> None:
    for start in range(0, len(ids), lessons.DROPPED):
        with database.writing() as session:
            work(ids[start : start + lessons.DROPPED], session)


def _sites() -> Iterator[int]:
    here = select(Site.id).where(Site.deleted_at.is_(None)).order_by(Site.id)
    return iter(database.session().scalars(here).all())


def _vault() -> Vault:
    vault: Vault = current_app.extensions["vault"]
    return vault
