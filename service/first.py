"""The first admin, of an installation where nobody can sign in as one: a link that the console prints
makes their account, once. There is no default password anywhere."""

import secrets

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from . import accounts, events
from .accounts import Key, Membership, Moderator
from .events import What
from .models import Invitation, now
from .people import INVITATION_LASTS, OPERATOR, Taken, Unknown
from .status import Role

# What tells such a link from an invitation: nobody knows yet whom it is for.
NOBODY = ""


def is_needed(session: Session) -> bool:
    """Whether there is no admin who could sign in."""
    admins = (
        select(Membership.id)
        .join(Moderator, Moderator.id == Membership.moderator_id)
        .where(Membership.role == Role.ADMIN, Membership.removed_at.is_(None), Moderator.active)
    )
    return session.scalar(admins.limit(1)) is None


def make_link(session: Session) -> str | None:
    """The secret of a link that makes the first admin's account; earlier ones end. None where there
    is an admin. It is good for seven days."""
    if not is_needed(session):
        return None
    unused = (
        Invitation.email == NOBODY,
        Invitation.used_at.is_(None),
        Invitation.ended_at.is_(None),
    )
    session.execute(update(Invitation).where(*unused).values(ended_at=now()))
    secret = secrets.token_urlsafe(24)
    session.add(
        Invitation(
            digest=accounts.digest(secret),
            email=NOBODY,
            role=Role.ADMIN,
            by=OPERATOR,
            expires_at=now() + INVITATION_LASTS,
        )
    )
    return secret


def is_open(session: Session, key: Key) -> bool:
    """Whether a link can still be used."""
    found = select(Invitation.id).where(Invitation.digest == accounts.digest(key), *_good())
    return is_needed(session) and session.scalar(found) is not None


def enter(
    session: Session, key: Key, email: str, name: str, password_hash: str, network: str
) -> Moderator:
    """Uses a link up: the first admin. Raises Unknown for a link that is no good any more, Taken
    for the address of somebody who has an account."""
    use = update(Invitation).where(Invitation.digest == accounts.digest(key), *_good())
    if session.execute(use.values(used_at=now()).returning(Invitation.id)).first() is None:
        raise Unknown
    if not is_needed(session):
        raise Unknown
    if accounts.by_email(session, email):
        raise Taken
    admin = accounts.add(session, email, Role.ADMIN, None, password_hash)
    admin.name, admin.came_from = name, network
    events.record(session, What.JOINED, admin, "admin of all sites, the first")
    return admin


def _good() -> tuple[ColumnElement[bool], ...]:
    """One that is not used, and not from before there was an admin, whatever became of them."""
    later = exists().where(
        Membership.role == Role.ADMIN, Membership.created_at >= Invitation.created_at
    )
    return (
        Invitation.email == NOBODY,
        Invitation.used_at.is_(None),
        Invitation.ended_at.is_(None),
        Invitation.expires_at > now(),
        ~later,
    )
