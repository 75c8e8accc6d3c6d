"""Who decides about whom, and that the last admin stays."""

import threading
from datetime import timedelta

import pytest
from cast import add_moderator, add_site
from sqlalchemy import select

from service import accounts, database, people, second_step, visits
from service.accounts import Membership, Moderator
from service.models import Event, Invitation, Site, now
from service.status import Role

MODERATOR, PUBLISHER, ADMIN = Role.MODERATOR, Role.PUBLISHER, Role.ADMIN


class Newsroom:
    """The Daily and The Weekly, with people of every role."""

    def __init__(self, app):
        self.app = app
        self.daily, self.weekly = add_site(app), add_site(app, "weekly", "https://weekly.example")
        self.ids = {
            "ada": add_moderator(app, "ada@daily.example", None, ADMIN),
            "pia": add_moderator(app, "pia@daily.example", "daily", PUBLISHER),
            "paul": add_moderator(app, "paul@daily.example", "daily", PUBLISHER),
            "mo": add_moderator(app),
            "wim": add_moderator(app, "wim@weekly.example", "weekly"),
        }

    def person(self, session, name):
        return session.get(Moderator, self.ids[name], populate_existing=True)

    def membership(self, session, name):
        mine = select(Membership).where(Membership.moderator_id == self.ids[name])
        return session.scalars(mine.order_by(Membership.id)).first()

    def act(self, verb, by, about, *words):
        """One verb about somebody's role, by somebody."""
        with self.app.app_context(), database.writing() as session:
            who = self.person(session, by) if by in self.ids else by
            return verb(session, who, self.membership(session, about).id, *words)

    def invite(self, by, role, key, email="new@daily.example"):
        with self.app.app_context(), database.writing() as session:
            site = session.scalar(select(Site).where(Site.key == key)) if key else None
            return people.invite(session, self.person(session, by), email, role, site)

    def join(self, secret, name="Nele", signed_in=None):
        with self.app.app_context(), database.writing() as session:
            who = self.person(session, signed_in) if signed_in else None
            return people.join(session, secret, name, "hash", who, "").id

    def roles(self, name):
        with self.app.app_context():
            held = self.person(database.session(), name).memberships
            return sorted((m.role, m.site_id) for m in held)


@pytest.fixture
def newsroom(app):
    return Newsroom(app)


CHANGES = [
    # who, about whom, the new role, whether it is done
    ("ada", "mo", PUBLISHER, True),
    ("ada", "mo", ADMIN, True),
    ("ada", "pia", MODERATOR, True),
    ("pia", "mo", PUBLISHER, True),
    ("pia", "paul", MODERATOR, True),
    ("pia", "mo", ADMIN, False),
    ("pia", "pia", ADMIN, False),
    ("pia", "pia", MODERATOR, True),
    ("pia", "ada", MODERATOR, False),
    ("pia", "wim", PUBLISHER, False),
    ("mo", "mo", PUBLISHER, False),
    ("mo", "paul", MODERATOR, False),
    ("wim", "mo", MODERATOR, False),
    ("the operator", "mo", ADMIN, True),
]


@pytest.mark.parametrize(("by", "about", "role", "is_done"), CHANGES)
def test_nobody_gives_a_role_above_their_own_or_where_they_have_none(
    newsroom, by, about, role, is_done
):
    before = newsroom.roles(about)
    if is_done:
        newsroom.act(people.change, by, about, role)
        assert [held for held, _ in newsroom.roles(about)] == [role]
    else:
        with pytest.raises(people.NotAllowed):
            newsroom.act(people.change, by, about, role)
        assert newsroom.roles(about) == before


REMOVALS = [
    ("ada", "pia", True),
    ("pia", "mo", True),
    ("pia", "paul", True),
    ("pia", "pia", True),
    ("pia", "ada", False),
    ("pia", "wim", False),
    ("mo", "mo", False),
    ("mo", "paul", False),
]


@pytest.mark.parametrize(("by", "about", "is_done"), REMOVALS)
def test_a_publisher_removes_people_of_their_own_site_only(newsroom, by, about, is_done):
    if is_done:
        newsroom.act(people.remove, by, about)
        assert newsroom.roles(about) == []
    else:
        with pytest.raises(people.NotAllowed):
            newsroom.act(people.remove, by, about)
        assert newsroom.roles(about) != []


INVITATIONS = [
    ("ada", ADMIN, None, True),
    ("ada", MODERATOR, "weekly", True),
    ("pia", PUBLISHER, "daily", True),
    ("pia", MODERATOR, "weekly", False),
    ("pia", ADMIN, None, False),
    ("pia", ADMIN, "daily", False),
    ("mo", MODERATOR, "daily", False),
]


