"""A large file on its way through a form: straight to the disk, and only from whom may send one.

Nothing of the body is read before the view asks for it: `Arriving` is the application's request, the
views that call `receive` are named in errors.READ_LATER and answer for their token themselves, which
stands in the address for that reason.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from flask import Flask, Request, abort, current_app, request
from flask_babel import gettext as _
from flask_security import current_user

from ..exchange.arrivals import Arrival
from ..models import Site
from ..tokens import FORM_LIFETIME, Signer

AT_ONCE = 2  # files that one process takes at a time: each has a thread of its server's to itself
MOST_PARTS = 20  # fields of the form
PURPOSE = "upload"


class Arriving(Request):
    """A request whose file may go where its view says."""

    arrival: Arrival | None = None
    to: tuple[Path, int] | None = None  # the instance's folder, and how large a file may be

    def _get_file_stream(self, *given: Any, **named: Any) -> IO[bytes]:
        if self.to is None:
            return super()._get_file_stream(*given, **named)
        if self.arrival is not None:
            abort(400)  # one form brings one file
        self.arrival = Arrival(*self.to)
        return cast("IO[bytes]", self.arrival)


def ticket(site: Site) -> str:
    """What lets this session's moderator send a file to the site, from a page of ours."""
    said = [current_user.visit_id, site.id, int(time.time())]
    return _signer().sign(PURPOSE, said)


def check_ticket(site: Site) -> None:
    """Ends this request unless it was sent by a page of ours, for this site, in this session."""
    said = _signer().read(PURPOSE, request.args.get("ticket", ""))
    visit_id, site_id, at = said if isinstance(said, list) else (None, None, 0)
    is_mine = (visit_id, site_id) == (current_user.visit_id, site.id)
    if not is_mine or time.time() - at > FORM_LIFETIME:
        abort(
            400, _("This page was open for a long time. Go back, load it anew and try once more.")
        )


@contextmanager
def receive(most: int) -> Iterator[Arriving]:
    """Reads this request's form; a file in it goes to the disk, as `request.arrival`. Unless it was
    let go of, nothing of it is left there afterwards. Takes how many bytes it may have.

    Raises RequestEntityTooLarge for a body that is not even read: a file that is somewhat too large
    is, for a browser that cannot send all it wants shows no answer.
    """
    sent = cast(Arriving, request._get_current_object())  # type: ignore[attr-defined]
    with _turn():
        sent.to = (Path(current_app.config["INSTANCE"]), most)
        if sent.mimetype == "multipart/form-data":  # a form of another kind is read at one go
            sent.max_content_length = 2 * most + int(current_app.config["MAX_BODY"])
        sent.max_form_parts = MOST_PARTS
        try:
            sent.form  # noqa: B018  reads all of it
            if sent.arrival is not None:
                sent.arrival.settle()
            yield sent
        finally:
            if sent.arrival is not None:
                sent.arrival.discard()


def is_hopeless(most: int) -> bool:
    """Whether the request says beforehand that it is too large to be read at all."""
    return (request.content_length or 0) > 2 * most + int(current_app.config["MAX_BODY"])


@contextmanager
def _turn() -> Iterator[None]:
    turns: threading.BoundedSemaphore = current_app.extensions["uploads"]
    if not turns.acquire(blocking=False):
        abort(503, _("Other files are on their way at this moment. Try again in a few minutes."))
    try:
        yield
    finally:
        turns.release()


def _signer() -> Signer:
    return cast(Signer, current_app.extensions["signer"])


def init_app(app: Flask) -> None:
    app.request_class = Arriving
    app.extensions["uploads"] = threading.BoundedSemaphore(AT_ONCE)
