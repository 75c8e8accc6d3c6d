"""What is on record of a window of comments: reasons, decisions, earlier texts, and what another
installation had on record of them, each in the words of our JSON Lines."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ..models import Comment, Decision, Import, Note, Past, Reason, Revision
from ..status import Markup
from ..text import mask_addresses
from .windows import utc

Entry = dict[str, Any]


@dataclass
class History:
    """Of one comment, the oldest first. What is foreign says under `elsewhere` by which file it
    came; `origin` is what the comment was called in the system that it was first imported from."""

    reasons: list[Entry] = field(default_factory=list)
    decisions: list[Entry] = field(default_factory=list)
    revisions: list[Entry] = field(default_factory=list)
    origin: Entry = field(default_factory=dict)


def histories(session: Session, ids: Sequence[int]) -> dict[int, History]:
    """A history for whichever of these comments is asked for. Four queries, however many. Addresses
    that moderators wrote into their notes are masked, as they are where a file is read."""
    found: dict[int, History] = defaultdict(History)
    _add_pasts(session, ids, found)
    _add_reasons(session, ids, found)
    _add_decisions(session, ids, found)
    _add_revisions(session, ids, found)
    return found


def _add_pasts(session: Session, ids: Sequence[int], found: dict[int, History]) -> None:
    wanted = (
        select(Past.comment_id, Past.reasons, Past.decisions, Past.revisions, Past.origin)
        .add_columns(Import.file_name)
        .join(Comment, Comment.id == Past.comment_id)
        .outerjoin(Import, Import.id == Comment.import_id)
        .where(Past.comment_id.in_(ids))
    )
    for row in session.execute(wanted):
        label = {"elsewhere": row.file_name or "another installation"}
        history = found[row.comment_id]
        history.origin = row.origin or {}
        history.reasons += [label | entry for entry in row.reasons]
        history.decisions += [label | entry for entry in row.decisions]
        history.revisions += [label | entry for entry in row.revisions]


def _add_reasons(session: Session, ids: Sequence[int], found: dict[int, History]) -> None:
    wanted = select(Reason.comment_id, Reason.rule, Reason.matched)
    for row in session.execute(wanted.where(Reason.comment_id.in_(ids)).order_by(Reason.id)):
        found[row.comment_id].reasons.append({"rule": row.rule, "matched": row.matched})


def _add_decisions(session: Session, ids: Sequence[int], found: dict[int, History]) -> None:
    undone = aliased(Decision)
    columns = (
        *(Decision.comment_id, Decision.at, Decision.by, Decision.act, Decision.from_status),
        *(Decision.to_status, Decision.version, Note.text, Note.public_text),
    )
    wanted = (
        select(*columns, undone.at.label("undone_at"))
        .outerjoin(Note, Note.decision_id == Decision.id)
        .outerjoin(undone, undone.id == Decision.undoes_id)
        .where(Decision.comment_id.in_(ids))
    )
    for row in session.execute(wanted.order_by(Decision.id)):
        entry = {
            "at": utc(row.at),
            "by": row.by,
            "act": row.act,
            "from": row.from_status,
            "to": row.to_status,
            "version": row.version,
            "note": mask_addresses(row.text or ""),
            "public_text": mask_addresses(row.public_text or ""),
        }
        undoes = {"undoes": utc(row.undone_at)} if row.undone_at else {}
        found[row.comment_id].decisions.append(entry | undoes)


def _add_revisions(session: Session, ids: Sequence[int], found: dict[int, History]) -> None:
    columns = (Revision.comment_id, Revision.text, Revision.html, Revision.is_html)
    wanted = select(*columns, Revision.replaced_at).where(Revision.comment_id.in_(ids))
    for row in session.execute(wanted.order_by(Revision.id)):
        found[row.comment_id].revisions.append(
            {
                "text": row.text,
                "html": row.html,
                "markup": Markup.HTML if row.is_html else Markup.MARKDOWN,
                "replaced_at": utc(row.replaced_at),
            }
        )
