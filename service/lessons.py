"""The filter that learns, taught: by what moderators decided, in the order of the log.

Who teaches it plans in a reading session, where texts are taken apart, and then writes in a short
transaction that holds the site's row of `knowledge`: the cursor on the log moves with the counts, so
that nothing is learned twice or left out whoever is stopped in between. What is learned from a
comment is what stands of it when its decision is come to; an undo is one more row of the log.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from . import learning, moderation
from .features import Feature
from .learning import NOTHING, Known, Totals
from .models import Comment, Decision, Knowledge, Lesson, Taught, now
from .models import Feature as Row
from .screening import filter
from .status import Act, Mark, Status
from .vault import Vault

BATCH = 10  # comments that are learned in one transaction
BEHIND = 1_000  # decisions on other sites after which a site's cursor moves without a lesson
MOST_KNOWN = 200_000  # features of a site, about 20 MB; where there are more the rarest go
KEPT_KNOWN = 180_000  # so many are left then
DROPPED = 2_000  # in one transaction
MOST_KEPT = 10_000  # newest lessons of a site that can be unlearned
# What a moderator's word on a comment is, and what changes the words that it was about.
WORDS_OF = (Act.DECIDED, Act.KEPT)
CHANGES_OF = (Act.EDITED, Act.REWORDED)


@dataclass(frozen=True)
class Example:
    """A text and what it is. Without a digest: what it was, in words that are no longer there."""

    is_spam: bool
    found: Sequence[Feature] = ()
    digest: bytes = b""  # of the words


@dataclass(frozen=True)
class Plan:
    """What a site's filter learns next. `examples`: what each comment teaches by now, None for
    nothing."""

    site_id: int
    start: int  # where the cursor on the log stood
    end: int  # where it stands afterwards
    examples: Mapping[int, Example | None]


def plan(session: Session, vault: Vault, site_id: int) -> Plan | None:
    """What is to be learned from the next decisions of a site's log; None if there are none."""
    start = _cursor(session, site_id)
    # Before the rows are read: one that comes into sight later has a higher id.
    shown = moderation.last_shown(session)
    of_site = select(Decision.id, Decision.comment_id).join(Decision.comment)
    of_site = of_site.where(Comment.site_id == site_id, Decision.id > start, Decision.id <= shown)
    rows = session.execute(of_site.order_by(Decision.id).limit(BATCH)).all()
    if not rows:
        return Plan(site_id, start, shown, {}) if shown > start + BEHIND else None
    end = rows[-1].id if len(rows) == BATCH else shown
    return Plan(site_id, start, end, _examples(session, vault, {row.comment_id for row in rows}))


def learn(session: Session, planned: Plan) -> bool:
    """Learns what was planned; False if another process was faster."""
    knowledge = lock(session, planned.site_id)
    if knowledge.last_decision_id != planned.start:
        return False
    of_these = select(Lesson).where(Lesson.comment_id.in_(planned.examples))
    earlier = {lesson.comment_id: lesson for lesson in session.scalars(of_these)}
    course = Course(session, knowledge)
    pairs = [(id, example, earlier.get(id)) for id, example in sorted(planned.examples.items())]
    changed = [pair for pair in pairs if not _is_learned(pair[1], pair[2])]
    course.read(
        [example for _, example, _ in changed if example], [old for *_, old in changed if old]
    )
    for comment_id, example, old in changed:
        if old:
            course.unlearn(old)
            session.delete(old)
            session.flush()
        if example and example.digest:
            mistake, packed = course.learn(example)
            session.add(
                Lesson(
                    comment_id=comment_id,
                    is_spam=example.is_spam,
                    text_digest=example.digest,
                    step=mistake,
                    changes=packed,
                )
            )
    course.write()
    knowledge.last_decision_id = planned.end
    return True


def teach(session: Session, site_id: int, examples: Sequence[Example]) -> int:
    """Learns examples that are no comments of the site, but for those that it was taught before;
    says how many were new. At most BATCH at once."""
    knowledge = lock(session, site_id)
    digests = [example.digest for example in examples]
    of_site = select(Taught.digest).where(Taught.site_id == site_id, Taught.digest.in_(digests))
    before = set(session.scalars(of_site))
    new = list({each.digest: each for each in examples if each.digest not in before}.values())
    course = Course(session, knowledge)
    course.read(new, [])
    for example in new:
        course.learn(example)
        session.add(Taught(site_id=site_id, digest=example.digest))
    course.write()
    return len(new)


