"""Articles renamed, moved and made one: what readers find at which address, and what is on record."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cast import ARTICLE, SENT, add_moderator, add_site, on_record
from sqlalchemy import event, insert, select, text

from service import accounts, aliases, articles, comments, database, moderation, threads
from service.models import (
    Article,
    ArticleAlias,
    Author,
    Comment,
    Follow,
    Letter,
    Move,
    Site,
    Wave,
    now,
)
from service.rules import Policy
from service.status import BulkState, LetterKind, Status

OTHER = "https://daily.example/2026/other"
NEW = "https://daily.example/blog/review"
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def mo(app):
    add_site(app)
    return add_moderator(app)


@pytest.fixture
def write(app, mo):
    """Does something in a write session, with Mo at hand; gives what that gives."""

    def write(verb):
        with app.app_context(), database.writing() as session:
            return verb(session, session.get_one(accounts.Moderator, mo))

    return write


@pytest.fixture
def read(app):
    def read(question):
        with app.app_context():
            return question(database.session())

    return read


@pytest.fixture
def make(write):
    """Makes an article with comments; gives its number."""

    def make(url=ARTICLE, statuses=(Status.APPROVED,), **columns):
        def verb(session, _):
            site_id = session.scalars(select(Site.id)).first()
            article = Article(site_id=site_id, url=url, **columns)
            session.add(article)
            session.flush()
            for number, status in enumerate(statuses):
                at = AT + timedelta(minutes=number)
                session.add(comment(article, status=status, created_at=at))
            session.flush()
            moderation.recount(session, article.id)
            return article.id

        return write(verb)

    return make


def comment(article, **columns):
    words = {"name": "Ada", "text": "Hm.", "html": "<p>Hm.</p>", "renderer": 1}
    return Comment(site_id=article.site_id, article_id=article.id, **(words | columns))


def merge(write, gone, kept):
    def begin(session, mo):
        pair = session.get_one(Article, gone), session.get_one(Article, kept)
        articles.begin_merge(session, *pair, mo)

    write(begin)


def finish(write, gone):
    steps = 1
    while write(lambda session, _: articles.merge_step(session, gone)):
        steps += 1
    return steps


def find(session, url, given_id=""):
    site_id = session.scalars(select(Site.id)).first()
    found = comments.find_article(session, site_id, url, given_id)
    return found.id if found else None


def events(app):
    return [(event.what, event.by, event.about) for event in on_record(app)]


# A title, an address


def test_a_publishers_title_is_proved_and_on_record(app, make, write, read):
    number = make(title="come to spam.example", is_title_proved=False)
    write(lambda s, mo: articles.rename(s, s.get_one(Article, number), "A review", mo))
    write(lambda s, mo: articles.rename(s, s.get_one(Article, number), "A review", mo))
    article = read(lambda s: s.get_one(Article, number))
    assert (article.title, article.is_title_proved, article.version) == ("A review", True, 3)
    assert events(app) == [
        ("renamed", "mo", f"{ARTICLE}: “come to spam.example” → “A review”"),
    ]


def test_an_article_that_moved_is_found_at_both_addresses(app, make, write, read):
    number = make()
    write(lambda s, mo: articles.move(s, s.get_one(Article, number), NEW, mo))
    assert read(lambda s: [find(s, url) for url in (ARTICLE, NEW, OTHER)]) == [number, number, None]
    site_id = read(lambda s: s.get_one(Article, number).site_id)
    wanted = [ARTICLE, NEW, OTHER, ""]
    assert read(lambda s: threads.counts(s, site_id, wanted)) == {ARTICLE: 1, NEW: 1}
    assert read(lambda s: aliases.article_at(s, site_id + 1, wanted)) == {}
    assert events(app) == [("moved", "mo", f"{ARTICLE} → {NEW}")]


def test_a_reply_to_a_former_address_makes_no_second_article(app, make, write, read):
    number = make()
    write(lambda s, mo: articles.move(s, s.get_one(Article, number), NEW, mo))
    vault = app.extensions["vault"]

    def submit(session, _):
        site = session.scalars(select(Site)).one()
        return comments.submit(session, vault, site, SENT, Policy()).article_id

    assert write(submit) == number
    assert read(lambda s: len(s.scalars(select(Article)).all())) == 1


def test_it_moves_back_and_nothing_leads_in_a_circle(app, make, write, read):
    number = make()
    for url in (NEW, ARTICLE):
        write(lambda s, mo, url=url: articles.move(s, s.get_one(Article, number), url, mo))
    assert read(lambda s: s.scalars(select(ArticleAlias.url)).all()) == [NEW]
    assert read(lambda s: [find(s, ARTICLE), find(s, NEW)]) == [number, number]


def test_an_article_that_takes_a_former_address_has_it_and_caches_see_another(make, write, read):
    first, second = make(), make(OTHER)
    write(lambda s, mo: articles.move(s, s.get_one(Article, first), NEW, mo))
    seen = read(lambda s: s.get_one(Article, first).version)
    write(lambda s, mo: articles.move(s, s.get_one(Article, second), ARTICLE, mo))
    assert read(lambda s: [find(s, ARTICLE), find(s, NEW)]) == [second, first]
    assert read(lambda s: s.get_one(Article, second).version) > seen


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        (ARTICLE, articles.SamePlace),
        (OTHER, articles.ElsewhereTaken),
        ("https://elsewhere.example/a", articles.OutsideOrigins),
    ],
)
def test_it_does_not_move_just_anywhere(app, make, write, url, refused):
    number = make()
    make(OTHER)
    with pytest.raises(refused):
        write(lambda s, mo: articles.move(s, s.get_one(Article, number), url, mo))
    assert events(app) == []


def test_where_somebody_begins_to_write_at_that_moment_it_does_not_move(app, make, write):
    number = make()

    def move(session, mo):
        article = session.get_one(Article, number)
        there = insert(Article).values(site_id=article.site_id, url=NEW)
        at_once = {"fn": lambda *_: session.connection().execute(there), "once": True}
        event.listen(session, "before_flush", **at_once)
        articles.move(session, article, NEW, mo)

    with pytest.raises(articles.ElsewhereTaken):
        write(move)
    assert events(app) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_move_and_a_reader_who_writes_there_wait_for_each_other(app, make, write):
    """Not both of them for the other: the row is locked for the address, not first for less."""
    number = make()
    failed = []

    def move():
        try:
            write(lambda s, mo: articles.move(s, s.get_one(Article, number), NEW, mo))
        except database.Busy as busy:
            failed.append(busy)

    mover = threading.Thread(target=move)
    with app.app_context(), database.writing() as session:
        session.add(comment(session.get_one(Article, number), status=Status.APPROVED))
        session.flush()
        mover.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        until = time.monotonic() + 10
        while not session.scalar(waiting):
            assert time.monotonic() < until
            time.sleep(0.01)
        moderation.recount(session, number)
    mover.join()
    assert failed == []


def test_no_address_of_a_person_comes_on_record(app, make, write):
    number = make(f"{ARTICLE}?by=rita@example.org")
    write(lambda s, mo: articles.move(s, s.get_one(Article, number), NEW, mo))
    assert "rita@example.org" not in str(events(app))


# Two made one


def test_two_become_one_and_no_comment_decision_or_count_is_lost(app, make, write, read):
    gone = make(OTHER, [Status.APPROVED] * 3 + [Status.PENDING, Status.SPAM])
    kept = make(ARTICLE, [Status.APPROVED, Status.PENDING], title="A review", is_title_proved=True)
    before = read(lambda s: sorted(s.scalars(select(Comment.public_id))))
    versions = read(lambda s: s.scalars(select(Article.version)).all())
    merge(write, gone, kept)
    # From the first moment: both addresses lead to the one that stays.
    assert read(lambda s: [find(s, OTHER), find(s, ARTICLE)]) == [kept, kept]
    finish(write, gone)
    article = read(lambda s: s.scalars(select(Article)).one())
    assert (article.id, article.url, article.title) == (kept, ARTICLE, "A review")
    assert (article.approved_count, article.version > max(versions)) == (4, True)
    assert read(lambda s: sorted(s.scalars(select(Comment.public_id)))) == before
    assert read(lambda s: articles.counts(s, s.get_one(Article, kept))) == {
        Status.APPROVED: 4,
        Status.PENDING: 2,
        Status.SPAM: 1,
    }
    assert read(lambda s: [find(s, OTHER), find(s, ARTICLE)]) == [kept, kept]
    assert read(lambda s: aliases.present(s, gone)) == kept
    assert events(app) == [("merged", "mo", f"{OTHER} → {ARTICLE}")]


def test_no_cache_takes_the_one_that_stays_for_the_one_that_went(make, write, read):
    gone, kept = make(OTHER, version=50), make()
    seen = read(lambda s: s.get_one(Article, gone).version)
    merge(write, gone, kept)
    assert read(lambda s: s.get_one(Article, kept).version) > seen


def test_a_link_by_number_leads_to_what_stays_whoever_takes_the_address(make, write, read):
    """As in a letter's way to leave."""
    gone, kept = make(OTHER), make()
    merge(write, gone, kept)
    finish(write, gone)
    for url in (OTHER, NEW, OTHER):
        write(lambda s, mo, url=url: articles.move(s, s.get_one(Article, kept), url, mo))
        assert read(lambda s: aliases.present(s, gone)) == kept
    third = make("https://daily.example/2026/third")
    run(write, read, has_merges=True, old="https://daily.example/2026/third", new=ARTICLE)
    assert read(lambda s: [find(s, ARTICLE), find(s, OTHER)]) == [third, kept]
    assert read(lambda s: aliases.present(s, gone)) == kept
    assert read(lambda s: articles.aliases(s, s.get_one(Article, kept))) == [NEW]


