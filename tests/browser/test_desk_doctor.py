"""The doctor in a real Chromium: an article is looked at, and what is to be mended is read."""

from collections.abc import Callable
from pathlib import Path

from barriers import expect_sound
from cast import add_moderator, add_site
from live import Live, Publisher, sign_in_browser
from outsiders import LOOPBACK
from playwright.sync_api import Browser, expect

from service.status import Role


def test_a_publisher_reads_what_to_mend(
    serve: Callable[..., Live],
    browser: Browser,
    publisher: Publisher,
    screenshot: Callable[..., Path],
) -> None:
    port = publisher.url.rpartition(":")[2]
    live = serve(PRIVATE_NETWORKS=f"{LOOPBACK} port {port}, ::1 port {port}")
    add_site(live.app, origin=publisher.url)
    article = publisher.write("/harbour", '<rejoinder-thread site="daily"></rejoinder-thread>')
    context = browser.new_context(bypass_csp=True, java_script_enabled=True, locale="en-GB")
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    sign_in_browser(live, context, pia_id)
    pia = context.new_page()
    pia.goto(f"{live.url}/desk/sites/daily/doctor")
    pia.get_by_label("Address of an article").fill("harbour")
    pia.get_by_role("button", name="Look at it").click()
    expect(pia.get_by_role("alert")).to_contain_text("Enter an address that begins with")
    pia.get_by_label("Address of an article").fill(article)
    pia.get_by_role("button", name="Look at it").click()
    expect(pia.get_by_role("heading", name="2 things are to be mended")).to_be_visible()
    expect(pia.get_by_text("The script is missing")).to_be_visible()
    expect_sound(pia, "doctor", screenshot)
    context.close()
