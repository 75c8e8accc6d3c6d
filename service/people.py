"""Who may moderate where: invited, joined, given another role, removed and brought back.

A publisher decides about the moderators and publishers of their own sites, an admin about everybody,
a moderator about nobody. Nobody raises their own role or gives one above it, and the last admin
stays. All of it is checked inside the transaction that changes it, with the rows of all admins
held: two admins who demote each other at one moment come one after the other, and the second is
no admin any more.

Where mail leaves, an invitation or a link for a new password goes to whom it is for by letter, and
nobody else sees it; the doors say whether mail leaves.

An invitation and a link for a new password stand on the right of whoever made them: it is looked
at again when they are used (hard rule 6), and they end when the role of either person changes.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from . import accounts, events, letters, passkeys, second_step, visits
from .accounts import RANK, Key, Membership, Moderator, Purpose, SignInLink
from .events import What
from .models import Invitation, Site, gone_sites, now
from .status import LetterKind, Role
from .vault import mask

INVITATION_LASTS = timedelta(days=7)
# Of a link that somebody asks for who forgot the password: they wait for it, and whoever finds it
# later in their mail is somebody else. A server that makes new senders wait (greylisting) takes a
# letter at the second try, half an hour later (RFC 5321, 4.5.4.1).
ASKED_LASTS = timedelta(hours=1)
LANGUAGE = "en"  # the desk's
OPERATOR = "the operator"  # whoever has the machine, and so every right


class NotAllowed(Exception):
    """You may not do this: it needs a role above yours, or on another site."""


class LastAdmin(Exception):
    """This is the last admin. Make somebody else an admin first."""


class Unknown(Exception):
    """There is nobody of this kind here any more."""


class Taken(Exception):
    """This address has an account: sign in with it, and open the link once more."""


By = Moderator | str


@dataclass(frozen=True)
class Post:
    """One person's role somewhere, as the page of people shows it."""

    id: int
    role: Role
    site: Site | None
    since: datetime | None
    removed_at: datetime | None
    is_mine_to_change: bool


@dataclass(frozen=True)
class Person:
    """A colleague, as the page of people shows them."""

    id: int
    name: str
    masked: str
    posts: list[Post]
    seen_at: datetime | None
    has_second_step: bool
    is_me: bool
    may_be_reset: bool
    returned_at: datetime | None  # since when mail to them comes back

    @property
    def is_removed(self) -> bool:
        return all(post.removed_at for post in self.posts)


# Rights


def rules(by: By, site_id: int | None, role: Role) -> bool:
    """Whether somebody decides about those who have this role on this site (None: on all)."""
    if isinstance(by, str):
        return True
    if any(m.role == Role.ADMIN for m in by.memberships):
        return True
    return site_id is not None and role != Role.ADMIN and accounts.may(by, site_id, Role.PUBLISHER)


def may_reset(by: By, person: Moderator) -> bool:
    """Whether somebody may let a person choose a new password. It is the key to all that the person
    may do, so it needs a right over each of their roles."""
    held = person.memberships
    return bool(held) and all(rules(by, m.site_id, m.role) for m in held)


def _settle(session: Session, by: By) -> By:
    """Holds all admins' rows, and gives who asks as they are now."""
    held = select(Membership.id).where(Membership.role == Role.ADMIN)
    session.execute(held.order_by(Membership.id).with_for_update())
    if isinstance(by, str):
        return by
    fresh = session.get(Moderator, by.id, populate_existing=True)
    if fresh is None or not fresh.active:
        raise NotAllowed
    fresh.came_from = by.came_from
    return fresh


def _id(by: By) -> int | None:
    return None if isinstance(by, str) else by.id


def _maker(session: Session, moderator_id: int | None) -> By | None:
    """Who made a link, as they are now; nobody if they are here no more."""
    if moderator_id is None:
        return OPERATOR
    found = session.get(Moderator, moderator_id)
    return found if found and found.active else None


