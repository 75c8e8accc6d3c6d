"""The second step: codes of an app and recovery codes, each good once."""

import pytest
from cast import add_moderator, add_site, totp

from service import database, second_step
from service.accounts import Moderator
from service.vault import Vault


@pytest.fixture
def vault(app):
    return app.extensions["vault"]


@pytest.fixture
def at(monkeypatch):
    """The moment that it is, in seconds; a whole number of half minutes."""
    now = 1_800_000_000 // 30 * 30
    monkeypatch.setattr(second_step, "clock", lambda: now)
    return now


def test_a_code_is_known_for_a_minute_and_a_half_and_not_if_it_was_used(vault, at):
    secret, now = second_step.new_secret(vault), at // 30
    key = second_step.spelt(vault, secret)
    for steps, found in ((-2, None), (-1, now - 1), (0, now), (1, now + 1), (2, None)):
        assert second_step.counter(vault, secret, totp(key, steps), None) == found
        used = second_step.counter(vault, secret, totp(key, steps), now)
        assert used == (found if steps == 1 else None)
    assert second_step.counter(vault, secret, f" {totp(key)[:3]} {totp(key)[3:]} ", None) == now
    for typed in ("", "12345", "１２３４５６", "abcdef", "1" * 40):
        assert second_step.counter(vault, secret, typed, None) is None


def test_two_at_once_with_one_code_are_one(app, vault):
    """Both have looked at it, and only then is it used."""
    add_site(app)
    mo = add_moderator(app)
    for is_good in (True, False):
        with app.app_context(), database.writing() as session:
            assert second_step.use(session, mo, 7) is is_good
    with app.app_context(), database.writing() as session:
        codes = second_step.new_codes(session, vault, mo)
        session.flush()
        assert second_step.use_code(session, vault, mo, codes[0])
        assert not second_step.use_code(session, vault, mo, codes[0])
        assert second_step.codes_left(session, mo) == 9


def test_a_recovery_code_is_its_owner_s(app, vault):
    add_site(app)
    mo, ina = add_moderator(app), add_moderator(app, "ina@daily.example")
    with app.app_context(), database.writing() as session:
        [code, *_] = second_step.new_codes(session, vault, mo)
        session.flush()
        assert not second_step.use_code(session, vault, ina, code)
        assert not second_step.use_code(session, vault, mo, "")


def test_a_secret_is_no_use_without_the_key_that_it_was_kept_with(vault):
    secret = second_step.new_secret(vault)
    other = Vault([b"x" * 32], b"y" * 32)
    assert second_step.spelt(other, secret) != second_step.spelt(vault, secret)


def test_the_app_s_secret_goes_when_it_is_switched_off(app, vault):
    add_site(app)
    mo = add_moderator(app)
    with app.app_context(), database.writing() as session:
        second_step.switch_on(session, mo, second_step.new_secret(vault), 1)
        second_step.new_codes(session, vault, mo)
        assert second_step.with_one(session, [mo]) == {mo}
        assert second_step.switch_off(session, mo)
        assert not second_step.switch_off(session, mo)
        assert session.get_one(Moderator, mo).totp_secret is None
        assert second_step.codes_left(session, mo) == 0