@pytest.mark.parametrize(("by", "role", "key", "is_done"), INVITATIONS)
def test_an_invitation_gives_what_its_writer_may_give(newsroom, by, role, key, is_done):
    if not is_done:
        with pytest.raises(people.NotAllowed):
            newsroom.invite(by, role, key)
        return
    newsroom.ids["new"] = newsroom.join(newsroom.invite(by, role, key))
    assert newsroom.roles("new") == [(role, getattr(newsroom, key) if key else None)]


def test_who_is_removed_is_signed_out_everywhere_and_comes_back_with_the_same_role(newsroom, app):
    with app.app_context(), database.writing() as session:
        visits.start(session, newsroom.ids["mo"], "", "")
        before = newsroom.person(session, "mo").fs_uniquifier
    newsroom.act(people.remove, "pia", "mo")
    with app.app_context():
        mo = newsroom.person(database.session(), "mo")
        assert not mo.active
        assert mo.fs_uniquifier != before
        assert visits.going_on(database.session(), mo.id) == []
    with pytest.raises(people.Unknown):
        newsroom.act(people.remove, "pia", "mo")
    newsroom.act(people.restore, "pia", "mo")
    assert newsroom.roles("mo") == [(MODERATOR, newsroom.daily)]
    with app.app_context():
        assert newsroom.person(database.session(), "mo").active


def test_who_keeps_another_role_is_not_signed_out(newsroom, app):
    with app.app_context(), database.writing() as session:
        accounts.give(session, newsroom.person(session, "mo"), MODERATOR, newsroom.weekly)
        visits.start(session, newsroom.ids["mo"], "", "")
    newsroom.act(people.remove, "pia", "mo")
    assert newsroom.roles("mo") == [(MODERATOR, newsroom.weekly)]
    with app.app_context():
        assert len(visits.going_on(database.session(), newsroom.ids["mo"])) == 1


@pytest.mark.parametrize("by", ["ada", people.OPERATOR])
def test_the_last_admin_is_neither_demoted_nor_removed(newsroom, app, by):
    with pytest.raises(people.LastAdmin):
        newsroom.act(people.remove, by, "ada")
    with app.app_context():
        daily = database.session().get(Site, newsroom.daily)
    with pytest.raises(people.LastAdmin):
        newsroom.act(people.change, by, "ada", PUBLISHER, daily)
    # One who was switched off is no admin to count on.
    newsroom.ids["eve"] = add_moderator(app, "eve@daily.example", None, ADMIN)
    with app.app_context(), database.writing() as session:
        newsroom.person(session, "eve").active = False
    with pytest.raises(people.LastAdmin):
        newsroom.act(people.remove, by, "ada")
    assert newsroom.roles("ada") == [(ADMIN, None)]


def test_two_admins_who_remove_each_other_at_once_leave_one(newsroom, app):
    """The second waits for the first, and then is no admin any more."""
    newsroom.ids["eve"] = add_moderator(app, "eve@daily.example", None, ADMIN)
    has_removed, may_commit, said = threading.Event(), threading.Event(), []

    def first():
        with app.app_context(), database.writing() as session:
            ada = newsroom.person(session, "ada")
            people.remove(session, ada, newsroom.membership(session, "eve").id)
            session.flush()
            has_removed.set()
            may_commit.wait(10)

    def second():
        try:
            with app.app_context():
                eve = newsroom.person(database.session(), "eve")  # as the request found her
                role = newsroom.membership(database.session(), "ada").id
                with database.writing() as session:
                    people.remove(session, eve, role)
        except people.NotAllowed:
            said.append("not allowed")

    threads = [threading.Thread(target=target) for target in (first, second)]
    threads[0].start()
    assert has_removed.wait(10)
    threads[1].start()
    threads[1].join(0.3)
    may_commit.set()
    for thread in threads:
        thread.join(20)
    assert said == ["not allowed"]
    assert (newsroom.roles("ada"), newsroom.roles("eve")) == ([(ADMIN, None)], [])


# Invitations


def test_an_invitation_is_taken_up_once_and_only_in_time(newsroom, app):
    secret = newsroom.invite("pia", MODERATOR, "daily")
    newsroom.join(secret)
    with pytest.raises(people.Unknown):
        newsroom.join(secret)
    late = newsroom.invite("pia", MODERATOR, "daily", "late@daily.example")
    with app.app_context(), database.writing() as session:
        for invitation in session.scalars(select(Invitation)):
            assert invitation.expires_at - now() <= timedelta(days=7)
            invitation.expires_at = now()
    with pytest.raises(people.Unknown):
        newsroom.join(late)


