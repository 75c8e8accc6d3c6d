"""Webhooks: what the worker does about their calls, and `flask hook`."""

import secrets
import sys
import time
from collections import defaultdict
from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from .. import database, webhooks
from ..mail import outbox
from ..models import Hook, Letter, now
from ..outbound import Refused
from ..status import HookEvent, HookShape, LetterState, Why
from ..vault import Vault
from ..webhooks import Call, Reply, Wish
from ..webhooks.calling import Outcome
from .insisting import put_into_words, write_down
from .sites import site_or_stop

BY = "flask hook"
ME = secrets.token_hex(8)  # this process, among the workers
NO_CAPS = outbox.Caps(0, 0)
TURN_SECONDS = 10.0  # after which the other tasks have their turn
# Until whoever does not answer is called again by this process, whichever call it is: longer each
# time, and never so long that one call that breaks them keeps the others waiting.
LONGEST_REST = timedelta(minutes=5)
NAME_LENGTH = 80
_resting: dict[int, tuple[datetime, int]] = {}  # a hook's id: until when, after how many failures


def call_hooks() -> bool:
    """Makes calls of webhooks that are due, a few of them; whether there were any."""
    if not outbox.has_due(database.session(), now(), outbox.Way.HOOK):
        return False
    with database.writing() as session:
        ids = outbox.claim(session, ME, now(), way=outbox.Way.HOOK)
    until = time.monotonic() + TURN_SECONDS
    left: dict[int, list[int]] = defaultdict(list)  # calls of hooks that rest
    for letter_id in ids:
        if time.monotonic() >= until:
            break
        if hook_id := _call(letter_id):
            left[hook_id].append(letter_id)
    write_down(lambda session: _let_go(session, left))
    return bool(ids)


def _let_go(session: Session, left: dict[int, list[int]]) -> None:
    for hook_id, letter_ids in left.items():
        if hook_id in _resting:  # else it answered meanwhile
            outbox.put_off(session, ME, letter_ids, _resting[hook_id][0])
    outbox.release(session, ME)


def _call(letter_id: int) -> int | None:
    """One call: in hand, put into words, made, written down. Returns its hook if that rests."""
    letter = database.session().get(Letter, letter_id)
    hook_id = letter.hook_id if letter is not None and letter.claimed_by == ME else None
    by_hand = letter is not None and webhooks.is_by_hand(letter)
    database.forget()
    if hook_id is None:
        return None
    if _is_resting(hook_id) and not by_hand:
        return hook_id
    _make(letter_id, hook_id)
    return None


def _make(letter_id: int, hook_id: int) -> None:
    with database.writing() as session:
        if not outbox.begin(session, letter_id, ME, now(), NO_CAPS):
            return
    made = put_into_words(letter_id, ME, lambda: _made(letter_id))
    if made is None:
        return
    outcome = webhooks.call(current_app.extensions["outbound"], made)
    _remember(hook_id, outcome)
    write_down(lambda session: _settle(session, letter_id, hook_id, outcome))


def _made(letter_id: int) -> Call | Why | None:
    session, vault = database.session(), current_app.extensions["vault"]
    letter = session.get(Letter, letter_id)
    if letter is None or letter.state != LetterState.QUEUED:
        return None
    return webhooks.compose(session, vault, letter, current_app.config["BASE_URL"])


def _settle(session: Session, letter_id: int, hook_id: int, outcome: Outcome) -> None:
    if outcome.reply == Reply.TAKEN:
        outbox.sent(session, letter_id, ME, outcome.words, now())
    elif outcome.reply == Reply.GONE:
        outbox.fail(session, letter_id, ME, Why.OFF, outcome.words)
        hook = session.get(Hook, hook_id)
        if hook is not None and hook.is_on:
            webhooks.gone(session, hook)
    elif _is_test(session, letter_id):  # somebody waits for its outcome
        outbox.fail(session, letter_id, ME, Why.LATER, outcome.words)
    else:
        least = outcome.at_least
        outbox.try_later(session, letter_id, ME, Why.LATER, outcome.words, now(), least)


def _is_test(session: Session, letter_id: int) -> bool:
    letter = session.get(Letter, letter_id)
    return letter is not None and webhooks.is_test(letter)


def _remember(hook_id: int, outcome: Outcome) -> None:
    if outcome.reply != Reply.AWAY:
        _resting.pop(hook_id, None)
        return
    failures = _resting.get(hook_id, (now(), 0))[1] + 1
    rest = max(min(outbox.back_off(failures), LONGEST_REST), outcome.at_least)
    _resting[hook_id] = (now() + rest, failures)


def _is_resting(hook_id: int) -> bool:
    return _resting.get(hook_id, (now(), 0))[0] > now()


@click.group("hook")
def hook_() -> None:
    """Webhooks: where a site has its events told."""


