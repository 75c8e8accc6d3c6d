"""Likes and reports in a real Chromium, with script and without."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from live import Live
from playwright.sync_api import Browser, BrowserContext, Page, expect
from rita import add_comment, add_site, stored, thread
from test_desk import enter

ARTICLE = "https://daily.example/harbour"
WHY = "It names my home address and calls on people to come there."


@pytest.fixture
def liked(live: Live) -> str:
    """Ada's comment on a site where readers may like and report; gives its public id."""
    add_site(live.app, "https://daily.example", likes=True)
    return add_comment(live.app, ARTICLE)


def like_count(live: Live) -> int:
    return stored(live.app, "Ada")[0].like_count


def test_a_like_counts_at_once_and_stays_pressed(
    live: Live, page: Page, liked: str, console_errors: list[str]
) -> None:
    page.goto(thread(live.url, ARTICLE))
    button = page.get_by_role("button", name="Like what Ada wrote")
    for _ in range(2):
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".like-count")).to_have_text("Likes: 1")
    assert (like_count(live), console_errors) == (1, [])


def test_a_like_without_a_connection_says_so(live: Live, page: Page, liked: str) -> None:
    page.goto(thread(live.url, ARTICLE))
    page.route("**/like", lambda route: route.abort())
    page.get_by_role("button", name="Like what Ada wrote").click()
    expect(page.locator(".like-count")).to_contain_text("No connection. Try again.")


def test_without_script_a_like_leads_back_to_the_comment(
    live: Live, browser: Browser, liked: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(thread(live.url, ARTICLE))
    page.get_by_role("button", name="Like what Ada wrote").click()
    expect(page.locator(f"#comment-{liked}:target .like-count")).to_have_text("Likes: 1")
    context.close()


def test_a_report_by_keyboard_from_the_thread_to_the_desk(
    live: Live,
    page: Page,
    context: BrowserContext,
    liked: str,
    console_errors: list[str],
    screenshot: Callable[..., Path],
) -> None:
    page.goto(thread(live.url, ARTICLE))
    page.get_by_role("link", name="Report what Ada wrote").press("Enter")
    page.get_by_role("radio", name="I believe this is illegal").press("Space")
    page.get_by_label("Tell the moderators more").press("Enter")
    page.get_by_role("button", name="Send report").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("in at least 10 characters")
    expect(page.get_by_role("radio", name="I believe this is illegal")).to_be_checked()
    page.get_by_label("Tell the moderators more").fill(WHY)
    page.get_by_role("button", name="Send report").press("Enter")
    expect(page.get_by_role("heading", name="Your report is received")).to_be_visible()
    assert "422" in "".join(console_errors)  # the browser's own word on the first sending
    assert len(console_errors) == 1

    mo = enter(live, context)
    tab = mo.locator('.tabs [data-status="reported"]')
    expect(tab.locator(".count")).to_have_text("1")
    tab.click()
    expect(mo.locator(".reports")).to_contain_text(WHY)
    screenshot(mo, "desk-reported")
    mo.get_by_role("button", name="Keep it").click()
    expect(tab.locator(".count")).to_have_text("0")
    expect(mo.locator("#nothing")).to_contain_text("No comment is reported here.")
    page.reload()
    expect(page.get_by_role("heading", name="The comment stays up")).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_everybody_can_report(
    serve: Callable[..., Live],
    browser: Browser,
    screenshot: Callable[..., Path],
    width: int,
    scheme: str,
) -> None:
    live = serve(MAIL_URL="smtp://localhost:25")
    add_site(live.app, "https://daily.example", likes=True)
    add_comment(live.app, ARTICLE, name="Bartholomäus Oberpfaffenhofen", typed="Buy now. " * 60)
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()

    def look(name: str) -> None:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        screenshot(page, f"{name}-{scheme}-{width}")

    page.goto(thread(live.url, ARTICLE))
    look("taking-part")
    page.get_by_role("link", name="Report what").click()
    look("report")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("report-errors")
    page.get_by_role("radio", name="I believe this is illegal").check()
    page.get_by_label("Tell the moderators more").fill(WHY)
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("heading", name="Your report is received")).to_be_visible()
    look("reported")
    context.close()
