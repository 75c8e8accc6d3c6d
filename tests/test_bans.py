"""Bans: what can be banned, what catches what, until when and where, and the look before."""

import dataclasses
from datetime import timedelta

import pytest
from cast import ARTICLE, SITE, add_site, stored
from sqlalchemy import insert, select, update

from service import bans, comments, database, text, vault
from service.models import Article, Author, Ban, Comment, Reason, Site, now
from service.rules import Draft, Policy, explain
from service.status import BanKind, Mark, Mode, Status

ADDRESS = "Rita.Hidden@Example.org"
RING = vault.Vault([b"e" * 32], b"i" * 32)
FLOODS = ("flood_address", "flood_network")
OPEN = Policy(mode=Mode.HOLD_CAUGHT, tuned={rule: {"on": False} for rule in FLOODS})
SENT = comments.Submission(
    url=ARTICLE,
    given_id="",
    title="",
    parent="",
    name="Rita",
    website="https://shop.spam.example/buy",
    email=ADDRESS,
    text="See <https://link.example/x>",
    html=str(text.render("See <https://link.example/x>")),
    language="en",
    network="192.0.2.0/24",
    nonce="",
    draft=Draft("Rita", "See <https://link.example/x>"),
    client="192.0.2.77",
)


@pytest.fixture
def site(app):
    """The Daily, with an article under which something is approved: no other rule holds there."""
    number = add_site(app)
    with app.app_context(), database.writing() as session:
        session.add(Article(site_id=number, url=ARTICLE, approved_count=1))
    return number


@pytest.fixture
def submit(app, site):
    """Posts Rita's reply with changes; gives its status and the reasons for it."""

    def submit(on=SITE, at=None, **changes):
        sent = dataclasses.replace(SENT, **changes)
        with app.app_context(), database.writing() as session:
            found = session.scalars(select(Site).where(Site.key == on)).one()
            made = comments.submit(session, app.extensions["vault"], found, sent, OPEN, at)
            said = [explain(r.rule) % {"matched": r.matched} for r in made.reasons]
            return made.status, said

    return submit


@pytest.fixture
def ban(app, site):
    def ban(kind, typed, where=None, reason="sells shoes", lasts=None):
        with app.app_context(), database.writing() as session:
            wanted = bans.target(app.extensions["vault"], kind, typed)
            until = now() + lasts if lasts else None
            return bans.ban(session, wanted, where or site, reason, until, "Mo").id

    return ban


def bans_of(app):
    with app.app_context():
        found = database.session().scalars(select(Ban).order_by(Ban.id)).all()
        database.session().expunge_all()
        return found


# What can be banned


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (BanKind.ADDRESS, " rita@example.org ", "r…@e…"),
        (BanKind.DOMAIN, "Example.ORG", "e…e.org"),
        (BanKind.DOMAIN, "@bücher.example", "x…a.example"),
        (BanKind.DOMAIN, "rita@ab.org", "a….org"),
        (BanKind.NAME, "Rita  Reader", "Rita  Reader"),
        (BanKind.NAME, "rita@example.org", "r…@…"),
        (BanKind.WEBSITE, "www.Spam.example", "spam.example"),
        (BanKind.WEBSITE, "https://bücher.example/x?y", "xn--bcher-kva.example"),
        (BanKind.WEBSITE, "www.example", "www.example"),
        (BanKind.NETWORK, "192.0.2.7", "192.0.2.7/32"),
        (BanKind.NETWORK, "192.0.2.7/24", "192.0.2.0/24"),
        (BanKind.NETWORK, "::ffff:192.0.2.7", "192.0.2.7/32"),
        (BanKind.NETWORK, "2001:db8::/16", "2001::/16"),
        (BanKind.NETWORK, "10.0.0.0/8", "10.0.0.0/8"),
    ],
)
def test_it_takes(kind, typed, value):
    target = bans.target(RING, kind, typed)
    assert (target.kind, target.value) == (kind, value)
    assert bool(target.digest) == (kind in (BanKind.ADDRESS, BanKind.DOMAIN, BanKind.NAME))
    assert target.digest is None or repr(target.digest) not in repr(target)


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (BanKind.ADDRESS, "rita"),
        (BanKind.ADDRESS, "rita@example.org otto@example.org"),
        (BanKind.DOMAIN, "org"),
        (BanKind.DOMAIN, "a b.org"),
        (BanKind.NAME, " \u200b"),
        (BanKind.WEBSITE, "example"),
        (BanKind.WEBSITE, "rita@example.org"),
        (BanKind.WEBSITE, "javascript:alert(1)"),
        (BanKind.NETWORK, "0.0.0.0/0"),
        (BanKind.NETWORK, "10.0.0.0/7"),
        (BanKind.NETWORK, "2000::/15"),
        (BanKind.NETWORK, "everybody"),
    ],
)
def test_it_takes_nothing_that_is_none_or_too_wide(kind, typed):
    with pytest.raises(bans.NotBannable):
        bans.target(RING, kind, typed)


