"""What the reader's doors have to do with screening: the rules as they run here, and what is said to
whoever is asked for another wording."""

from typing import Any

from flask import current_app
from flask_babel import gettext as _

from .. import comments, database, rules, screening
from ..models import Site
from ..rules import Policy


def policy_here(site: Site) -> Policy:
    """What the rules on a site are, as this installation runs them."""
    least_seconds = current_app.config["FORM_MIN_SECONDS"]
    return screening.policy_of(database.session(), site, least_seconds)


def score_here(site: Site, name: str, website: str, typed: str) -> screening.Score | None:
    """What the site's filter says of a comment, if it has learned enough."""
    known = current_app.extensions["vault"]
    return screening.score(database.session(), known, site.id, name, website, typed)


def ask_for_another(site: Site, form: Any, asked: comments.AnotherWording) -> Any:
    """A form whose words a rule would rather not have: says which, and puts on record that it did.
    Takes and gives a form with the field `comment`."""
    with database.writing() as session:
        screening.refused(session, site.id, asked.verdict, asked.known)
    found = [
        words
        for fired in asked.verdict.asks
        for words in rules.quotations(fired.rule, fired.matched)
    ]
    form.comment.errors = [
        _(
            "This site takes no comments with “%(words)s”. Your text is kept: say it in other words.",
            words=", ".join(found),
        )
    ]
    return form
