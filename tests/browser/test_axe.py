"""No barrier that axe-core can see, and the whole use by keyboard."""

import pytest
from barriers import barriers
from cast import add_moderator
from playwright.sync_api import expect
from rita import RITA, add_comment, add_site, fill, send, stored, thread

from service import accounts, database
from service.status import Status


@pytest.fixture(params=["light", "dark"])
def look(request):
    return request.param


@pytest.fixture
def page(browser, look):
    """A tab 320 px wide in the colours that the test asks for, past the pages' policy for scripts."""
    context = browser.new_context(
        bypass_csp=True,
        color_scheme=look,
        viewport={"width": 320, "height": 800},
        locale="en-GB",
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def article(live, publisher):
    add_site(live.app, publisher.url)
    return publisher.url + "/harbour"


def test_a_reader_meets_no_barrier(page, live, article):
    page.goto(thread(live.url, article))
    assert barriers(page) == {}  # empty
    ada = add_comment(live.app, article, typed="> quoted\n\n`code` <https://a.example>")
    add_comment(live.app, article, "Grace", "A reply.", answers=ada)
    gone = add_comment(live.app, article, status=Status.DELETED)
    add_comment(live.app, article, "Hedy", answers=gone)
    page.goto(thread(live.url, article))
    assert barriers(page) == {}
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    assert barriers(page) == {}
    page.get_by_role("link", name="Reply to Grace").click()
    fill(page)
    assert barriers(page) == {}
    send(page)
    link = page.get_by_role("link", name="Keep its link")
    expect(link).to_be_visible()
    assert barriers(page) == {}
    page.goto(live.url + link.get_attribute("href"))
    expect(page.locator("#receipt")).to_be_visible()
    assert barriers(page) == {}
    page.goto(f"{live.url}/receipts/torn")
    assert barriers(page) == {}


def test_nor_in_a_frame(page, live, publisher, article):
    add_comment(live.app, article)
    html = (
        '<!doctype html><html lang="en"><title>A</title><main><h1>A</h1>'
        f'<rejoinder-thread site="daily"><a href="/">Replies</a></rejoinder-thread></main>'
        f'<script src="{live.url}/embed.js"></script>'
    )
    publisher.write("/harbour", html)
    page.goto(article)
    expect(page.locator("iframe").content_frame.get_by_text("A fine review.")).to_be_visible()
    assert barriers(page) == {}
    assert barriers(page.frames[1]) == {}


def test_nor_does_a_moderator(page, live, publisher, article):
    for way_in in ("login", "forgotten"):
        page.goto(f"{live.url}/desk/{way_in}")
        assert barriers(page) == {}
    add_comment(live.app, article, "Rita", status=Status.PENDING)
    moderator_id = add_moderator(live.app, "mo@daily.example")
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, moderator_id))
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    assert barriers(page) == {}
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".card")).to_be_visible()
    assert barriers(page) == {}
    page.goto(f"{live.url}/desk/comments/{stored(live.app)[0].public_id}")
    assert barriers(page) == {}


@pytest.mark.parametrize("look", ["light"])
def test_rita_needs_only_her_keyboard(page, live, article):
    add_comment(live.app, article)
    page.goto(thread(live.url, article))
    keys = page.keyboard
    reply = page.get_by_role("link", name="Reply to Ada")
    for _ in range(10):
        keys.press("Tab")
        if reply.evaluate("(link) => link === document.activeElement"):
            break
    expect(reply).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    for label in ("Name", "Email", "Website", "Comment"):
        field = page.get_by_role("textbox", name=label)
        while not field.evaluate("(field) => field === document.activeElement"):
            keys.press("Tab")
        keys.type(RITA.get(label, ""))
    button = page.get_by_role("button", name="Post reply")
    while not button.evaluate("(button) => button === document.activeElement"):
        keys.press("Tab")
    keys.press("Enter")
    expect(page.locator(".comment.is-own")).to_be_focused()
    expect(page.get_by_role("status")).not_to_be_empty()
