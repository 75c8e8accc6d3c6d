"""The desk in a real Chromium: cards that leave, colleagues that come first, and no script at all."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cast import ORIGIN, add_moderator, add_site, stored
from flask import Flask
from live import Live, sign_in_browser
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from sqlalchemy import insert, select, update

from service import accounts, database, moderation
from service.models import Article, Author, Comment, Decision, Reason, Report, Site, now
from service.status import ReportReason, Role, Status

NAMES = ("Rita", "Otto", "Lena", "Pit")
SECOND_TAP = 400  # milliseconds, as in desk.js
EMAIL = "{}@readers.example"
SIZES = {"desktop": (1280, 800), "tablet": (768, 1024), "phone": (390, 844), "smallest": (320, 640)}


def fill(app: Flask, names: tuple[str, ...] = NAMES, text: str = "I saw it twice.") -> None:
    """Puts one pending comment of each into the queue, in this order."""
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).first()
        article = session.scalars(select(Article)).first()
        if article is None:
            article = Article(site_id=site.id, url=f"{ORIGIN}/review", title="A review")
        session.add(article)
        session.flush()
        for name in names:
            hidden = app.extensions["vault"].hide(EMAIL.format(name.lower()), site.id)
            author = Author(
                site_id=site.id,
                email_index=hidden.index,
                email_ciphertext=hidden.ciphertext,
                email_key_id=hidden.key_id,
            )
            session.add(author)
            session.flush()
            comment = Comment(
                site_id=site.id,
                article_id=article.id,
                author_id=author.id,
                name=name,
                text=text,
                html=f"<p>{text}</p>",
                renderer=1,
                status=Status.PENDING,
            )
            comment.reasons.append(Reason(rule="every_reply"))
            session.add(comment)


@pytest.fixture
def live(live: Live) -> Live:
    """The Daily with four replies in the queue."""
    add_site(live.app)
    fill(live.app)
    return live


def enter(live: Live, context: BrowserContext, name: str = "mo") -> Page:
    """Signs a moderator in; gives their tab, at the queue."""
    moderator_id = add_moderator(live.app, f"{name}@daily.example")
    sign_in_browser(live, context, moderator_id)
    page = context.new_page()
    page.goto(f"{live.url}/desk/")
    return page


@pytest.fixture
def mo(live: Live, context: BrowserContext) -> Page:
    return enter(live, context)


@pytest.fixture
def ina(live: Live, browser: Browser) -> Iterator[Page]:
    """A colleague in a browser of her own."""
    context = browser.new_context()
    yield enter(live, context, "ina")
    context.close()


@pytest.fixture
def plain(live: Live, browser: Browser) -> Iterator[Page]:
    """Mo with JavaScript off."""
    context = browser.new_context(java_script_enabled=False)
    yield enter(live, context)
    context.close()


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"Comment by {name}", exact=True)


def press(page: Page, name: str, button: str) -> None:
    page.wait_for_timeout(SECOND_TAP)  # what is clicked sooner after a decision is a slip
    card(page, name).get_by_role("button", name=button, exact=True).click()


def undo(page: Page, says: str = "Undo") -> None:
    """Takes the last decision back, by the strip."""
    page.wait_for_timeout(SECOND_TAP)
    strip(page).get_by_role("button", name=says).first.click()


def strip(page: Page) -> Locator:
    return page.get_by_role("region", name="Your last decisions")


def kept(page: Page) -> Locator:
    """The bar that tells what is not sent yet."""
    return page.locator("#kept")


def expect_counts(page: Page, **expected: int) -> None:
    for status, count in expected.items():
        tab = page.locator(f".tabs [data-status={status}] .count")
        expect(tab).to_have_text(str(count))


def statuses(app: Flask) -> dict[str, str]:
    return {comment.name: comment.status for comment in stored(app)}


def count_decisions(app: Flask) -> int:
    with app.app_context():
        return len(database.session().scalars(select(Decision)).all())


# Deciding by script


def test_a_decided_card_leaves_without_a_reload(live: Live, mo: Page) -> None:
    mo.evaluate("window.isSamePage = true")
    press(mo, "Rita", "Approve")
    expect(card(mo, "Rita")).to_have_count(0)
    expect(card(mo, "Otto")).to_be_focused()
    expect(mo.locator("#announcements")).to_have_text("Rita: approved")
    expect(strip(mo)).to_contain_text("Rita: approved")
    expect_counts(mo, pending=3, approved=1)
    assert mo.evaluate("window.isSamePage")
    assert statuses(live.app)["Rita"] == Status.APPROVED


def test_each_button_does_what_it_says(live: Live, mo: Page) -> None:
    for name, button in zip(NAMES, ("Approve", "Reject", "Spam", "Delete"), strict=True):
        press(mo, name, button)
        expect(card(mo, name)).to_have_count(0)
    expect(mo.get_by_text("Nothing is waiting.")).to_be_visible()
    expect_counts(mo, pending=0, approved=1, rejected=1, spam=1, deleted=1)
    assert list(statuses(live.app).values()) == ["approved", "rejected", "spam", "deleted"]


def test_undo_brings_the_card_back_to_its_place(live: Live, mo: Page) -> None:
    press(mo, "Otto", "Spam")
    undo(mo)
    expect(card(mo, "Otto")).to_be_focused()
    assert mo.locator(".card .comment-author").all_inner_texts() == list(NAMES)
    expect_counts(mo, pending=4, spam=0)
    assert statuses(live.app)["Otto"] == Status.PENDING
    press(mo, "Otto", "Approve")  # with the version that undoing left
    expect(strip(mo)).to_contain_text("Otto: approved")
    assert statuses(live.app)["Otto"] == Status.APPROVED


def test_undo_brings_back_a_card_decided_before_the_page_was_loaded(live: Live, mo: Page) -> None:
    press(mo, "Otto", "Spam")
    expect(strip(mo)).to_contain_text("Otto: spam")
    mo.reload()
    undo(mo)
    expect(card(mo, "Otto")).to_be_focused()
    assert mo.locator(".card .comment-author").all_inner_texts() == list(NAMES)


def test_an_undone_undo_takes_the_card_away_again(live: Live, mo: Page) -> None:
    press(mo, "Otto", "Spam")
    undo(mo)
    expect(card(mo, "Otto")).to_be_visible()
    undo(mo, "Decide so again")
    expect(card(mo, "Otto")).to_have_count(0)
    expect_counts(mo, pending=3, spam=1)
    assert statuses(live.app)["Otto"] == Status.SPAM
    mo.keyboard.press("z")  # which is a decision, and no undo
    expect(card(mo, "Otto")).to_be_visible()


def test_a_card_that_stands_shows_what_it_is_before_it_is_decided(live: Live, mo: Page) -> None:
    """The text changes back under a card: until it is shown, no key publishes it."""
    with live.app.app_context(), database.writing() as session:
        otto = session.scalars(select(Comment).where(Comment.name == "Otto")).one()
        mo_there = session.scalars(select(accounts.Moderator)).one()
        wording = moderation.Wording("A fine one.", "<p>A fine one.</p>", None)
        moderation.reword(session, otto, otto.version, wording, mo_there)
    mo.reload()
    expect(card(mo, "Otto")).to_contain_text("A fine one.")
    held: list[Route] = []
    mo.route(re.compile("/news.one="), lambda route: held.append(route))
    mo.keyboard.press("z")
    expect(strip(mo).get_by_role("button", name="Decide so again")).to_be_visible()
    before = card(mo, "Otto").get_attribute("data-version")
    expect(card(mo, "Otto")).to_contain_text("A fine one.")
    held[0].continue_()
    expect(card(mo, "Otto")).to_contain_text("I saw it twice.")
    expect(card(mo, "Otto")).to_be_focused()
    assert card(mo, "Otto").get_attribute("data-version") != before
    mo.keyboard.press("a")
    expect(strip(mo)).to_contain_text("Otto: approved")
    # On its own page the key takes back what is mine, there too.
    mo.goto(f"{live.url}/desk/comments/{stored(live.app)[1].public_id}")
    mo.keyboard.press("z")
    expect(mo.locator(".history")).to_contain_text("pending again")
    expect(mo.get_by_role("button", name="Decide so again")).to_be_visible()


def test_undo_brings_a_card_back_into_every_list(live: Live, mo: Page) -> None:
    with live.app.app_context(), database.writing() as session:
        changed = {"status": Status.APPROVED, "reported_at": now(), "report_count": 1}
        session.execute(update(Comment).where(Comment.name == "Rita").values(changed))
        rita = select(Comment.id).where(Comment.name == "Rita").scalar_subquery()
        said = {"comment_id": rita, "reason": ReportReason.SPAM, "network_digest": b"1"}
        session.execute(insert(Report).values(public_id="r", **said))
    mo.goto(f"{live.url}/desk/?status=reported")
    expect_counts(mo, reported=1, approved=1)
    press(mo, "Rita", "Spam")
    expect_counts(mo, reported=0, approved=0, spam=1)
    undo(mo)
    expect(card(mo, "Rita")).to_be_focused()
    expect_counts(mo, reported=1, approved=1, spam=0)
    mo.get_by_text("Filters and order").click()
    mo.get_by_label("Email address").fill(EMAIL.format("otto"))
    mo.get_by_role("button", name="Find address").click()
    press(mo, "Otto", "Spam")
    expect(card(mo, "Otto")).to_have_count(0)
    undo(mo)
    expect(card(mo, "Otto")).to_be_focused()
    assert statuses(live.app)["Otto"] == Status.PENDING


def test_a_double_click_decides_once(live: Live, mo: Page) -> None:
    """The second click may land on the card that has moved up."""
    button = card(mo, "Rita").get_by_role("button", name="Approve")
    box = button.bounding_box()
    assert box
    mo.mouse.move(box["x"] + 20, box["y"] + 10)
    mo.mouse.down(click_count=1)
    mo.mouse.up(click_count=1)
    expect(card(mo, "Rita")).to_have_count(0)
    mo.mouse.down(click_count=2)
    mo.mouse.up(click_count=2)
    mo.wait_for_timeout(300)
    assert list(statuses(live.app).values()) == ["approved", "pending", "pending", "pending"]


def test_a_busy_card_takes_no_second_decision(live: Live, mo: Page) -> None:
    mo.evaluate(
        """() => {
            const [approve, , spam] = document.querySelector(".card").querySelectorAll(".act");
            approve.click();
            spam.click();
        }"""
    )
    expect(strip(mo)).to_contain_text("Rita: approved")
    mo.wait_for_timeout(200)
    expect(card(mo, "Rita")).to_have_count(0)
    assert (statuses(live.app)["Rita"], count_decisions(live.app)) == (Status.APPROVED, 1)


def test_the_last_card_of_a_page_leads_to_the_next(live: Live, mo: Page) -> None:
    fill(live.app, tuple(f"R{number}" for number in range(48)))
    mo.reload()
    mo.locator(".card").evaluate_all("cards => cards.slice(0, 49).forEach(card => card.remove())")
    press(mo, "R45", "Approve")
    expect(mo.get_by_text("All on this page are decided.")).to_be_visible()
    expect(mo.get_by_role("link", name="Later comments")).to_be_focused()
    mo.keyboard.press("Enter")
    expect(mo.locator(".card")).to_have_count(2)


def test_it_works_by_keyboard_alone(live: Live, mo: Page) -> None:
    card(mo, "Rita").get_by_role("button", name="Reject").focus()
    mo.keyboard.press("Enter")
    expect(card(mo, "Otto")).to_be_focused()
    for _ in range(20):
        mo.keyboard.press("Tab")
        if mo.evaluate("document.activeElement.value") == "approve":
            break
    mo.keyboard.press("Space")
    expect(card(mo, "Lena")).to_be_focused()
    expect(strip(mo)).to_contain_text("Otto: approved")
    assert list(statuses(live.app).values())[:2] == ["rejected", "approved"]
    outline = mo.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_nothing_moves_for_who_wants_it_still(live: Live, mo: Page) -> None:
    mo.emulate_media(reduced_motion="reduce")
    took = mo.evaluate(
        """async () => {
            const card = document.querySelector(".card");
            const began = performance.now();
            card.querySelector(".act-approve").click();
            while (card.isConnected) await new Promise(requestAnimationFrame);
            return performance.now() - began;
        }"""
    )
    assert took < 100


# When it cannot be done


def test_two_moderators_on_one_card(live: Live, mo: Page, ina: Page) -> None:
    press(ina, "Rita", "Reject")
    expect(strip(ina)).to_contain_text("Rita: rejected")
    press(mo, "Rita", "Approve")
    alert = card(mo, "Rita").get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"ina rejected this \d+ seconds? ago\."))
    expect(alert).to_contain_text("Your “Approve” was not applied.")
    for button in card(mo, "Rita").locator(".act").all():
        expect(button).to_be_disabled()
    expect_counts(mo, pending=3, rejected=1, approved=0)
    assert (statuses(live.app)["Rita"], count_decisions(live.app)) == (Status.REJECTED, 1)
    alert.get_by_role("link", name="Open it as it stands now").click()
    expect(mo.get_by_text("ina rejected this").last).to_be_visible()


def test_undo_after_a_colleague_says_so_and_changes_nothing(
    live: Live, mo: Page, ina: Page
) -> None:
    press(mo, "Rita", "Approve")
    expect(strip(mo)).to_contain_text("Rita: approved")
    ina.goto(f"{live.url}/desk/?status=approved")
    press(ina, "Rita", "Spam")
    expect(strip(ina)).to_contain_text("Rita: spam")
    undo(mo)
    expect(strip(mo)).to_contain_text("ina marked this as spam")
    assert statuses(live.app)["Rita"] == Status.SPAM


def refuse(page: Page, answer: Callable[[Route], None]) -> None:
    page.route("**/decide", answer)


def test_a_lost_line_keeps_the_decision_until_it_is_back(live: Live, mo: Page) -> None:
    refuse(mo, lambda route: route.abort())
    press(mo, "Otto", "Spam")
    expect(kept(mo)).to_contain_text("1 decision is not sent yet. Sending again when the line")
    expect(card(mo, "Otto")).to_have_count(0)
    expect_counts(mo, pending=4, spam=0)
    mo.unroute("**/decide")
    kept(mo).get_by_role("button", name="Send now").click()
    expect(strip(mo)).to_contain_text("Otto: spam")
    expect(kept(mo)).to_be_hidden()
    expect_counts(mo, pending=3, spam=1)
    assert statuses(live.app)["Otto"] == Status.SPAM


def test_a_card_that_came_back_stays_however_late_its_leaving_ends(live: Live, mo: Page) -> None:
    """Browsers tell the end of an animation in their own time, maybe after the server's answer."""
    mo.evaluate(
        """() => {
            const animate = Element.prototype.animate;
            const late = () => new Promise((done) => setTimeout(done, 400));
            Element.prototype.animate = function (...how) {
                const animation = animate.apply(this, how);
                const ended = animation.finished.catch(() => {}).then(late);
                ended.then(() => document.body.append("The leaving has ended."));
                Object.defineProperty(animation, "finished", { value: ended });
                return animation;
            };
        }"""
    )
    refuse(mo, lambda route: route.fulfill(status=404, json={"error": "It is gone."}))
    press(mo, "Otto", "Spam")
    expect(card(mo, "Otto").get_by_role("alert")).to_contain_text("It is gone.")
    expect(mo.get_by_text("The leaving has ended.")).to_be_attached()
    expect(card(mo, "Otto").get_by_role("button", name="Spam")).to_be_visible()


