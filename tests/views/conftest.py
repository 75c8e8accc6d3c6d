"""Who stands before the doors: Mo at the desk, colleagues, and a reply of Rita's that waits."""

from collections.abc import Callable

import pytest
from cast import add_moderator, add_site, reply, sign_in, stored
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture
def daily(app: Flask) -> int:
    return add_site(app)


@pytest.fixture
def mo(app: Flask, client: FlaskClient, daily: int) -> FlaskClient:
    """Mo, who moderates The Daily, signed in."""
    return sign_in(app, client, add_moderator(app))


@pytest.fixture
def another(app: Flask, daily: int) -> Callable[..., FlaskClient]:
    """Signs one more moderator in, in a browser of their own."""

    def enter(name: str, **membership: object) -> FlaskClient:
        moderator_id = add_moderator(app, f"{name}@daily.example", **membership)
        return sign_in(app, app.test_client(), moderator_id)

    return enter


@pytest.fixture
def waiting(app: Flask, daily: int) -> str:
    """A reply of Rita's in the queue."""
    assert reply(app, app.test_client()).status_code == 303
    return stored(app)[-1].public_id
