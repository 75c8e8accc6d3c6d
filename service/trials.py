"""What a rule would have done to the comments that came last: judged anew, with nothing changed.

Each of them is put together again as it was sent, with what was known at its moment. What nobody
keeps (how fast it was sent, whether it fell into the trap, …) cannot be: there the ledger tells what
the rules said then, and a rule that looks at it cannot be tried with other numbers.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.orm import Session, selectinload

from . import screening, text
from .models import Author, Comment, Decision, Judgement, Revision, Site
from .rules import RULES, Draft, Fired, History, Policy, Rule
from .screening.history import PARTS, Part
from .status import Act, Kind, Mark, Occasion, Status

MOST = 1_000  # comments that are looked at
SECONDS = 3.0  # in which as many of them are looked at as there is time for
SHOWN = 50  # of a kind are listed

# What is not kept of a comment, or was so at its moment only.
UNKEPT_OF_DRAFT = frozenset(
    ("is_origin_withheld", "seconds", "mail_domain", "is_trapped", "has_worked", "opinions")
)
UNKEPT_OF_HISTORY = frozenset(
    ("is_article_known", "is_article_held", "ban", "ban_reason", "is_reused", "is_wave")
)
FROM_LEDGER = ("chance", "telling")  # of the filter as it was
KNOWN = frozenset(field.name for field in fields(History))

# What becomes of a comment, and how grave that is; the last: its writer is asked for other words.
ASKED = "asked"
GRAVITY: tuple[str, ...] = (Status.APPROVED, Status.PENDING, Status.SPAM, ASKED)
# The kinds of changes. The last two change nothing, for other rules say the same.
HELD, SPAM, FREED, EASED, ALSO, NO_LONGER = "held", "spam", "freed", "eased", "also", "no_longer"
KINDS = (ASKED, SPAM, HELD, EASED, FREED, ALSO, NO_LONGER)


class NotKept(Exception):
    """A rule asked for something that is not kept."""


@dataclass(frozen=True)
class Change:
    """A comment on which a rule would have said something else."""

    comment: Comment
    kind: str  # one of KINDS
    before: str  # of GRAVITY: what would become of it by the rules as they are
    after: str
    matched: str
    decided: Status | None  # by a moderator, as it stands; None: nobody yet


@dataclass(frozen=True)
class Trial:
    """What a rule would have done, newest comments first."""

    looked_at: int
    changes: tuple[Change, ...] = ()
    is_untried: bool = False  # what the rule looks at is not kept
    is_cut: bool = False  # there was time for no more

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    def decided(self, kind: str) -> Counter[Status | None]:
        """How moderators decided on those of a kind."""
        return Counter(change.decided for change in self.of(kind))


def trial(
    session: Session,
    site: Site,
    before: Policy,
    after: Policy,
    rule: Rule,
    clock: Callable[[], float] = time.monotonic,
) -> Trial:
    """Tries one rule, which may be another by the second policy, on the site's newest comments that
    readers posted. Takes a clock that counts seconds."""
    until, looked_at = clock() + SECONDS, 0
    changes: list[Change] = []
    is_untried = is_cut = False
    for past in _pasts(session, site):
        if clock() > until:
            is_cut = True
            break
        looked_at += 1
        try:
            old = past.opinion(session, rule, before, before)
            new = past.opinion(session, rule, before, after)
        except NotKept:
            is_untried = True
            break
        if _said(old) != _said(new):
            changes.append(_change(session, past, rule, before, old, new))
    if is_untried:
        return Trial(looked_at, is_untried=True)
    return Trial(looked_at, tuple(changes), False, is_cut)


def _said(fired: Fired | None) -> tuple[str, bool] | None:
    return (fired.status, fired.asks) if fired else None


def _change(
    session: Session,
    past: "Past",
    rule: Rule,
    policy: Policy,
    old: Fired | None,
    new: Fired | None,
) -> Change:
    others = [
        fired
        for other in RULES
        if other.name != rule.name
        if (fired := past.of_other(session, other, policy))
    ]
    was, would = _outcome([*others, old]), _outcome([*others, new])
    fired = new or old
    matched = fired.matched if fired else ""
    return Change(past.comment, _kind(was, would, new), was, would, matched, past.decided)


def _outcome(fired: Sequence[Fired | None]) -> str:
    found: list[str] = [ASKED if one.asks else one.status for one in fired if one]
    return max(found, key=GRAVITY.index, default=Status.APPROVED)


def _kind(was: str, would: str, new: Fired | None) -> str:
    if GRAVITY.index(would) > GRAVITY.index(was):
        return HELD if would == Status.PENDING else would
    if GRAVITY.index(would) < GRAVITY.index(was):
        return FREED if would == Status.APPROVED else EASED
    return ALSO if new else NO_LONGER


class KeptDraft(Draft):
    """A draft put together again; asked for what is not kept it raises NotKept."""

    def __getattribute__(self, name: str) -> Any:
        if name in UNKEPT_OF_DRAFT:
            raise NotKept(name)
        return super().__getattribute__(name)


class KeptHistory(History):
    """What was known at a moment. Each part of it is read when a rule asks for it: most rules ask
    for little, and a thousand comments are many."""

    def __getattribute__(self, name: str) -> Any:
        if name in UNKEPT_OF_HISTORY:
            raise NotKept(name)
        if name in KNOWN:
            return object.__getattribute__(self, "recall")(name)
        return super().__getattribute__(name)


# Which part tells what, learned by asking.
_sources: dict[str, Part] = {}


def _recalling(
    session: Session, arrival: screening.Arrival, policy: Policy, facts: dict[str, Any]
) -> History:
    """A history that reads on demand. Takes what is known of it already."""
    history, asked = KeptHistory(), set[Part]()

    def recall(name: str) -> Any:
        first = [_sources[name]] if name in _sources else []
        for part in (*first, *PARTS):
            if name in facts:
                break
            if part not in asked:
                asked.add(part)
                told = part(session, arrival, policy)
                _sources.update(dict.fromkeys(told, part))
                facts.update(told)
        return facts.get(name, History.__dataclass_fields__[name].default)

    object.__setattr__(history, "recall", recall)
    return history


@dataclass
class Past:
    """A comment as it was when it came."""

    comment: Comment
    draft: Draft
    arrival: screening.Arrival
    ledger: dict[str, tuple[Status, str]]  # what each rule said then, that said anything
    facts: dict[str, Any]  # of its history, that the ledger keeps
    decided: Status | None

    def opinion(self, session: Session, rule: Rule, was: Policy, policy: Policy) -> Fired | None:
        """What a rule says of it by a policy. Takes the site's own policy too: where a rule is tried
        with nothing but another status, or switched off, the ledger tells. Raises NotKept."""
        history = _recalling(session, self.arrival, policy, dict(self.facts))
        try:
            return rule.judge(self.draft, history, policy)
        except NotKept:
            if policy is not was and _numbers(rule, policy) != _numbers(rule, was):
                raise
            return self._then(rule, policy)

    def of_other(self, session: Session, rule: Rule, policy: Policy) -> Fired | None:
        """What a rule that is not tried says of it."""
        history = _recalling(session, self.arrival, policy, dict(self.facts))
        try:
            return rule.judge(self.draft, history, policy)
        except NotKept:
            return self._then(rule, policy)

    def _then(self, rule: Rule, policy: Policy) -> Fired | None:
        if rule.name not in self.ledger:
            return None
        status, matched = self.ledger[rule.name]
        to = policy.tuned.get(rule.name, {}).get("to")
        return Fired(rule.name, Status(to) if to and rule.may else status, matched, rule.asks)


def _numbers(rule: Rule, policy: Policy) -> dict[str, Any]:
    """All of a rule that a policy can set, but for what becomes of what it catches. A rule that is
    switched on says of older comments nothing that the ledger could know."""
    tuned = policy.tuned.get(rule.name, {})
    is_on = rule.is_fixed or tuned.get("on", rule.is_on)
    return {"on": is_on, **{n.name: tuned.get(n.name, n.default) for n in rule.numbers}}


def _pasts(session: Session, site: Site) -> list[Past]:
    """The comments to look at, newest first, read in a few statements."""
    newest = select(Comment).where(Comment.id.in_(_newest(site.id)), *_readers_own())
    shown = session.scalars(
        newest.options(selectinload(Comment.article)).order_by(Comment.id.desc())
    ).all()
    ids = [comment.id for comment in shown]
    first = _first_texts(session, ids)
    said = _ledger(session, ids)
    decided = set(
        session.scalars(
            select(Decision.comment_id).where(
                Decision.comment_id.in_(ids),
                Decision.act == Act.DECIDED,
                Decision.moderator_id.is_not(None),
            )
        )
    )
    indexes = dict[int, bytes | None]()
    writers = {comment.author_id for comment in shown}
    for author_id, index in session.execute(
        select(Author.id, Author.email_index).where(Author.id.in_(writers))
    ):
        indexes[author_id] = index
    return [
        _past(
            comment,
            first.get(comment.id, (comment.text, comment.html)),
            said.get(comment.id),
            indexes.get(comment.author_id or 0),
            comment.id in decided,
        )
        for comment in shown
    ]


def _past(
    comment: Comment,
    typed: tuple[str, str],
    said: Judgement | None,
    email_index: bytes | None,
    is_decided: bool,
) -> Past:
    words, html = typed
    draft = KeptDraft(
        name=comment.name,
        text=words,
        addresses=tuple(text.addresses(f"{words} {unquote(comment.website)}")),
        website=comment.website,
        links=text.count_links(html),
        language=comment.language,
    )
    arrival = screening.Arrival(
        site_id=comment.site_id,
        article=comment.article,
        name=comment.name,
        text=words,
        text_digest=comment.text_digest or b"",
        at=comment.created_at,
        email_index=email_index,
        network=comment.network,
        is_proved=comment.is_proved,
        own_id=comment.id,
    )
    facts: dict[str, Any] = {"is_proved": comment.is_proved}
    if said and said.chance is not None:
        facts |= {"chance": said.chance / 100, "telling": tuple(said.telling)}
    else:
        facts |= {name: History.__dataclass_fields__[name].default for name in FROM_LEDGER}
    reasons = said.reasons if said else []
    ledger = {rule: (Status(status), matched) for rule, status, matched in reasons}
    is_settled = is_decided and comment.status != Status.PENDING
    return Past(comment, draft, arrival, ledger, facts, comment.status if is_settled else None)


def _readers_own() -> Collection[ColumnElement[bool]]:
    """Neither imported nor staff's, and not emptied."""
    return (
        Comment.import_id.is_(None),
        Comment.mark != Mark.STAFF,
        Comment.kind == Kind.COMMENT,
        Comment.html != "",
    )


