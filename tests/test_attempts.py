"""Who guesses waits longer and longer; the rightful person does not wait for them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from service import attempts, database
from service.models import Attempt

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MO, INA = b"mo", b"ina"
HOME, CAFE = "192.0.2.0/24", "203.0.113.0/24"
LAPTOP = attempts.KNOWN + "laptop"


@pytest.fixture
def take(app):
    """Tries, as somebody who fails; gives the seconds to wait, 0 if the try was let through."""

    def attempt(account=MO, place=HOME, after=0.0):
        with app.app_context(), database.writing() as session:
            at = START + timedelta(seconds=after)
            return attempts.take(session, account, place, at)

    return attempt


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, 0),
        (4, 0),
        (5, 30),
        (6, 60),
        (7, 120),
        (8, 240),
        (9, 480),
        (10, 900),
        (11, 900),
        (999, 900),
    ],
)
def test_the_wait_grows_with_each_failure_up_to_a_quarter_of_an_hour(failures, seconds):
    assert attempts.delay(failures).total_seconds() == seconds


def test_five_tries_are_free_and_each_further_one_waits_twice_as_long(take):
    assert [take().wait for _ in range(5)] == [0] * 5
    assert take().wait == 30
    assert take(after=29.5).wait == 1
    assert take(after=30) == attempts.Try(0, 60)
    assert take(after=31).wait == 59
    assert take(after=90) == attempts.Try(0, 120)


def test_a_try_that_had_to_wait_counts_for_nothing(take):
    for _ in range(5):
        take()
    assert {take(after=second).wait for second in range(25)} == set(range(6, 31))
    assert take(after=30).wait == 0


def test_one_place_s_failures_make_no_other_wait(take):
    for _ in range(12):
        take()
    assert take(place=CAFE).wait == 0
    assert take(account=INA).wait == 0
    assert take().wait > 0


def test_a_try_that_was_right_begins_anew_there_and_nowhere_else(take, app):
    for place in (HOME, CAFE):
        for _ in range(5):
            take(place=place)
    with app.app_context(), database.writing() as session:
        attempts.forgive(session, MO, HOME)
    assert take().wait == 0
    assert take(place=CAFE).wait == 30


def test_in_a_storm_of_many_networks_each_has_fewer_tries_and_none_is_shut_out(take):
    for network in range(5):
        for _ in range(4):
            take(place=f"198.51.{network}.0/24")
    assert [take(place=CAFE).wait for _ in range(3)] == [0, 0, 30]
    assert take(place="a network that nobody has come from").wait == 0


def test_a_browser_that_has_signed_in_before_knows_no_storm_and_makes_none(take):
    for network in range(30):
        take(place=f"198.51.{network}.0/24")
    assert [take(place=LAPTOP).wait for _ in range(6)] == [0] * 5 + [30]
    for _ in range(9):
        take(account=INA, place=LAPTOP, after=3_600)
    assert [take(account=INA, place=CAFE, after=3_600).wait for _ in range(5)] == [0] * 5


def test_what_is_a_day_old_is_forgotten_and_its_row_gone(take, app):
    for network in range(9):
        take(place=f"198.51.{network}.0/24")
    for _ in range(12):
        take()
    assert take(after=24 * 3600 + 1) == attempts.Try(0, 0)
    with app.app_context():
        assert database.session().scalar(select(func.count()).select_from(Attempt)) == 1