def test_it_knows_the_large_providers():
    assert bans.is_free_mail("rita@GMail.com")
    assert bans.is_free_mail("gmx.de")
    assert not bans.is_free_mail("rita@daily.example")


@pytest.mark.parametrize(
    ("written", "hosts"),
    [
        ("https://a.example/ and https://b.example", ["w.example", "a.example", "b.example"]),
        ("[x](https://EVIL%2Eexample./)", ["w.example", "evil.example"]),
        ("<https://bücher.example>", ["w.example", "xn--bcher-kva.example"]),
        ("`https://code.example`", ["w.example"]),
    ],
)
def test_it_reads_hosts_as_a_browser_does(written, hosts):
    assert bans.linked("https://w.example/", str(text.render(written))) == hosts


# What is caught


CATCHING = [
    (BanKind.ADDRESS, "rita.hidden@example.org", "its email address"),
    (BanKind.DOMAIN, "example.org", "the domain of its email address"),
    (BanKind.NAME, " rItA", "its name"),
    (BanKind.WEBSITE, "spam.example", "a website that it links to"),
    (BanKind.WEBSITE, "link.example", "a website that it links to"),
    (BanKind.NETWORK, "192.0.2.77", "the network that it came from"),
    (BanKind.NETWORK, "192.0.0.0/16", "the network that it came from"),
]
PASSING = [
    (BanKind.ADDRESS, "rita@example.org"),
    (BanKind.DOMAIN, "hidden.example.org"),
    (BanKind.DOMAIN, "spam.example"),
    (BanKind.NAME, "Rit"),
    (BanKind.WEBSITE, "p.spam.example"),
    (BanKind.WEBSITE, "am.example"),
    (BanKind.WEBSITE, "example.org"),
    (BanKind.NETWORK, "192.0.2.78"),
    (BanKind.NETWORK, "2001:db8::/32"),
]


def test_what_a_ban_catches_is_stored_as_spam_with_the_reason(app, ban, submit):
    for number, (kind, typed, by) in enumerate(CATCHING):
        made = ban(kind, typed)
        assert submit(nonce=f"{number}") == (
            Status.SPAM,
            [f"A ban caught it by {by} (“sells shoes”)."]
            + ([f"The same words were posted before ({number}×)."] if number else []),
        ), (kind, typed)
        with app.app_context(), database.writing() as session:
            session.execute(update(Ban).where(Ban.id == made).values(ended_at=now()))
    assert [found.hits for found in bans_of(app)] == [1] * len(CATCHING)
    assert len(stored(app)) == len(CATCHING)


def test_what_no_ban_catches_passes(app, ban, submit):
    for kind, typed in PASSING:
        ban(kind, typed)
    assert submit() == (Status.APPROVED, [])
    assert {found.hits for found in bans_of(app)} == {0}


def test_the_same_form_sent_twice_is_one_hit(app, ban, submit):
    ban(BanKind.NAME, "Rita")
    submit(nonce="one")
    submit(nonce="one")
    assert [found.hits for found in bans_of(app)] == [1]


