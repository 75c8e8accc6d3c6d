"""Moderators: who they are, what they may do on which site, and how they sign in.

The one module below the doors that knows Flask: Flask-Security wants its models and commits by
itself. It reads on the read-only engine of the primary database (a copy that lags behind would know
no new session) and turns to the other only when it writes, so that no lock is held while a password
is hashed.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from flask import Flask, Response, g, request
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_security import (
    Security,
    SQLAlchemySessionUserDatastore,
    UserMixin,
    hash_password,
    verify_password,
)
from flask_security.utils import set_request_attr
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
    and_,
    false,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session, relationship
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import UpdateBase
from werkzeug.local import LocalProxy

from . import database, passwords, vault
from .models import Base, Id, Site, Visit, gone_sites, now
from .status import Pace, Role

SECURITY = {
    "SECURITY_URL_PREFIX": "/desk",
    "SECURITY_LOGIN_URL": "/login",
    "SECURITY_LOGOUT_URL": "/logout",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_POST_LOGIN_VIEW": "/desk/",
    "SECURITY_POST_LOGOUT_VIEW": "/desk/login",
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SINGLE_HASH": True,  # argon2 salts by itself and knows no length limit
    "SECURITY_JOIN_USER_ROLES": False,  # roles are per site, and ours
    "SECURITY_RETURN_GENERIC_RESPONSES": True,  # never tells which addresses have an account
    "SECURITY_SEND_REGISTER_EMAIL": False,
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "SECURITY_FLASH_MESSAGES": False,
    "SECURITY_FRESHNESS": timedelta(seconds=-1),  # or it adds a page; ours is views/me.py's
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_CLI_USERS_NAME": None,  # `flask moderator` is our way in
    "SECURITY_CLI_ROLES_NAME": None,
}

# Who changes what keeps an account safe has signed in, or said who they are, this lately.
FRESH = timedelta(minutes=15)
LINK_LIFETIME = timedelta(hours=24)
VISIT = "visit"  # where the session's cookie keeps the secret of this visit
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
    # How often they want to be written to about what waits.
    letters: Mapped[Pace] = mapped_column(default=Pace.AT_ONCE, server_default=Pace.AT_ONCE.value)
    returned_at: Mapped[datetime | None]  # since when mail to the address comes back
    # Whether letters to them hold links that decide.
    has_mail_links: Mapped[bool] = mapped_column(default=True, server_default=true())
    totp_secret: Mapped[str | None] = mapped_column(String(500))  # of an app; encrypted
    totp_counter: Mapped[int | None]  # of the code that was used last
    # Those that count; one that was taken away, or whose site is deleted, stays in its table, to be
    # given back.
    memberships: Mapped[list["Membership"]] = relationship(
        lazy="selectin",
        primaryjoin=lambda: and_(
            Moderator.id == Membership.moderator_id,
            Membership.removed_at.is_(None),
            or_(Membership.site_id.is_(None), Membership.site_id.not_in(gone_sites())),
        ),
    )
    came_from = ""  # the network that this request came from; no column, but part of the record
    by_mail = False  # acts by a link in a letter; the same
    visit_id = 0  # the session that this request is part of, and when it was last seen
    seen_at = datetime.min.replace(tzinfo=UTC)

    @property
    def is_admin(self) -> bool:
        """Whether they keep all sites."""
        return any(m.role == Role.ADMIN for m in self.memberships)

    @property
    def runs_a_site(self) -> bool:
        """Whether there is a site whose people this one may invite and remove."""
        return any(m.role in (Role.PUBLISHER, Role.ADMIN) for m in self.memberships)

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
    created_at: Mapped[datetime | None] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]


class Purpose(StrEnum):
    """What a link is good for, and nothing else."""

    SIGN_IN = "sign-in"
    RESET = "reset"  # a new password
    JOIN = "join"  # taking up an invitation
    FIRST = "first"  # making the first admin's account

    @property
    def by_secret(self) -> str:
        """What a link is signed for that holds the secret: it was shown once."""
        return f"{self} link"

    @property
    def by_letter(self) -> str:
        """What a link is signed for that names the secret's digest: letters make theirs so, while
        they are sent, for nobody knows the secret by then."""
        return f"{self} letter"


@dataclass(frozen=True)
class Named:
    """A link or an invitation as a letter names it."""

    digest: str

    @property
    def spelt(self) -> str:
        """As it is signed: in 43 characters. The 64 of the digest would be packed, and what is packed
        begins with a dot, which many a server takes for a hidden file."""
        return urlsafe_b64encode(bytes.fromhex(self.digest)).decode().rstrip("=")

    @classmethod
    def read(cls, spelt: str) -> "Named":
        return cls(urlsafe_b64decode(f"{spelt}=").hex())


Key = str | Named  # what opens one: its secret, or its name where a signature vouches for it


class SignInLink(Base):
    """A link that signs a moderator in once. Only a digest of it is kept."""

    __tablename__ = "sign_in_links"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    is_local: Mapped[bool] = mapped_column(default=False)  # works on this very machine only
    purpose: Mapped[str] = mapped_column(
        String(10), default=Purpose.SIGN_IN, server_default=Purpose.SIGN_IN.value
    )
    # Whose right it stands on (people.py), and with whose it ends; None for the operator's, and
    # for one that the owner of the account asked for.
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    moderator: Mapped[Moderator] = relationship(foreign_keys=moderator_id)


def may(moderator: Moderator, site_id: int | None, least: Role = Role.MODERATOR) -> bool:
    """Whether the moderator has at least this role on the site; on every one, if None is given."""
    held = [m.role for m in moderator.memberships if m.site_id in (None, site_id)]
    if site_id is not None and moderator.is_admin and site_id in _gone(moderator):
        return False
    return any(RANK.index(role) >= RANK.index(least) for role in held)


def within_reach(moderator: Moderator, site_id: Any) -> ColumnElement[bool]:
    """The condition that a row's site is one of the moderator's, and not deleted. Takes the column."""
    if moderator.is_admin:
        # Said only where there are any: else the queue would be read row by row for it.
        gone = _gone(moderator)
        return or_(site_id.is_(None), site_id.not_in(gone)) if gone else true()
    sites = [m.site_id for m in moderator.memberships]
    return cast("ColumnElement[bool]", site_id.in_(sites)) if sites else false()


def _gone(moderator: Moderator) -> Sequence[int]:
    """The deleted sites, by id, which even an admin does not meet."""
    session = object_session(moderator)
    if session is None:  # looked at apart from its own
        session = database.session()
    with session.no_autoflush:
        return session.scalars(gone_sites()).all()


def each_within_reach(moderator: Moderator, site_id: Any) -> ColumnElement[bool]:
    """The same for rows that are found by their ids: said so that SQLite, which knows no better, does
    not walk a whole site by an index for a few of them."""
    return within_reach(moderator, site_id + 0)


def add(
    session: Session, email: str, role: Role, site: Site | None, password_hash: str | None
) -> Moderator:
    """A new moderator, or one more role for a known one, whose password then stays as it was. For
    who was removed, people.enter_anew comes first: this alone gives them back all they had."""
    moderator = by_email(session, email)
    if moderator is None:
        moderator = Moderator(email=email, name=email.partition("@")[0], password=password_hash)
        session.add(moderator)
        session.flush()
    moderator.active = True
    give(session, moderator, role, site.id if site else None)
    return moderator


def give(session: Session, moderator: Moderator, role: Role, site_id: int | None) -> Membership:
    """A role on a site, in place of the one that somebody has or had there."""
    of_theirs = select(Membership).where(Membership.moderator_id == moderator.id)
    of_site = Membership.site_id == site_id if site_id else Membership.site_id.is_(None)
    membership = session.scalar(of_theirs.where(of_site))
    if membership is None:
        membership = Membership(moderator_id=moderator.id, site_id=site_id, role=role)
        session.add(membership)
    if membership.removed_at is not None:
        membership.removed_at, membership.created_at = None, now()
    membership.role = role
    session.flush()
    session.expire(moderator, ["memberships"])
    return membership


def by_email(session: Session, typed: str) -> Moderator | None:
    """The moderator with this address, however it is spelt."""
    spellings = {vault.normal(typed), typed.strip().lower()}
    return session.scalar(select(Moderator).where(Moderator.email.in_(spellings)))


def by_uniquifier(session: Session, uniquifier: str) -> Moderator | None:
    """The moderator whom this was signed for, unless something ended it since."""
    known = select(Moderator).where(Moderator.fs_uniquifier == uniquifier, Moderator.active)
    return session.scalar(known)


def hashed(password: str) -> str:
    """Slow, as it should be: not for inside a transaction."""
    return hash_password(passwords.normal(password))


def has_password(moderator: Moderator | None, typed: str) -> bool:
    """Whether this is the moderator's password. Takes as long for nobody as for somebody."""
    if moderator is None or not moderator.password or not moderator.active:
        hashed(typed)
        return False
    return verify_password(passwords.normal(typed), moderator.password)


