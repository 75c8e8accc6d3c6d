"""`flask setup`: makes the schema and the secrets. Safe to repeat: it never makes a secret twice."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import NoAppException, ScriptInfo
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .. import database, first, settings
from ..accounts import Purpose
from ..models import Author
from ..vault import Hidden, Vault, WrongKey
from .address import served_at

BATCH = 250  # authors at once: well under 100 ms


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(settings.KEY_BYTES)).decode()


MAKERS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "EMAIL_KEYS": _random_key,
    "INDEX_KEY": _random_key,
}


@click.command()
@click.option("--new-email-key", is_flag=True, help="Add a newer key for e-mail addresses.")
@click.pass_context
def setup(context: click.Context, new_email_key: bool) -> None:
    """Make the database's schema and the secrets; safe to repeat. Where there is no admin yet, print
    a link that makes the first one's account."""
    try:
        made = _set_up(new_email_key)
    except settings.Unusable as error:
        raise click.ClickException(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        said = str(error).splitlines()[0]
        raise click.ClickException(f"The database cannot be set up: {said}.") from None
    click.echo(f"Ready. {made}" if made else "Ready.")
    with suppress(NoAppException):  # run from elsewhere than the project's root
        _lead_in(context.ensure_object(ScriptInfo).load_app())


def _lead_in(app: Flask) -> None:
    """Prints the way in for the first admin; earlier ones end with it."""
    with app.app_context():
        with database.writing() as session:
            secret = first.make_link(session)
        if secret:
            token = app.extensions["signer"].sign(Purpose.FIRST.by_secret, secret)
            click.echo(f"Begin here, once:     {served_at()}/desk/first/{token}")


def _set_up(new_email_key: bool) -> str:
    instance = Path(os.environ.get("REJOINDER_INSTANCE", settings.INSTANCE))
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    instance.chmod(0o700)  # the database and the secrets are nobody else's business
    path = instance / settings.SECRETS
    filed = settings.from_file(path)
    outside = settings.from_environment(os.environ) | settings.from_file(instance / "settings.toml")
    missing = [name for name in MAKERS if name not in filed and name not in outside]
    made = {name: MAKERS[name]() for name in missing}
    if new_email_key and "EMAIL_KEYS" not in outside:
        made["EMAIL_KEYS"] = ",".join([_random_key(), *settings.words(filed.get("EMAIL_KEYS", ""))])
    loaded = settings.load(filed | made, os.environ)
    database.migrate(loaded["DATABASE_URL"])
    vault = Vault(loaded["EMAIL_KEYS"], loaded["INDEX_KEY"])
    # First the database agrees to these keys, then they are written down: keys that were lost are
    # not replaced by others behind its back.
    database.leave_check(loaded["DATABASE_URL"], vault.check())
    _index_domains(loaded["DATABASE_URL"], vault)
    if made:
        _write(path, filed | made)
        return f"{path.name} in {instance.name}/ holds the secrets: keep a copy apart from the database."
    return ""


def _index_domains(url: str, vault: Vault) -> None:
    """Fills the domain's blind index in for authors from before there was one, in short batches.
    An address whose key is not on the ring is left for a run with that key."""
    opened, after = database.Database(url), 0
    while True:
        with opened.writing() as session:
            without = select(Author).where(Author.domain_index.is_(None), Author.id > after)
            batch = session.scalars(without.order_by(Author.id).limit(BATCH)).all()
            for author in batch:
                hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
                with suppress(WrongKey):
                    author.domain_index = vault.domain_index(vault.reveal(hidden, author.site_id))
            after = batch[-1].id if batch else after
        if not batch:
            break
    opened.dispose()


def _write(path: Path, values: dict[str, Any]) -> None:
    """Whole or not at all, and readable by the owner alone."""
    lines = [f'{name} = "{_text(value)}"' for name, value in values.items()]
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(
        "# Made by `flask setup`. Who has this file can read every address.\n"
        + "\n".join(lines)
        + "\n"
    )
    draft.replace(path)


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
