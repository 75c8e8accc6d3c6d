"""`flask waves`: since when, until when, how many and where."""

from datetime import datetime, timedelta
from wave import arrive

import pytest
from cast import SITE, add_site
from flask.cli import FlaskGroup

from service import database
from service.models import Article, Wave

AT = datetime.fromisoformat("2026-03-01T12:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def flask(app):
    def run(*words):
        return app.test_cli_runner().invoke(args=["waves", *words])

    return run


def test_its_waves_are_listed_newest_first(app, flask):
    site_id = add_site(app)
    add_site(app, "weekly", "https://weekly.example")
    with app.app_context(), database.writing() as session:
        session.add(Article(site_id=site_id, url="https://daily.example/a"))
        session.flush()
        for number in range(3):
            arrive(session, site_id, 1, AT + timedelta(minutes=number))
        over = {"began_at": AT, "ended_at": AT + HOUR, "seen_at": AT, "usual": 1, "peak": 3}
        session.add(Wave(site_id=site_id, article_id=1, **over))
        session.add(Wave(site_id=site_id, **over | {"seen_at": AT + HOUR}))
        session.add(Wave(site_id=site_id, began_at=AT + 2 * HOUR, usual=1, peak=3))
    said = flask(SITE)
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        "2026-03-01 14:00 UTC  is on  0 came  wave 3: all of The Daily",
        "2026-03-01 12:00 UTC  over 2026-03-01 13:00 UTC, said to be none  3 came"
        "  wave 2: all of The Daily",
        "2026-03-01 12:00 UTC  over 2026-03-01 13:00 UTC  3 came  wave 1: https://daily.example/a",
    ]
    assert flask("weekly").stdout == "There was no wave on weekly yet.\n"


@pytest.mark.parametrize(("words", "status"), [(("nowhere",), 1), ((), 2)])
def test_what_cannot_be_listed_is_said(flask, words, status):
    said = flask(*words)
    assert (said.exit_code, said.stdout) == (status, "")


def test_the_commands_that_are_listed_are_ours(app):
    said = app.test_cli_runner().invoke(FlaskGroup(create_app=lambda: app), ["--help"])
    listed = {line.split()[0] for line in said.output.splitlines() if line.startswith("  ")}
    assert "waves" in listed
    assert "limiter" not in listed
