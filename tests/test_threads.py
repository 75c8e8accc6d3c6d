from datetime import UTC, datetime, timedelta

import pytest
from cast import add_site
from sqlalchemy import select

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


@pytest.mark.parametrize("place", [{"after": "nonsense"}, {"at": "nonsense"}])
def test_an_unknown_place_is_the_first_page(grow, page, place):
    grow("+a\n+b")
    assert drawn(page(**place).comments) == ["a", "b"]


def test_an_imported_name_that_is_an_address_is_masked(grow, page):
    grow("+jane@example.org")
    assert "example.org" not in page().comments[0].name


def test_public_values_have_no_field_for_an_address():
    fields = set(threads.Shown.__dataclass_fields__) | set(threads.Thread.__dataclass_fields__)
    assert not any("mail" in name or "author" in name for name in fields)