def test_an_invitation_is_taken_back_and_a_new_one_ends_the_old(newsroom, app):
    first = newsroom.invite("pia", MODERATOR, "daily")
    second = newsroom.invite("pia", PUBLISHER, "daily")
    with pytest.raises(people.Unknown):
        newsroom.join(first)
    with app.app_context(), database.writing() as session:
        open_ones = people.invitations(session, newsroom.person(session, "pia"))
        [invitation] = open_ones
        assert people.invitations(session, newsroom.person(session, "wim")) == []
        with pytest.raises(people.NotAllowed):
            people.withdraw(session, newsroom.person(session, "wim"), invitation.id)
        people.withdraw(session, newsroom.person(session, "pia"), invitation.id)
    with pytest.raises(people.Unknown):
        newsroom.join(second)


def test_an_invitation_is_no_way_into_somebody_s_account(newsroom, app):
    """A publisher invites an admin's address and opens the link alone."""
    secret = newsroom.invite("pia", MODERATOR, "daily", "ada@daily.example")
    for thief in (None, "pia"):
        with pytest.raises(people.Taken):
            newsroom.join(secret, signed_in=thief)
    with app.app_context(), database.writing() as session:
        newsroom.person(session, "ada").active = False  # switched off, but not removed
    with pytest.raises(people.Taken):
        newsroom.join(secret)
    with app.app_context():
        assert newsroom.person(database.session(), "ada").password is None


def test_who_has_an_account_takes_it_up_signed_in_and_falls_by_none(newsroom):
    newsroom.join(newsroom.invite("ada", PUBLISHER, "weekly", "mo@daily.example"), "", "mo")
    assert newsroom.roles("mo") == [(MODERATOR, newsroom.daily), (PUBLISHER, newsroom.weekly)]
    newsroom.join(newsroom.invite("pia", MODERATOR, "daily", "paul@daily.example"), "", "paul")
    assert newsroom.roles("paul") == [(PUBLISHER, newsroom.daily)]


def test_who_was_removed_and_invited_again_begins_with_nothing_but_the_past(newsroom, app):
    vault = app.extensions["vault"]
    with app.app_context(), database.writing() as session:
        second_step.switch_on(session, newsroom.ids["mo"], second_step.new_secret(vault), 1)
    newsroom.act(people.remove, "pia", "mo")
    secret = newsroom.invite("pia", MODERATOR, "daily", "mo@daily.example")
    assert newsroom.join(secret, "Mo again") == newsroom.ids["mo"]
    assert newsroom.roles("mo") == [(MODERATOR, newsroom.daily)]
    with app.app_context():
        mo = newsroom.person(database.session(), "mo")
        assert (mo.name, mo.password, mo.totp_secret) == ("Mo again", "hash", None)


# Resets


@pytest.mark.parametrize(
    ("by", "about", "is_made"),
    [("ada", "pia", True), ("pia", "mo", True), ("pia", "ada", False), ("pia", "wim", False)],
)
def test_a_reset_needs_a_right_over_all_that_somebody_may_do(newsroom, app, by, about, is_made):
    def reset():
        with app.app_context(), database.writing() as session:
            return people.reset(session, newsroom.person(session, by), newsroom.ids[about])

    if is_made:
        secret = reset()
        with app.app_context(), database.writing() as session:
            assert accounts.find_link(session, secret) is None  # it signs nobody in
            assert accounts.use_link(session, secret, is_loopback=True) is None
            assert accounts.use_link(session, secret, True, accounts.Purpose.RESET)
        return
    with pytest.raises(people.NotAllowed):
        reset()


def test_a_publisher_resets_nobody_who_is_somebody_elsewhere_too(newsroom, app):
    with app.app_context(), database.writing() as session:
        accounts.give(session, newsroom.person(session, "mo"), MODERATOR, newsroom.weekly)
    with pytest.raises(people.NotAllowed), app.app_context(), database.writing() as session:
        people.reset(session, newsroom.person(session, "pia"), newsroom.ids["mo"])


# What a link stands on (hard rule 6)


def lose(newsroom, name):
    """Takes somebody's role away behind people.py, which would end their links by itself."""
    with newsroom.app.app_context(), database.writing() as session:
        newsroom.membership(session, name).removed_at = now()


def rise(newsroom, name):
    with newsroom.app.app_context(), database.writing() as session:
        accounts.give(session, newsroom.person(session, name), ADMIN, None)


