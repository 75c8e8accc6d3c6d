"""Sites: what each verb changes and puts on record, and how far a deleted site is gone."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from cast import ARTICLE, SENT, SITE, add_moderator, add_site, on_record, reply, stored
from sqlalchemy import func, select, update

from service import accounts, comments, database, desk, letters, site_erasure, sites
from service.cli import pruning
from service.events import What
from service.filters import Filter
from service.mail import outbox
from service.models import (
    Article,
    Author,
    Base,
    Comment,
    Decision,
    Event,
    Feature,
    Hook,
    Import,
    Letter,
    Phrase,
    Site,
    Wave,
    now,
)
from service.rules import Policy
from service.site_settings import SiteSettings
from service.status import LetterKind, PhraseKind, Role

BY = "the operator"
UPLOADED = "0" * 32  # what an uploaded file is called


@pytest.fixture
def daily(app):
    return add_site(app)


@pytest.fixture
def change(app, daily):
    """Does something to the site in a transaction of its own, and gives what came back."""

    def change(verb, *arguments, key=SITE, **more):
        with app.app_context(), database.writing() as session:
            site = session.scalars(select(Site).where(Site.key == key)).one()
            return verb(session, site, *arguments, **more)

    return change


def look(app, key=SITE):
    with app.app_context():
        site = database.session().scalars(select(Site).where(Site.key == key)).one()
        database.session().expunge_all()
        return site


def told(app):
    return [(event.what, event.by, event.about) for event in on_record(app)]


# Verbs


def test_a_setting_is_on_record_with_its_old_and_new_value(app, change):
    assert change(sites.set_settings, {"page_size": 20, "sort": "oldest"}, BY) == ["page_size"]
    site = look(app)
    assert (site.settings, site.version) == ({"page_size": 20}, 2)
    assert change(sites.set_settings, {"page_size": 20}, BY) == []
    assert look(app).version == 2
    change(sites.set_settings, {"page_size": 50, "consent": "I agree. " * 20}, BY)
    assert look(app).settings == {"consent": "I agree. " * 20}
    assert told(app)[0] == ("setting_changed", BY, "page_size of The Daily: 50 → 20")
    assert told(app)[1] == ("setting_changed", BY, "page_size of The Daily: 20 → 50")
    what, _, about = told(app)[2]
    assert (what, about.endswith("…")) == ("setting_changed", True)
    assert about.startswith("consent of The Daily: nothing → I agree.")
    assert len(about) < 150


def test_of_long_texts_the_record_shows_where_they_differ(app, change):
    change(sites.rename, "The Daily " * 20, BY)
    change(sites.set_settings, {"consent": "I agree. " * 20 + "Once."}, BY)
    change(sites.set_settings, {"consent": "I agree. " * 20 + "Twice."}, BY)
    *_, (_, _, first), (_, _, second) = told(app)
    assert len(first) < 300
    assert second.endswith(": …. I agree. I agree. Once. → …. I agree. I agree. Twice.")


def test_many_origins_are_on_record_each(app, change):
    many = [f"https://{'long-' * 10}{n}.example" for n in range(12)]
    change(sites.set_origins, many, BY)
    abouts = [about for _, _, about in told(app)]
    assert all(len(about) <= 300 and about.startswith("The Daily: ") for about in abouts)
    assert [one for one in many if f"added {one}" not in " ".join(abouts)] == []


def test_holding_the_mode_and_the_reasons_keep_their_own_words_on_record(app, change):
    change(sites.set_settings, {"hold_all": True, "mode": "hold_new", "public_reasons": "No."}, BY)
    assert [what for what, *_ in told(app)] == ["held", "rule_changed", "reasoned"]
    assert told(app)[1][2] == "what waits: every reply → whoever is new"
    assert told(app)[2][2].endswith("→ No.")
    assert look(app).screening_version == 2


def test_who_saw_an_older_site_changes_nothing(app, change):
    change(sites.set_settings, {"page_size": 20}, BY, seen=1)
    for verb, value in (
        (sites.set_settings, {"page_size": 30}),
        (sites.rename, "Mine"),
        (sites.set_origins, ["https://mine.example"]),
    ):
        with pytest.raises(sites.Changed):
            change(verb, value, BY, seen=1)
    assert (look(app).settings, look(app).name) == ({"page_size": 20}, "The Daily")


def test_a_site_is_added_renamed_and_given_origins_on_record(app, change):
    with app.app_context(), database.writing() as session:
        sites.add(session, "stars", "Stars", ["https://stars.example"], BY)
        with pytest.raises(sites.Taken):
            sites.add(session, "stars", "More", ["https://more.example"], BY)
    change(sites.rename, "The Weekly", BY)
    change(sites.rename, "The Weekly", BY)
    change(sites.set_origins, ["https://weekly.example"], BY)
    assert told(app) == [
        ("site_added", BY, "Stars (https://stars.example)"),
        ("site_renamed", BY, "The Daily → The Weekly"),
        (
            "origins_changed",
            BY,
            "The Weekly: added https://weekly.example, removed https://daily.example",
        ),
    ]
    assert look(app).version == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("https://www.example.org/blog/", "An origin has no path: https://www.example.org"),
        ("www.example.org", "begins with http:// or https://: https://www.example.org"),
        ("https://example.org?a=1", "An origin is scheme and host alone"),
        ("ftp://example.org", "is no origin"),
        ("nonsense with spaces", "is no origin"),
        ("", "Enter 1 to 50 origins"),
    ],
)
def test_what_is_no_origin_is_refused_with_what_would_be_one(typed, said):
    with pytest.raises(sites.NoOrigin, match=said.replace("?", r"\?")):
        sites.origins_of(typed)


def test_origins_are_spelt_one_way_and_their_variants_known():
    assert sites.origins_of("HTTPS://Example.org/\n\nhttps://example.org:443") == [
        "https://example.org"
    ]
    assert sites.variants(["https://example.org"]) == [
        "http://example.org",
        "https://www.example.org",
    ]
    assert "https://example.org" in sites.variants(["https://www.example.org"])
    assert sites.variants(["https://blog.example.org"]) == ["http://blog.example.org"]
    assert sites.variants(["http://localhost:8000", "http://127.0.0.1"]) == []


# Closed


def test_a_closed_site_takes_no_comment_on_any_article_until_it_is_opened(app, change):
    reader = app.test_client()
    before = reader.get(f"/embed/{SITE}?url={ARTICLE}")
    change(sites.close, True, BY)
    change(sites.close, True, BY)
    shown = reader.get(f"/embed/{SITE}?url={ARTICLE}")
    assert "takes no new replies any more" in shown.text
    assert "<form" not in shown.text
    assert shown.headers["ETag"] != before.headers["ETag"]
    assert reply(app, reader).status_code == 403
    with app.app_context(), database.writing() as session:  # where the request began before
        site = session.scalars(select(Site)).one()
        with pytest.raises(comments.NoNewComments):
            comments.submit(session, app.extensions["vault"], site, SENT, Policy())
    assert list(stored(app)) == []
    change(sites.close, False, BY)
    assert reply(app, reader).status_code == 303
    assert [what for what, *_ in told(app)] == ["site_closed", "site_opened"]


# Deleted


@pytest.fixture
def busy(app, daily):
    """Rita's reply on The Daily, and her receipt."""
    return reply(app, app.test_client()).location.removeprefix("http://localhost")


