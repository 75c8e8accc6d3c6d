"""Rita writes on The Daily, and what the rules said of it is looked at."""

import dataclasses

import pytest
from cast import SENT, add_site

from service import comments, database, text
from service.models import Site
from service.rules import Draft, Policy


@pytest.fixture
def site(app):
    return add_site(app)


@pytest.fixture
def submit(app, site):
    def submit(said, policy=Policy(), at=None, **changes):  # noqa: B008 (frozen)
        told = {"text": said, "html": str(text.render(said)), "draft": Draft("Rita", said)}
        sent = dataclasses.replace(SENT, **told, **changes)
        with app.app_context(), database.writing() as session:
            found = session.get_one(Site, site)
            vault = app.extensions["vault"]
            comment = comments.submit(session, vault, found, sent, policy, at)
            return [reason.rule for reason in comment.reasons], comment.id

    return submit
