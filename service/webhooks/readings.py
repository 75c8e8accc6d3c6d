"""What the desk and the command line show of webhooks: never an address' path, never a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Comment, Hook, Letter
from ..status import LetterState, Why
from ..vault import Vault
from . import sealed

LISTED = 50  # calls in a hook's log


@dataclass(frozen=True)
class Row:
    """A call as the log shows it."""

    letter: Letter
    event: str
    comment: str  # its public id, "" for none

    @property
    def may_again(self) -> bool:
        """Whether it can be made once more (keeping.replay)."""
        letter = self.letter
        if letter.state == LetterState.QUEUED:
            return letter.attempts > 0
        return letter.state != LetterState.DROPPED or letter.why == Why.OFF


def of_site(session: Session, site_id: int) -> Sequence[Hook]:
    """A site's webhooks, oldest first."""
    living = select(Hook).where(Hook.site_id == site_id, Hook.removed_at.is_(None))
    return session.scalars(living.order_by(Hook.id)).all()


def find(session: Session, hook_id: int) -> Hook | None:
    """A webhook that is not removed."""
    living = select(Hook).where(Hook.id == hook_id, Hook.removed_at.is_(None))
    return session.scalar(living)


def host(vault: Vault, hook: Hook) -> str:
    """Where it leads, as far as that is shown; "" where the keys at hand do not open it."""
    return urlsplit(sealed.url_of(vault, hook)).hostname or ""


def waiting(session: Session, hook: Hook) -> int:
    """How many calls of it wait."""
    queued = (Letter.hook_id == hook.id, Letter.state == LetterState.QUEUED)
    return session.scalar(select(func.count()).where(*queued)) or 0


def log(session: Session, hook: Hook) -> list[Row]:
    """The newest calls of a webhook, newest first."""
    columns: tuple[Any, ...] = (Letter, Comment.public_id)
    calls = select(*columns).outerjoin(Comment, Comment.id == Letter.comment_id)
    newest = calls.where(Letter.hook_id == hook.id).order_by(Letter.id.desc()).limit(LISTED)
    return [
        Row(letter, str(letter.about.get("event", "")), public_id or "")
        for letter, public_id in session.execute(newest)
    ]