def test_no_new_article_has_the_number_of_one_that_is_part_of_another(app, make, write, read):
    kept, gone = make(), make(OTHER)
    assert read(aliases.unused) is None
    merge(write, gone, kept)
    finish(write, gone)

    def submit(session, _):
        site = session.scalars(select(Site)).one()
        sent = SENT.__class__(**(vars(SENT) | {"url": NEW}))
        return comments.submit(session, app.extensions["vault"], site, sent, Policy()).article_id

    assert write(submit) not in (gone, kept)
    assert read(aliases.unused) is None
    assert read(lambda s: aliases.present(s, gone)) == kept


def test_a_large_merge_goes_in_steps_and_every_number_is_right_between_them(
    monkeypatch, make, write, read
):
    monkeypatch.setattr("service.articles.merging.BATCH", 2)
    gone, kept = make(OTHER, [Status.APPROVED, Status.PENDING, Status.APPROVED]), make()
    merge(write, gone, kept)
    assert write(lambda s, _: articles.merge_step(s, gone))
    counted = read(lambda s: dict(s.execute(select(Article.id, Article.approved_count)).all()))
    assert counted == {gone: 1, kept: 2}
    # What somebody decides meanwhile is counted where it is then.
    last = read(
        lambda s: s.scalars(select(Comment).where(Comment.article_id == gone)).one().public_id
    )

    def spam(session, mo):
        found = comments.by_public_id(session, last)
        moderation.decide(session, found, Status.SPAM, found.version, mo)

    write(spam)
    finish(write, gone)
    assert read(lambda s: s.scalars(select(Article.approved_count)).all()) == [2]


