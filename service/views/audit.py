"""The record: a list to read and filter, and a file to take along."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from .. import audit, database, desk, events, moderation
from ..accounts import Moderator
from ..audit import Entry, Filter
from ..comments import network_of
from ..filters import READERS, SAID, Unreadable
from ..models import Event, Site, now
from ..status import Act, Status
from .desk import STATUSES, bp, shown_name, told

BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
HEADS = ("at", "who", "what", "site", "about", "author", "page", "network", "way")
NOBODY = "0"  # what no moderator did
BY_MAIL = "by.mail"  # what was done by a link in a letter

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
    Act.MARKED: _l("marked, or replied by staff"),
    Act.KEPT: _l("kept after reports"),
    Act.HELD: _l("held after reports"),
    Act.REWORDED: _l("reworded"),
    Act.PINNED: _l("pinned"),
    Act.UNPINNED: _l("unpinned"),
    Act.NOTED: _l("noted"),
    Act.HANDED: _l("handed over"),
    Act.RETRACTED: _l("import undone"),
}
# Each word of events.What: how the filter calls it, and a sentence about who did it.
EVENTS: dict[str, tuple[Any, Any]] = {
    "closed": (_l("article closed"), _l("%(who)s closed an article to new comments.")),
    "opened": (_l("article opened"), _l("%(who)s opened an article to new comments again.")),
    "held": (_l("new comments held"), _l("%(who)s asked that all new comments wait.")),
    "released": (_l("new comments no longer held"), _l("%(who)s no longer has all comments wait.")),
    "renamed": (_l("article renamed"), _l("%(who)s gave an article another title.")),
    "moved": (_l("article moved"), _l("%(who)s moved an article to another address.")),
    "merged": (_l("articles merged"), _l("%(who)s made two articles one.")),
    "move_began": (
        _l("move of many articles began"),
        _l("%(who)s began to move all articles of a pattern."),
    ),
    "move_ended": (
        _l("move of many articles ended"),
        _l("A move of %(who)s over many articles ended."),
    ),
    "bulk": (_l("many comments at once"), _l("%(who)s began a job over many comments.")),
    "bulk_ended": (_l("job over many comments ended"), _l("A job of %(who)s over many ended.")),
    "banned": (_l("ban made"), _l("%(who)s made a ban.")),
    "lifted": (_l("ban lifted"), _l("%(who)s lifted a ban.")),
    "previewed": (_l("ban previewed"), _l("%(who)s looked at what a ban would have caught.")),
    "searched": (_l("address searched for"), _l("%(who)s searched for an exact address.")),
    "reasoned": (_l("public reasons changed"), _l("%(who)s changed the list of public reasons.")),
    "asked_outside": (
        _l("services outside"),
        _l("%(who)s changed which services outside are asked."),
    ),
    "hook_changed": (_l("webhook changed"), _l("%(who)s changed a webhook.")),
    "hook_replayed": (_l("webhook called again"), _l("%(who)s had a webhook called once more.")),
    "wave_began": (_l("wave began"), _l("%(who)s saw far more comments than usual; all wait.")),
    "wave_ended": (_l("wave ended"), _l("%(who)s saw that a wave is over.")),
    "wave_denied": (_l("wave called off"), _l("%(who)s said that a wave was none.")),
    "phrases_changed": (_l("phrases changed"), _l("%(who)s changed the words and phrases.")),
    "site_added": (_l("site added"), _l("%(who)s added a site.")),
    "site_renamed": (_l("site renamed"), _l("%(who)s gave a site another name.")),
    "origins_changed": (
        _l("origins changed"),
        _l("%(who)s changed which websites may show a site’s threads."),
    ),
    "setting_changed": (_l("setting changed"), _l("%(who)s changed a setting of the site.")),
    "site_closed": (_l("site closed"), _l("%(who)s closed a site to new comments.")),
    "site_opened": (_l("site opened"), _l("%(who)s opened a site to new comments again.")),
    "site_deleted": (_l("site deleted"), _l("%(who)s deleted a site.")),
    "site_restored": (_l("site restored"), _l("%(who)s restored a deleted site.")),
    "site_erased": (_l("site erased"), _l("The %(who)s erased what a deleted site held.")),
    "rule_changed": (_l("rule changed"), _l("%(who)s changed a rule of the site.")),
    "exported": (_l("record exported"), _l("%(who)s took the record along as a file.")),
    "import_brought": (_l("file brought"), _l("%(who)s brought a file with comments.")),
    "import_began": (_l("import begun"), _l("%(who)s had a file’s comments imported.")),
    "import_stopped": (_l("import stopped"), _l("%(who)s stopped an import.")),
    "import_undone": (_l("import taken back"), _l("%(who)s took an import back.")),
    "import_discarded": (_l("file thrown away"), _l("%(who)s threw an import’s file away.")),
    "comments_exported": (_l("comments exported"), _l("%(who)s took the comments along.")),
    "addresses_exported": (
        _l("addresses exported"),
        _l("%(who)s took the comments along with their authors’ addresses."),
    ),
    "mail_allowed": (
        _l("mail tried again"),
        _l("%(who)s has an address written to again that mail came back from."),
    ),
    "erased": (
        _l("address erased"),
        _l("What was stored under an address was erased from the %(who)s."),
    ),
    "signed_in": (_l("signed in"), _l("%(who)s signed in.")),
    "sign_in_failed": (_l("sign-in failed"), _l("%(who)s tried to sign in, in vain.")),
    "locked_out": (_l("locked out"), _l("%(who)s tried too often and has to wait.")),
    "signed_out": (_l("signed out"), _l("%(who)s signed out.")),
    "session_ended": (_l("session ended"), _l("%(who)s ended a session in another browser.")),
    "verified": (_l("identity confirmed"), _l("%(who)s said once more who they are.")),
    "invited": (_l("invited"), _l("%(who)s invited somebody.")),
    "invitation_ended": (_l("invitation ended"), _l("%(who)s took an invitation back.")),
    "joined": (_l("joined"), _l("%(who)s took up an invitation.")),
    "role_changed": (_l("role changed"), _l("%(who)s changed a role.")),
    "removed": (_l("moderator removed"), _l("%(who)s removed a moderator.")),
    "restored": (_l("moderator restored"), _l("%(who)s let a moderator in again.")),
    "link_made": (_l("sign-in link made"), _l("%(who)s made a link to sign in.")),
    "reset_asked": (
        _l("new password asked for"),
        _l("%(who)s asked for a letter with a link for a new password."),
    ),
    "address_shown": (_l("colleague’s address shown"), _l("%(who)s looked at an address.")),
    "name_changed": (_l("name changed"), _l("%(who)s changed their name.")),
    "password_changed": (_l("password changed"), _l("%(who)s changed their password.")),
    "second_step_added": (_l("second step added"), _l("%(who)s added a second step.")),
    "second_step_removed": (_l("second step removed"), _l("%(who)s removed the second step.")),
    "codes_made": (_l("recovery codes made"), _l("%(who)s made new recovery codes.")),
    "code_used": (_l("recovery code used"), _l("%(who)s signed in with a recovery code.")),
    "mail_links": (
        _l("links in letters"),
        _l("%(who)s chose whether letters to them hold links that decide."),
    ),
    "passkey_added": (_l("passkey added"), _l("%(who)s added a passkey.")),
    "passkey_removed": (_l("passkey removed"), _l("%(who)s removed a passkey.")),
}


class ExportForm(FlaskForm):
    """The page's own token; what to take along stands in the fields of the filter."""


