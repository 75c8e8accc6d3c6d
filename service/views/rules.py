"""A site's rules at the desk: what it holds, each rule with its numbers, what one would have done and
has done, and when another wording was asked for. Moderators read; publishers change."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from babel import Locale
from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from wtforms import IntegerField
from wtforms.validators import DataRequired

from .. import accounts, database, desk, rules, screening, statistics, trials, tuning
from ..models import Judgement, Site, now
from ..rules import NAMED, RULES, Rule
from ..site_settings import SiteSettings
from ..statistics import Use
from ..status import Mode, Occasion, Role, Status
from ..tuning import Choice
from .desk import LARGEST_ID, STATUSES, bp
from .judging import policy_here
from .languages import AVAILABLE
from .sites import site_or_refuse

PAGE = 50
LATELY = timedelta(days=90)
IN_SHORT = 300  # comments on which a rule fired, of which the list tells

MODES = {
    Mode.HOLD_EVERY: (
        _l("Hold every reply"),
        _l("A moderator reads each one before readers do. The rules say what speaks against it."),
    ),
    Mode.HOLD_NEW: (
        _l("Hold whoever is new"),
        _l(
            "Published at once is only a reply that its author confirmed by e-mail, if one that they "
            "confirmed was approved here before, and if no rule catches it."
        ),
    ),
    Mode.HOLD_CAUGHT: (
        _l("Hold only what a rule catches"),
        _l("Everything else is published at once."),
    ),
}
DOES = {Status.PENDING: _l("holds"), Status.SPAM: _l("marks as spam")}
COULD = {
    Status.PENDING: _l("can be told to hold"),
    Status.SPAM: _l("can be told to mark as spam"),
}
TO = {
    "hold": (Status.PENDING, _l("It waits for a moderator")),
    "spam": (Status.SPAM, _l("It is marked as spam")),
}
LISTED = {
    "writing": _l("Systems of writing that this site takes"),
    "languages": _l("Languages of the form that this site takes"),
}
KINDS = {
    trials.ASKED: _l("asked for another wording"),
    trials.SPAM: _l("newly marked as spam"),
    trials.HELD: _l("newly held"),
    trials.EASED: _l("held, no longer marked as spam"),
    trials.FREED: _l("freed"),
    trials.ALSO: _l("caught as well, where another rule does the same already"),
    trials.NO_LONGER: _l("no longer caught, where another rule still does the same"),
}
OUTCOMES: dict[str, Any] = {
    Status.APPROVED: _l("published"),
    Status.PENDING: _l("held"),
    Status.SPAM: _l("spam"),
    trials.ASKED: _l("asked for another wording"),
}
OCCASIONS = {
    Occasion.POSTED: _l("Posted"),
    Occasion.EDITED: _l("Changed by its author"),
    Occasion.REFUSED: _l("Another wording was asked for"),
    Occasion.LEARNED: _l("The filter had learned more, and looked again"),
}
# Pages of a site that belong to its rules, by what stands behind the site's key; shown if there.
BESIDE = {
    "phrases/hold": _l("Words and phrases to hold"),
    "phrases/spam": _l("Words and phrases that are spam"),
    "phrases/refuse": _l("Words and phrases to ask another wording for"),
    "outside": _l("Help from outside"),
}
WRONG = {
    "to": _l("Choose what becomes of the comment."),
    "on": _l("Choose on or off."),
    "listed": _l("Choose from the list."),
}


class RuleForm(FlaskForm):
    """The version of the site's choices that the page showed; a rule's own fields are the rule's."""

    version = IntegerField(validators=[DataRequired()])


@bp.get("/rules/", endpoint="rules")
def choose() -> ResponseReturnValue:
    """Which site; who has only one is taken there."""
    sites = desk.sites(database.session(), current_user)
    if len(sites) == 1:
        return redirect(url_for(".rules_of", key=sites[0].key))
    return render_template("desk/rules_sites.html", sites=sites)


@bp.get("/sites/<key>/rules", endpoint="rules_of")
def of_site(key: str) -> ResponseReturnValue:
    return _list(site_or_404(database.session(), key))


@bp.post("/sites/<key>/rules", endpoint="rules_mode")
def set_mode(key: str) -> ResponseReturnValue:
    """What a site holds before any rule has a word."""
    form = RuleForm()
    wanted = request.form.get("mode", "")
    if not form.validate() or wanted not in list(Mode):
        site_or_refuse(database.session(), key)
        abort(400)
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            tuning.save_mode(session, site, Mode(wanted), form.version.data or 0, current_user)
    except tuning.Changed:
        return _list(site_or_404(database.session(), key), _changed()), 409
    return redirect(url_for(".rules_of", key=key, saved="mode"), 303)


