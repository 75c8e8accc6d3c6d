"""Rules that hold whatever the words are."""

from ..status import Mode
from .rule import Case, Number, Rule

# A wave is at least so many comments in so many minutes, and so many times what the site gets in
# them when it gets many. 20 in 10 minutes is what a person can still read as it comes in, so that a
# new site with 3 an hour has no wave. What is usual holds evening peaks already, so that five
# times as much is no ordinary evening; a campaign by machines has tens of times as much.
WAVE_MINUTES, WAVE_LEAST, WAVE_TIMES = 10, 20, 5


def every_reply(case: Case) -> str | None:
    return "" if case.policy.mode == Mode.HOLD_EVERY else None


def newcomer(case: Case) -> str | None:
    """A typed address proves nothing: only a comment that carries proof itself is of somebody whose
    comments were approved before (hard rule 1)."""
    is_known = case.history.is_proved and case.history.approved_before > 0
    return "" if case.policy.mode == Mode.HOLD_NEW and not is_known else None


def site_held(case: Case) -> str | None:
    return "" if case.policy.is_site_held else None


def article_held(case: Case) -> str | None:
    return "" if case.history.is_article_held else None


def unknown_article(case: Case) -> str | None:
    """What the first poster sends about an article is only a hint (hard rule 10)."""
    return None if case.history.is_article_known else ""


def wave(case: Case) -> str | None:
    return "" if case.history.is_wave else None


RULES = (
    Rule(
        "every_reply",
        every_reply,
        says="This site holds every reply for a moderator.",
        does="Holds every reply, where the site chose so.",
        is_fixed=True,
        weight=0,
        is_alike=True,
    ),
    Rule(
        "newcomer",
        newcomer,
        says="Its author is not known here: no proved comment of theirs was approved before.",
        does="Holds whoever is not known by a confirmed address, where the site chose so.",
        is_fixed=True,
        weight=0,
        is_alike=True,
    ),
    Rule(
        "site_held",
        site_held,
        says="A publisher has every new comment of this site wait for a moderator.",
        does="Holds everything while a publisher has the whole site held.",
        is_fixed=True,
        weight=0,
        is_alike=True,
    ),
    Rule(
        "article_held",
        article_held,
        says="A moderator has every new comment under this article wait.",
        does="Holds everything under an article while a moderator has it held.",
        is_fixed=True,
        weight=0,
        is_alike=True,
    ),
    Rule(
        "unknown_article",
        unknown_article,
        says="Nothing has been approved under this article before.",
        does="Holds the comments under an article until a moderator has approved one there.",
        is_fixed=True,
        weight=5,
        is_alike=True,
    ),
    Rule(
        "wave",
        wave,
        says="It came in a wave: far more comments than usual at that time.",
        does="Holds everything while %(least)s comments or more come in within 10 minutes, and"
        " %(times)s times what is usual.",
        numbers=(
            Number("least", WAVE_LEAST, 5, 1_000, "Comments within 10 minutes, at least"),
            Number("times", WAVE_TIMES, 2, 100, "Times what the site gets when it gets many"),
        ),
        weight=5,
    ),
)
