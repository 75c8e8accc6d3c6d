"""Bans: what a site takes no comments from for a while. What one catches is stored as spam.

Nobody is refused by a ban (promise 6), and nobody is told. Addresses and their domains are known
by blind indexes alone, compared for equality (hard rule 4); hosts and networks are looked for by
every wider one that they lie in. A ban acts on what comes in while it lasts.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Session, joinedload

from . import text, urls
from .models import Article, Author, Ban, Comment, Site, now
from .status import BanKind, Mark, Status
from .vault import Hidden, Vault, domain, mask, mask_domain

COUNTED = 1_000  # a preview counts no further: COUNTED + 1 stands for more
LOOKED_AT = 20_000  # of names, websites and networks there is no index: only the newest are read
SHOWN = 10
WIDEST = {4: 8, 6: 16}  # bits of the widest network that can be banned
MAPPED = 96  # bits before an IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5.2)
REASON_LENGTH = 200  # characters

# Providers whose addresses belong to everybody: banning one of these domains hits many.
PROVIDERS = """
126.com 163.com aol.com btinternet.com comcast.net fastmail.com free.fr gmail.com gmx.at gmx.ch
gmx.de gmx.net googlemail.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr icloud.com
laposte.net libero.it live.com mac.com mail.com mail.de mail.ru me.com msn.com naver.com o2.pl
online.de orange.fr outlook.com outlook.de posteo.de proton.me protonmail.com qq.com rediffmail.com
seznam.cz sina.com t-online.de tuta.io verizon.net web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com
yahoo.de yahoo.fr yandex.ru ymail.com zoho.com
"""
FREE_MAIL = frozenset(PROVIDERS.split())


class NotBannable(Exception):
    """What was typed is nothing of its kind, or is too wide to be banned."""


class BannedAlready(Exception):
    """A ban of the same lasts still: `until` then, or for ever (None)."""

    def __init__(self, until: datetime | None) -> None:
        super().__init__()
        self.until = until


@dataclass(frozen=True)
class Target:
    """What a ban is to look at. `value` is what moderators see, masked where it is an address's."""

    kind: BanKind
    value: str
    digest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Facts:
    """What bans look at in a new comment. The client's address is stored nowhere."""

    address: bytes | None = field(repr=False)
    domain: bytes | None = field(repr=False)
    name: bytes = field(repr=False)
    hosts: frozenset[str] = frozenset()
    client: str = field(default="", repr=False)  # an IP address, or the network that is left of it


@dataclass(frozen=True)
class Caught:
    """What a ban would have caught, had it been there."""

    count: int
    sample: list[Comment]  # newest first
    statuses: dict[Status, int]  # of those that were counted
    looked_at: int | None = None  # how many of the newest were looked at; None for all there are


# What can be banned


def target(vault: Vault, kind: BanKind, typed: str) -> Target:
    """What somebody typed to be banned; raises NotBannable."""
    typed = unicodedata.normalize("NFC", typed.strip())
    if kind == BanKind.ADDRESS:
        return address_target(vault, typed)
    if kind == BanKind.DOMAIN:
        return domain_target(vault, typed if "@" in typed else f"@{typed}")
    if kind == BanKind.NAME:
        return name_target(vault, typed)
    return website_target(typed) if kind == BanKind.WEBSITE else network_target(typed)


def address_target(vault: Vault, address: str) -> Target:
    if not text.addresses(address) or any(c.isspace() for c in address):
        raise NotBannable(BanKind.ADDRESS)
    return Target(BanKind.ADDRESS, mask(address), vault.index(address))


def domain_target(vault: Vault, address: str) -> Target:
    """The domain of an address; nothing need stand before the @."""
    name = domain(f"x@{address.rpartition('@')[2].strip()}")
    if not re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", name):
        raise NotBannable(BanKind.DOMAIN)
    return Target(BanKind.DOMAIN, mask_domain(name), vault.domain_index(f"x@{name}"))


def name_target(vault: Vault, name: str) -> Target:
    if not text.is_visible(name):
        raise NotBannable(BanKind.NAME)
    return Target(BanKind.NAME, text.mask_addresses(name)[:300], _name(vault, name))


def website_target(typed: str) -> Target:
    """A website's domain with all that lies below it; "www." before it is no part of it."""
    try:
        host = _host(urls.website(typed))
    except urls.NotAnAddress:
        raise NotBannable(BanKind.WEBSITE) from None
    bare = host.removeprefix("www.")
    host = bare if "." in bare else host
    if "." not in host or len(host) > 253:  # RFC 1035, 2.3.4
        raise NotBannable(BanKind.WEBSITE)
    return Target(BanKind.WEBSITE, host)


def network_target(typed: str) -> Target:
    """An IP address, or a network in CIDR form."""
    network = _network(typed.strip())
    if network is None or network.prefixlen < WIDEST[network.version]:
        raise NotBannable(BanKind.NETWORK)
    return Target(BanKind.NETWORK, str(network))