def renew(moderator: Moderator) -> None:
    """Ends whatever was signed for this moderator so far."""
    moderator.fs_uniquifier = secrets.token_hex(16)


def proof(moderator: Moderator) -> str:
    """What stands for a moderator in a link that is to end with renew(): a part of a digest, since
    what the session's cookie knows them by is nobody else's business."""
    return digest(moderator.fs_uniquifier)[:16]


def make_link(
    session: Session,
    moderator: Moderator,
    is_local: bool = False,
    purpose: Purpose = Purpose.SIGN_IN,
    made_by_id: int | None = None,
    lasts: timedelta = LINK_LIFETIME,
) -> str:
    """The secret part of a new link; a local one works on this very machine only. Takes which
    moderator makes it, None for the operator."""
    secret = secrets.token_urlsafe(24)
    session.add(
        SignInLink(
            digest=digest(secret),
            moderator_id=moderator.id,
            expires_at=now() + lasts,
            is_local=is_local,
            purpose=purpose,
            made_by_id=made_by_id,
        )
    )
    return secret


def find_link(session: Session, key: Key, purpose: Purpose = Purpose.SIGN_IN) -> SignInLink | None:
    """The link, if it can still be used."""
    link = session.get(SignInLink, digest(key))
    is_good = link and link.purpose == purpose and link.used_at is None and link.moderator.active
    return link if link and is_good and link.expires_at > now() else None


