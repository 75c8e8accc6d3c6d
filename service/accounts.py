"""Moderators: who they are, what they may do on which site, and how they sign in.

The one module below the doors that knows Flask: Flask-Security wants its models and commits by
itself. It reads on the read-only engine and turns to the other only when it writes, so that no
lock is held while a password is hashed.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_security import Security, SQLAlchemySessionUserDatastore, UserMixin
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
    false,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import UpdateBase
from werkzeug.local import LocalProxy

from . import database
from .models import Base, Id, Site, now
from .status import Role

SECURITY = {
    "SECURITY_URL_PREFIX": "/desk",
    "SECURITY_LOGIN_URL": "/login",
    "SECURITY_LOGOUT_URL": "/logout",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_POST_LOGIN_VIEW": "/desk/",
    "SECURITY_POST_LOGOUT_VIEW": "/desk/login",
    "SECURITY_LOGIN_USER_TEMPLATE": "accounts/login.html",
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SINGLE_HASH": True,  # argon2 salts by itself and knows no length limit
    "SECURITY_JOIN_USER_ROLES": False,  # roles are per site, and ours
    "SECURITY_RETURN_GENERIC_RESPONSES": True,  # never tells which addresses have an account
    "SECURITY_SEND_REGISTER_EMAIL": False,
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "SECURITY_FLASH_MESSAGES": False,
    "SECURITY_FRESHNESS": timedelta(seconds=-1),  # no second sign-in yet, so no page for it
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_CLI_USERS_NAME": None,  # `flask moderator` is our way in
    "SECURITY_CLI_ROLES_NAME": None,
}

LINK_LIFETIME = timedelta(hours=24)
# Each role may do what those before it may.
RANK = (Role.MODERATOR, Role.PUBLISHER, Role.ADMIN)


class Moderator(Base, UserMixin):
    """A person who signs in."""

    __tablename__ = "moderators"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(
        String(64), unique=True, default=lambda: secrets.token_hex(16)
    )
    name: Mapped[str] = mapped_column(String(80), default="")
    # As whom readers meet them, where they answer for the site; "" for the site's name (hard rule 14).
    staff_name: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    has_keys: Mapped[bool] = mapped_column(default=True)  # single letters decide at the desk
    memberships: Mapped[list["Membership"]] = relationship(lazy="selectin")
    came_from = ""  # the network that this request came from; no column, but part of the record

    @property
    def roles(self) -> list[Any]:
        """Flask-Security's own roles, of which there are none: ours are per site."""
        return []

    @roles.setter
    def roles(self, _: list[Any]) -> None:
        pass


class Membership(Base):
    """A moderator's role on a site; an admin's has no site and counts for all."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("moderator_id", "site_id"),
        CheckConstraint("(role = 'admin') = (site_id IS NULL)", name="admin_everywhere"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    role: Mapped[Role]


class SignInLink(Base):
    """A link that signs a moderator in once. Only a digest of it is kept."""

    __tablename__ = "sign_in_links"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    is_local: Mapped[bool] = mapped_column(default=False)  # works on this very machine only
    moderator: Mapped[Moderator] = relationship()


def may(moderator: Moderator, site_id: int, least: Role = Role.MODERATOR) -> bool:
    """Whether the moderator has at least this role on the site."""
    held = [m.role for m in moderator.memberships if m.site_id in (None, site_id)]
    return any(RANK.index(role) >= RANK.index(least) for role in held)


def within_reach(moderator: Moderator, site_id: Any) -> ColumnElement[bool]:
    """The condition that a row's site is one of the moderator's. Takes the column."""
    if any(m.role == Role.ADMIN for m in moderator.memberships):
        return true()
    sites = [m.site_id for m in moderator.memberships]
    return cast("ColumnElement[bool]", site_id.in_(sites)) if sites else false()


def add(
    session: Session, email: str, role: Role, site: Site | None, password_hash: str | None
) -> Moderator:
    """A new moderator, or one more role for a known one, whose password then stays as it was."""
    moderator = session.scalar(select(Moderator).where(Moderator.email == email))
    if moderator is None:
        moderator = Moderator(email=email, name=email.partition("@")[0], password=password_hash)
        session.add(moderator)
    site_id = site.id if site else None
    held = [m for m in moderator.memberships if m.site_id == site_id]
    if held:
        held[0].role = role
    else:
        moderator.memberships.append(Membership(site_id=site_id, role=role))
    return moderator


def make_link(session: Session, moderator: Moderator, is_local: bool = False) -> str:
    """The secret part of a new sign-in link; a local one works on this very machine only."""
    secret = secrets.token_urlsafe(24)
    session.add(
        SignInLink(
            digest=_digest(secret),
            moderator_id=moderator.id,
            expires_at=now() + LINK_LIFETIME,
            is_local=is_local,
        )
    )
    return secret


def find_link(session: Session, secret: str) -> SignInLink | None:
    """The link, if it can still be used."""
    link = session.get(SignInLink, _digest(secret))
    return link if link and link.used_at is None and link.expires_at > now() else None


def use_link(session: Session, secret: str, is_loopback: bool) -> Moderator | None:
    """The moderator whom a link signs in, once; None if it was used, has expired or is none.

    Takes whether the one who uses it sits at this machine.
    """
    used = (
        update(SignInLink)
        .where(SignInLink.digest == _digest(secret), SignInLink.used_at.is_(None))
        .where(SignInLink.expires_at > now())
        .where(or_(SignInLink.is_local.is_(False), literal(is_loopback)))
        .values(used_at=now())
        .returning(SignInLink.moderator_id)
    )
    moderator_id = session.scalar(used)
    return session.get(Moderator, moderator_id) if moderator_id else None


def who(moderator: Moderator) -> str:
    """What a browser knows a moderator by, to keep apart what each of several left unsent there.
    Tells nothing but that it is the same person; stays when sessions and addresses change."""
    return _digest(f"moderator {moderator.id} {moderator.created_at.isoformat()}")[:16]


def set_keys(session: Session, moderator: Moderator, has_keys: bool) -> None:
    """Switches the desk's single-letter keys on or off for a moderator."""
    session.get_one(Moderator, moderator.id).has_keys = has_keys


def get(moderator_id: int) -> Moderator:
    """A moderator for Flask-Security, in a session of its own."""
    return _session().get_one(Moderator, moderator_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class _Session(Session):
    """Reads on the read-only engine; what it flushes goes to the other."""

    def get_bind(
        self, mapper: Any = None, *, clause: Any = None, **kwargs: Any
    ) -> Engine | Connection:
        engines = database.database()
        if self._flushing or isinstance(clause, UpdateBase):
            return engines.write_engine
        return engines.read_engine


def _session() -> _Session:
    if "accounts" not in g:
        g.accounts = _Session()
    return cast(_Session, g.accounts)


def _close(_: BaseException | None) -> None:
    if "accounts" in g:
        g.pop("accounts").close()


class DeskSessions(SecureCookieSessionInterface):
    """Sessions live at the desk alone: elsewhere no cookie is sent, read, set or mentioned, and
    what readers are shown can be cached."""

    PATH = "/desk"

    def get_cookie_path(self, app: Flask) -> str:
        return self.PATH

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.path.startswith(self.PATH):
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    app.session_interface = DeskSessions()
    app.config.from_mapping(SECURITY)
    datastore = SQLAlchemySessionUserDatastore(
        cast(Any, LocalProxy(_session)), Moderator, cast(Any, None)
    )
    Security(app, datastore)
    app.teardown_appcontext(_close)
