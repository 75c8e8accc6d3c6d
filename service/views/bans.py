"""Bans: what there are, what one would have caught, banning and lifting.

What is to be banned travels through the pages masked and sealed: an address that somebody typed
stands in no page and no URL (hard rule 4).
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import false, or_
from sqlalchemy.orm import Session
from wtforms import HiddenField, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length

from .. import accounts, bans, database, desk, events, text
from ..bans import Target
from ..events import What
from ..models import Author, Ban, Comment, Site, now
from ..status import BanKind, Role
from ..tokens import FORM_LIFETIME
from ..vault import mask
from .desk import LARGEST_ID, bp, comment_or_404, vault
from .errors import wants_json
from .forms import UndoForm, Visible

PAGE = 50
HOSTS = 10  # of so many websites that a comment links to a ban is offered
EVERYWHERE = "*"  # in place of a site's key; no site can be called so

KINDS = {
    BanKind.ADDRESS: _l("Email address"),
    BanKind.DOMAIN: _l("Email domain"),
    BanKind.NAME: _l("Name"),
    BanKind.WEBSITE: _l("Website"),
    BanKind.NETWORK: _l("Network"),
}
HINTS = {
    BanKind.ADDRESS: _l("one whole address, like jane@example.org"),
    BanKind.DOMAIN: _l("every address that ends in @ and this, like example.org"),
    BanKind.NAME: _l("whatever its capitals and spaces"),
    BanKind.WEBSITE: _l("with all that lies below it, wherever a reply links to it"),
    BanKind.NETWORK: _l("an IP address, or many as in 192.0.2.0/24"),
}
REFUSED = {
    BanKind.ADDRESS: _l("Enter an email address like jane@example.org."),
    BanKind.DOMAIN: _l("Enter the part behind the @, like example.org."),
    BanKind.NAME: _l("Enter a name that can be seen."),
    BanKind.WEBSITE: _l("Enter a website like example.org."),
    BanKind.NETWORK: _l(
        "Enter an IP address like 192.0.2.7, or a network like 192.0.2.0/24 (the widest are /8, "
        "and /16 where addresses have colons)."
    ),
}
# What goes on record, where nothing is ever changed: the value and the reason stay with the ban.
ON_RECORD = {
    BanKind.ADDRESS: "an email address",
    BanKind.DOMAIN: "an email domain",
    BanKind.NAME: "a name",
    BanKind.WEBSITE: "a website",
    BanKind.NETWORK: "a network",
}
TERMS_ON_RECORD = {
    "day": "for a day",
    "week": "for a week",
    "month": "for a month",
    "year": "for a year",
    "ever": "for ever",
}
TERMS = {
    "day": (_l("1 day"), timedelta(days=1)),
    "week": (_l("1 week"), timedelta(weeks=1)),
    "month": (_l("1 month"), timedelta(days=30)),
    "year": (_l("1 year"), timedelta(days=365)),
    "ever": (_l("for ever"), None),
}
WARNINGS = {
    "free_mail": _l(
        "Many people have an address at this provider, and the ban would catch every one of them. "
        "Ban the one address if that is enough."
    ),
    "own_network": _l(
        "You are in this network yourself: replies of yours and of everybody beside you would be "
        "caught too."
    ),
    "own_website": _l("A website of ours lies there: replies that link to it would be caught."),
}


class TargetForm(FlaskForm):
    """What is to be banned, and where."""

    kind = RadioField(
        _l("What to ban"),
        choices=[SelectChoice(kind.value, said) for kind, said in KINDS.items()],
        validate_choice=False,
    )
    value = StringField(_l("Which one"), validators=[Length(max=300)])
    site = SelectField(_l("Where"), choices=[], validate_choice=False)

    target: Target | None = None

    def validate_kind(self, field: RadioField) -> None:
        if field.data not in list(BanKind):
            raise ValidationError(_l("Choose what to ban."))

    def validate_value(self, field: StringField) -> None:
        if self.kind.data not in list(BanKind):
            return
        kind = BanKind(self.kind.data)
        try:
            self.target = bans.target(vault(), kind, field.data or "")
        except bans.NotBannable:
            raise ValidationError(REFUSED[kind]) from None

    def shown_value(self) -> str:
        """What was typed, to be typed on: nothing that may be an address comes back."""
        typed = self.value.data or ""
        is_address = "@" in typed or self.kind.data in (BanKind.ADDRESS, BanKind.DOMAIN)
        return "" if is_address or text.addresses(typed) else typed


class ChoiceForm(FlaskForm):
    """Which of the things that a comment came with is to be banned."""

    choice = HiddenField(validators=[DataRequired()])
    site = SelectField(_l("Where"), choices=[], validate_choice=False)


class BanForm(FlaskForm):
    """How long and why. What is to be banned is sealed."""

    sealed = HiddenField(validators=[DataRequired()])
    term = SelectField(
        _l("How long"),
        choices=[SelectChoice(word, said) for word, (said, _delta) in TERMS.items()],
        default="month",
        validate_choice=False,
    )
    reason = StringField(
        _l("Reason"),
        filters=[lambda typed: text.normalise(typed or "").replace("\n", " ").strip()],
        validators=[
            DataRequired(_l("Say why: colleagues read it where the ban catches something.")),
            Visible(_l("Say why: colleagues read it where the ban catches something.")),
            Length(max=bans.REASON_LENGTH, message=_l("Shorten the reason to %(max)d characters.")),
        ],
    )

    def validate_term(self, field: SelectField) -> None:
        if field.data not in TERMS:
            raise ValidationError(_l("Choose how long the ban lasts."))


@dataclass(frozen=True)
class Plan:
    """A ban that somebody thinks about: its target, where, what it began with, what to mind."""

    target: Target
    site_id: int | None
    comment: str = ""  # public id of the comment that it began with
    warnings: tuple[str, ...] = ()

    def sealed(self) -> str:
        """For the form that comes back: nobody can read or change what is to be banned."""
        told = {
            "kind": self.target.kind,
            "value": self.target.value,
            "digest": self.target.digest.hex() if self.target.digest else "",
            "site_id": self.site_id,
            "comment": self.comment,
            "warnings": self.warnings,
            "at": int(time.time()),
        }
        return vault().seal(_purpose(), json.dumps(told))

    @classmethod
    def opened(cls, sealed: str) -> "Plan | None":
        """The plan that this moderator's page held, if it is not older than a day."""
        told = json.loads(vault().open(_purpose(), sealed) or "null")
        if told is None or time.time() - told["at"] > FORM_LIFETIME:
            return None
        digest = bytes.fromhex(told["digest"]) or None
        target = Target(BanKind(told["kind"]), told["value"], digest)
        return cls(target, told["site_id"], told["comment"], tuple(told["warnings"]))