def use_link(
    session: Session, key: Key, is_loopback: bool, purpose: Purpose = Purpose.SIGN_IN
) -> Moderator | None:
    """The moderator whom a link is for, once; None if it was used, has expired or is none.

    Takes whether the one who uses it sits at this machine.
    """
    used = (
        update(SignInLink)
        .where(SignInLink.digest == digest(key), SignInLink.used_at.is_(None))
        .where(SignInLink.expires_at > now(), SignInLink.purpose == purpose)
        .where(or_(SignInLink.is_local.is_(False), literal(is_loopback)))
        .values(used_at=now())
        .returning(SignInLink.moderator_id)
    )
    moderator_id = session.scalar(used)
    moderator = session.get(Moderator, moderator_id) if moderator_id else None
    return moderator if moderator and moderator.active else None


def who(moderator: Moderator) -> str:
    """What a browser knows a moderator by, to keep apart what each of several left unsent there.
    Tells nothing but that it is the same person; stays when sessions and addresses change."""
    return digest(f"moderator {moderator.id} {moderator.created_at.isoformat()}")[:16]


def set_keys(session: Session, moderator: Moderator, has_keys: bool) -> None:
    """Switches the desk's single-letter keys on or off for a moderator."""
    session.get_one(Moderator, moderator.id).has_keys = has_keys


def get(moderator_id: int) -> Moderator:
    """A moderator for Flask-Security, in a session of its own, as they are now."""
    _close(None)
    return _session().get_one(Moderator, moderator_id)


def _visiting(uniquifier: str) -> Moderator | None:
    """Who is signed in, as Flask-Login asks with each request; nobody once the visit has ended."""
    secret = cookie.get(VISIT)
    if not uniquifier or not isinstance(secret, str):
        return None
    found = _session().execute(
        select(Moderator, Visit.id, Visit.seen_at)
        .join(Visit, Visit.moderator_id == Moderator.id)
        .where(Visit.digest == digest(secret), Visit.ended_at.is_(None))
        .where(Visit.seen_at > now() - Visit.LASTS)
        .where(Moderator.fs_uniquifier == uniquifier, Moderator.active)
    )
    for moderator, visit_id, seen_at in found:
        moderator.visit_id, moderator.seen_at = visit_id, seen_at
        set_request_attr("fs_authn_via", "session")
        set_request_attr("fs_paa", cookie.get("fs_paa", 0))
        return moderator
    return None


def digest(key: Key) -> str:
    """What is kept of a link's or a session's secret: it is long and random, so this is enough."""
    return key.digest if isinstance(key, Named) else hashlib.sha256(key.encode()).hexdigest()


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
    app.login_manager.user_loader(_visiting)  # type: ignore[attr-defined]
    app.teardown_appcontext(_close)
