"""A site's webhooks at the desk: what is called for what, and what became of each call.

An address is never shown again but for its host, for it may be a key itself; nor is a secret.
"""

from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, InputRequired, Length

from .. import accounts, database, desk, outbound, webhooks
from ..models import Hook, Letter, Site, now
from ..status import HookEvent, HookShape, LetterState, Role, Why
from ..webhooks import Row, Wish
from .desk import LARGEST_ID, bp, vault
from .forms import SignInForm, line, trimmed
from .sites import site_or_refuse

SHAPES = {
    HookShape.STANDARD: _l("Your own service (signed JSON, Standard Webhooks)"),
    HookShape.SLACK: _l("Slack"),
    HookShape.MATTERMOST: _l("Mattermost, or Matrix by its bridge"),
    HookShape.TELEGRAM: _l("Telegram"),
}
EVENTS = {
    HookEvent.RECEIVED: _l("A reader’s comment came in"),
    HookEvent.APPROVED: _l("A comment is published"),
    HookEvent.REJECTED: _l("A comment is rejected"),
    HookEvent.SPAM: _l("A comment is marked as spam"),
    HookEvent.DELETED: _l("A comment is deleted or taken back"),
    HookEvent.PENDING: _l("A comment waits once more"),
    HookEvent.EDITED: _l("The text of a comment changed"),
    HookEvent.REPORTED: _l("A reader reported a comment"),
}
CALLS = {event.value: said for event, said in EVENTS.items()} | {"test": _l("A test")}
SAID = {
    "added": _l("The webhook is added."),
    "changed": _l("It is changed."),
    "on": _l("It is switched on."),
    "off": _l("It is switched off. What waited for it is called no more."),
    "test": _l("A test is on its way. Load this page again in a moment to see what came back."),
    "replayed": _l("The call waits again and is made in a moment."),
    "removed": _l("The webhook is removed."),
}
WHYS = {
    Why.UNDONE: _l("What caused it was taken back."),
    Why.OFF: _l("The webhook was off."),
    Why.SERVER: _l("The address does not answer at the moment."),
    Why.LATER: _l("The address did not take it."),
    Why.TOGETHER: _l("Another call told of it too."),
    Why.BROKEN: _l("It could not be put into words. The worker’s log says more."),
}
TELEGRAM_END = "/sendMessage"


def _address(*needed: Any) -> StringField:
    longest = Length(max=1_000, message=_l("An address has at most %(max)d characters."))
    return StringField(
        _l("Address"),
        filters=[trimmed],
        validators=[*needed, longest],
        render_kw={
            "dir": "ltr", "inputmode": "url", "autocomplete": "off",
            "autocapitalize": "none", "spellcheck": "false",
        },
    )  # fmt: skip


class ChangeForm(FlaskForm):
    name = StringField(
        _l("Name"),
        filters=[line],
        validators=[
            DataRequired(_l("Give it a name, so that you know it in the list.")),
            Length(max=80, message=_l("A name has at most %(max)d characters.")),
        ],
        render_kw={"dir": "auto", "autocomplete": "off"},
    )
    url = _address()
    to = StringField(
        _l("Chat, for Telegram"),
        filters=[line],
        validators=[Length(max=80, message=_l("A chat has at most %(max)d characters."))],
        render_kw={"dir": "ltr", "autocomplete": "off"},
    )
    events = SelectMultipleField(
        _l("It is called when"),
        choices=[SelectChoice(event.value, said) for event, said in EVENTS.items()],
        validators=[InputRequired(_l("Choose at least one."))],
    )

    def __init__(self, kind: HookShape | None = None, **given: Any) -> None:
        super().__init__(**given)
        self.kind = kind

    def validate_url(self, field: StringField) -> None:
        if not field.data:
            return
        try:
            current_app.extensions["outbound"].check(field.data)
        except outbound.Refused as refused:
            said = _("This address cannot be called: %(why)s.", why=str(refused))
            raise ValidationError(said) from None
        if self.shape_now == HookShape.TELEGRAM and not field.data.endswith(TELEGRAM_END):
            raise ValidationError(
                _l("For Telegram, enter https://api.telegram.org/botTOKEN/sendMessage.")
            )

    def validate_to(self, field: StringField) -> None:
        if self.shape_now == HookShape.TELEGRAM and not field.data:
            raise ValidationError(_l("Enter the chat’s number, or @ and the channel’s name."))

    @property
    def shape_now(self) -> HookShape | None:
        return self.kind

    def wish(self) -> Wish:
        shape = self.shape_now or HookShape.STANDARD
        to = self.to.data if shape == HookShape.TELEGRAM else ""
        events = [HookEvent(event) for event in self.events.data or ()]
        return Wish(self.name.data or "", shape, events, self.url.data or "", to or "")


