"""The way out of a letter."""

from ..models import Letter
from .post import Post


def leave_url(post: Post, letter: Letter) -> str:
    """Where one click ends such letters, and all that an address follows is shown."""
    return post.url(f"/letters/{post.signer.sign('leave', [letter.author_id, letter.follow_id])}")