def _newest(site_id: int) -> Any:
    """The ids of the newest, whatever became of them: each status by its own index."""
    lists = [
        select(Comment.id, Comment.created_at)
        .where(Comment.status == status, Comment.site_id == site_id, *_readers_own())
        .order_by(Comment.created_at.desc())
        .limit(MOST)
        .subquery()
        for status in Status
    ]
    every = union_all(*(select(one) for one in lists)).subquery()
    newest = select(every.c.id).order_by(every.c.created_at.desc()).limit(MOST)
    return newest.scalar_subquery()


def _first_texts(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """The text that a changed comment was posted with, as typed and as rendered."""
    firsts = (
        select(func.min(Revision.id))
        .where(Revision.comment_id.in_(ids))
        .group_by(Revision.comment_id)
    )
    found = select(Revision.comment_id, Revision.text, Revision.html).where(
        Revision.id.in_(firsts), Revision.html != ""
    )
    return {row.comment_id: (row.text, row.html) for row in session.execute(found)}


def _ledger(session: Session, ids: Sequence[int]) -> dict[int, Judgement]:
    """What the rules said when each was posted."""
    posted = (Judgement.comment_id.in_(ids), Judgement.occasion == Occasion.POSTED)
    return {
        row.comment_id: row
        for row in session.scalars(select(Judgement).where(*posted))
        if row.comment_id
    }
