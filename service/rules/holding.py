"""Rules that hold whatever the words are."""

from .draft import Draft, Fired, History, Policy

SENTENCES = {
    "every_reply": "This site holds every reply for a moderator.",
    "site_held": "A publisher has every new comment of this site wait for a moderator.",
    "article_held": "A moderator has every new comment under this article wait.",
    "unknown_article": "Nothing has been approved under this article before.",
}


def every_reply(draft: Draft, history: History, policy: Policy) -> Fired | None:
    return Fired("every_reply") if policy.holds_every_reply else None


def site_held(draft: Draft, history: History, policy: Policy) -> Fired | None:
    return Fired("site_held") if policy.is_site_held else None


def article_held(draft: Draft, history: History, policy: Policy) -> Fired | None:
    return Fired("article_held") if history.is_article_held else None


def unknown_article(draft: Draft, history: History, policy: Policy) -> Fired | None:
    """What the first poster sends about an article is only a hint (hard rule 10)."""
    return None if history.is_article_known else Fired("unknown_article")
