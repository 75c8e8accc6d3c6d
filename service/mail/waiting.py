"""To a moderator: comments wait. It tells of all that asks for somebody on a site when it is sent (new
comments, authors' changes of published ones, what readers reported), the newest by name, and of none
that is decided by then."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from .. import notices, reports, rules, text, urls
from ..accounts import Moderator
from ..models import Article, Comment, Letter, Site
from ..notices.moderators import CHANGED, REPORTED
from ..status import ReportReason, Status, Why
from .contents import Contents
from .deciding import LIFETIME, Choice, choices
from .post import Post

SHOWN = 5
COUNTED = 1_000  # as the desk counts; more are "1,000+"
EXCERPT = 600  # characters of a comment
OF_PARENT = 200
REPORTED_AS = {
    ReportReason.SPAM: _l("spam or advertising"),
    ReportReason.OFFENSIVE: _l("offensive"),
    ReportReason.PRIVATE: _l("something private"),
    ReportReason.OFF_TOPIC: _l("nothing to do with the article"),
    ReportReason.ILLEGAL: _l("believed to be illegal"),
}


@dataclass(frozen=True)
class Waiting:
    """A comment as the letter shows it; addresses that somebody wrote into it are masked."""

    name: str
    article: str
    article_url: str
    is_title_proved: bool
    said: str
    change: str  # what its author wants it to say; "" where no change waits
    reports: list[str]  # what readers gave as reasons, each with how many did
    parent_name: str
    parent_said: str
    reasons: list[str]
    url: str
    choices: list[Choice]  # the links that decide


def compose(session: Session, post: Post, letter: Letter) -> Contents | Why:
    site = session.get_one(Site, letter.site_id)
    new, others = _count_new(session, site.id), _asked_about(session, site.id)
    number = new + len(others)
    if not number:
        return Why.SETTLED
    to = session.get_one(Moderator, letter.moderator_id)
    shown = [_shown(session, post, to, comment) for comment in _newest(session, site.id, others)]
    how_many = f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"
    reminds = bool(letter.about.get("reminds"))
    lists = "status=pending" if new or any(one.change for one in shown) else "status=reported"
    return Contents(
        _subject(site, shown, number, how_many, reminds),
        "waiting",
        {
            "site": site,
            "comments": shown,
            "number": number,
            "how_many": how_many,
            "since": notices.oldest(session, site.id) if reminds else None,
            "is_all": number <= len(shown),
            "queue_url": post.url(f"/desk/?{lists}&site={site.key}"),
            "has_choices": any(comment.choices for comment in shown),
            "days": LIFETIME.days,
            "me_url": post.url("/desk/me/#letters"),
        },
        _conversation(letter),
    )


def _count_new(session: Session, site_id: int) -> int:
    waits = (Comment.site_id == site_id, Comment.status == Status.PENDING)
    counted = select(Comment.id).where(*waits).limit(COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0


def _asked_about(session: Session, site_id: int) -> dict[int, datetime]:
    """Published comments that somebody is to look at, by id, each with the moment since when."""
    found: dict[int, datetime] = {}
    for one in (CHANGED, REPORTED):
        newest = one.of(site_id, Comment.id, one.since).order_by(one.since.desc())
        for comment_id, at in session.execute(newest.limit(COUNTED)):
            found[comment_id] = max(found.get(comment_id, at), at)
    return found


def _newest(session: Session, site_id: int, others: Mapping[int, datetime]) -> list[Comment]:
    """Those that are told of by name."""
    heads = select(Comment.id, Comment.created_at).where(
        Comment.site_id == site_id, Comment.status == Status.PENDING, Comment.is_folded.is_(False)
    )
    newest = heads.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(SHOWN)
    since = dict(others) | {row.id: row.created_at for row in session.execute(newest)}
    ids = sorted(since, key=lambda id: (since[id], id), reverse=True)[:SHOWN]
    article = joinedload(Comment.article).joinedload(Article.site)
    whole = (article, joinedload(Comment.parent), selectinload(Comment.reasons))
    found = session.scalars(select(Comment).where(Comment.id.in_(ids)).options(*whole))
    return sorted(found, key=lambda comment: ids.index(comment.id))


def _subject(site: Site, shown: list[Waiting], number: int, how_many: str, reminds: bool) -> str:
    if reminds:
        one, more = "Still waiting: %(how_many)s comment", "Still waiting: %(how_many)s comments"
        still = ngettext(one, more, number, how_many=how_many)
        return str(_("%(still)s on %(site)s", still=still, site=site.name))
    if number == 1 and shown:
        return _subject_of(shown[0])
    one, more = "%(how_many)s comment waits on %(site)s", "%(how_many)s comments wait on %(site)s"
    return str(ngettext(one, more, number, how_many=how_many, site=site.name))


def _subject_of(only: Waiting) -> str:
    told = {"name": only.name, "article": only.article}
    if only.change:
        return str(_("%(name)s changed a comment on %(article)s", **told))
    if only.reports:
        return str(_("Readers reported what %(name)s wrote on %(article)s", **told))
    return str(_("%(name)s waits for you on %(article)s", **told))


def _conversation(letter: Letter) -> str:
    host = letter.message_id.rpartition("@")[2].rstrip(">")
    return f"<waiting.{letter.site_id}.{letter.moderator_id}@{host}>"


def _shown(session: Session, post: Post, to: Moderator, comment: Comment) -> Waiting:
    article: Article = comment.article
    parent = comment.parent
    return Waiting(
        name=_masked(comment.name),
        article=_masked(article.title) or _masked(urls.readable(article.url)),
        article_url=article.url,
        is_title_proved=article.is_title_proved or not article.title,
        said=_excerpt(comment.html, EXCERPT),
        change=_excerpt(comment.edit_html or "", EXCERPT) if comment.edit_at else "",
        reports=_reports(session, comment) if comment.reported_at else [],
        parent_name=_masked(parent.name) if parent else "",
        parent_said=_excerpt(parent.html, OF_PARENT) if parent else "",
        reasons=[
            _(rules.explain(reason.rule), matched=_masked(reason.matched))
            for reason in comment.reasons
        ],
        url=post.url(f"/desk/comments/{comment.public_id}"),
        choices=choices(post, to, comment),
    )


def _reports(session: Session, comment: Comment) -> list[str]:
    """What readers said against it, and never who did; nothing if it was answered a moment ago."""
    given = Counter(
        report.reason for report in reports.open_of(session, [comment.id]).get(comment.id, [])
    )
    return [f"{REPORTED_AS[reason]} × {number}" for reason, number in given.most_common()]


def _excerpt(html: str, length: int) -> str:
    return text.excerpt(text.mask_addresses(text.plain(html)), length)


def _masked(written: str) -> str:
    return text.mask_addresses(" ".join(written.split()))