def is_free_mail(address: str) -> bool:
    """Whether an address's domain is one of the large providers that anybody can be with."""
    return domain(f"x@{address.rpartition('@')[2].strip()}") in FREE_MAIL


def is_within(target: Target, client: str) -> bool:
    """Whether a client's address, or network, lies in the network to be banned."""
    whole, part = _network(target.value), _network(client)
    if isinstance(whole, ipaddress.IPv4Network):
        return isinstance(part, ipaddress.IPv4Network) and part.subnet_of(whole)
    if isinstance(whole, ipaddress.IPv6Network):
        return isinstance(part, ipaddress.IPv6Network) and part.subnet_of(whole)
    return False


def covers(target: Target, url: str) -> bool:
    """Whether a page lies on the website to be banned."""
    return target.value in _wider(_host(url))


def linked(website: str, html: str) -> list[str]:
    """The hosts that a comment links to, each once: its author's website first."""
    hosts = (_host(url) for url in (website, *text.links(html)))
    return list(dict.fromkeys(filter(None, hosts)))


def facts(
    vault: Vault, hidden: Hidden | None, name: str, website: str, html: str, client: str
) -> Facts:
    """What bans look at. Takes the author's hidden address if there is one, name and website as
    typed, the rendered text, and the client's IP address or what is left of it."""
    return Facts(
        hidden.index if hidden else None,
        hidden.domain_index if hidden else None,
        _name(vault, name),
        frozenset(linked(website, html)),
        client,
    )


# The bans that there are


def ban(
    session: Session,
    target: Target,
    site_id: int | None,
    reason: str,
    expires_at: datetime | None,
    by: str,
    moderator_id: int | None = None,
) -> Ban:
    """Bans something on a site, or on every one (None), until a moment or for ever (None).

    Takes the name of who does it. Raises BannedAlready.
    """
    same = and_(Ban.kind == target.kind, Ban.site_id == site_id, is_active())
    same = and_(same, Ban.digest == target.digest if target.digest else Ban.value == target.value)
    if known := session.scalar(select(Ban).where(same).limit(1)):
        raise BannedAlready(known.expires_at)
    made = Ban(
        site_id=site_id,
        kind=target.kind,
        digest=target.digest,
        value=target.value,
        reason=text.mask_addresses(reason)[:REASON_LENGTH],
        moderator_id=moderator_id,
        by=by,
        expires_at=expires_at,
    )
    session.add(made)
    session.flush()
    return made


def lift(session: Session, ban: Ban) -> bool:
    """Ends a ban; what it caught stays as it is. False if it had ended already."""
    ended = update(Ban).where(Ban.id == ban.id, is_active()).values(ended_at=now())
    return session.scalar(ended.returning(Ban.id)) is not None


def find(session: Session, ban_id: int, mine: ColumnElement[bool]) -> Ban | None:
    """A ban by its number. Takes the condition that it is the moderator's to see."""
    return session.scalar(select(Ban).where(Ban.id == ban_id, mine))


def known(
    session: Session, mine: ColumnElement[bool], is_past: bool, before: int | None, size: int
) -> Sequence[Ban]:
    """Bans that act, or those that are over, newest first. Takes the condition that one is the
    moderator's to see, the number of the ban to begin behind (None: the newest), and how many."""
    found = select(Ban).where(mine, ~is_active() if is_past else is_active())
    if before is not None:
        found = found.where(Ban.id < before)
    return session.scalars(found.order_by(Ban.id.desc()).limit(size)).all()


def is_active(at: datetime | None = None) -> ColumnElement[bool]:
    """The condition that a ban is neither lifted nor expired at a moment, now unless told."""
    lasts = or_(Ban.expires_at.is_(None), Ban.expires_at > (at or now()))
    return and_(Ban.ended_at.is_(None), lasts)


def matching(
    session: Session, site_id: int, facts: Facts, at: datetime | None = None
) -> Ban | None:
    """The first ban of a site, or of all, that catches a comment at a moment, now unless told."""
    here = and_(or_(Ban.site_id == site_id, Ban.site_id.is_(None)), is_active(at))
    known = [
        and_(Ban.kind == BanKind.NAME, Ban.digest == facts.name),
        and_(Ban.kind == BanKind.NETWORK, Ban.value.in_(_networks(facts.client))),
    ]
    for kind, digest in ((BanKind.ADDRESS, facts.address), (BanKind.DOMAIN, facts.domain)):
        if digest:
            known.append(and_(Ban.kind == kind, Ban.digest == digest))
    ids = list(session.scalars(select(Ban.id).where(here, or_(*known))))
    # A text may link to more hosts than a statement takes values: so the other way round.
    hosts = {wider for host in facts.hosts for wider in _wider(host)}
    websites = select(Ban.id, Ban.value).where(here, Ban.kind == BanKind.WEBSITE)
    ids += [row.id for row in session.execute(websites) if row.value in hosts] if hosts else []
    return session.get(Ban, min(ids)) if ids else None