def _is_backed(session: Session, invited: Invitation) -> bool:
    """Whether whoever made an invitation still decides about what it gives."""
    by = _maker(session, invited.made_by_id)
    site = site_of(session, invited)
    if site is not None and site.deleted_at is not None:
        return False
    return by is not None and rules(by, invited.site_id, invited.role)


def _end_links(session: Session, person: Moderator, held: Membership) -> None:
    """Before somebody's role changes: what was made for them, or by them, and not used yet ends.
    Of the invitations for them, those to the place that the role was for; an admin's was all."""
    links = or_(SignInLink.moderator_id == person.id, SignInLink.made_by_id == person.id)
    unused = SignInLink.used_at.is_(None)
    session.execute(update(SignInLink).where(links, unused).values(used_at=now()))
    for_them = [Invitation.email == person.email]
    if held.site_id is not None:
        for_them.append(Invitation.site_id == held.site_id)
    session.execute(
        update(Invitation)
        .where(or_(and_(*for_them), Invitation.made_by_id == person.id))
        .where(Invitation.used_at.is_(None), Invitation.ended_at.is_(None))
        .values(ended_at=now())
    )


def _keep_an_admin(session: Session, leaving: Membership) -> None:
    """Refuses to let the last admin go."""
    if leaving.role != Role.ADMIN or leaving.removed_at is not None:
        return
    others = (
        select(Membership.id)
        .join(Moderator, Moderator.id == Membership.moderator_id)
        .where(Membership.role == Role.ADMIN, Membership.removed_at.is_(None))
        .where(Membership.moderator_id != leaving.moderator_id, Moderator.active)
    )
    if session.scalar(others.limit(1)) is None:
        raise LastAdmin


def _membership(session: Session, by: By, membership_id: int) -> tuple[Membership, Moderator]:
    found = session.get(Membership, membership_id, populate_existing=True)
    if found is None:
        raise Unknown
    if not rules(by, found.site_id, found.role):
        raise NotAllowed
    return found, session.get_one(Moderator, found.moderator_id)


# Verbs


def invite(
    session: Session, by: By, email: str, role: Role, site: Site | None, is_mailed: bool = False
) -> str:
    """The secret of a new invitation; raises NotAllowed. An earlier one to the same place ends.
    Takes whether a letter brings it to them."""
    by = _settle(session, by)
    site_id = site.id if site else None
    if (role == Role.ADMIN) != (site is None) or not rules(by, site_id, role):
        raise NotAllowed
    same = Invitation.site_id == site_id if site_id else Invitation.site_id.is_(None)
    session.execute(
        update(Invitation)
        .where(Invitation.email == email, same, Invitation.used_at.is_(None))
        .where(Invitation.ended_at.is_(None))
        .values(ended_at=now())
    )
    secret = secrets.token_urlsafe(24)
    made = Invitation(
        digest=accounts.digest(secret),
        email=email,
        role=role,
        site_id=site_id,
        by=by if isinstance(by, str) else by.name,
        made_by_id=_id(by),
        expires_at=now() + INVITATION_LASTS,
    )
    session.add(made)
    session.flush()
    if is_mailed:
        kind, key = LetterKind.INVITATION, f"invitation {made.id}"
        letters.write(session, kind, key, site_id, invitation_id=made.id, language=LANGUAGE)
    events.record(session, What.INVITED, by, f"{mask(email)}: {said(role, site)}", site_id)
    return secret


def withdraw(session: Session, by: By, invitation_id: int) -> None:
    """Ends an invitation that nobody has taken up; raises Unknown, NotAllowed."""
    by = _settle(session, by)
    found = session.get(Invitation, invitation_id)
    if found is None or found.used_at or found.ended_at:
        raise Unknown
    if not rules(by, found.site_id, found.role):
        raise NotAllowed
    found.ended_at = now()
    events.record(session, What.INVITATION_ENDED, by, mask(found.email), found.site_id)


