"""How it goes on a site: a page of plots, each with its numbers beside it."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime, format_decimal, format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from .. import database, desk, plots, rules, statistics
from ..models import Site, now
from ..statistics import Report, Use, Waits, Wave
from ..status import Status
from .desk import STATUSES, bp

USUAL = 30  # days, unless chosen
KEPT = timedelta(minutes=1)  # readings of a large site take a moment, and pages are loaded again
MOST_KEPT = 50
# From the foot of a column up: what readers see, what they do not, what is not decided.
STACK = (Status.APPROVED, Status.REJECTED, Status.DELETED, Status.SPAM, Status.PENDING)
EVERY = {7: 2, 30: 7, 90: 21}  # days from one label to the next
MEDIAN, MOST = "half", "most"
AGES = (
    _l("under 1 hour"),
    _l("1 to 6 hours"),
    _l("6 to 24 hours"),
    _l("1 to 3 days"),
    _l("3 to 7 days"),
    _l("older"),
)


@bp.get("/statistics/", endpoint="statistics")
def choose() -> ResponseReturnValue:
    """Which site; who has only one is taken there."""
    sites = desk.sites(database.session(), current_user)
    if len(sites) == 1:
        return redirect(url_for(".statistics_of", key=sites[0].key))
    waiting = {
        site.key: statistics.queue(database.session(), site.id, now()).total for site in sites
    }
    return render_template("desk/statistics_sites.html", sites=sites, waiting=waiting)


@bp.get("/statistics/<key>", endpoint="statistics_of")
def of_site(key: str) -> ResponseReturnValue:
    sites = desk.sites(database.session(), current_user)
    site = next((site for site in sites if site.key == key), None) or abort(404)
    asked = request.args.get("days", str(USUAL))
    span = next((span for span in statistics.SPANS if str(span) == asked), None) or abort(404)
    told = _report(site, span)
    return render_template(
        "desk/statistics.html",
        site=site,
        sites=sites,
        span=span,
        spans=statistics.SPANS,
        report=told,
        stack=STACK,
        stack_words=[str(STATUSES[name]).capitalize() for name in STACK],
        arrivals=_arrivals(told),
        waits=_waits(told),
        ages=list(zip(AGES, told.queue.counts, strict=True)),
        ages_said=_ages_said(told),
        rule_said=_rule,
        waves=[(wave, _wave(wave)) for wave in told.waves],
        share=plots.share,
        long=long,
        day=day,
        hour=hour,
        within=within,
        agreement=agreement,
        in_ten=in_ten,
        wave_said=_wave_said,
        format_number=format_decimal,
    )


def _report(site: Site, span: int) -> Report:
    """A site's report, at most a minute old."""
    kept: dict[tuple[int, int], Report] = current_app.extensions.setdefault("statistics", {})
    found = kept.get((site.id, span))
    if found is None or now() - found.at > KEPT:
        found = statistics.report(database.session(), site.id, span)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[site.id, span] = found
    return found


# The plots, with what they say in words


def _arrivals(told: Report) -> dict[str, Any]:
    every = EVERY[len(told.days)]
    most = max(told.days, key=lambda d: d.total)
    came = sum(bool(d.total) for d in told.days)
    by_status = ", ".join(
        f"{format_decimal(told.totals[name])} {STATUSES[name]}"
        for name in STACK
        if told.totals[name]
    )
    return {
        "plot": plots.columns([d.counts for d in told.days], STACK, every=every),
        "said": _(
            "Comments came on %(came)s of %(days)s days: %(by_status)s. Most came on %(day)s: %(most)s.",
            came=came,
            days=len(told.days),
            by_status=by_status,
            day=day(most.date),
            most=format_decimal(most.total),
        ),
    }


def _waits(told: Report) -> dict[str, Any]:
    every = EVERY[len(told.days)]
    series = {
        MEDIAN: [d.waits.median for d in told.days],
        MOST: [d.waits.most for d in told.days],
    }
    known = {d.date: d.waits.median for d in told.days if d.waits.median is not None}
    if not known:
        return {"said": ""}
    slow = max(known, key=lambda date: known[date])
    said = _(
        "On %(quick)s of %(days)s days half were decided within an hour. Slowest was %(day)s: half "
        "within %(time)s.",
        quick=sum(median <= plots.HOUR for median in known.values()),
        days=len(known),
        day=day(slow),
        time=long(known[slow]),
    )
    overall = _(
        "Over all days half were decided within %(half)s, 9 of 10 within %(most)s.",
        half=within(told.waits.median, told.waits),
        most=within(told.waits.most, told.waits),
    )
    return {"plot": plots.lines(series, every=every), "said": said, "overall": overall}


def _ages_said(told: Report) -> str:
    """How much has waited for more than a day."""
    old = sum(told.queue.counts[3:])
    if not old:
        return str(_("All of it came within the last day."))
    return str(
        ngettext(
            "%(num)s has waited for more than a day.",
            "%(num)s have waited for more than a day.",
            old,
        )
    )


def _wave(wave: Wave) -> plots.Columns:
    """The hours of a wave between those around it."""
    calm = [{"usual": count} for count in wave.before]
    high = [{"spam": count} for count in wave.hours]
    after = [{"usual": count} for count in wave.after]
    counted = [*calm, *high, *after]
    return plots.columns(counted, ("usual", "spam"), 96, len(counted), has_ends=False)


def _wave_said(wave: Wave) -> str:
    """How much came, and how much of it in the worst hour."""
    total = ngettext("%(num)s spam comment", "%(num)s spam comments", wave.total)
    if len(wave.hours) == 1:
        return str(_("%(total)s within an hour.", total=total))
    hours, most = len(wave.hours), format_decimal(max(wave.hours))
    return str(
        _("%(total)s in %(hours)s hours, %(most)s in one.", total=total, hours=hours, most=most)
    )


# Words for numbers


def long(seconds: float) -> str:
    """A duration in one or two units: "45 s", "12 min", "3 h 20 min", "2 days 4 h"."""
    if seconds < 90 and seconds != plots.MINUTE:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90 and minutes != 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours + (rest >= 30)} h"
    days, over = divmod(round(minutes / 60), 24)
    told = ngettext("%(num)s day", "%(num)s days", days)
    return f"{told} {over} h" if over and days < 10 else str(told)


def day(at: date) -> str:
    """ "14 November" """
    return str(format_date(at, "d MMMM"))


def hour(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM, HH:mm"))


def within(seconds: float | None, waits: Waits) -> str:
    """A cell of the table: the time, or why there is none."""
    if seconds is not None:
        return long(seconds)
    return str(_("not yet known") if waits.waiting else "–")


def agreement(use: Use) -> str:
    decided = use.agreed + use.disagreed
    return str(format_percent(use.agreed / decided)) if decided else "–"


def in_ten(part: float) -> str:
    """A share as people say it: "9 of 10"."""
    if part > 0.95:
        return str(_("all"))
    return str(_("%(num)s of 10", num=max(round(part * 10), 1)))


def _rule(rule: str) -> str:
    """A rule's sentence, without what it matched in a certain comment."""
    try:
        return str(_(rules.explain(rule)) % {"matched": "…"})
    except KeyError:  # a rule of an earlier release
        return rule
