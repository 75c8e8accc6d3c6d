"""`flask rerender`: makes stored HTML anew after the renderer has changed."""

from collections.abc import Iterable, Sequence

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from .. import database, text
from ..models import Article, Comment, Revision
from ..status import Markup

BATCH = 100
RENDERERS = {Markup.MARKDOWN: text.render, Markup.HTML: text.render_html}


@click.command()
@with_appcontext
def rerender() -> None:
    """Make the HTML of comments anew that an older renderer has made."""
    done = 0
    while rows := _outdated():
        made = {row.id: str(RENDERERS[row.markup](row.text)) for row in rows}
        edits = {row.id: str(text.render(row.edit_text)) for row in rows if row.edit_text}
        earlier = {old.id: str(_rendered(old)) for old in _revisions(made)}
        with database.writing() as session:
            for comment in session.scalars(select(Comment).where(Comment.id.in_(made))):
                comment.html, comment.renderer = made[comment.id], text.RENDERER
                comment.edit_html = edits.get(comment.id, comment.edit_html)
                session.get_one(Article, comment.article_id).version += 1
            for old in session.scalars(select(Revision).where(Revision.id.in_(earlier))):
                old.html = earlier[old.id]
        done += len(made)
    click.echo(f"{done} comments were made anew.")


def _outdated() -> list[Comment]:
    old = select(Comment).where(Comment.renderer != text.RENDERER).order_by(Comment.id).limit(BATCH)
    return list(database.session().scalars(old))


def _rendered(old: Revision) -> str:
    return RENDERERS[Markup.HTML if old.is_html else Markup.MARKDOWN](old.text)


def _revisions(comment_ids: Iterable[int]) -> Sequence[Revision]:
    """Earlier texts of the comments, which undoing may make public again."""
    of_them = select(Revision).where(Revision.comment_id.in_(comment_ids), Revision.text != "")
    return database.session().scalars(of_them).all()
