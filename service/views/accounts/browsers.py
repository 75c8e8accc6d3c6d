"""Where somebody comes from: a network, and a browser that has been let in before."""

import secrets
from datetime import timedelta
from typing import cast

from flask import Response, after_this_request, current_app, request

from ... import accounts, attempts
from ...accounts import Moderator
from ...comments import network_of
from ...tokens import Signer
from ..limits import knocking

KNOWN_COOKIE = "rejoinder_known"
KNOWN_FOR = timedelta(days=365)
KNOWN_MOST = 5  # accounts that one browser is known to


def network() -> str:
    return network_of(request.remote_addr or "")


def signer() -> Signer:
    return cast(Signer, current_app.extensions["signer"])


def known_browser() -> tuple[str, list[int]]:
    """This browser's own id, and whose accounts it has signed in to; nothing if to none."""
    value = signer().read("known browser", request.cookies.get(KNOWN_COOKIE, ""))
    return (value[0], value[1]) if isinstance(value, list) else ("", [])


def place_of(moderator: Moderator | None) -> str:
    """Where a try comes from: a browser that is known to the account, else the network."""
    browser, accounts_known = known_browser()
    is_known = moderator is not None and moderator.id in accounts_known
    return attempts.KNOWN + browser if is_known else network()


def knocking_from() -> str:
    """Whom a rate limit counts: a known browser by itself, so that nobody beside it in the same
    network can use up what it may do."""
    return known_browser()[0] or knocking()


def remember_browser(moderator_id: int) -> None:
    browser, known = known_browser()
    value = [
        browser or secrets.token_urlsafe(12),
        [moderator_id, *(i for i in known if i != moderator_id)][:KNOWN_MOST],
    ]

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            KNOWN_COOKIE,
            signer().sign("known browser", value),
            max_age=KNOWN_FOR,
            path=accounts.DeskSessions.PATH,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response
