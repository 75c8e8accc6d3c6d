"""What each site chooses for itself: every setting once, with its default, one sentence and its bounds."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from . import urls
from .colours import WRITTEN, Look
from .settings import switch, text
from .spoken import AVAILABLE, is_spoken
from .status import Mode

MOST_LINES = 30
LONGEST_LINE = 300  # characters


class Group(StrEnum):
    """Where a setting stands on the site's page, in this order."""

    FORM = "form"
    WORDS = "words"
    THREAD = "thread"
    MODERATION = "moderation"
    LOOK = "look"
    KEPT = "kept"


class Form(StrEnum):
    """How a text is typed, and what it may be."""

    LINE = "line"
    LINES = "lines"
    URL = "url"
    COLOUR = "colour"
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


def _worded(label: str, sentence: str) -> Any:
    """Words of the form that the site writes itself; empty means ours, in the reader's language."""
    return _of_site(Group.WORDS, label, "", sentence, most=300)


@dataclass(frozen=True)
class SiteSettings:
    """What each site chooses for itself."""

    require_name: bool = _of_site(
        Group.FORM,
        "Name is required",
        True,
        "Whether a reply needs a name; without one it is “Anonymous”.",
    )
    require_email: bool = _of_site(
        Group.FORM, "E-mail is required", True, "Whether a reply needs an e-mail address."
    )
    ask_website: bool = _of_site(
        Group.FORM,
        "Ask for a website",
        True,
        "Whether the form has a field for the reader's website.",
    )
    comment_length: int = _of_site(
        Group.FORM, "Longest comment", 10_000, "Characters a comment may have.", 1, 50_000
    )
    consent: str = _of_site(
        Group.FORM,
        "Consent",
        "",
        "A sentence that readers have to tick before they post; empty asks for nothing.",
        most=500,
    )
    privacy_url: str = _of_site(
        Group.FORM,
        "Privacy policy",
        "",
        "The address of the site's privacy policy, linked under the form; empty links nothing.",
        most=500,
        form=Form.URL,
    )
    form_title: str = _worded(
        "Title of the form", "What stands over the form instead of “Leave a Reply”."
    )
    form_note: str = _worded(
        "Note above the form",
        "A sentence above the fields instead of “Your email address will not be published.”",
    )
    name_label: str = _worded("Label of the name", "What the field for the name is called.")
    name_hint: str = _worded("Help for the name", "A sentence under the label of the name.")
    email_label: str = _worded("Label of the e-mail", "What the field for the address is called.")
    email_hint: str = _worded("Help for the e-mail", "A sentence under the label of the address.")
    website_label: str = _worded(
        "Label of the website", "What the field for the website is called."
    )
    website_hint: str = _worded(
        "Help for the website", "A sentence under the label of the website."
    )
    comment_label: str = _worded(
        "Label of the comment", "What the field for the comment is called."
    )
    comment_hint: str = _worded(
        "Help for the comment", "A sentence under the label of the comment."
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
        "The order that readers meet first; the most liked first needs likes.",
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
        "For threads that are asked for none; the embed asks for its page’s, else the browser’s.",
        form=Form.LANGUAGE,
    )
    theme: str = _of_site(
        Group.LOOK,
        "Light or dark",
        "page",
        "Whether a thread is light, dark, or as the page around it.",
        one_of=("page", "light", "dark"),
    )
    text_colour: str = _of_site(
        Group.LOOK,
        "Colour of the text",
        "",
        "Like #222222, worn where it can be read; empty takes the page's own.",
        most=7,
        form=Form.COLOUR,
    )
    link_colour: str = _of_site(
        Group.LOOK,
        "Colour of links and buttons",
        "",
        "Like #0b57d0, worn where it can be read; empty takes the page's own.",
        most=7,
        form=Form.COLOUR,
    )
    ground_colour: str = _of_site(
        Group.LOOK,
        "Colour of the ground",
        "",
        "Like #ffffff; empty takes the page's own.",
        most=7,
        form=Form.COLOUR,
    )
    is_indexed: bool = _of_site(
        Group.LOOK,
        "In search engines",
        False,
        "Whether search engines may list the thread as a page of its own.",
    )
    refused_days: int = _of_site(
        Group.KEPT,
        "Days that refused texts are kept",
        90,
        "Days after which rejected and deleted comments and spam are blanked; 0 for never.",
        0,
        3_650,
    )
    network_days: int = _of_site(
        Group.KEPT,
        "Days that networks are kept",
        30,
        "Days after which the network that a comment came from is erased.",
        1,
        365,
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
    def look(self) -> Look:
        """Light or dark, and the colours."""
        return Look(self.theme, self.text_colour, self.link_colour, self.ground_colour)

    def problems(self) -> dict[str, str]:
        """What is allowed by itself and does not go together, by the setting that it is said
        beside: colours that cannot be read on each other, an order that nobody can make."""
        found = {f"{name}_colour": why for name, why in self.look.problems()}
        if self.sort == "liked" and not self.likes:
            found["sort"] = "is by likes, but readers may not like comments"
        return found

    @property
    def reasons(self) -> list[str]:
        """The public reasons, each by itself."""
        return [line.strip() for line in self.public_reasons.splitlines() if line.strip()]

    @classmethod
    def form_of(cls, name: str) -> Form:
        """How a setting's text is typed."""
        return next(Form(f.metadata["form"]) for f in fields(cls) if f.name == name)

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
        if cls.form_of(name) == Form.LINES:
            value = _lines(name, value)
        cls.read({name: value})
        if name == "language" and not is_spoken(value):  # earlier versions took any
            raise ValueError(f"{name} must be one of {', '.join(AVAILABLE)}")
        return value


def _lines(name: str, value: str) -> str:
    """A list without its empty lines; raises ValueError for one that is too long."""
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if len(lines) > MOST_LINES or max(map(len, lines), default=0) > LONGEST_LINE:
        raise ValueError(
            f"{name} must be at most {MOST_LINES} lines of {LONGEST_LINE} characters each"
        )
    return "\n".join(lines)


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
    if form == Form.COLOUR and value and not WRITTEN.fullmatch(value):
        raise ValueError(f"{name} must be a colour like #1a2b3c")
    if form == Form.URL and value:
        _check_url(name, value)


def _check_url(name: str, value: str) -> None:
    try:
        urls.canonical(value)
    except urls.NotAnAddress:
        raise ValueError(
            f"{name} must be an address like https://www.example.org/privacy"
        ) from None
