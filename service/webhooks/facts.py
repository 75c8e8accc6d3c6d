"""What a call tells, at the moment it is made: JSON values, and what chats are told of them.

No address, no network, no moderator's name, no receipt (hard rules 4 and 14): addresses that
somebody wrote are masked, and of a comment that is deleted there is no text.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import text
from ..models import Article, Comment, Decision, Letter, Report, Site
from ..status import HookEvent, Markup, Status
from .keeping import TEST


def told(session: Session, letter: Letter, base_url: str) -> dict[str, Any]:
    """The whole of what a call tells. Takes a letter to a webhook."""
    event = str(letter.about.get("event", ""))
    site = session.get_one(Site, letter.site_id)
    data: dict[str, Any] = {"site": {"key": site.key, "name": site.name}}
    decision = session.get(Decision, letter.decision_id) if letter.decision_id else None
    at = decision.at if decision is not None else letter.created_at
    if event == TEST:
        return {"type": TEST, "timestamp": _time(at), "data": data}
    comment = session.get_one(Comment, letter.comment_id)
    data |= {
        "article": _article(comment.article),
        "comment": _comment(session, comment, base_url),
    }
    if event == HookEvent.REJECTED and decision is not None and decision.note is not None:
        data["public_reason"] = text.mask_addresses(decision.note.public_text)
    if event == HookEvent.REPORTED:
        report = session.get(Report, letter.about.get("report"))
        data["report"] = {
            "reason": report.reason.value if report else None,
            "open": comment.report_count,
        }
    return {"type": f"comment.{event}", "timestamp": _time(at), "data": data}


def _article(article: Article) -> dict[str, Any]:
    return {
        "url": article.url,
        "id": article.given_id,
        "title": text.mask_addresses(article.title),
        # Until a moderator approves something there it is what the first poster sent.
        "is_title_proved": article.is_title_proved,
    }


def _comment(session: Session, comment: Comment, base_url: str) -> dict[str, Any]:
    is_gone = comment.status == Status.DELETED
    parent = (
        session.scalar(select(Comment.public_id).where(Comment.id == comment.parent_id))
        if comment.parent_id
        else None
    )
    typed, html = ("", "") if is_gone else _wording(comment)
    return {
        "id": comment.public_id,
        "version": comment.version,  # grows with every change: calls may overtake each other
        "parent": parent,
        "author": {
            "name": "" if is_gone else text.mask_addresses(comment.name),
            "website": "" if is_gone else _website(comment.website),
        },
        "text": typed,
        "html": html,
        "language": comment.language,
        "status": comment.status.value,
        "created_at": _time(comment.created_at),
        "edited_at": _time(comment.edited_at) if comment.edited_at else None,
        "url": f"{base_url}/comments/{comment.public_id}" if base_url else None,
        "desk_url": f"{base_url}/desk/comments/{comment.public_id}" if base_url else None,
    }


def _wording(comment: Comment) -> tuple[str, str]:
    """Its text as typed and as HTML, rendered anew where an address in it is masked."""
    masked = text.mask_addresses(comment.text)
    html = comment.html
    if masked != comment.text or text.addresses(f"{html} {unquote(html)}"):
        is_html = comment.markup == Markup.HTML
        html = str(text.render_html(masked) if is_html else text.render(masked))
        if text.addresses(f"{html} {unquote(html)}"):  # in a link: its words alone are left
            html = str(text.render(text.mask_addresses(unquote(text.plain(html)))))
    return masked, html


def _website(website: str) -> str:
    return "" if text.addresses(f"{website} {unquote(website)}") else website


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
