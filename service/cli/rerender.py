"""`flask rerender`: makes stored HTML anew after the renderer has changed."""

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from .. import database, text
from ..models import Article, Comment
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
        with database.writing() as session:
            for comment in session.scalars(select(Comment).where(Comment.id.in_(made))):
                comment.html, comment.renderer = made[comment.id], text.RENDERER
                session.get_one(Article, comment.article_id).version += 1
        done += len(made)
    click.echo(f"{done} comments were made anew.")


def _outdated() -> list[Comment]:
    old = select(Comment).where(Comment.renderer != text.RENDERER).order_by(Comment.id).limit(BATCH)
    return list(database.session().scalars(old))
