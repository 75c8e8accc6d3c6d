"""Tries of a password or code: each is counted before it is looked at, and failures are on record."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from ... import attempts, database, events
from ...accounts import Moderator
from ...attempts import Try
from ...events import What
from ...models import now
from ...vault import mask, normal
from ..desk import vault
from .browsers import network, place_of


def waiting(seconds: int) -> str:
    """How long somebody has to wait, in words."""
    if seconds < 120:
        span = ngettext("%(num)d second", "%(num)d seconds", seconds)
    else:
        span = ngettext("%(num)d minute", "%(num)d minutes", -(-seconds // 60))
    return str(_("Somebody tried too often. Wait %(span)s, then try once more.", span=span))


def account_of(typed: str, purpose: str = "account") -> bytes:
    return vault().digest(purpose, normal(typed))


def take(account: bytes, moderator: Moderator | None) -> Try:
    with database.writing() as session:
        return attempts.take(session, account, place_of(moderator), now())


def failed(tried: Try, address: str) -> None:
    """Puts a failure on record: the network, and no more of the address than tells two apart."""
    with database.writing() as session:
        record_failure(session, tried, address)


def record_failure(session: Session, tried: Try, address: str) -> None:
    shown = mask(address)
    events.record(session, What.SIGN_IN_FAILED, "somebody", shown, network=network())
    if tried.next_wait:
        about = f"{shown}: {tried.next_wait} s"
        events.record(session, What.LOCKED_OUT, "somebody", about, network=network())


def too_often(tried: Try, page: str) -> ResponseReturnValue:
    return page, 429, {"Retry-After": str(tried.wait)}
