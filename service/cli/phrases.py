"""`flask phrases`: a site's words and phrases to hold, to mark as spam, to refuse."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from .. import database, events, people
from ..events import What
from ..screening import phrases as lists
from ..status import PhraseKind
from .sites import site_or_stop

KIND = click.Choice([kind.value for kind in PhraseKind])


@click.group()
def phrases() -> None:
    """Words and phrases that a site looks for; `*` at an end lets a word go on there."""


@phrases.command("list")
@click.argument("key", metavar="SITE")
@click.argument("kind", type=KIND)
@with_appcontext
def list_(key: str, kind: str) -> None:
    """Print the phrases of a KIND, newest first, each behind how often it was found."""
    session = database.session()
    for row in lists.known(session, site_or_stop(session, key).id, PhraseKind(kind)):
        click.echo(f"{row.hits}\t{row.phrase}")


@phrases.command("add")
@click.argument("key", metavar="SITE")
@click.argument("kind", type=KIND)
@click.argument("written", metavar="PHRASE…", nargs=-1, required=True)
@with_appcontext
def add(key: str, kind: str, written: tuple[str, ...]) -> None:
    """Add phrases of a KIND."""
    found, outcome = lists.read_lines("\n".join(written))
    if outcome.left_out:
        said = lists.explained(sorted(outcome.left_out.items()))
        raise click.ClickException(f"Nothing was added, these are no phrases: {said}.")
    click.echo(_said(_store(key, PhraseKind(kind), found, outcome)))


@phrases.command("remove")
@click.argument("key", metavar="SITE")
@click.argument("kind", type=KIND)
@click.argument("written", metavar="PHRASE…", nargs=-1, required=True)
@with_appcontext
def remove(key: str, kind: str, written: tuple[str, ...]) -> None:
    """Remove phrases of a KIND, written as in the list."""
    with database.writing() as session:
        site_id = site_or_stop(session, key).id
        gone = lists.remove(session, site_id, PhraseKind(kind), written)
        if not gone:
            raise click.ClickException("There is no such phrase; `flask phrases list` shows them.")
        about = f"{gone} of {kind} removed"
        events.record(session, What.PHRASES_CHANGED, people.OPERATOR, about, site_id)
    click.echo(f"Removed {gone}.")


@phrases.command("import")
@click.argument("key", metavar="SITE")
@click.argument("kind", type=KIND)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def import_(key: str, kind: str, file: Path) -> None:
    """Add WordPress's "disallowed" or "moderation" keys from a FILE, a key a line. WordPress finds
    a key inside words too, so each becomes *key*."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"{file} cannot be read as text in UTF-8.") from None
    found, outcome = lists.read_lines(text, is_wordpress=True)
    click.echo(_said(_store(key, PhraseKind(kind), found, outcome)))


def _store(key: str, kind: PhraseKind, found: list[str], outcome: lists.Outcome) -> lists.Outcome:
    """Adds a portion in a transaction each; all or none are too many."""
    site_id = site_or_stop(database.session(), key).id
    if lists.number(database.session(), site_id) + len(found) > lists.MOST:
        raise click.ClickException(f"A site has at most {lists.MOST} phrases; nothing was added.")
    for batch in lists.batches(found):
        with database.writing() as session:
            outcome.added += len(lists.add(session, site_id, kind, batch))
    outcome.known = len(found) - outcome.added
    if outcome.added:
        with database.writing() as session:
            about = f"{outcome.added} of {kind} added"
            events.record(session, What.PHRASES_CHANGED, people.OPERATOR, about, site_id)
    return outcome


def _said(outcome: lists.Outcome) -> str:
    said = f"Added {outcome.added}"
    if outcome.known:
        said += f", {outcome.known} were there"
    if outcome.left_out:
        said += f"; left out {lists.explained(sorted(outcome.left_out.items()))}"
    return f"{said}."
