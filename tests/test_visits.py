"""Sessions: what is kept of a browser, and how they end."""

from datetime import timedelta

import pytest
from cast import add_moderator, add_site
from sqlalchemy import select

from service import database, visits
from service.models import Visit, now

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/140.0", "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8.9", ""),
        ("", ""),
    ],
)
def test_only_a_browser_s_family_and_system_are_kept(agent, said):
    assert visits.browser_of(agent) == said


def test_visits_end_one_by_one_or_all_but_one_and_only_one_s_own(app):
    add_site(app)
    mo, ina = add_moderator(app), add_moderator(app, "ina@daily.example")
    with app.app_context(), database.writing() as session:
        secrets = [visits.start(session, mo, "Firefox", "192.0.2.0/24") for _ in range(4)]
        visits.start(session, ina, "Chrome", "")
        session.flush()
        first, *others = visits.going_on(session, mo)
        assert {visit.digest for visit in (first, *others)}.isdisjoint(secrets)
        assert visits.end(session, ina, first.id) is None
        assert visits.end(session, mo, first.id).id == first.id
        assert visits.end(session, mo, first.id) is None
        assert visits.end_all(session, mo, but=others[0].id) == 2
        assert [visit.id for visit in visits.going_on(session, mo)] == [others[0].id]
        assert len(visits.going_on(session, ina)) == 1


def test_a_visit_that_ended_long_ago_is_forgotten(app):
    add_site(app)
    mo = add_moderator(app)
    with app.app_context(), database.writing() as session:
        for days in (0, 89, 91):
            visits.start(session, mo, "Firefox", "")
            session.flush()
            newest = session.scalars(select(Visit).order_by(Visit.id.desc())).first()
            newest.ended_at = now() - timedelta(days=days)
        visits.start(session, mo, "Firefox", "")
        assert len(session.scalars(select(Visit)).all()) == 3