def test_a_ban_acts_while_it_lasts_and_where_it_was_made(app, ban, submit, site):
    add_site(app, "stars", "https://stars.example")
    with app.app_context(), database.writing() as session:
        stars = session.scalars(select(Site.id).where(Site.key == "stars")).one()
        session.add(Article(site_id=stars, url=ARTICLE, approved_count=1))
    made = ban(BanKind.NAME, "Rita", lasts=timedelta(hours=1))
    assert submit(nonce="1")[0] == Status.SPAM
    assert submit(on="stars", nonce="2")[0] == Status.APPROVED
    assert submit(nonce="3", text="Later.", at=now() + timedelta(hours=2))[0] == Status.APPROVED
    with app.app_context(), database.writing() as session:
        assert bans.lift(session, session.get_one(Ban, made))
        assert not bans.lift(session, session.get_one(Ban, made))  # once
    assert submit(nonce="4", text="Lifted.")[0] == Status.APPROVED
    with app.app_context(), database.writing() as session:
        target = bans.target(app.extensions["vault"], BanKind.NAME, "RITA")
        bans.ban(session, target, None, "", None, "Ada")
    assert [submit(on=key, nonce="5", text="All.")[0] for key in (SITE, "stars")] == [
        Status.SPAM,
        Status.SPAM,
    ]


def test_the_same_is_banned_once_while_it_lasts(app, ban):
    first = ban(BanKind.DOMAIN, "example.org")
    with pytest.raises(bans.BannedAlready) as known:
        ban(BanKind.DOMAIN, "@EXAMPLE.org")
    assert known.value.until is None
    ban(BanKind.DOMAIN, "example.net")
    with app.app_context(), database.writing() as session:
        bans.lift(session, session.get_one(Ban, first))
    ban(BanKind.DOMAIN, "example.org")


def test_an_edit_is_judged_by_bans_too_and_counted_once(app, ban, submit):
    submit()
    ban(BanKind.WEBSITE, "evil.example")
    with app.app_context(), database.writing() as session:
        [comment] = session.scalars(select(Comment))
        typed = "Now https://evil.example/"
        for more in ("", " again"):
            comments.edit(
                session,
                app.extensions["vault"],
                comment,
                comment.version,
                Draft("Rita", typed + more),
                str(text.render(typed + more)),
                OPEN,
                60,
            )
        session.flush()
        assert (comment.status, comment.text) == (Status.APPROVED, SENT.text)  # public as it was
        assert comment.edit_text == typed + " again"
        assert [reason.rule for reason in session.scalars(select(Reason))] == ["banned"]
    ban(BanKind.DOMAIN, "example.org")
    assert [found.hits for found in bans_of(app)] == [1, 0]


def test_nothing_that_is_stored_of_a_ban_or_a_hit_holds_an_address(app, ban, submit):
    ban(BanKind.ADDRESS, ADDRESS, reason=f"writes from {ADDRESS}")
    ban(BanKind.DOMAIN, ADDRESS)
    submit()
    with app.app_context():
        rows = [
            *database.session().execute(select(Ban.__table__)),
            *database.session().execute(select(Reason.__table__)),
        ]
    told = repr(rows).casefold()
    assert "r…@…" in told
    assert not [part for part in ("rita.hidden", "example.org") if part in told]


def test_a_client_s_address_is_stored_nowhere(app, ban, submit):
    ban(BanKind.NETWORK, "198.51.100.0/24")
    submit(client="192.0.2.77")
    [comment] = stored(app)
    assert "192.0.2.77" not in repr(vars(comment))
    assert "192.0.2.77" not in repr(SENT)


def test_a_text_full_of_links_is_looked_through(app, ban, submit):
    """More hosts than a statement takes values: none of them is lost, nor the reply."""
    html = "".join(f'<a href="https://{"a." * 50}h{n}.example/">x</a>' for n in range(900))
    ban(BanKind.WEBSITE, "h899.example")
    assert submit(html=html)[0] == Status.SPAM


