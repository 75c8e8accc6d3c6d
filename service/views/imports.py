"""Comments brought along from elsewhere: a file goes up, is rehearsed, imported, and taken back.

The pages leave wishes; the worker does the work (exchange/wishes.py says what can be asked for when).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import FileField, RadioField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length

from .. import accounts, database, events, text
from ..accounts import Moderator
from ..events import What
from ..exchange import arrivals, moves, record, undoing, wishes
from ..exchange.arrivals import Arrival, NoRoom, TooLarge
from ..exchange.formats import READERS
from ..exchange.record import Unreadable
from ..models import Import, Site, now
from ..status import ImportState, ImportWish, Role
from . import uploads
from .desk import LARGEST_ID, bp
from .errors import wants_json
from .forms import SignInForm, line
from .sites import site_or_refuse

LISTED = 50  # imports on a site's page
LONGEST_RULES = 100_000  # characters, all of them
STATES = {
    ImportState.UPLOADED: _l("waits to be read"),
    ImportState.REHEARSING: _l("is being read"),
    ImportState.REHEARSED: _l("rehearsed"),
    ImportState.RUNNING: _l("is being imported"),
    ImportState.STOPPED: _l("stopped"),
    ImportState.FAILED: _l("cannot be imported"),
    ImportState.DONE: _l("imported"),
    ImportState.UNDOING: _l("is being taken back"),
    ImportState.UNDONE: _l("taken back"),
}
SAID = {
    ImportState.UPLOADED: _l("The file is here, and not read yet."),
    ImportState.REHEARSING: _l("The file is being read. Nothing is imported by that."),
    ImportState.REHEARSED: _l("This is a rehearsal: nothing is imported yet."),
    ImportState.RUNNING: _l("The comments are being imported."),
    ImportState.STOPPED: _l("It stopped before its end."),
    ImportState.FAILED: _l("The file cannot be imported. Nothing of it is here."),
    ImportState.DONE: _l("The comments are imported."),
    ImportState.UNDOING: _l("What was imported is being taken back."),
    ImportState.UNDONE: _l("What was imported is taken back."),
}
WISHED = {
    ImportWish.REHEARSE: _l("It waits to be read."),
    ImportWish.RUN: _l("It waits to be imported."),
    ImportWish.STOP: _l("It is about to stop."),
    ImportWish.UNDO: _l("It waits to be taken back."),
}
SILENT = _l(
    "Nobody has worked on it for a minute: is “flask worker” running? Tell whoever runs this service. "
    "Nothing is lost, and it goes on by itself as soon as it can."
)
NOTHING_CAME = _l("Nothing was imported: every comment of the file was here already.")


def _readable(field: Any) -> None:
    """Every line of URL rules is one."""
    rules = _rules(field.data or "")
    if len(rules) > moves.MOST_RULES:
        raise ValidationError(_("Write at most %(most)d rules.", most=moves.MOST_RULES))
    try:
        moves.addresses(rules)
    except moves.NoRule as error:
        said = f"“{text.excerpt(error.line, 80)}” {error.why}."
        raise ValidationError(said) from None


def _rules(written: str) -> list[str]:
    return [rule for each in written.split("\n") if (rule := line(each))]


def _rules_field() -> TextAreaField:
    return TextAreaField(
        _l("URL rules"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[Length(max=LONGEST_RULES, message=_l("These are too many rules."))],
        render_kw={"rows": 3, "dir": "ltr", "autocapitalize": "none", "spellcheck": "false"},
    )


class RulesForm(FlaskForm):
    rules = _rules_field()

    def validate_rules(self, field: TextAreaField) -> None:
        _readable(field)

    @property
    def written(self) -> list[str]:
        return _rules(self.rules.data or "")


class BringForm(FlaskForm):
    """A file to import. Whose page sent it, uploads.py has looked at before it was read."""

    class Meta:
        csrf = False

    format = RadioField(
        _l("Where the comments come from"),
        choices=[SelectChoice(reader.name, reader.label) for reader in READERS.values()],
        validators=[DataRequired(_l("Choose where the comments come from."))],
    )
    rules = _rules_field()
    file = FileField(_l("File"))

    def __init__(
        self, arrival: Arrival | None = None, origins: Sequence[str] = (), **given: Any
    ) -> None:
        super().__init__(**given)
        self.arrival = arrival
        self.origins = list(origins)

    def validate_rules(self, field: TextAreaField) -> None:
        _readable(field)

    def validate_file(self, field: FileField) -> None:
        """What can be said of the file at once; for the rest there is the rehearsal."""
        if self.arrival is None or not self.file_name:
            raise ValidationError(_("Choose the file that the other system gave you."))
        if self.arrival.fault:
            raise ValidationError(_fault(self.arrival.fault))
        if not self.arrival.size:
            raise ValidationError(_("This file is empty. Choose another one."))
        if self.format.data not in READERS or self.rules.errors:
            return
        addresses = moves.addresses(_rules(self.rules.data or ""), self.origins)
        try:
            arrivals.look(self.arrival.path, self.format.data, addresses)
        except Unreadable as error:
            label = READERS[self.format.data].label
            said = _("It cannot be imported as %(format)s: %(why)s.", format=label, why=str(error))
            raise ValidationError(said) from None

    @property
    def file_name(self) -> str:
        """As it was called where it came from; never with an address in it."""
        written = getattr(self.file.data, "filename", "") or ""
        return record.file_name(line(Path(written.replace("\\", "/")).name))


def _fault(fault: Exception) -> str:
    if isinstance(fault, TooLarge):
        most = readable_size(current_app.config["IMPORT_SIZE"])
        return str(_("This file is too large: at most %(most)s are taken here.", most=most))
    return str(_("There is no room for this file on the server. Tell whoever runs it."))


def readable_size(size: int) -> str:
    """A number of bytes in words: "2 GB"."""
    for unit, bytes in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size >= bytes:
            return f"{format_decimal(round(size / bytes, 1))} {unit}"
    return f"{format_decimal(size)} B"


@bp.get("/sites/<key>/imports/", endpoint="imports")
def page(key: str) -> ResponseReturnValue:
    return _page(site_or_refuse(database.session(), key))


@bp.post("/sites/<key>/imports/")
def imports_add(key: str) -> ResponseReturnValue:
    """Takes a file, and leaves it to the worker. This alone takes more than MAX_BODY, and reads
    nothing before it is known who sends it and from where."""
    site = site_or_refuse(database.session(), key)
    uploads.check_ticket(site)
    if refused := _refused(site):
        return _page(site, file=refused), 422
    site_id, origins, most = site.id, site.origins, current_app.config["IMPORT_SIZE"]
    database.forget()
    arrivals.sweep(database.session(), _instance())
    database.forget()  # no reading lasts as long as a file may take
    try:
        with uploads.receive(most) as sent:
            form = BringForm(sent.arrival, origins)
            if not form.validate() or sent.arrival is None:
                return _page(site_or_refuse(database.session(), key), form), 422
            with database.writing() as session:
                number = _begin(session, site_id, form, sent.arrival)
            if number:
                sent.arrival.let_go()
    except RequestEntityTooLarge:
        site = site_or_refuse(database.session(), key)
        return _page(site, file=_fault(TooLarge())), 422
    if not number:
        return _page(site_or_refuse(database.session(), key), file=_too_many()), 422
    return _to(key, number)


def _refused(site: Site) -> str:
    """Why no file of this site's is read now; "" if it is."""
    if arrivals.waiting(database.session(), site.id) >= arrivals.MOST_WAITING:
        return _too_many()
    if uploads.is_hopeless(current_app.config["IMPORT_SIZE"]):
        return _fault(TooLarge())
    if not arrivals.has_room(_instance(), request.content_length or 0):
        return _fault(NoRoom())
    return ""


