"""Mo and Ada at one desk, each in a browser of their own."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from cast import ORIGIN, add_moderator, add_site, stored
from flask import Flask
from live import Live, sign_in_browser
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from service import accounts, database
from service.models import Article, Comment, Site, now
from service.status import Status
from service.views import together

NAMES = ("Rita", "Otto", "Lena", "Pit", "Zoe", "Kim", "Sue", "Tom", "Uli", "Vera")
SMALLEST: Any = {"width": 320, "height": 640}


def fill(app: Flask, *names: str, status: Status = Status.PENDING) -> None:
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).one()
        article = session.scalars(select(Article)).first()
        if article is None:
            article = Article(site_id=site.id, url=f"{ORIGIN}/review", title="A review")
            article.is_title_proved = True
            session.add(article)
            session.flush()
        for name in names:
            row: dict[str, Any] = {
                "name": name,
                "text": "I saw it.",
                "html": "<p>I saw it.</p>",
                "renderer": 1,
            }
            row |= {"site_id": site.id, "article_id": article.id}
            if name in NAMES:  # in this order, and long ago
                at = now() - timedelta(hours=9, minutes=-NAMES.index(name))
                row["created_at"] = at
            session.add(Comment(status=status, **row))


@pytest.fixture
def live(live: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.setattr(together, "BEAT", 300)
    add_site(live.app)
    fill(live.app, *NAMES)
    return live


@pytest.fixture
def enter(live: Live, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Signs a moderator in, in a browser of their own; gives their tab, at the queue."""
    contexts = []

    def enter(name: str, **options: Any) -> Page:
        contexts.append(browser.new_context(locale="en-GB", **options))
        contexts[-1].set_default_timeout(20_000)
        moderator_id = add_moderator(live.app, f"{name.lower()}@daily.example")
        with live.app.app_context(), database.writing() as session:
            moderator = session.get_one(accounts.Moderator, moderator_id)
            moderator.name = name
        sign_in_browser(live, contexts[-1], moderator_id)
        page = contexts[-1].new_page()
        page.goto(f"{live.url}/desk/")
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture
def mo(enter: Callable[..., Page]) -> Page:
    return enter("Mo")


@pytest.fixture
def ada(enter: Callable[..., Page]) -> Page:
    return enter("Ada")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"Comment by {name}", exact=True)


def press(page: Page, name: str, button: str) -> None:
    card(page, name).get_by_role("button", name=button, exact=True).click()


def names(page: Page) -> list[str]:
    return page.locator(".card .comment-author").all_inner_texts()


def top(page: Page, name: str) -> float:
    return float(card(page, name).evaluate("card => card.getBoundingClientRect().top"))


def expect_counts(page: Page, **expected: int) -> None:
    for status, count in expected.items():
        expect(page.locator(f".tabs [data-status={status}] .count")).to_have_text(str(count))


def status_of(app: Flask, name: str) -> str:
    return next(str(one.status) for one in stored(app) if one.name == name)


def test_a_card_that_a_colleague_has_open_says_so(live: Live, mo: Page, ada: Page) -> None:
    card(ada, "Otto").focus()
    said = card(mo, "Otto").get_by_text("Ada has this open.")
    expect(said).to_be_visible()
    expect(card(ada, "Otto").get_by_text("has this open.")).not_to_be_visible()
    card(ada, "Lena").focus()
    expect(card(mo, "Lena").get_by_text("Ada has this open.")).to_be_visible()
    expect(said).to_have_count(0)
    ada.goto(f"{live.url}/desk/comments/{stored(live.app)[3].public_id}")
    expect(card(mo, "Pit").get_by_text("Ada has this open.")).to_be_visible()
    expect(card(mo, "Lena").get_by_text("has this open.")).not_to_be_visible()
    ada.goto("about:blank")  # nobody waits a minute for who has gone
    expect(mo.get_by_text("Ada has this open.")).not_to_be_visible()