def test_a_deleted_site_is_unknown_to_readers_and_back_when_restored(app, busy, change):
    reader = app.test_client()
    comment = stored(app)[0]
    doors = [
        f"/embed/{SITE}?url={ARTICLE}",
        f"/embed/{SITE}/fragment?url={ARTICLE}",
        f"/embed/{SITE}/token?url={ARTICLE}",
        f"/embed/{SITE}/counts?url={ARTICLE}",
        f"/feeds/{SITE}.atom",
        f"/feeds/{SITE}/thread.atom?url={ARTICLE}",
        busy,
    ]
    assert [reader.get(door).status_code for door in doors] == [200] * len(doors)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(status="approved"))
    assert reader.get(f"/comments/{comment.public_id}").status_code == 302
    change(sites.delete, BY)
    shut = [*doors, f"/comments/{comment.public_id}"]
    assert [reader.get(door).status_code for door in shut] == [404] * len(shut)
    assert "is not here any more" in reader.get(busy).text
    assert reply(app, reader).status_code == 404
    change(sites.restore, BY)
    assert [reader.get(door).status_code for door in doors] == [200] * len(doors)
    assert [what for what, *_ in told(app)] == ["site_deleted", "site_restored"]


@pytest.mark.parametrize("role", Role)
def test_a_deleted_site_is_out_of_everybodys_reach_at_the_desk(app, busy, change, role):
    add_site(app, "stars", "https://stars.example")
    somebody = add_moderator(app, site=None if role == Role.ADMIN else SITE, role=role)
    vault = app.extensions["vault"]

    def reach():
        with app.app_context():
            session = database.session()
            moderator = session.get_one(accounts.Moderator, somebody)
            comment = session.scalars(select(Comment)).one()
            queue = desk.queue(session, vault, moderator, Filter())
            return (
                [card.comment.id for card in queue.cards] == [comment.id],
                desk.counts(session, moderator)["pending"] == 1,
                desk.find(session, moderator, comment.public_id) is not None,
                desk.find_article(session, moderator, comment.article_id) is not None,
                SITE in {site.key for site in desk.sites(session, moderator)},
                accounts.may(moderator, comment.site_id),
                bool(desk.some(session, vault, moderator, [comment.id])),
            )

    assert set(reach()) == {True}
    change(sites.delete, BY)
    assert set(reach()) == {False}
    change(sites.restore, BY)
    assert set(reach()) == {True}


