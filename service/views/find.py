"""A filter in words: what may be chosen, what is set, how each of it is taken away again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField

from .. import urls
from ..accounts import Moderator
from ..filters import Filter
from ..rules import SENTENCES
from .forms import REPORT_REASONS, trimmed

SORTS = {
    "oldest": _l("oldest first"),
    "newest": _l("newest first"),
    "reported": _l("most reported first"),
    "riskiest": _l("riskiest first"),
}
# What is set, by its name in the URL.
SET = {
    "q": _l("text: %(what)s"),
    "name": _l("name: %(what)s"),
    "website": _l("website: %(what)s"),
    "article": _l("article: %(what)s"),
    "network": _l("network: %(what)s"),
    "reason": _l("reported: %(what)s"),
    "rule": _l("rule: %(what)s"),
    "language": _l("language: %(what)s"),
    "since": _l("since %(what)s"),
    "until": _l("until %(what)s"),
    "moderator": _l("decided last by %(what)s"),
    "links": _l("with links"),
    "first": _l("first comment of its author"),
    "spam": _l("likely spam"),
    "sort": _l("%(what)s"),
}


@dataclass(frozen=True)
class Chip:
    """One thing that is set, in words, and the list without it."""

    said: str
    without: str


class AddressForm(FlaskForm):
    """An exact address, or, for the next page, the authors that it was found to be of."""

    address = EmailField(filters=[trimmed])
    authors = HiddenField()
    after = HiddenField()


def rules() -> dict[str, str]:
    """The rules' sentences, with a gap where each names what it found."""
    return {rule: _(sentence) % {"matched": "…"} for rule, sentence in SENTENCES.items()}


def chips(asked: Filter, colleagues: Sequence[Moderator]) -> list[Chip]:
    words = asked.words()
    names = {str(one.id): one.name for one in colleagues}
    said: dict[str, Mapping[str, object]] = {
        "reason": {str(reason): label for reason, label in REPORT_REASONS.items()},
        "rule": rules(),
        "moderator": names,
        "sort": SORTS,
    }
    found = []
    for word, value in words.items():
        if word in SET:
            rest = {other: kept for other, kept in words.items() if other != word}
            what = said.get(word, {}).get(value, value)
            href = f"{url_for('.queue')}?{urls.query(**rest)}"
            found.append(Chip(str(SET[word]) % {"what": what}, href))
    return found
