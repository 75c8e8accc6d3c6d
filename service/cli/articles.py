"""`flask article`: the articles of a site; and what the worker does about those that are on their way."""

from collections.abc import Callable
from functools import partial

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from .. import articles, closing, database, text, urls
from ..aliases import article_at
from ..models import Article, Move, Site
from .sites import site_or_stop

BY = "flask article"
TURN_SECONDS = 10.0  # after which the worker's other tasks have their turn
TITLE_LENGTH = 300
WHY = {
    "address": "Both are addresses that begin with https:// or http://; a * stands behind the host.",
    "star": "Both have one *, or neither has.",
    "same": "The two are the same.",
}


def make_one() -> bool:
    """Goes on with articles that are on their way into others; whether there were any."""
    found = articles.half_merged(database.session())
    for number in found:
        _merge(number, TURN_SECONDS / len(found))
    return bool(found)


def move_on() -> bool:
    """Goes on with the moves of many articles; whether there were any."""
    found = articles.running(database.session())
    for number in found:
        _move_all(number, TURN_SECONDS / len(found))
    return bool(found)


def _merge(number: int, seconds: float | None = None) -> bool:
    return database.in_steps(
        lambda session, _: articles.merge_step(session, number), seconds=seconds
    )


def _move_all(number: int, seconds: float | None = None) -> bool:
    def look(session: Session) -> list[int]:
        return articles.ahead(session, session.get_one(Move, number))

    return database.in_steps(
        lambda session, ids: articles.move_step(session, number, ids), look, seconds
    )


@click.group("article")
def article() -> None:
    """Articles: their titles and addresses, and whether they take comments."""


site_option = click.option("--site", "key", required=True, help="The site's key.")


@article.command("list")
@site_option
@click.option("--search", "sought", default="", help="Words of titles or addresses.")
@click.option(
    "--sort", type=click.Choice(list(articles.ORDERS)), default="last", help="Which come first."
)
@click.option("--most", type=click.IntRange(1, 100_000), default=50, help="How many are listed.")
@with_appcontext
def list_(key: str, sought: str, sort: str, most: int) -> None:
    """List articles: published, waiting and all comments, the last one's day, address, title."""
    session = database.session()
    site_id = site_or_stop(session, key).id
    found = articles.page(session, site_id, sought, sort, size=most)
    for row in found.rows:
        one = row.article
        last = f"{one.last_at:%Y-%m-%d}" if one.last_at else "never     "
        numbers = f"{one.approved_count:>7,} {row.pending:>5,} {row.every:>7,}"
        state = " ".join(_states(one))
        title = text.mask_addresses(one.title)
        click.echo("  ".join(filter(None, (numbers, last, one.url, title, state))))
    if not found.rows:
        click.echo(f"{key} has no such articles." if sought else f"{key} has no articles yet.")
    elif found.later:
        click.echo("There are more; --most lists them.", err=True)


def _states(one: Article) -> list[str]:
    return [word for word, is_so in (("[closed]", one.closed_at), ("[held]", one.held_at)) if is_so]


@article.command("rename")
@click.argument("url")
@click.argument("title")
@site_option
@with_appcontext
def rename(url: str, title: str, key: str) -> None:
    """Give the article at URL a TITLE."""
    if len(title.strip()) > TITLE_LENGTH:
        raise click.UsageError(f"A title has at most {TITLE_LENGTH} characters.")
    with database.writing() as session:
        found = _article_or_stop(session, site_or_stop(session, key), url)
        articles.rename(session, found, " ".join(title.split()), BY)
    click.echo("Renamed.")