def test_a_broken_server_brings_the_card_back_with_the_reason(live: Live, mo: Page) -> None:
    refuse(mo, lambda route: route.fulfill(status=500, body="<h1>Oh</h1>"))
    press(mo, "Pit", "Spam")
    expect(card(mo, "Pit").get_by_role("alert")).to_contain_text("Something broke on our side.")
    expect(card(mo, "Pit").get_by_role("button", name="Spam")).to_be_enabled()


def test_who_is_signed_out_loses_nothing(live: Live, mo: Page) -> None:
    other = mo.context.new_page()
    other.goto(f"{live.url}/desk/")
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(f"{live.url}/desk/login")
    press(mo, "Rita", "Approve")
    expect(kept(mo)).to_contain_text("You are signed out: sign in, and they are sent.")
    link = kept(mo).get_by_role("link", name="Sign in in a new tab")
    expect(link).to_have_attribute("target", "_blank")
    # Whoever else signs in on this browser sends none of it, and decides nothing in Mo's name.
    enter(live, mo.context, "ina").close()
    kept(mo).get_by_role("button", name="Send now").click()
    press(mo, "Otto", "Spam")
    expect(kept(mo)).to_contain_text("2 decisions are not sent yet. Somebody else is signed in")
    assert count_decisions(live.app) == 0
    # Signed in again elsewhere, Mo sends them from there, and the page that stayed open goes on.
    again = enter(live, mo.context)
    expect(strip(again)).to_contain_text("Otto: spam")
    expect(card(again, "Rita")).to_have_count(0)
    expect(kept(mo)).to_be_hidden()
    expect(strip(mo)).to_contain_text("Otto: spam")  # and can still be undone here
    expect_counts(mo, pending=2, spam=1)
    undo(mo)
    expect(card(mo, "Otto")).to_be_focused()
    expect_counts(mo, pending=3, spam=0)
    press(mo, "Lena", "Approve")
    expect(strip(mo)).to_contain_text("Lena: approved")
    assert list(statuses(live.app).values()) == ["approved", "pending", "approved", "pending"]
    assert count_decisions(live.app) == 4


