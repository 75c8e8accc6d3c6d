"""To a moderator: comments wait. It tells of all that wait on a site when it is sent, the newest by
name, and of none that is decided by then."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from .. import rules, text
from ..accounts import Moderator
from ..models import Article, Comment, Letter, Site
from ..status import Status, Why
from .contents import Contents
from .deciding import LIFETIME, Choice, choices
from .post import Post

SHOWN = 5
COUNTED = 1_000  # as the desk counts; more are "1,000+"
EXCERPT = 600  # characters of a comment
OF_PARENT = 200


@dataclass(frozen=True)
class Waiting:
    """A comment as the letter shows it; addresses that somebody wrote into it are masked."""

    name: str
    article: str
    article_url: str
    is_title_proved: bool
    said: str
    parent_name: str
    parent_said: str
    reasons: list[str]
    url: str
    choices: list[Choice]  # the links that decide


def compose(session: Session, post: Post, letter: Letter) -> Contents | Why:
    site = session.get_one(Site, letter.site_id)
    waits = (Comment.site_id == site.id, Comment.status == Status.PENDING)
    counted = select(Comment.id).where(*waits).limit(COUNTED + 1).subquery()
    number = session.scalar(select(func.count()).select_from(counted)) or 0
    if not number:
        return Why.SETTLED
    heads = select(Comment).where(*waits, Comment.is_folded.is_(False))
    article = joinedload(Comment.article).joinedload(Article.site)
    whole = (article, joinedload(Comment.parent), selectinload(Comment.reasons))
    newest = heads.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(SHOWN)
    to = session.get_one(Moderator, letter.moderator_id)
    shown = [_shown(post, to, comment) for comment in session.scalars(newest.options(*whole))]
    how_many = f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"
    return Contents(
        _subject(site, shown, number, how_many),
        "waiting",
        {
            "site": site,
            "comments": shown,
            "number": number,
            "how_many": how_many,
            "is_all": number <= len(shown),
            "queue_url": post.url(f"/desk/?status=pending&site={site.key}"),
            "has_choices": any(comment.choices for comment in shown),
            "days": LIFETIME.days,
            "me_url": post.url("/desk/me/#letters"),
        },
        _conversation(letter),
    )


def _subject(site: Site, shown: list[Waiting], number: int, how_many: str) -> str:
    if number == 1 and shown:
        only = shown[0]
        return str(_("%(name)s waits for you on %(article)s", name=only.name, article=only.article))
    one, more = "%(how_many)s comment waits on %(site)s", "%(how_many)s comments wait on %(site)s"
    return str(ngettext(one, more, number, how_many=how_many, site=site.name))


def _conversation(letter: Letter) -> str:
    host = letter.message_id.rpartition("@")[2].rstrip(">")
    return f"<waiting.{letter.site_id}.{letter.moderator_id}@{host}>"


def _shown(post: Post, to: Moderator, comment: Comment) -> Waiting:
    article: Article = comment.article
    parent = comment.parent
    return Waiting(
        name=_masked(comment.name),
        article=_masked(article.title) or article.url,
        article_url=article.url,
        is_title_proved=article.is_title_proved or not article.title,
        said=_excerpt(comment.html, EXCERPT),
        parent_name=_masked(parent.name) if parent else "",
        parent_said=_excerpt(parent.html, OF_PARENT) if parent else "",
        reasons=[
            _(rules.explain(reason.rule), matched=_masked(reason.matched))
            for reason in comment.reasons
        ],
        url=post.url(f"/desk/comments/{comment.public_id}"),
        choices=choices(post, to, comment),
    )


def _excerpt(html: str, length: int) -> str:
    return text.excerpt(text.mask_addresses(text.plain(html)), length)


def _masked(written: str) -> str:
    return text.mask_addresses(" ".join(written.split()))
