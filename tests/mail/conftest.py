"""An application that sends mail to a real server."""

import pytest
from cast import add_moderator, add_site
from mailserver import mail_server


@pytest.fixture
def mailbox():
    with mail_server() as started:
        yield started


@pytest.fixture
def app(make_app, mailbox):
    return make_app(
        MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}",
        MAIL_FROM="comments@service.example",
        BASE_URL="https://comments.example",
    )


@pytest.fixture
def mo(app):
    add_site(app)
    return add_moderator(app)