# The address


def test_an_address_is_shown_in_place_and_on_record(live: Live, mo: Page) -> None:
    expect(card(mo, "Rita")).to_contain_text("r…@r…")
    card(mo, "Rita").get_by_role("button", name="Show the email address of Rita").click()
    expect(card(mo, "Rita")).to_contain_text("rita@readers.example")
    expect(mo.get_by_text("rita@readers.example")).to_be_focused()
    assert count_decisions(live.app) == 1
    press(mo, "Rita", "Approve")
    expect(strip(mo)).to_contain_text("Rita: approved")


# Without script


def test_all_of_it_works_without_script(live: Live, plain: Page) -> None:
    press(plain, "Rita", "Approve")
    expect(card(plain, "Rita")).to_have_count(0)
    expect_counts(plain, pending=3, approved=1)
    assert plain.url.startswith(f"{live.url}/desk/#card-")
    undo(plain)
    expect(card(plain, "Rita")).to_be_visible()
    card(plain, "Rita").get_by_role("button", name="Show").click()
    expect(plain.get_by_text("rita@readers.example")).to_be_visible()
    plain.get_by_label("Note").fill("off topic")
    plain.get_by_role("button", name="Reject").click()
    expect(plain.locator(".history")).to_contain_text("mo rejected this")
    expect(plain.locator(".history")).to_contain_text("off topic")
    plain.get_by_role("button", name="Undo this").click()
    expect(plain.locator(".history")).to_contain_text("pending again")
    assert statuses(live.app)["Rita"] == Status.PENDING


