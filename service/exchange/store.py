"""Threads into the database. What takes an import out again is in undoing.py.

Nothing here commits. `write` gives steps: the door runs each in a write session of its own and
commits. What takes time (reading, looking up, rendering, encrypting) happens between them.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache, partial
from itertools import groupby, islice
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, exists, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .. import aliases, database, folds, moderation, urls
from ..models import Article, Author, Comment, Import, Past, now, public_id
from ..status import ImportState, ImportWish, Markup, Status
from ..text import RENDERER, count_links, render, render_html
from ..vault import Hidden, Vault, normal
from . import record
from .arrange import Placed, place
from .pile import Pile, Thread
from .record import Record, Troubles
from .report import Found, Tally

BATCH = 300  # rows a step writes at most: well under 100 ms
LOT = 300  # from so many comments on, small articles make a step together
COUNTED = 100  # articles whose counters are made anew together
REMEMBERED = 20_000  # addresses that are sealed once: some 10 MB
AHEAD = 2  # batches that are being rendered while one is written
RENDERERS = {Markup.MARKDOWN: render, Markup.HTML: render_html}

OPERATOR = "the operator"  # whoever has the machine

COMMENTS, PASTS = cast(Table, Comment.__table__), cast(Table, Past.__table__)
Step = Callable[[Session], None]


class OtherAddresses(Exception):
    """The file is imported already, under other article addresses; holds the import's number."""


class AtTheDesk(Exception):
    """The desk is at work on this file, or about to be; holds the import's number."""


class Stored(NamedTuple):
    """A comment that is in the database."""

    id: int
    root_id: int | None
    status: Status
    is_earlier: bool = False  # this import brought it before it was stopped


@dataclass(eq=False)
class Place:
    """An article as the import knows it: what is to be written there, and what is there."""

    thread: Thread
    article_id: int | None = None
    known: dict[str, Stored] = field(default_factory=dict)

    def load(self, placed: Sequence[Placed]) -> list[Record]:
        return self.thread.records([each.slot for each in placed])


def html_of(markup: Markup, typed: str) -> str:
    return str(RENDERERS[markup](typed))


class Made(NamedTuple):
    """What takes the longest, and needs no key: a record's HTML, and its address's normal form."""

    html: str
    address: str


Make = Callable[[Sequence[Record]], Iterable[Made]]


def made(markup: Markup, typed: str, email: str) -> Made:
    return Made(html_of(markup, typed), normal(email) if email else "")


def made_here(records: Sequence[Record]) -> Iterator[Made]:
    """What is to be made of records, by this process once it is asked for."""
    return (made(one.markup, one.text, one.email) for one in records)


