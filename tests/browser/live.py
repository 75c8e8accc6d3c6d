"""What is served to browsers: the application, and a publisher's website on another origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cast import sign_in
from flask import Flask
from playwright.sync_api import BrowserContext

from service.accounts import DeskSessions
from service.views.accounts.browsers import KNOWN_COOKIE


@dataclass
class Live:
    """The application as it is served: its origin, and itself for looking behind the scenes."""

    url: str
    app: Flask


@dataclass
class Publisher:
    """A publisher's website: `pages` may change while it is served."""

    url: str
    pages: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def write(self, path: str, html: str, headers: Mapping[str, str] | None = None) -> str:
        """Puts a page at a path, with its own headers if given; returns the page's URL."""
        self.pages[path] = (html, headers or {})
        return self.url + path


def sign_in_browser(live: Live, context: BrowserContext, moderator_id: int) -> None:
    """Signs a moderator in, in a browser, without its pages: it is given the cookies that a test's
    client got by a link. Tests of signing in itself go through the pages."""
    client = sign_in(live.app, live.app.test_client(), moderator_id)
    for name in (live.app.config["SESSION_COOKIE_NAME"], KNOWN_COOKIE):
        cookie = client.get_cookie(name, path=DeskSessions.PATH)
        assert cookie is not None, name
        told: Any = {"name": name, "value": cookie.value, "path": DeskSessions.PATH}
        context.add_cookies([told | {"domain": "127.0.0.1", "httpOnly": True, "sameSite": "Lax"}])
