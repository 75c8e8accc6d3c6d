"""The articles of a site at the desk: the list of them, several closed or held at once; and what a
publisher may change of one, or of all of a pattern."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag

from .. import accounts, articles, database, urls
from ..aliases import article_at
from ..models import Article, Move, Site
from ..status import BulkState, Role, Status
from .desk import LARGEST_ID, STATUSES, bp, may_publish
from .forms import line
from .places import (
    ARTICLE_ACTIONS,
    IntoForm,
    MoveForm,
    TitleForm,
    address_field,
    article_or_404,
    article_page,
)
from .rules import site_or_404
from .sites import site_or_refuse

ONE = f"/articles/<int(max={LARGEST_ID}):article_id>"
SITE = "/sites/<key>/articles"
SORTS = {
    "last": _l("Last comment first"),
    "count": _l("Most comments first"),
    "url": _l("By address"),
}
DONE = {
    "close": _l("Closed to new comments."),
    "open": _l("Open again."),
    "hold": _l("Every new comment there waits for a moderator."),
    "release": _l("Left to the rules again."),
}
# How long a request does what it began before it leaves the rest to the worker.
SECONDS = 1.0
WHY = {
    "address": _l("Enter a whole address, with a * behind the host, like https://old.example/*."),
    "star": _l("Both addresses have one *: it stands for the part that stays as it is."),
    "same": _l("The two are the same."),
}
SAID = {
    "began": _l("The move has begun. Load this page again to see how far it is."),
    "done": _l("The articles have moved. Their old addresses lead to them."),
    "stopped": _l("The move is stopped. What has moved stays at its new address."),
    "resumed": _l("The move goes on."),
}


class SetForm(FlaskForm):
    """The page's own token; what was ticked is read as it came."""


class PatternForm(FlaskForm):
    old = address_field(_l("Addresses now"), _l("Enter the addresses as they are now."))
    new = address_field(_l("Addresses from now on"), _l("Enter the new addresses."))
    taken = RadioField(
        _l("An article whose new address is another’s already"),
        choices=[
            SelectChoice("leave", _l("stays where it is")),
            SelectChoice("merge", _l("becomes part of that one: this cannot be undone")),
        ],
        default="leave",
    )

    @property
    def patterns(self) -> tuple[str, str]:
        return self.old.data or "", self.new.data or ""


# The list


@bp.get(SITE, endpoint="articles")
def page(key: str) -> ResponseReturnValue:
    session = database.session()
    site = site_or_404(session, key)
    asked = _asked(request.args)
    after = request.args.get("after", type=int)
    after = after if after is not None and 0 < after <= LARGEST_ID else None
    found = articles.page(session, site.id, asked["q"], asked["sort"], after)
    done, number = request.args.get("done", ""), request.args.get("number", 0, type=int)
    return render_template(
        "desk/articles.html",
        site=site,
        found=found,
        asked=asked,
        sorts=SORTS,
        is_first=after is None,
        after=after,
        said=_done(done, number),
        is_ours=lambda url: urls.is_within(url, site.origins),
        may_change=accounts.may(current_user, site.id, Role.PUBLISHER),
    )


@bp.post(f"{SITE}/set")
def articles_set(key: str) -> ResponseReturnValue:
    """Closes, opens, holds or releases what was ticked, or the one whose own button was pressed."""
    site_or_404(database.session(), key)
    action, _space, one = request.form.get("action", "").partition(" ")
    numbers = _numbers([one] if one else request.form.getlist("article"))
    if not SetForm().validate() or action not in ARTICLE_ACTIONS:
        abort(400)
    verb, is_so = ARTICLE_ACTIONS[action]
    with database.writing() as session:
        site = site_or_404(session, key)
        found = [article_or_404(session, number) for number in numbers]
        if any(article.site_id != site.id for article in found):
            abort(404)
        for article in found:
            verb(session, article, is_so, current_user)
    asked = _asked(request.form)
    after = _numbers([request.form.get("after", "")])
    return redirect(
        url_for(
            ".articles",
            key=key,
            q=asked["q"] or None,
            sort=asked["sort"],
            after=after[0] if after else None,
            done=action,
            number=len(numbers),
        ),
        303,
    )


