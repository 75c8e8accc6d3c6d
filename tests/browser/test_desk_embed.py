"""What a publisher pastes, in a real Chromium: copied, and looked at on a sample article."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from barriers import barriers, expect_sound
from cast import add_moderator, add_site, stored
from live import Live, sign_in_browser
from playwright.sync_api import Browser, FrameLocator, Page, expect
from rita import fill, send

from service.status import Role

PASTED = '<rejoinder-thread site="daily">'


@pytest.fixture
def pia(live: Live, browser: Browser) -> Iterator[Page]:
    """Pia's tab, past the pages' policy, so that axe can run."""
    add_site(live.app, likes=True, reports=True)
    pia_id = add_moderator(live.app, role=Role.PUBLISHER)
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    sign_in_browser(live, context, pia_id)
    yield context.new_page()
    context.close()


def sample(page: Page) -> FrameLocator:
    return page.frame_locator(".preview iframe")


def thread(page: Page) -> FrameLocator:
    return sample(page).frame_locator("rejoinder-thread iframe")


def ground(inside: FrameLocator) -> str:
    return str(inside.locator("body").evaluate("body => getComputedStyle(body).backgroundColor"))


def test_the_lines_are_copied_and_the_thread_is_seen(
    pia: Page, live: Live, screenshot: Callable[..., Path]
) -> None:
    pia.goto(f"{live.url}/desk/sites/daily/embed")
    html = pia.locator(".system").first
    html.get_by_role("button", name="Copy").click()
    expect(html.get_by_role("status")).to_have_text("Copied.")
    copied = pia.evaluate("navigator.clipboard.readText()")
    assert copied == html.get_by_role("textbox").input_value()
    assert PASTED in copied
    pia.get_by_text("WordPress", exact=True).click()
    expect(pia.get_by_label("Lines for: WordPress")).to_be_visible()

    pia.locator(".preview").scroll_into_view_if_needed()
    expect(thread(pia).get_by_text("worth it").first).to_be_visible()
    light = ground(sample(pia))
    pia.get_by_role("button", name="Dark").click()
    expect(sample(pia).locator("html.is-dark")).to_be_attached()
    expect(thread(pia).locator("html.is-fitted")).to_be_attached()
    assert ground(sample(pia)) != light
    pia.get_by_role("button", name="Phone").click()
    expect(pia.get_by_role("button", name="Phone")).to_have_attribute("aria-pressed", "true")
    expect(sample(pia).locator("html.is-light")).to_be_attached()
    expect(thread(pia).locator("html.is-fitted")).to_be_attached()
    assert pia.locator(".preview iframe").evaluate("frame => frame.clientWidth") == 358
    expect_sound(pia, "embed", screenshot)


def test_nothing_that_is_written_on_the_sample_page_is_stored(pia: Page, live: Live) -> None:
    pia.goto(f"{live.url}/desk/sites/daily/sample?look=dark")
    pia.locator("rejoinder-thread").scroll_into_view_if_needed()
    form = pia.frame_locator("rejoinder-thread iframe").locator("#reply")
    fill(form)
    send(form)
    expect(form.get_by_role("alert")).to_contain_text("This is a sample")
    expect(form.get_by_role("textbox", name="Comment")).not_to_be_empty()
    assert stored(live.app) == []
    assert barriers(pia) == {}


def test_without_script_the_lines_can_be_selected_and_the_sample_opened(
    live: Live, browser: Browser
) -> None:
    add_site(live.app)
    context = browser.new_context(java_script_enabled=False)
    sign_in_browser(live, context, add_moderator(live.app, role=Role.PUBLISHER))
    page = context.new_page()
    page.goto(f"{live.url}/desk/sites/daily/embed")
    assert PASTED in page.get_by_label("Lines for: Plain HTML").input_value()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator(".preview")).to_be_hidden()
    page.get_by_role("link", name="Open the sample page").click()
    page.get_by_role("link", name="Comments").click()
    expect(page.get_by_text("worth it").first).to_be_visible()
    context.close()
