"""People at the desk in a real Chromium: passkeys with a virtual device, the app, codes, no barrier."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from barriers import barriers
from cast import add_moderator, add_site, totp
from flask import Flask
from live import Live
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from service import accounts, database, people, second_step
from service.models import Event, Passkey, Site
from service.status import Role

EMAIL, PASSWORD = "pia@daily.example", "correct horse battery"
SIZES: dict[str, Any] = {
    "desktop": {"width": 1280, "height": 800},
    "smallest": {"width": 320, "height": 640},
}


@pytest.fixture
def live(live: Live) -> Live:
    """The Daily: Pia is its publisher, Mo its moderator; both have come and one was invited."""
    add_site(live.app)
    add_moderator(live.app, EMAIL, role=Role.PUBLISHER)
    add_moderator(live.app, "mo@daily.example")
    with live.app.app_context():
        hashed = accounts.hashed(PASSWORD)
        with database.writing() as session:
            pia = accounts.by_email(session, EMAIL)
            assert pia
            pia.password = hashed
            site = session.scalars(select(Site)).one()
            people.invite(session, pia, "nele@daily.example", Role.MODERATOR, site)
    # WebAuthn knows no numbers for a host, but it knows localhost.
    live.url = live.url.replace("127.0.0.1", "localhost")
    return live


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A small phone, past the pages' policy for scripts."""
    made = browser.new_context(
        bypass_csp=True, viewport={"width": 320, "height": 800}, locale="en-GB"
    )
    made.set_default_timeout(20_000)
    yield made
    made.close()


def sign_in(page: Page, live: Live) -> None:
    page.goto(f"{live.url}/desk/login")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def add_device(page: Page) -> Any:
    """A device that keeps passkeys and knows its owner's finger."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def events(app: Flask) -> list[str]:
    with app.app_context():
        return list(database.session().scalars(select(Event.what).order_by(Event.id)))


def fits(page: Page) -> bool:
    """Nothing stands out sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.long
def test_a_passkey_is_added_signs_in_by_itself_and_is_removed(live: Live, page: Page) -> None:
    device, authenticator = add_device(page)
    sign_in(page, live)
    page.goto(f"{live.url}/desk/me/")
    page.get_by_label("Name of the passkey").fill("laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert len(set(page.locator(".codes code").all_inner_texts())) == second_step.CODES
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("A password alone does not sign you in")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    # Alone, from the page where a password could be typed.
    page.goto(f"{live.url}/desk/login?next=/desk/me/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page.get_by_role("button", name="Remove laptop")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    # As the second step; and a device whose owner nobody recognises is refused.
    sign_in(page, live)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    whose = {"authenticatorId": authenticator, "isUserVerified": False}
    device.send("WebAuthn.setUserVerified", whose)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    device.send("WebAuthn.setUserVerified", whose | {"isUserVerified": True})
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{live.url}/desk/")

    # To say once more who one is.
    page.goto(f"{live.url}/desk/me/verify")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{live.url}/desk/me/")
    assert events(live.app)[-1] == "verified"
    page.get_by_role("button", name="Remove laptop").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    with live.app.app_context():
        assert database.session().scalars(select(Passkey)).all() == []
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{live.url}/desk/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey could not be used.")).to_be_visible()
    assert {"passkey_added", "codes_made", "passkey_removed", "signed_in"} <= set(events(live.app))


@pytest.mark.long
def test_nobody_meets_a_barrier_among_the_people(live: Live, page: Page, screenshot: Any) -> None:
    """In light and dark, at a small phone's width; pictures in both sizes where SCREENSHOTS says."""

    def check(name: str) -> None:
        page.evaluate("scrollTo(0, 0)")  # what lies half under the bar is no target
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)  # type: ignore[arg-type]
            assert (name, look, barriers(page)) == (name, look, {})
            assert fits(page), f"{name} is wider than a small phone"
            for size in SIZES if os.environ.get("SCREENSHOTS") else ():
                page.set_viewport_size(SIZES[size])
                screenshot(page, f"{name}-{size}-{look}")
        page.set_viewport_size(SIZES["smallest"])

    page.goto(f"{live.url}/desk/login")
    page.get_by_role("button", name="Sign in").click()
    check("login")
    sign_in(page, live)
    page.goto(f"{live.url}/desk/people/")
    for details in page.locator("main details").all():
        details.locator("summary").click()
    check("people")
    page.get_by_label("Email").fill("otto@daily.example")
    page.get_by_role("button", name="Make the invitation").click()
    invitation = page.get_by_label("Link").input_value()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/desk/join/[\w.-]{50,}", invitation)
    check("link")
    page.goto(f"{live.url}/desk/me/")
    check("me")
    page.get_by_role("button", name="Set up an app").click()
    page.get_by_label("Code").fill("000")
    page.get_by_role("button", name="Use this app").click()
    expect(page.locator(".qr")).not_to_have_js_property("naturalWidth", 0)
    page.get_by_text("Type the key in place of it").click()
    check("app")
    key = page.locator(".steps code").inner_text()
    page.get_by_label("Code").fill(totp(key))
    page.get_by_role("button", name="Use this app").click()
    check("codes")
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    check("me-safe")
    page.goto(f"{live.url}/desk/me/verify")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Confirm").click()
    check("verify")
    page.get_by_role("button", name="Sign out").click()
    page.goto(invitation.replace("127.0.0.1", "localhost"))
    page.get_by_role("button", name="Join").click()
    check("join")
    sign_in(page, live)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Go on").click()
    check("second")
    page.get_by_label("Code").fill(code.upper())
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(f"{live.url}/desk/")