def invitation(session: Session, key: Key) -> Invitation | None:
    """The invitation, if it can still be taken up."""
    named = (Invitation.digest == accounts.digest(key), Invitation.email != "")  # else first.py's
    found = session.scalar(select(Invitation).where(*named))
    is_open = found and found.used_at is None and found.ended_at is None
    is_good = found and is_open and found.expires_at > now() and _is_backed(session, found)
    return found if is_good else None


def account_of(session: Session, email: str) -> Moderator | None:
    """Who has this address and may sign in: only they take up an invitation that was sent to it."""
    found = accounts.by_email(session, email)
    return found if found and found.active else None


def join(
    session: Session,
    key: Key,
    name: str,
    password_hash: str | None,
    signed_in: Moderator | None,
    network: str,
) -> Moderator:
    """Takes an invitation up, once. Somebody new gets an account; who has one needs to be signed in
    as that one, so that no invitation is a way into somebody's account. Raises Unknown, Taken."""
    used = session.scalar(
        update(Invitation)
        .where(Invitation.digest == accounts.digest(key), Invitation.used_at.is_(None))
        .where(Invitation.ended_at.is_(None), Invitation.expires_at > now())
        .where(Invitation.email != "")
        .values(used_at=now())
        .returning(Invitation)
    )
    if used is None or not _is_backed(session, used):
        raise Unknown
    moderator = accounts.by_email(session, used.email)
    if moderator and (moderator.active or moderator.memberships):
        if signed_in is None or signed_in.id != moderator.id:
            raise Taken
    else:
        moderator = enter_anew(session, moderator, used.email, name, password_hash)
    held = [m for m in moderator.memberships if m.site_id == used.site_id]
    if not held or RANK.index(held[0].role) < RANK.index(used.role):  # nobody falls by joining
        accounts.give(session, moderator, used.role, used.site_id)
    moderator.came_from = network
    site = session.get(Site, used.site_id) if used.site_id else None
    events.record(session, What.JOINED, moderator, said(used.role, site), used.site_id)
    return moderator


def enter_anew(
    session: Session, former: Moderator | None, email: str, name: str, password_hash: str | None
) -> Moderator:
    """An account for somebody new, or the one of somebody who was removed: nothing but their past
    is left in it."""
    moderator = former or Moderator(email=email)
    moderator.name, moderator.password, moderator.active = name, password_hash, True
    session.add(moderator)
    session.flush()
    if former:
        accounts.renew(moderator)
        take_second_step_off(session, moderator.id)
    return moderator


def change(
    session: Session, by: By, membership_id: int, role: Role, site: Site | None = None
) -> None:
    """Gives another role. Takes a site where an admin becomes something less, or the other way
    round. Raises Unknown, NotAllowed, LastAdmin."""
    by = _settle(session, by)
    held, person = _membership(session, by, membership_id)
    if held.removed_at is not None:
        raise Unknown
    site_id = None if role == Role.ADMIN else (site.id if site else held.site_id)
    if (role != Role.ADMIN and site_id is None) or not rules(by, site_id, role):
        raise NotAllowed
    is_raise = RANK.index(role) > RANK.index(held.role)
    if not isinstance(by, str) and person.id == by.id and is_raise:
        raise NotAllowed
    if (role, site_id) == (held.role, held.site_id):
        return
    if role != Role.ADMIN:
        _keep_an_admin(session, held)
    before = said(held.role, _site(session, held.site_id))
    _end_links(session, person, held)
    if site_id != held.site_id:
        held.removed_at = now()
    accounts.give(session, person, role, site_id)
    about = f"{person.name}: {before} → {said(role, _site(session, site_id))}"
    events.record(session, What.ROLE_CHANGED, by, about, site_id or held.site_id)


