"""The reader's verbs: submit a comment; find one's own again by its receipt, edit it, withdraw it."""

import hashlib
import ipaddress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from . import bans, events, folds, moderation, notices, screening, urls
from .accounts import Moderator
from .aliases import article_at, unused
from .models import Article, Author, Comment, Decision, Follow, Note, Reason, Site, gone_sites, now
from .moderation import Wording
from .rules import Draft, History, Policy, Verdict, judge, risk
from .screening import tokens, waves
from .screening.filter import Score
from .site_settings import SiteSettings
from .status import Act, Mark, Occasion, Status
from .text import RENDERER, count_links
from .vault import Hidden, Vault

# Without script there is no nonce: the same form from the same network is one comment this long.
SAME_FORM = timedelta(minutes=10)
# How long a site takes to decide is told from its last decisions, of those among the newest here.
MEASURED = 50
FEWEST = 5
LOOKED_AT = 20_000
# A comment can lose three races at once: for its article, its author and itself.
ATTEMPTS = 4


class NoSuchParent(Exception):
    """The comment that was answered is not shown under this article, or no longer."""


class NoNewComments(Exception):
    """The article is closed, or the whole site."""


class AnotherWording(Exception):
    """A rule asks for another wording; nothing was stored."""

    def __init__(self, verdict: Verdict, known: History) -> None:
        super().__init__()
        self.verdict, self.known = verdict, known


class Closed(Exception):
    """The time in which a comment's author may change it is over, or a moderator has decided."""


@dataclass(frozen=True)
class Submission:
    """A reply as it was sent, validated and rendered: all that needs no database."""

    url: str
    given_id: str
    title: str
    parent: str  # public id of the comment answered, "" for none
    name: str
    website: str
    email: str = field(repr=False)
    text: str
    html: str
    language: str
    network: str
    nonce: str
    draft: Draft
    client: str = field(default="", repr=False)  # the IP address: bans look at it, nobody keeps it
    # Whose address a token proves that came with it (its blind index), and the digest of the form's
    # token if script fetched that.
    proof: bytes | None = field(default=None, repr=False)
    token: bytes | None = field(default=None, repr=False)
    score: Score | None = None  # what the filter says of it
    has_consented: bool = False  # to the sentence that the site had readers tick


