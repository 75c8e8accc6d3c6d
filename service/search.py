"""Words typed into a search, and what they ask of each database's own full-text index.

The index stands beside the comments (migration "search") and follows their name and text by
triggers. It knows words between spaces and signs, whatever their capitals and accents. Scripts
that put no space between words (Chinese, Japanese, Thai and their like, and Korean, which joins
particles to them) are looked for letter by letter instead, among a bounded number of comments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    column,
    func,
    table,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from .models import Comment, Id

LONGEST = 200  # characters of what can be searched for
MOST_TERMS = 20
GROWN = 2_000  # bytes of what describes SQLite's index: some 500 erasures
# Thai, Lao, Burmese, Khmer, Kana, Chinese characters, Hangul.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
# "Words in quotes" stand side by side; others may stand anywhere.
TERM = re.compile(r'"([^"]*)"|([^\s"]+)')


@dataclass(frozen=True)
class Wanted:
    """What was typed, taken apart: what the index knows, and what only a look at the text tells."""

    words: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()


def read(typed: str) -> Wanted:
    """Takes what was typed apart. A term of signs alone is looked for as it stands."""
    found = [(quoted or bare).strip() for quoted, bare in TERM.findall(typed[:LONGEST])]
    terms = [term for term in found if term][:MOST_TERMS]
    is_indexed = [any(c.isalnum() for c in t) and not UNSPACED.search(t) for t in terms]
    return Wanted(
        tuple(t for t, known in zip(terms, is_indexed, strict=True) if known),
        tuple(t for t, known in zip(terms, is_indexed, strict=True) if not known),
    )


# The index of each kind of database, and its column with the comment's id.
INDEXES = {
    "sqlite": table("search", column("rowid", Id), column("name"), column("text")),
    "postgresql": table("search", column("comment_id", Id), column("name"), column("text")),
}


def number(dialect: str) -> ColumnElement[int]:
    """The index's column with the comment's id."""
    return cast("ColumnElement[int]", next(iter(INDEXES[dialect].c)))


def matching(dialect: str, name: Sequence[str], text: Sequence[str]) -> ColumnElement[bool]:
    """The condition on `index` that a name and a text hold all of these words."""
    asked = {field: terms for field, terms in (("name", name), ("text", text)) if terms}
    if dialect == "sqlite":
        # A phrase in quotes is the only part of FTS5's language that people reach.
        query = " AND ".join(
            f"{{{field}}} : ({' AND '.join(map(_phrase, terms))})" for field, terms in asked.items()
        )
        return cast("ColumnElement[bool]", sql("search MATCH :words").bindparams(words=query))
    found = INDEXES[dialect]
    return and_(
        *(
            found.c[field].op("@@")(
                func.phraseto_tsquery(sql("'simple'"), func.search_fold(bindparam(None, term)))
            )
            for field, terms in asked.items()
            for term in terms
        )
    )


def _phrase(term: str) -> str:
    return '"' + term.replace('"', " ").replace("\0", " ") + '"'


def holding(wanted: Wanted, where: Any) -> list[ColumnElement[bool]]:
    """The conditions that a name or text holds these letters, whatever stands around them."""
    return [func.lower(where).like(f"%{pattern(t)}%", escape="\\") for t in wanted.letters]


def pattern(typed: str) -> str:
    """What LIKE takes for just these letters, in lower case."""
    return re.sub(r"([\\%_])", r"\\\1", typed.lower())


def joined(dialect: str) -> FromClause:
    """The comments with their words beside them."""
    return INDEXES[dialect].join(Comment.__table__, Comment.id == number(dialect))


def has_grown(session: Session) -> bool:
    """Whether so many texts were erased that SQLite's index has to be made anew (migration
    "returned"); never of PostgreSQL's."""
    if session.get_bind().dialect.name != "sqlite":
        return False
    described = "SELECT length(block) FROM search_data WHERE id = 10"
    return bool((session.scalar(sql(described)) or 0) > GROWN)


def make_anew(session: Session) -> None:
    """SQLite's index, from the comments as they are: nothing of what was erased is in it. Takes
    a second for 20,000 comments of 60 words, in which nobody else writes."""
    session.execute(sql("INSERT INTO search(search) VALUES ('rebuild')"))