@bp.get("/bans/", endpoint="bans")
def show() -> ResponseReturnValue:
    return _page(TargetForm(formdata=None))


@bp.post("/bans/preview")
def preview_ban() -> ResponseReturnValue:
    """What a ban of something that was typed would have caught."""
    form = TargetForm()
    is_good = form.validate()
    if form.csrf_token.errors:
        abort(400)
    if not is_good or form.target is None:
        return ({"errors": form.errors} if wants_json() else _page(form)), 422
    site = _site_or_404(form.site.data or "")
    warnings = _warnings(form.target, form.value.data or "")
    return _previewed(Plan(form.target, site, "", tuple(warnings)))


@bp.get("/comments/<public_id>/ban")
def choose_ban(public_id: str) -> ResponseReturnValue:
    """Which of the things that a comment came with to ban."""
    session = database.session()
    found = comment_or_404(session, public_id)
    return render_template(
        "desk/ban.html",
        comment=found,
        choices=dict(_choices(session, found)),
        kinds=KINDS,
        is_admin=_is_admin(),
    )


@bp.post("/comments/<public_id>/ban")
def preview_ban_of(public_id: str) -> ResponseReturnValue:
    form = ChoiceForm()
    if not form.validate():
        abort(400)
    session = database.session()
    found = comment_or_404(session, public_id)
    target = dict(_choices(session, found)).get(form.choice.data or "") or abort(404)
    is_everywhere = form.site.data == EVERYWHERE
    site_id = _site_or_404(EVERYWHERE) if is_everywhere else found.site_id
    domain = desk.reveal(session, vault(), found) if target.kind == BanKind.DOMAIN else ""
    warnings = _warnings(target, domain)
    return _previewed(Plan(target, site_id, found.public_id, tuple(warnings)))


