"""Two articles made into one: what was written under the one stands under the other from then on.

It begins at once: from that moment readers of both addresses are led to the article that stays, and
what they write goes there. What was there before follows in steps under 100 ms each, which whoever
finds the article can go on with; until the last of them nothing is lost, and no number is wrong.
There is no way back.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from .. import events, moderation
from ..accounts import Moderator
from ..events import What
from ..models import Article, ArticleAlias, Comment, Follow, Letter, Wave
from ..status import Status
from .changing import from_to, keep

BATCH = 500  # comments, each of which stands in five indexes by its article
FEWER = 200  # follows or letters


class NotMergeable(Exception):
    """The two are one article, of two sites, or one of them is about to be one with another."""


def begin_merge(session: Session, gone: Article, kept: Article, by: Moderator | str) -> None:
    """Has an article become part of another one of its site. Raises NotMergeable.

    The one that stays keeps its address, title, state and the publisher's id; where it has no title
    or id it takes the other's.
    """
    _lock(session, gone.id, kept.id)
    session.refresh(gone)
    session.refresh(kept)
    is_on_its_way = gone.merges_into_id or kept.merges_into_id or _takes_in(session, gone)
    if gone.id == kept.id or gone.site_id != kept.site_id or is_on_its_way:
        raise NotMergeable
    given_id, gone.given_id = gone.given_id, None
    gone.merges_into_id = kept.id
    session.flush()  # before the other takes the id
    kept.given_id = kept.given_id or given_id
    if not kept.title or (gone.is_title_proved and not kept.is_title_proved):
        kept.title, kept.is_title_proved = gone.title, gone.is_title_proved
    for name in ("last_at", "liked_at"):
        moments = [at for at in (getattr(gone, name), getattr(kept, name)) if at]
        setattr(kept, name, max(moments, default=None))
    # Higher than either: what caches have of both addresses is old from now on.
    kept.version = max(gone.version, kept.version) + 1
    events.record(session, What.MERGED, by, from_to(gone.url, kept.url), kept.site_id)


def half_merged(session: Session) -> Sequence[int]:
    """The articles that are on their way into others, by number."""
    found = select(Article.id).where(Article.merges_into_id.is_not(None)).order_by(Article.id)
    return session.scalars(found.limit(100)).all()


def merge_step(session: Session, gone_id: int) -> bool:
    """Takes some of an article's belongings to the one that stays; whether there may be more."""
    into = session.scalar(select(Article.merges_into_id).where(Article.id == gone_id))
    if into is None:
        return False
    _lock(session, gone_id, into)
    gone = session.get(Article, gone_id, populate_existing=True)
    if gone is None or gone.merges_into_id is None:  # somebody else has done the rest meanwhile
        return False
    kept = session.get_one(Article, gone.merges_into_id, populate_existing=True)
    if _take_comments(session, gone, kept) or _take_others(session, gone, kept):
        return True
    _end(session, gone, kept)
    return False


def _take_comments(session: Session, gone: Article, kept: Article) -> bool:
    """Whether there were any. Their places in threads, and how many replies hang under each, stay as
    they are: what hangs together moves as a whole in the end."""
    some = select(Comment.id, Comment.status, Comment.pinned_at)
    some = some.where(Comment.article_id == gone.id).order_by(Comment.id).limit(BATCH)
    rows = session.execute(some.with_for_update()).all()
    if not rows:
        return False
    ids = [row.id for row in rows]
    _tell_apart(session, ids, kept)
    moved = update(Comment).where(Comment.id.in_(ids)).values(article_id=kept.id)
    session.execute(moved.execution_options(synchronize_session=False))
    approved = sum(row.status == Status.APPROVED for row in rows)
    gone.approved_count = Article.approved_count - approved
    kept.approved_count = Article.approved_count + approved
    kept.version = Article.version + 1
    session.flush()
    moderation.limit_pins(session, [row.id for row in rows if row.pinned_at])
    return True


def _tell_apart(session: Session, ids: Sequence[int], kept: Article) -> None:
    """A comment that an import brought to both articles stays twice; only one of the two can be what
    stands in the file under that id."""
    other = aliased(Comment)
    same = (
        select(Comment.id)
        .join(
            other,
            (other.source == Comment.source) & (other.source_id == Comment.source_id),
        )
        .where(Comment.id.in_(ids), other.article_id == kept.id)
    )
    doubled = session.scalars(same).all()
    if doubled:
        freed = update(Comment).where(Comment.id.in_(doubled)).values(source_id=None)
        session.execute(freed.execution_options(synchronize_session=False))


def _take_others(session: Session, gone: Article, kept: Article) -> bool:
    """What readers follow, and letters about it. Follows first, as everybody takes the two."""
    follows = select(Follow).where(Follow.article_id == gone.id).order_by(Follow.id).limit(FEWER)
    found = session.scalars(follows.with_for_update()).all()
    if found:
        _take_follows(session, found, kept)
        return True
    letters = select(Letter.id).where(Letter.article_id == gone.id).order_by(Letter.id)
    ids = session.scalars(letters.limit(FEWER).with_for_update()).all()
    _set(session, Letter.id.in_(ids), Letter, article_id=kept.id)
    return bool(ids)


def _take_follows(session: Session, found: Sequence[Follow], kept: Article) -> None:
    """Whoever follows both follows one; confirmed, if either was."""
    theirs = (Follow.article_id == kept.id, Follow.author_id.in_([f.author_id for f in found]))
    there = {f.author_id: f for f in session.scalars(select(Follow).where(*theirs))}
    for follow in found:
        double = there.get(follow.author_id)
        if double is None:
            follow.article_id = kept.id
            continue
        double.confirmed_at = double.confirmed_at or follow.confirmed_at
        _set(session, Letter.follow_id == follow.id, Letter, follow_id=double.id)
        session.delete(follow)
    session.flush()


def _set(
    session: Session, where: ColumnElement[bool], model: type[Letter] | type[Wave], **values: int
) -> None:
    change = update(model).where(where).values(**values)
    session.execute(change.execution_options(synchronize_session=False))


def _end(session: Session, gone: Article, kept: Article) -> None:
    """Nothing is left of it but its address."""
    _set(session, Wave.article_id == gone.id, Wave, article_id=kept.id)
    led = update(ArticleAlias).where(ArticleAlias.article_id == gone.id)
    session.execute(led.values(article_id=kept.id))
    url, number = gone.url, gone.id
    session.execute(delete(Article).where(Article.id == number))
    session.expunge(gone)
    keep(session, kept, url, former_id=number)
    # Somebody may have decided on a comment while it was on its way.
    here = (Comment.article_id == kept.id, Comment.status == Status.APPROVED)
    kept.approved_count = session.scalar(select(func.count()).where(*here)) or 0
    kept.version = Article.version + 1


def _lock(session: Session, *ids: int) -> None:
    """In the order of their numbers, as everybody takes articles."""
    rows = select(Article.id).where(Article.id.in_(ids)).order_by(Article.id)
    session.execute(rows.with_for_update()).all()


def _takes_in(session: Session, article: Article) -> bool:
    """Whether another is on its way into this one."""
    coming = select(Article.id).where(Article.merges_into_id == article.id)
    return session.scalar(coming.limit(1)) is not None
