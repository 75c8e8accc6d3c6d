"""A site's words and phrases at the desk: to hold, to mark as spam, to ask another wording for."""

from collections.abc import Sequence
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import FileField, HiddenField, IntegerField, TextAreaField
from wtforms.validators import DataRequired, NumberRange

from .. import database, events
from ..events import What
from ..models import Phrase, Site
from ..screening import phrases as lists
from ..status import PhraseKind
from .desk import LARGEST_ID, bp
from .forms import line
from .sites import site_or_refuse

PAGE = 50
PLACE = ("q", "sort", "after", "hits")
NAMED = 5  # phrases that a sentence names; of more it gives the number
MOST_HITS = 2**31 - 1  # that PostgreSQL counts in an integer
LARGEST_LIST = 2_000_000  # bytes of a request that brings a list; WordPress's long one has 878,000
URL = "/sites/<key>/phrases/<any(hold, spam, refuse):kind>"

TABS = {
    PhraseKind.HOLD: _l("To hold"),
    PhraseKind.SPAM: _l("Spam"),
    PhraseKind.REFUSE: _l("Another wording"),
}
DOES = {
    PhraseKind.HOLD: _l("A reply with one of these waits for a moderator."),
    PhraseKind.SPAM: _l("A reply with one of these is marked as spam."),
    PhraseKind.REFUSE: _l(
        "Whoever writes one of these is asked to say it in other words, and keeps their text. Nothing "
        "of it is stored."
    ),
}
WHY = {
    "address": _l("has an email address in it"),
    "network": _l("is an IP address: ban the network instead"),
    "nothing": _l("has no letter or sign to look for"),
    "short": _l("is so short that it would be found everywhere"),
    "star": _l("has a * in its middle: it can stand at either end"),
    "long": _l("is longer than %(longest)s characters", longest=lists.LONGEST),
    "spelling": _l("would be found everywhere once look-alikes and accents are seen through"),
}


class AddForm(FlaskForm):
    written = TextAreaField(_l("Words and phrases to add"))


class ImportForm(FlaskForm):
    """WordPress's keys, in a file or pasted."""

    file = FileField(_l("A text file"), render_kw={"accept": ".txt,text/plain"})
    keys = TextAreaField(_l("Or paste the list"))


class RemoveForm(FlaskForm):
    phrase = IntegerField(validators=[DataRequired(), NumberRange(1, LARGEST_ID)])


class RestoreForm(FlaskForm):
    removed = HiddenField(validators=[DataRequired()])


