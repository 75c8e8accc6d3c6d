"""All that is stored under one address: to be taken along, or to be erased.

An address that was only typed proves nothing (hard rule 1): what is found under it may be somebody
else's. So proved and merely typed comments are told apart, and whoever has the machine decides.
Each function that erases is one short transaction of the caller's, and may be called again after
anything that went wrong: what is gone already is not missed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, joinedload

from . import events, letters, moderation
from .events import What
from .models import (
    Article,
    Asking,
    Author,
    Ban,
    Comment,
    Decision,
    Follow,
    Letter,
    Note,
    Past,
    Report,
    Revision,
    Site,
    Unwanted,
)
from .status import BanKind, Why
from .vault import Hidden, Vault

BY = "command line"
AT_A_TIME = 200

Line = dict[str, Any]


@dataclass(frozen=True)
class Holding:
    """What one site holds under an address."""

    author_id: int
    site: Site
    proved: int  # comments that carry proof that the address's owner wrote them
    typed: int  # comments that bear the address, and may be anybody's
    follows: int
    reports: int  # of comments, sent with it
    letters: int

    @property
    def comments(self) -> int:
        return self.proved + self.typed


def of(session: Session, index: bytes, site_id: int | None = None) -> list[Holding]:
    """What is stored under an address, site by site. Takes its blind index, and the site if only
    that one is meant."""
    found = select(Author, Site).join(Site, Site.id == Author.site_id)
    found = found.where(Author.email_index == index).order_by(Site.key)
    if site_id is not None:
        found = found.where(Author.site_id == site_id)
    return [_holding(session, author.id, site) for author, site in session.execute(found)]


def _holding(session: Session, author_id: int, site: Site) -> Holding:
    def count(*those: Any) -> int:
        return session.scalar(select(func.count()).where(*those)) or 0

    theirs = Comment.author_id == author_id
    return Holding(
        author_id,
        site,
        proved=count(theirs, Comment.is_proved),
        typed=count(theirs, ~Comment.is_proved),
        follows=count(Follow.author_id == author_id),
        reports=count(Report.contact_id == author_id),
        letters=count(Letter.author_id == author_id),
    )


# What stays, whatever is erased


def is_never_written_to(session: Session, index: bytes) -> bool:
    return session.get(Unwanted, index) is not None


def is_banned(session: Session, index: bytes) -> bool:
    """Whether a ban looks for the address; it knows it by its blind index alone."""
    bans = (Ban.kind == BanKind.ADDRESS, Ban.digest == index, Ban.ended_at.is_(None))
    return bool(session.scalar(select(exists().where(*bans))))


# Erasing


def begin(session: Session, held: Holding) -> None:
    """Puts on record that what a site holds is erased from now on."""
    about = f"{held.comments} comments, {held.proved} of them proved"
    events.record(session, What.ERASED, BY, about, held.site.id)


def end_letters(session: Session, author_id: int) -> None:
    """Ends all that may have a letter sent to the address: those that wait, and what asks for them."""
    session.get(Author, author_id, with_for_update=True)
    letters.drop(session, Why.GONE, author_ids=[author_id])
    session.execute(delete(Follow).where(Follow.author_id == author_id))
    contact = update(Report).where(Report.contact_id == author_id)
    session.execute(contact.values(contact_id=None))


def withdraw_next(session: Session, author_id: int, is_proved_only: bool) -> bool:
    """Empties one more comment that bears the address, for good; whether there was one."""
    theirs = select(Comment).where(Comment.author_id == author_id)
    if is_proved_only:
        theirs = theirs.where(Comment.is_proved)
    comment = session.scalars(theirs.order_by(Comment.id).limit(1)).first()
    if comment is None:
        return False
    moderation.withdraw(session, comment, BY)
    return True


def part_next(session: Session, author_id: int) -> bool:
    """Takes the address off some more of the comments that bear it, which stay; whether any did."""
    theirs = select(Comment.id).where(Comment.author_id == author_id)
    ids = session.scalars(theirs.order_by(Comment.id).limit(AT_A_TIME)).all()
    session.execute(update(Comment).where(Comment.id.in_(ids)).values(author_id=None))
    return bool(ids)


def forget(session: Session, author_id: int) -> bool:
    """Removes the address itself, with the letters written to it; False if something came in that
    bears it, and has to go first."""
    if session.get(Author, author_id, with_for_update=True) is None:
        return True
    held = (Comment.author_id, Follow.author_id, Report.contact_id)
    if any(session.scalar(select(exists().where(column == author_id))) for column in held):
        return False
    session.execute(delete(Author).where(Author.id == author_id))
    return True


def forget_askings(session: Session, indexes: Collection[bytes], site_id: int | None = None) -> int:
    """Removes that the address was asked whether it is its owner's; how many times. Takes the
    indexes of the address and its mailbox."""
    asked = delete(Asking).where(Asking.email_index.in_(indexes))
    if site_id is not None:
        asked = asked.where(Asking.site_id == site_id)
    return len(session.scalars(asked.returning(Asking.id)).all())


# Taking along


def everything(
    session: Session, vault: Vault, index: bytes, mailbox: bytes | None = None
) -> Iterator[Line]:
    """All that is stored under an address on all sites, as values for JSON. Takes its index and that
    of its mailbox, by which it was asked. Raises vault.WrongKey."""
    found = select(Author, Site).join(Site, Site.id == Author.site_id)
    for author, site in session.execute(
        found.where(Author.email_index == index).order_by(Site.key)
    ).all():
        yield _address(vault, author, site)
        for lines in (_comments, _follows, _reports, _letters):
            for line in lines(session, author.id):
                yield {"what": line.pop("what"), "site": site.key, **line}
    asked = select(Asking, Site.key).join(Site, Site.id == Asking.site_id)
    for one, key in session.execute(asked.where(Asking.email_index.in_({index, mailbox or index}))):
        when = {"at": _at(one.at), "answered_at": _at(one.answered_at)}
        yield {"what": "asking", "site": key, **when, "network": one.network}
    if never := session.get(Unwanted, index):
        yield {"what": "never_written_to", "at": _at(never.at)}


def _address(vault: Vault, author: Author, site: Site) -> Line:
    hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
    return {
        "what": "address",
        "site": site.key,
        "email": vault.reveal(hidden, author.site_id),
        "known_since": _at(author.created_at),
        "confirmed_at": _at(author.confirmed_at),
        "returned_at": _at(author.returned_at),
    }


def _comments(session: Session, author_id: int) -> Iterator[Line]:
    after = 0
    while True:
        theirs = select(Comment).where(Comment.author_id == author_id, Comment.id > after)
        whole = theirs.options(joinedload(Comment.article), joinedload(Comment.parent))
        batch = session.scalars(whole.order_by(Comment.id).limit(AT_A_TIME)).all()
        for comment in batch:
            yield _comment(session, comment)
        if not batch:
            return
        after = batch[-1].id
        session.expunge_all()


def _comment(session: Session, comment: Comment) -> Line:
    earlier = select(Revision).where(Revision.comment_id == comment.id, Revision.text != "")
    return {
        "what": "comment",
        "id": comment.public_id,
        "article": comment.article.url,
        "title": comment.article.title,
        "parent": comment.parent.public_id if comment.parent else None,
        "author": comment.name,
        "website": comment.website,
        "is_proved": comment.is_proved,
        "status": comment.status,
        "created_at": _at(comment.created_at),
        "edited_at": _at(comment.edited_at),
        "consented_at": _at(comment.consented_at),
        "language": comment.language,
        "network": comment.network,
        "text": comment.text,
        "waiting_text": comment.edit_text if comment.edit_at else None,
        "earlier_texts": [
            {"text": one.text, "replaced_at": _at(one.replaced_at)}
            for one in session.scalars(earlier.order_by(Revision.id))
        ],
        "imported_from": comment.source,
        "from_before": _from_before(session, comment.id),
        "decisions": _decisions(session, comment.id),
    }


def _from_before(session: Session, comment_id: int) -> Line | None:
    """What a file said that became of an imported comment where it was written."""
    past = session.get(Past, comment_id)
    if past is None:
        return None
    return {
        "earlier_texts": [
            {"text": one.get("text", ""), "replaced_at": one.get("replaced_at")}
            for one in past.revisions
        ],
        "decisions": [
            {
                **{name: one.get(name) for name in ("at", "act", "to")},
                "told": one.get("public_text", ""),
            }
            for one in past.decisions
        ],
    }


def _decisions(session: Session, comment_id: int) -> Sequence[Line]:
    """What became of a comment and what its author was told; not by whom (hard rule 14)."""
    log = select(Decision, Note.public_text).outerjoin(Note, Note.decision_id == Decision.id)
    made = log.where(Decision.comment_id == comment_id).order_by(Decision.id)
    return [
        {"at": _at(decision.at), "act": decision.act, "to": decision.to_status, "told": told or ""}
        for decision, told in session.execute(made)
    ]


def _follows(session: Session, author_id: int) -> Iterator[Line]:
    theirs = select(Follow, Article.url, Comment.public_id).where(Follow.author_id == author_id)
    named = theirs.outerjoin(Article, Article.id == Follow.article_id)
    named = named.outerjoin(Comment, Comment.id == Follow.comment_id).order_by(Follow.id)
    for follow, url, public_id in session.execute(named):
        yield {
            "what": "follow",
            "article": url,
            "comment": public_id,
            "pace": follow.pace,
            "language": follow.language,
            "created_at": _at(follow.created_at),
            "confirmed_at": _at(follow.confirmed_at),
        }


def _reports(session: Session, author_id: int) -> Iterator[Line]:
    theirs = select(Report).where(Report.contact_id == author_id)
    for report in session.scalars(theirs.options(joinedload(Report.comment)).order_by(Report.id)):
        yield {
            "what": "report",
            "comment": report.comment.public_id,
            "reason": report.reason,
            "explanation": report.explanation,
            "created_at": _at(report.created_at),
            "outcome": report.outcome,
            "closed_at": _at(report.closed_at),
        }


def _letters(session: Session, author_id: int) -> Iterator[Line]:
    theirs = select(Letter, Comment.public_id).where(Letter.author_id == author_id)
    about = theirs.outerjoin(Comment, Comment.id == Letter.comment_id).order_by(Letter.id)
    for letter, public_id in session.execute(about):
        yield {
            "what": "letter",
            "kind": letter.kind,
            "comment": public_id,
            "state": letter.state,
            "why": letter.why,
            "created_at": _at(letter.created_at),
            "sent_at": _at(letter.sent_at),
        }


def _at(at: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