def test_a_reply_to_what_has_not_arrived_yet_is_taken_and_shown(
    app, monkeypatch, make, write, read
):
    monkeypatch.setattr("service.articles.merging.BATCH", 1)
    gone, kept = make(OTHER), make()
    parent = read(lambda s: s.scalars(select(Comment).where(Comment.article_id == gone)).one())
    merge(write, gone, kept)

    def submit(session, mo):
        site = session.scalars(select(Site)).one()
        sent = SENT.__class__(**(vars(SENT) | {"url": OTHER, "parent": parent.public_id}))
        stored = comments.submit(session, app.extensions["vault"], site, sent, Policy())
        if stored.status != Status.APPROVED:
            moderation.decide(session, stored, Status.APPROVED, stored.version, mo)
        return stored.public_id

    reply = write(submit)

    def shown(session, at):
        page = threads.page(session, session.get_one(Article, kept), threads.Shape(), at=at)
        return [one.id for one in threads.every(page.comments)]

    read(lambda s: shown(s, reply))  # its parent is elsewhere still: no fault
    finish(write, gone)
    assert {parent.public_id, reply} <= set(read(lambda s: shown(s, reply)))
    below = read(lambda s: s.get_one(Comment, parent.id).approved_below)
    assert (below, read(lambda s: s.get_one(Article, kept).approved_count)) == (1, 3)