def _asked(given: Any) -> dict[str, str]:
    sort = given.get("sort", "")
    return {"q": line(given.get("q", ""))[:200], "sort": sort if sort in SORTS else "last"}


def _numbers(written: list[str]) -> list[int]:
    """Of at most a page of articles; what is no number is left out."""
    known = [int(one) for one in written if one.isascii() and one.isdigit() and len(one) < 19]
    return list(dict.fromkeys(known))[: articles.PAGE]


def _done(action: str, number: int) -> str:
    if action not in DONE:
        return ""
    if number < 1:
        return str(_("Tick the articles first; nothing was changed."))
    counted = ngettext("%(num)s article:", "%(num)s articles:", number)
    return f"{counted} {DONE[action]}"


# One article


def publishers_or_refuse(session: Session, article_id: int) -> Article:
    """An article on a site whose settings this moderator keeps, or the end of this request."""
    found = article_or_404(session, article_id)
    if not accounts.may(current_user, found.site_id, Role.PUBLISHER):
        abort(403)
    return found


@bp.post(f"{ONE}/rename")
def articles_rename(article_id: int) -> ResponseReturnValue:
    publishers_or_refuse(database.session(), article_id)
    form = TitleForm()
    if not form.validate():
        return article_page(article_id, titling=form), 422
    with database.writing() as session:
        found = publishers_or_refuse(session, article_id)
        articles.rename(session, found, form.title.data or "", current_user)
    return _back(article_id, "renamed")


@bp.post(f"{ONE}/move")
def articles_move(article_id: int) -> ResponseReturnValue:
    publishers_or_refuse(database.session(), article_id)
    form = MoveForm()
    if not form.validate():
        return article_page(article_id, moving=form), 422
    taken: dict[str, Any] = {}
    try:
        with database.writing() as session:
            found = publishers_or_refuse(session, article_id)
            articles.move(session, found, urls.canonical(form.url.data or ""), current_user)
    except articles.SamePlace:
        form.url.errors = [_("The article has this address already.")]
    except articles.OutsideOrigins:
        form.url.errors = [_outside()]
    except articles.ElsewhereTaken as error:
        form.url.errors = [_("Another article has this address. You can make the two one.")]
        taken = {"taken": error.url}
    else:
        return _back(article_id, "moved")
    return article_page(article_id, moving=form, **taken), 422


@bp.get(f"{ONE}/merge")
def articles_merge(article_id: int) -> ResponseReturnValue:
    """Shows both, and says what becomes of them, before a button does it."""
    session = database.session()
    gone = publishers_or_refuse(session, article_id)
    if "into" not in request.args:
        return article_page(article_id)
    form = IntoForm(request.args, meta={"csrf": False})
    kept = _other(session, gone, form)
    if kept is None:
        return article_page(article_id, merging=form), 422
    return render_template(
        "desk/article_merge.html",
        pair=[(one, articles.counts(session, one)) for one in (gone, kept)],
        gone=gone,
        kept=kept,
        statuses={status: STATUSES[status] for status in Status},
    )


@bp.post(f"{ONE}/merge")
def articles_merge_now(article_id: int) -> ResponseReturnValue:
    gone = publishers_or_refuse(database.session(), article_id)
    form = IntoForm()
    kept = _other(database.session(), gone, form)
    if kept is None:
        return article_page(article_id, merging=form), 422
    kept_id = kept.id
    try:
        with database.writing() as session:
            gone = publishers_or_refuse(session, article_id)
            kept = publishers_or_refuse(session, kept_id)
            articles.begin_merge(session, gone, kept, current_user)
    except articles.NotMergeable:
        abort(409, _("One of the two is becoming part of another at this moment. Try again soon."))
    is_done = database.in_steps(
        lambda session, _: articles.merge_step(session, article_id), seconds=SECONDS
    )
    return _back(kept_id, "merged" if is_done else "merging")


