from datetime import UTC, datetime, timedelta

import pytest
from cast import add_site
from sqlalchemy import delete, event, insert, select

from service import database, moderation, threads
from service.models import Article, Comment
from service.rules import Verdict
from service.status import Status

START = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = {"+": Status.APPROVED, "-": Status.DELETED, "?": Status.PENDING, "!": Status.SPAM}


@pytest.fixture
def grow(app):
    """Grows a thread from lines like "  +name": two spaces a level, then the status."""
    site_id = add_site(app)

    def grow(drawn):
        with app.app_context(), database.writing() as session:
            article = Article(site_id=site_id, url="https://daily.example/a")
            session.add(article)
            session.flush()
            above = []
            for number, line in enumerate(drawn.split("\n")):
                level = (len(line) - len(line.lstrip())) // 2
                above = above[:level]
                parent = above[-1] if above else None
                comment = Comment(
                    site_id=site_id,
                    article_id=article.id,
                    parent_id=parent.id if parent else None,
                    root_id=(parent.root_id or parent.id) if parent else None,
                    public_id=line.strip()[1:13],
                    name=line.strip()[1:],
                    text="",
                    html="",
                    renderer=1,
                    status=moderation.initial(Verdict(LETTERS[line.strip()[0]])),
                    created_at=START + timedelta(minutes=number),
                )
                session.add(comment)
                session.flush()
                above.append(comment)
            moderation.recount(session, article.id)

    return grow


@pytest.fixture
def page(app):
    def page(size=50, depth=4, replies=20, sort="oldest", **place):
        with app.app_context():
            article = database.session().scalars(select(Article)).one()
            shape = threads.Shape(sort, size, replies, depth)
            return threads.page(database.session(), article, shape, **place)

    return page


def drawn(comments, level=0):
    """A thread as `grow` takes it, placeholders as "()" and flat replies with "> whom"."""
    lines = []
    for comment in comments:
        name = "()" if comment.is_gone else comment.name
        answers = f" > {comment.answers.name or '()'}" if comment.answers else ""
        lines += ["  " * level + name + answers, *drawn(comment.replies, level + 1)]
    return lines


def test_replies_stand_under_what_they_answer_oldest_first(grow, page):
    grow("+a\n  +b\n    +c\n  +d\n+e")
    assert drawn(page().comments) == ["a", "  b", "    c", "  d", "e"]
    assert page().count == 5


def test_what_is_not_approved_is_not_there(grow, page):
    grow("?a\n+b\n  !c\n  -d\n-e")
    assert drawn(page().comments) == ["b"]


@pytest.mark.parametrize("status", "-?!")
def test_what_holds_approved_replies_leaves_a_nameless_place(grow, page, status):
    grow(f"{status}a\n  +b\n+c\n  {status}d\n    ?e\n      +f")
    shown = page().comments
    assert drawn(shown) == ["()", "  b", "c", "  ()", "    ()", "      f"]
    assert (shown[0].name, shown[0].html, shown[0].website) == ("", "", "")


def test_deeper_replies_stay_attached_and_say_whom_they_answer(grow, page):
    grow("+a\n  +b\n    +c\n      +d\n      +e\n    +f")
    assert drawn(page(depth=1).comments) == ["a", "  b", "  c > b", "  d > c", "  e > c", "  f > b"]


def test_nesting_of_any_depth_is_shown(grow, page):
    grow("\n".join("  " * level + f"+{level}" for level in range(1_200)))
    assert len(drawn(page(replies=1_200).comments)) == 1_200


def test_pages_are_walked_in_both_directions_and_overlap_nowhere(grow, page):
    grow("\n".join(["+a", "  +a1", "?b", "+c", "-d", "  +d1", "+e", "+f"]))
    first = page(size=2)
    second = page(size=2, after=first.later)
    third = page(size=2, after=second.later)
    assert [drawn(p.comments) for p in (first, second, third)] == [
        ["a", "  a1", "c"],
        ["()", "  d1", "e"],
        ["f"],
    ]
    assert (first.earlier, first.later, third.later) == (None, "c", None)
    assert (second.earlier, third.earlier) == ("", "c")


@pytest.mark.parametrize("wanted", ["r5", "r5a", "r0", "r9"])
def test_it_opens_the_page_that_holds_a_comment(grow, page, wanted):
    grow("\n".join(f"+r{n}\n  +r{n}a" for n in range(10)))
    shown = page(size=3, at=wanted)
    assert threads.find(shown.comments, wanted).name == wanted


