"""`flask rules`: a site's rules, what one would have done, and the ledger of a comment's verdicts."""

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import comments, database, people, rules, screening, statistics, text, trials, tuning
from ..models import Site
from ..rules import NAMED, RULES, Rule
from ..screening import filter as learned
from ..site_settings import SiteSettings
from ..status import Status
from ..tuning import Choice
from .sites import site_or_stop

TAKES = "takes"  # how a command names a rule's list
EXCERPT = 60  # characters of a comment
IN_SHORT = 300  # comments on which a rule fired, of which the list tells
COULD = {Status.PENDING: "can be told to hold", Status.SPAM: "can be told to mark as spam"}
KINDS = {
    trials.ASKED: "asked for another wording",
    trials.SPAM: "newly marked as spam",
    trials.HELD: "newly held",
    trials.EASED: "held, no longer marked as spam",
    trials.FREED: "freed",
    trials.ALSO: "caught as well, where another rule does the same already",
    trials.NO_LONGER: "no longer caught, where another rule still does the same",
}


@click.group("rules")
def rules_() -> None:
    """What holds comments on a site, and why."""


@rules_.command("list")
@click.argument("site_key", metavar="SITE")
@with_appcontext
def list_(site_key: str) -> None:
    """Print the rules of SITE in the order they run."""
    session = database.session()
    site = site_or_stop(session, site_key)
    click.echo(f"mode: {SiteSettings.read(site.settings).mode}")
    for number, rule in enumerate(RULES, 1):
        choice = tuning.chosen(site, rule)
        use = statistics.use(session, site.id, rule.name, most=IN_SHORT)
        state = "always on" if rule.is_fixed else "on" if choice.is_on else "off"
        facts = [state, _becomes(rule, choice), *([_agreed(use)] if rule.is_judged else [])]
        click.echo(f"{number:2}. {rule.name}: {_does(rule, choice)} ({', '.join(facts)})")


@rules_.command("set")
@click.argument("site_key", metavar="SITE")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="on|off|NUMBER=VALUE|to=hold|to=spam…")
@with_appcontext
def set_(site_key: str, name: str, changes: tuple[str, ...]) -> None:
    """Change the rule NAME of SITE; `takes=latin,greek` gives a rule its list."""
    rule = _rule(name)
    try:
        with database.writing() as session:
            site = site_or_stop(session, site_key)
            choice = _choice(site, rule, changes)
            tuning.save(session, site, rule, choice, site.screening_version, people.OPERATOR)
    except tuning.Changed:
        raise click.ClickException(
            "Somebody changed the rules at this very moment. Try again."
        ) from None
    state = "on" if choice.is_on else "off"
    click.echo(f"{name} of {site_key} is {state}: {_does(rule, choice)}")


@rules_.command("try")
@click.argument("site_key", metavar="SITE")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="on|off|NUMBER=VALUE|to=hold|to=spam…")
@with_appcontext
def try_(site_key: str, name: str, changes: tuple[str, ...]) -> None:
    """Print what the rule NAME would have done, changed so, to the last comments of SITE. Changes
    nothing."""
    rule, session = _rule(name), database.session()
    site = site_or_stop(session, site_key)
    choice = _choice(site, rule, changes)
    before = screening.policy_of(session, site, current_app.config["FORM_MIN_SECONDS"])
    after = tuning.policy_with(before, site, rule, choice)
    tried = trials.trial(session, site, before, after, rule)
    if tried.is_untried:
        raise click.ClickException(
            f"{name} cannot be tried so: what it looks at is not kept. "
            "`flask rules list` tells what moderators made of it so far."
        )
    said = " There was no time for more." if tried.is_cut else ""
    click.echo(f"Of readers' comments the newest were judged anew: {tried.looked_at}.{said}")
    if not tried.changes:
        click.echo("It would have changed nothing.")
    for kind, words in KINDS.items():
        _print_kind(tried, kind, words)


@rules_.command("ledger")
@click.argument("public_id", metavar="COMMENT_ID")
@with_appcontext
def ledger(public_id: str) -> None:
    """Print every verdict on a comment, oldest first."""
    session = database.session()
    found = comments.by_public_id(session, public_id)
    if found is None:
        raise click.ClickException(f"There is no comment {public_id}.")
    for said in screening.verdicts(session, found.id):
        click.echo(f"{said.at:%Y-%m-%d %H:%M} UTC  {said.occasion}: {said.status}")
        for rule, _status, matched in said.reasons:
            click.echo(f"  {_says(rule, matched)}")
        if said.chance is not None:
            click.echo(f"  {_of_the_filter(said.chance, said.telling)}")


def _of_the_filter(chance: int, telling: list[str]) -> str:
    fors, againsts = learned.told(telling)
    told = f"The filter: {learned.percent(chance)} % likely spam."
    told += f" For it: {', '.join(fors)}." if fors else ""
    return told + (f" Against it: {', '.join(againsts)}." if againsts else "")


def _print_kind(tried: trials.Trial, kind: str, words: str) -> None:
    found, counts = tried.of(kind), tried.decided(kind)
    if not found:
        return
    parts = [f"{counts[status]} {status}" for status in Status if counts[status]]
    parts += [f"{counts[None]} not decided yet"] if counts[None] else []
    click.echo(f"{len(found)} {words}; by moderators: {', '.join(parts)}")
    for change in found[: trials.SHOWN]:
        quoted = text.excerpt(text.plain(change.comment.html), EXCERPT)
        decided = change.decided or "not decided yet"
        click.echo(f"  {change.comment.public_id}  {decided}  {quoted}")
    if len(found) > trials.SHOWN:
        click.echo(f"  These are the newest {trials.SHOWN} of them.")


def _rule(name: str) -> Rule:
    if name not in NAMED:
        raise click.UsageError(f"There is no rule {name}; there are {', '.join(NAMED)}.")
    return NAMED[name]


def _choice(site: Site, rule: Rule, changes: tuple[str, ...]) -> Choice:
    """A choice out of the words of a command; the end of the command if it cannot be."""
    sent: dict[str, str] = {}
    listed = None
    for change in changes:
        name, _, value = change.partition("=")
        if change in tuning.ON:
            sent["on"] = change
        elif name == TAKES:
            listed = tuple(filter(None, value.split(",")))
        else:
            sent[name] = value
    try:
        return tuning.read(rule, tuning.chosen(site, rule), sent, listed)
    except tuning.Refused as refusal:
        named = {**refusal.fields}
        if "listed" in named:
            named[TAKES] = named.pop("listed")
        said = " ".join(f"{name}: {why}" for name, why in named.items())
        raise click.UsageError(said) from None


def _does(rule: Rule, choice: Choice) -> str:
    return rule.does % choice.numbers


def _becomes(rule: Rule, choice: Choice) -> str:
    if rule.asks:
        return "asks for another wording"
    others = [COULD[status] for status in rule.may if status != choice.to]
    return "; ".join([tuning.DOES[choice.to], *others])


def _agreed(use: statistics.Use) -> str:
    decided = use.agreed + use.disagreed
    if decided:
        return f"{use.agreed} of {decided} agreed"
    return "none decided yet" if use.undecided else "caught nothing yet"


def _says(rule: str, matched: str) -> str:
    """Why a rule fired; its bare name if it is one of an earlier release."""
    try:
        return rules.explain(rule) % {"matched": matched}
    except KeyError:
        return f"{rule}: {matched}"
