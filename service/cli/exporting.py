"""`flask export`: every comment of a site, out."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from .. import database, events, people
from ..events import What
from ..exchange import taking
from ..exchange.formats import WRITERS, Writer
from ..exchange.windows import Around
from ..models import Site
from ..vault import Vault, WrongKey
from .insisting import write_down
from .sites import site_or_stop

export = AppGroup("export", help="Write out all comments of a site.")


def _export_command(writer: Writer) -> click.Command:
    @click.argument("file")
    @click.option("--site", "key", required=True, help="The site's key.")
    @click.option("--with-emails", is_flag=True, help="Write the hidden addresses too.")
    def command(file: str, key: str, with_emails: bool) -> None:
        _take(WRITERS[writer.name], file, key, with_emails)

    command.__doc__ = f"Write every comment to FILE: {writer.label}; - is standard output."
    return export.command(writer.name)(command)


for _writer in WRITERS.values():
    _export_command(_writer)


def _take(writer: Writer, file: str, key: str, with_emails: bool) -> None:
    site = site_or_stop(database.session(), key)
    lines = _lines(writer, site.id, with_emails)
    try:
        count = _print(lines) if file == "-" else _save(lines, Path(file))
    except WrongKey as error:
        raise click.ClickException(
            f"There are addresses under the key {error}, which EMAIL_KEYS lacks."
        ) from None
    except database.Busy:
        raise click.ClickException("Too many are writing, and nothing was; try again.") from None
    except DBAPIError as error:
        why = str(error.orig).splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {why}.") from None
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}.") from None
    click.echo(f"{count:,} comments of {site.name} written.", err=True)


def _lines(writer: Writer, site_id: int, with_emails: bool) -> Iterator[str]:
    """The file, as the site stands at one moment; that it is taken is on record first."""
    vault: Vault | None = current_app.extensions["vault"] if with_emails else None
    if vault:
        taking.check_keys(database.session(), site_id, vault)
    what = What.ADDRESSES_EXPORTED if vault else What.COMMENTS_EXPORTED
    write_down(lambda s: events.record(s, what, people.OPERATOR, writer.label, site_id))
    session = taking.at_one_moment()
    yield from taking.marked(writer.lines(session, session.get_one(Site, site_id), vault))


def _print(lines: Iterable[str]) -> int:
    count = 0
    for line in lines:
        click.echo(line.encode(), nl=False)
        count += not isinstance(line, Around)
    return count


def _save(lines: Iterable[str], path: Path) -> int:
    """Writes beside the file and takes its place at the end: it is never half-written."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} is not a file.")
    # Readable by its owner only, as mkstemp makes it: it may hold addresses.
    number, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    count = 0
    try:
        with open(number, "w", encoding="utf-8", newline="\n") as part:
            for line in lines:
                part.write(line)
                count += not isinstance(line, Around)
            part.flush()
            os.fsync(part.fileno())
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)  # gone already where all went well
    return count