@bp.get("/sites/<key>/rules/<name>", endpoint="rules_one")
def one(key: str, name: str) -> ResponseReturnValue:
    site, rule = site_or_404(database.session(), key), _rule_or_404(name)
    choice = tuning.chosen(site, rule)
    return _page(site, rule, choice.written(), choice.listed)


@bp.post("/sites/<key>/rules/<name>", endpoint="rules_change")
def change(key: str, name: str) -> ResponseReturnValue:
    """Tries what was typed, and saves nothing; or saves it."""
    site, rule = site_or_refuse(database.session(), key), _rule_or_404(name)
    form = RuleForm()
    if not form.validate():
        abort(400)
    sent, listed = _sent(rule)
    try:
        choice = tuning.read(rule, tuning.chosen(site, rule), sent, listed)
    except tuning.Refused as refusal:
        return _page(site, rule, sent, listed or (), _wrong(rule, refusal.fields)), 422
    if request.form.get("act") == "try":
        return _page(site, rule, sent, choice.listed, trying=choice)
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            tuning.save(session, site, rule, choice, form.version.data or 0, current_user)
    except tuning.Changed:
        site = site_or_404(database.session(), key)
        return _page(site, rule, sent, choice.listed, message=_changed()), 409
    return redirect(url_for(".rules_one", key=key, name=name, saved="yes"), 303)


@bp.get("/sites/<key>/refusals", endpoint="rules_refusals")
def refusals(key: str) -> ResponseReturnValue:
    """When the site asked for another wording: nothing of what was sent is kept."""
    session = database.session()
    site = site_or_404(session, key)
    after = request.args.get("after", type=int)
    before = after if after is not None and 0 < after <= LARGEST_ID else None
    found = screening.refusals(session, site.id, before, PAGE + 1)
    return render_template(
        "desk/refusals.html",
        site=site,
        refusals=found[:PAGE],
        older=found[PAGE - 1].id if len(found) > PAGE else None,
    )


def site_or_404(session: Session, key: str) -> Site:
    """A site that this moderator works on, or the end of this request."""
    sites = desk.sites(session, current_user)
    return next((site for site in sites if site.key == key), None) or abort(404)


# Pages


def _list(site: Site, message: str = "") -> str:
    session = database.session()
    listed = []
    for rule in RULES:
        choice = tuning.chosen(site, rule)
        use = statistics.use(session, site.id, rule.name, most=IN_SHORT)
        listed.append((rule, choice, does(rule, choice), use))
    return render_template(
        "desk/rules.html",
        site=site,
        settings=SiteSettings.read(site.settings),
        modes=MODES,
        rules=listed,
        becomes=becomes,
        agreed=agreed,
        is_tunable=tuning.is_tunable,
        beside=list(_beside(site)),
        may_change=_may_change(site),
        message=message,
        is_saved="saved" in request.args,
        has_others=len(desk.sites(session, current_user)) > 1,
    )


def _page(
    site: Site,
    rule: Rule,
    sent: Mapping[str, str],
    listed: tuple[str, ...],
    errors: Mapping[str, Any] | None = None,
    trying: Choice | None = None,
    message: str = "",
) -> str:
    """One rule's page, with what was typed in its fields. Takes a choice to try before it is saved."""
    session = database.session()
    choice = trying or tuning.chosen(site, rule)
    kept_in = tuning.LISTS.get(rule.name, "")
    return render_template(
        "desk/rule.html",
        site=site,
        rule=rule,
        choice=choice,
        sentence=does(rule, choice),
        becomes=becomes(rule, choice),
        says=said_of(rule.name, "…"),
        to=TO,
        sent=sent,
        listed=listed,
        list_said=LISTED.get(kept_in),
        list_choices=dict(_choices(kept_in, listed)),
        errors=errors or {},
        message=message,
        is_saved="saved" in request.args and request.method == "GET",
        is_tunable=tuning.is_tunable(rule),
        tried=_tried(site, rule, trying) if trying else None,
        kinds=KINDS,
        outcomes=OUTCOMES,
        decisions=_decisions,
        shown=trials.SHOWN,
        lately=statistics.use(session, site.id, rule.name, now() - LATELY),
        ever=statistics.use(session, site.id, rule.name),
        most=statistics.FIRED,
        passed=statistics.passed(session, site.id, rule.name),
        agreed=agreed,
        may_change=_may_change(site),
    )