def remove(session: Session, by: By, membership_id: int) -> None:
    """Takes a role away. Who has none left is signed out everywhere at once.
    Raises Unknown, NotAllowed, LastAdmin."""
    by = _settle(session, by)
    held, person = _membership(session, by, membership_id)
    if held.removed_at is not None:
        raise Unknown
    _keep_an_admin(session, held)
    _end_links(session, person, held)
    held.removed_at = now()
    session.flush()
    session.refresh(person, ["memberships"])
    if not person.memberships:
        person.active = False
        accounts.renew(person)
        visits.end_all(session, person.id)
    about = f"{person.name}: {said(held.role, _site(session, held.site_id))}"
    events.record(session, What.REMOVED, by, about, held.site_id)


def restore(session: Session, by: By, membership_id: int) -> None:
    """Gives a role back that was taken away. Raises Unknown, NotAllowed."""
    by = _settle(session, by)
    held, person = _membership(session, by, membership_id)
    if held.removed_at is None:
        raise Unknown
    if not isinstance(by, str) and person.id == by.id:
        raise NotAllowed
    person.active = True
    accounts.give(session, person, held.role, held.site_id)
    about = f"{person.name}: {said(held.role, _site(session, held.site_id))}"
    events.record(session, What.RESTORED, by, about, held.site_id)


def reset(
    session: Session,
    by: By,
    person_id: int,
    is_step_lost: bool = False,
    is_mailed: bool = False,
) -> str:
    """The secret of a link by which a person chooses a new password; earlier ones end. Takes
    whether their second step is lost too, which goes then, and whether a letter brings the link
    to them. Raises Unknown, NotAllowed."""
    by = _settle(session, by)
    person = session.get(Moderator, person_id)
    if person is None or not person.active:
        raise Unknown
    if not may_reset(by, person):
        raise NotAllowed
    events.record(session, What.LINK_MADE, by, f"{person.name}: a new password")
    if is_step_lost:
        take_second_step_off(session, person.id)
        events.record(session, What.SECOND_STEP_REMOVED, by, person.name)
    _end_resets(session, person)
    secret = accounts.make_link(session, person, purpose=Purpose.RESET, made_by_id=_id(by))
    if is_mailed:
        _mail_reset(session, person, secret)
    return secret


def ask_reset(session: Session, person: Moderator, network: str) -> None:
    """Somebody says that they are this person and forgot the password. Whether they are shows by
    the letter: who gets it may choose a new one, within ASKED_LASTS. An earlier one that was asked
    for ends; what a colleague made does not, or any stranger could end it. Takes the network that
    asks, all that is known of them."""
    _end_resets(session, person, SignInLink.made_by_id.is_(None))
    secret = accounts.make_link(session, person, purpose=Purpose.RESET, lasts=ASKED_LASTS)
    _mail_reset(session, person, secret)
    events.record(session, What.RESET_ASKED, "somebody", person.name, network=network)


def _end_resets(session: Session, person: Moderator, *only: ColumnElement[bool]) -> None:
    theirs = (SignInLink.moderator_id == person.id, SignInLink.purpose == Purpose.RESET)
    unused = SignInLink.used_at.is_(None)
    session.execute(update(SignInLink).where(*theirs, unused, *only).values(used_at=now()))


def _mail_reset(session: Session, person: Moderator, secret: str) -> None:
    """The letter knows the link by the digest, which opens nothing."""
    digest = accounts.digest(secret)
    letters.write(
        session,
        LetterKind.RESET,
        f"reset {digest}",
        None,
        moderator_id=person.id,
        about={"link": digest},
        language=LANGUAGE,
    )


def reset_link(session: Session, key: Key) -> SignInLink | None:
    """The link for a new password, if whoever made it may still reset the person as they are now."""
    found = accounts.find_link(session, key, Purpose.RESET)
    by = _maker(session, found.made_by_id) if found else None
    return found if found and by and may_reset(by, found.moderator) else None


def use_reset(session: Session, key: Key, is_loopback: bool) -> Moderator | None:
    """The moderator whom such a link is for, once; None if it is good no more."""
    if reset_link(session, key) is None:
        return None
    return accounts.use_link(session, key, is_loopback, Purpose.RESET)


