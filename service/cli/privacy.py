"""`flask privacy`: what concerns readers' addresses."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import accounts, database, holdings, webhooks
from ..models import Author, Site
from ..outside import choice
from ..vault import Hidden, Vault, WrongKey
from . import pruning

BATCH = 500
TRIES = 5  # to write, each for as long as a writer waits
ROUNDS = 10  # that comments may come in while others are erased

T = TypeVar("T")


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


@privacy.command()
@click.argument("email")
@with_appcontext
def export(email: str) -> None:
    """Print all that is stored under EMAIL on all sites, as JSON Lines."""
    vault, index = _known(email)
    number = 0
    try:
        for line in holdings.everything(
            database.session(), vault, index, vault.mailbox_index(email)
        ):
            click.echo(json.dumps(line, ensure_ascii=False))
            number += 1
    except WrongKey as error:
        raise click.ClickException(f"EMAIL_KEYS lacks the key {error}; put it back.") from None
    if not number:
        click.echo("Nothing is stored under this address.", err=True)
    _tell_of_account(email)


@privacy.command()
@click.argument("email")
@click.option("--site", "key", help="Only on this site.")
@click.option(
    "--proved-only",
    is_flag=True,
    help="Keep the comments that bear the address without any proof, but take it off them.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def erase(email: str, key: str | None, proved_only: bool, yes: bool) -> None:
    """Erase all that is stored under EMAIL, for good."""
    vault, index = _known(email)
    asked = {index, vault.mailbox_index(email)}
    site_id = _site_id(key) if key else None
    held = holdings.of(database.session(), index, site_id)
    for one in held:
        click.echo(_said(one))
    if sum(one.typed for one in held):
        click.echo(
            "Anybody can type an address: comments that are only typed may be somebody else's. "
            + ("They stay, without it." if proved_only else "--proved-only keeps them, without it.")
        )
    if held and not yes:
        click.confirm("This cannot be undone. Erase all of it?", abort=True)
    for one in held:
        _erase(one, proved_only)
    _insist(lambda session: holdings.forget_askings(session, asked, site_id))
    with suppress(database.Busy):  # then the worker does it
        pruning.search_index()
    database.forget()
    database.database().settle()
    click.echo("Erased." if held else "Nothing is stored under this address.")
    _tell_what_stays(index)
    _tell_of_account(email)


def _erase(held: holdings.Holding, is_proved_only: bool) -> None:
    """One site's part, comment by comment: each is gone for good before the next one."""
    author_id = held.author_id
    _insist(lambda session: holdings.begin(session, held))
    for _ in range(ROUNDS):
        _insist(lambda session: holdings.end_letters(session, author_id))
        while _insist(lambda session: holdings.withdraw_next(session, author_id, is_proved_only)):
            pass
        while is_proved_only and _insist(lambda session: holdings.part_next(session, author_id)):
            pass
        if _insist(lambda session: holdings.forget(session, author_id)):
            return
    raise click.ClickException("Somebody goes on writing with this address; run this again.")


def _insist(write: Callable[[Session], T]) -> T:
    for _ in range(TRIES):
        try:
            with database.writing() as session:
                return write(session)
        except database.Busy:
            continue
    raise click.ClickException("The database is busy; what is left goes when you run this again.")


def _known(email: str) -> tuple[Vault, bytes]:
    """The vault, and the address's blind index."""
    if "@" not in email:
        raise click.UsageError("EMAIL is no e-mail address.")
    vault: Vault = current_app.extensions["vault"]
    return vault, vault.index(email)


def _site_id(key: str) -> int:
    found = database.session().scalar(select(Site.id).where(Site.key == key))
    if found is None:
        raise click.UsageError(f"There is no site {key}.")
    return found


def _said(held: holdings.Holding) -> str:
    return (
        f"{held.site.key}: comments: {held.comments} ({held.proved} proved, {held.typed} only "
        f"typed); follows: {held.follows}; reports: {held.reports}; letters: {held.letters}"
    )


def _tell_what_stays(index: bytes) -> None:
    if holdings.is_never_written_to(database.session(), index):
        click.echo("It stays among the addresses that are never written to, as a keyed digest.")
    if holdings.is_banned(database.session(), index):
        click.echo("A ban of it stays, as a keyed digest; lift it at the desk.")


def _tell_of_account(email: str) -> None:
    if accounts.by_email(database.session(), email):
        click.echo("An account at the desk has this address, and is not part of this.", err=True)