def test_only_who_kept_a_deleted_site_may_restore_it_for_30_days(app, daily, change):
    pia = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    mo, ada = add_moderator(app), add_moderator(app, "ada@x.example", None, Role.ADMIN)
    change(sites.delete, BY)
    with app.app_context():
        session = database.session()
        people = [session.get_one(accounts.Moderator, one) for one in (pia, mo, ada)]
        for at, able in ((now(), [1, 0, 1]), (now() + sites.KEPT, [0, 0, 0])):
            assert [len(sites.deleted(session, one, at)) for one in people] == able
    with pytest.raises(sites.TooLate):
        change(sites.restore, BY, at=now() + sites.KEPT)


def test_its_key_is_nobody_elses(app, change):
    change(sites.delete, BY)
    with app.app_context(), database.writing() as session, pytest.raises(sites.Taken):
        sites.add(session, SITE, "Another", ["https://another.example"], BY)


def test_nothing_more_is_sent_for_it_until_it_is_restored(app, busy, change):
    mo = add_moderator(app)
    with app.app_context(), database.writing() as session:
        letters.write(session, LetterKind.WAITING, "one", 1, moderator_id=mo)

    def is_due():
        with app.app_context():
            return outbox.has_due(database.session(), now() + timedelta(hours=1))

    assert is_due()
    with app.app_context(), database.writing() as session:
        [taken] = outbox.claim(session, "me", now() + timedelta(minutes=1))
    change(sites.delete, BY)
    assert not is_due()
    with app.app_context(), database.writing() as session:  # and none that is in hand
        assert not outbox.begin(session, taken, "me", now(), outbox.Caps(0, 0))
    change(sites.restore, BY)
    with app.app_context(), database.writing() as session:
        assert outbox.begin(session, taken, "me", now(), outbox.Caps(0, 0))


# Erased


def erase(app):
    with app.app_context():
        while pruning.erase_sites():
            database.forget()


