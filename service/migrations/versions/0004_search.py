"""Search: the databases' own full-text indexes, and what the desk finds and sorts by"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "search"
down_revision = "0003"

# What the rules' reasons weighed when this step was written.
WEIGHTS = {
    "unknown_article": 5,
    "address_in_text": 10,
    "withheld": 30,
    "repeated": 40,
    "too_fast": 40,
}

# The index keeps words only, and takes the comments' texts from their table to know which words
# leave it.
SQLITE = (
    """CREATE VIRTUAL TABLE search USING fts5(name, text, content='comments', content_rowid='id',
        columnsize=0, tokenize='unicode61 remove_diacritics 2')""",
    "INSERT INTO search(search) VALUES ('rebuild')",
    """CREATE TRIGGER search_insert AFTER INSERT ON comments BEGIN
        INSERT INTO search(rowid, name, text) VALUES (new.id, new.name, new.text); END""",
    """CREATE TRIGGER search_delete AFTER DELETE ON comments BEGIN
        INSERT INTO search(search, rowid, name, text)
            VALUES ('delete', old.id, old.name, old.text); END""",
    """CREATE TRIGGER search_change AFTER UPDATE OF name, text ON comments BEGIN
        INSERT INTO search(search, rowid, name, text)
            VALUES ('delete', old.id, old.name, old.text);
        INSERT INTO search(rowid, name, text) VALUES (new.id, new.name, new.text);{merge} END""",
)
# What leaves the index is crossed out, and its words stay in older pages until these are merged
# (sqlite.org/fts5.html, 6). Newer releases take them out at once. With older ones a text that is
# erased has 1,000 pages merged (35 ms; all of the index of about 40,000 comments), and the next one
# goes on from there. An empty row out of turn has what still waits in memory written first.
SECURE_DELETE = "INSERT INTO search(search, rank) VALUES ('secure-delete', 1)"
SINCE = (3, 42)
MERGE = """
        INSERT INTO search(rowid, name, text)
            SELECT -1, '', '' WHERE new.text = '' AND old.text <> '';
        INSERT INTO search(search, rowid, name, text)
            SELECT 'delete', -1, '', '' WHERE new.text = '' AND old.text <> '';
        INSERT INTO search(search, rank)
            SELECT 'merge', -1000 WHERE new.text = '' AND old.text <> '';"""

# A table of its own: PostgreSQL writes a row anew for each change of its status, and every index
# with it. Accents are folded without the extension "unaccent", which is not everywhere; signs part
# words, or "example.org" would be one word and "org" would not find it.
POSTGRESQL = (
    r"""CREATE FUNCTION search_words(typed text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
        SELECT to_tsvector('simple', search_fold(left(typed, 100000))) $$""",
    """CREATE TABLE search (
        comment_id bigint CONSTRAINT pk_search PRIMARY KEY
            CONSTRAINT fk_search_comment_id REFERENCES comments (id) ON DELETE CASCADE,
        name tsvector NOT NULL,
        text tsvector NOT NULL)""",
    """INSERT INTO search
        SELECT id, search_words(name), search_words(text) FROM comments""",
    "CREATE INDEX ix_search_words ON search USING gin (name, text)",
    """CREATE FUNCTION search_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO search VALUES (new.id, search_words(new.name), search_words(new.text))
            ON CONFLICT (comment_id) DO UPDATE SET name = excluded.name, text = excluded.text;
        RETURN NULL; END $$""",
    """CREATE TRIGGER search_insert AFTER INSERT ON comments
        FOR EACH ROW EXECUTE FUNCTION search_follow()""",
    """CREATE TRIGGER search_change AFTER UPDATE OF name, text ON comments
        FOR EACH ROW EXECUTE FUNCTION search_follow()""",
    "ANALYZE search",
)
FOLD = r"""CREATE FUNCTION search_fold(typed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(translate(
        regexp_replace(normalize(typed, NFD), '[\u0300-\u036f]', '', 'g'),
        '!"#$%%&''()*+,-./:;<=>?@[\]^_`{{|}}~', repeat(' ', 32)) {collation}) $$"""
# By Unicode's own tables where the server has them: lower() of the C locale knows ASCII only.
COLLATION = """SELECT collname FROM pg_collation WHERE collname IN ('und-x-icu', 'pg_c_utf8')
    ORDER BY collname DESC"""


def upgrade() -> None:
    add_columns()
    fill_columns()
    add_indexes()
    add_search()


def add_columns() -> None:
    """In place: a table of a million rows is not written anew."""
    for name in ("link_count", "risk", "report_count"):
        number = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("comments", number)
    domain = sa.Column("website_domain", sa.String(length=255), nullable=False, server_default="")
    op.add_column("comments", domain)
    first: sa.Column[bool] = sa.Column(
        "is_first", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("comments", first)


def fill_columns() -> None:
    found_by = ("website_domain", "link_count", "is_first", "risk", "report_count")
    names = ("id", "author_id", "html", "website", *found_by)
    comments = sa.table("comments", *map(sa.column, names))
    other = comments.alias()
    reasons = sa.table("reasons", *map(sa.column, ("comment_id", "rule")))
    reports = sa.table("reports", *map(sa.column, ("comment_id", "outcome")))
    links = (
        sa.func.length(comments.c.html)
        - sa.func.length(sa.func.replace(comments.c.html, '<a href="', ""))
    ) // len('<a href="')
    first = sa.select(sa.func.min(other.c.id)).where(other.c.author_id == comments.c.author_id)
    weight = sa.case(WEIGHTS, value=reasons.c.rule, else_=0)
    risk = sa.select(sa.func.coalesce(sa.func.sum(weight), 0)).where(
        reasons.c.comment_id == comments.c.id
    )
    count = sa.select(sa.func.count()).where(
        reports.c.comment_id == comments.c.id, reports.c.outcome.is_(None)
    )
    values = {
        "link_count": links,
        "is_first": sa.and_(
            comments.c.author_id.is_not(None), comments.c.id == first.scalar_subquery()
        ),
        "risk": sa.case((risk.scalar_subquery() > 100, 100), else_=risk.scalar_subquery()),
        "report_count": count.scalar_subquery(),
        "website_domain": domain(comments.c.website),
    }
    op.execute(comments.update().values(values))


def domain(website: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The host of a stored address, which has a scheme and was canonical once."""
    if op.get_context().dialect.name == "postgresql":
        host = sa.func.substring(sa.func.lower(website), r"^https?://(?:www\.)?([^/?#:]*)")
        return sa.func.left(sa.func.coalesce(host, ""), 255)
    rest = sa.func.lower(sa.func.substr(website, sa.func.instr(website, "://") + 3))
    for end in "/?#:":
        rest = sa.func.substr(rest, 1, sa.func.instr(rest.concat(end), end) - 1)
    bare = sa.case((rest.like("www.%"), sa.func.substr(rest, 5)), else_=rest)
    return sa.case((website.like("http%://%"), sa.func.substr(bare, 1, 255)), else_="")


def add_indexes() -> None:
    for name, columns, where in (
        ("risk", ["risk"], "status = 'pending'"),
        ("site_risk", ["site_id", "risk"], "status = 'pending'"),
        ("report_count", ["report_count"], "report_count > 0"),
        ("website", ["website_domain"], "website_domain <> ''"),
        ("network", ["network"], "network <> ''"),
    ):
        part = sa.text(where)
        op.create_index(
            f"ix_comments_{name}",
            "comments",
            [*columns, "id"],
            sqlite_where=part,
            postgresql_where=part,
        )
    op.create_index("ix_reasons_rule", "reasons", ["rule", "comment_id"])


def add_search() -> None:
    bind: Any = op.get_bind()
    if op.get_context().dialect.name == "sqlite":
        can_erase = bind.dialect.dbapi.sqlite_version_info >= SINCE
        for statement in SQLITE:
            bind.exec_driver_sql(statement.replace("{merge}", "" if can_erase else MERGE))
        if can_erase:
            bind.exec_driver_sql(SECURE_DELETE)
        return
    known = bind.exec_driver_sql(COLLATION).scalar()
    bind.exec_driver_sql(FOLD.format(collation=f'COLLATE "{known}"' if known else ""))
    for statement in POSTGRESQL:
        bind.exec_driver_sql(statement)
