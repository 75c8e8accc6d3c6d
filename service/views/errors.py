"""What people read when something went wrong: what happened, what was kept, what to do."""

from flask import Flask, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from .. import database

MESSAGES = {
    400: lazy_gettext("This request could not be understood. Go back and try once more."),
    401: lazy_gettext("Sign in to see this page."),
    403: lazy_gettext("This is not allowed here."),
    404: lazy_gettext("There is no such page. It may have been moved or taken down."),
    405: lazy_gettext("This address does not take what was sent to it."),
    413: lazy_gettext(
        "What you sent is too large to be taken. Your text is still in the form: make it shorter."
    ),
    429: lazy_gettext("Too much was sent in a short time. Wait a little and try again."),
    500: lazy_gettext(
        "Something broke on our side. Look whether what you sent has arrived before you send it again."
    ),
    503: lazy_gettext("Many people are writing at this moment. Try again in a few seconds."),
}


# What people type, in which a form answers for every character.
TYPED = ("name", "email", "website", "comment", "note")
# What reads its body by itself, once it knows who sends it: a file goes to the disk as it is read.
READ_LATER = ("desk.imports_add",)


def wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def answer(
    status: int, message: str = "", headers: dict[str, str] | None = None
) -> ResponseReturnValue:
    """A page, or JSON for a script, that says what happened."""
    said = message or str(MESSAGES.get(status, MESSAGES[400 if status < 500 else 500]))
    if wants_json():
        return {"error": said}, status, headers or {}
    return render_template("error.html", message=said, status=status), status, headers or {}


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:  # a redirect, or an answer that is complete
        return error.get_response()
    status = error.code or 500
    # A description of our own is for people; Werkzeug's are for developers.
    is_ours = error.description not in (None, type(error).description)
    sent = error.get_response().headers
    kept = {name: sent[name] for name in ("Allow", "Retry-After", "Location") if name in sent}
    return answer(status, error.description or "" if is_ours and status != 429 else "", kept)


def _csrf(error: CSRFError) -> ResponseReturnValue:
    said = _("This page was open for a long time. Go back, load it anew and try once more.")
    return answer(400, said)


def _busy(error: database.Busy) -> ResponseReturnValue:
    return answer(503, headers={"Retry-After": "5"})


def _refuse_nul() -> None:
    """No person sends a NUL, and PostgreSQL takes none. What people type is the forms' business."""
    sent = request.form.lists() if request.endpoint not in READ_LATER else ()
    hidden = (v for name, values in sent if name not in TYPED for v in values)
    asked = (v for values in request.args.listvalues() for v in values)
    named = map(str, (request.view_args or {}).values())
    if any("\0" in value for value in (*named, *asked, *hidden)):
        abort(400)


def init_app(app: Flask) -> None:
    app.before_request(_refuse_nul)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(database.Busy, _busy)