def network_of(address: str) -> str:
    """The network of a client's address, /24 or /48: the address itself is stored nowhere."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def submit(
    session: Session,
    vault: Vault,
    site: Site,
    sent: Submission,
    policy: Policy,
    at: datetime | None = None,
) -> Comment:
    """Stores a reply and what the rules say of it; the same form sent twice is stored once.

    Takes the moment it was sent, now unless told. Returns the comment, new or already there.
    Raises NoSuchParent, NoNewComments where the article or the whole site is closed, and AnotherWording.
    """
    at = at or now()
    for attempt in range(ATTEMPTS):
        try:
            with session.begin_nested():
                comment, is_new = _store(session, vault, site, sent, policy, at)
            break
        except IntegrityError:
            # Another process stored the same form, or the first comment of this article or
            # author, at this very moment: it is there now, and found.
            if attempt == ATTEMPTS - 1:
                raise
    if is_new and comment.status == Status.APPROVED:
        moderation.count_new(session, comment)
    elif is_new:
        moderation.came(session, comment)
    if is_new:
        notices.arrived(session, comment)
    if is_new and (seen := waves.watch(session, comment, policy)):
        what, wave = seen
        about = waves.named(session, wave)
        events.record(session, events.What(what), waves.BY, about, wave.site_id)
        if what == waves.BEGAN:
            notices.wave_began(session, wave)
    return comment


def _store(
    session: Session, vault: Vault, site: Site, sent: Submission, policy: Policy, at: datetime
) -> tuple[Comment, bool]:
    """The comment, and whether it is new; raises IntegrityError if somebody was a moment faster."""
    hidden = vault.hide(sent.email, site.id) if sent.email else None
    keys = _keys(vault, site, sent, hidden, at)
    if same := _known(session, keys, at, bool(sent.nonce)):
        return same, False
    article = find_article(session, site.id, sent.url, sent.given_id)
    _refuse_if_shut(session, site.id)
    if article is not None and is_closed(article, SiteSettings.read(site.settings), at):
        raise NoNewComments
    parent = _parent(session, article, sent.parent)
    digest = vault.words(sent.text)
    client = sent.client or sent.network
    told = bans.facts(vault, hidden, sent.name, sent.website, sent.html, client)
    if ban := bans.matching(session, site.id, told, at):
        bans.count(session, ban)
    arrival = screening.Arrival(
        site_id=site.id,
        article=article,
        name=sent.name,
        text=sent.text,
        text_digest=digest,
        at=at,
        email_index=hidden.index if hidden else None,
        network=sent.network,
        ban=ban,
        # Another's token, or one of another address, is no proof; nor is it a reason to refuse.
        is_proved=hidden is not None and sent.proof == hidden.index,
        token=sent.token,
        score=sent.score,
    )
    known = screening.history(session, arrival, policy)
    verdict = judge(sent.draft, known, policy)
    if verdict.asks:
        raise AnotherWording(verdict, known)
    if article is None:
        article = _new_article(session, site, sent)
    author_id = author_of(session, site.id, hidden).id if hidden else None
    # Of an address: without one nobody can tell.
    wrote_before = exists().where(Comment.author_id == author_id)
    is_first = author_id is not None and not session.scalar(select(wrote_before))
    comment = Comment(
        site_id=site.id,
        article=article,
        parent=parent,
        root_id=(parent.root_id or parent.id) if parent else None,
        author_id=author_id,
        name=sent.name,
        website=sent.website,
        text=sent.text,
        html=sent.html,
        renderer=RENDERER,
        status=moderation.initial(verdict),
        created_at=at,
        language=sent.language,
        network=sent.network,
        submission_key=keys[0],
        text_digest=digest,
        fold_digest=folds.digest(vault, sent.text),
        link_domain=folds.link_domain(sent.html, site.origins),
        reasons=screening.reasons(verdict),
        website_domain=urls.domain(sent.website),
        link_count=count_links(sent.html),
        is_proved=arrival.is_proved,
        is_first=is_first,
        consented_at=at if sent.has_consented else None,
        risk=risk(verdict, known.chance),
    )
    session.add(comment)
    tokens.spend(session, sent.token, at)
    session.flush()
    screening.judged(session, comment, verdict, known, Occasion.POSTED)
    folds.join(session, vault, comment)
    return comment, True


def answer(
    session: Session,
    vault: Vault,
    parent: Comment,
    moderator: Moderator,
    name: str,
    wording: Wording,
    nonce: str,
    version: int | None = None,
) -> tuple[Decision | None, Decision | None]:
    """A moderator's reply to a comment, public at once and marked as staff's; sent twice it is
    stored once. No address is stored with it.

    Takes the public name that it is under, and the version of the comment if that is to be
    approved in the same act. Returns the decision on the comment that was answered and the one on
    the reply, None for each that was not made.
    Raises NoSuchParent if that is not public, and moderation.Stale if it has changed since.
    """
    said = (b"staff", str(moderator.id).encode(), parent.public_id.encode(), nonce.encode())
    key = hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in said)).digest()
    if session.scalar(select(Comment.id).where(Comment.submission_key == key)):
        return None, None
    approved = None
    if version is not None:
        to = Status.APPROVED
        approved = moderation.decide(session, parent, to, version, moderator, vault=vault)
    if parent.status != Status.APPROVED:
        raise NoSuchParent
    comment = Comment(
        site_id=parent.site_id,
        article_id=parent.article_id,
        parent=parent,
        root_id=parent.root_id or parent.id,
        name=name,
        text=wording.text,
        html=wording.html,
        renderer=RENDERER,
        status=moderation.initial(Verdict(Status.APPROVED)),
        mark=Mark.STAFF,
        language=parent.language,
        submission_key=key,
        text_digest=wording.digest,
    )
    try:
        with session.begin_nested():
            session.add(comment)
    except IntegrityError:  # sent twice at this very moment: the other one is stored
        return approved, None
    at = approved.at if approved else None
    return approved, moderation.publish(session, comment, moderator, at)


def editable_until(comment: Comment, minutes: int) -> datetime | None:
    """Until when its author may change a comment; None if that is over. Takes the site's window."""
    until = comment.created_at + timedelta(minutes=minutes)
    return until if comment.status in moderation.EDITABLE and now() < until else None


