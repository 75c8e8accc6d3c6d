"""A site's settings: all of them on one page, saved together or not at all.

The page carries what it showed. So whoever saves second is told what the first one changed, keeps all
that they typed, and sees what they did not touch as it is now.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field as Setting
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any

from babel import Locale
from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField

from .. import database, sites, text
from ..models import Event, Site
from ..site_settings import LONGEST_LINE, MOST_LINES, Form, Group, SiteSettings
from ..spoken import AVAILABLE
from ..status import Mode
from .desk import bp
from .forms import VersionField
from .sites import site_or_refuse

GROUPS = {
    Group.FORM: _l("The form"),
    Group.WORDS: _l("The form’s words"),
    Group.THREAD: _l("The thread"),
    Group.MODERATION: _l("Moderation"),
    Group.LOOK: _l("Look and language"),
    Group.KEPT: _l("What is kept"),
}
# How the words of a setting that is one of several are said.
CHOICES: dict[str, Any] = {
    "oldest": _l("Oldest first"),
    "newest": _l("Newest first"),
    "liked": _l("Most liked first"),
    Mode.HOLD_EVERY.value: _l("Every comment"),
    Mode.HOLD_NEW.value: _l("Of authors not known by a confirmed address"),
    Mode.HOLD_CAUGHT.value: _l("Only what a rule catches"),
    "page": _l("As the page around it"),
    "light": _l("Light"),
    "dark": _l("Dark"),
}
SETTINGS: tuple[Setting[Any], ...] = fields(SiteSettings)
LONGEST_SEEN = 100_000  # characters of what a page may say it showed


class SettingsForm(FlaskForm):
    """What the page showed; the settings' own fields are by their names."""

    version = VersionField()
    seen = HiddenField()  # the settings, as JSON
    event = VersionField()  # the latest change of the site that was on record


@dataclass
class Entry:
    """A setting on the page."""

    setting: Setting[Any]
    typed: str
    error: str = ""
    note: str = ""  # what somebody else made of it meanwhile

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def kind(self) -> str:
        """What it is typed into."""
        limits = self.setting.metadata
        if isinstance(self.setting.default, bool):
            return "tick"
        if isinstance(self.setting.default, int):
            return "number"
        return "select" if self.options else str(limits["form"])

    @property
    def options(self) -> list[tuple[str, Any]]:
        if self.setting.metadata["form"] == Form.LANGUAGE:
            known = [(tag, _own_name(tag)) for tag in AVAILABLE]
        else:
            known = [(word, CHOICES[word]) for word in self.setting.metadata["one_of"]]
        if known and self.typed not in dict(known):
            known.append((self.typed, self.typed))
        return known

    @property
    def default(self) -> str:
        """What it is by itself, said."""
        value = self.setting.default
        if isinstance(value, bool):
            return str(_("on") if value else _("off"))
        if not isinstance(value, str):
            return str(value)
        if self.setting.metadata["form"] == Form.LINES:
            return str(_("a list of %(n)s lines", n=len(value.splitlines())))
        return str(dict(self.options).get(value, value) or _("empty"))

    @property
    def is_default(self) -> bool:
        return self.typed == written(self.setting.default)

    @property
    def is_plain(self) -> bool:
        """Whether nothing has to be seen of it before it is asked for."""
        return self.is_default and not self.error and not self.note

    @property
    def swatch(self) -> str:
        """The colour to show beside its text, if it is one."""
        is_one = self.kind == Form.COLOUR and self.typed and not wrong(self.setting, self.typed)
        return self.typed if is_one else ""


def _own_name(tag: str) -> str:
    return Locale.parse(tag, sep="-").get_display_name() or tag


def written(value: Any) -> str:
    """A setting's value as its input holds it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


@bp.get("/sites/<key>/settings", endpoint="settings_of")
def page(key: str) -> ResponseReturnValue:
    site = site_or_refuse(database.session(), key)
    return _page(site, _stored(site))


@bp.post("/sites/<key>/settings", endpoint="settings_of_save")
def save(key: str) -> ResponseReturnValue:
    """Saves all that was typed, or nothing of it; or shows a setting's default in its input."""
    site, form = site_or_refuse(database.session(), key), SettingsForm()
    if not form.validate():
        abort(400)
    typed = _typed(_stored(site))
    if (asked := request.form.get("default", "")) in typed:
        typed[asked] = written(sites.DEFAULTS[asked])
        return _page(site, typed, form=form, shown=asked)
    errors = {s.name: error for s in SETTINGS if (error := wrong(s, typed[s.name]))}
    if errors:
        return _page(site, typed, errors, form=form), 422
    values = {name: _value(name, one) for name, one in typed.items()}
    try:
        with database.writing() as session:
            found = site_or_refuse(session, key)
            sites.set_settings(session, found, values, current_user, form.version.data)
    except sites.Changed:
        return _overtaken(key, typed, form)
    except sites.Clash as clash:
        errors = {name: str(_("This %(why)s.", why=why)) for name, why in clash.problems.items()}
        return _page(site_or_refuse(database.session(), key), typed, errors, form=form), 422
    return redirect(url_for(".settings_of", key=key, saved="yes"), 303)