def test_after_30_days_all_it_held_is_erased_but_the_log_and_its_empty_row(app, busy, change):
    mo = add_moderator(app)
    stars = add_site(app, "stars", "https://stars.example")
    kept = reply(app, app.test_client(), "stars", url="https://stars.example/a", comment="Kept.")
    assert kept.status_code == 303
    folder = app.instance_path + "/imports"
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site).where(Site.key == SITE)).one()
        comment = session.scalars(select(Comment).where(Comment.site_id == site.id)).one()
        brought = Import(
            site_id=site.id, format="json", file_name="a", file_digest="b", stored_as=UPLOADED
        )
        hook = Hook(site_id=site.id, name="Own", events=[], sealed_url="x")
        session.add_all(
            [
                brought,
                hook,
                Phrase(site_id=site.id, kind=PhraseKind.HOLD, phrase="poker"),
                Feature(site_id=site.id, hash=1),
                Wave(site_id=site.id, article_id=comment.article_id),
            ]
        )
        session.flush()
        comment.import_id = brought.id
        letters.write(session, LetterKind.WAITING, "one", site.id, moderator_id=mo)
        log = session.scalar(select(func.count(Decision.id)))
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / UPLOADED).write_text("x")
    change(sites.delete, BY)
    erase(app)
    assert [one.text for one in stored(app)] == ["Hear, hear.", "Kept."]  # it can be restored
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).where(Site.key == SITE).values(deleted_at=now() - sites.KEPT))
    erase(app)
    gone, other = stored(app)
    assert (gone.text, gone.html, gone.name, gone.author_id, gone.network) == ("", "", "", None, "")
    assert (other.text, other.name) == ("Kept.", "Rita")
    assert not (Path(folder) / UPLOADED).exists()
    with app.app_context():
        session = database.session()
        left = {
            table.name
            for table in Base.metadata.sorted_tables
            if "site_id" in table.c
            and session.scalar(
                select(func.count()).select_from(table).where(table.c.site_id == gone.site_id)
            )
        }
        assert left == {"comments", "articles", "events"}
        assert session.scalar(select(func.count(Decision.id))) == log
        assert session.scalars(select(Author.site_id)).all() == [stars]
        article = session.get_one(Article, gone.article_id)
        assert (article.url, article.title) == (f"erased:{article.id}", "")
        site = session.scalars(select(Site).where(Site.key == SITE)).one()
        assert (site.name, site.origins, site.settings) == ("", [], {})
        assert session.scalars(select(Letter).where(Letter.site_id == site.id)).all() == []
        last = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert (last.what, last.by, last.about) == (What.SITE_ERASED, "worker", "The Daily (daily)")
        assert site_erasure.due(session, now()) is None


def test_an_erasure_that_broke_off_goes_on(app, busy, change, monkeypatch):
    for n in range(3):
        reply(app, app.test_client(), comment=f"Number {n}.")
    change(sites.delete, BY)
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(deleted_at=now() - sites.KEPT))
    monkeypatch.setattr(site_erasure, "COMMENTS", 1)
    monkeypatch.setattr(pruning, "STEPS", 2)
    with app.app_context():
        assert pruning.erase_sites()
    pruning._erased.clear()  # as in another process
    erase(app)
    assert {comment.text for comment in stored(app)} == {""}


# Documented


def test_the_documentation_has_every_setting_with_its_default_its_bounds_and_its_sentence():
    page = (Path(__file__).parent.parent / "docs" / "sites.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    known = {row[0].strip("| `"): row for row in rows}
    assert list(known) == list(sites.DEFAULTS)
    for setting in fields(SiteSettings):
        _, default, may, sentence = known[setting.name]
        limits = setting.metadata
        assert sentence.removesuffix(" |") == limits["sentence"]
        if "\n" not in str(setting.default):
            assert default == (sites.shown(setting.default) or "empty")
        if isinstance(setting.default, int) and not isinstance(setting.default, bool):
            assert may == f"{limits['least']} to {limits['most']}"
        assert all(f"`{word}`" in may for word in limits["one_of"])
