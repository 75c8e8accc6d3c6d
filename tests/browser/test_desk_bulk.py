"""Many at once in a real Chromium: what is picked, everything that matches, a job with its progress."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from barriers import barriers
from cast import add_moderator, add_site, reply, stored
from live import Live, sign_in_browser
from playwright.sync_api import Browser, BrowserContext, Page, expect
from rita import add_comments

from service import bulk
from service.status import Status

ARTICLE = "https://daily.example/review"


@pytest.fixture
def live(live: Live) -> Live:
    """The Daily with twelve replies in the queue, all different."""
    add_site(live.app)
    words = [f"Reply number {chr(97 + n) * 3}: I saw it {'again ' * n}." for n in range(12)]
    add_comments(live.app, ARTICLE, words, status=Status.PENDING)
    return live


def enter(live: Live, context: BrowserContext, name: str = "mo") -> Page:
    moderator_id = add_moderator(live.app, f"{name}@daily.example")
    sign_in_browser(live, context, moderator_id)
    page = context.new_page()
    page.goto(f"{live.url}/desk/")
    return page


@pytest.fixture
def mo(live: Live, browser: Browser) -> Iterator[Page]:
    """Mo's tab; past the pages' policy for scripts, so that axe can run."""
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    yield enter(live, context)
    context.close()


@pytest.fixture
def plain(live: Live, browser: Browser) -> Iterator[Page]:
    """Mo with JavaScript off."""
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    yield enter(live, context)
    context.close()


def statuses(live: Live) -> list[str]:
    return [str(comment.status) for comment in stored(live.app)]


def expect_sound(page: Page, name: str, screenshot: Callable[..., Path]) -> None:
    """No barrier, and no wider than the screen: wide in light, narrow in dark."""
    for scheme, width in (("light", 1280), ("dark", 320)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        if page.locator(".fold").count():
            page.locator(".fold").scroll_into_view_if_needed()
        screenshot(page, f"bulk-{name}-{width}-{scheme}", full_page=False)
        page.evaluate("scrollTo(0, 0)")  # or the bar covers half a button
        assert page.evaluate("document.documentElement.scrollWidth") == width, (name, width)
        assert barriers(page) == {}, (name, scheme)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_three_are_picked_decided_and_undone(
    live: Live, mo: Page, screenshot: Callable[..., Path]
) -> None:
    bar = mo.locator("#bulk")
    expect(bar.get_by_role("button")).to_have_count(0)  # nothing is picked
    picks = mo.get_by_role("checkbox", name="Pick the comment by")
    picks.nth(1).check()
    picks.nth(3).click(modifiers=["Shift"])
    expect(bar.get_by_role("status")).to_have_text("3 picked")
    expect_sound(mo, "picked", screenshot)
    bar.get_by_role("button", name="Spam").click()
    expect(mo.locator(".bulk-done")).to_contain_text("3 comments marked as spam.")
    assert statuses(live) == ["pending", *["spam"] * 3, *["pending"] * 8]
    mo.locator(".bulk-done").get_by_role("button", name="Undo all of it").click()
    # An undone job is told of in the strip, and has no "undo"; nor does "z" take it for a decision.
    last = mo.locator(".strip-job")
    expect(last).to_contain_text("3 comments are as they were before.")
    expect(last.get_by_role("button")).to_contain_text("Decide so again")
    expect(mo.locator(".bulk-done")).to_have_count(0)
    assert statuses(live) == ["pending"] * 12
    # A whole page, and a box that is no longer picked.
    mo.locator("#bulk-scope").select_option("page")
    expect(bar.get_by_role("status")).to_have_text("12 picked")
    picks.nth(0).uncheck()
    bar.get_by_role("button", name="Approve").click()
    expect(mo.locator(".bulk-done")).to_contain_text("11 comments approved.")
    assert statuses(live) == ["pending", *["approved"] * 11]
    mo.keyboard.press("z")  # the newest decision is the job
    expect(last).to_contain_text("11 comments are as they were before.")
    assert statuses(live) == ["pending"] * 12


@pytest.mark.long
def test_all_that_match_go_by_a_job_with_its_progress(
    live: Live, mo: Page, screenshot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    monkeypatch.setattr("service.views.jobs.LEAST_PAUSE", 0.4)
    monkeypatch.setattr("service.views.jobs.LONGEST_PAUSE", 0.4)
    mo.locator("#bulk-scope").select_option("matching")
    mo.locator("#bulk").get_by_role("button", name="Spam").click()
    expect(mo.get_by_role("heading", level=1)).to_have_text("Mark 12 comments as spam?")
    expect(mo.locator(".sample li")).to_have_count(10)
    expect_sound(mo, "confirm", screenshot)
    mo.get_by_role("button", name="Mark 12 comments as spam").click()
    expect(mo.locator(".job-seen")).to_have_text(re.compile(r"^[246] of 12$"))
    mo.get_by_role("button", name="Stop").click()
    expect(mo.get_by_text("It was stopped before its end.")).to_be_visible()
    assert 2 <= statuses(live).count("spam") < 12
    expect_sound(mo, "stopped", screenshot)
    mo.get_by_role("button", name="Go on").click()
    expect(mo.locator(".job-said")).to_have_text("12 comments marked as spam.")
    mo.get_by_role("button", name="Undo").click()
    expect(mo.locator(".job-said")).to_have_text("12 comments are as they were before.")
    expect(mo.get_by_text("Back to the queue")).to_be_visible()
    assert statuses(live) == ["pending"] * 12
    mo.get_by_role("link", name="Jobs").first.click()
    expect(mo.locator(".jobs li")).to_have_count(2)
    expect_sound(mo, "jobs", screenshot)


@pytest.mark.long
def test_a_wave_is_one_card(live: Live, mo: Page, screenshot: Callable[..., Path]) -> None:
    for number in range(5):
        said = f"Watches, number {number}: https://cheap.example/{number}"
        reply(live.app, live.app.test_client(), comment=said, name=f"W{number}")
    mo.goto(f"{live.url}/desk/?sort=newest")
    expect(mo.locator(".card")).to_have_count(13)
    fold = mo.get_by_role("region", name="Comments like this one")
    mo.set_viewport_size({"width": 390, "height": 800})
    expect(fold.get_by_role("button")).to_have_count(0)  # on a phone behind the fold's own word
    mo.set_viewport_size({"width": 1280, "height": 800})
    expect(fold.get_by_role("button")).to_have_count(4)
    follows = "fold => fold.closest('.card').querySelector('.more').compareDocumentPosition(fold)"
    assert fold.evaluate(follows) == 4  # Tab comes to the card's own buttons first
    fold.locator("summary").click()
    expect(fold.locator(".sample li")).to_have_count(4)
    expect_sound(mo, "fold", screenshot)
    # Whoever stands for the others is decided alone: the next stands in.
    wave = mo.locator(".card", has=fold)
    wave.get_by_role("button", name="Approve", exact=True).click()
    expect(mo.locator(".strip")).to_contain_text("W0: approved")
    mo.wait_for_timeout(1_000)  # the next is known by now, and moves nothing
    expect(mo.locator(".gone")).to_contain_text("W0: approved")
    expect(fold).to_have_count(0)
    mo.mouse.wheel(0, 60)
    expect(mo.locator(".fold-list summary")).to_contain_text("and 3 like it")
    mo.keyboard.press("z")  # who stood in goes as that one returns
    expect(mo.locator(".fold-list summary")).to_contain_text("and 4 like it")
    expect(fold).to_have_count(1)
    mo.wait_for_timeout(400)  # a click that comes sooner is a slip
    wave.get_by_role("button", name="Approve", exact=True).click()
    expect(mo.locator(".strip")).to_contain_text("W0: approved")
    mo.wait_for_timeout(1_000)
    mo.mouse.wheel(0, 60)
    expect(mo.locator(".fold-list summary")).to_contain_text("and 3 like it")
    mo.get_by_role("button", name="All are spam").click()
    expect(mo.locator(".bulk-done")).to_contain_text("4 comments marked as spam.")
    assert statuses(live)[12:] == ["approved", *["spam"] * 4]
    mo.locator(".bulk-done").get_by_role("button", name="Undo all of it").click()
    expect(mo.locator(".fold-list summary")).to_contain_text("and 3 like it")
    assert statuses(live)[12:] == ["approved", *["pending"] * 4]


def test_it_works_without_script(live: Live, plain: Page) -> None:
    plain.get_by_role("checkbox").first.check()
    plain.locator("#bulk").get_by_role("button", name="Reject").click()
    expect(plain.locator(".bulk-done")).to_contain_text("1 comment rejected.")
    plain.locator("#bulk-scope").select_option("matching")
    plain.locator("#bulk").get_by_role("button", name="Approve").click()
    plain.get_by_role("button", name="Approve 11 comments").click()
    expect(plain.locator(".job-said")).to_have_text("11 comments approved.")
    assert statuses(live) == ["rejected", *["approved"] * 11]