@bp.post("/bans/")
def ban() -> ResponseReturnValue:
    form = BanForm()
    is_good = form.validate()
    if form.csrf_token.errors:
        abort(400)
    plan = Plan.opened(form.sealed.data or "")
    if plan is None:
        abort(400, _("This page was open for a long time. Choose once more what to ban."))
    _refuse_elsewhere(plan.site_id)
    if not is_good:
        return _asked_again(plan, form), 422
    lasts = TERMS[form.term.data][1]
    expires_at = now() + lasts if lasts else None
    try:
        with database.writing() as session:
            made = bans.ban(
                *(session, plan.target, plan.site_id, form.reason.data or "", expires_at),
                *(current_user.name, current_user.id),
            )
            lasting = TERMS_ON_RECORD[form.term.data]
            about = f"ban {made.id}: {ON_RECORD[plan.target.kind]}, {lasting}"
            events.record(session, What.BANNED, current_user, about, plan.site_id)
            made_id = made.id
    except bans.BannedAlready as known:
        return _asked_again(plan, form, _already(known.until)), 409
    if wants_json():
        said = _("%(what)s is banned.", what=_said(plan.target))
        return {"id": made_id, "said": said, "lift": url_for(".lift", ban_id=made_id)}
    page = url_for(".bans", began=plan.comment or None, _anchor=f"ban-{made_id}")
    return redirect(page, 303)


@bp.post(f"/bans/<int(max={LARGEST_ID}):ban_id>/lift")
def lift(ban_id: int) -> ResponseReturnValue:
    """Takes a ban back. One of every site is an admin's to lift."""
    if not UndoForm().validate():
        abort(400)
    with database.writing() as session:
        mine = accounts.within_reach(current_user, Ban.site_id)
        found = bans.find(session, ban_id, mine) or abort(404)
        what = Target(found.kind, found.value)
        if bans.lift(session, found):
            about = f"ban {found.id}: {ON_RECORD[found.kind]}"
            events.record(session, What.LIFTED, current_user, about, found.site_id)
    if wants_json():
        return {"id": ban_id, "said": _("%(what)s is no longer banned.", what=_said(what))}
    return redirect(url_for(".bans", show="past", _anchor=f"ban-{ban_id}"), 303)


# Pages


def _page(form: TargetForm) -> str:
    """The bans that act on the moderator's sites, newest first, a page at a time."""
    session = database.session()
    is_past = request.args.get("show") == "past"
    after = request.args.get("after", type=int)
    before = after if after is not None and 0 < after <= LARGEST_ID else None
    found = bans.known(session, _mine(), is_past, before, PAGE + 1)
    sites = {site.id: site for site in desk.sites(session, current_user)}
    began = request.args.get("began", "")
    return render_template(
        "desk/bans.html",
        bans=found[:PAGE],
        older=found[PAGE - 1].id if len(found) > PAGE else None,
        is_past=is_past,
        form=form,
        sites=sites,
        kinds=KINDS,
        hints=HINTS,
        everywhere=EVERYWHERE,
        is_admin=_is_admin(),
        began=desk.find(session, current_user, began) if began else None,
        now=now(),
    )


def _previewed(plan: Plan) -> ResponseReturnValue:
    """Puts on record that somebody looks, then shows what the ban would have caught."""
    with database.writing() as session:
        about = ON_RECORD[plan.target.kind]
        events.record(session, What.PREVIEWED, current_user, about, plan.site_id)
    session = database.session()
    caught = bans.preview(session, vault(), plan.target, plan.site_id)
    if wants_json():
        return {"count": caught.count, "looked_at": caught.looked_at, "sealed": plan.sealed()}
    form = BanForm(formdata=None)
    emails = desk.masked_emails(session, vault(), caught.sample)
    return _plan_page(plan, form, caught=caught, emails=emails)