def lock(session: Session, site_id: int) -> Knowledge:
    """The site's row of knowledge, made if new; nobody else learns for it until the end of the
    transaction."""
    row = _insert(session, Knowledge).values(site_id=site_id, spam=0, ham=0, last_decision_id=0)
    row = row.values(last_feedback_id=0, last_rescored_id=0)
    session.execute(row.on_conflict_do_nothing())
    return session.get_one(Knowledge, site_id, with_for_update=True, populate_existing=True)


class Course:
    """Lessons of one transaction: read at its beginning, counted in memory, written at its end."""

    def __init__(self, session: Session, knowledge: Knowledge) -> None:
        self.session, self.knowledge = session, knowledge
        self.known: dict[int, Known] = {}
        self.changes: dict[int, Known] = defaultdict(lambda: NOTHING)

    def read(self, examples: Iterable[Example], old: Iterable[Lesson]) -> None:
        hashes = {one.hash for example in examples for one in example.found}
        for lesson in old:
            hashes |= learning.unpack(lesson.changes or b"", lesson.is_spam).keys()
        self.known = filter.known_of(self.session, self.knowledge.site_id, hashes)

    def learn(self, example: Example) -> tuple[float, bytes]:
        """How far it was mistaken, and what changes, packed."""
        self._count(example.is_spam, 1)
        totals = Totals(self.knowledge.spam, self.knowledge.ham)
        said = learning.parts(example.found, self.known, totals)
        changes = learning.lesson(example.found, self.known, totals, example.is_spam)
        self._apply(changes)
        return learning.chance(said) - example.is_spam, learning.pack(changes)

    def unlearn(self, lesson: Lesson) -> None:
        """Takes away what a lesson changed; what is not known any more has nothing to lose."""
        if lesson.changes is None:
            return
        self._count(lesson.is_spam, -1)
        changes = learning.opposite(learning.unpack(lesson.changes, lesson.is_spam))
        self._apply({hash: change for hash, change in changes.items() if hash in self.known})

    def write(self) -> None:
        if not self.changes:
            return
        site_id = self.knowledge.site_id
        rows = [
            {"site_id": site_id, "hash": hash, **change._asdict()}
            for hash, change in sorted(self.changes.items())
        ]
        added = _insert(self.session, Row)
        sums = {name: getattr(Row, name) + added.excluded[name] for name in Known._fields}
        keys = [Row.site_id, Row.hash]
        upsert = added.on_conflict_do_update(index_elements=keys, set_=sums)
        self.session.connection().execute(upsert, rows)
        gone = [hash for hash in self.changes if _is_empty(self.known[hash])]
        if gone:
            empty = (Row.site_id == site_id, Row.hash.in_(gone), Row.spam + Row.ham <= 0)
            self.session.execute(delete(Row).where(*empty))
        self.knowledge.learned_at = now()

    def _count(self, is_spam: bool, change: int) -> None:
        self.knowledge.spam = max(0, self.knowledge.spam + change * is_spam)
        self.knowledge.ham = max(0, self.knowledge.ham + change * (not is_spam))

    def _apply(self, changes: Mapping[int, Known]) -> None:
        for hash, change in changes.items():
            self.known[hash] = self.known.get(hash, NOTHING).plus(change)
            self.changes[hash] = self.changes[hash].plus(change)
            if _is_empty(self.known[hash]):  # what is left of its weight is not worth keeping
                rest = Known(0, 0, -self.known[hash].weight, -self.known[hash].squares)
                self.known[hash] = self.known[hash].plus(rest)
                self.changes[hash] = self.changes[hash].plus(rest)


def surplus(session: Session, site_id: int) -> list[int]:
    """The features that a site's model has too many: those that stood in the fewest comments, and
    of these the ones that say least. None as long as there are at most MOST_KNOWN."""
    count = session.scalar(select(func.count()).where(Row.site_id == site_id)) or 0
    if count <= MOST_KNOWN:
        return []
    rarest = select(Row.hash).where(Row.site_id == site_id)
    order = (Row.spam + Row.ham, func.abs(Row.weight), Row.hash)
    return list(session.scalars(rarest.order_by(*order).limit(count - KEPT_KNOWN)))


