"""The calls of a site's webhooks: one letter for each that is on and wants the event."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import letters
from ..models import Comment, Decision, Hook, Report, Site
from ..status import Act, HookEvent, LetterKind, Status

# A comment's first statuses that are told of beside that it came in: where nobody decided.
AT_FIRST = (Status.APPROVED, Status.SPAM)
# No undo takes these back, so nothing is waited for.
FOR_GOOD = (Act.EDITED, Act.WITHDRAWN, Act.RETRACTED)


class Place(NamedTuple):
    """A comment, as far as its calls have to know it."""

    id: int
    site_id: int
    article_id: int


def arrived(session: Session, comment: Comment) -> None:
    """A reader's new comment is stored."""
    events = [HookEvent.RECEIVED]
    if comment.status in AT_FIRST:
        events.append(HookEvent(comment.status.value))
    causes = [(event, f"{event} first {comment.id}") for event in events]
    _write_of_one(session, comment, causes, comment.created_at)


def decided(session: Session, decisions: Sequence[Decision]) -> None:
    """Comments changed by these rows of the log."""
    hooks = _on(session, [decisions[0].comment.site_id] if len(decisions) == 1 else None)
    if not hooks:
        return
    ids = {decision.comment_id for decision in decisions}
    columns = (Comment.id, Comment.site_id, Comment.article_id)
    found = select(*columns).where(Comment.id.in_(ids), Comment.site_id.in_(hooks))
    places = {row.id: Place(*row) for row in session.execute(found)}
    sites = {site_id: session.get_one(Site, site_id) for site_id in hooks}
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for decision in decisions:
        if place := places.get(decision.comment_id):
            site = sites[place.site_id]
            due_at = decision.at
            if decision.act not in FOR_GOOD:
                due_at += letters.undo_window(site)
            causes = [(event, f"{event} {decision.id}") for event in _events(decision)]
            for hook in hooks[site.id]:
                made = _rows(hook, place, causes, due_at)
                rows[site.id] += (row | {"decision_id": decision.id} for row in made)
    for site_id, of_site in rows.items():
        letters.write_all(session, sites[site_id], of_site)


def reported(session: Session, report: Report) -> None:
    """A reader reported a comment; the same report told twice is told once."""
    comment = session.get_one(Comment, report.comment_id)
    causes = [(HookEvent.REPORTED, f"reported {report.id}")]
    _write_of_one(session, comment, causes, report.created_at, report=report.id)


def _write_of_one(
    session: Session,
    comment: Comment,
    causes: Collection[tuple[HookEvent, str]],
    due_at: datetime,
    **about: Any,
) -> None:
    hooks = _on(session, [comment.site_id])
    if not hooks:
        return
    place = Place(comment.id, comment.site_id, comment.article_id)
    rows = [
        row
        for hook in hooks[comment.site_id]
        for row in _rows(hook, place, causes, due_at, **about)
    ]
    letters.write_all(session, session.get_one(Site, comment.site_id), rows)


def _on(session: Session, site_ids: Sequence[int] | None) -> dict[int, list[Hook]]:
    """The webhooks that are on, of these sites or of all, by their site: of most there is none."""
    on = select(Hook).where(Hook.is_on, Hook.removed_at.is_(None))
    if site_ids is not None:
        on = on.where(Hook.site_id.in_(site_ids))
    found: dict[int, list[Hook]] = defaultdict(list)
    for hook in session.scalars(on.order_by(Hook.id)):
        found[hook.site_id].append(hook)
    return found


def most_hooks(session: Session) -> int:
    """How many webhooks are on, of the site that has most: a comment that is decided writes as many
    rows."""
    return max(map(len, _on(session, None).values()), default=0)


def _rows(
    hook: Hook,
    place: Place,
    causes: Collection[tuple[HookEvent, str]],
    due_at: datetime,
    **about: Any,
) -> Iterator[dict[str, Any]]:
    for event, cause in causes:
        if event in hook.events:
            yield {
                "kind": LetterKind.HOOK,
                "cause_key": f"hook {hook.id} {cause}",
                "hook_id": hook.id,
                "comment_id": place.id,
                "article_id": place.article_id,
                "about": {"event": event.value, **about},
                "due_at": due_at,
            }


def _events(decision: Decision) -> Iterator[HookEvent]:
    if _has_new_text(decision):
        yield HookEvent.EDITED
    if decision.from_status != decision.to_status:
        yield HookEvent(decision.to_status.value)


def _has_new_text(decision: Decision) -> bool:
    """Whether readers' or moderators' eyes meet another text since then: a change that waits for a
    moderator is none yet."""
    has_moved = decision.from_status != decision.to_status
    if decision.act == Act.EDITED:
        return decision.comment.edit_at is None
    if decision.act == Act.UNDONE and not has_moved:  # of such there is no bulk: it may look back
        while decision.undoes is not None:
            decision = decision.undoes
    return decision.act == Act.REWORDED or (decision.act == Act.DECIDED and not has_moved)
