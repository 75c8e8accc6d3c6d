"""The end of letters: of one wish, of all on a site, of all that there will ever be.

Each takes what waits in the outbox along, wins over a letter that a worker has in hand until the
moment it is sent, and can be done again.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import letters, moderation
from ..models import Author, Follow, Unwanted
from ..status import Why


def end(
    session: Session,
    author: Author,
    *,
    follow_id: int | None = None,
    article_id: int | None = None,
    comment_id: int | None = None,
) -> bool:
    """Ends what an author follows: by its own number, or that of the article or own comment. Whether
    there was anything; an author whom nothing needs any more goes too."""
    named = {"id": follow_id, "article_id": article_id, "comment_id": comment_id}
    those = {name: number for name, number in named.items() if number is not None}
    if not those:
        return False
    _lock(session, Author.id == author.id)
    ids = session.scalars(select(Follow.id).filter_by(author_id=author.id, **those)).all()
    letters.drop(session, Why.UNWANTED, follow_ids=ids)
    _remove(session, ids)
    if ids:
        moderation.drop_author(session, author.id)
    return bool(ids)


def end_all(session: Session, author: Author) -> None:
    """Ends all letters of a site to an address, until its owner wishes for some again."""
    _lock(session, Author.id == author.id)
    letters.drop(session, Why.UNWANTED, author_ids=[author.id])
    _remove(session, session.scalars(select(Follow.id).filter_by(author_id=author.id)).all())
    author.confirmed_at = None
    session.flush()
    moderation.drop_author(session, author.id)


def refuse(session: Session, email_index: bytes) -> None:
    """An address is never written to again, by any site here. What its owner confirmed stays, for the
    day on which they take this back; what nobody confirmed goes."""
    try:
        with session.begin_nested():
            if not is_unwanted(session, email_index):
                session.add(Unwanted(email_index=email_index))
    except IntegrityError:
        pass  # said twice at one moment
    authors = _lock(session, Author.email_index == email_index)
    letters.drop(session, Why.NEVER, author_ids=[author.id for author in authors])
    for author in authors:
        unconfirmed = select(Follow.id).filter_by(author_id=author.id, confirmed_at=None)
        _remove(session, session.scalars(unconfirmed).all())
        moderation.drop_author(session, author.id)


def allow(session: Session, email_index: bytes) -> None:
    """Takes refuse() back."""
    session.execute(delete(Unwanted).where(Unwanted.email_index == email_index))


def is_unwanted(session: Session, email_index: bytes) -> bool:
    """Whether an address asked never to be written to."""
    asked = select(Unwanted.email_index).where(Unwanted.email_index == email_index)
    return session.scalar(asked) is not None


def _remove(session: Session, follow_ids: Sequence[int]) -> None:
    session.execute(delete(Follow).where(Follow.id.in_(follow_ids)))


def _lock(session: Session, those: ColumnElement[bool]) -> Sequence[Author]:
    """Holds authors, and before them what they follow, in the order in which whoever writes letters
    about it needs them: what is being written at this moment is seen afterwards, and dropped too."""
    theirs = select(Follow.id).join(Author, Author.id == Follow.author_id).where(those)
    session.execute(theirs.order_by(Follow.id).with_for_update(of=Follow))
    authors = select(Author).where(those).order_by(Author.id)
    return session.scalars(authors.with_for_update()).all()