def _other(session: Session, gone: Article, form: IntoForm) -> Article | None:
    """The article that another is to be part of; None, and the form says why, if it cannot be."""
    if not form.validate():
        return None
    address = urls.canonical(form.into.data or "")
    number = article_at(session, gone.site_id, [address]).get(address)
    if number is None:
        site = gone.site.name
        said = _("There is no article of %(site)s with comments at this address.", site=site)
        form.into.errors = [said]
        return None
    if number == gone.id:
        form.into.errors = [_("This is the same article. Enter the address of the other one.")]
        return None
    return session.get_one(Article, number)


def _back(article_id: int, said: str) -> ResponseReturnValue:
    place = request.form.get("next") or None
    return redirect(url_for(".article", article_id=article_id, said=said, next=place), 303)


def _outside() -> str:
    return str(
        _("This address is on none of the site’s websites. Add its origin to the site first.")
    )


# All of a pattern


@bp.get(f"{SITE}/addresses")
def articles_addresses(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    return _addresses(site, PatternForm(formdata=None))


@bp.post(f"{SITE}/addresses")
def articles_rehearse(key: str) -> ResponseReturnValue:
    """Says what would become of the articles; changes nothing."""
    site = site_or_refuse(database.session(), key)
    form = PatternForm()
    found = _rehearsed(database.session(), site, form)
    if found is None:
        return _addresses(site, form), 422
    return _addresses(site, form, found)


@bp.post(f"{SITE}/addresses/run")
def articles_run(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    form = PatternForm()
    found = _rehearsed(database.session(), site, form)
    if found is None:
        return _addresses(site, form), 422
    has_merges = form.taken.data == "merge"
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            begun = articles.begin_move(
                session, site, *form.patterns, has_merges, found.total, current_user
            )
            number = begun.id
    except articles.StillRunning:
        abort(409, _still())
    _go_on(number)
    return redirect(url_for(".articles_addresses", key=key, said="began"), 303)


@bp.post(f"{SITE}/addresses/<int(max={LARGEST_ID}):move_id>/change")
def articles_change(key: str, move_id: int) -> ResponseReturnValue:
    """Stops a move, or goes on with one that was stopped."""
    site_or_refuse(database.session(), key)
    action = request.form.get("action", "")
    if not SetForm().validate() or action not in ("stop", "resume"):
        abort(400)
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            move = session.get(Move, move_id)
            if move is None or move.site_id != site.id:
                abort(404)
            verb = articles.stop if action == "stop" else articles.resume
            if not verb(session, move, current_user):
                abort(409, _("This move is not at that point any more. Nothing was changed."))
    except articles.StillRunning:
        abort(409, _still())
    said = "stopped" if action == "stop" else "resumed"
    return redirect(url_for(".articles_addresses", key=key, said=said), 303)


def _go_on(number: int) -> None:
    """What can be done at once; the worker does the rest."""

    def look(session: Session) -> list[int]:
        return articles.ahead(session, session.get_one(Move, number))

    database.in_steps(lambda session, ids: articles.move_step(session, number, ids), look, SECONDS)


def _rehearsed(session: Session, site: Site, form: PatternForm) -> articles.Rehearsal | None:
    """None, and the form says why, if there is nothing to rehearse."""
    if not form.validate():
        return None
    try:
        found = articles.rehearse(session, site, *form.patterns)
    except articles.NotAPattern as error:
        form.old.errors = [WHY[str(error)]]
    except articles.OutsideOrigins:
        form.new.errors = [_outside()]
    else:
        if found.total:
            return found
        form.old.errors = [_("No article with comments has such an address.")]
    return None


def _still() -> str:
    return str(_("Another move of this site is on its way. Wait for its end, or stop it."))


def _addresses(site: Site, form: PatternForm, found: articles.Rehearsal | None = None) -> str:
    moves = articles.latest(database.session(), site.id)
    said = request.args.get("said", "")
    if said == "began" and moves and moves[0].state == BulkState.DONE:
        said = "done"
    return render_template(
        "desk/articles_addresses.html",
        site=site,
        form=form,
        found=found,
        moves=moves,
        said=SAID.get(said),
        may_change=may_publish(),
    )