def _too_many() -> str:
    return str(
        _(
            "%(most)d files of this site wait here already. Import one or throw one away, then "
            "bring the next.",
            most=arrivals.MOST_WAITING,
        )
    )


def _begin(session: Session, site_id: int, form: BringForm, arrival: Arrival) -> int | None:
    """The import's number; None if others of the site were quicker."""
    session.scalars(select(Site).where(Site.id == site_id).with_for_update()).one()
    who = session.get_one(Moderator, current_user.id)  # much may have changed while the file came
    if not accounts.may(who, site_id, Role.PUBLISHER):
        abort(403)
    if arrivals.waiting(session, site_id) >= arrivals.MOST_WAITING:
        return None
    arrivals.forget_the_imported(session, site_id)
    found = Import(
        site_id=site_id,
        format=form.format.data,
        file_name=form.file_name,
        file_digest=arrival.digest,
        state=ImportState.UPLOADED,
        wish=ImportWish.REHEARSE,
        by=current_user.name,
        size=arrival.size,
        stored_as=arrival.stored_as,
        rules=_rules(form.rules.data or ""),
        beat_at=now(),
    )
    session.add(found)
    session.flush()
    events.record(session, What.IMPORT_BROUGHT, current_user, wishes.about(found), site_id)
    return found.id


