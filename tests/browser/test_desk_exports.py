"""A site's comments taken along in a real Chromium, on a phone: the file that
arrives is the one that was asked for, and holds addresses for an admin who just said who they are."""

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from barriers import expect_sound
from cast import RITA, add_moderator, add_site, reply, sign_in
from live import Live, sign_in_browser
from playwright.sync_api import BrowserContext, Page, expect

from service import accounts, database
from service.accounts import DeskSessions
from service.status import Role

PASSWORD = "harbour light on a windy evening"
WP = {"wp": "http://wordpress.org/export/1.2/"}

pytestmark = pytest.mark.parametrize("phone", ["script"], indirect=True)


@pytest.fixture
def daily(live: Live) -> None:
    add_site(live.app)
    assert reply(live.app, live.app.test_client(), comment="=1+1 is my word").status_code == 303


@pytest.fixture
def ada(live: Live, daily: None) -> int:
    """Ada, who administers."""
    ada_id = add_moderator(live.app, "ada@daily.example", site=None, role=Role.ADMIN)
    with live.app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, ada_id).password = accounts.hashed(PASSWORD)
    return ada_id


def sign_in_long_ago(live: Live, context: BrowserContext, moderator_id: int) -> None:
    """As if that had been an hour ago."""
    sign_in_browser(live, context, moderator_id)
    client = sign_in(live.app, live.app.test_client(), moderator_id)
    with client.session_transaction(path=DeskSessions.PATH) as session:
        session["fs_paa"] = time.time() - 3_600
    name = live.app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name, path=DeskSessions.PATH)
    assert cookie is not None
    told: Any = {"name": name, "value": cookie.value, "path": DeskSessions.PATH}
    context.add_cookies([told | {"domain": "127.0.0.1", "httpOnly": True, "sameSite": "Lax"}])


def take(page: Page, format: str) -> Path:
    """Presses the button; gives the file that arrives, under its name."""
    page.get_by_label(format).check()
    with page.expect_download() as coming:
        page.get_by_role("button", name="Take the comments along").click()
    arrived = Path(coming.value.path())
    return arrived.rename(arrived.with_name(coming.value.suggested_filename))


def test_each_file_arrives_and_holds_the_comments_and_no_address(
    phone: Page, live: Live, daily: None, screenshot: Callable[..., Path]
) -> None:
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    sign_in_browser(live, phone.context, pia_id)
    phone.goto(f"{live.url}/desk/sites/daily/export")
    expect_sound(phone, "export", screenshot)
    expect(phone.get_by_role("checkbox")).to_have_count(0)
    phone.set_viewport_size({"width": 320, "height": 800})

    lines, tables, posts = (take(phone, name) for name in ("JSON Lines", "CSV", "WordPress"))
    for path, suffix in ((lines, ".jsonl"), (tables, ".csv"), (posts, ".xml")):
        assert path.name.startswith("comments-daily-")
        assert path.suffix == suffix
        assert RITA["email"] not in path.read_text("utf-8")
    (line,) = map(json.loads, lines.read_text("utf-8").splitlines())
    assert (line["text"], line["status"]) == ("=1+1 is my word", "pending")
    (row,) = csv.DictReader(tables.read_text("utf-8-sig").splitlines())
    assert (row["author"], row["text"]) == ("Rita", "'=1+1 is my word")
    (comment,) = ElementTree.parse(posts).iterfind(".//wp:comment", WP)
    assert comment.findtext("wp:comment_author", "", WP) == "Rita"
    assert "=1+1 is my word" in comment.findtext("wp:comment_content", "", WP)


def test_an_admin_says_who_they_are_before_addresses_come_along(
    phone: Page, live: Live, ada: int, screenshot: Callable[..., Path]
) -> None:
    sign_in_long_ago(live, phone.context, ada)
    phone.goto(f"{live.url}/desk/sites/daily/export")
    expect(phone.get_by_text("You will be asked who you are first")).to_be_visible()
    assert RITA["email"] not in take(phone, "JSON Lines").read_text("utf-8")
    phone.get_by_role("checkbox", name="With the email addresses").check()
    phone.get_by_role("button", name="Take the comments along").click()
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Confirm", exact=True).click()
    expect(phone.get_by_role("heading", name="Export")).to_be_visible()
    expect(phone.get_by_text("You will be asked who you are first")).to_have_count(0)
    expect_sound(phone, "export-admin", screenshot)
    phone.get_by_role("checkbox", name="With the email addresses").check()
    assert json.loads(take(phone, "JSON Lines").read_text("utf-8"))["email"] == RITA["email"]
