"""One call: what is sent, and what its answer means. Opens no transaction; a door does."""

import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import moderation, signatures
from ..models import Decision, Hook, Letter, now
from ..outbound import Answer, Failed, Outbound
from ..status import Act, HookShape, LetterState, Why
from ..vault import Vault
from . import chats, facts, sealed, together

SECONDS = 5.0  # for a call: who needs longer takes it in first, and works on it afterwards
LARGEST = 16 * 1024  # bytes of an answer
LONGEST_RETRY_AFTER = timedelta(hours=6)
# What says that whoever is called is not up to it, whatever it is called for.
OVERLOADED = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
SHORTEST_KEY = 6  # characters
WORDS = re.compile(r"[A-Za-z0-9 _.,:'-]{1,120}")


class Reply(Enum):
    """What an answer means."""

    TAKEN = "taken"
    LATER = "later"  # the fault may be in this call
    AWAY = "away"  # no answer, or none that has to do with this call: others need not be tried
    GONE = "gone"  # it wants no calls any more


@dataclass(frozen=True)
class Outcome:
    reply: Reply
    words: str  # for the log; no address, and nothing of where it was sent
    at_least: timedelta = timedelta()  # until it may be tried again


@dataclass(frozen=True)
class Call:
    """A call that is ready to be made."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    shape: HookShape


def compose(session: Session, vault: Vault, letter: Letter, base_url: str) -> Call | Why:
    """What a letter to a webhook says now, or why nobody needs it any more. Takes the service's own
    address, "" if it is not known. Raises binascii.Error where there is no secret to sign with."""
    hook = session.get(Hook, letter.hook_id)
    if hook is None or not hook.is_on or hook.removed_at is not None:
        return Why.OFF
    if not _is_news(session, letter):
        return Why.UNDONE
    number = together.number(session, letter) if hook.shape != HookShape.STANDARD else 1
    if not number:
        return Why.TOGETHER
    told = facts.told(session, letter, base_url)
    url = sealed.url_of(vault, hook)
    if hook.shape != HookShape.STANDARD:
        headers = {"Content-Type": "application/json"}
        if number > 1:
            job = session.get_one(Decision, letter.decision_id).bulk_id
            job_url = f"{base_url}/desk/bulk/{job}" if base_url else ""
            told["many"] = {"number": number, "desk_url": job_url}
        return Call(url, chats.body(hook.shape, told, hook.to), headers, hook.shape)
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    at = now()
    secrets = sealed.secrets_of(vault, hook, at)
    if not secrets:
        raise binascii.Error
    headers = signatures.headers(secrets, _id(letter), int(at.timestamp()), body)
    return Call(url, body, headers, hook.shape)


def call(outbound: Outbound, made: Call) -> Outcome:
    """Makes a call. Redirects are refused; so are addresses where the service does not go."""
    try:
        answer = outbound.post(made.url, made.body, made.headers, seconds=SECONDS, largest=LARGEST)
    except Failed as failed:
        return Outcome(Reply.AWAY, f"No answer: {failed}.")
    return _judged(made, answer)


def _judged(made: Call, answer: Answer) -> Outcome:
    """Standard Webhooks, "Delivery success and failure"; chats say some things in their own words."""
    own = {} if made.shape == HookShape.STANDARD else _own_words(answer.body)
    words = f"{_named(answer.status)}{_spelt(own, made.url)}"
    if 200 <= answer.status < 300:
        is_refused = own.get("ok") is False
        return Outcome(Reply.LATER if is_refused else Reply.TAKEN, words)
    if answer.status == HTTPStatus.GONE:
        return Outcome(Reply.GONE, words)
    is_away = answer.status >= 500 or answer.status in OVERLOADED
    return Outcome(Reply.AWAY if is_away else Reply.LATER, words, _retry_after(answer, own))


def _own_words(body: bytes) -> dict[str, Any]:
    """What a chat's answer says: Telegram's JSON, or Slack's few words."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = {"description": body[:200].decode("utf-8", "replace").strip()}
    return read if isinstance(read, dict) else {}


def _spelt(own: dict[str, Any], url: str) -> str:
    """Words and nothing else; no part of the address, which may be a key and be quoted."""
    said = own.get("description") or own.get("message") or ""
    if not isinstance(said, str) or not WORDS.fullmatch(said):
        return ""
    parts = re.findall(rf"[^/?&=:]{{{SHORTEST_KEY},}}", url.partition("://")[2])
    return "" if any(part in said for part in parts) else f": {said}"


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _retry_after(answer: Answer, own: dict[str, Any]) -> timedelta:
    """How long it asks to be left alone (RFC 9110, 10.2.3, in seconds; Telegram says it in the
    body); within bounds."""
    parameters = own.get("parameters")
    said = parameters.get("retry_after") if isinstance(parameters, dict) else None
    said = str(answer.headers.get("retry-after", "") if said is None else said)
    if not re.fullmatch("[0-9]{1,9}", said):
        return timedelta()
    return min(timedelta(seconds=int(said)), LONGEST_RETRY_AFTER)


def _id(letter: Letter) -> str:
    """The same however often it is sent, and without a dot, which the signature is made with."""
    return f"msg_{letter.message_id.strip('<>').partition('@')[0]}"


def _is_news(session: Session, letter: Letter) -> bool:
    """Whether the undo of a decision tells anything: only if whoever is called has heard, or may
    have heard, that the decision stands (or, of the undo of an undo, that it does not)."""
    if letter.decision_id is None or letter.sent_at is not None:
        return True
    decision = session.get_one(Decision, letter.decision_id)
    if decision.act != Act.UNDONE:
        return True
    heard, is_sure, before = False, True, decision.undoes
    while before is not None:
        if letters := _letters_of(session, letter, before):
            heard = moderation.is_standing(before)
            is_sure = any(one.state == LetterState.SENT for one in letters)
            break
        before = before.undoes
    return heard != moderation.is_standing(decision) or not is_sure


def _letters_of(session: Session, letter: Letter, decision: Decision) -> list[Letter]:
    """The calls of the same hook that told of a decision, or may have."""
    those = (Letter.hook_id == letter.hook_id, Letter.decision_id == decision.id)
    return [
        one
        for one in session.scalars(select(Letter).where(*those))
        if one.state == LetterState.SENT or one.attempts > 0
    ]
