"""Which language a page speaks: the URL's, else the site's. Never a header's: pages are cached."""

from collections.abc import Iterable

from babel import Locale, UnknownLocaleError
from flask import Flask, g, request
from flask_babel import Babel, get_locale

from ..settings import ROOT

AVAILABLE = ("en",)
RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")


def choose(site_language: str) -> None:
    """Fixes this request's language."""
    g.language = best([request.values.get("lang", ""), site_language])


def best(wanted: Iterable[str]) -> str:
    """The first of the wanted languages that there is, by its language alone if need be."""
    for tag in wanted:
        for candidate in (tag, tag.partition("-")[0]):
            if candidate in AVAILABLE:
                return candidate
    return AVAILABLE[0]


def direction(tag: str) -> str:
    return "rtl" if tag.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def is_language(tag: str) -> bool:
    """Whether this names a language that is known at all."""
    try:
        return bool(tag) and bool(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False


def init_app(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(ROOT / "service" / "translations")
    Babel(app, locale_selector=lambda: g.get("language", AVAILABLE[0]), default_timezone="UTC")
    app.context_processor(
        lambda: {"language": str(get_locale()).replace("_", "-"), "direction": direction}
    )
