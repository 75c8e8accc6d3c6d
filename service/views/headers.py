"""The headers of every answer. A page that is framed names by whom; all others never are."""

import gzip
import hashlib
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
# Browsers ask again each time (a 304 is cheap); caches of a proxy may keep a page ten seconds.
SHARED = "public, max-age=0, s-maxage=10"
# What readers are sent under every article. Nothing with a secret in it, which the size of a
# compressed page can betray (BREACH).
READ_BY_ALL = ("reader.loader", "reader.thread", "reader.fragment", "reader.counts")
COMPRESSED = frozenset(("static", *READ_BY_ALL, "reader.colours", "feeds.site", "feeds.thread"))
PERMISSIONS = ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")


def allow_frames(origins: list[str]) -> None:
    """Lets these origins (and our own pages) frame this answer."""
    g.frame_ancestors = ["'self'", *origins]


def keep_private(response: Response) -> Response:
    """For pages that are keys: kept by no cache, told to nobody, found by no search."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def etag(*parts: object) -> str:
    """A page is a pure function of these, so they name it."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def static_url(name: str) -> str:
    """A file of ours, under an address that changes with the release."""
    return url_for("static", filename=name, v=current_app.config["RELEASE"])


def _add(response: Response) -> Response:
    ancestors = " ".join(g.get("frame_ancestors", ["'none'"]))
    policy = "; ".join(f"{name} {value}" for name, value in POLICY.items())
    added = {
        "Content-Security-Policy": f"{policy}; frame-ancestors {ancestors}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in PERMISSIONS),
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if ancestors == "'none'":
        added["X-Frame-Options"] = "DENY"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        added["Strict-Transport-Security"] = "max-age=31536000"
    if request.path == "/static/count.js":  # embed.js loads it from publishers' pages, by this name
        response.headers["Cache-Control"] = "public, max-age=600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Access-Control-Allow-Origin"] = "*"
    if request.path.startswith("/desk"):  # whoever signs in, and whatever they see
        response.headers["Cache-Control"] = "no-store"
    for name, value in added.items():
        response.headers.setdefault(name, value)
    return response


def _compress(response: Response) -> Response:
    """Light for readers whatever stands in front of the service, and a proxy has nothing to do."""
    if request.endpoint not in COMPRESSED or request.method != "GET":
        return response
    response.vary.add("Accept-Encoding")
    tag, _is_weak = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)  # one name for both forms of a page
    if response.status_code == 200 and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(gzip.compress(response.get_data(), compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def init_app(app: Flask) -> None:
    app.after_request(_add)
    app.after_request(_compress)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # static_url's addresses never change

    @app.context_processor
    def pieces() -> dict[str, Any]:
        return {"static_url": static_url}
