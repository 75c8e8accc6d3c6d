"""What each site chooses for itself: every setting once, with its default, one sentence and its bounds."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from .settings import switch, text
from .spoken import AVAILABLE, is_spoken
from .status import Mode


class Group(StrEnum):
    """Where a setting stands on the site's page, in this order."""

    FORM = "form"
    THREAD = "thread"
    MODERATION = "moderation"
    LOOK = "look"


class Form(StrEnum):
    """How a text is typed, and what it may be."""

    LINE = "line"
    LINES = "lines"
    LANGUAGE = "language"


def _of_site(
    group: Group,
    label: str,
    default: Any,
    sentence: str,
    least: int = 0,
    most: int = 0,
    one_of: tuple[str, ...] = (),
    form: Form = Form.LINE,
) -> Any:
    """A setting. `least` and `most` bound a number; of a text `most` is how long it may be."""
    limits = {"least": least, "most": most, "one_of": one_of, "form": form}
    return field(
        default=default, metadata={"group": group, "label": label, "sentence": sentence, **limits}
    )


@dataclass(frozen=True)
class SiteSettings:
    """What each site chooses for itself."""

    comment_length: int = _of_site(
        Group.FORM, "Longest comment", 10_000, "Characters a comment may have.", 1, 50_000
    )
    reply_depth: int = _of_site(
        Group.THREAD,
        "Depth of replies",
        4,
        "Replies are indented this deep; deeper ones are shown flat.",
        1,
        8,
    )
    sort: str = _of_site(
        Group.THREAD,
        "Order",
        "oldest",
        "The order that readers meet first.",
        one_of=("oldest", "newest", "liked"),
    )
    page_size: int = _of_site(
        Group.THREAD, "Comments on a page", 50, "Top-level comments on a page of a thread.", 5, 200
    )
    replies_shown: int = _of_site(
        Group.THREAD,
        "Replies shown",
        20,
        "Replies shown under a top-level comment before “show more replies”.",
        1,
        200,
    )
    likes: bool = _of_site(Group.THREAD, "Likes", False, "Whether readers may like comments.")
    reports: bool = _of_site(Group.THREAD, "Reports", True, "Whether readers may report comments.")
    report_threshold: int = _of_site(
        Group.THREAD,
        "Reports that count",
        3,
        "Reports that bring a published comment back to the moderators.",
        1,
        1_000,
    )
    reports_hold: bool = _of_site(
        Group.THREAD,
        "Hide what is reported",
        False,
        "Whether a comment with that many reports is hidden until a moderator has looked.",
    )
    edit_minutes: int = _of_site(
        Group.THREAD,
        "Minutes to edit",
        15,
        "Minutes in which readers may change what they posted; 0 for never.",
        0,
        10_080,
    )
    close_after_days: int = _of_site(
        Group.THREAD,
        "Close after days",
        0,
        "Days after an article's first comment until it takes no more; 0 for never.",
        0,
        36_500,
    )
    mode: str = _of_site(
        Group.MODERATION,
        "Held for a moderator",
        Mode.HOLD_EVERY.value,
        "What is held for a moderator: every comment, of authors not known by a confirmed address, "
        "or only what a rule catches.",
        one_of=tuple(mode.value for mode in Mode),
    )
    hold_all: bool = _of_site(
        Group.MODERATION,
        "Hold everything",
        False,
        "Whether every new comment waits for a moderator, whatever the rules say.",
    )
    public_reasons: str = _of_site(
        Group.MODERATION,
        "Public reasons",
        "It has nothing to do with the article.\n"
        "It attacks somebody.\n"
        "It advertises something.\n"
        "It shows what is somebody’s own.\n"
        "It says what others have said here already.",
        "Reasons for turning a comment down that moderators choose from and authors may read, "
        "one a line.",
        most=9_000,
        form=Form.LINES,
    )
    undo_minutes: int = _of_site(
        Group.MODERATION,
        "Minutes to undo",
        10,
        "Minutes for which a letter about a decision waits, so that an undo still stops it.",
        0,
        1_440,
    )
    mail_links: bool = _of_site(
        Group.MODERATION,
        "Links that decide",
        True,
        "Whether letters to moderators hold links that decide on a comment.",
    )
    language: str = _of_site(
        Group.LOOK,
        "Language",
        "en",
        "The language readers meet when a page's address names none.",
        form=Form.LANGUAGE,
    )
    is_indexed: bool = _of_site(
        Group.LOOK,
        "In search engines",
        False,
        "Whether search engines may list the thread as a page of its own.",
    )

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "SiteSettings":
        """The stored choices over the defaults; raises ValueError for one that is not allowed."""
        known = {f.name: f for f in fields(cls)}
        for name, value in stored.items():
            if name not in known or known[name].default is MISSING:
                raise ValueError(f"there is no site setting {name}")
            _check(name, value, known[name])
        return cls(**stored)

    def closes_at(self, began_at: datetime) -> datetime | None:
        """When an article takes no more comments by its age. Takes when it began."""
        days = self.close_after_days
        return began_at + timedelta(days=days) if days else None

    @property
    def reasons(self) -> list[str]:
        """The public reasons, each by itself."""
        return [line.strip() for line in self.public_reasons.splitlines() if line.strip()]

    @classmethod
    def parse(cls, name: str, written: str) -> Any:
        """A setting's value as an operator writes it; raises ValueError saying what it may be."""
        kinds = {f.name: type(f.default) for f in fields(cls)}
        if name not in kinds:
            raise ValueError(f"there is no site setting {name}; there are {', '.join(kinds)}")
        readers: dict[type, Callable[[str], Any]] = {int: int, bool: switch, str: text}
        words = {int: "a number", bool: "on or off", str: "text"}
        try:
            value = readers[kinds[name]](written)
        except (ValueError, KeyError):
            raise ValueError(f"{name} must be {words[kinds[name]]}") from None
        cls.read({name: value})
        if name == "language" and not is_spoken(value):  # earlier versions took any
            raise ValueError(f"{name} must be one of {', '.join(AVAILABLE)}")
        return value


def _check(name: str, value: Any, known: Field[Any]) -> None:
    """Raises ValueError for a value that this setting does not take; its sentence says why."""
    limits = known.metadata
    least, most, one_of = limits["least"], limits["most"], limits["one_of"]
    if isinstance(known.default, str):
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text")
        if most and len(value) > most:
            raise ValueError(f"{name} must be at most {most} characters long")
        _check_form(name, value, limits["form"])
    elif most and not least <= int(value) <= most:
        raise ValueError(f"{name} must be from {least} to {most}")
    if one_of and value not in one_of:
        raise ValueError(f"{name} must be one of {', '.join(one_of)}")


def _check_form(name: str, value: str, form: Form) -> None:
    if form == Form.LINE and not value.isprintable():
        raise ValueError(f"{name} must be one line")