def test_a_comment_that_an_import_brought_to_both_is_kept_twice(make, write, read):
    gone, kept = make(OTHER, []), make(ARTICLE, [])

    def bring(session, _):
        for number in (gone, kept):
            article = session.get_one(Article, number)
            session.add(comment(article, status=Status.PENDING, source="disqus", source_id="7"))
        article = session.get_one(Article, gone)
        session.add(comment(article, status=Status.PENDING, source="disqus", source_id="8"))

    write(bring)
    merge(write, gone, kept)
    finish(write, gone)
    ids = read(lambda s: s.scalars(select(Comment.source_id).order_by(Comment.id)).all())
    assert ids == [None, "7", "8"]


def test_followers_letters_pins_ids_and_aliases_go_along(app, make, write, read):
    gone = make(OTHER, [Status.APPROVED] * 2, given_id="post-7")
    kept = make(ARTICLE, [Status.APPROVED] * 2)

    def follow(session, mo):
        site_id = session.get_one(Article, kept).site_id
        for number, (name, followed) in enumerate({"a": [gone, kept], "b": [gone]}.items()):
            author = Author(
                site_id=site_id, email_index=name.encode(), email_ciphertext=b"", email_key_id=""
            )
            session.add(author)
            session.flush()
            for article_id in followed:
                at = AT if article_id == gone else None
                session.add(Follow(author_id=author.id, article_id=article_id, confirmed_at=at))
            session.flush()
            session.add(
                Letter(
                    kind=LetterKind.FOLLOWED, site_id=site_id, author_id=author.id,
                    article_id=gone, cause_key=f"test {number}", due_at=AT, message_id="",
                    follow_id=session.scalars(
                        select(Follow.id).where(Follow.article_id == gone).order_by(Follow.id.desc())
                    ).first(),
                )
            )  # fmt: skip
        session.add(Wave(site_id=site_id, article_id=gone))
        for number, found in enumerate(session.scalars(select(Comment))):
            found.pinned_at = AT + timedelta(minutes=number)
        articles.move(session, session.get_one(Article, gone), NEW, mo)

    write(follow)
    merge(write, gone, kept)
    finish(write, gone)
    follows = read(lambda s: s.scalars(select(Follow).order_by(Follow.author_id)).all())
    assert [(one.article_id, one.confirmed_at is not None) for one in follows] == [(kept, True)] * 2
    letters = read(lambda s: s.scalars(select(Letter).order_by(Letter.author_id)).all())
    assert [(one.article_id, one.follow_id) for one in letters] == [
        (kept, follow.id) for follow in follows
    ]
    assert read(lambda s: s.scalars(select(Wave.article_id)).all()) == [kept]
    pinned = select(Comment.id).where(Comment.pinned_at.is_not(None))
    assert read(lambda s: len(s.scalars(pinned).all())) == moderation.MOST_PINNED
    addresses = (OTHER, NEW, ARTICLE)
    assert read(lambda s: [find(s, url) for url in addresses]) == [kept] * 3
    assert read(lambda s: find(s, "https://daily.example/unknown", "post-7")) == kept


def test_what_cannot_be_one_stays_two(app, make, write, read):
    gone, kept, third = make(OTHER), make(), make(NEW)
    add_site(app, "stars", "https://stars.example")
    write(
        lambda s, _: s.add(
            Article(
                site_id=s.scalars(select(Site.id).where(Site.key == "stars")).one(),
                url="https://stars.example/a",
            )
        )
    )
    foreign = read(
        lambda s: s.scalars(select(Article.id).where(Article.url.contains("stars"))).one()
    )
    for pair in ((kept, kept), (gone, foreign)):
        with pytest.raises(articles.NotMergeable):
            merge(write, *pair)
    merge(write, gone, kept)
    for pair in ((gone, third), (third, gone), (kept, third)):
        with pytest.raises(articles.NotMergeable):
            merge(write, *pair)
    assert read(lambda s: articles.half_merged(s)) == [gone]


