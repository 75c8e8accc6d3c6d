"""To readers: what became of their own comment, who answered it, what is new where they follow.

Each is looked at once more while it is put into words: what is public no more, was told already, or
has another end by now, is told to nobody.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from .. import text, urls
from ..models import Article, Comment, Decision, Follow, Letter, Note
from ..notices import news as causes
from ..notices import outcomes
from ..status import Act, LetterKind, LetterState, Mark, Status, Why
from . import outbox
from .contents import Contents
from .leaving import leave_url
from .post import Post

SHOWN = 20
EXCERPT = 600  # characters of a comment
OF_PARENT = 200
OF_NAME = 80  # in a subject


@dataclass(frozen=True)
class Shown:
    """A comment as a letter shows it; addresses that somebody wrote into it are masked."""

    name: str
    at: datetime
    said: str
    url: str
    is_staff: bool
    parent_name: str


def outcome(session: Session, post: Post, letter: Letter) -> Contents | Why:
    """Your reply is published, or it is not."""
    follow, comment = _follow(session, letter), session.get_one(Comment, letter.comment_id)
    if follow is None:
        return Why.UNWANTED
    if comment.author_id != letter.author_id or not comment.is_proved:
        return Why.GONE
    word = _last_word(session, comment)
    if word is None or word.id != letter.decision_id:
        return Why.SETTLED
    heard = outcomes.last_words(session, [comment.id], without=letter.id)[comment.id]
    if outcomes.WORDS.get(comment.status) != letter.kind or heard == {letter.kind}:
        return Why.SETTLED
    was_public = LetterKind.PUBLISHED in heard or word.from_status == Status.APPROVED
    article = comment.article
    is_published = letter.kind == LetterKind.PUBLISHED
    heading = _outcome_heading(is_published, was_public)
    return Contents(
        _subject(heading, article),
        "outcome",
        {
            "site": article.site,
            "heading": heading,
            "place": _place(article),
            "comment": _shown(post, comment),
            "is_published": is_published,
            "reason": "" if is_published else _reason(session, comment),
            # Its author's own key (hard rule 2): made for this mail, and kept nowhere.
            "receipt_url": post.url(f"/receipts/{post.signer.sign('receipt', comment.public_id)}"),
            "leave_url": (leaving := leave_url(post, letter)),
        },
        _conversation(letter, comment),
        leaving,
    )


def news(session: Session, post: Post, letter: Letter) -> Contents | Why:
    """Somebody answered, or there are new comments: all that is due for this follow."""
    follow = _follow(session, letter)
    if follow is None:
        return Why.UNWANTED
    parent = session.get(Comment, follow.comment_id) if follow.comment_id else None
    if parent is not None and parent.author_id != follow.author_id:
        return Why.GONE  # they took it back
    others = outbox.together(session, letter)
    ids = {id for one in (letter, *others) for id in causes.told_of(one)}
    public = _public(session, ids - _told(session, letter, ids), follow)
    if not public.keys() & set(causes.told_of(letter)):
        return Why.SETTLED
    newest = sorted(public.values())
    shown = _comments(session, [id for _, id in newest[:SHOWN]])
    article, site = shown[0].article, shown[0].article.site
    more = len(newest) - len(shown)
    further = session.get_one(Comment, newest[SHOWN][1]) if more else None
    is_answer = letter.kind == LetterKind.ANSWERED
    return Contents(
        _subject(_news_heading(shown[0].name, len(newest), is_answer), article),
        "news",
        {
            "site": site,
            "heading": _news_heading(shown[0].name, len(newest), is_answer),
            "place": _place(article),
            "comments": [_shown(post, comment) for comment in shown],
            "more": more,
            "more_url": _comment_url(post, further) if further else "",
            "is_answer": is_answer,
            "own": _excerpt(parent.html, OF_PARENT) if parent else "",
            "leave_url": (leaving := leave_url(post, letter)),
        },
        _conversation(letter, shown[0]),
        leaving,
        tuple(public),
        tuple(one.id for one in others if public.keys() & set(causes.told_of(one))),
    )


def _outcome_heading(is_published: bool, was_public: bool) -> str:
    if is_published:
        return str(_("Your reply is published"))
    if was_public:
        return str(_("Your reply is no longer published"))
    return str(_("Your reply was not published"))


def _news_heading(name: str, number: int, is_answer: bool) -> str:
    if number == 1 and is_answer:
        return str(_("%(name)s answered you", name=_short(name)))
    if number == 1:
        return str(_("%(name)s replied", name=_short(name)))
    if is_answer:
        return str(ngettext("%(num)s answer to you", "%(num)s answers to you", number))
    return str(ngettext("%(num)s new reply", "%(num)s new replies", number))


def _subject(heading: str, article: Article) -> str:
    """The news first: a list of mails shows little more on a phone."""
    return str(_("%(news)s: %(article)s", news=heading, article=_short(_place(article))))


def _short(typed: str) -> str:
    return text.excerpt(_line(typed), OF_NAME)


def _follow(session: Session, letter: Letter) -> Follow | None:
    """What a letter is for, unless its recipient has ended it, or never confirmed it."""
    follow = session.get(Follow, letter.follow_id) if letter.follow_id else None
    return follow if follow is not None and follow.confirmed_at is not None else None


def _last_word(session: Session, comment: Comment) -> Decision | None:
    """The last decision that changed what a comment's author hears of it."""
    moved = (Decision.comment_id == comment.id, Decision.from_status != Decision.to_status)
    log = select(Decision).where(*moved).order_by(Decision.id.desc())
    words = outcomes.WORDS
    return next(
        (d for d in session.scalars(log) if words.get(d.from_status) != words.get(d.to_status)),
        None,
    )