MAKER_LOSES = [
    lambda newsroom: newsroom.act(people.remove, "ada", "pia"),
    lambda newsroom: newsroom.act(people.change, "ada", "pia", MODERATOR),
    lambda newsroom: lose(newsroom, "pia"),
]


@pytest.mark.parametrize("happens", MAKER_LOSES)
def test_an_invitation_ends_with_the_right_of_whoever_wrote_it(newsroom, app, happens):
    secret = newsroom.invite("pia", PUBLISHER, "daily")
    other = newsroom.invite("paul", PUBLISHER, "daily", "other@daily.example")
    happens(newsroom)
    with app.app_context():
        assert people.invitation(database.session(), secret) is None
    with pytest.raises(people.Unknown):
        newsroom.join(secret)
    newsroom.join(other)


def reset(newsroom, by="pia", about="mo"):
    with newsroom.app.app_context(), database.writing() as session:
        who = newsroom.person(session, by) if by in newsroom.ids else by
        return people.reset(session, who, newsroom.ids[about])


def works(newsroom, secret):
    with newsroom.app.app_context(), database.writing() as session:
        is_shown = people.reset_link(session, secret) is not None
        is_taken = people.use_reset(session, secret, is_loopback=False) is not None
    assert is_shown == is_taken
    return is_taken


OWNER_CHANGES = [
    lambda newsroom: newsroom.act(people.change, "ada", "mo", ADMIN),
    lambda newsroom: rise(newsroom, "mo"),
]


@pytest.mark.parametrize("happens", MAKER_LOSES + OWNER_CHANGES)
def test_a_reset_ends_with_the_right_over_the_person_as_they_are_now(newsroom, happens):
    secret, good = reset(newsroom), reset(newsroom, about="paul")
    assert works(newsroom, good)
    happens(newsroom)
    assert not works(newsroom, secret)


def test_links_stay_dead_when_somebody_comes_back(newsroom, app):
    with app.app_context(), database.writing() as session:
        door = accounts.make_link(session, newsroom.person(session, "mo"))
    made = [reset(newsroom), newsroom.invite("pia", MODERATOR, "daily")]
    for_mo = newsroom.invite("paul", PUBLISHER, "daily", "mo@daily.example")
    elsewhere = newsroom.invite("ada", MODERATOR, "weekly", "mo@daily.example")
    for name in ("mo", "pia"):
        newsroom.act(people.remove, "ada", name)
        newsroom.act(people.restore, "ada", name)
    assert not works(newsroom, made[0])
    for secret in (made[1], for_mo):
        with pytest.raises(people.Unknown):
            newsroom.join(secret, signed_in="mo")
    newsroom.join(elsewhere, signed_in="mo")
    with app.app_context(), database.writing() as session:
        assert accounts.use_link(session, door, is_loopback=True) is None


def test_the_operator_s_links_stand_on_nobody_s_right(newsroom):
    secret = reset(newsroom, people.OPERATOR)
    newsroom.act(people.remove, "ada", "pia")
    assert works(newsroom, secret)


# On record


def test_each_act_is_on_record_without_a_whole_address(newsroom, app):
    newsroom.join(newsroom.invite("pia", MODERATOR, "daily"))
    newsroom.act(people.change, "pia", "mo", PUBLISHER)
    newsroom.act(people.remove, "pia", "mo")
    newsroom.act(people.restore, "pia", "mo")
    with app.app_context():
        said = database.session().execute(
            select(Event.what, Event.by, Event.about, Event.site_id).order_by(Event.id)
        )
        assert [tuple(row) for row in said] == [
            ("invited", "pia", "n…@d…: moderator of The Daily", newsroom.daily),
            ("joined", "Nele", "moderator of The Daily", newsroom.daily),
            (
                "role_changed",
                "pia",
                "mo: moderator of The Daily → publisher of The Daily",
                newsroom.daily,
            ),
            ("removed", "pia", "mo: publisher of The Daily", newsroom.daily),
            ("restored", "pia", "mo: publisher of The Daily", newsroom.daily),
        ]


def test_somebody_sees_the_people_of_their_own_sites(newsroom, app):
    with app.app_context():
        session = database.session()
        seen = {
            name: {p.name for p in people.everybody(session, newsroom.person(session, name))}
            for name in ("ada", "pia", "wim")
        }
    assert seen == {
        "ada": {"ada", "pia", "paul", "mo", "wim"},
        "pia": {"pia", "paul", "mo"},
        "wim": set(),
    }
