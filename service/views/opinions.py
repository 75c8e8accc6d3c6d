"""Asks services outside, where a site has them asked: before any transaction begins."""

from dataclasses import replace
from typing import Any

from flask import current_app

from .. import database, outside
from ..comments import Submission
from ..models import Comment, Site
from ..rules import Draft


def ask(site: Site, sent: Submission) -> Draft:
    """The draft of a new comment, with what was said of it."""
    told = {"url": sent.url, "network": sent.network, "client": sent.client, "email": sent.email}
    return _asked(site, sent.draft, told)


def ask_again(site: Site, comment: Comment, draft: Draft) -> Draft:
    """The draft of a comment that its author changes. Where it comes from now is not looked at."""
    told = {"url": comment.article.url, "network": comment.network, "occasion": "edited"}
    return _asked(site, draft, told)


def _asked(site: Site, draft: Draft, told: dict[str, Any]) -> Draft:
    choice = outside.of(current_app.extensions["vault"], site)
    if not choice.is_any:
        return draft
    question = outside.Question(
        site=site.key,
        blog=site.origins[0],
        name=draft.name,
        website=draft.website,
        text=draft.text,
        language=draft.language,
        links=draft.links,
        **told,
    )
    database.forget()  # this may take seconds: no reading stays open meanwhile
    said = outside.ask(current_app.extensions["outbound"], choice, question)
    return replace(draft, opinions=said)
