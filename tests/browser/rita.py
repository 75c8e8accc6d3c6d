"""What Rita meets and does in a browser: threads with comments in them, and the form."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from playwright.sync_api import Locator, Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import database, moderation, text
from service.models import Article, Comment, Site
from service.status import Status

RITA = {"Name": "Rita", "Email": "rita.reader@example.org", "Comment": "I *liked* the harbour."}
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
minutes = count()


def add_site(app: Flask, *origins: str, key: str = "daily", **settings: Any) -> None:
    with app.app_context(), database.writing() as session:
        session.add(Site(key=key, name="The Daily", origins=list(origins), settings=settings))


def add_comment(
    app: Flask,
    url: str,
    name: str = "Ada",
    typed: str = "A fine review.",
    answers: str = "",
    status: Status = Status.APPROVED,
    website: str = "",
) -> str:
    """Puts a comment under an article; gives its public id. Takes that of the one it answers."""
    [public_id] = add_comments(
        app, url, [typed], name=name, answers=answers, status=status, website=website
    )
    return public_id


def add_comments(
    app: Flask,
    url: str,
    typed: Sequence[str],
    *,
    name: str = "Ada",
    answers: str = "",
    status: Status = Status.APPROVED,
    website: str = "",
) -> list[str]:
    """The same for many, a minute apart."""
    with app.app_context(), database.writing() as session:
        article = _article(session, url)
        parent = session.scalar(select(Comment).where(Comment.public_id == answers))
        comments = [
            Comment(
                site_id=article.site_id,
                article_id=article.id,
                parent_id=parent.id if parent else None,
                root_id=(parent.root_id or parent.id) if parent else None,
                name=name,
                website=website,
                text=words,
                html=text.render(words),
                renderer=text.RENDERER,
                status=status,
                created_at=START + timedelta(minutes=next(minutes)),
            )
            for words in typed
        ]
        session.add_all(comments)
        session.flush()
        moderation.recount(session, article.id)
        return [comment.public_id for comment in comments]


def _article(session: Session, url: str) -> Article:
    if article := session.scalar(select(Article).where(Article.url == url)):
        return article
    site = session.scalars(select(Site)).one()
    article = Article(site_id=site.id, url=url, title="The harbour light", is_title_proved=True)
    session.add(article)
    session.flush()
    return article


def set_status(app: Flask, name: str, status: Status) -> None:
    """As if a moderator had decided on somebody's comment."""
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment).where(Comment.name == name)).one()
        comment.status = status
        session.flush()
        moderation.recount(session, comment.article_id)


def stored(app: Flask, name: str = "Rita") -> Sequence[Comment]:
    with app.app_context():
        found = database.session().scalars(select(Comment).where(Comment.name == name)).all()
        database.session().expunge_all()
        return found


def thread(service: str, url: str, **asked: str) -> str:
    """The address of an article's thread as a page of its own."""
    return f"{service}/embed/daily?{urlencode({'url': url, **asked})}"


def fill(form: Page | Locator, **fields: str) -> None:
    for label, typed in (RITA | fields).items():
        form.get_by_role("textbox", name=label).fill(typed)


def send(form: Page | Locator) -> None:
    form.get_by_role("button", name="Post reply").click()


def expect_no_receipt(page: Page) -> None:
    """Waits until the browser has forgotten its receipts. Playwright's own way of waiting for a
    condition is forbidden by the page's policy, unless the condition holds at once."""
    until = monotonic() + 15
    while "/receipts/" in page.evaluate("JSON.stringify(localStorage)"):
        assert monotonic() < until, "the browser still keeps a receipt"
        page.wait_for_timeout(50)
