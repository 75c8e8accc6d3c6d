"""The languages that readers are spoken to in, and which of them somebody means."""

import re
from collections.abc import Iterable

AVAILABLE = (
    "en", "fr", "de", "es", "pt", "it", "nl", "pl", "ko", "ja", "zh-Hans", "ar", "he",
)  # fmt: skip
# A language has one catalogue, whatever the country; "iw" is what Hebrew was called before 1989.
BY_NAME = {tag.partition("-")[0]: tag for tag in AVAILABLE} | {"iw": "he"}
# Who reads traditional Chinese characters is not given simplified ones.
TRADITIONAL = {"hant", "tw", "hk", "mo"}


def best(wanted: Iterable[str]) -> str:
    """The first of the wanted languages that there is, by its language alone if need be."""
    return next(filter(None, map(_spoken, wanted)), AVAILABLE[0])


def is_spoken(tag: str) -> bool:
    """Whether a tag names a language that readers are spoken to in."""
    return bool(_spoken(tag))


def _spoken(tag: str) -> str:
    """The available language that is meant by a tag such as "pt-BR" or "zh_CN", or ""."""
    name, *more = re.split("[-_]", tag.lower())
    if name == "zh" and "hans" not in more and TRADITIONAL.intersection(more):
        return ""
    return BY_NAME.get(name, "")