@hook_.command("add")
@click.argument("key")
@click.argument("name")
@click.option("--url-stdin", is_flag=True, help="Read the address from standard input: always.")
@click.option(
    "--shape",
    type=click.Choice([shape.value for shape in HookShape]),
    default=HookShape.STANDARD.value,
    help="What is called.",
)
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice([event.value for event in HookEvent]),
    help="What it is called for; repeat for more, leave out for all.",
)
@click.option("--to", default="", help="The chat's number, for Telegram.")
@with_appcontext
def add(key: str, name: str, url_stdin: bool, shape: str, events: tuple[str, ...], to: str) -> None:
    """Add a webhook named NAME to the site KEY."""
    if not url_stdin:
        raise click.UsageError("Give the address by --url-stdin: it may be a key itself.")
    if not 1 <= len(name.strip()) <= NAME_LENGTH:
        raise click.UsageError(f"A webhook's name has 1 to {NAME_LENGTH} characters.")
    url = sys.stdin.readline().strip()
    try:
        current_app.extensions["outbound"].check(url)
    except Refused as refused:
        raise click.UsageError(f"The address cannot be used: {refused}.") from None
    if (shape == HookShape.TELEGRAM) != bool(to):
        raise click.UsageError("--to is needed for Telegram, and for nothing else.")
    chosen = [HookEvent(event) for event in events] or list(HookEvent)
    wish = Wish(name.strip(), HookShape(shape), chosen, url, to)
    try:
        with database.writing() as session:
            site = site_or_stop(session, key)
            hook, secret = webhooks.add(session, _vault(), site, BY, wish)
            number = hook.id
    except webhooks.TooMany:
        raise click.ClickException(f"A site has at most {webhooks.MOST} webhooks.") from None
    click.echo(f"Added webhook {number}. See with `flask hook test {number}` whether it answers.")
    _show(secret)


@hook_.command("list")
@click.argument("key")
@with_appcontext
def list_(key: str) -> None:
    """List the webhooks of the site KEY: number, state, shape, host, events."""
    session = database.session()
    found = webhooks.of_site(session, site_or_stop(session, key).id)
    for hook in found:
        state = "on " if hook.is_on else "off"
        leads = webhooks.host(_vault(), hook) or "an address under a key that is not here"
        told = ", ".join(hook.events)
        click.echo(f"{hook.id}  {state}  {hook.shape}  {leads}  {hook.name}  ({told})")
    if not found:
        click.echo(f"{key} has no webhooks.")


@hook_.command("remove")
@click.argument("number", type=int)
@with_appcontext
def remove(number: int) -> None:
    """Remove the webhook NUMBER; what waits for it is called no more."""
    with database.writing() as session:
        webhooks.remove(session, _hook_or_stop(session, number), BY)
    click.echo("Removed.")


@hook_.command("switch")
@click.argument("number", type=int)
@click.argument("state", type=click.Choice(["on", "off"]))
@with_appcontext
def switch(number: int, state: str) -> None:
    """Have the webhook NUMBER called, or no longer."""
    with database.writing() as session:
        webhooks.switch(session, _hook_or_stop(session, number), BY, state == "on")
    click.echo(f"It is {state}.")


@hook_.command("rotate")
@click.argument("number", type=int)
@with_appcontext
def rotate(number: int) -> None:
    """Make a new secret for the webhook NUMBER; the one before is good for another 24 hours."""
    with database.writing() as session:
        hook = _hook_or_stop(session, number)
        if hook.shape != HookShape.STANDARD:
            raise click.ClickException("Calls of a chat are not signed: it has no secret.")
        secret = webhooks.rotate(session, _vault(), hook, BY)
    _show(secret)


@hook_.command("test")
@click.argument("number", type=int)
@with_appcontext
def test(number: int) -> None:
    """Call the webhook NUMBER at once, and say what it answered."""
    with database.writing() as session:
        hook = _hook_or_stop(session, number)
        if not hook.is_on:
            raise click.ClickException(f"Webhook {number} is switched off.")
        letter_id = webhooks.ping(session, hook)
        letter = session.get_one(Letter, letter_id)  # in hand at once: no worker takes it
        letter.claimed_by, letter.claimed_until = ME, now() + outbox.LEASE
        letter.attempts = 1
        number_of_letter = letter.id
    made = _made(number_of_letter)
    database.forget()
    if not isinstance(made, Call):
        raise click.ClickException("It was switched off at this very moment.")
    outcome = webhooks.call(current_app.extensions["outbound"], made)
    is_taken = outcome.reply == Reply.TAKEN

    def settle(session: Session) -> None:
        if is_taken:
            outbox.sent(session, number_of_letter, ME, outcome.words, now())
        else:
            outbox.fail(session, number_of_letter, ME, Why.LATER, outcome.words)

    write_down(settle)
    if not is_taken:
        raise click.ClickException(f"It did not take the call. {outcome.words}")
    click.echo(f"It took the call: {outcome.words}.")


@hook_.command("log")
@click.argument("number", type=int)
@with_appcontext
def log(number: int) -> None:
    """List the newest calls of the webhook NUMBER."""
    session = database.session()
    found = webhooks.log(session, _hook_or_stop(session, number))
    for row in found:
        letter = row.letter
        at = letter.sent_at or letter.created_at
        told = filter(None, (row.event, row.comment, letter.why, letter.last_answer))
        times = f"{letter.attempts}x"
        click.echo(
            f"{letter.id}  {at:%Y-%m-%d %H:%M:%S}  {letter.state}  {times}  {'  '.join(told)}"
        )
    if not found:
        click.echo("It was not called yet.")


def _hook_or_stop(session: Session, number: int) -> Hook:
    hook = webhooks.find(session, number)
    if hook is None:
        raise click.ClickException(f"There is no webhook {number}; `flask hook list` shows them.")
    return hook


def _show(secret: str) -> None:
    if secret:
        click.echo(f"The secret that calls are signed with, shown this once: {secret}")


def _vault() -> Vault:
    vault: Vault = current_app.extensions["vault"]
    return vault