def take_second_step_off(session: Session, moderator_id: int) -> None:
    passkeys.remove_all(session, moderator_id)
    second_step.switch_off(session, moderator_id)


def set_password(session: Session, moderator: Moderator, password_hash: str, but: int = 0) -> None:
    """A new password ends every session but one, if given, and every link that was made."""
    moderator.password = password_hash
    accounts.renew(moderator)
    visits.end_all(session, moderator.id, but)
    session.execute(
        update(SignInLink)
        .where(SignInLink.moderator_id == moderator.id, SignInLink.used_at.is_(None))
        .values(used_at=now())
    )
    events.record(session, What.PASSWORD_CHANGED, moderator)


# Readings


def sites(session: Session, by: Moderator) -> Sequence[Site]:
    """The sites whose people somebody decides about."""
    found = session.scalars(
        select(Site).where(Site.deleted_at.is_(None)).order_by(Site.name, Site.id)
    ).all()
    return [site for site in found if rules(by, site.id, Role.MODERATOR)]


def roles(by: Moderator) -> list[Role]:
    """The roles that somebody may give."""
    return [role for role in RANK if role != Role.ADMIN or rules(by, None, role)]


def everybody(session: Session, by: Moderator) -> list[Person]:
    """The people of somebody's sites: those who are there, then those who were removed."""
    mine = {site.id for site in sites(session, by)}
    names = {site.id: site for site in session.scalars(select(Site))}
    is_admin = rules(by, None, Role.ADMIN)
    is_here = or_(Membership.site_id.is_(None), Membership.site_id.not_in(gone_sites()))
    held = select(Membership).where(is_here).order_by(Membership.id)
    if not is_admin:
        held = held.where(Membership.site_id.in_(mine))
    posts: dict[int, list[Post]] = {}
    for m in session.scalars(held):
        site = names[m.site_id] if m.site_id else None
        is_mine = rules(by, m.site_id, m.role)
        posts.setdefault(m.moderator_id, []).append(
            Post(m.id, m.role, site, m.created_at, m.removed_at, is_mine)
        )
    known = session.scalars(select(Moderator).where(Moderator.id.in_(posts))).all()
    seen = visits.last_seen(session, list(posts))
    with_step = second_step.with_one(session, list(posts))
    found = [
        Person(
            id=person.id,
            name=person.name,
            masked=mask(person.email),
            posts=posts[person.id],
            seen_at=seen.get(person.id),
            has_second_step=person.id in with_step,
            is_me=person.id == by.id,
            may_be_reset=person.id != by.id and person.active and may_reset(by, person),
            returned_at=person.returned_at,
        )
        for person in known
    ]
    return sorted(found, key=lambda p: (p.is_removed, p.name.casefold(), p.id))


def invitations(session: Session, by: Moderator) -> list[Invitation]:
    """Those that wait, of somebody's sites."""
    waiting = session.scalars(
        select(Invitation)
        .where(Invitation.used_at.is_(None), Invitation.ended_at.is_(None))
        .where(Invitation.expires_at > now(), Invitation.email != "")
        .order_by(Invitation.id)
    )
    here = {site.id for site in sites(session, by)} | {None}
    mine = [found for found in waiting if rules(by, found.site_id, found.role)]
    return [found for found in mine if found.site_id in here]


def address(session: Session, by: Moderator, person_id: int) -> tuple[str, str]:
    """A colleague's name and whole address, on the record; raises Unknown."""
    person = session.get(Moderator, person_id)
    mine = {person.id for person in everybody(session, by)}
    if person is None or person.id not in mine:
        raise Unknown
    events.record(session, What.ADDRESS_SHOWN, by, person.name)
    return person.name, person.email


def said(role: Role, site: Site | None) -> str:
    return f"{role.value} of {site.name}" if site else f"{role.value} of all sites"


def site_of(session: Session, invited: Invitation) -> Site | None:
    return _site(session, invited.site_id)


def _site(session: Session, site_id: int | None) -> Site | None:
    return session.get(Site, site_id) if site_id else None
