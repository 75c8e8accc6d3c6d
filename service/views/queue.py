"""The queue: the lists of the desk, a page at a time, and what is searched for in them."""

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from .. import database, desk, events, text, urls
from ..desk import PAGE
from ..filters import EVERY, HOLDS_ADDRESS, Filter, Unreadable
from ..status import Status
from ..vault import mask
from .bulk import moment
from .desk import TABS, bp, vault
from .find import SET, SORTS, AddressForm, chips, rules

REFUSED = "refused"  # the fields, by name, in which somebody typed an address
MOST_AUTHORS = 100  # that one address is found to be of: one on each site


@bp.get("/")
def queue() -> ResponseReturnValue:
    site, status = request.args.get("site", ""), request.args.get("status") or Status.PENDING
    if status not in TABS:
        abort(404)
    try:
        asked = Filter.read(request.args)
        if refused := [word for word in request.args.get(REFUSED, "").split(",") if word in SET]:
            raise Unreadable(dict.fromkeys(refused, HOLDS_ADDRESS))
    except Unreadable as error:
        if holding := [word for word, typed in request.args.items() if text.addresses(typed)]:
            return _without(holding)
        wrong = {word: _(said) for word, said in error.fields.items()}
        asked = Filter(status=status, site=site)
        return _page(asked, desk.Queue([], None), wrong=wrong), 422
    after = request.args.get("after", "")
    if "" in request.args.values():  # a form sends its empty fields too; none belongs in a URL
        kept = asked.words() | ({"after": after} if after else {})
        return redirect(f"{url_for('.queue')}?{urls.query(**kept)}".rstrip("?"))
    moment()
    return _page(asked, desk.queue(database.session(), vault(), current_user, asked, after))


def _without(holding: list[str]) -> ResponseReturnValue:
    """To the same list without the fields in which somebody typed an address: it leaves the URL."""
    words = {word: typed for word, typed in request.args.items() if typed and word not in holding}
    return redirect(f"{url_for('.queue')}?{urls.query(**words | {REFUSED: ','.join(holding)})}")


@bp.get("/counts")
def counts() -> ResponseReturnValue:
    """How many comments each list holds, for script: the number, one more than the most that is
    counted for "and more"."""
    site = _site_or_404(request.args.get("site", ""))
    return dict(desk.counts(database.session(), current_user, site))


@bp.get("/address")
def address() -> ResponseReturnValue:
    return _page(Filter(status=EVERY), desk.Queue([], None), address={})


@bp.post("/address")
def find_address() -> ResponseReturnValue:
    """Whose address is exactly this: on the record, and never in a URL or an answer."""
    form = AddressForm()
    if not form.validate():
        abort(400)
    if form.authors.data:
        return _of_authors(_authors(form.authors.data), form.after.data or "")
    typed = form.address.data or ""
    try:
        validate_email(typed, check_deliverability=False)
    except EmailNotValidError:
        wrong = {"address": _("Enter a whole email address like name@example.org.")}
        return _page(Filter(status=EVERY), desk.Queue([], None), wrong=wrong, address={}), 422
    with database.writing() as session:
        events.record(session, events.What.SEARCHED, current_user)
    found = desk.authors_of(database.session(), vault(), current_user, typed)
    if not found:
        nobody = {"masked": mask(typed), "is_nobody": True}
        return _page(Filter(status=EVERY), desk.Queue([], None), address=nobody)
    return _of_authors(found, "")


def _authors(typed: str) -> tuple[int, ...]:
    if not re.fullmatch("[0-9]{1,15}(,[0-9]{1,15})*", typed):
        abort(400)
    return tuple(map(int, typed.split(",")))[:MOST_AUTHORS]


def _of_authors(ids: tuple[int, ...], after: str) -> str:
    """All comments of these authors, the newest first."""
    session = database.session()
    masked = desk.authors_within(session, vault(), current_user, ids)
    if not masked:
        abort(404)
    asked = Filter(status=EVERY, sort="newest", author_ids=tuple(masked))
    page = desk.queue(session, vault(), current_user, asked, after, PAGE)
    authors = ",".join(map(str, masked))
    return _page(asked, page, address={"masked": next(iter(masked.values())), "authors": authors})


def _site_or_404(key: str) -> str:
    """The key of one of this moderator's sites, "" for all, or the end of this request."""
    if key and key not in {known.key for known in desk.sites(database.session(), current_user)}:
        abort(404)
    return key


def _page(
    asked: Filter,
    queue: desk.Queue,
    wrong: dict[str, str] | None = None,
    address: dict[str, Any] | None = None,
) -> str:
    """A list with what it takes to search it. Takes what is wrong with what was typed, by field,
    and, on the pages of an address, whose it is."""
    session, site = database.session(), _site_or_404(asked.site)
    colleagues = desk.colleagues(session, current_user)
    is_waiting = asked.status == Status.PENDING and not asked.is_likely_spam
    return render_template(
        "desk/queue.html",
        queue=queue,
        asked=asked,
        words=asked.words(),
        address=address,
        typed=request.args.to_dict(),
        wrong=wrong or {},
        chips=chips(asked, colleagues) if address is None else [],
        choosable=[(one.id, one.name) for one in colleagues],
        rules=rules(),
        sorts=SORTS,
        here=url_for(".address") if address is not None else request.full_path.rstrip("?"),
        likely_spam=desk.likely_spam(session, current_user, site) if is_waiting else 0,
        status=asked.status,
        site=site,
        sites=desk.sites(session, current_user),
        statuses=TABS,
        counts=desk.counts(session, current_user, site),
        last=desk.last_decisions(session, current_user),
        newest=None if queue.cards else desk.newest(session, current_user, site),
    )
