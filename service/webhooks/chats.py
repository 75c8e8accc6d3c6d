"""The same for people in a chat: a short text, and nothing that anybody typed is more than text.

What is written in a comment pings nobody, links to nothing under another name and ends no markup:
each chat's own signs are escaped, and every @ is followed by a space of no width.
"""

import html
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import text
from ..status import HookEvent, HookShape, Status
from .keeping import TEST

EXCERPT = 300  # characters of a comment
SHORT = 100  # of a name or a title
HEADS = {
    HookEvent.RECEIVED: "New comment",
    HookEvent.APPROVED: "Published",
    HookEvent.REJECTED: "Rejected",
    HookEvent.SPAM: "Marked as spam",
    HookEvent.DELETED: "Deleted",
    HookEvent.PENDING: "Waits again",
    HookEvent.EDITED: "Changed",
    HookEvent.REPORTED: "Reported",
}
STANDS = {
    Status.PENDING: "It waits for a moderator.",
    Status.APPROVED: "It is published.",
    Status.SPAM: "It was taken for spam.",
}
REASONS = {
    "spam": "spam or advertising",
    "offensive": "offensive",
    "private": "shows something private",
    "off_topic": "off topic",
    "illegal": "believed to be illegal",
}
LINK = "Open at the desk"
UNPINGED = "@\u200b"
JOINERS = "\u200c\u200d"  # that letters and pictures need
MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-!~|]")


class Said(NamedTuple):
    """A message: its lines, and where its link leads, "" for nowhere."""

    lines: list[str]
    url: str


def body(shape: HookShape, told: dict[str, Any], to: str) -> bytes:
    """The body of a call to a chat. Takes what is told (facts.told) and, for Telegram, the chat."""
    return json.dumps(SHAPES[shape](said(told), to), ensure_ascii=False).encode()


def said(told: dict[str, Any]) -> Said:
    data, kind = told["data"], told["type"]
    site = _line(data["site"]["name"], SHORT)
    if kind == TEST:
        return Said([f"A test of the webhook of {site}. It arrived."], "")
    if many := told.get("many"):
        head = HEADS[HookEvent(kind.partition(".")[2])]
        return Said([f"{head}: {many['number']:,} comments ({site})"], many["desk_url"])
    event, comment, article = HookEvent(kind.partition(".")[2]), data["comment"], data["article"]
    name = _line(comment["author"]["name"], SHORT) or "somebody"
    title = _line(article["title"] if article["is_title_proved"] else "", SHORT)
    head = f"{HEADS[event]}: {name} on {title or _line(article['url'], SHORT)} ({site})"
    lines = [head]
    if event == HookEvent.RECEIVED and comment["status"] in STANDS:
        lines.append(STANDS[Status(comment["status"])])
    if event == HookEvent.REPORTED:
        lines.append(f"Why: {REASONS.get(data['report']['reason'], 'not told')}.")
    if data.get("public_reason"):
        lines.append(f"Reason: {_line(data['public_reason'], EXCERPT)}")
    if comment["html"]:
        lines.append(f"“{_line(text.plain(comment['html']), EXCERPT)}”")
    return Said(lines, comment["desk_url"] or "")


def _line(typed: str, length: int) -> str:
    """On one line, without signs that no line shows, and with no @ that calls anybody."""
    shown = "".join(c if c.isprintable() or c in JOINERS else " " for c in typed)
    return text.excerpt(shown, length).replace("@", UNPINGED).replace("＠", UNPINGED)


def _slack(message: Said, to: str) -> dict[str, Any]:
    """Slack's own escapes (docs.slack.dev, "Formatting message text"); no marks are read."""
    lines = [_entities(line) for line in message.lines]
    link = [f"<{_entities(message.url)}|{LINK}>"] if message.url else []
    quiet = {"mrkdwn": False, "link_names": False, "unfurl_links": False, "unfurl_media": False}
    return {"text": "\n".join(lines + link), **quiet}


def _mattermost(message: Said, to: str) -> dict[str, Any]:
    """Markdown, as Mattermost and Matrix' bridge for such hooks read it."""
    lines = [MARKDOWN.sub(r"\\\g<0>", _entities(line)) for line in message.lines]
    link = [f"[{LINK}]({message.url})"] if message.url else []
    return {"text": "  \n".join(lines + link), "username": "Rejoinder"}


def _telegram(message: Said, to: str) -> dict[str, Any]:
    """The Bot API's sendMessage with its HTML (core.telegram.org/bots/api#html-style)."""
    lines = [_entities(line) for line in message.lines]
    link = [f'<a href="{html.escape(message.url)}">{LINK}</a>'] if message.url else []
    return {
        "chat_id": to,
        "text": "\n".join(lines + link),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def _entities(line: str) -> str:
    return html.escape(line, quote=False)


SHAPES: dict[HookShape, Callable[[Said, str], dict[str, Any]]] = {
    HookShape.SLACK: _slack,
    HookShape.MATTERMOST: _mattermost,
    HookShape.TELEGRAM: _telegram,
}