# What one would have caught


def add_comments(app, site, how_many, **columns):
    values = {
        "site_id": site,
        "article_id": 1,
        "name": "Otto",
        "text": "Hm.",
        "html": "<p>Hm.</p>",
        "renderer": 1,
        "status": Status.PENDING,
    }
    with app.app_context(), database.writing() as session:
        session.execute(insert(Comment), [values | columns for _ in range(how_many)])


def caught(app, kind, typed, where):
    with app.app_context():
        ring = app.extensions["vault"]
        return bans.preview(database.session(), ring, bans.target(ring, kind, typed), where)


def test_it_tells_what_a_ban_would_have_caught(app, site, submit):
    submit(nonce="1")
    submit(nonce="2", email="someone@example.org", name="Someone")
    add_comments(app, site, 3)
    add_comments(app, site, 1, name="rita", status=Status.REJECTED, mark=Mark.STAFF)
    add_comments(app, site, 1, name="RITA", status=Status.REJECTED, network="192.0.3.0/24")
    for kind, typed, count in [
        (BanKind.ADDRESS, ADDRESS, 1),
        (BanKind.DOMAIN, "example.org", 2),
        (BanKind.NAME, "rita", 2),
        (BanKind.WEBSITE, "link.example", 2),
        (BanKind.WEBSITE, "spam.example", 2),
        (BanKind.NETWORK, "192.0.2.0/23", 3),
        (BanKind.NETWORK, "192.0.2.77", 0),  # narrower than what is kept of an address
        (BanKind.NETWORK, "198.51.100.0/24", 0),
    ]:
        found = caught(app, kind, typed, site)
        assert (found.count, len(found.sample), found.looked_at) == (count, count, None), typed
    both = caught(app, BanKind.NAME, "rita", site)
    assert [comment.name for comment in both.sample] == ["RITA", "Rita"]  # newest first
    assert both.statuses == {Status.REJECTED: 1, Status.APPROVED: 1}


def test_it_tells_of_one_site_only_unless_it_is_of_all(app, site, submit):
    submit()
    stars = add_site(app, "stars", "https://stars.example")
    for kind, typed in [(BanKind.ADDRESS, ADDRESS), (BanKind.NAME, "Rita")]:
        assert [caught(app, kind, typed, where).count for where in (site, stars, None)] == [1, 0, 1]


def test_it_counts_no_further_and_looks_at_no_more_than_the_newest(app, site, monkeypatch):
    monkeypatch.setattr(bans, "COUNTED", 20)
    monkeypatch.setattr(bans, "LOOKED_AT", 40)
    add_comments(app, site, 1, name="First", created_at=now() - timedelta(days=1))
    add_comments(app, site, 25)
    add_comments(app, site, 14, name="Third", status=Status.SPAM)
    many = caught(app, BanKind.NAME, "Otto", site)
    assert (many.count, len(many.sample), many.looked_at) == (21, 10, None)
    assert many.statuses == {Status.PENDING: 20}
    some = caught(app, BanKind.NAME, "First", site)
    assert (some.count, some.looked_at) == (1, 40)
    add_comments(app, site, 1, name="Fourth", status=Status.APPROVED)
    assert caught(app, BanKind.NAME, "First", site).count == 0
    with app.app_context(), database.writing() as session:
        hidden = app.extensions["vault"].hide(ADDRESS, site)
        author = comments.author_of(session, site, hidden).id
        session.execute(update(Comment).where(Comment.name == "Otto").values(author_id=author))
    by_index = caught(app, BanKind.DOMAIN, "example.org", site)
    assert (by_index.count, by_index.looked_at) == (21, None)


def test_an_author_from_before_gets_the_index_with_the_next_reply(app, submit):
    submit(nonce="1")
    with app.app_context(), database.writing() as session:
        session.execute(update(Author).values(domain_index=None))
    submit(nonce="2")
    with app.app_context():
        index = app.extensions["vault"].domain_index("x@example.org")
        assert list(database.session().scalars(select(Author.domain_index))) == [index]