def test_a_card_that_was_decided_dims_in_place(live: Live, mo: Page, ada: Page) -> None:
    button = card(mo, "Zoe").get_by_role("button", name="Spam")
    button.focus()
    button.scroll_into_view_if_needed()
    card(mo, "Zoe").evaluate("card => scrollBy(0, card.getBoundingClientRect().top - 150)")
    before = top(mo, "Zoe")
    ada.goto(f"{live.url}/desk/comments/{stored(live.app)[4].public_id}")
    ada.get_by_label("Note (optional)").fill("off topic")
    ada.get_by_role("button", name="Reject").click()
    expect(ada.locator(".history")).to_contain_text("Ada rejected this")
    ada.goto(f"{live.url}/desk/")
    press(ada, "Rita", "Approve")
    zoe = card(mo, "Zoe")
    expect(zoe).to_contain_text(re.compile(r"Ada rejected this \d+ seconds? ago \(“off topic”\)\."))
    expect(card(mo, "Rita")).to_contain_text("Ada approved this")
    expect(zoe).to_have_class(re.compile("is-overtaken"))
    expect(zoe).to_be_focused()
    for act in zoe.locator(".act").all():
        expect(act).to_be_disabled()
    assert names(mo) == list(NAMES)
    assert abs(top(mo, "Zoe") - before) < 1  # though a card above it has grown
    expect_counts(mo, pending=8, rejected=1, approved=1)
    expect(mo.locator("#announcements")).to_contain_text("Ada rejected this")
    expect(zoe.get_by_role("link", name="Open it as it stands now")).to_be_visible()
    zoe.get_by_role("button", name="Undo").click()
    expect(zoe).not_to_have_class(re.compile("is-overtaken"))
    expect_counts(mo, pending=9, rejected=0)
    assert status_of(live.app, "Zoe") == "pending"
    press(mo, "Zoe", "Spam")  # with the version that undoing left
    expect(card(mo, "Zoe")).to_have_count(0)
    expect_counts(mo, pending=8, spam=1)
    assert status_of(live.app, "Zoe") == "spam"


def test_a_card_that_a_colleague_puts_back_is_live_again(live: Live, mo: Page, ada: Page) -> None:
    press(ada, "Otto", "Spam")
    expect(card(mo, "Otto")).to_contain_text("Ada marked this as spam")
    ada.locator(".strip").get_by_role("button", name="Undo").click()
    expect(card(mo, "Otto")).to_contain_text("Ada took a decision back")
    expect(card(mo, "Otto")).not_to_have_class(re.compile("is-overtaken"))
    expect_counts(mo, pending=10, spam=0)
    press(mo, "Otto", "Approve")
    expect(card(mo, "Otto")).to_have_count(0)
    expect_counts(mo, pending=9, approved=1)
    assert status_of(live.app, "Otto") == "approved"


def test_a_stale_decision_shows_both(
    live: Live, mo: Page, enter: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "BEAT", 60_000)  # the guard is faster than the next heartbeat
    mo.reload()
    ada = enter("Ada", java_script_enabled=False)
    ada.goto(f"{live.url}/desk/comments/{stored(live.app)[0].public_id}")
    mo_s = ada.context.new_page()
    mo_s.goto(f"{live.url}/desk/comments/{stored(live.app)[0].public_id}")
    ada.get_by_label("Note (optional)").fill("off topic")
    ada.get_by_role("button", name="Reject").click()
    press(mo, "Rita", "Approve")
    mo_s.get_by_role("button", name="Spam").click()
    for alert, refused in (
        (card(mo, "Rita").get_by_role("alert"), "Approve"),
        (mo_s.get_by_role("alert"), "Spam"),
    ):
        expect(alert).to_contain_text(re.compile(r"Ada rejected this .* ago \(“off topic”\)\."))
        expect(alert).to_contain_text(f"Your “{refused}” was not applied.")
    assert status_of(live.app, "Rita") == "rejected"


def test_a_comment_is_handed_over_and_a_second_opinion_asked(
    live: Live, mo: Page, ada: Page
) -> None:
    expect(ada.get_by_role("link", name="For me")).to_have_count(0)
    mo.goto(f"{live.url}/desk/comments/{stored(live.app)[1].public_id}")
    mo.get_by_text("Ask a colleague").click()
    mo.get_by_label("Note for your colleagues (optional)").fill("Is this satire?")
    mo.get_by_label("or leave it to").select_option("Ada")
    mo.get_by_role("button", name="Hand over").click()
    expect(card(mo, "Otto")).to_contain_text("Mo left this to Ada: “Is this satire?”")
    expect(card(ada, "Otto")).to_contain_text("Mo left this to you: “Is this satire?”")
    mine = ada.get_by_role("link", name="For me")
    expect(mine).to_contain_text("1")
    mo.goto(f"{live.url}/desk/comments/{stored(live.app)[2].public_id}")
    mo.get_by_text("Ask a colleague").click()
    mo.get_by_role("button", name="Ask for a second opinion").click()
    expect(card(ada, "Lena")).to_contain_text("Mo asks for a second opinion.")
    expect(mine).to_contain_text("2")
    mine.click()
    assert names(ada) == ["Otto", "Lena"]
    mo.goto(f"{live.url}/desk/")
    press(mo, "Lena", "I will decide it myself")
    expect(mo.locator("#announcements")).to_contain_text("You decide this after all.")
    expect(card(ada, "Lena").get_by_text("asks for a second opinion")).not_to_be_visible()
    press(ada, "Otto", "Approve")
    expect(card(ada, "Otto")).to_have_count(0)
    expect(card(mo, "Otto")).to_contain_text("Ada approved this")
    expect(ada.locator(".strip")).to_contain_text("Otto: approved")
    assert (status_of(live.app, "Otto"), status_of(live.app, "Lena")) == ("approved", "pending")


