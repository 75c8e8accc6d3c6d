"""The owner of an address says that it is theirs, by the link in a letter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Author, Comment, Follow, gone_sites, now
from .asking import answered

# A button pressed twice is one answer, and the browser keeps what the second one brings.
AGAIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Confirmed:
    """What a link of a letter is about, as it stands. `is_usable` while pressing the button still
    does something."""

    follow: Follow
    author: Author
    comment: Comment

    @property
    def is_usable(self) -> bool:
        at = self.follow.confirmed_at
        return at is None or now() - at <= AGAIN


def find(
    session: Session, follow_id: int, email_index: bytes, public_id: str, signed_at: datetime
) -> Confirmed | None:
    """What a link is about; None if that ended, or its site is deleted. A row made after the
    link was signed is another's, whatever its number."""
    follow = session.get(Follow, follow_id)
    if follow is None or follow.created_at > signed_at + timedelta(seconds=1):
        return None
    author = session.get_one(Author, follow.author_id)
    there = (Comment.public_id == public_id, Comment.site_id.not_in(gone_sites()))
    comment = session.scalar(select(Comment).where(*there))
    if author.email_index != email_index or comment is None or comment.author_id != author.id:
        return None
    return Confirmed(follow, author, comment)


def confirm(
    session: Session,
    follow_id: int,
    email_index: bytes,
    public_id: str,
    signed_at: datetime,
    mailbox: bytes | None = None,
) -> Confirmed | None:
    """Confirms what was asked: that one wish, and that one comment, which then carries proof (hard
    rule 1). Nothing else under the same address is touched. Takes what the link says, and the index
    of the address's mailbox, by which it was asked. None if it ended, or was used."""
    found = find(session, follow_id, email_index, public_id, signed_at)
    if found is None or not found.is_usable:
        return None
    at = now()
    found.follow.confirmed_at = found.follow.confirmed_at or at
    found.author.confirmed_at = at
    found.author.returned_at = None
    found.comment.is_proved = True
    answered(session, {email_index, mailbox or email_index}, at)
    return found
