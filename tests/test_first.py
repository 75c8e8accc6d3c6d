"""The first admin's link: once, only while there is none, and no invitation."""

import pytest
from cast import add_moderator, add_site
from sqlalchemy import select, update

from service import accounts, database, first, people
from service.models import Invitation, now
from service.status import Role


@pytest.fixture
def writing(app):
    with app.app_context(), database.writing() as session:
        yield session


def enter(session, secret, email="ada@daily.example"):
    return first.enter(session, secret, email, "Ada", "hashed", "192.0.2.0/24")


def test_it_makes_an_admin_and_is_used_up(writing):
    secret = first.make_link(writing)
    admin = enter(writing, secret)
    assert (admin.name, admin.email, admin.is_admin) == ("Ada", "ada@daily.example", True)
    assert not first.is_open(writing, secret)
    with pytest.raises(people.Unknown):
        enter(writing, secret, "eve@daily.example")


def test_a_new_one_ends_the_one_before(writing):
    before, after = first.make_link(writing), first.make_link(writing)
    assert (first.is_open(writing, before), first.is_open(writing, after)) == (False, True)


def test_it_ends_after_seven_days(writing):
    secret = first.make_link(writing)
    writing.execute(update(Invitation).values(expires_at=now()))
    assert not first.is_open(writing, secret)


def test_where_there_is_an_admin_none_is_made_and_none_is_good(app):
    with app.app_context(), database.writing() as session:
        secret = first.make_link(session)
    add_moderator(app, "ada@daily.example", role=Role.ADMIN)
    with app.app_context(), database.writing() as session:
        assert first.make_link(session) is None
        assert not first.is_open(session, secret)
        with pytest.raises(people.Unknown):
            enter(session, secret, "eve@daily.example")


def test_none_from_before_there_was_an_admin_is_good_again_when_they_are_gone(app):
    with app.app_context(), database.writing() as session:
        secret = first.make_link(session)
    add_moderator(app, "ada@daily.example", role=Role.ADMIN)
    with app.app_context(), database.writing() as session:
        session.execute(update(accounts.Membership).values(removed_at=now()))
        assert not first.is_open(session, secret)
        with pytest.raises(people.Unknown):
            enter(session, secret, "eve@daily.example")
        assert first.is_open(session, first.make_link(session))


def test_an_admin_who_was_removed_is_none(app):
    add_moderator(app, "ada@daily.example", role=Role.ADMIN)
    with app.app_context(), database.writing() as session:
        session.execute(update(accounts.Membership).values(removed_at=now()))
        assert first.is_needed(session)


def test_nobody_who_has_an_account_is_made_admin_by_it(app):
    add_site(app)
    add_moderator(app, "mo@daily.example")
    with app.app_context(), database.writing() as session:
        secret = first.make_link(session)
        with pytest.raises(people.Taken):
            enter(session, secret, "mo@daily.example")


def test_it_is_no_invitation(writing):
    secret = first.make_link(writing)
    assert people.invitation(writing, secret) is None
    with pytest.raises(people.Unknown):
        people.join(writing, secret, "Eve", "hashed", None, "")
    admin = enter(writing, secret)
    assert people.invitations(writing, admin) == []


def test_an_invitation_is_no_such_link(writing):
    invited = people.invite(writing, people.OPERATOR, "ina@daily.example", Role.ADMIN, None)
    assert not first.is_open(writing, invited)
    with pytest.raises(people.Unknown):
        enter(writing, invited)
    assert writing.scalars(select(accounts.Moderator)).all() == []
