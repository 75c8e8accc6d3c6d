"""To an address that somebody typed: is it yours? It quotes nothing that they typed (hard rule 6),
and is not sent if the comment was withdrawn or taken for spam by then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from .. import follows, text
from ..models import Article, Author, Comment, Follow, Letter, Site, now
from ..status import Why
from ..tokens import Signer
from ..vault import Hidden
from .contents import Contents
from .leaving import Refusing
from .post import Post

PURPOSE = "confirm address"
# How long the link is good: who was away for longer may comment once more.
LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Confirming:
    """What a link of this letter confirms: one wish and one comment of one address."""

    follow_id: int
    email_index: bytes
    public_id: str  # the comment's
    signed_at: datetime

    @property
    def is_over(self) -> bool:
        return now() - self.signed_at > LASTS

    def sign(self, signer: Signer) -> str:
        at = int(self.signed_at.timestamp())
        return signer.sign(PURPOSE, [self.follow_id, self.email_index.hex(), self.public_id, at])

    @classmethod
    def read(cls, signer: Signer, token: str) -> "Confirming | None":
        value: Any = signer.read(PURPOSE, token)
        if value is None:
            return None
        follow_id, index, public_id, at = value
        return cls(follow_id, bytes.fromhex(index), public_id, datetime.fromtimestamp(at, UTC))


def compose(session: Session, post: Post, letter: Letter) -> Contents | Why:
    comment = session.get(Comment, letter.comment_id) if letter.comment_id else None
    if comment is None or comment.author_id != letter.author_id:
        return Why.GONE
    follow = session.get(Follow, letter.follow_id) if letter.follow_id else None
    if follow is None:
        return Why.UNWANTED
    if follow.confirmed_at is not None or not follows.may_be_asked(comment):
        return Why.SETTLED
    author = session.get_one(Author, comment.author_id)
    site = session.get_one(Site, comment.site_id)
    key = Confirming(follow.id, author.email_index, comment.public_id, now())
    hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
    mailbox = post.vault.mailbox_index(post.vault.reveal(hidden, site.id))
    never = Refusing(author.email_index, site.id, letter.language, mailbox)
    article: Article = comment.article
    return Contents(
        str(_("Is this address yours? %(site)s asks", site=site.name)),
        "confirm",
        {
            "site": site,
            "title": text.mask_addresses(article.title) if article.is_title_proved else "",
            "at": comment.created_at,
            "wish": _wish(follow),
            "days": LASTS.days,
            "confirm_url": post.url(f"/letters/confirm/{quote(key.sign(post.signer))}"),
            "never_url": post.url(f"/letters/never/{quote(never.sign(post.signer))}"),
        },
    )


def _wish(follow: Follow) -> str:
    if follow.comment_id is not None:
        return str(_("what becomes of that comment, and answers to it"))
    return str(_("new comments under the article"))
