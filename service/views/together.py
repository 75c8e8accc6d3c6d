"""Several moderators at one desk: who has which card before them, what was decided and what came
in since a page was made. One request by script tells all of it; without script the guard answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from .. import colleagues, database, desk, openings, text
from ..colleagues import MOST, Change, Left, Since
from ..desk import Card
from ..models import now
from ..status import Status
from .desk import (
    LARGEST_ID,
    REPORTED,
    TABS,
    _count,
    bp,
    comment_or_404,
    quoted,
    told_with_note,
    vault,
)

BEAT = 15_000  # milliseconds between two heartbeats of a page
# What is written while a page is being read may be on it or not: told once too often, never not.
OVERLAP = timedelta(seconds=2)


class TogetherForm(FlaskForm):
    """A heartbeat: its fields are lists, read by `versions` and their neighbours."""


@bp.post("/together")
def together() -> ResponseReturnValue:
    """What a page has to be told. Takes `card` (ID:VERSION, MOST of them), `focus` (the card that
    is before the moderator), `left` (the one that is it no more), and of a list `status`, `site`
    and `since`. Writes only what is new."""
    if not TogetherForm().validate():
        abort(400)
    seen = versions(request.form.getlist("card"))
    focus, left = request.form.get("focus", ""), request.form.get("left", "")
    comments = colleagues.known(database.session(), current_user, [focus, left, *seen])
    ids = {comment.public_id: comment.id for comment in comments}
    _look([ids[focus]] if focus in ids else [], [ids[left]] if left in ids else [])
    session = database.session()  # another one if there was something to write
    cards = [comment for comment in comments if comment.public_id in seen]
    changed = colleagues.changes(session, cards, seen)
    said = _beside(session, [comment.id for comment in cards])
    new = len(_arrived(session, list(seen)))
    answer: dict[str, Any] = {
        "open": {card.public_id: said[card.id].open for card in cards if said[card.id].open},
        "left": {card.public_id: said[card.id].left for card in cards if said[card.id].left},
        "changed": {change.comment.public_id: _told(change) for change in changed},
        "new": new,
        "news": _news(new) if new else "",
        "mine": _number(colleagues.count_mine(session, current_user)),
    }
    if changed or new or "counts" in request.form:
        answer["counts"] = _counts(session)
    return answer


@bp.get("/news")
def news() -> ResponseReturnValue:
    """The cards that came into a list since then, for script to put in their places; or one of a
    list (`one`), as it is now."""
    session = database.session()
    if one := request.args.get("one"):
        new = [comment_or_404(session, one).id]
    else:
        new = _arrived(session, request.args.getlist("card"))
    cards = desk.some(session, vault(), current_user, new[:MOST])
    return render_template(
        "desk/news.html",
        cards=cards,
        sites=desk.sites(session, current_user),
        status=request.args.get("status", ""),
        site=request.args.get("site", ""),
        here=url_for(".queue", status=request.args.get("status") or None),
    )


def versions(sent: Sequence[str]) -> dict[str, int]:
    """Which version of which comment a page shows: "ID:VERSION", MOST of them at most."""
    parted = (word.partition(":") for word in sent[:MOST])
    return {id: int(version) for id, _, version in parted if _is_number(version, 9)}


def _is_number(sent: str, most_digits: int) -> bool:
    return sent.isascii() and sent.isdigit() and len(sent) <= most_digits


def _look(focus: Sequence[int], left: Sequence[int]) -> None:
    """Notes what the moderator has before them, unless it is known."""
    if openings.is_known(database.session(), current_user, focus, left):
        return
    with database.writing() as session:
        openings.look(session, current_user, focus, left)


@dataclass(frozen=True)
class Beside:
    """What colleagues have to do with a comment, in sentences; "" for nothing."""

    open: str = ""
    left: str = ""
    is_mine: bool = False  # it was this very moderator who left it to others


def _beside(session: Session, comment_ids: Sequence[int]) -> dict[int, Beside]:
    names = openings.others(session, current_user, comment_ids)
    left = colleagues.left_of(session, comment_ids)
    return {
        id: Beside(
            having(names[id]) if id in names else "",
            asking(left[id]) if id in left else "",
            id in left and left[id].decision.moderator_id == current_user.id,
        )
        for id in comment_ids
    }


def beside(card: Card, cards: Sequence[Card]) -> Beside:
    """The same for a card of a page; what all its cards need is looked up once."""
    known: dict[int, Beside] = g.setdefault("beside", {})
    if card.comment.id not in known:
        ids = [shown.comment.id for shown in (card, *cards)]
        known |= _beside(database.session(), ids)
    return known.get(card.comment.id, Beside())


def _told(change: Change) -> dict[str, Any]:
    comment, undoable = change.comment, change.undoable
    said = told_with_note(change.decision) if change.decision else _("This was changed.")
    return {
        "status": comment.status,
        "version": comment.version,
        "waits": comment.status == Status.APPROVED and comment.edit_at is not None,
        "reported": comment.reported_at is not None,
        "said": said,
        "undo": url_for(".undo", decision_id=undoable.id) if undoable else None,
    }


def _arrived(session: Session, seen: Sequence[str]) -> list[int]:
    """What is new in the list that was asked about; nothing in a list that has no news."""
    since = _since(request.values.get("since", ""))
    status, site = request.values.get("status", ""), request.values.get("site", "")
    if since is None or status not in TABS:
        return []
    wanted = None if status == REPORTED else Status(status)
    return colleagues.arrived(session, current_user, wanted, site, since, seen[:MOST])


def _since(sent: str) -> Since | None:
    """The moment that a page was read at, as `since` wrote it; None for anything else."""
    at, _, decision_id = sent.partition("|")
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not _is_number(decision_id, 19):
        return None
    return Since(moment, min(int(decision_id), LARGEST_ID))


def since() -> str:
    """The moment at which this page was read, for the heartbeats of the page."""
    moment = now() - OVERLAP
    return f"{moment.isoformat()}|{colleagues.since(database.session())}"


def _counts(session: Session) -> dict[str, dict[str, Any]]:
    """The numbers of the tabs, as they are now."""
    site = request.form.get("site", "")
    numbers = desk.counts(session, current_user, site)
    return {word: _number(n) for word, n in numbers.items()}


def _number(counted: int) -> dict[str, Any]:
    return {"count": counted, "shown": _count(counted)}


def _news(new: int) -> str:
    """What the button says that shows them."""
    if new > MOST:
        return str(_("More than %(most)s new: load this page anew", most=MOST))
    return str(ngettext("Show %(num)d new comment", "Show %(num)d new comments", new))


def having(names: Sequence[str]) -> str:
    """Who has a card open, in a sentence."""
    shown = [text.mask_addresses(name) or _("a colleague") for name in names]
    if len(shown) == 1:
        return str(_("%(who)s has this open.", who=shown[0]))
    return str(
        _("%(some)s and %(last)s have this open.", some=", ".join(shown[:-1]), last=shown[-1])
    )


def asking(left: Left) -> str:
    """What is asked of whom, in a sentence."""
    asked = left.decision
    words = {"who": asked.by, "to": asked.handed_to, "note": quoted(asked)}
    if left.to_id is None:
        if words["note"]:
            return str(_("%(who)s asks for a second opinion: “%(note)s”", **words))
        return str(_("%(who)s asks for a second opinion.", **words))
    if left.to_id == current_user.id:
        words["to"] = _("you")
    if words["note"]:
        return str(_("%(who)s left this to %(to)s: “%(note)s”", **words))
    return str(_("%(who)s left this to %(to)s.", **words))


@bp.context_processor
def words() -> dict[str, Any]:
    return {
        "beat": BEAT,
        "beside": beside,
        "since": since,
        "count_mine": lambda: colleagues.count_mine(database.session(), current_user),
    }