class AddForm(ChangeForm):
    url = _address(DataRequired(_l("Enter the address that is to be called.")))
    shape = SelectField(
        _l("What is called"),
        choices=[SelectChoice(shape.value, said) for shape, said in SHAPES.items()],
    )

    @property
    def shape_now(self) -> HookShape | None:
        known = {shape.value: shape for shape in HookShape}
        return known.get(self.shape.data)


@dataclass(frozen=True)
class Shown:
    """A webhook as the list shows it."""

    hook: Hook
    host: str
    waiting: int


@bp.get("/hooks/", endpoint="hooks")
def page() -> ResponseReturnValue:
    session = database.session()
    sites = [
        site
        for site in desk.sites(session, current_user)
        if accounts.may(current_user, site.id, Role.PUBLISHER)
    ] or abort(403)
    listed = [(site, _shown(session, site)) for site in sites]
    said = SAID.get(request.args.get("said", ""))
    return render_template("desk/hooks.html", listed=listed, said=said, most=webhooks.MOST)


@bp.get("/sites/<key>/hooks/new")
def hooks_new(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    form = AddForm(formdata=None, data={"events": [event.value for event in EVENTS]})
    return render_template("desk/hook_new.html", site=site, form=form)


@bp.post("/sites/<key>/hooks/new")
def hooks_add(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    form = AddForm()
    if not form.validate():
        return render_template("desk/hook_new.html", site=site, form=form), 422
    try:
        with database.writing() as session:
            kept = site_or_refuse(session, key)
            hook, secret = webhooks.add(session, vault(), kept, current_user, form.wish())
            hook_id = hook.id
    except webhooks.TooMany:
        said = _("A site has at most %(most)s webhooks.", most=webhooks.MOST)
        form.name.errors = [said]
        site = site_or_refuse(database.session(), key)
        return render_template("desk/hook_new.html", site=site, form=form), 422
    if secret:  # shown in this answer, and never again
        return _page(hook_id, secret=secret, said="added")
    return _back(hook_id, "added")


@bp.get(f"/hooks/<int(max={LARGEST_ID}):hook_id>")
def hooks_one(hook_id: int) -> ResponseReturnValue:
    return _page(hook_id, said=request.args.get("said", ""))


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/change")
def hooks_change(hook_id: int) -> ResponseReturnValue:
    """Another name, address, chat or events; an empty address keeps the one there is."""
    form = ChangeForm(hook_or_refuse(database.session(), hook_id).shape)
    if not form.validate():
        return _page(hook_id, form=form)
    with database.writing() as session:
        hook = hook_or_refuse(session, hook_id)
        webhooks.change(session, vault(), hook, current_user, form.wish())
    return _back(hook_id, "changed")


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/switch")
def hooks_switch(hook_id: int) -> ResponseReturnValue:
    _sure(hook_id)
    is_on = request.form.get("state") == "on"
    with database.writing() as session:
        webhooks.switch(session, hook_or_refuse(session, hook_id), current_user, is_on)
    return _back(hook_id, "on" if is_on else "off")


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/secret")
def hooks_rotate(hook_id: int) -> ResponseReturnValue:
    """A new secret, shown in this answer and never again."""
    _sure(hook_id)
    with database.writing() as session:
        hook = hook_or_refuse(session, hook_id)
        if hook.shape != HookShape.STANDARD:
            abort(404)
        secret = webhooks.rotate(session, vault(), hook, current_user)
    return _page(hook_id, secret=secret)


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/test")
def hooks_test(hook_id: int) -> ResponseReturnValue:
    _sure(hook_id)
    with database.writing() as session:
        hook = hook_or_refuse(session, hook_id)
        if not hook.is_on:
            abort(409, _("The webhook is switched off, so nothing was sent."))
        webhooks.ping(session, hook)
    return _back(hook_id, "test")


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/remove")
def hooks_remove(hook_id: int) -> ResponseReturnValue:
    _sure(hook_id)
    with database.writing() as session:
        webhooks.remove(session, hook_or_refuse(session, hook_id), current_user)
    return redirect(url_for(".hooks", said="removed"), 303)


@bp.post(f"/hooks/<int(max={LARGEST_ID}):hook_id>/calls/<int(max={LARGEST_ID}):letter_id>/replay")
def hooks_replay(hook_id: int, letter_id: int) -> ResponseReturnValue:
    """Makes one call once more, with the same id."""
    _sure(hook_id)
    try:
        with database.writing() as session:
            hook = hook_or_refuse(session, hook_id)
            letter = session.get(Letter, letter_id, with_for_update=True)
            if letter is None or letter.hook_id != hook.id:
                abort(404)
            webhooks.replay(session, hook, letter, current_user)
    except webhooks.NotReplayable:
        abort(409, _("This call cannot be made once more now: it waits, or the webhook is off."))
    return _back(hook_id, "replayed")


def hook_or_refuse(session: Session, hook_id: int) -> Hook:
    """A webhook of a site whose settings this moderator keeps, or the end of this request."""
    hook = webhooks.find(session, hook_id) or abort(404)
    if not accounts.may(current_user, hook.site_id, Role.PUBLISHER):
        abort(403)
    return hook


def _sure(hook_id: int) -> None:
    """Whoever may not is refused before the form is looked at."""
    hook_or_refuse(database.session(), hook_id)
    if not SignInForm().validate():
        abort(400)


def _back(hook_id: int, said: str) -> ResponseReturnValue:
    return redirect(url_for(".hooks_one", hook_id=hook_id, said=said), 303)


def _shown(session: Session, site: Site) -> list[Shown]:
    return [
        Shown(hook, webhooks.host(vault(), hook), webhooks.waiting(session, hook))
        for hook in webhooks.of_site(session, site.id)
    ]


def _page(
    hook_id: int, form: ChangeForm | None = None, secret: str = "", said: str = ""
) -> ResponseReturnValue:
    session = database.session()
    hook = hook_or_refuse(session, hook_id)
    known = {"name": hook.name, "to": hook.to, "events": hook.events}
    page = render_template(
        "desk/hook.html",
        hook=hook,
        site=session.get_one(Site, hook.site_id),
        host=webhooks.host(vault(), hook),
        shape=SHAPES[hook.shape],
        has_secret=hook.shape == HookShape.STANDARD,
        form=form or ChangeForm(hook.shape, formdata=None, data=known),
        secret=secret,
        said=SAID.get(said),
        calls=webhooks.log(session, hook),
        most=webhooks.LISTED,
        told=_told,
        names=CALLS,
        at=now(),
    )
    answer = current_app.make_response(page)
    answer.status_code = 422 if form else 200
    answer.headers["Cache-Control"] = "no-store"  # it may hold a secret
    return answer


def _told(row: Row) -> str:
    """What became of a call, in words."""
    letter = row.letter
    why = str(WHYS[letter.why]) if letter.why in WHYS else ""
    if letter.state == LetterState.SENT:
        return str(_("Taken."))
    if letter.state == LetterState.FAILED:
        return str(_("Failed.")) + f" {why}"
    if letter.state == LetterState.DROPPED:
        return str(_("Not made.")) + f" {why}"
    return f"{_('Waits.')} {why}"