def test_without_script_the_second_is_told_too(live: Live, plain: Page, ina: Page) -> None:
    press(ina, "Rita", "Reject")
    expect(strip(ina)).to_contain_text("Rita: rejected")
    press(plain, "Rita", "Approve")
    alert = plain.get_by_role("alert")
    expect(alert).to_contain_text("ina rejected this")
    expect(alert).to_contain_text("Your “Approve” was not applied.")
    assert statuses(live.app)["Rita"] == Status.REJECTED


# How it looks and reads


def test_a_link_shows_where_it_leads(live: Live, mo: Page) -> None:
    bare = "https://b.example/x"
    fill(
        live.app,
        ("Linker",),
        f'<a href="https://a.example/buy">here</a> <a href="{bare}">{bare}</a>',
    )
    mo.reload()
    shown = (
        card(mo, "Linker")
        .locator(".comment-body a")
        .evaluate_all("links => links.map(link => getComputedStyle(link, '::after').content)")
    )
    assert shown == ['"(https://a.example/buy)"', "none"]


def test_a_long_comment_folds_and_opens(live: Live, mo: Page) -> None:
    fill(live.app, ("Long",), "A very long way to say so. " * 60)
    mo.reload()
    body = card(mo, "Long").locator(".comment-body")
    folded = body.bounding_box()
    card(mo, "Long").get_by_role("button", name="Show all of it").click()
    opened = body.bounding_box()
    assert folded
    assert opened
    assert folded["height"] < 90 < opened["height"]
    expect(card(mo, "Rita").get_by_role("button", name="Show all of it")).to_have_count(0)


