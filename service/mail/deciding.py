"""The links in a letter by which its moderator decides: one for each action on one comment.

Each is signed while the letter is sent and stored nowhere. It names the moderator as they are until
their account is renewed, the comment, the action, the version and the words that the letter showed,
and the moment. It opens a page (views/by_mail.py), where a button decides.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from .. import accounts, moderation
from ..accounts import Moderator
from ..models import Comment, Site, now
from ..site_settings import SiteSettings
from ..status import Status
from ..tokens import Signer
from .post import Post

PURPOSE = "decide by mail"
# As long as the longest way of a letter to eyes that still decide: written on a Friday evening once
# the day's was sent, a day on its way to a server that is down (outbox.MOST_ATTEMPTS), read after a
# long weekend. What is older waits at the desk, where it is seen among all the others.
LIFETIME = timedelta(days=7)
ACTIONS = {"approve": Status.APPROVED, "reject": Status.REJECTED, "spam": Status.SPAM}


@dataclass(frozen=True)
class Link:
    """What a link was signed for."""

    moderator_id: int
    proof: str  # of the moderator's account as it was
    public_id: str
    action: str
    version: int  # of the comment, as the letter showed it
    words: str  # a digest of the text that it showed
    at: datetime

    def is_over(self, at: datetime) -> bool:
        return at - self.at > LIFETIME


@dataclass(frozen=True)
class Choice:
    """A link as a letter shows it."""

    word: str
    url: str


def choices(post: Post, moderator: Moderator, comment: Comment) -> list[Choice]:
    """The links for a comment in a letter to this moderator; none where they are not wanted."""
    if not are_wanted(moderator, comment.article.site):
        return []
    return [
        Choice(word, post.url(f"/decide/{sign(post.signer, moderator, comment, action, now())}"))
        for action, word in buttons(comment).items()
    ]


def are_wanted(moderator: Moderator, site: Site) -> bool:
    """Whether a moderator decides from letters: both they and the site can switch it off."""
    return moderator.has_mail_links and SiteSettings.read(site.settings).mail_links


def sign(signer: Signer, moderator: Moderator, comment: Comment, action: str, at: datetime) -> str:
    """A token for one moderator, one comment as it is now, one action."""
    whose = [moderator.id, accounts.proof(moderator)]
    what = [comment.public_id, action, comment.version, digest(shown(comment))]
    return signer.sign(PURPOSE, [*whose, *what, int(at.timestamp())])


def read(signer: Signer, token: str) -> Link | None:
    """What a token was signed for; None for anything else."""
    value = signer.read(PURPOSE, token)
    if value is None:
        return None
    moderator_id, proof, public_id, action, version, words, at = value
    signed_at = datetime.fromtimestamp(at, UTC)
    return Link(moderator_id, proof, public_id, action, version, words, signed_at)


def shown(comment: Comment) -> str:
    """The text that is to be decided on: an author's change that waits, else the comment's own."""
    waits = moderation.has_waiting_edit(comment)
    return (comment.edit_text or "") if waits else comment.text


def digest(typed: str) -> str:
    """Tells whether a text is still the same; the link's signature keeps it from being chosen."""
    return hashlib.sha256(typed.encode()).hexdigest()[:12]


def waits(comment: Comment) -> bool:
    """Whether somebody is to decide on a comment: it is new, was changed, or was reported."""
    is_published = comment.status == Status.APPROVED
    is_asked = moderation.has_waiting_edit(comment) or comment.reported_at is not None
    return comment.status == Status.PENDING or (is_published and is_asked)


def buttons(comment: Comment) -> dict[str, str]:
    """What each action does to a comment that waits, in a word or a few."""
    if moderation.has_waiting_edit(comment):
        approve, reject = _("Publish the change"), _("Keep the text as it was")
    elif comment.status == Status.APPROVED:
        approve, reject = _("Keep it"), _("Reject")
    else:
        approve, reject = _("Approve"), _("Reject")
    return {"approve": approve, "reject": reject, "spam": _("Spam")}