def drop(session: Session, site_id: int, hashes: Sequence[int]) -> None:
    """Forgets features. Takes DROPPED at most."""
    lock(session, site_id)
    session.execute(delete(Row).where(Row.site_id == site_id, Row.hash.in_(hashes)))


def too_old(session: Session, site_id: int) -> list[int]:
    """Comments whose lessons are too old to be kept for unlearning, DROPPED at most."""
    if sum(filter.totals_of(session, site_id)) <= MOST_KEPT:
        return []
    kept = select(Lesson.comment_id).join(Comment).where(Comment.site_id == site_id)
    kept = kept.where(Lesson.changes.is_not(None)).order_by(Lesson.comment_id.desc())
    return list(session.scalars(kept.offset(MOST_KEPT).limit(DROPPED)))


def forget(session: Session, comment_ids: Sequence[int]) -> None:
    """What the filter learned from these comments stays as it is from now on."""
    of_these = update(Lesson).where(Lesson.comment_id.in_(comment_ids))
    session.execute(of_these.values(changes=None).execution_options(synchronize_session=False))


def _examples(
    session: Session, vault: Vault, comment_ids: Iterable[int]
) -> dict[int, Example | None]:
    ids = list(comment_ids)
    log: dict[int, list[Decision]] = defaultdict(list)
    changes = (Decision.comment_id.in_(ids), Decision.act.in_(moderation.CHANGES))
    for decision in session.scalars(select(Decision).where(*changes).order_by(Decision.id)):
        log[decision.comment_id].append(decision)
    examples: dict[int, Example | None] = {}
    for comment in session.scalars(select(Comment).where(Comment.id.in_(ids))):
        word = standing(log[comment.id])
        if not _teaches(comment, word):
            examples[comment.id] = None
        elif word is not None and _is_changed(comment, log[comment.id], word):
            examples[comment.id] = Example(comment.status == Status.SPAM)
        else:
            examples[comment.id] = _example(vault, comment)
    return examples


def standing(log: Sequence[Decision]) -> Decision | None:
    """The last word of a moderator in a comment's log that nobody took back."""
    undone = {decision.undoes_id: decision for decision in log if decision.undoes_id}

    def stands(decision: Decision) -> bool:
        later = undone.get(decision.id)
        return later is None or not stands(later)

    words = (d for d in reversed(log) if d.act in WORDS_OF and d.moderator_id is not None)
    return next((word for word in words if stands(word)), None)


def _teaches(comment: Comment, word: Decision | None) -> bool:
    """Whether there is something to learn: a moderator published it or called it spam, and it is
    that still. What is rejected may be an opinion, what staff write was never in question."""
    if word is None or comment.mark == Mark.STAFF or not comment.text:
        return False
    taught = (Status.APPROVED, Status.SPAM)
    return comment.status in taught and word.to_status == comment.status


def _is_changed(comment: Comment, log: Sequence[Decision], word: Decision) -> bool:
    """Whether the words are others than those that were decided on. An edit that waits, or that
    was turned down, stands beside them."""
    changes = [decision for decision in log if decision.act in CHANGES_OF and decision.id > word.id]
    is_aside = comment.edit_text is not None and not comment.is_reworded
    return bool(changes) and not is_aside


def _example(vault: Vault, comment: Comment) -> Example:
    found = filter.looked_at(vault, comment.site_id, comment.name, comment.website, comment.text)
    return Example(comment.status == Status.SPAM, found, vault.words(comment.text))


def _is_learned(example: Example | None, lesson: Lesson | None) -> bool:
    if lesson is None:
        return example is None or not example.digest
    if example is None or lesson.is_spam != example.is_spam:
        return False
    return example.digest in (b"", lesson.text_digest)


def _is_empty(it: Known) -> bool:
    return it.spam <= 0 and it.ham <= 0


def _cursor(session: Session, site_id: int) -> int:
    cursor = select(Knowledge.last_decision_id).where(Knowledge.site_id == site_id)
    return session.scalar(cursor) or 0


def _insert(session: Session, table: type[Row] | type[Knowledge]) -> Any:
    """An INSERT that may say what happens to rows which are there."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