def _reason(session: Session, comment: Comment) -> str:
    """What the moderator who decided so tells its author."""
    decided = (Decision.act == Act.DECIDED, Decision.to_status == comment.status)
    newest = select(Decision.id).where(Decision.comment_id == comment.id, *decided)
    last = newest.order_by(Decision.id.desc()).limit(1).scalar_subquery()
    public = session.scalar(select(Note.public_text).where(Note.decision_id == last)) or ""
    return " ".join(public.split())


def _told(session: Session, letter: Letter, comment_ids: Collection[int]) -> set[int]:
    """Which of these comments this follow was told of before: since the first of them was written."""
    began = select(func.min(Comment.created_at)).where(Comment.id.in_(comment_ids))
    same = (Letter.follow_id == letter.follow_id, Letter.kind == letter.kind)
    since = (Letter.state == LetterState.SENT, Letter.sent_at >= began.scalar_subquery())
    before = session.scalars(select(Letter).where(*same, *since))
    return {id for one in before for id in causes.told_of(one)}


def _public(
    session: Session, comment_ids: Collection[int], follow: Follow
) -> dict[int, tuple[datetime, int]]:
    """Which of these everybody can read and somebody else wrote, each with its place in time."""
    theirs = or_(Comment.author_id.is_(None), Comment.author_id != follow.author_id)
    shown = (Comment.id.in_(comment_ids), Comment.status == Status.APPROVED, theirs)
    found = session.execute(select(Comment.id, Comment.created_at).where(*shown))
    return {row.id: (row.created_at, row.id) for row in found}


def _comments(session: Session, comment_ids: Sequence[int]) -> list[Comment]:
    whole = (joinedload(Comment.article).joinedload(Article.site), joinedload(Comment.parent))
    found = session.scalars(select(Comment).where(Comment.id.in_(comment_ids)).options(*whole))
    return sorted(found, key=lambda comment: comment_ids.index(comment.id))


def _shown(post: Post, comment: Comment) -> Shown:
    parent = comment.parent
    is_named = parent is not None and parent.status == Status.APPROVED
    return Shown(
        name=_name(comment.name),
        at=comment.created_at,
        said=_excerpt(comment.html, EXCERPT),
        url=_comment_url(post, comment),
        is_staff=comment.mark == Mark.STAFF,
        parent_name=_name(parent.name) if parent is not None and is_named else "",
    )


def _comment_url(post: Post, comment: Comment) -> str:
    """Leads to the comment under its article."""
    return post.url(f"/comments/{comment.public_id}")


def _place(article: Article) -> str:
    """What an article is called: what the first poster sent is a hint (hard rule 10)."""
    title = _line(article.title) if article.is_title_proved else ""
    return title or _line(urls.readable(article.url))


def _conversation(letter: Letter, comment: Comment) -> str:
    """One for each thread below a comment, or for an article that is followed, and recipient."""
    host = letter.message_id.rpartition("@")[2].rstrip(">")
    thread = f"thread.{comment.root_id or comment.id}"
    if letter.kind == LetterKind.FOLLOWED:
        thread = f"article.{comment.article_id}"
    return f"<{thread}.{letter.author_id}@{host}>"


def _excerpt(html: str, length: int) -> str:
    return text.excerpt(text.mask_addresses(text.plain(html)), length)


def _name(stored: str) -> str:
    """A name as its reader meets it: who gave none has one in their language."""
    return str(_("Anonymous")) if stored == text.ANONYMOUS else _line(stored)


def _line(typed: str) -> str:
    """A name or a title on one line: nothing in it moves the words around it."""
    kept = "".join(c if c.isprintable() and c not in text.BIDI_CONTROLS else " " for c in typed)
    return text.mask_addresses(" ".join(kept.split()))
