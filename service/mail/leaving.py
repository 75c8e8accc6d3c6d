"""The links by which a reader leaves: in every letter to one, good for as long as the secrets are.

They name an address by its blind index, and nothing that is followed by the number of its row:
whoever ended it, and wished for it again, ends it by an older letter too.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import object_session

from ..models import Author, Follow, Letter
from ..tokens import Signer
from .post import Post

PURPOSE = "leave letters"
NEVER = "never letters"


@dataclass(frozen=True)
class Leaving:
    """Whose key it is: an address on a site, and what one click ends; all of the site's letters if
    it names neither an article nor a comment."""

    email_index: bytes
    site_id: int
    article_id: int | None = None
    comment_id: int | None = None
    language: str = ""  # of the letter

    def sign(self, signer: Signer) -> str:
        named = [self.article_id or 0, self.comment_id or 0, self.language]
        return signer.sign(PURPOSE, [self.email_index.hex(), self.site_id, *named])

    @classmethod
    def read(cls, signer: Signer, token: str) -> "Leaving | None":
        value: Any = signer.read(PURPOSE, token)
        if value is None:
            return None
        index, site_id, article_id, comment_id, language = value
        return cls(bytes.fromhex(index), site_id, article_id or None, comment_id or None, language)


@dataclass(frozen=True)
class Refusing:
    """The key of whoever was asked and wants no letter ever, at whatever spelling of their mailbox;
    the comment only lends its language."""

    email_index: bytes
    site_id: int
    language: str
    mailbox: bytes = b""  # its index, if it is another

    def sign(self, signer: Signer) -> str:
        named = [self.email_index.hex(), self.site_id, self.language]
        is_other = self.mailbox not in (b"", self.email_index)
        return signer.sign(NEVER, [*named, self.mailbox.hex()] if is_other else named)

    @classmethod
    def read(cls, signer: Signer, token: str) -> "Refusing | None":
        value: Any = signer.read(NEVER, token)
        if value is None:
            return None
        index, site_id, language, *mailbox = value
        return cls(bytes.fromhex(index), site_id, language, bytes.fromhex("".join(mailbox)))


def leave_url(post: Post, letter: Letter) -> str:
    """The address for a letter's List-Unsubscribe (RFC 8058), for a letter to a reader: one click
    ends what it was sent for, and the page behind it all else. Takes a letter in a session; made
    while it is sent, and kept nowhere (hard rule 5)."""
    session = object_session(letter)
    if session is None or letter.author_id is None or letter.site_id is None:
        raise TypeError("only a stored letter to a reader of a site has a way to leave")
    author = session.get_one(Author, letter.author_id)
    follow = session.get(Follow, letter.follow_id) if letter.follow_id else None
    ends = (follow.article_id, follow.comment_id) if follow else (None, None)
    key = Leaving(author.email_index, letter.site_id, *ends, letter.language)
    return post.url(f"/letters/leave/{quote(key.sign(post.signer))}")