@article.command("move")
@click.argument("old")
@click.argument("new")
@site_option
@click.option("--pattern", "is_pattern", is_flag=True, help="All articles: a * in OLD and NEW.")
@click.option("--merge", "has_merges", is_flag=True, help="Make one with what is at a new address.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@with_appcontext
def move(old: str, new: str, key: str, is_pattern: bool, has_merges: bool, dry_run: bool) -> None:
    """Move the article at OLD to NEW; OLD leads to it from then on.

    With --pattern it moves all: `https://old.example/*` to `https://www.example.org/blog/*`.
    """
    is_starred = "*" in old and "*" in new
    if is_pattern != is_starred:
        said = "needs a * in both addresses" if is_pattern else "is needed for a * in an address"
        raise click.UsageError(f"--pattern {said}.")
    try:
        if is_pattern:
            _by_pattern(key, old, new, has_merges, dry_run)
        elif dry_run or has_merges:
            raise click.UsageError("--dry-run and --merge go with --pattern.")
        else:
            _one(key, old, new)
    except articles.OutsideOrigins:
        said = "The new address is on none of the site's origins: add its origin first."
        raise click.ClickException(said) from None


def _one(key: str, old: str, new: str) -> None:
    address = _canonical(new)
    try:
        with database.writing() as session:
            found = _article_or_stop(session, site_or_stop(session, key), old)
            articles.move(session, found, address, BY)
    except articles.SamePlace:
        raise click.ClickException("The article is there already.") from None
    except articles.ElsewhereTaken:
        said = "Another article stands there; `flask article merge` makes the two one."
        raise click.ClickException(said) from None
    click.echo(f"Moved. {old} leads to it.")


def _by_pattern(key: str, old: str, new: str, has_merges: bool, dry_run: bool) -> None:
    session = database.session()
    site = site_or_stop(session, key)
    try:
        found = articles.rehearse(session, site, old, new)
    except articles.NotAPattern as error:
        raise click.UsageError(WHY[str(error)]) from None
    becomes = "become part of it" if has_merges else "stay where they are"
    for was, is_now in found.samples:
        click.echo(f"{was} -> {is_now}")
    click.echo(f"{found.total - found.taken:,} articles move.", err=dry_run)
    if found.taken:
        click.echo(f"{found.taken:,} whose new address is another's {becomes}:", err=dry_run)
        for was, is_now in found.collisions:
            click.echo(f"{was} -> {is_now}", err=dry_run)
    if found.left:
        click.echo(f"{found.left:,} stay: their new address would be too long.", err=dry_run)
    if dry_run or not found.total:
        return
    try:
        with database.writing() as session:
            site = site_or_stop(session, key)
            begun = articles.begin_move(session, site, old, new, has_merges, found.total, BY)
            number = begun.id
    except articles.StillRunning:
        raise click.ClickException("Another move of this site is on its way.") from None
    _move_all(number)
    for gone in articles.half_merged(database.session()):
        _merge(gone)
    done = database.session().get_one(Move, number)
    click.echo(f"Done: {done.moved:,} moved, {done.merged:,} merged, {done.left:,} left.")


@article.command("merge")
@click.argument("url")
@click.argument("into")
@site_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@with_appcontext
def merge(url: str, into: str, key: str, dry_run: bool) -> None:
    """Make the article at URL part of the one at INTO; both addresses lead there. There is no undo."""
    session = database.session()
    site = site_or_stop(session, key)
    gone, kept = (_article_or_stop(session, site, address) for address in (url, into))
    for one in (gone, kept):
        number = sum(articles.counts(session, one).values())
        click.echo(f"{one.url}: {number:,} comments, {one.approved_count:,} of them published")
    if dry_run:
        return
    numbers = gone.id, kept.id
    try:
        with database.writing() as session:
            gone, kept = (session.get_one(Article, number) for number in numbers)
            articles.begin_merge(session, gone, kept, BY)
    except articles.NotMergeable:
        said = "They are one article, or one of them is on its way into another at this moment."
        raise click.ClickException(said) from None
    _merge(numbers[0])
    click.echo("The two are one.")


Verb = Callable[[Session, Article], None]
VERBS: dict[str, tuple[Verb, str, str]] = {
    "close": (partial(closing.close, is_closed=True, moderator=BY), "Closed.", "takes no new"),
    "open": (partial(closing.close, is_closed=False, moderator=BY), "Open.", "takes"),
    "hold": (partial(closing.hold, is_held=True, moderator=BY), "Held.", "holds all new"),
    "release": (partial(closing.hold, is_held=False, moderator=BY), "Released.", "no longer holds"),
}


def _switch(name: str, verb: Verb, done: str, does: str) -> None:
    @click.argument("url")
    @site_option
    @with_appcontext
    def command(url: str, key: str) -> None:
        with database.writing() as session:
            verb(session, _article_or_stop(session, site_or_stop(session, key), url))
        click.echo(done)

    command.__doc__ = f"{name.capitalize()} the article at URL: it {does} comments."
    article.command(name)(command)


for _name, (_verb, _done, _does) in VERBS.items():
    _switch(_name, _verb, _done, _does)


def _article_or_stop(session: Session, site: Site, url: str) -> Article:
    """The article at an address, present or former, or the end of the command."""
    address = _canonical(url)
    number = article_at(session, site.id, [address]).get(address)
    found = session.get(Article, number) if number else None
    if found is None:
        raise click.ClickException(f"Nobody has commented on {url}.")
    return found


def _canonical(url: str) -> str:
    try:
        return urls.canonical(url)
    except urls.NotAnAddress:
        raise click.UsageError(f"{url} is no web address.") from None