def made_by(pool: Executor, records: Sequence[Record], hands: int) -> Iterator[Made]:
    """What is to be made of records, by so many hands of a pool; they begin at once."""
    share = max(1, len(records) // (hands * 2))
    columns = zip(*((one.markup, one.text, one.email) for one in records), strict=True)
    return pool.map(made, *columns, chunksize=share)


@dataclass
class Run:
    """An import on its way: where to, from what, and what came of it so far."""

    site_id: int
    origins: list[str]
    source: str
    vault: Vault
    import_id: int = 0
    is_resumed: bool = False
    make: Make = made_here
    troubles: Troubles = field(default_factory=Troubles)
    tally: Tally = field(default_factory=Tally)
    found: Found = field(default_factory=Found)
    uncounted: set[int] = field(default_factory=set)  # articles whose counters lag behind

    @cached_property
    def hide(self) -> Callable[[str, str], Hidden]:
        """Seals an address, of which it also takes the normal form. Most people wrote more than once."""
        seal = partial(self.vault.hide, site_id=self.site_id)
        return lru_cache(REMEMBERED)(lambda email, spelled: seal(email, spelled=spelled))


def take_up(session: Session, run: Run, pile: Pile) -> None:
    """Begins or goes on with an import that is there: `run.import_id`. Raises OtherAddresses as
    `begin` does."""
    found = session.get_one(Import, run.import_id)
    _check_addresses(session, found, pile)
    run.is_resumed = has_brought(session, found.id)
    found.state, found.ended_at = ImportState.RUNNING, None


def begin(session: Session, run: Run, file_name: str, digest: str, pile: Pile) -> Import:
    """Opens the import, or takes up the one that has brought this file before, also at the desk. One
    that was only rehearsed there stays as it is, and finds everything here if it is run.

    Raises OtherAddresses if comments of this file were brought to articles that the pile does not
    have: they would all be doubled. Raises AtTheDesk if somebody asked for something there that is
    not done yet.
    """
    same = (Import.site_id == run.site_id, Import.file_digest == digest)
    asked = select(Import.id).where(*same, Import.format == run.source)
    asked = asked.where(Import.wish.in_((ImportWish.REHEARSE, ImportWish.RUN, ImportWish.UNDO)))
    if (number := session.scalar(asked.limit(1))) is not None:
        raise AtTheDesk(number)
    brought = Import.state.in_((ImportState.RUNNING, ImportState.STOPPED, ImportState.DONE))
    newest = select(Import).where(*same, brought, Import.format == run.source)
    found = session.scalars(newest.order_by(Import.id.desc()).limit(1)).first()
    if found is None:
        found = Import(
            site_id=run.site_id,
            format=run.source,
            file_name=record.file_name(file_name),
            file_digest=digest,
            by=OPERATOR,
        )
        session.add(found)
        session.flush()
    _check_addresses(session, found, pile)
    # Until it is done, what an earlier run wrote may not be counted yet.
    run.is_resumed = found.state != ImportState.DONE and has_brought(session, found.id)
    found.state, found.wish, found.ended_at, found.why = ImportState.RUNNING, None, None, ""
    run.import_id = found.id
    return found


def _check_addresses(session: Session, found: Import, pile: Pile) -> None:
    same = (Import.site_id == found.site_id, Import.file_digest == found.file_digest)
    imports = select(Import.id).where(*same, Import.format == found.format)
    for number in session.scalars(imports.where(Import.state != ImportState.UNDONE)).all():
        if pile.lacks(_articles_of(session, number)):
            raise OtherAddresses(number)


def has_brought(session: Session, number: int) -> bool:
    """Whether any comment of an import is there."""
    one = select(Comment.id).where(Comment.import_id == number).limit(1)
    return session.scalar(one) is not None


def lead(session: Session, site_id: int, pile: Pile) -> None:
    """Puts what the file has under an article's former address under the present one."""
    for some in pile.urls():
        numbers = aliases.article_at(session, site_id, some)
        known = select(Article.id, Article.url).where(Article.id.in_(numbers.values()))
        present = dict(session.execute(known).all())
        for url, number in numbers.items():
            if url != present[number]:
                pile.join(url, present[number])


def end(session: Session, run: Run, state: ImportState) -> None:
    """Closes the import; also after a fault, when some articles are still to be counted."""
    if run.uncounted:
        moderation.recount(session, *sorted(run.uncounted))
    mark(session, run.import_id, state)


def mark(session: Session, number: int, state: ImportState) -> None:
    """Puts down what became of an import, as of now."""
    change = update(Import).where(Import.id == number)
    session.execute(change.values(state=state, wish=None, ended_at=now()))


def rehearse(run: Run, threads: Iterable[Thread]) -> Iterator[None]:
    """Counts what `write` would do, and writes nothing. Pauses after every few hundred comments."""
    for lot in _lots(threads):
        for found in _looked_at(run, lot):
            new = iter(_new(run, found))
            while batch := list(islice(new, BATCH)):
                records = found.load(batch)
                for one in records:
                    run.found.comment(one, run.troubles)
                    run.found.compare(one, run.troubles)
                run.tally.imported.update(moderation.imported(r.state) for r in records)
                yield
        yield


def write(run: Run, threads: Iterable[Thread]) -> Iterator[Step]:
    """The steps that bring the threads in. What is there already stays as it is."""
    ahead = deque[_Batch]()
    for lot in _lots(threads):
        places = _looked_at(run, lot)
        rows = ((found, placed) for found in places for placed in _new(run, found))
        batch = None
        while some := list(islice(rows, BATCH)):
            batch = _Batch(run, some)
            ahead.append(batch)
            if len(ahead) > AHEAD:
                yield ahead.popleft().ready()
        # Counted with the last rows, and apart only where there is nothing to write.
        parts = (places[start : start + COUNTED] for start in range(0, len(places), COUNTED))
        counting = [partial(_count, run, part) for part in parts]
        if batch is not None:
            batch.also = counting
        elif run.is_resumed:
            yield from counting
    while ahead:
        yield ahead.popleft().ready()


def _lots(threads: Iterable[Thread]) -> Iterator[list[Thread]]:
    """Small articles together, so that a step is worth its commit."""
    lot: list[Thread] = []
    comments = 0
    for thread in threads:
        lot.append(thread)
        comments += thread.comments
        if comments >= LOT:
            yield lot
            lot, comments = [], 0
    if lot:
        yield lot


def _looked_at(run: Run, lot: Sequence[Thread]) -> list[Place]:
    """Finds the articles, and what is there already that the file may have too."""
    database.forget()  # what was read before the last step
    session = database.session()
    by_url = {thread.url: Place(thread) for thread in lot}
    ids = dict[int, Place]()
    wanted = select(Article.id, Article.url).where(Article.site_id == run.site_id)
    for id, url in session.execute(wanted.where(Article.url.in_(list(by_url)))):
        by_url[url].article_id, ids[id] = id, by_url[url]
    # What comes with the names that our pages gave it may be here still, and not by an import.
    is_ours = any(thread.pile.has_names for thread in lot)
    there = select(Comment.article_id, Comment.source, Comment.source_id, Comment.public_id)
    there = there.add_columns(Comment.id, Comment.root_id, Comment.status, Comment.import_id)
    there = there.where(Comment.article_id.in_(list(ids)))
    rows = session.execute(there if is_ours else there.where(Comment.source == run.source))
    for row in rows.yield_per(1_000):
        names = [row.public_id] if is_ours else []
        names += [row.source_id or ""] if row.source == run.source else []
        stored = Stored(row.id, row.root_id, row.status, row.import_id == run.import_id)
        ids[row.article_id].known.update(dict.fromkeys(names, stored))
    database.forget()
    return list(by_url.values())


def _new(run: Run, found: Place) -> list[Placed]:
    """What the article does not have yet, in the order in which it can be written."""
    run.tally.articles += 1
    is_ours = urls.is_within(found.thread.url, run.origins)
    if not is_ours:
        run.tally.add_foreign(found.thread.url)
    run.found.article(found.thread, found.article_id is None, is_ours)
    new = []
    for placed in place(found.thread.slots(), found.thread.records, found.known, run.troubles):
        stored = found.known.get(placed.slot.id)
        if stored is None:
            new.append(placed)
        else:
            run.tally.known[stored.status] += 1
            run.tally.earlier[stored.status] += stored.is_earlier
    return new


def _count(run: Run, places: Sequence[Place], session: Session) -> None:
    """Counts the articles anew that got something, now or before an earlier run was cut off."""
    ids = {found.article_id for found in places} - {None}
    behind = [id for id in ids if id is not None and (run.is_resumed or id in run.uncounted)]
    if behind:
        moderation.recount(session, *sorted(behind))
        run.uncounted.difference_update(behind)


def _with_records(found: Place, some: Sequence[Placed]) -> Iterator[tuple[Placed, Record]]:
    return zip(some, found.load(some), strict=True)


class _Batch:
    """Some rows on their way: what is made of them begins at once, `ready` waits for it."""

    def __init__(self, run: Run, rows: Sequence[tuple[Place, Placed]]) -> None:
        self.run = run
        self.rows = [
            (found, placed, one)
            for found, some in groupby(rows, key=lambda row: row[0])
            for placed, one in _with_records(found, [placed for _, placed in some])
        ]
        for _, _, one in self.rows:
            run.found.comment(one, run.troubles)
        self.making = run.make([one for _, _, one in self.rows])
        self.html: list[str] = []
        self.edits: list[str | None] = []  # the HTML of those that wait
        self.hidden: dict[str, Hidden] = {}
        self.also: Sequence[Step] = ()  # what is done together with it

    def ready(self) -> Step:
        """The step that writes them."""
        for (_, _, one), found in zip(self.rows, self.making, strict=True):
            self.html.append(found.html)
            waiting = one.waiting_edit
            self.edits.append(html_of(Markup.MARKDOWN, waiting[0]) if waiting else None)
            if one.text and not found.html:
                self.run.troubles.note("text of which nothing can be shown", one.source_id)
            if one.email and one.email not in self.hidden:
                self.hidden[one.email] = self.run.hide(one.email, found.address)
        return self.write

    def write(self, session: Session) -> None:
        self._make_articles(session)
        authors = self._authors(session)
        values: list[dict[str, Any]] = []
        taken = _taken(session, [one.public_id for _, _, one in self.rows])
        numbers = _numbers(session, len(self.rows))
        wrote = self._who_wrote(session, authors.values())
        made = zip(numbers, self.rows, self.html, self.edits, strict=True)
        for id, (found, placed, one), html, edit in made:
            hidden = self.hidden.get(one.email)
            author_id = authors[hidden.index] if hidden else None
            is_first = author_id is not None and author_id not in wrote
            wrote.add(author_id)
            by = {"author_id": author_id, "is_first": is_first}
            row = self._row(id, found, placed, one, html) | by | _waiting(one, edit)
            if one.public_id and one.public_id not in taken:
                row["public_id"] = one.public_id
                taken.add(one.public_id)
            values.append(row)
        # Right from the start where root and replies come together; what is not is counted later.
        approved = (row["root_id"] for row in values if row["status"] == Status.APPROVED)
        below = Counter(approved)
        for row in values:
            row["approved_below"] = below[row["id"]]
        # The table's own insert: the ORM's breaks the rows up by which columns are empty.
        session.execute(insert(COMMENTS), values)
        pairs = zip(values, self.rows, strict=True)
        pasts = [_past(row["id"], one.past) for row, (_, _, one) in pairs if one.past]
        if pasts:
            session.execute(insert(PASTS), pasts)
        if pinned := [row["id"] for row in values if row["pinned_at"]]:
            moderation.limit_pins(session, pinned)
        folds.join_many(session, values)
        for step in self.also:
            step(session)
        self.run.tally.imported.update(row["status"] for row in values)

    def _name_articles(self, session: Session, new: Collection[Place]) -> None:
        """What else articles that came were found by: the publisher's own ids, where no other has
        them, and former addresses, where these lead nowhere yet; and which were held."""
        site_id = self.run.site_id
        named = {found.thread.given_id: found for found in new if found.thread.given_id}
        same = (Article.site_id == site_id, Article.given_id.in_(list(named)))
        taken = session.scalars(select(Article.given_id).where(*same)).all() if named else ()
        for found in new:
            thread, is_here = found.thread, Article.id == found.article_id
            if named.get(thread.given_id) is found and thread.given_id not in taken:
                session.execute(update(Article).where(is_here).values(given_id=thread.given_id))
            if thread.is_held:
                session.execute(update(Article).where(is_here).values(held_at=now()))
            if thread.aliases and found.article_id is not None:
                aliases.lead_to(session, site_id, found.article_id, thread.aliases)

    def _make_articles(self, session: Session) -> None:
        new = {f.thread.url: f for f, _, _ in self.rows if f.article_id is None}
        if new:
            began: dict[str, datetime] = {}
            for f, _, one in self.rows:
                began[f.thread.url] = min(began.get(f.thread.url, one.created_at), one.created_at)
            made = [self._article(f.thread, began[url]) for url, f in new.items()]
            if (first := aliases.unused(session)) is not None:
                made = [row | {"id": first + place} for place, row in enumerate(made)]
            _insert_missing(session, Article, made)
            wanted = select(Article.id, Article.url).where(Article.site_id == self.run.site_id)
            for id, url in session.execute(wanted.where(Article.url.in_(list(new)))):
                new[url].article_id = id
            self._name_articles(session, new.values())
        self.run.uncounted |= {f.article_id for f, _, _ in self.rows if f.article_id is not None}

    def _article(self, thread: Thread, began: datetime) -> dict[str, Any]:
        """An article is as old as its first comment: a site may have it close by its age."""
        at = now()
        # The publisher's own export names the article; nobody else had a say in it.
        proved = bool(thread.title)
        site_id = self.run.site_id
        return {
            "site_id": site_id,
            "url": thread.url,
            "title": thread.title,
            "is_title_proved": proved,
            "closed_at": at if thread.is_closed else None,
            "created_at": min(began, at),
        }

    def _authors(self, session: Session) -> dict[bytes, int]:
        """The authors' ids by blind index; those that are new are made."""
        by_index = {hidden.index: hidden for hidden in self.hidden.values()}
        known = self._known_authors(session, by_index)
        new = [self._author(by_index[index]) for index in by_index.keys() - known.keys()]
        if not new:
            return known
        _insert_missing(session, Author, new)
        return self._known_authors(session, by_index)

    def _known_authors(self, session: Session, indexes: Iterable[bytes]) -> dict[bytes, int]:
        wanted = select(Author.email_index, Author.id).where(Author.site_id == self.run.site_id)
        found = session.execute(wanted.where(Author.email_index.in_(list(indexes))))
        return {row.email_index: row.id for row in found}

    def _who_wrote(self, session: Session, author_ids: Iterable[int]) -> set[int | None]:
        """Those who have a comment already."""
        authors = select(Author.id).where(Author.id.in_(list(author_ids)))
        return set(session.scalars(authors.where(exists().where(Comment.author_id == Author.id))))

    def _author(self, hidden: Hidden) -> dict[str, Any]:
        return {
            "site_id": self.run.site_id,
            "email_index": hidden.index,
            "email_ciphertext": hidden.ciphertext,
            "email_key_id": hidden.key_id,
            "domain_index": hidden.domain_index,
        }

    def _row(
        self, id: int, found: Place, placed: Placed, record: Record, html: str
    ) -> dict[str, Any]:
        parent = found.known[placed.under] if placed.under else None
        root_id = (parent.root_id or parent.id) if parent else None
        status = moderation.imported(record.state)
        if placed.is_answered:
            found.known[record.source_id] = Stored(id, root_id, status)
        return {
            "id": id,
            "public_id": public_id(),
            "site_id": self.run.site_id,
            "article_id": found.article_id,
            "parent_id": parent.id if parent else None,
            "root_id": root_id,
            "name": record.author,
            "website": record.website,
            "text": record.text,
            "html": html,
            "markup": record.markup,
            "renderer": RENDERER,
            "status": status,
            "kind": record.kind,
            "created_at": record.created_at,
            "edited_at": record.edited_at,
            "is_reworded": record.is_reworded,
            "pinned_at": record.pinned_at or (record.created_at if record.is_pinned else None),
            "like_count": record.likes,
            "language": record.language,
            "import_id": self.run.import_id,
            "source": self.run.source,
            "source_id": record.source_id,
            "source_parent": record.source_parent,
            "website_domain": urls.domain(record.website),
            "link_count": count_links(html),
            **self._likeness(record.text, html, status),
        }

    def _likeness(self, typed: str, html: str, status: Status) -> dict[str, Any]:
        """By what a comment that still waits is found to be like others."""
        if status not in folds.WAITING:
            return {"fold_digest": None, "link_domain": ""}
        domain = folds.link_domain(html, self.run.origins)
        return {"fold_digest": folds.digest(self.run.vault, typed), "link_domain": domain}


def _waiting(record: Record, html: str | None) -> dict[str, Any]:
    """A change by the author that waited there, and so waits here (hard rule 3)."""
    typed, at = record.waiting_edit or (None, None)
    return {"edit_text": typed, "edit_html": html, "edit_at": at}


def _taken(session: Session, names: Iterable[str]) -> set[str]:
    """Which of these public ids have a comment already."""
    wanted = [name for name in names if name]
    if not wanted:
        return set()
    return set(session.scalars(select(Comment.public_id).where(Comment.public_id.in_(wanted))))


def _past(id: int, past: record.Past) -> dict[str, Any]:
    parts = {name: list(getattr(past, name)) for name in ("reasons", "decisions", "revisions")}
    return {"comment_id": id, **parts, "origin": past.origin}


def _numbers(session: Session, count: int) -> Sequence[int]:
    """Ids for new comments, rising: a reply can be written together with what it answers."""
    if session.get_bind().dialect.name == "sqlite":
        last = session.scalar(select(func.max(Comment.id))) or 0  # ours: nobody else writes now
        return range(last + 1, last + 1 + count)
    drawn = text(
        "SELECT nextval(pg_get_serial_sequence('comments', 'id')) FROM generate_series(1, :count)"
    )
    return sorted(session.scalars(drawn, {"count": count}))


def _insert_missing(
    session: Session, model: type[Article] | type[Author], rows: Sequence[dict[str, Any]]
) -> None:
    """Inserts rows; one that somebody else made in between is taken as it is."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insertion = sqlite.insert(model) if is_sqlite else postgresql.insert(model)
    session.execute(insertion.on_conflict_do_nothing(), rows)


def _articles_of(session: Session, number: int) -> set[str]:
    brought = select(Comment.article_id).where(Comment.import_id == number)
    return set(session.scalars(select(Article.url).where(Article.id.in_(brought))))