@bp.url_value_preprocessor
def take_long_lists(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A list may be larger than what any other door takes. Said before anything reads the form."""
    if endpoint != "desk.import_phrases" or not current_user.is_authenticated:
        return
    if (request.content_length or 0) > LARGEST_LIST:
        said = _("A list has at most 2 MB. Cut it in parts and bring one after the other.")
        abort(413, said)
    request.max_content_length = LARGEST_LIST
    request.max_form_memory_size = LARGEST_LIST


@bp.get(URL)
def phrases(key: str, kind: str) -> ResponseReturnValue:
    return _page(site_or_refuse(database.session(), key), PhraseKind(kind))


@bp.post(URL)
def add_phrases(key: str, kind: str) -> ResponseReturnValue:
    """Adds what can be a phrase, one a line, and gives the other lines back."""
    site, form = site_or_refuse(database.session(), key), AddForm()
    if not form.validate():
        abort(400)
    found, outcome = lists.read_lines(form.written.data or "")
    if not found and not outcome.lines:
        form.written.errors = [_("Write a word or a phrase, one a line.")]
        return _page(site, PhraseKind(kind), add=form), 422
    try:
        new = _store(key, PhraseKind(kind), found)
    except lists.TooMany:
        form.written.errors = [_too_many()]
        return _page(site, PhraseKind(kind), add=form), 422
    said = _became(found, new)
    if not outcome.lines:
        return _back(key, kind, said=said)
    form.written.errors = [_no_phrases(outcome.lines)]
    form.written.data = "\n".join(written for written, _why in outcome.lines)
    return _page(site_or_refuse(database.session(), key), PhraseKind(kind), form, said=said), 422


@bp.post(f"{URL}/import")
def import_phrases(key: str, kind: str) -> ResponseReturnValue:
    """Adds WordPress's disallowed or moderation keys: each is found inside words too, as there."""
    site, form = site_or_refuse(database.session(), key), ImportForm()
    if not form.validate():
        abort(400)
    brought = form.file.data.read() if form.file.data else b""
    try:
        text = f"{brought.decode('utf-8-sig')}\n{form.keys.data or ''}"
    except UnicodeDecodeError:
        form.file.errors = [_("This file cannot be read as text. Save it as UTF-8.")]
        return _page(site, PhraseKind(kind), keys=form), 422
    found, outcome = lists.read_lines(text, is_wordpress=True)
    if not found and not outcome.lines:
        form.file.errors = [_("Choose a file, or paste the list below.")]
        return _page(site, PhraseKind(kind), keys=form), 422
    try:
        outcome.added = len(_store(key, PhraseKind(kind), found))
    except lists.TooMany:
        form.file.errors = [_too_many()]
        return _page(site, PhraseKind(kind), keys=form), 422
    outcome.known = len(found) - outcome.added
    return _back(key, kind, said=_brought(outcome))


@bp.post(f"{URL}/remove")
def remove_phrase(key: str, kind: str) -> ResponseReturnValue:
    form = RemoveForm()
    site_or_refuse(database.session(), key)
    if not form.validate():
        abort(400)
    with database.writing() as session:
        site = site_or_refuse(session, key)
        row = session.get(Phrase, form.phrase.data)
        if row is None or (row.site_id, row.kind) != (site.id, kind):
            abort(404, _("It is not in the list any more: a colleague removed it."))
        removed = [row.phrase, row.hits]
        lists.remove(session, site.id, row.kind, [row.phrase])
        _record(session, site, f"1 of {kind} removed")
    sealed = current_app.extensions["signer"].sign(_removed(key, kind), removed)
    return redirect(url_for(".phrases", key=key, kind=kind, removed=sealed, **_place()), 303)


@bp.post(f"{URL}/restore")
def restore_phrase(key: str, kind: str) -> ResponseReturnValue:
    """Puts back what was removed, with how often it had been found."""
    site_or_refuse(database.session(), key)
    form = RestoreForm()
    removed = form.validate() and _opened(_removed(key, kind), form.removed.data or "")
    if not removed:
        abort(400)
    phrase, hits = removed
    try:
        with database.writing() as session:
            site = site_or_refuse(session, key)
            lists.restore(session, site.id, PhraseKind(kind), phrase, hits)
            _record(session, site, f"1 of {kind} added")
    except lists.TooMany:
        abort(409, _too_many())
    return _back(key, kind, said=str(_("“%(phrase)s” is in the list again.", phrase=phrase)))


def _store(key: str, kind: PhraseKind, found: Sequence[str]) -> list[str]:
    """Adds a portion in a transaction each, and gives those that were new; all or none are too many.
    What was added is on record also where a later portion found no place."""
    session = database.session()
    site_id = site_or_refuse(session, key).id
    if lists.number(session, site_id) + lists.missing(session, site_id, kind, found) > lists.MOST:
        raise lists.TooMany
    new: list[str] = []
    try:
        for batch in lists.batches(found):
            with database.writing() as session:
                new += lists.add(session, site_or_refuse(session, key).id, kind, batch)
    finally:
        if new:
            with database.writing() as session:
                _record(session, site_or_refuse(session, key), f"{len(new)} of {kind} added")
    return new


def _record(session: Any, site: Site, about: str) -> None:
    events.record(session, What.PHRASES_CHANGED, current_user, about, site.id)


# What is said of it


def _became(found: Sequence[str], new: Sequence[str]) -> str:
    """Which phrases were added, and which were there."""
    added = set(new)
    there = [phrase for phrase in found if phrase not in added]
    said = []
    if new:
        said.append(_("Added: %(phrases)s.", phrases=_named(new)))
    if there:
        said.append(_("In the list already: %(phrases)s.", phrases=_named(there)))
    return " ".join(map(str, said))


def _brought(outcome: lists.Outcome) -> str:
    """What became of a list, in a line."""
    facts = {"added": format_decimal(outcome.added), "known": format_decimal(outcome.known)}
    said = str(_("%(added)s added, %(known)s in the list already.", **facts))
    if outcome.left_out:
        why = lists.explained(sorted(outcome.left_out.items()))
        said += " " + str(_("Left out: %(why)s.", why=why))
    return said


def _no_phrases(lines: Sequence[tuple[str, str]]) -> str:
    told = [f"“{_short(written)}” {WHY[why]}" for written, why in lines[:NAMED]]
    said = "; ".join(told)
    more = len(lines) - len(told)
    if more:
        said += ngettext("; and %(num)s more", "; and %(num)s more", more)
    return str(_("Not added: %(lines)s.", lines=said))


def _named(phrases: Sequence[str]) -> str:
    said = ", ".join(f"“{_short(phrase)}”" for phrase in phrases[:NAMED])
    more = len(phrases) - NAMED
    if more > 0:
        said += ngettext(" and %(num)s more", " and %(num)s more", more)
    return said


def _short(phrase: str) -> str:
    return phrase if len(phrase) <= 60 else f"{phrase[:59]}…"


def _too_many() -> str:
    most = format_decimal(lists.MOST)
    return str(_("A site has at most %(most)s phrases. Nothing was added.", most=most))


# Pages


def _back(key: str, kind: str, said: str) -> ResponseReturnValue:
    """The list, with a sentence that nobody else can put there."""
    sealed = current_app.extensions["signer"].sign(_said(key, kind), said)
    return redirect(url_for(".phrases", key=key, kind=kind, said=sealed, **_place()), 303)


def _place() -> dict[str, Any]:
    """What part of the list is looked at, in the words of the URL."""
    return {word: request.args[word] for word in PLACE if request.args.get(word)}


def _page(
    site: Site,
    kind: PhraseKind,
    add: AddForm | None = None,
    keys: ImportForm | None = None,
    said: str = "",
) -> str:
    session = database.session()
    asked = request.args
    sought, by_hits = line(asked.get("q", "")), asked.get("sort") == "hits"
    hits = max(0, min(asked.get("hits", 0, type=int), MOST_HITS))
    after = (hits, line(asked["after"])) if "after" in asked else None
    found = lists.page(session, site.id, kind, PAGE + 1, sought, after, by_hits)
    number = lists.number(session, site.id, kind)
    removed = _opened(_removed(site.key, kind), asked.get("removed", ""))
    last = found[PAGE - 1] if len(found) > PAGE else None
    return render_template(
        "desk/phrases.html",
        site=site,
        kind=kind,
        tabs=TABS,
        does=DOES[kind],
        phrases=found[:PAGE],
        number=number,
        is_long=number > PAGE,
        sought=sought,
        by_hits=by_hits,
        sort="hits" if by_hits else None,
        is_first=after is None,
        last=last,
        add=add or AddForm(formdata=None),
        keys=keys or ImportForm(formdata=None),
        errors=form.errors if (form := add or keys) else {},
        said=said or _opened(_said(site.key, kind), asked.get("said", "")),
        removed=removed[0] if removed else "",
        sealed=asked.get("removed", ""),
        place=_place(),
    )


def _opened(purpose: str, sealed: str) -> Any:
    return current_app.extensions["signer"].read(purpose, sealed) if sealed else None


def _said(key: str, kind: str) -> str:
    return f"said of phrases {key} {kind}"


def _removed(key: str, kind: str) -> str:
    return f"removed phrase {key} {kind}"
