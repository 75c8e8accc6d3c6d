"""Which language a page speaks: the URL's, else the site's. Never a header's: pages are cached."""

import math
from datetime import datetime, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, get_datetime_format
from flask import Flask, g, request
from flask_babel import Babel, format_timedelta, get_locale
from flask_babel import gettext as _

from ..settings import ROOT
from ..spoken import AVAILABLE, best
from ..text import ANONYMOUS

__all__ = [
    "AVAILABLE",
    "absolute",
    "best",
    "called",
    "choose",
    "direction",
    "in_time",
    "init_app",
    "is_language",
]

RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")


def choose(*otherwise: str) -> None:
    """Fixes this request's language: the URL's, else the first of the given ones that there is."""
    g.language = best([request.values.get("lang", ""), *otherwise])


def direction(tag: str) -> str:
    return "rtl" if tag.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def is_language(tag: str) -> bool:
    """Whether this names a language that is known at all."""
    try:
        return bool(tag) and bool(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False


def absolute(at: datetime) -> str:
    """A moment, in UTC, as CLDR writes it in this request's language: a date, a time of 24 hours."""
    locale = get_locale() or Locale("en")
    if locale.language == "en":
        locale = Locale("en", "GB")  # day before month: CLDR's plain English is American
    day, hour = (format_skeleton(fields, at, locale=locale) for fields in ("yMMMd", "Hm"))
    return str(get_datetime_format("medium", locale)).format(hour, day)


def called(name: str) -> str:
    """A comment's name as readers meet it: who gave none has one in their language."""
    return _("Anonymous") if name == ANONYMOUS else name


def in_time(seconds: int) -> str:
    """How soon something is, such as "in 40 seconds" or "in 5 minutes", never sooner than it is."""
    if seconds > 90:
        seconds = math.ceil(seconds / 60) * 60
    return str(format_timedelta(timedelta(seconds=seconds), threshold=1.5, add_direction=True))


def init_app(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(ROOT / "service" / "translations")
    Babel(app, locale_selector=_locale, default_timezone="UTC")
    app.add_template_filter(absolute)
    app.add_template_filter(called)
    app.context_processor(
        lambda: {"language": str(get_locale()).replace("_", "-"), "direction": direction}
    )


def _locale() -> str:
    return str(g.get("language", AVAILABLE[0])).replace("-", "_")