@bp.get("/audit/", endpoint="audit")
def record() -> ResponseReturnValue:
    session = database.session()
    sites = desk.sites(session, current_user)
    try:
        wanted = _wanted(request.args, sites)
    except Unreadable as error:
        wrong = {name: _(said) for name, said in error.fields.items()}
        return _page(sites, Filter(), audit.Page([], None), wrong), 422
    before = audit.place(request.args.get("before", ""))
    return _page(sites, wanted, audit.page(session, current_user, wanted, before), {})


def _page(sites: Iterable[Site], wanted: Filter, page: audit.Page, wrong: dict[str, str]) -> str:
    """The list, or what is wrong with what was asked for, beside its field."""
    asked = {name: request.args.get(name, "") for name in FIELDS}
    return render_template(
        "desk/audit.html",
        page=page,
        wrong=wrong,
        days=[
            (day, list(found)) for day, found in groupby(page.entries, lambda e: e.row.at.date())
        ],
        said=said,
        asked=asked,
        kept={name: value for name, value in asked.items() if value},
        is_filtered=any(asked.values()),
        sites=sites,
        people=audit.people(database.session(), current_user),
        nobody=NOBODY,
        decisions=DECISIONS,
        acts={f"act.{act}": words for act, words in OTHER_ACTS.items()}
        | {BY_MAIL: _l("done by mail, from a letter")},
        events=_events(),
        may_export=not wrong and audit.may_export(current_user, _id(sites, wanted.site)),
    )


