"""Whom a letter is for, and what each kind of it says at the moment it is sent."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from ..accounts import Moderator, may
from ..models import Author, Invitation, Letter, Unwanted
from ..status import LetterKind, Pace, Why
from ..vault import Hidden, mask
from . import confirm, people, readers, waiting, wave
from .contents import Contents
from .post import Post

# What a kind of letter says, or why nobody needs it any more.
KINDS: dict[LetterKind, Callable[[Session, Post, Letter], Contents | Why]] = {
    LetterKind.WAITING: waiting.compose,
    LetterKind.WAVE: wave.compose,
    LetterKind.CONFIRM: confirm.compose,
    LetterKind.PUBLISHED: readers.outcome,
    LetterKind.REFUSED: readers.outcome,
    LetterKind.ANSWERED: readers.news,
    LetterKind.FOLLOWED: readers.news,
    LetterKind.INVITATION: people.invite,
    LetterKind.RESET: people.reset,
}


@dataclass(frozen=True)
class Recipient:
    name: str
    address: str = field(repr=False)

    @property
    def masked(self) -> str:
        return mask(self.address)


def recipient_of(session: Session, post: Post, letter: Letter) -> Recipient | Why:
    """Whom a letter is for, or why they may not get it. Raises vault.WrongKey."""
    if letter.moderator_id is not None:
        return _moderator(session.get_one(Moderator, letter.moderator_id), letter)
    if letter.invitation_id is not None:
        return _invited(session, post, session.get_one(Invitation, letter.invitation_id))
    author = session.get(Author, letter.author_id)
    if author is None:
        return Why.GONE
    if session.get(Unwanted, author.email_index) is not None:
        return Why.NEVER
    if author.returned_at is not None:
        return Why.RETURNED
    if author.confirmed_at is None and letter.kind != LetterKind.CONFIRM:
        return Why.UNWANTED
    hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
    return Recipient("", post.vault.reveal(hidden, author.site_id))


def _invited(session: Session, post: Post, invited: Invitation) -> Recipient | Why:
    """Who never wants to be written to is not invited by letter either (hard rule 6)."""
    if session.get(Unwanted, post.vault.index(invited.email)) is not None:
        return Why.NEVER
    return Recipient("", invited.email)


def _moderator(moderator: Moderator, letter: Letter) -> Recipient | Why:
    """A way back into one's account is sent to whoever has one, whatever else they want."""
    is_reset = letter.kind == LetterKind.RESET
    if not moderator.active or not (is_reset or may(moderator, letter.site_id)):
        return Why.FORBIDDEN
    if moderator.letters == Pace.NONE and not is_reset:
        return Why.UNWANTED
    if moderator.returned_at is not None and not is_reset:
        return Why.RETURNED
    return Recipient(moderator.name, moderator.email)


def compose(session: Session, post: Post, letter: Letter) -> Contents | Why:
    """What a letter says now, or why nobody needs it any more."""
    return KINDS[letter.kind](session, post, letter)
