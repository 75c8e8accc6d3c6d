"""Statistics and record in a real Chromium: at 320 px, in light and dark, without a barrier."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from barriers import barriers
from cast import ORIGIN, add_moderator, add_site
from flask import Flask
from live import Live
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from service import accounts, database
from service.models import Article, Comment, Decision, Event, Reason, now
from service.status import Act, Role, Status

LONG = "Donaudampfschifffahrtsgesellschaftskapitän"
STATUSES = (Status.APPROVED, Status.APPROVED, Status.REJECTED, Status.PENDING, Status.DELETED)

# What is wider than the screen or sticks out of it, and words that are too small to read.
FAULTS = """() => {
    const faults = [];
    if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is too wide");
    for (const node of document.querySelectorAll("svg text")) {
        const { left, right } = node.getBoundingClientRect();
        if (right - left && (left < 0 || right > innerWidth)) faults.push(`sticks out: ${node.textContent}`);
        if (parseFloat(getComputedStyle(node).fontSize) < 11) faults.push(`small: ${node.textContent}`);
    }
    for (const svg of document.querySelectorAll("svg.plot")) {
        const marks = [...svg.querySelectorAll(".plot-mark, .plot-end, .plot-tick")]
            .filter((node) => node.getBoundingClientRect().width);
        const boxes = marks.map((node) => node.getBoundingClientRect());
        boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
            const isBeside = a.right <= b.left || b.right <= a.left;
            const isClear = isBeside || a.bottom - 3 <= b.top || b.bottom - 3 <= a.top;
            if (!isClear) faults.push(`covers: ${marks[i].textContent} ${marks[i + 1 + j].textContent}`);
        }));
    }
    for (const node of document.querySelectorAll(".table :is(th, td)")) {
        const isShort = node.checkVisibility() && node.textContent.trim().length < 7;
        const words = document.createRange();
        words.selectNodeContents(node); // a cell is as high as its row
        if (isShort && words.getBoundingClientRect().height > 48) faults.push(`breaks: ${node.textContent}`);
    }
    for (const node of document.querySelectorAll("main :is(button, select, summary, input)")) {
        const { width, height } = node.getBoundingClientRect();
        if (node.checkVisibility() && (height < 24 || width < 24)) faults.push(`small: ${node.outerHTML}`);
    }
    return faults;
}"""


def fill(app: Flask) -> None:
    """Thirty days of five comments each, a wave of spam, and something of everything on record."""
    at = now()
    with app.app_context(), database.writing() as session:
        article = Article(site_id=1, url=f"{ORIGIN}/{LONG * 3}", title=LONG, is_title_proved=True)
        session.add(article)
        session.flush()
        rows = []
        for day in range(30):
            rows += [(status, at - timedelta(days=day, seconds=1)) for status in STATUSES]
        rows += [(Status.SPAM, at - timedelta(days=9, milliseconds=n)) for n in range(300)]
        base = {"site_id": 1, "article_id": article.id, "name": LONG, "text": "Yes.", "renderer": 1}
        base |= {
            "html": f'<a href="https://{LONG.lower()}.example">Yes</a>',
            "text_digest": b"same",
        }
        comments = [
            base | {"id": n, "public_id": f"{n:012d}", "status": status, "created_at": when}
            for n, (status, when) in enumerate(rows, 1)
        ]
        session.execute(insert(Comment), comments)
        session.execute(
            insert(Reason), [{"comment_id": c["id"], "rule": "too_fast"} for c in comments]
        )
        session.execute(
            insert(Decision),
            [
                {
                    "comment_id": c["id"],
                    "moderator_id": 1,
                    "by": "mo",
                    "act": Act.DECIDED,
                    "from_status": Status.PENDING,
                    "to_status": c["status"],
                    "version": 2,
                    "at": c["created_at"] + timedelta(minutes=c["id"] % 90 + 1),
                    "network": "2001:db8:7::/48",
                }
                for c in comments
                if c["status"] != Status.PENDING
            ],
        )
        session.add(Event(by=LONG, what="closed", about=LONG * 5, site_id=1, moderator_id=1))


@pytest.fixture
def pia(live: Live, browser: Browser) -> Iterator[Page]:
    """A publisher's tab, past the pages' policy for scripts, so that axe-core can look."""
    add_site(live.app)
    moderator_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    with live.app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, moderator_id))
    context = browser.new_context(
        bypass_csp=True, viewport={"width": 320, "height": 800}, locale="en-GB"
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(f"{live.url}/desk/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{live.url}/desk/")
    yield page
    context.close()


PHONE, DESK = (320, "dark"), (1280, "light")


def look(page: Page, url: str, *sizes: tuple[int, str]) -> None:
    """Looks at a page, on a phone in the dark and on a desk in daylight."""
    for width, scheme in sizes:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(url)
        assert page.evaluate(FAULTS) == [], (url, width)
        page.evaluate(
            "for (const found of document.querySelectorAll('main details')) found.open = true"
        )
        assert page.evaluate(FAULTS) == [], (url, width)
        assert barriers(page) == {}, (url, width)


@pytest.mark.long
def test_how_it_goes_reads_well_on_a_phone_in_the_dark_and_to_a_screen_reader(
    live: Live, pia: Page
) -> None:
    look(pia, f"{live.url}/desk/statistics/daily", PHONE)  # empty
    fill(live.app)
    live.app.extensions["statistics"].clear()
    pia.get_by_text("More", exact=True).click()
    pia.get_by_role("link", name="Statistics").click()
    expect(pia).to_have_url(f"{live.url}/desk/statistics/daily")
    arrivals = pia.get_by_role("img", name="Comments a day")
    counted = "60 approved, 30 rejected, 30 deleted, 300 spam, 30 pending"
    most = f"Most came on {now() - timedelta(days=9):%-d %B}: 305."
    expect(arrivals).to_have_accessible_description(
        f"Comments came on 30 of 30 days: {counted}. {most}"
    )
    pia.get_by_role("group").filter(has_text="Comments a day").locator("summary").click()
    table = pia.get_by_role("region", name="Table: Comments a day")
    expect(table.get_by_role("row")).to_have_count(31)
    look(pia, pia.url, PHONE, DESK)
    for days in (7, 90):
        for width in (320, 768):
            pia.set_viewport_size({"width": width, "height": 800})
            pia.goto(f"{live.url}/desk/statistics/daily?days={days}")
            assert pia.evaluate(FAULTS) == [], (days, width)


@pytest.mark.long
def test_the_record_reads_well_and_is_taken_along_by_one_button(live: Live, pia: Page) -> None:
    look(pia, f"{live.url}/desk/audit/", PHONE)
    fill(live.app)
    look(pia, f"{live.url}/desk/audit/?network=2001:db8:7::/48", DESK, PHONE)
    pia.get_by_label("What").select_option("Article closed")
    pia.get_by_label("Network").fill("")
    pia.get_by_role("button", name="Show", exact=True).click()
    expect(pia.locator(".record li")).to_have_count(1)
    with pia.expect_download() as taken:
        pia.get_by_role("button", name="Export as CSV").click()
    assert LONG in taken.value.path().read_text("utf-8-sig")
    pia.get_by_role("link", name="Show everything").click()
    expect(pia.locator(".record li").first).to_contain_text("pia took the record along")