_ONE = f"/sites/<key>/imports/<int(max={LARGEST_ID}):import_id>"


@bp.get(_ONE)
def imports_one(key: str, import_id: int) -> ResponseReturnValue:
    found = import_or_refuse(database.session(), key, import_id)
    return _facts(found) if wants_json() else _one(found)


@bp.post(f"{_ONE}/try")
def imports_try(key: str, import_id: int) -> ResponseReturnValue:
    """Shows where URL rules would take the pages of the rehearsal, and keeps nothing."""
    found = import_or_refuse(database.session(), key, import_id)
    form = RulesForm()
    if not form.validate():
        return _one(found, form)
    site = database.session().get_one(Site, found.site_id)
    pages = [each["was"] for each in found.report.get("pages", ())]
    return _one(found, form, moves.try_rules(form.written, pages, site.origins))


@bp.post(f"{_ONE}/rehearse")
def imports_rehearse(key: str, import_id: int) -> ResponseReturnValue:
    """Has the file read once more, with these URL rules."""
    found = import_or_refuse(database.session(), key, import_id)
    form = RulesForm()
    if not form.validate():
        return _one(found, form)
    return _ask(key, import_id, ImportWish.REHEARSE, form.written)


@bp.post(f"{_ONE}/run")
def imports_run(key: str, import_id: int) -> ResponseReturnValue:
    """Imports what was rehearsed, or goes on where it stopped."""
    return _asked(key, import_id, ImportWish.RUN)


@bp.post(f"{_ONE}/stop")
def imports_stop(key: str, import_id: int) -> ResponseReturnValue:
    return _asked(key, import_id, ImportWish.STOP)


@bp.get(f"{_ONE}/undo")
def imports_undo(key: str, import_id: int) -> ResponseReturnValue:
    """What taking it all back would leave, and the button."""
    session = database.session()
    found = import_or_refuse(session, key, import_id)
    return render_template(
        "desk/import_undo.html",
        site=session.get_one(Site, found.site_id),
        found=found,
        begun=_begun(found),
        rest=wishes.rest(session, found),
        may_undo=wishes.may(session, found, ImportWish.UNDO),
    )


@bp.post(f"{_ONE}/undo")
def imports_take_back(key: str, import_id: int) -> ResponseReturnValue:
    return _asked(key, import_id, ImportWish.UNDO)


@bp.post(f"{_ONE}/discard")
def imports_discard(key: str, import_id: int) -> ResponseReturnValue:
    """Throws the uploaded file away; what was imported from it stays."""
    _sure(key, import_id)
    with _told(), database.writing() as session:
        found = _to_change(session, key, import_id)
        stored_as = wishes.discard(session, found, current_user)
    arrivals.remove(_instance(), stored_as)
    return redirect(url_for(".imports", key=key, said="discarded"), 303)


def import_or_refuse(
    session: Session, key: str, import_id: int, is_to_change: bool = False
) -> Import:
    """An import of a site whose settings this moderator keeps, or the end of this request."""
    site = site_or_refuse(session, key)
    wanted = select(Import).where(Import.id == import_id, Import.site_id == site.id)
    return session.scalar(wanted.with_for_update() if is_to_change else wanted) or abort(404)


def _to_change(session: Session, key: str, import_id: int) -> Import:
    """The import that the page was about. SQLite gives the number of one that was thrown away to the
    next: nobody imports by an old page what they have never seen. Raises wishes.NotNow."""
    found = import_or_refuse(session, key, import_id, is_to_change=True)
    if request.form.get("begun", _begun(found)) != _begun(found):
        raise wishes.NotNow
    return found


def _begun(found: Import) -> str:
    return found.started_at.isoformat()


@contextmanager
def _told() -> Iterator[None]:
    """What comes too late, as an answer."""
    try:
        yield
    except wishes.NotNow:
        said = _("This import is not at that point any more. Nothing was changed; load it anew.")
        abort(409, said)