@pytest.mark.parametrize("sort", threads.ORDERS)
def test_every_order_is_walked_without_gap_or_overlap(app, grow, page, sort):
    grow("\n".join(f"+r{n}" for n in range(11)))
    with app.app_context(), database.writing() as session:
        for comment in session.scalars(select(Comment)):
            comment.like_count = int(comment.name[1:]) % 4
    found, after = [], ""
    while after is not None:
        shown = page(size=3, sort=sort, after=after)
        found.append([c.name for c in shown.comments])
        after = shown.later
    wanted = [f"r{n}" for n in range(11)]
    wanted.sort(key={"oldest": lambda r: 0, "newest": lambda r: -int(r[1:])}.get(sort, _liked))
    assert [name for names in found for name in names] == wanted
    for number, names in enumerate(found):
        assert page(size=3, sort=sort, at=names[0]).comments, names
        assert threads.find(page(size=3, sort=sort, at=names[-1]).comments, names[-1])
        if number:
            before = page(size=3, sort=sort, after=found[number - 1][-1]).earlier
            start = page(size=3, sort=sort, after=before)
            assert [c.name for c in start.comments] == found[number - 1]


def _liked(name):
    return -(int(name[1:]) % 4), -int(name[1:])


def test_only_the_first_replies_are_shown_and_the_rest_by_pages(grow, page):
    grow("+a\n" + "\n".join(f"  +r{n}" for n in range(8)) + "\n+b\n  +c")
    first = page(replies=3)
    assert drawn(first.comments) == ["a", "  r0", "  r1", "  r2", "b", "  c"]
    assert (first.comments[0].more, first.comments[0].last) == (3, "r2")
    assert (first.comments[1].more, first.comments[0].earlier) == (0, None)
    second = page(replies=3, under="a", after="r2")
    assert drawn(second.comments) == ["a", "  r3", "  r4", "  r5"]
    assert (second.under, second.shown, second.earlier, second.later) == ("a", 3, None, None)
    assert (second.comments[0].more, second.comments[0].earlier) == (2, "")
    third = page(replies=3, under="a", after=second.comments[0].last)
    assert drawn(third.comments) == ["a", "  r6", "  r7"]
    assert (third.comments[0].more, third.comments[0].earlier) == (0, "r2")


def test_later_replies_stand_flat_and_say_whom_they_answer(grow, page):
    grow("+a\n  +b\n  -c\n  +d\n    +e\n      +f\n  +g")
    shown = page(replies=2, under="a", after="d")
    assert drawn(shown.comments) == ["a", "  e > d", "    f"]


def test_a_later_reply_to_what_is_gone_says_so(grow, page):
    grow("+a\n  +b\n  -c\n    +d\n    +e")
    assert drawn(page(replies=2).comments) == ["a", "  b", "  ()", "    d"]
    assert drawn(page(replies=2, under="a", after="d").comments) == ["a", "  e > ()"]


@pytest.mark.parametrize("wanted", ["r0", "r2", "r3", "r9", "s5"])
def test_it_opens_the_replies_around_one_far_down(grow, page, wanted):
    grow(
        "+x\n+a\n"
        + "\n".join(f"  +r{n}" for n in range(10))
        + "\n+y\n"
        + "\n".join(f"  +s{n}" for n in range(6))
    )
    shown = page(size=2, replies=3, at=wanted)
    assert threads.find(shown.comments, wanted)
    assert all(len(root.replies) <= 3 for root in shown.comments)


@pytest.mark.parametrize("wanted", ["c", "e"])
def test_asking_for_what_is_not_shown_does_not_show_it(grow, page, wanted):
    grow("+a\n  +b\n  !c\n-d\n  ?e")
    assert drawn(page(at=wanted).comments) == ["a", "  b"]
    assert drawn(page(under=wanted).comments) == ["a", "  b"]


def test_placeholders_on_top_of_each_other_are_looked_for_to_a_bound(grow, page):
    levels = threads.HIGHEST + 3
    lines = [f"{'  ' * (n + 1)}-c{n}" for n in range(levels)]
    grow("\n".join(["+a", *lines, "  " * (levels + 1) + "+z"]))
    shown = [line.strip() for line in drawn(page(depth=20).comments)]
    assert shown == ["a", *["()"] * threads.HIGHEST, "z"]


@pytest.fixture
def cost(app):
    """Opens a page of the only thread; gives the queries it took and, on SQLite, the steps."""

    def cost(**place):
        told = {"queries": 0, "steps": 0}

        def count(what):
            told[what] += 1

        def query(*_):
            count("queries")

        engine = app.extensions["database"].read_engine
        with app.app_context():
            session = database.session()
            article = session.scalars(select(Article)).one()
            raw = session.connection().connection.driver_connection
            event.listen(engine, "before_cursor_execute", query)
            if engine.name == "sqlite":
                raw.set_progress_handler(lambda: count("steps"), 50)
            shape = threads.Shape(place.pop("sort", "oldest"), size=20, replies=20)
            threads.page(session, article, shape, **place)
            event.remove(engine, "before_cursor_execute", query)
            if engine.name == "sqlite":
                raw.set_progress_handler(None, 0)
        return told["queries"], told["steps"]

    return cost


