"""Rejoinder: comments under an article, and their moderation."""

import hashlib
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from . import accounts, cli, database, outbound, settings, views
from .tokens import Signer
from .vault import Vault

TEMPLATES = settings.ROOT / "templates"


class Rejoinder(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Logs the rule that failed, never the address: some addresses are keys."""
        rule = request.url_rule.rule if request.url_rule else "an unknown address"
        self.logger.error("Exception on %s [%s]", rule, request.method, exc_info=exc_info)


def create_app(**given: Any) -> Flask:
    """The application. Takes settings by name, over those of the environment and of the files in
    the instance folder; raises settings.Unusable with one line if it cannot start."""
    loaded = settings.load(given, os.environ)
    app = Rejoinder(__name__, template_folder=str(TEMPLATES), instance_path=str(loaded["INSTANCE"]))
    app.config.from_mapping(
        loaded,
        MAX_CONTENT_LENGTH=loaded["MAX_BODY"],
        MAX_FORM_MEMORY_SIZE=loaded["MAX_BODY"],
        SESSION_COOKIE_NAME="rejoinder",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=loaded["BASE_URL"].startswith("https://"),
        # Our pages that are keys tell no Referer, and this would ask for one (https alone). What
        # stays: the token, SameSite, and whose page it is (views/accounts/door.py).
        WTF_CSRF_SSL_STRICT=False,
        RELEASE=_release(),
    )
    app.extensions["vault"] = Vault(loaded["EMAIL_KEYS"], loaded["INDEX_KEY"])
    app.extensions["signer"] = Signer([loaded["SECRET_KEY"], *loaded["SECRET_KEY_FALLBACKS"]])
    database.init_app(app)
    database.check_keys(app.extensions["database"], app.extensions["vault"].check())
    outbound.init_app(app)
    accounts.init_app(app)
    views.init_app(app)
    cli.init_app(app)
    if hops := loaded["TRUSTED_PROXIES"]:
        inner = _without_port(app.wsgi_app)
        app.wsgi_app = ProxyFix(inner, hops, hops, hops, 0, 0)  # type: ignore[method-assign]
    return app


def _without_port(inner: Any) -> Any:
    """Takes off what some proxies write around a client's address, "1.2.3.4:5678" and "[::1]:5678":
    with a new port each time it would be nobody's for bans and limits."""

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        written = str(environ.get("REMOTE_ADDR") or "")
        found = re.fullmatch(r"\[(.+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+", written)
        environ["REMOTE_ADDR"] = (found[1] or found[2]) if found else written
        return inner(environ, start_response)

    return called


def start() -> Flask:
    """The application for a server or the command line: what stops it is said in one line."""
    try:
        return create_app()
    except settings.Unusable as error:
        sys.exit(f"Rejoinder cannot start. {error}")


def _release() -> str:
    """Names what is deployed: pages cached before an upgrade differ from those after it."""
    digest = hashlib.sha256(metadata.version("rejoinder").encode())
    for folder in (TEMPLATES, Path(__file__).parent):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".html", ".css", ".js", ".py", ".mo"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