def _sure(key: str, import_id: int) -> None:
    """Whoever may not is refused before the form is looked at."""
    import_or_refuse(database.session(), key, import_id)
    if not SignInForm().validate():
        abort(400)


def _asked(key: str, import_id: int, wish: ImportWish) -> ResponseReturnValue:
    _sure(key, import_id)
    return _ask(key, import_id, wish)


def _ask(
    key: str, import_id: int, wish: ImportWish, rules: list[str] | None = None
) -> ResponseReturnValue:
    with _told(), database.writing() as session:
        found = _to_change(session, key, import_id)
        wishes.ask(session, found, wish, current_user)
        if rules is not None:
            found.rules = rules
    return _to(key, import_id)


def _to(key: str, import_id: int) -> ResponseReturnValue:
    return redirect(url_for(".imports_one", key=key, import_id=import_id), 303)


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])


def _page(site: Site, form: BringForm | None = None, file: str = "") -> str:
    """The list and the form. Takes what is wrong with a form, or with its file alone."""
    session = database.session()
    shown = form or BringForm(formdata=None)
    errors = {"format-0" if name == "format" else name: e for name, e in shown.errors.items()}
    return render_template(
        "desk/imports.html",
        site=site,
        form=shown,
        errors=errors | ({"file": [file]} if file else {}),
        readers=READERS,
        listed=wishes.of_site(session, site.id, LISTED),
        states=STATES,
        is_discarded=request.args.get("said") == "discarded",
        most=readable_size(current_app.config["IMPORT_SIZE"]),
        ticket=uploads.ticket(site),
        is_silent=wishes.is_silent,
    )


def _one(
    found: Import,
    form: RulesForm | None = None,
    tried: tuple[list[moves.Tried], list[str]] | None = None,
) -> ResponseReturnValue:
    session = database.session()
    is_wrong = form is not None and bool(form.errors)
    may = {wish.value: wishes.may(session, found, wish) for wish in ImportWish}
    page = render_template(
        "desk/import.html",
        site=session.get_one(Site, found.site_id),
        found=found,
        form=form or RulesForm(formdata=None, data={"rules": "\n".join(found.rules)}),
        errors=form.errors if form is not None else {},
        tried=tried,
        begun=_begun(found),
        said=_said(found),
        facts=_facts(found),
        is_busy=wishes.is_busy(found),
        is_silent=wishes.is_silent(found),
        may=may,
        may_discard=wishes.may_discard(session, found),
        report=_report(found.report),
        label=READERS[found.format].label if found.format in READERS else found.format,
        size=readable_size(found.size),
        brought=session.scalar(undoing.count_of(found.id)),
        left=undoing.left_of(session, found.id) if found.state == ImportState.UNDONE else None,
    )
    return page, 422 if is_wrong else 200


def _report(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a rehearsal or a run found, as the page tells it; empty before the first."""
    if not kept:
        return {}
    days = {name: datetime.fromisoformat(kept[name]) for name in ("first", "last") if kept[name]}
    pages = kept["pages"]
    return {
        **kept,
        **days,
        "new_total": sum(kept["new"].values()),
        "known_total": sum(kept["known"].values()),
        "more_pages": max(0, kept["articles"] - len(pages)),
        "strange": [page for page in pages if not page["is_ours"]],
    }


def _said(found: Import) -> str:
    """How it stands, in a sentence that changes seldom: it is read out."""
    if wishes.is_silent(found):
        return str(SILENT)
    if found.wish and not (found.state in wishes.AT_WORK and found.wish != ImportWish.STOP):
        return str(WISHED[found.wish])
    if found.state == ImportState.DONE and found.report and not sum(found.report["new"].values()):
        return str(NOTHING_CAME)
    said = str(SAID[found.state])
    if found.state in wishes.AT_WORK and found.total:
        tenths = 10 * min(found.progress, found.total) // found.total
        said += " " + _("%(part)d percent are done.", part=10 * tenths)
    return said


def _facts(found: Import) -> dict[str, Any]:
    """For the script that shows how far it is (bulk.js), as jobs tell it."""
    seen = ""
    if found.total:
        done, total = format_decimal(found.progress), format_decimal(found.total)
        seen = _("%(seen)s of %(total)s", seen=done, total=total)
    return {
        "state": "running" if wishes.is_busy(found) else str(found.state),
        "is_dead": False,
        "done": found.progress,
        "skipped": 0,
        "total": found.total,
        "seen": seen,
        "said": _said(found),
    }