def long_thread(app, site_id, size, is_flat, is_approved):
    """An article with so many comments; gives the ids of the first and the last one shown."""
    rows = [
        {
            "id": n + 1,
            "public_id": f"c{n}",
            "site_id": site_id,
            "parent_id": 1 if n and not is_flat else None,
            "root_id": 1 if n and not is_flat else None,
            "name": f"r{n}",
            "text": "",
            "html": "",
            "renderer": 1,
            "status": moderation.imported(Status.APPROVED if is_approved(n) else Status.SPAM),
            "created_at": START + timedelta(minutes=n),
        }
        for n in range(size)
    ]
    with app.app_context(), database.writing() as session:
        session.execute(delete(Comment))
        session.execute(delete(Article))
        article = Article(site_id=site_id, url="https://daily.example/a")
        session.add(article)
        session.flush()
        session.execute(insert(Comment), [row | {"article_id": article.id} for row in rows])
        moderation.recount(session, article.id)
    return "c0", next(f"c{n}" for n in reversed(range(size)) if is_approved(n))


LONG = {
    "many comments": (True, lambda n: True),
    "all under one": (False, lambda n: True),
    "spam under one": (False, lambda n: n % 4 == 0),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_thread_costs_no_more_than_a_short_one(app, cost, kind):
    site_id = add_site(app)
    found = {}
    for size in (80, 4_000):
        first, last = long_thread(app, site_id, size, *LONG[kind])
        for sort in threads.ORDERS:
            for place in ({}, {"at": last}, {"under": first}, {"under": first, "after": last}):
                found.setdefault((sort, *place), []).append(cost(sort=sort, **place))
    for place, ((_, short), (queries, long)) in found.items():
        assert queries <= 16, place
        assert long <= 2 * short + 60, place


@pytest.mark.parametrize("place", [{"after": "nonsense"}, {"at": "nonsense"}, {"under": "?"}])
def test_an_unknown_place_is_the_first_page(grow, page, place):
    grow("+a\n+b")
    assert drawn(page(**place).comments) == ["a", "b"]


def test_an_imported_name_that_is_an_address_is_masked(grow, page):
    grow("+jane@example.org")
    assert "example.org" not in page().comments[0].name


def test_public_values_have_no_field_for_an_address():
    fields = set(threads.Shown.__dataclass_fields__) | set(threads.Thread.__dataclass_fields__)
    assert not any("mail" in name or "author" in name for name in fields)


@pytest.fixture
def pin(app):
    """Pins comments, the last named first on the page."""

    def pin(*names):
        with app.app_context(), database.writing() as session:
            for number, name in enumerate(names):
                found = session.scalar(select(Comment).where(Comment.name == name))
                found.pinned_at = START + timedelta(hours=number)

    return pin


@pytest.mark.parametrize("sort", threads.ORDERS)
def test_what_is_pinned_stands_above_the_others_on_the_first_page_alone(grow, page, pin, sort):
    grow("\n".join(["+r0", "+r1", "  +a", *(f"+r{n}" for n in range(2, 7))]))
    pin("r4", "r1")
    found, after = [], ""
    while after is not None:
        shown = page(size=2, sort=sort, after=after)
        found.append(drawn(shown.comments))
        after = shown.later
    assert found[0][:3] == ["r1", "  a", "r4"]
    assert len(found) == 3
    others = [name for names in (found[0][3:], *found[1:]) for name in names]
    assert sorted(others) == ["r0", "r2", "r3", "r5", "r6"]
    first = page(size=2, sort=sort)
    assert [c.name for c in threads.every(first.comments) if c.is_pinned] == ["r4", "r1"]
    for wanted in ("r4", "a"):
        assert drawn(page(size=2, sort=sort, at=wanted).comments) == found[0]
    last = page(size=2, sort=sort, at=others[-1])
    assert last.earlier is not None
    assert not [c for c in last.comments if c.is_pinned]


def test_only_what_stands_above_the_others_is_called_pinned(grow, page, pin):
    """Whatever the rows say of a fourth."""
    grow("+r0\n+r1\n+r2\n+r3\n+r4")
    pin("r1", "r2", "r3", "r4")
    assert [c.name for c in page().comments if c.is_pinned] == ["r4", "r3", "r2"]
    assert not [c for c in page(at="r1", size=1).comments if c.is_pinned and c.name == "r1"]


@pytest.mark.parametrize("drawing", ["?a\n+b", "-a\n  +c\n+b", "+b\n  +a"])
def test_a_pin_shows_nothing_that_is_not_shown_and_moves_no_reply(grow, page, pin, drawing):
    grow(drawing)
    without = drawn(page().comments)
    pin("a")
    assert drawn(page().comments) == without
    assert not [c for c in threads.every(page().comments) if c.is_pinned]


def test_a_fourth_pin_stands_where_it_stood(grow, page, pin):
    grow("+a\n+b\n+c\n+d\n+e")
    pin("e", "d", "c", "b")
    assert drawn(page().comments) == ["b", "c", "d", "a", "e"]