@bp.post("/audit/export")
def audit_export() -> ResponseReturnValue:
    """The whole record, as far as the filter goes, as CSV. That it was taken is on record too."""
    if not audit.may_export(current_user):
        abort(403, _("Only publishers can take the record along."))
    if not ExportForm().validate():
        abort(400)
    sites = desk.sites(database.session(), current_user)
    try:
        wanted = _wanted(request.form, sites)
    except Unreadable as error:
        abort(422, _(next(iter(error.fields.values()))))
    site_id = _id(sites, wanted.site)
    if not audit.may_export(current_user, site_id):
        abort(403, _("Only publishers of this site can take its record along."))
    asked = ", ".join(f"{name} {request.form[name]}" for name in FIELDS if request.form.get(name))
    with database.writing() as session:
        events.record(session, events.What.EXPORTED, current_user, asked, site_id)
    name = "-".join(filter(None, ("record", wanted.site, f"{now():%Y-%m-%d}")))
    return Response(
        stream_with_context(_lines(current_user._get_current_object(), wanted)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


FIELDS = ("site", "who", "what", "since", "until", "network", "each")


def _wanted(asked: MultiDict[str, str], sites: Iterable[Site]) -> Filter:
    """The filter that a URL or a form asks for; what makes no sense is the end of this request, for
    a list that silently ignores a condition tells something else than it seems to. A day is typed
    by people: raises Unreadable for what is none."""
    site, what, who = (asked.get(name, "") for name in ("site", "what", "who"))
    if site and site not in {known.key for known in sites}:
        abort(404)
    if what and what not in DECISIONS and what not in _kinds():
        abort(404)
    if who and not (who.isascii() and who.isdigit() and len(who) < 19):
        abort(404)
    days = _days(asked)
    until = days.get("until")
    network = asked.get("network", "").strip()
    return Filter(
        site=site,
        who=int(who) if who else None,
        what=what,
        since=days.get("since"),
        until=until + timedelta(days=1) if until else None,
        network=network_of(network) or network,
        has_each=bool(asked.get("each")),
    )


def _kinds() -> set[str]:
    return {BY_MAIL} | {f"act.{act}" for act in Act} | {f"event.{what}" for what in events.What}


def _days(asked: MultiDict[str, str]) -> dict[str, datetime]:
    """The first moments, in UTC, of the days that are asked for; raises Unreadable."""
    found: dict[str, datetime] = {}
    wrong: dict[str, str] = {}
    for name in ("since", "until"):
        try:
            if said := asked.get(name, "").strip():
                found[name] = datetime.combine(READERS[name](said), time(), UTC)
        except ValueError:
            wrong[name] = SAID[name]
    if wrong:
        raise Unreadable(wrong)
    return found


def _id(sites: Iterable[Site], key: str) -> int | None:
    return next((site.id for site in sites if site.key == key), None)


def _events() -> dict[str, Any]:
    """The kinds of events that this moderator may come across."""
    is_publisher = audit.may_export(current_user)
    known = [what for what in events.What if is_publisher or what not in audit.OF_PEOPLE]
    return {f"event.{what}": _event(what)[0] for what in known}


def _event(what: str) -> tuple[Any, Any]:
    return EVENTS.get(what, (what, "%(who)s: " + what))


def said(entry: Entry) -> str:
    """What happened, in a sentence; when it did stands beside it."""
    row = entry.row
    if isinstance(row, Event):
        return str(_event(row.what)[1]) % {"who": row.by}
    sentence = told(row, has_when=False)
    # A note's words are its comment's page's to show.
    return f"{sentence[:-1]}." if sentence.endswith(":") else sentence


def _lines(who: Moderator, wanted: Filter) -> Iterator[str]:
    """The file. Its reading begins here: the view's own ended with the view, and what goes on
    with an ended session takes a connection that nobody gives back."""
    yield BOM + _line(HEADS)
    for entry in audit.everything(database.session(), who, wanted):
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
        return (*start, row.what, site, row.about, "", "", row.network, "")
    word = str(row.to_status if row.act == Act.DECIDED else row.act)
    word = "replied" if row.act == Act.MARKED and moderation.is_reply(row) else word
    page = url_for(".comment", public_id=row.comment.public_id, _external=True)
    name = shown_name(row.comment)
    way = "by mail" if row.by_mail else ""
    return (*start, word, site, row.comment.article.url, name, page, row.network, way)