def edit(
    session: Session,
    vault: Vault,
    comment: Comment,
    version: int,
    draft: Draft,
    html: str,
    policy: Policy,
    minutes: int,
    score: Score | None = None,
) -> None:
    """Takes a changed text from a comment's author, judged anew; the same sent twice is one edit.

    Takes the version that the author saw, the text with its HTML, the site's window in minutes, and
    what the filter says of the text. Raises Closed, AnotherWording, and moderation.Stale if
    somebody changed the comment in between.
    """
    present = comment.edit_text if moderation.has_waiting_edit(comment) else comment.text
    if draft.text == present:
        return
    if editable_until(comment, minutes) is None:
        raise Closed
    digest = vault.words(draft.text)
    told = bans.facts(vault, None, comment.name, comment.website, html, comment.network)
    author = session.get(Author, comment.author_id) if comment.author_id else None
    if author:
        told = replace(told, address=author.email_index, domain=author.domain_index)
    ban = bans.matching(session, comment.site_id, told)
    if ban and "banned" not in {reason.rule for reason in comment.reasons}:
        bans.count(session, ban)
    arrival = screening.Arrival(
        site_id=comment.site_id,
        article=comment.article,
        name=comment.name,
        text=draft.text,
        text_digest=digest,
        at=now(),
        email_index=author.email_index if author else None,
        network=comment.network,
        ban=ban,
        is_proved=comment.is_proved,
        own_id=comment.id,
        score=score,
    )
    known = screening.history(session, arrival, policy)
    verdict = judge(draft, known, policy)
    if verdict.asks:
        raise AnotherWording(verdict, known)
    wording = moderation.Wording(draft.text, html, digest)
    moderation.edit(session, comment, version, wording, verdict)
    session.execute(delete(Reason).where(Reason.comment_id == comment.id))
    session.expire(comment, ["reasons"])
    comment.reasons.extend(screening.reasons(verdict))
    comment.risk = risk(verdict, known.chance)
    screening.judged(session, comment, verdict, known, Occasion.EDITED)


def public_reason(session: Session, comment: Comment) -> str:
    """What the moderator who decided against a comment, or against its edit, tells its author."""
    if comment.status in (Status.PENDING, Status.SPAM):
        return ""  # to its author both are waiting
    act = Act.DISCARDED if comment.status == Status.APPROVED else Act.DECIDED
    decided = (Decision.act == act, Decision.to_status == comment.status)
    newest = select(Decision.id).where(Decision.comment_id == comment.id, *decided)
    newest_id = newest.order_by(Decision.id.desc()).limit(1).scalar_subquery()
    return session.scalar(select(Note.public_text).where(Note.decision_id == newest_id)) or ""


def misses_letters(session: Session, comment: Comment) -> bool:
    """Whether a comment's author asked for letters, and they come back. Only where the comment
    itself is proved: whoever typed a stranger's address learns nothing about it (hard rule 1)."""
    if not comment.is_proved or comment.author_id is None:
        return False
    here = or_(Follow.comment_id == comment.id, Follow.article_id == comment.article_id)
    asked = select(Follow.id).where(Follow.author_id == comment.author_id, here)
    back = exists().where(Author.id == comment.author_id, Author.returned_at.is_not(None))
    return bool(session.scalar(select(and_(asked.exists(), back))))


def usual_wait(session: Session, site_id: int) -> timedelta | None:
    """How long a site's comments waited lately before somebody decided: the median; None if too
    few were decided to tell."""
    earlier = aliased(Decision)
    is_first = ~exists().where(
        earlier.comment_id == Decision.comment_id,
        earlier.act == Act.DECIDED,
        earlier.id < Decision.id,
    )
    newest = select(func.max(Decision.id)).scalar_subquery()
    lately = session.execute(
        select(Comment.created_at, Decision.at)
        .join(Decision.comment)
        .where(Comment.site_id == site_id, Comment.import_id.is_(None))
        .where(Decision.act == Act.DECIDED, Decision.id > newest - LOOKED_AT, is_first)
        .order_by(Decision.id.desc())
        .limit(MEASURED)
    ).all()
    return median(row.at - row.created_at for row in lately) if len(lately) >= FEWEST else None


