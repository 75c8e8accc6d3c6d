"""What is served to browsers: the application, and a publisher's website on another origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask


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
