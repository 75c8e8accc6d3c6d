"""`flask privacy`: what concerns readers' addresses."""

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database, webhooks
from ..models import Author, Site
from ..outside import choice
from ..vault import Hidden, Vault, WrongKey

BATCH = 500


@click.group()
def privacy() -> None:
    """What concerns readers' addresses."""


@privacy.command("rotate-keys")
@with_appcontext
def rotate_keys() -> None:
    """Encrypt every address with the newest key, so that older ones can be removed."""
    vault: Vault = current_app.extensions["vault"]
    moved = after = 0
    while True:
        try:
            with database.writing() as session:
                batch = _rotate(session, vault, after)
        except WrongKey as error:
            raise click.ClickException(
                f"Some addresses lie under the key {error}, which EMAIL_KEYS lacks; put it back at its end."
            ) from None
        if not batch:
            break
        moved, after = moved + len(batch), batch[-1]
    with database.writing() as session:
        for site in session.scalars(select(Site)):
            choice.reseal(vault, site)
        webhooks.reseal(session, vault)
    click.echo(
        f"{moved} addresses are now under the newest key; older ones can be removed from EMAIL_KEYS."
    )


def _rotate(session: Session, vault: Vault, after: int) -> list[int]:
    """One batch of authors under an older key, by id; returns their ids."""
    old = select(Author).where(Author.email_key_id != vault.newest, Author.id > after)
    authors = session.scalars(old.order_by(Author.id).limit(BATCH)).all()
    for author in authors:
        hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
        renewed = vault.renew(hidden, author.site_id)
        author.email_ciphertext, author.email_key_id = renewed.ciphertext, renewed.key_id
    return [author.id for author in authors]
