"""Passkeys: that each challenge is answered once."""

import pytest
from sqlalchemy import func, select

from service import database, passkeys
from service.models import SpentChallenge, now


def spend(app, challenge):
    with app.app_context(), database.writing() as session:
        passkeys.spend(session, challenge)


def test_a_challenge_is_spent_once_and_forgotten_when_it_is_too_old_anyway(app, monkeypatch):
    spend(app, "one")
    spend(app, "two")
    with pytest.raises(passkeys.Refused):
        spend(app, "one")
    later = now() + 3 * passkeys.CEREMONY
    monkeypatch.setattr(passkeys, "now", lambda: later)
    spend(app, "three")
    with app.app_context():
        assert database.session().scalar(select(func.count()).select_from(SpentChallenge)) == 1
