"""A long thread: its order, more of it in place, who is answered, when."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from rita import add_comment, add_comments, add_site, thread
from sqlalchemy import select

from service import database
from service.models import Article, Comment, now
from service.status import Mark

ARTICLE = "https://daily.example/harbour"


@pytest.fixture(autouse=True)
def site(live):
    add_site(live.app, "https://daily.example", page_size=5, replies_shown=3, likes=True)


@pytest.fixture
def change(live):
    """Changes a comment as the desk or its author would."""

    def change(public_id, **values):
        with live.app.app_context(), database.writing() as session:
            comment = session.scalars(select(Comment).where(Comment.public_id == public_id)).one()
            for name, value in values.items():
                setattr(comment, name, value)
            session.get_one(Article, comment.article_id).version += 1

    return change


def numbers(page):
    return [
        int(said)
        for said in re.findall(r"\d+", " ".join(page.locator(".comment-body").all_inner_texts()))
    ]


def test_more_replies_come_in_place_and_the_keyboard_goes_on_there(page, live):
    add_comments(live.app, ARTICLE, [f"Number {n}." for n in range(12)])
    page.goto(thread(live.url, ARTICLE))
    for shown, said in ((10, "5 more replies are shown."), (12, "2 more replies are shown.")):
        page.get_by_role("link", name="Show more replies").press("Enter")
        expect(page.locator(".comment")).to_have_count(shown)
        expect(page.get_by_role("status")).to_have_text(said)
        first_new = page.locator(".comment").nth(shown - int(said[0]))
        expect(first_new).to_be_focused()
    expect(page.get_by_role("link", name="Show more replies")).to_have_count(0)
    assert numbers(page) == list(range(12))


def test_more_replies_under_a_comment_come_in_place(page, live):
    top = add_comment(live.app, ARTICLE, name="Top", typed="Begin 0.")
    add_comments(live.app, ARTICLE, [f"Number {n}." for n in range(1, 8)], answers=top)
    page.goto(thread(live.url, ARTICLE))
    for name in ("Show 3 more replies", "Show 1 more reply"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.locator(f"#comment-{top} > .replies > .comment")).to_have_count(7)
    expect(page.get_by_role("status")).to_have_text("1 more reply is shown.")
    assert numbers(page) == list(range(8))


def test_where_more_cannot_be_fetched_the_link_is_a_link(page, live):
    add_comments(live.app, ARTICLE, [f"Number {n}." for n in range(8)])
    page.goto(thread(live.url, ARTICLE))
    page.evaluate("() => void (window.fetch = () => Promise.reject())")
    page.get_by_role("link", name="Show more replies").click()
    page.wait_for_url(re.compile("after="))
    assert numbers(page) == [5, 6, 7]


def test_a_reader_chooses_the_order(page, live):
    add_comments(live.app, ARTICLE, [f"Number {n}." for n in range(7)])
    page.goto(thread(live.url, ARTICLE))
    order = page.get_by_role("navigation", name="Order of replies")
    expect(order.locator("[aria-current]")).to_have_text("Oldest first")
    order.get_by_role("link", name="Newest first").click()
    expect(order.locator("[aria-current]")).to_have_text("Newest first")
    page.get_by_role("link", name="Show more replies").click()
    expect(page.locator(".comment")).to_have_count(7)
    assert numbers(page) == [6, 5, 4, 3, 2, 1, 0]


def test_who_is_answered_is_one_step_away(page, live):
    top = add_comment(live.app, ARTICLE)
    ids = add_comments(live.app, ARTICLE, ["One.", "Two.", "Three."], name="Bea", answers=top)
    add_comment(live.app, ARTICLE, name="Cai", typed="To one.", answers=ids[0])
    page.goto(thread(live.url, ARTICLE))
    page.get_by_role("link", name="Show 1 more reply").click()
    answered = page.locator(".comment-answers")
    expect(answered).to_have_text("in reply to Bea")
    answered.get_by_role("link").click()
    expect(page.locator(f"#comment-{ids[0]}")).to_be_focused()


def test_times_are_said_as_people_say_them(page, live, change):
    public_id = add_comment(live.app, ARTICLE)
    change(public_id, created_at=now() - timedelta(hours=3, minutes=5), edited_at=now())
    page.goto(thread(live.url, ARTICLE))
    time = page.locator(".comment-link time")
    expect(time).to_have_text("3 hours ago")
    expect(time).to_have_attribute("title", re.compile(r"\d{4}, \d\d:\d\d UTC"))
    expect(time).to_have_attribute("datetime", re.compile(r"\+00:00$"))
    expect(page.locator(".comment-edited")).to_have_text("edited now")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_it_is_fit_to_be_seen(page, live, change, screenshot, width, scheme):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    top = add_comment(live.app, ARTICLE, typed="Is the lamp lit in summer?")
    staff = add_comment(live.app, ARTICLE, name="The keeper", typed="It is.", answers=top)
    change(staff, mark=Mark.STAFF, like_count=12, edited_at=now() - timedelta(days=2))
    author = add_comment(
        live.app, ARTICLE, name="Wilhelmina Ostermann", typed="It was.", answers=staff
    )
    change(author, mark=Mark.AUTHOR)
    add_comments(
        live.app, ARTICLE, ["And now?", "Still.", "To the end."], name="Bea", answers=staff
    )
    add_comments(live.app, ARTICLE, [f"Number {n}." for n in range(6)])
    page.goto(thread(live.url, ARTICLE, at=staff))
    page.mouse.move(0, 0)
    screenshot(page, f"long-thread-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = """() => [...document.querySelectorAll('.sorts a, .pager a, .answers-link, .comment-link')]
        .filter((link) => link.getBoundingClientRect().height < 24).map((link) => link.className)"""
    assert page.evaluate(small) == []
