"""The desk by single keys, and with one thumb: nothing waits, nothing moves, nothing is lost."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from barriers import barriers
from cast import add_site
from flask import Flask
from live import Live
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect
from sqlalchemy import insert, select
from test_desk import (
    NAMES,
    SECOND_TAP,
    card,
    count_decisions,
    enter,
    expect_counts,
    fill,
    kept,
    press,
    refuse,
    statuses,
    strip,
)

from service import accounts, database
from service.models import Article, Comment, Decision, Note, Site, now
from service.status import Status

TOPS = """() => Object.fromEntries(
    [...document.querySelectorAll(".card:not(.is-leaving)")].map(card =>
        [card.getAttribute("aria-label"), card.getBoundingClientRect().top]))"""


@pytest.fixture
def live(live: Live) -> Live:
    """The Daily with four replies in the queue."""
    add_site(live.app)
    fill(live.app)
    return live


@pytest.fixture
def mo(live: Live, context: BrowserContext) -> Page:
    return enter(live, context)


def many(app: Flask, how_many: int) -> list[str]:
    """Puts so many more into the queue, each with a name of its own, oldest first."""
    start = now() - timedelta(days=1)
    names = [f"R{number:03}" for number in range(how_many)]
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).one()
        article = session.scalars(select(Article)).first()
        common = {"site_id": site.id, "article_id": article.id, "renderer": 1, "text": "Yes."}
        rows = [
            common
            | {"name": name, "html": "<p>Yes.</p>", "status": Status.PENDING}
            | {"created_at": start + timedelta(seconds=number)}
            for number, name in enumerate(names)
        ]
        session.execute(insert(Comment), rows)
    return names


def decided(app: Flask) -> list[str]:
    """Whose comments were decided on, in this order."""
    with app.app_context():
        rows = select(Comment.name).join(Decision).order_by(Decision.id)
        return list(database.session().scalars(rows))


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    until = monotonic() + 15
    while not is_so():
        assert monotonic() < until, "it did not come to this"
        page.wait_for_timeout(50)


def test_every_key_does_what_the_map_says(live: Live, mo: Page) -> None:
    keys = mo.keyboard
    keys.press("a")  # no card is chosen yet: it shows the first one, and decides nothing
    expect(card(mo, "Rita")).to_be_focused()
    keys.press("j")
    expect(card(mo, "Otto")).to_be_focused()
    keys.press("k")
    expect(card(mo, "Rita")).to_be_focused()
    tops = mo.evaluate(TOPS)
    for key, name, left in (("a", "Rita", "Otto"), ("r", "Otto", "Lena"), ("s", "Lena", "Pit")):
        keys.press(key)
        expect(card(mo, left)).to_be_focused()
        expect(card(mo, name)).to_have_count(0)
        assert mo.evaluate(TOPS).items() <= tops.items()  # no other card moves
    expect(strip(mo)).to_contain_text("Lena: spam")
    assert list(statuses(live.app).values()) == ["approved", "rejected", "spam", "pending"]
    keys.press("z")  # and once more: a decision before that one, not the undo
    expect(card(mo, "Lena")).to_be_focused()
    keys.press("z")
    expect(card(mo, "Otto")).to_be_focused()
    expect_counts(mo, pending=3, approved=1, rejected=0, spam=0)
    keys.press("d")
    expect(strip(mo)).to_contain_text("Otto: deleted")
    with live.app.app_context():
        [otto] = database.session().scalars(select(Comment).where(Comment.name == "Otto"))
        assert (otto.status, otto.text) == (
            Status.DELETED,
            "I saw it twice.",
        )  # hides, never erases
    keys.press("n")
    mo.get_by_role("dialog").get_by_label("Note").fill("ask Ina")
    keys.press("a")  # typed, as every other letter
    mo.get_by_role("button", name="Keep the note").click()
    expect(card(mo, "Lena")).to_be_focused()
    with live.app.app_context():
        assert database.session().scalars(select(Note.text)).all() == ["ask Inaa"]
    keys.press("?")
    box = mo.get_by_role("dialog", name="Keys")
    expect(box).to_be_visible()
    keys.press("a")  # dead while a box is open
    keys.press("Escape")
    expect(box).to_be_hidden()
    expect(card(mo, "Lena")).to_be_focused()
    for letter, status in zip(
        "arsdop", ("approved", "rejected", "spam", "deleted", "reported"), strict=False
    ):
        keys.press("g")
        keys.press(letter)
        expect(mo.locator(f".tabs [data-status={status}]")).to_have_attribute(
            "aria-current", "page"
        )
    keys.press("g")
    keys.press("p")
    expect(mo.locator(".tabs [data-status=pending]")).to_have_attribute("aria-current", "page")
    assert list(statuses(live.app).values()) == ["approved", "deleted", "pending", "pending"]


def test_what_other_rooms_put_on_a_card_has_keys_too(live: Live, mo: Page) -> None:
    """Edit, reply, select and search come from their own pieces, by these names."""
    mo.evaluate(
        """() => {
            const [rita, otto] = document.querySelectorAll(".card");
            window.pressed = [];
            for (const [key, tag] of [["e", "a"], ["c", "button"]]) {
                for (const stale of otto.querySelectorAll(`[data-key=${key}]`)) stale.remove();
                const made = document.createElement(tag);
                made.dataset.key = key;
                made.append(key);
                made.addEventListener("click", () => window.pressed.push(key));
                otto.append(made);
            }
            const pick = document.createElement("input");
            Object.assign(pick, { type: "checkbox", className: "pick" });
            for (const stale of otto.querySelectorAll(".pick")) stale.remove();
            otto.append(pick);
            if (!document.getElementById("search")) {
                const search = document.createElement("input");
                search.id = "search";
                document.querySelector("main").prepend(search);
            }
        }"""
    )
    for key in "jjecx":
        mo.keyboard.press(key)
    assert mo.evaluate("window.pressed") == ["e", "c"]
    expect(card(mo, "Otto").locator(".pick")).to_be_checked()
    mo.keyboard.press("/")
    expect(mo.locator("#search")).to_be_focused()
    mo.keyboard.type("asrd")  # dead in a field
    expect(mo.locator("#search")).to_have_value("asrd")
    assert count_decisions(live.app) == 0
    card(mo, "Rita").focus()
    for key in ("Control+a", "Alt+a", "Shift+a"):
        mo.keyboard.press(key)
    press_raw(mo, key="a", isComposing=True)
    press_raw(mo, key="a", repeat=True)  # a key that is held
    assert count_decisions(live.app) == 0
    press_raw(mo, key="A", code="KeyA")  # Caps Lock
    expect(strip(mo)).to_contain_text("Rita: approved")
    press_raw(mo, key="ы", code="KeyS")  # a keyboard without Latin letters
    expect(strip(mo)).to_contain_text("Otto: spam")


def press_raw(page: Page, **event: object) -> None:
    page.evaluate(
        "(event) => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...event}))",
        event,
    )


def test_whoever_switched_the_keys_off_has_none(live: Live, mo: Page) -> None:
    mo.get_by_role("link", name="Keys").click()
    mo.get_by_role("dialog").get_by_role("button", name="Switch the keys off").click()
    expect(mo.locator(".card kbd")).to_have_count(0)
    card(mo, "Rita").focus()
    for key in "jarsd":
        mo.keyboard.press(key)
    expect(card(mo, "Rita")).to_be_focused()
    assert count_decisions(live.app) == 0
    mo.get_by_role("link", name="Keys").click()
    mo.get_by_role("dialog").get_by_role("button", name="Switch the keys on").click()
    expect(card(mo, "Rita").locator("kbd").first).to_be_attached()
    card(mo, "Rita").focus()
    mo.keyboard.press("a")
    expect(strip(mo)).to_contain_text("Rita: approved")


def test_twenty_quick_keys_are_twenty_decisions_in_order(live: Live, mo: Page) -> None:
    names = many(live.app, 200)
    mo.reload()
    mo.keyboard.press("j")
    for _ in range(20):
        mo.keyboard.press("a")
    expect(card(mo, "R020")).to_be_focused()
    expect(strip(mo)).to_contain_text("R019: approved")
    assert decided(live.app) == names[:20]
    assert mo.evaluate("document.activeElement.getBoundingClientRect().bottom <= innerHeight")


# The line, and the session


def lose_answer(route: Route) -> None:
    with suppress(Error):  # the page may be gone by then
        route.fetch()
        route.abort()


def test_what_a_lost_line_kept_goes_when_it_is_back_and_only_once(live: Live, mo: Page) -> None:
    mo.keyboard.press("j")
    mo.context.set_offline(True)
    mo.keyboard.press("a")
    mo.keyboard.press("r")
    mo.keyboard.press("s")
    expect(kept(mo)).to_contain_text("3 decisions are not sent yet.")
    mo.keyboard.press("z")  # what was not sent can be taken back without the server
    expect(card(mo, "Lena")).to_be_focused()
    expect(kept(mo)).to_contain_text("2 decisions are not sent yet.")
    mo.context.set_offline(False)
    expect(strip(mo)).to_contain_text("Otto: rejected")
    expect(kept(mo)).to_be_hidden()
    expect_counts(mo, pending=2, approved=1, rejected=1)
    # A later page sends what an earlier one kept, and its card is away there too.
    refuse(mo, lambda route: route.abort())
    mo.keyboard.press("s")
    expect(kept(mo)).to_contain_text("1 decision is not sent yet.")
    stored_there = mo.evaluate("JSON.stringify(localStorage)")
    assert '\\"action\\":\\"spam\\"' in stored_there
    assert not [word for word in ("I saw it", "Lena", "csrf", "@") if word in stored_there]
    mo.reload()
    expect(card(mo, "Lena")).to_have_count(0)
    mo.unroute("**/decide")
    kept(mo).get_by_role("button", name="Send now").click()
    expect(strip(mo)).to_contain_text("Lena: spam")
    # The server decides, and its answer is lost: sent again, it is done and no conflict.
    refuse(mo, lose_answer)
    mo.keyboard.press("j")
    mo.keyboard.press("d")
    expect(kept(mo)).to_contain_text("1 decision is not sent yet.")
    mo.goto(f"{live.url}/desk/?status=spam")
    expect(kept(mo)).to_contain_text("1 decision is not sent yet.")
    mo.unroute("**/decide")
    kept(mo).get_by_role("button", name="Send now").click()
    expect(strip(mo)).to_contain_text("Pit: deleted")
    expect(kept(mo)).to_be_hidden()
    wait_until(mo, lambda: mo.evaluate("localStorage.length") == 0)
    expect(mo.get_by_role("alert")).to_have_count(0)
    assert decided(live.app) == ["Rita", "Otto", "Lena", "Pit"]


def test_who_gives_up_has_the_cards_back(live: Live, mo: Page) -> None:
    refuse(mo, lambda route: route.fulfill(status=503, json={"error": "Many are writing."}))
    press(mo, "Rita", "Approve")
    press(mo, "Otto", "Spam")
    expect(kept(mo)).to_contain_text("2 decisions are not sent yet. The server is busy")
    kept(mo).get_by_role("button", name="Give up").click()
    expect(kept(mo)).to_be_hidden()
    expect(card(mo, "Rita").get_by_role("alert")).to_be_visible()
    assert mo.locator(".card .comment-author").all_inner_texts() == list(NAMES)
    mo.unroute("**/decide")
    press(mo, "Rita", "Approve")
    expect(strip(mo)).to_contain_text("Rita: approved")


# With one thumb


@pytest.fixture
def phone(live: Live, browser: Browser) -> Page:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, bypass_csp=True
    )
    yield enter(live, context)
    context.close()


def test_a_thumb_finds_two_large_buttons_and_undo_where_it_is(
    live: Live, phone: Page, screenshot: Callable[..., Path]
) -> None:
    many(live.app, 8)
    phone.reload()
    first = phone.locator(".card").first
    large = [button for button in first.locator(".act").all() if button.is_visible()]
    assert [button.inner_text() for button in large] == ["Approve", "Reject"]
    assert all(button.bounding_box()["height"] >= 48 for button in large)
    tops = phone.evaluate(TOPS)
    box = large[0].bounding_box()
    at = box["x"] + 40, box["y"] + 20
    phone.touchscreen.tap(*at)
    phone.touchscreen.tap(*at)  # a slip
    phone.touchscreen.tap(at[0], at[1] + 200)  # and a tap on what stands below
    phone.wait_for_timeout(SECOND_TAP)
    place = phone.locator(".gone")
    expect(place).to_contain_text("R000: approved")
    expect(strip(phone)).to_contain_text("R000: approved")  # and it is stored
    assert phone.evaluate(TOPS).items() <= tops.items()
    assert barriers(phone) == {}
    screenshot(phone, "desk-thumb", full_page=False)
    assert decided(live.app) == ["R000"]
    place.get_by_role("button", name="Undo").tap()
    expect(card(phone, "R000")).to_be_visible()
    assert phone.evaluate(TOPS) == tops
    phone.wait_for_timeout(SECOND_TAP)
    phone.context.set_offline(True)
    phone.locator(".card").nth(1).get_by_role("button", name="Reject").tap()
    expect(kept(phone)).to_contain_text("1 decision is not sent yet.")
    assert barriers(phone) == {}
    screenshot(phone, "desk-kept", full_page=False)
    phone.context.set_offline(False)
    expect(strip(phone)).to_contain_text("R001: rejected")
    first.get_by_text("More").tap()
    first.get_by_role("button", name="Spam").tap()
    expect(place.first).to_contain_text("R000: spam")
    expect(strip(phone)).to_contain_text("R000: spam")
    phone.mouse.wheel(0, 300)
    expect(place).to_have_count(0)
    assert statuses(live.app)["R000"] == Status.SPAM


@pytest.mark.long
def test_the_map_has_no_barrier_and_all_works_without_script(live: Live, browser: Browser) -> None:
    context = browser.new_context(bypass_csp=True, viewport={"width": 320, "height": 640})
    page = enter(live, context)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{live.url}/desk/keys")
        assert barriers(page) == {}
        page.goto(f"{live.url}/desk/")
        page.keyboard.press("?")
        assert barriers(page) == {}
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("n")
        assert barriers(page) == {}
    context.close()
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 640}, has_touch=True
    )
    plain = enter(live, context)
    card(plain, "Rita").get_by_text("More").tap()
    card(plain, "Rita").get_by_role("button", name="Delete").tap()
    expect(card(plain, "Rita")).to_have_count(0)
    card(plain, "Otto").get_by_text("More").tap()
    card(plain, "Otto").get_by_role("link", name="Write a note").click()
    plain.get_by_label("Something for your colleagues").fill("ask Ina")
    plain.get_by_role("button", name="Keep the note").click()
    expect(plain.locator(".history")).to_contain_text("ask Ina")
    plain.goto(f"{live.url}/desk/keys")
    plain.get_by_role("button", name="Switch the keys off").click()
    expect(plain.get_by_role("button", name="Switch the keys on")).to_be_visible()
    context.close()
    assert statuses(live.app)["Rita"] == Status.DELETED
    with live.app.app_context():
        switched = database.session().scalars(select(accounts.Moderator.has_keys)).all()
        assert switched == [False]
