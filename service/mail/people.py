"""To people of the desk: an invitation, and a link for a new password. Each link is signed here, while
the letter is sent; of its secret nothing is kept but the digest that it names."""

from datetime import datetime
from urllib.parse import urlsplit

from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from .. import people, text
from ..accounts import Moderator, Named, Purpose
from ..models import Invitation, Letter
from ..status import Role, Why
from .contents import Contents
from .post import Post


def invite(session: Session, post: Post, letter: Letter) -> Contents | Why:
    """Unless it was taken up, taken back, replaced or grew too old in between."""
    invited = session.get_one(Invitation, letter.invitation_id)
    named = Named(invited.digest)
    if people.invitation(session, named) is None:
        return Why.SETTLED
    site, host = people.site_of(session, invited), _host(post)
    by = _name(invited.by) if invited.made_by_id else str(_("Whoever runs the service"))
    where = site.name if site else host
    token = post.signer.sign(Purpose.JOIN.by_letter, named.spelt)
    return Contents(
        str(_("You are invited to the desk of %(where)s", where=where)),
        "invitation",
        {
            "invited": _invited(invited.role, by, where),
            "until": _until(invited.expires_at),
            "url": post.url(f"/desk/join/{token}"),
            "host": host,
        },
    )


def reset(session: Session, post: Post, letter: Letter) -> Contents | Why:
    """Unless it was used, replaced or grew too old in between, or the password changed."""
    named = Named(letter.about["link"])
    link = people.reset_link(session, named)
    if link is None or link.moderator_id != letter.moderator_id:
        return Why.SETTLED
    maker = session.get(Moderator, link.made_by_id) if link.made_by_id else None
    token = post.signer.sign(Purpose.RESET.by_letter, named.spelt)
    return Contents(
        str(_("A new password for the desk at %(host)s", host=_host(post))),
        "reset",
        {
            "asked": _asked(_name(maker.name) if maker else ""),
            "until": _until(link.expires_at),
            "url": post.url(f"/desk/reset/{token}"),
        },
    )


def _invited(role: Role, by: str, where: str) -> str:
    if role == Role.ADMIN:
        return str(
            _("%(by)s invites you to be an admin of all sites at %(where)s.", by=by, where=where)
        )
    if role == Role.PUBLISHER:
        return str(_("%(by)s invites you to be a publisher of %(where)s.", by=by, where=where))
    return str(_("%(by)s invites you to be a moderator of %(where)s.", by=by, where=where))


def _asked(by: str) -> str:
    if by:
        return str(_("%(by)s made you a link to choose a new password for the desk.", by=by))
    return str(_("Somebody asked for a new password for your account at the desk."))


def _until(moment: datetime) -> str:
    shown = format_datetime(moment, "d MMMM y, HH:mm", rebase=False)
    return str(_("The link works once, until %(when)s (UTC).", when=shown))


def _host(post: Post) -> str:
    return urlsplit(post.base_url).hostname or ""


def _name(written: str) -> str:
    return text.mask_addresses(" ".join(written.split()))
