"""`flask screening`: teaches the filter that learns from a file, and measures it on another."""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from .. import database, learning, lessons, measures
from ..models import Site
from ..screening import filter
from ..text import mask_addresses
from .learning import tidy

WORST = 10  # mistakes that are shown
SHOWN = 200  # characters of each
SAID_BAD = 20  # lines that are named where they cannot be read
LOOKED_UP = 20  # comments whose features are read at once
EVERY = 1_000  # lines between two words on how far it is

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """A line of a file: a text, its author's name if that is known, and what it is."""

    text: str
    author: str
    is_spam: bool


@click.group()
def screening() -> None:
    """The filter that learns what spam is."""


FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
SITE = click.option("--site", "key", help="The site's key; not needed where there is only one.")


@screening.command()
@FILE
@SITE
@with_appcontext
def train(file: Path, key: str | None) -> None:
    """Teach a site's filter the examples of FILE.

    Each line is a JSON object with "text", "label" ("spam" or "ham") and maybe "author". The same
    file counts once: what was stopped is gone on with.
    """
    site, lines = _site(key), _read(file)
    vault = current_app.extensions["vault"]
    times: Counter[str] = Counter()
    told = []
    for line in lines:
        said = json.dumps([line.text, line.author, line.is_spam])
        times[said] += 1
        told.append((vault.digest("taught", f"{site.id} {times[said]} {said}"), line))
    told.sort(key=lambda one: hashlib.sha256(one[0]).digest())  # no order of a file misleads it
    new = done = 0
    for batch in _batches(told, lessons.BATCH):
        examples = [
            lessons.Example(
                line.is_spam, filter.looked_at(vault, site.id, line.author, "", line.text), digest
            )
            for digest, line in batch
        ]
        try:
            with database.writing() as session:
                new += lessons.teach(session, site.id, examples)
        except database.Busy:
            raise click.ClickException(
                "Others are writing at this moment. Run it again: it goes on where it stopped."
            ) from None
        done += len(batch)
        if done % EVERY < len(batch):
            click.echo(f"{done:,} of {len(lines):,} lines", err=True)
            tidy(site.id)
    tidy(site.id)
    totals = filter.totals_of(database.session(), site.id)
    again = len(lines) - new
    click.echo(
        f"Learned {new:,} new examples"
        + (f"; {again:,} were known already" if again else "")
        + f". The filter of {site.key} knows {totals.spam:,} spam and {totals.ham:,} others."
    )
    if not filter.is_ready(totals):
        click.echo(f"It speaks from {filter.READY} examples on, with at least one of each kind.")


@screening.command()
@FILE
@SITE
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="From which probability on a text is taken for spam.",
)
@with_appcontext
def evaluate(file: Path, key: str | None, threshold: float) -> None:
    """Measure a site's filter on the examples of FILE, and learn nothing from them."""
    site, lines = _site(key), _read(file)
    totals = filter.totals_of(database.session(), site.id)
    if not filter.is_ready(totals):
        raise click.ClickException(
            f"The filter of {site.key} has learned {totals.spam:,} spam and {totals.ham:,} others; "
            f"it speaks from {filter.READY} on, with at least one of each kind."
        )
    told = [
        (line.is_spam, chance)
        for batch in _batches(lines, LOOKED_UP)
        for line, chance in zip(batch, _chances(site.id, batch), strict=True)
    ]
    for said in _report(told, threshold):
        click.echo(said)
    mistakes = sorted(
        (
            (abs(chance - is_spam), is_spam, chance, line)
            for (is_spam, chance), line in zip(told, lines, strict=True)
            if (chance >= threshold) != is_spam
        ),
        key=lambda mistake: -mistake[0],
    )
    click.echo(f"\nThe worst mistakes ({min(WORST, len(mistakes))} of {len(mistakes):,}):")
    for _, is_spam, chance, line in mistakes[:WORST]:
        click.echo(f"  {chance:6.1%}  {'spam' if is_spam else 'ham ':4}  {_on_one_line(line.text)}")


def _report(told: Sequence[tuple[bool, float]], threshold: float) -> Iterator[str]:
    found, area = measures.confusion(told, threshold), measures.area(told)
    yield f"{len(told):,} examples at the threshold {threshold:g}"
    yield f"precision  {found.precision:.4f}"
    yield f"recall     {found.recall:.4f}"
    yield f"F1         {found.f1:.4f}"
    yield f"ROC AUC    {'- (one kind only)' if area is None else f'{area:.4f}'}"
    yield ""
    yield f"{'':15}{'taken for spam':>16}{'taken for ham':>16}"
    yield f"{'is spam':15}{found.caught:>16,}{found.missed:>16,}"
    yield f"{'is ham':15}{found.wronged:>16,}{found.passed:>16,}"


def _chances(site_id: int, batch: Sequence[Line]) -> list[float]:
    session, vault = database.session(), current_app.extensions["vault"]
    found = [filter.looked_at(vault, site_id, line.author, "", line.text) for line in batch]
    known = filter.known_of(session, site_id, {one.hash for each in found for one in each})
    totals = filter.totals_of(session, site_id)
    return [learning.chance(learning.parts(each, known, totals)) for each in found]


def _site(key: str | None) -> Site:
    """The site of that key, or the only one there is."""
    sites = (
        database.session()
        .scalars(select(Site).where(Site.deleted_at.is_(None)).order_by(Site.key))
        .all()
    )
    keys = ", ".join(site.key for site in sites)
    if key is not None:
        found = next((site for site in sites if site.key == key), None)
        if found is None:
            raise click.ClickException(
                f"There is no site {key}." + (f" There are: {keys}." if keys else "")
            )
        return found
    if not sites:
        raise click.ClickException("There is no site yet: `flask site add` makes one.")
    if len(sites) > 1:
        raise click.UsageError(f"Say which site, with --site: {keys}.")
    return sites[0]


def _read(file: Path) -> list[Line]:
    """The lines of a file; ends the command with the numbers of those that cannot be read."""
    lines, bad = [], []
    for number, raw in enumerate(file.read_bytes().split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            lines.append(_line(json.loads(raw)))
        except (ValueError, RecursionError) as error:
            is_json = isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
            bad.append(f"Line {number}: {'no JSON' if is_json else error}.")
    if bad:
        more = [f"… and {len(bad) - SAID_BAD:,} more."] if len(bad) > SAID_BAD else []
        raise click.ClickException("\n".join([*bad[:SAID_BAD], *more, "Nothing was learned."]))
    if not lines:
        raise click.ClickException("The file has no lines.")
    return lines


def _line(told: Any) -> Line:
    """What a line says; raises ValueError with what is wrong."""
    if not isinstance(told, dict):
        raise ValueError("no object in braces")
    text, label, author = told.get("text"), told.get("label"), told.get("author") or ""
    if not isinstance(text, str) or not isinstance(author, str):
        raise ValueError('"text" is missing or no text' if author == "" else '"author" is no text')
    if label not in ("spam", "ham"):
        raise ValueError('"label" is neither "spam" nor "ham"')
    return Line(_whole(text), _whole(author), label == "spam")


def _whole(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can hold and no database can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _on_one_line(text: str) -> str:
    """A text as a terminal may show it: no control characters at work, and no address."""
    shown = mask_addresses(text[: 2 * SHOWN])
    line = "".join(c if unicodedata.category(c)[0] != "C" else _escaped(c) for c in shown)
    line = line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