# All of a pattern


@pytest.mark.parametrize(
    ("old", "new", "url", "becomes"),
    [
        ("https://a.example/*", "https://b.example/blog/*", "https://a.example/x?p=1", "https://b.example/blog/x?p=1"),
        ("http://a.example/*", "https://a.example/*", "http://a.example/", "https://a.example/"),
        ("https://a.example/?p=*", "https://a.example/archives/*", "https://a.example/?p=12", "https://a.example/archives/12"),
        ("https://a.example/*.html", "https://a.example/*/", "https://a.example/x.html", "https://a.example/x/"),
        ("https://a.example/*.html", "https://a.example/*/", "https://a.example/x.php", None),
        ("https://a.example/*aa", "https://a.example/*b", "https://a.example/a", None),
        ("HTTPS://A.example/%c3%a9/*", "https://a.example/e/*", "https://a.example/%C3%A9/x", "https://a.example/e/x"),
    ],
)  # fmt: skip
def test_a_star_stands_for_what_stays(old, new, url, becomes):
    was, now_is = articles.Pattern.read(old), articles.Pattern.read(new)
    between = was.between(url)
    assert (None if between is None else now_is.with_star(between)) == becomes


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("https://daily.example*", "https://daily.example/*", "address"),
        ("h*://daily.example/", "https://daily.example/*", "address"),
        ("https://old.example/*/*", "https://daily.example/*", "star"),
        ("https://old.example/*", "https://daily.example/", "star"),
        ("https://daily.example/*", "https://daily.example/*", "same"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_word(mo, read, old, new, why):
    with pytest.raises(articles.NotAPattern, match=why):
        read(lambda s: articles.rehearse(s, s.scalars(select(Site)).one(), old, new))


OLD_ADDRESSES = "https://daily.example/2026/*"
NEW_ADDRESSES = "https://daily.example/blog/*"


def rehearse(session, old=OLD_ADDRESSES, new=NEW_ADDRESSES):
    return articles.rehearse(session, session.scalars(select(Site)).one(), old, new)


def run(write, read, has_merges=False, old=OLD_ADDRESSES, new=NEW_ADDRESSES):
    def begin(session, mo):
        site = session.scalars(select(Site)).one()
        total = articles.rehearse(session, site, old, new).total
        return articles.begin_move(session, site, old, new, has_merges, total, mo).id

    number = write(begin)
    is_more = True
    while is_more:
        ids = read(lambda s: articles.ahead(s, s.get_one(Move, number)))
        is_more = write(lambda s, _, ids=ids: articles.move_step(s, number, ids))
    return read(lambda s: s.get_one(Move, number))


def test_all_of_a_pattern_move_and_the_old_addresses_stay(app, monkeypatch, make, write, read):
    monkeypatch.setattr("service.articles.patterns.BATCH", 2)
    urls = [f"https://daily.example/2026/{n}" for n in range(5)]
    numbers = [make(url) for url in urls]
    make("https://daily.example/2025/5")
    found = read(rehearse)
    assert (found.total, found.taken) == (5, 0)
    assert found.samples[0] == (urls[0], "https://daily.example/blog/0")
    done = run(write, read)
    assert (done.moved, done.merged, done.left, done.state) == (5, 0, 0, BulkState.DONE)
    assert read(lambda s: [find(s, url) for url in urls]) == numbers
    assert read(lambda s: find(s, "https://daily.example/blog/3")) == numbers[3]
    assert read(lambda s: s.get_one(Article, numbers[0]).version) == 3
    assert [what for what, *_ in events(app)] == ["move_began", "move_ended"]
    assert events(app)[-1][2].endswith("(done: 5 moved, 0 merged, 0 left)")
    assert read(rehearse).total == 0


@pytest.mark.parametrize(("has_merges", "counted"), [(False, (1, 0, 1)), (True, (1, 1, 0))])
def test_one_whose_new_address_is_anothers_stays_or_is_made_one(
    make, write, read, has_merges, counted
):
    first, second = make("https://daily.example/2026/1"), make("https://daily.example/2026/2")
    there = make("https://daily.example/blog/2")
    found = read(rehearse)
    assert (found.total, found.taken, len(found.collisions)) == (2, 1, 1)
    done = run(write, read, has_merges)
    assert (done.moved, done.merged, done.left) == counted
    finish(write, second)
    at = read(lambda s: [find(s, f"https://daily.example/2026/{n}") for n in (1, 2)])
    assert at == [first, there if has_merges else second]


def test_run_twice_it_moves_nothing_twice(make, write, read):
    number = make("https://daily.example/x")
    pattern = {"old": "https://daily.example/*", "new": "https://daily.example/blog/*"}
    assert run(write, read, **pattern).moved == 1
    assert read(lambda s: rehearse(s, **pattern)).total == 0
    assert run(write, read, **pattern).moved == 0
    assert read(lambda s: s.get_one(Article, number).url) == "https://daily.example/blog/x"


def test_a_move_is_stopped_and_taken_up_again(monkeypatch, make, write, read):
    monkeypatch.setattr("service.articles.patterns.BATCH", 1)
    numbers = [make(f"https://daily.example/2026/{n}") for n in range(3)]

    def begin(session, mo):
        site = session.scalars(select(Site)).one()
        return articles.begin_move(session, site, OLD_ADDRESSES, NEW_ADDRESSES, False, 3, mo).id

    def step():
        ids = read(lambda s: articles.ahead(s, s.get_one(Move, move)))
        return write(lambda s, _: articles.move_step(s, move, ids))

    move = write(begin)
    with pytest.raises(articles.StillRunning):
        write(begin)
    assert step()
    write(lambda s, mo: articles.stop(s, s.get_one(Move, move), mo))
    assert not step()
    assert read(lambda s: s.get_one(Article, numbers[1]).url) == "https://daily.example/2026/1"
    assert read(articles.running) == []
    write(lambda s, mo: articles.resume(s, s.get_one(Move, move), mo))
    while step():
        pass
    assert read(lambda s: s.get_one(Move, move).moved) == 3


# The list


def test_the_list_is_walked_in_each_order_and_says_what_waits(make, read):
    for number in range(5):
        statuses = [Status.APPROVED] * number + [Status.PENDING, Status.SPAM]
        make(f"https://daily.example/{number}", statuses)

    def walk(session, sort):
        site_id = session.scalars(select(Site.id)).one()
        after, seen = None, []
        while True:
            page = articles.page(session, site_id, sort=sort, after=after, size=2)
            seen += [row.article.url[-1] for row in page.rows]
            after = page.later
            if after is None:
                return "".join(seen)

    walked = [read(lambda s, sort=sort: walk(s, sort)) for sort in articles.ORDERS]
    assert walked == ["43210", "43210", "01234"]
    row = read(lambda s: articles.page(s, s.scalars(select(Site.id)).one())).rows[0]
    assert (row.article.approved_count, row.pending, row.others, row.every) == (4, 1, 1, 6)
    assert row.article.last_at == AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("harbour", 1), ("HARBOUR light", 1), ("light nothing", 0), ("2026/rev", 1), ("100%", 0),
        ("über", 1), ("Über", 1), ("é", 1), ("", 2), ("a_b", 0), ("\\", 0),
    ],
)  # fmt: skip
def test_it_is_searched_by_title_and_address(make, read, sought, found):
    make(ARTICLE, title="Über the harbour light", is_title_proved=True)
    make("https://daily.example/caf%C3%A9", title="A 100 b")
    page = read(lambda s: articles.page(s, s.scalars(select(Site.id)).one(), sought))
    assert len(page.rows) == found


def test_a_whole_address_finds_what_stood_there_before(make, write, read):
    number = make()
    write(lambda s, mo: articles.move(s, s.get_one(Article, number), NEW, mo))
    page = read(lambda s: articles.page(s, s.scalars(select(Site.id)).one(), ARTICLE))
    assert (page.rows, page.by_address.id) == ([], number)


def test_a_new_comment_is_an_articles_last_one_whatever_becomes_of_it(app, make, write, read):
    number = make()
    at = now()

    def submit(session, _):
        site = session.scalars(select(Site)).one()
        return comments.submit(session, app.extensions["vault"], site, SENT, Policy(), at).status

    write(submit)
    assert read(lambda s: s.get_one(Article, number).last_at) == at
