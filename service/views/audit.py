"""The record: a list to read and filter, and a file to take along."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from .. import audit, database, desk, events
from ..audit import Entry, Filter
from ..comments import network_of
from ..models import Decision, Event, Site, now
from ..status import Act, Status
from .desk import STATUSES, bp, shown_name, told

BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
HEADS = ("at", "who", "what", "site", "about", "author", "page", "network")
NOBODY = "0"  # what no moderator did

# What can be looked for, in three groups. The words before the dot are audit.Filter's.
DECISIONS = {
    f"to.{status}": STATUSES[status]
    for status in (Status.APPROVED, Status.REJECTED, Status.SPAM, Status.DELETED, Status.PENDING)
}
OTHER_ACTS = {
    Act.UNDONE: _l("taken back"),
    Act.REVEALED: _l("email address looked at"),
    Act.EDITED: _l("changed by its author"),
    Act.DISCARDED: _l("old text kept"),
    Act.WITHDRAWN: _l("taken back by its author"),
    Act.MARKED: _l("marked"),
    Act.KEPT: _l("kept after reports"),
    Act.HELD: _l("held after reports"),
    Act.REWORDED: _l("reworded"),
    Act.PINNED: _l("pinned"),
    Act.UNPINNED: _l("unpinned"),
    Act.NOTED: _l("noted"),
    Act.HANDED: _l("handed over"),
    Act.RETRACTED: _l("import undone"),
}
# Each word of events.What: how it is called in the filter, and in a sentence about who did it.
EVENTS: dict[str, tuple[Any, Any]] = {
    "closed": (_l("article closed"), _l("%(who)s closed an article.")),
    "opened": (_l("article opened"), _l("%(who)s opened an article again.")),
    "held": (_l("new comments held"), _l("%(who)s held all new comments.")),
    "released": (_l("new comments released"), _l("%(who)s let new comments through again.")),
    "exported": (_l("record exported"), _l("%(who)s took the record along.")),
}


class ExportForm(FlaskForm):
    """The page's own token; what to take along stands in the fields of the filter."""


@bp.get("/audit/", endpoint="audit")
def record() -> ResponseReturnValue:
    session = database.session()
    sites = desk.sites(session, current_user)
    wanted = _wanted(request.args, sites)
    page = audit.page(session, current_user, wanted, audit.place(request.args.get("before", "")))
    asked = {name: request.args.get(name, "") for name in FIELDS}
    return render_template(
        "desk/audit.html",
        page=page,
        days=[
            (day, list(found)) for day, found in groupby(page.entries, lambda e: e.row.at.date())
        ],
        said=said,
        asked=asked,
        kept={name: value for name, value in asked.items() if value},
        is_filtered=any(asked.values()),
        sites=sites,
        people=audit.people(session, current_user),
        nobody=NOBODY,
        decisions=DECISIONS,
        acts={f"act.{act}": words for act, words in OTHER_ACTS.items()},
        events={f"event.{what}": _event(what)[0] for what in events.What},
        may_export=audit.may_export(current_user, _id(sites, wanted.site)),
    )


@bp.post("/audit/export")
def audit_export() -> ResponseReturnValue:
    """The whole record, as far as the filter goes, as CSV. That it was taken is on record too."""
    if not audit.may_export(current_user):
        abort(403, _("Only publishers can take the record along."))
    if not ExportForm().validate():
        abort(400)
    sites = desk.sites(database.session(), current_user)
    wanted = _wanted(request.form, sites)
    site_id = _id(sites, wanted.site)
    if not audit.may_export(current_user, site_id):
        abort(403, _("Only publishers of this site can take its record along."))
    asked = ", ".join(f"{name} {request.form[name]}" for name in FIELDS if request.form.get(name))
    with database.writing() as session:
        events.record(session, events.What.EXPORTED, current_user, asked, site_id)
    entries = audit.everything(database.session(), current_user, wanted)
    name = "-".join(filter(None, ("record", wanted.site, f"{now():%Y-%m-%d}")))
    return Response(
        stream_with_context(_lines(entries)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


FIELDS = ("site", "who", "what", "since", "until", "network", "each")


def _wanted(asked: MultiDict[str, str], sites: Iterable[Site]) -> Filter:
    """The filter that a URL or a form asks for; what makes no sense is the end of this request, for
    a list that silently ignores a condition tells something else than it seems to."""
    site, what, who = (asked.get(name, "") for name in ("site", "what", "who"))
    if site and site not in {known.key for known in sites}:
        abort(404)
    if what and what not in DECISIONS and what not in _kinds():
        abort(404)
    if who and not (who.isascii() and who.isdigit() and len(who) < 19):
        abort(404)
    until = _day(asked.get("until", ""))
    network = asked.get("network", "").strip()
    return Filter(
        site=site,
        who=int(who) if who else None,
        what=what,
        since=_day(asked.get("since", "")),
        until=until + timedelta(days=1) if until else None,
        network=network_of(network) or network,
        has_each=bool(asked.get("each")),
    )


def _kinds() -> set[str]:
    return {f"act.{act}" for act in Act} | {f"event.{what}" for what in events.What}


def _day(said: str) -> datetime | None:
    """The first moment of a day, in UTC."""
    if not said:
        return None
    try:
        return datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        abort(404)


def _id(sites: Iterable[Site], key: str) -> int | None:
    return next((site.id for site in sites if site.key == key), None)


def _event(what: str) -> tuple[Any, Any]:
    return EVENTS.get(what, (what, "%(who)s: " + what))


def said(entry: Entry) -> str:
    """What happened, in a sentence."""
    row = entry.row
    return told(row) if isinstance(row, Decision) else str(_event(row.what)[1]) % {"who": row.by}


def _lines(entries: Iterator[Entry]) -> Iterator[str]:
    yield BOM + _line(HEADS)
    for entry in entries:
        yield _line(_cells(entry))


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([audit.cell(cell) for cell in cells])
    return written.getvalue()


def _cells(entry: Entry) -> tuple[str, ...]:
    """A row of the file. It holds no address, no text of a comment and no note on it."""
    row = entry.row
    start = (row.at.isoformat(timespec="seconds"), row.by)
    site = entry.site.key if entry.site else ""
    if isinstance(row, Event):
        return (*start, row.what, site, row.about, "", "", row.network)
    word = str(row.to_status if row.act == Act.DECIDED else row.act)
    page = url_for(".comment", public_id=row.comment.public_id, _external=True)
    name = shown_name(row.comment)
    return (*start, word, site, row.comment.article.url, name, page, row.network)