def count(session: Session, caught_by: Ban) -> None:
    """Counts one more comment that a ban caught."""
    session.execute(update(Ban).where(Ban.id == caught_by.id).values(hits=Ban.hits + 1))


# What one would have caught


def preview(session: Session, vault: Vault, target: Target, site_id: int | None) -> Caught:
    """What a ban would have caught of the comments that a site, or every one (None), has."""
    looked_at = None
    if target.kind in (BanKind.ADDRESS, BanKind.DOMAIN):
        ids = list(session.scalars(_of_authors(target, site_id)))
    else:
        ids, looked_at = _among_newest(session, vault, target, site_id)
    ids.sort(reverse=True)
    shown = (
        select(Comment)
        .where(Comment.id.in_(ids[:SHOWN]))
        .options(joinedload(Comment.article).joinedload(Article.site))
        .order_by(Comment.id.desc())
    )
    counted = select(Comment.status, func.count().label("number")).where(
        Comment.id.in_(ids[:COUNTED])
    )
    rows = session.execute(counted.group_by(Comment.status))
    statuses = {row.status: row.number for row in rows}
    return Caught(len(ids), list(session.scalars(shown)), statuses, looked_at)


def _of_authors(target: Target, site_id: int | None) -> Select[int]:
    """By the authors' indexes: in no order, so that counting stops early."""
    column = Author.email_index if target.kind == BanKind.ADDRESS else Author.domain_index
    sites = select(Site.id).where(_at(Site.id, site_id))
    return (
        select(Comment.id)
        .join(Author, Author.id == Comment.author_id)
        .where(Author.site_id.in_(sites), column == target.digest, Comment.mark != Mark.STAFF)
        .limit(COUNTED + 1)
    )


def _among_newest(
    session: Session, vault: Vault, target: Target, site_id: int | None
) -> tuple[list[int], int | None]:
    """The ids of what a ban would have caught of the newest comments, and how many those are if
    there are more."""
    linking = case((Comment.html.contains('<a href="'), Comment.html), else_="")
    columns = (Comment.id, Comment.mark, Comment.name, Comment.network, Comment.website)
    is_website = target.kind == BanKind.WEBSITE
    newest = select(*columns, linking if is_website else literal("")).where(
        Comment.id.in_(_newest(site_id))
    )
    rows = session.execute(newest.order_by(Comment.id.desc()).execution_options(yield_per=1_000))
    found, seen = list[int](), 0
    for id, mark, name, network, website, html in rows:
        seen += 1
        if mark != Mark.STAFF and _would_catch(vault, target, name, network, website, html):
            found.append(id)
        if len(found) > COUNTED:
            break
    return found, LOOKED_AT if seen >= LOOKED_AT else None


def _would_catch(
    vault: Vault, target: Target, name: str, network: str, website: str, html: str
) -> bool:
    if target.kind == BanKind.NAME:
        return _name(vault, name) == target.digest
    if target.kind == BanKind.NETWORK:
        return is_within(target, network)
    return any(target.value in _wider(host) for host in linked(website, html))


def _newest(site_id: int | None) -> ScalarSelect[int]:
    """The ids of the newest comments, whatever became of them: each status by its own index."""
    lists = [
        select(Comment.id, Comment.created_at)
        .where(Comment.status == status, _at(Comment.site_id, site_id))
        .order_by(Comment.created_at.desc())
        .limit(LOOKED_AT)
        .subquery()
        for status in Status
    ]
    every = union_all(*(select(one) for one in lists)).subquery()
    newest = select(every.c.id).order_by(every.c.created_at.desc()).limit(LOOKED_AT)
    return newest.scalar_subquery()


def _at(column: Any, site_id: int | None) -> ColumnElement[bool]:
    return true() if site_id is None else cast("ColumnElement[bool]", column == site_id)


def _name(vault: Vault, name: str) -> bytes:
    """Names are the same whatever their capitals and spaces."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return vault.digest("name", " ".join(folded.split()))


def _host(url: str) -> str:
    """The host of a web address as a browser goes to it; "" if there is none."""
    try:
        host = unquote(urlsplit(url).hostname or "")
        return host.encode("idna").decode().lower().rstrip(".")
    except ValueError:
        return ""


def _wider(host: str) -> Iterator[str]:
    """A host, and every domain that it lies in."""
    labels = host.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))


def _networks(client: str) -> list[str]:
    """Every network that can be banned and that a client's address, or network, lies in."""
    network = _network(client)
    if network is None:
        return []
    widths = range(WIDEST[network.version], network.prefixlen + 1)
    return [str(network.supernet(new_prefix=width)) for width in widths]


@lru_cache(maxsize=4_096)
def _network(written: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A network in CIDR form, or the one address that is written; an IPv4 one as such."""
    try:
        network = ipaddress.ip_network(written, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped and network.prefixlen >= MAPPED:
            return ipaddress.ip_network((mapped, network.prefixlen - MAPPED))
    return network