def find_article(session: Session, site_id: int, url: str, given_id: str = "") -> Article | None:
    """The article by the publisher's own id, else by its canonical URL, present or former. Before
    anything is approved there, the id is a hint of whoever posted first: it names no article at
    another URL."""
    number = article_at(session, site_id, [url]).get(url)
    if given_id:
        is_proved = or_(Article.approved_count > 0, Article.id == number)
        named = select(Article.id).where(Article.site_id == site_id, Article.given_id == given_id)
        number = session.scalar(named.where(is_proved)) or number
    return session.get(Article, number) if number else None


def _refuse_if_shut(session: Session, site_id: int) -> None:
    """A site may have been closed, or deleted, since the request began. Raises NoNewComments."""
    is_shut = or_(Site.closed_at.is_not(None), Site.deleted_at.is_not(None))
    if session.scalar(select(Site.id).where(Site.id == site_id, is_shut)) is not None:
        raise NoNewComments


def is_closed(article: Article, settings: SiteSettings, at: datetime) -> bool:
    """Whether an article takes no new comments: a moderator closed it, or it is too old for them."""
    ends_at = settings.closes_at(article.created_at)
    return article.closed_at is not None or (ends_at is not None and ends_at <= at)


def author_of(session: Session, site_id: int, hidden: Hidden) -> Author:
    """The author whom an address belongs to, made if new."""
    known = select(Author).where(Author.site_id == site_id, Author.email_index == hidden.index)
    if author := session.scalar(known):
        if author.domain_index is None:  # known from before there were domain bans
            author.domain_index = hidden.domain_index
        return author
    author = Author(
        site_id=site_id,
        email_index=hidden.index,
        email_ciphertext=hidden.ciphertext,
        email_key_id=hidden.key_id,
        domain_index=hidden.domain_index,
    )
    session.add(author)
    session.flush()
    return author


def by_public_id(session: Session, public_id: str) -> Comment | None:
    """A comment by its public id; none of a deleted site."""
    found = select(Comment).where(Comment.public_id == public_id)
    return session.scalar(found.where(Comment.site_id.not_in(gone_sites())))


def is_of_gone_site(session: Session, public_id: str) -> bool:
    """Whether there is such a comment on a site that was deleted."""
    found = select(Comment.id).where(Comment.public_id == public_id)
    return session.scalar(found.where(Comment.site_id.in_(gone_sites()))) is not None


def _parent(session: Session, article: Article | None, public_id: str) -> Comment | None:
    if not public_id:
        return None
    parent = by_public_id(session, public_id)
    if (
        parent is None
        or article is None
        or article.id not in (parent.article_id, parent.article.merges_into_id)
        or parent.status != Status.APPROVED
    ):
        raise NoSuchParent
    return parent


def _new_article(session: Session, site: Site, sent: Submission) -> Article:
    """Whoever had named another page so, where nothing was approved, loses the name."""
    if sent.given_id:
        hinted = (Article.site_id == site.id, Article.given_id == sent.given_id)
        unproved = update(Article).where(*hinted, Article.approved_count == 0)
        session.execute(unproved.values(given_id=None))
    given_id = sent.given_id or None
    return Article(
        id=unused(session), site_id=site.id, url=sent.url, given_id=given_id, title=sent.title
    )


def _keys(
    vault: Vault, site: Site, sent: Submission, hidden: Hidden | None, at: datetime
) -> tuple[bytes, bytes]:
    """The submission's key, and the one it would have had if it was sent just before.

    Not of the token: a page loaded twice gives two tokens for the same words.
    """
    said = (site.key, sent.url, sent.given_id, sent.parent, sent.name, sent.website, sent.text)
    span = int(at.timestamp() // SAME_FORM.total_seconds())

    def key(bucket: int) -> bytes:
        from_whom = sent.nonce or f"{vault.digest('network', sent.network).hex()} {bucket}"
        parts = [part.encode() for part in (*said, from_whom)] + [hidden.index if hidden else b""]
        return hashlib.sha256(b"".join(len(p).to_bytes(4) + p for p in parts)).digest()

    return key(span), key(span - 1)


def _known(
    session: Session, keys: tuple[bytes, bytes], at: datetime, has_nonce: bool
) -> Comment | None:
    same = select(Comment).where(Comment.submission_key.in_(keys))
    if not has_nonce:
        same = same.where(Comment.created_at > at - SAME_FORM)
    return session.scalar(same.limit(1))
