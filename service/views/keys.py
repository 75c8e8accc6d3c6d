"""The keys of the desk: the map of them, and the switch that turns them off (WCAG 2.1.4)."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired

from .. import accounts, database
from .desk import bp, local

# What keys.js does, in words: keys that belong together, and what they do. "g p" is one after the
# other. A test presses each of them.
MAP = (
    (
        _l("Decide"),
        (
            ("a", _l("Approve")),
            ("r", _l("Reject")),
            ("s", _l("Mark as spam")),
            ("d", _l("Delete: the text is hidden, and kept")),
            ("z", _l("Undo my last decision")),
        ),
    ),
    (
        _l("Do more with a comment"),
        (
            ("e", _l("Edit")),
            ("c", _l("Reply and approve")),
            ("n", _l("Write a note")),
            ("x", _l("Select")),
        ),
    ),
    (
        _l("Move"),
        (
            ("j", _l("Next comment")),
            ("k", _l("Comment before")),
            ("/", _l("Search")),
            ("?", _l("This list of keys")),
        ),
    ),
    (
        _l("Open a list"),
        (
            ("g p", _l("Pending")),
            ("g a", _l("Approved")),
            ("g r", _l("Rejected")),
            ("g s", _l("Spam")),
            ("g d", _l("Deleted")),
            ("g o", _l("Reported")),
        ),
    ),
)


class KeysForm(FlaskForm):
    has_keys = RadioField(
        choices=[SelectChoice("yes", _l("On")), SelectChoice("no", _l("Off"))],
        validators=[DataRequired()],
    )


@bp.get("/keys")
def keys() -> ResponseReturnValue:
    return render_template("desk/keys.html")


@bp.post("/keys")
def set_keys() -> ResponseReturnValue:
    """Switches them on or off for whoever asks."""
    form = KeysForm()
    if not form.validate():
        abort(400)
    with database.writing() as session:
        accounts.set_keys(session, current_user, form.has_keys.data == "yes")
    return redirect(local(request.form.get("next") or url_for(".keys")), 303)


@bp.context_processor
def words() -> dict[str, Any]:
    return {"key_map": MAP}