def _asked_again(plan: Plan, form: BanForm, message: str = "") -> str | dict[str, Any]:
    """The form once more; what the ban would have caught was shown, and is not looked up again."""
    if wants_json():
        return {"errors": form.errors} | ({"error": message} if message else {})
    return _plan_page(plan, form, message=message)


def _plan_page(plan: Plan, form: BanForm, **shown: Any) -> str:
    site = database.session().get(Site, plan.site_id) if plan.site_id else None
    return render_template(
        "desk/ban_preview.html",
        plan=plan,
        site=site,
        form=form,
        kinds=KINDS,
        warnings=[WARNINGS[word] for word in plan.warnings],
        **{"caught": None, "emails": {}, "message": "", **shown},
    )


# What can be banned, where and by whom


def _choices(session: Session, comment: Comment) -> Iterator[tuple[str, Target]]:
    """What a comment came with, each a target under a word of its own. None holds an address."""
    author = session.get(Author, comment.author_id) if comment.author_id else None
    if author:
        email = desk.reveal(session, vault(), comment)
        yield BanKind.ADDRESS, Target(BanKind.ADDRESS, mask(email), author.email_index)
        for word, target in _choice(BanKind.DOMAIN, BanKind.DOMAIN, email):
            yield word, replace(target, digest=author.domain_index or target.digest)
    if comment.name != text.ANONYMOUS:  # that of everybody who gives none
        yield from _choice(BanKind.NAME, BanKind.NAME, comment.name)
    hosts = (host.removeprefix("www.") for host in bans.linked(comment.website, comment.html))
    for host in list(dict.fromkeys(hosts))[:HOSTS]:
        yield from _choice(f"{BanKind.WEBSITE}:{host}", BanKind.WEBSITE, host)
    yield from _choice(BanKind.NETWORK, BanKind.NETWORK, comment.network)


def _choice(word: str, kind: BanKind, value: str) -> list[tuple[str, Target]]:
    try:
        return [(word, bans.target(vault(), kind, value))]
    except bans.NotBannable:
        return []


def _warnings(target: Target, typed: str) -> Iterator[str]:
    """What to mind before banning. Takes the address or domain that a domain ban is about."""
    if target.kind == BanKind.DOMAIN and bans.is_free_mail(typed):
        yield "free_mail"
    if target.kind == BanKind.NETWORK and bans.is_within(target, request.remote_addr or ""):
        yield "own_network"
    if target.kind == BanKind.WEBSITE:
        sites = desk.sites(database.session(), current_user)
        origins = (origin for site in sites for origin in site.origins)
        if any(bans.covers(target, origin) for origin in origins):
            yield "own_website"


def _site_or_404(key: str) -> int | None:
    """The site to ban on: the moderator's only one unless named; every site is an admin's word."""
    if key == EVERYWHERE and _is_admin():
        return None
    sites = desk.sites(database.session(), current_user)
    named = [site.id for site in sites if site.key == key or (not key and len(sites) == 1)]
    return named[0] if named else abort(404)


def _refuse_elsewhere(site_id: int | None) -> None:
    """Roles are asked for again at the click: they may have changed since the page was made."""
    if not (_is_admin() if site_id is None else accounts.may(current_user, site_id)):
        abort(404)


def _is_admin() -> bool:
    return any(held.role == Role.ADMIN for held in current_user.memberships)


def _mine() -> Any:
    """Bans that act on a site of the moderator's; those of every site are seen by all."""
    if not current_user.memberships:
        return false()
    return or_(accounts.within_reach(current_user, Ban.site_id), Ban.site_id.is_(None))


def _purpose() -> str:
    return f"ban {current_user.id}"


def _said(target: Target) -> str:
    """What a ban is of, for people: masked where it is an address's."""
    return f"{KINDS[target.kind]} {target.value}"


def _already(until: datetime | None) -> str:
    if until is None:
        return str(_("This is banned already, for ever."))
    day = format_date(until, "d MMMM y")
    return str(_("This is banned already, until %(day)s.", day=day))