def wrong(setting: Setting[Any], typed: str) -> str:
    """What is wrong with what was typed, said to whoever typed it; "" for nothing."""
    try:
        _value(setting.name, typed)
    except ValueError:
        limits = setting.metadata
        if not isinstance(setting.default, str):
            least, most = limits["least"], limits["most"]
            return str(_("Enter a number from %(least)s to %(most)s.", least=least, most=most))
        if limits["one_of"] or limits["form"] == Form.LANGUAGE:
            return str(_("Choose one of these."))
        said = {
            Form.COLOUR: _("Enter a colour like #1a2b3c, or nothing."),
            Form.URL: _("Enter an address like https://www.example.org/privacy, or nothing."),
            Form.LINES: _(
                "Enter at most %(lines)s lines of %(most)s characters each.",
                lines=MOST_LINES,
                most=LONGEST_LINE,
            ),
        }
        at_most = _("Enter at most %(most)s characters, on one line.", most=limits["most"])
        return str(said.get(limits["form"], at_most))
    return ""


def _value(name: str, typed: str) -> Any:
    """Emptied, a number and a choice go back to their default. Raises ValueError."""
    default = sites.DEFAULTS[name]
    if not typed and not isinstance(default, str):
        return default
    return SiteSettings.parse(name, typed)


def _stored(site: Site) -> dict[str, str]:
    return {
        name: written(value) for name, value in asdict(SiteSettings.read(site.settings)).items()
    }


def _typed(stored: Mapping[str, str]) -> dict[str, str]:
    """What the form was sent with; what it has no field for stays as it is stored."""
    typed = dict(stored)
    for setting in SETTINGS:
        sent = request.form.get(setting.name)
        if isinstance(setting.default, bool):
            typed[setting.name] = "on" if sent == "on" else "off"
        elif sent is not None and setting.metadata["form"] == Form.LINES:
            typed[setting.name] = text.normalise(sent)
        elif sent is not None:
            typed[setting.name] = sent.strip()
    return typed


def _overtaken(key: str, typed: dict[str, str], form: SettingsForm) -> ResponseReturnValue:
    """Somebody else saved first. What this one changed stays as typed; the rest is as it is now."""
    session = database.session()
    site = site_or_refuse(session, key)
    stored, seen = _stored(site), _seen(form)
    merged = {n: one if one != seen.get(n, one) else stored[n] for n, one in typed.items()}
    notes = {
        name: str(_("Somebody else made this: %(value)s", value=stored[name] or _("empty")))
        for name, one in merged.items()
        if one != stored[name] and stored[name] != seen.get(name, stored[name])
    }
    changes = sites.changes_since(session, site, form.event.data or 0)
    return _page(site, merged, notes=notes, changes=list(changes), is_overtaken=True), 409


def _seen(form: SettingsForm) -> Mapping[str, str]:
    """The settings that the page showed, as it says; nothing where it does not."""
    try:
        found = json.loads((form.seen.data or "")[:LONGEST_SEEN])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _page(
    site: Site,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    changes: list[Event] | None = None,
    form: SettingsForm | None = None,
    shown: str = "",
    is_overtaken: bool = False,
) -> str:
    errors, notes = errors or {}, notes or {}
    entries = [
        Entry(s, typed[s.name], errors.get(s.name, ""), notes.get(s.name, "")) for s in SETTINGS
    ]
    stored = _stored(site)
    return render_template(
        "desk/site_settings.html",
        site=site,
        groups=list(_grouped(entries)),
        errors={f"set-{name}": [f"{_label(name)}: {error}"] for name, error in errors.items()},
        # A page that comes back goes on from what it showed at first.
        version=form.version.data if form else site.version,
        event=form.event.data if form else sites.last_change(database.session(), site),
        seen=form.seen.data if form else json.dumps(stored, ensure_ascii=False),
        changes=changes or [],
        shown=_label(shown) if shown else "",
        is_overtaken=is_overtaken,
        is_saved=request.method == "GET" and request.args.get("saved") == "yes",
    )


def _label(name: str) -> str:
    return next(str(s.metadata["label"]) for s in SETTINGS if s.name == name)


def _grouped(entries: list[Entry]) -> Iterator[tuple[Group, Any, list[Entry]]]:
    for group, of_group in groupby(entries, lambda entry: entry.setting.metadata["group"]):
        yield group, GROUPS[group], list(of_group)