def _tried(site: Site, rule: Rule, choice: Choice) -> trials.Trial:
    before = policy_here(site)
    after = tuning.policy_with(before, site, rule, choice)
    return trials.trial(database.session(), site, before, after, rule)


def _sent(rule: Rule) -> tuple[dict[str, str], tuple[str, ...] | None]:
    """What was typed for a rule, and its list if it has one."""
    names = ["on", "to", *(number.name for number in rule.numbers)]
    sent = {name: request.form[name] for name in names if name in request.form}
    if rule.name not in tuning.LISTS:
        return sent, None
    return sent, tuple(dict.fromkeys(request.form.getlist("listed")))


def _wrong(rule: Rule, fields: Mapping[str, str]) -> dict[str, list[Any]]:
    """What is wrong with which field, as people read it."""
    said: dict[str, list[Any]] = {name: [WRONG[name]] for name in fields if name in WRONG}
    for n in rule.numbers:
        if n.name in fields:
            numbers = {"least": n.least, "most": n.most}
            said[n.name] = [_("Enter a whole number from %(least)s to %(most)s.", **numbers)]
    return said


def _choices(kept_in: str, listed: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What a list can be made of, each with its name in the desk's language."""
    locale = get_locale() or Locale("en")
    if kept_in == "writing":
        yield from ((name, name.capitalize()) for name in tuning.WRITING)
    elif kept_in == "languages":
        for tag in dict.fromkeys((*AVAILABLE, *listed)):
            name = tag.replace("-", "_")
            try:
                yield tag, Locale.parse(name).get_display_name(locale) or tag
            except ValueError:
                yield tag, tag


def _beside(site: Site) -> Iterator[tuple[str, Any]]:
    """The neighbouring pages that there are."""
    urls = current_app.url_map.bind("")
    for path, said in BESIDE.items():
        url = f"{bp.url_prefix}/sites/{site.key}/{path}"
        try:
            urls.match(url)
        except HTTPException:
            continue
        yield url, said


def _rule_or_404(name: str) -> Rule:
    return NAMED.get(name) or abort(404)


def _may_change(site: Site) -> bool:
    return accounts.may(current_user, site.id, Role.PUBLISHER)


def _changed() -> str:
    return str(
        _("A colleague changed the rules of this site in between. Look at them, then save again.")
    )


# Words


def does(rule: Rule, choice: Choice) -> str:
    """What a rule is for, with its numbers as a site has them."""
    return str(_(rule.does)) % choice.numbers


def becomes(rule: Rule, choice: Choice) -> str:
    """What a rule does to what it catches, and what else it can be told to do."""
    if rule.asks:
        return str(_("asks for another wording"))
    others = [COULD[status] for status in rule.may if status != choice.to]
    return "; ".join(map(str, [DOES[choice.to], *others]))


def said_of(rule: str, matched: str) -> str:
    """Why a rule fired, in a sentence; its bare name if it is one of an earlier release."""
    try:
        return str(_(rules.explain(rule))) % {"matched": matched}
    except KeyError:
        return f"{rule}: {matched}" if matched else rule


def agreed(use: Use) -> str:
    """ "12 of 14 agreed"; what nobody decided is left out."""
    decided = use.agreed + use.disagreed
    if decided:
        return str(_("%(agreed)s of %(decided)s agreed", agreed=use.agreed, decided=decided))
    if use.undecided:
        return str(_("none decided yet"))
    return str(_("caught nothing yet"))


def _decisions(tried: trials.Trial, kind: str) -> str:
    """How moderators decided on those of a kind: "3 approved, 1 spam, 2 by nobody yet"."""
    counts = tried.decided(kind)
    parts = [f"{counts[status]} {STATUSES[status]}" for status in Status if counts[status]]
    if counts[None]:
        parts.append(ngettext("%(num)s not decided yet", "%(num)s not decided yet", counts[None]))
    return ", ".join(parts)


def outcome(said: Judgement) -> str:
    """What came out of a verdict."""
    return str(OUTCOMES[said.status or trials.ASKED])


def asked_by(reasons: list[list[str]]) -> list[list[str]]:
    """Of all that fired, what asked for another wording; all of it where that is no rule any more."""
    asking = [said for said in reasons if said[0] in NAMED and NAMED[said[0]].asks]
    return asking or reasons


@bp.context_processor
def words() -> dict[str, Any]:
    return {
        "verdicts": lambda comment: screening.verdicts(database.session(), comment.id),
        "occasions": OCCASIONS,
        "outcome": outcome,
        "said_of": said_of,
        "asked_by": asked_by,
    }