@pytest.mark.parametrize(("size", "least"), [("desktop", 5), ("phone", 2)])
def test_enough_cards_are_in_view(live: Live, mo: Page, size: str, least: int) -> None:
    fill(live.app, ("Ada", "Bea", "Cyd"), "I saw it twice in one week, and liked it better. " * 2)
    mo.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    mo.reload()
    whole = mo.locator(".card").evaluate_all(
        "cards => cards.filter(c => c.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert whole >= least


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_the_screen(
    live: Live, mo: Page, size: str, screenshot: Callable[..., Path]
) -> None:
    fill(live.app, ("N" * 80,), "Donaudampfschifffahrtsgesellschaft" * 8)
    comment = stored(live.app)[-1].public_id
    mo.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    for name, path in (
        ("queue", ""),
        ("comment", f"comments/{comment}"),
        ("empty", "?status=spam"),
    ):
        mo.goto(f"{live.url}/desk/{path}")
        screenshot(mo, f"desk-{name}-{size}")
        width = mo.evaluate("document.documentElement.scrollWidth")
        assert width == SIZES[size][0], name


BAR = """() => {
    const box = document.querySelector(".pages ul").getBoundingClientRect();
    const tabs = document.querySelector(".tabs");
    return {
        isInside: box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight,
        isWide: document.documentElement.scrollWidth > innerWidth,
        cut: Math.max(0, tabs.scrollWidth - tabs.clientWidth),
        isWithKeys: document.querySelector(".keys-open").checkVisibility(),
    };
}"""


def test_the_bar_has_room_for_who_has_two_sites(
    live: Live, mo: Page, screenshot: Callable[..., Path]
) -> None:
    with live.app.app_context(), database.writing() as session:
        weekly = Site(key="weekly", name="The Weekly Gazette of the Harbour", origins=[ORIGIN])
        session.add(weekly)
        moderator = session.scalars(select(accounts.Moderator)).one()
        session.flush()
        moderator.memberships.append(accounts.Membership(site_id=weekly.id, role=Role.MODERATOR))
    fill(live.app, ("N" * 80,), "Donaudampfschifffahrtsgesellschaft" * 8)
    for width, height in SIZES.values():
        mo.set_viewport_size({"width": width, "height": height})
        mo.goto(f"{live.url}/desk/")
        mo.locator(".pages summary").click()
        bar = mo.evaluate(BAR)
        screenshot(mo, f"desk-two-sites-{width}")
        assert (bar["isInside"], bar["isWide"], bar["isWithKeys"]) == (True, False, True), width
        assert bar["cut"] == 0 or width < 768, width
        height = mo.evaluate("document.querySelector('.bar').offsetHeight")
        assert height <= (48 if width > 768 else 88), width  # as much as scrolling leaves to it
    long = card(mo, "N" * 80).locator(".named").bounding_box()
    assert long
    assert long["height"] < 40  # the box and the name stay on one line
    mo.goto(f"{live.url}/desk/comments/{stored(live.app)[-1].public_id}/reply")
    assert mo.evaluate("document.documentElement.scrollWidth") == width
    # Choosing a site shows it; by keys a button does, or every arrow would load a page.
    mo.goto(f"{live.url}/desk/")
    show = mo.get_by_role("button", name="Show", exact=True).and_(mo.locator(".filter button"))
    expect(show).to_be_hidden()
    mo.get_by_label("Site", exact=True).press("ArrowDown")
    show.click()
    expect(mo.locator(".card")).to_have_count(5)
    mo.get_by_label("Site", exact=True).select_option("weekly")
    expect(mo.get_by_text("Nothing is waiting.")).to_be_visible()


CHECKS = """() => {
    const faults = [];
    const say = (what, node) => faults.push(`${what}: ${node.outerHTML.slice(0, 90)}`);
    const ids = [...document.querySelectorAll("[id]")].map(node => node.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: ${id}`);
    for (const node of document.querySelectorAll("button, a")) {
        if (!node.textContent.trim() && !node.getAttribute("aria-label")) say("no name", node);
    }
    for (const node of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        if (!node.labels.length) say("no label", node);
    }
    for (const node of document.querySelectorAll("[aria-describedby], [aria-labelledby]")) {
        const named = node.getAttribute("aria-describedby") || node.getAttribute("aria-labelledby");
        for (const id of named.split(" ")) if (!document.getElementById(id)) say("names nothing", node);
    }
    if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
    if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
    for (const node of document.querySelectorAll("button, select, .card a, nav a")) {
        const { width, height } = node.getBoundingClientRect();
        if (node.offsetParent && (height < 24 || width < 24)) say(`small (${width}x${height})`, node);
    }
    for (const node of document.querySelectorAll("[style], style, script:not([src])")) {
        say("inline", node);
    }
    return faults;
}"""


def test_everything_has_a_name_and_a_size_to_hit(
    live: Live, mo: Page, context: BrowserContext
) -> None:
    errors: list[str] = []
    mo.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    press(mo, "Rita", "Approve")
    expect(strip(mo)).to_contain_text("Rita: approved")
    paths = ["", "?status=approved", "?status=spam", f"comments/{stored(live.app)[0].public_id}"]
    faults = {}
    for path in paths:
        mo.goto(f"{live.url}/desk/{path}")
        faults[path] = mo.evaluate(CHECKS)
    mo.get_by_role("button", name="Sign out").click()
    faults["login"] = mo.evaluate(CHECKS)
    assert {path: found for path, found in faults.items() if found} == {}
    assert errors == []
