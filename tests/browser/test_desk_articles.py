"""Articles at the desk in a real Chromium: found, closed, moved; and the reader's old page afterwards."""

from collections.abc import Callable, Iterator

import pytest
from cast import add_moderator
from live import Live, Publisher, sign_in_browser
from playwright.sync_api import Page, expect
from rita import add_comment, add_site

from service.status import Role

EMBED = """<!doctype html><title>An article</title><main>
<script src="{url}/embed.js" async></script>
<rejoinder-thread site="daily"><a href="{url}/embed/daily?url={page}">Replies</a></rejoinder-thread></main>"""


@pytest.fixture
def page_of_old(live: Live, publisher: Publisher) -> str:
    """The article's page, where it has been for years."""
    add_site(live.app, publisher.url)
    url = f"{publisher.url}/2026/review"
    add_comment(live.app, url, "Ada", "A fine review.")
    add_comment(live.app, f"{publisher.url}/2026/other-{'donaudampfschifffahrt' * 5}", "Bo", "Hm.")
    return publisher.write("/2026/review", EMBED.format(url=live.url, page=url))


@pytest.fixture
def pia(live: Live, phone: Page, page_of_old: str) -> Iterator[Page]:
    """Pia's telephone, with script and without."""
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    sign_in_browser(live, phone.context, pia_id)
    phone.goto(f"{live.url}/desk/sites/daily/articles")
    return phone


def test_an_article_is_found_closed_and_moved_and_its_old_page_keeps_the_thread(
    pia: Page, page: Page, publisher: Publisher, page_of_old: str, look: Callable[[str], None]
) -> None:
    look("list")
    pia.get_by_label("Search titles and addresses").fill("2026/rev")
    pia.get_by_role("button", name="Show").click()
    row = pia.locator(".article-row")
    expect(row).to_have_count(1)
    row.get_by_role("checkbox").check()
    pia.get_by_role("button", name="Close to new comments").click()
    expect(pia.locator(".done")).to_contain_text("1 article: Closed")
    row.get_by_role("link").click()
    expect(pia.get_by_role("button", name="Open it again")).to_be_visible()
    pia.get_by_label("New address").fill("no address")
    pia.get_by_role("button", name="Move the article").click()
    expect(pia.locator("#url-error")).to_contain_text("Enter a whole address")
    look("refused")
    pia.get_by_label("New address").fill(f"{publisher.url}/blog/review")
    pia.get_by_role("button", name="Move the article").click()
    expect(pia.locator(".done")).to_contain_text("its new address")
    look("moved")
    other = pia.url.rpartition("/articles/")[0] + "/sites/daily/articles/addresses"
    pia.goto(other)
    pia.get_by_label("Addresses now").fill(f"{publisher.url}/2026/*")
    pia.get_by_label("Addresses from now on").fill(f"{publisher.url}/blog/*")
    pia.get_by_role("button", name="See what would move").click()
    expect(pia.locator("#found")).to_contain_text("1 article would move")
    look("rehearsed")
    pia.get_by_role("button", name="Move them").click()
    expect(pia.get_by_text("1 of 1 moved")).to_be_visible()
    look("addresses")
    page.goto(page_of_old)
    frame = page.frame_locator("rejoinder-thread iframe")
    expect(frame.locator(".comment")).to_contain_text("A fine review.")
    expect(frame.get_by_text("This article takes no new replies any more.")).to_be_visible()


def test_two_are_looked_at_before_they_are_one(
    pia: Page, publisher: Publisher, look: Callable[[str], None]
) -> None:
    pia.get_by_label("Order").select_option("url")
    pia.get_by_role("button", name="Show").click()
    pia.locator(".article-row").first.get_by_role("link").click()
    pia.get_by_label("New address").fill(f"{publisher.url}/2026/review")
    pia.get_by_role("button", name="Move the article").click()
    expect(pia.get_by_role("link", name="See what making the two one")).to_be_visible()
    look("taken")
    pia.get_by_label("Address of the article that stays").fill(f"{publisher.url}/2026/review")
    pia.get_by_role("button", name="Look at both").click()
    look("pair")
    pia.get_by_role("button", name="Make them one").click()
    expect(pia.locator(".done")).to_contain_text("The two articles are one.")
    expect(pia.get_by_text("2 published comments")).to_be_visible()