def test_what_came_in_is_added_on_demand(live: Live, mo: Page, ada: Page) -> None:
    press(ada, "Rita", "Spam")
    expect(ada.locator(".strip")).to_contain_text("Rita: spam")
    mo.reload()
    assert names(mo) == list(NAMES[1:])
    card(mo, "Pit").focus()
    mo.evaluate("window.isSamePage = true")
    before = top(mo, "Pit")
    fill(live.app, "New")
    ada.locator(".strip").get_by_role("button", name="Undo").click()
    button = mo.get_by_role("button", name="Show 2 new comments")
    expect(button).to_be_visible()
    expect_counts(mo, pending=11)
    assert names(mo) == list(NAMES[1:])
    assert abs(top(mo, "Pit") - before) < 1
    mo.evaluate("scrollTo(0, 0)")  # and nothing stays under it
    room = button.evaluate("button => button.getBoundingClientRect().bottom")
    assert room < top(mo, "Otto")
    before = top(mo, "Pit")
    button.click()
    expect(card(mo, "New")).to_be_visible()
    assert names(mo) == [*NAMES, "New"]
    expect(button).not_to_be_visible()
    expect(card(mo, "Pit")).to_be_focused()
    assert abs(top(mo, "Pit") - before) < 1
    assert mo.evaluate("window.isSamePage")
    mo.wait_for_timeout(700)  # two heartbeats: nothing is offered twice
    expect(mo.locator(".news-show")).not_to_be_visible()
    press(mo, "New", "Approve")
    expect_counts(mo, pending=10, approved=1)


@pytest.mark.long
def test_it_rests_where_nobody_looks_and_says_who_is_signed_out(
    live: Live, mo: Page, ada: Page
) -> None:
    asked: list[str] = []
    mo.on("request", lambda sent: asked.append(sent.url) if "together" in sent.url else None)
    mo.route("**/desk/together", lambda route: route.abort())
    card(mo, "Rita").focus()
    mo.wait_for_timeout(1_500)
    assert 1 <= len(asked) <= 3  # at 300, 900 and 2,100 ms: ever more seldom
    mo.unroute("**/desk/together")
    other = mo.context.new_page()
    other.goto(f"{live.url}/desk/")
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(f"{live.url}/desk/login")
    said = mo.locator(".news-said")
    expect(said).to_contain_text("You are signed out, so this page no longer shows")
    expect(said.get_by_role("link", name="Sign in in a new tab")).to_be_visible()
    seen = len(asked)
    mo.wait_for_timeout(700)
    assert len(asked) == seen


@pytest.mark.long
def test_it_reads_well_light_and_dark_on_the_smallest_screen_too(
    live: Live, enter: Callable[..., Page], screenshot: Callable[..., Path]
) -> None:
    ada, mo = (enter(name, viewport=SMALLEST, bypass_csp=True) for name in ("Ada", "Mo"))
    id = stored(live.app)[1].public_id
    mo.goto(f"{live.url}/desk/comments/{id}")
    mo.get_by_text("Ask a colleague").click()
    screenshot(mo, "together-ask")
    assert barriers(mo) == {}
    mo.get_by_role("button", name="Ask for a second opinion").click()
    mo.goto(f"{live.url}/desk/")
    fill(live.app, "New")
    press(ada, "Lena", "Reject")
    card(ada, "Pit").focus()
    expect(card(mo, "Lena")).to_contain_text("Ada rejected this")
    expect(card(mo, "Pit")).to_contain_text("Ada has this open.")
    expect(mo.get_by_role("button", name="Show 1 new comment")).to_be_visible()
    for look, width in (("light", 1280), ("dark", 320)):
        mo.emulate_media(color_scheme=look)  # type: ignore[arg-type]
        mo.set_viewport_size({"width": width, "height": 800})
        assert mo.evaluate("document.documentElement.scrollWidth") == width
        screenshot(mo, f"together-queue-{look}-{width}", full_page=False)
        assert barriers(mo) == {}
    ada.goto(f"{live.url}/desk/mine")
    expect(card(ada, "Otto")).to_be_visible()
    screenshot(ada, "together-mine")
    assert ada.evaluate("document.documentElement.scrollWidth") == 320
    assert barriers(ada) == {}
