"""A webhook in a real Chromium: added at the desk, called by the worker, and its call seen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from barriers import expect_sound
from cast import add_moderator, add_site, reply
from live import Live, sign_in_browser
from outsiders import LOOPBACK, Service, serving
from playwright.sync_api import Browser, Page, expect

from service.cli import hooks as command
from service.status import Role

NAME = "Our newsroom’s own Benachrichtigungsdienst for comments"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(command, "_resting", {})
    with serving() as service:
        yield service


@pytest.fixture
def live(serve: Callable[..., Live], own: Service) -> Live:
    return serve(PRIVATE_NETWORKS=f"{LOOPBACK} port {own.port}")


@pytest.fixture
def pia(live: Live, browser: Browser) -> Iterator[Page]:
    """Pia's tab, past the pages' policy, so that axe can run."""
    add_site(live.app)
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    sign_in_browser(live, context, pia_id)
    page = context.new_page()
    page.goto(f"{live.url}/desk/")
    yield page
    context.close()


def test_a_webhook_is_added_and_its_call_seen(
    pia: Page, live: Live, own: Service, screenshot: Callable[..., Path]
) -> None:
    pia.get_by_text("More", exact=True).click()
    pia.get_by_role("link", name="Webhooks", exact=True).click()
    pia.get_by_role("link", name="Add a webhook").click()
    pia.get_by_label("Name").fill(NAME)
    pia.get_by_label("Address").fill("http://10.0.0.1/")
    pia.get_by_role("button", name="Add the webhook").click()
    expect(pia.locator("#url-error")).to_contain_text("cannot be called")
    expect_sound(pia, "hooks-form", screenshot)
    pia.get_by_label("Address").fill(f"{own.url}/k3y")
    pia.get_by_label("A comment is rejected").uncheck()
    pia.get_by_role("button", name="Add the webhook").click()
    expect(pia.locator(".secret")).to_contain_text("whsec_")
    expect_sound(pia, "hooks-secret", screenshot)
    assert reply(live.app, live.app.test_client()).status_code == 303
    with live.app.app_context():
        command.call_hooks()
    assert own.asked[0].json["data"]["comment"]["author"]["name"] == "Rita"
    own.answer = (503, {}, b"")
    pia.get_by_role("link", name="Webhooks", exact=True).first.click()
    pia.get_by_role("link", name=NAME).click()
    calls = pia.get_by_role("region", name="Latest calls")
    expect(calls).to_contain_text("Taken.")
    pia.get_by_role("button", name="Send a test").click()
    expect(pia.get_by_role("status").filter(has_text="A test is on its way")).to_be_visible()
    with live.app.app_context():
        command.call_hooks()
    pia.reload()
    expect(calls).to_contain_text("503 Service Unavailable")
    expect_sound(pia, "hooks-calls", screenshot)
    pia.goto(f"{live.url}/desk/hooks/")
    expect_sound(pia, "hooks-list", screenshot)
