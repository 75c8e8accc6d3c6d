"""A reader at the thread's own page, with and without script."""

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from rita import (
    RITA,
    add_comment,
    add_comments,
    add_site,
    expect_no_receipt,
    fill,
    send,
    set_status,
    stored,
    thread,
)

import service
from service.status import Status

ARTICLE = "https://daily.example/harbour"
STATIC = Path(service.__file__).parent / "static"
KILOBYTE = 1024

# The lowest contrast of any text on the page with what it stands on (WCAG 2.2, 1.4.3), and where.
FAINTEST = """() => {
  const pixel = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (written) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = written;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (parts) => parts.slice(0, 3)
    .map((p) => p / 255 <= 0.04045 ? p / 255 / 12.92 : ((p / 255 + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let faintest = [99, 'nothing'];
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
    const both = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < faintest[0]) faintest = [ratio, walk.currentNode.data];
  }
  return faintest;
}"""


@pytest.fixture(autouse=True)
def site(live):
    add_site(live.app, "https://daily.example")


@pytest.fixture
def without_script(browser):
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def kept(page):
    """What the browser keeps for the page."""
    return lambda: page.evaluate("JSON.stringify(Object.entries(localStorage))")


# Without script


def test_it_posts_without_script_and_the_receipt_stays(without_script, live):
    page = without_script
    page.goto(thread(live.url, ARTICLE))
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()
    expect(page.get_by_text("Your email address will not be published.")).to_have_text(
        "Your email address will not be published. Required fields are marked *"
    )
    fill(page)
    send(page)
    for _ in range(2):
        expect(page).to_have_title(re.compile("^Received: Awaiting moderation"))
        expect(page.locator("#receipt .comment-author")).to_have_text("Rita")
        expect(page.locator("#receipt .comment-body em")).to_have_text("liked")
        expect(page.get_by_text("Keep this page’s link")).to_be_visible()
        assert page.get_by_text("Back to the article").get_attribute("href") == ARTICLE
        page.reload()
    assert len(stored(live.app)) == 1


def test_it_shows_errors_without_script_and_keeps_the_text(without_script, live):
    page = without_script
    page.goto(thread(live.url, ARTICLE))
    fill(page, Name="rita@example.org", Email="nobody", Website="not a site")
    send(page)
    expect(page).to_have_title(re.compile("^Error: "))
    assert page.url.endswith("#reply-errors")
    summary = page.get_by_role("alert")
    expect(summary.get_by_role("link")).to_have_count(3)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    for label, typed in (("Name", "rita@example.org"), ("Email", "nobody")):
        field = page.get_by_role("textbox", name=label)
        expect(field).to_have_value(typed)
        expect(field).to_have_attribute("aria-invalid", "true")
        described = field.get_attribute("aria-describedby")
        expect(page.locator(f"#{described}")).to_have_text(re.compile("^Error: Enter "))
    expect(page.get_by_role("textbox", name="Comment")).not_to_have_attribute(
        "aria-invalid", "true"
    )
    summary.get_by_role("link").nth(2).click()
    expect(page.get_by_role("textbox", name="Website")).to_be_focused()
    fill(page, Website="daily.example")
    send(page)
    expect(page).to_have_title(re.compile("^Received: "))
    assert [comment.website for comment in stored(live.app)] == ["https://daily.example/"]


def test_it_answers_a_comment_without_script(without_script, live):
    page = without_script
    ada = add_comment(live.app, ARTICLE)
    page.goto(thread(live.url, ARTICLE))
    page.get_by_role("link", name="Reply to Ada").click()
    expect(page.get_by_role("heading", name="Reply to Ada")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel reply")).to_be_visible()
    fill(page)
    send(page)
    expect(page.locator("#receipt .comment-answers")).to_have_text("in reply to Ada")
    [comment] = stored(live.app)
    assert comment.parent_id is not None
    assert page.locator("#receipt .comment").get_attribute("data-parent") == ada


def test_it_walks_a_long_thread_by_pages(without_script, live):
    page = without_script
    add_comments(live.app, ARTICLE, [f"Number {number}." for number in range(130)])
    page.goto(thread(live.url, ARTICLE))
    expect(page.get_by_role("heading", level=1)).to_have_text("130 replies")
    seen = page.locator(".comment-body").all_inner_texts()
    for _ in range(2):
        page.get_by_role("link", name="Show more replies").click()
        seen += page.locator(".comment-body").all_inner_texts()
    expect(page.get_by_role("link", name="Show more replies")).to_have_count(0)
    assert seen == [f"Number {number}." for number in range(130)]
    for _ in range(2):
        page.get_by_role("link", name="Show previous replies").click()
    expect(page.get_by_role("link", name="Show previous replies")).to_have_count(0)
    expect(page.get_by_text("Number 0.", exact=True)).to_be_visible()


# With script


def test_it_posts_in_place_and_remembers(page, live, console_errors, kept):
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    send(page)
    own = page.locator(".comments .comment")
    expect(own.locator(".comment-state")).to_have_text("Awaiting moderation")
    expect(own).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(re.compile("waiting for a moderator"))
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    assert page.url == thread(live.url, ARTICLE)
    page.reload()
    expect(own.locator(".comment-state")).to_have_text("Awaiting moderation")
    assert "receipts" in kept()
    assert "rita.reader" not in kept()
    set_status(live.app, "Rita", Status.APPROVED)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 reply")
    expect_no_receipt(page)
    expect(own).to_have_count(1)
    expect(own.locator(".comment-state")).to_have_count(0)
    assert console_errors == []


def test_it_tells_once_that_a_reply_was_not_published(page, live, kept):
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_be_visible()
    set_status(live.app, "Rita", Status.REJECTED)
    page.reload()
    expect(page.locator(".comment-state")).to_have_text("Not published")
    expect_no_receipt(page)
    page.reload()
    expect(page.get_by_text("No replies yet")).to_be_visible()
    expect(page.locator(".comment")).to_have_count(0)


def test_it_never_says_spam(page, live):
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_be_visible()
    set_status(live.app, "Rita", Status.SPAM)
    page.reload()
    expect(page.locator(".comment-state")).to_have_text("Awaiting moderation")


def test_it_shows_errors_in_place(page, live):
    page.goto(thread(live.url, ARTICLE))
    fill(page, Email="", Comment="")
    send(page)
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(summary.get_by_role("link")).to_have_text(
        [re.compile("^Enter an email address"), "Write your comment."]
    )
    comment = page.get_by_role("textbox", name="Comment")
    expect(comment).to_have_attribute("aria-invalid", "true")
    expect(comment).to_have_attribute("aria-describedby", "reply-comment-hint reply-comment-error")
    expect(page.locator("#reply-comment-error")).to_have_text("Error: Write your comment.")
    summary.get_by_role("link").nth(1).click()
    expect(comment).to_be_focused()
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_be_visible()
    expect(summary).to_have_count(0)
    expect(page.locator(".error, [aria-invalid]")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("Error"))


def test_a_double_click_posts_once(page, live):
    posts = []
    page.on("request", lambda sent: posts.append(sent) if sent.method == "POST" else None)
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    page.get_by_role("button", name="Post reply").dblclick()
    expect(page.locator(".comment-state")).to_have_count(1)
    assert len(posts) == len(stored(live.app)) == 1


def test_a_lost_answer_can_be_asked_for_again(page, live):
    def lose(route):
        route.fetch()  # it arrives, its answer does not
        route.abort()

    page.goto(thread(live.url, ARTICLE))
    page.route("**/comments", lose, times=1)
    fill(page)
    send(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your text is kept; try again.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    page.reload()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_have_count(1)
    assert len(stored(live.app)) == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, {"error": "Many people are writing. Try again in 5 seconds.", "errors": {}}),
        (429, {"error": "You have posted several replies. Try again in 15 seconds.", "errors": {}}),
        (502, None),
    ],
)
def test_it_keeps_the_text_when_the_service_cannot_take_it(page, live, status, answer):
    body = json.dumps(answer) if answer else "<h1>Bad gateway</h1>"
    page.goto(thread(live.url, ARTICLE))
    page.route("**/comments", lambda route: route.fulfill(status=status, body=body), times=1)
    fill(page)
    send(page)
    said = answer["error"] if answer else "cannot answer at this moment"
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    send(page)
    expect(page.locator(".comment-state")).to_be_visible()


def test_it_answers_in_place(page, live, console_errors):
    ada = add_comment(live.app, ARTICLE)
    add_comment(live.app, ARTICLE, name="Grace", typed="Another.")
    page.goto(thread(live.url, ARTICLE))
    comment = page.locator(f"#comment-{ada}")
    page.get_by_role("textbox", name="Comment").fill("Begun below.")
    page.get_by_role("link", name="Reply to Ada").click()
    expect(comment.get_by_role("heading", name="Reply to Ada")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Begun below.")
    page.get_by_role("link", name="Cancel reply").click()
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()
    expect(comment.locator("form")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Begun below.")
    page.get_by_role("link", name="Reply to Ada").click()
    fill(page)
    send(page)
    expect(comment.locator(".replies .comment-state")).to_have_text("Awaiting moderation")
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()
    page.reload()
    expect(comment.locator(".replies .comment-body")).to_have_text("I liked the harbour.")
    [stored_reply] = stored(live.app)
    assert stored_reply.parent_id is not None
    assert console_errors == []


def test_a_draft_outlives_the_page_but_keeps_no_address(page, live, kept):
    ada = add_comment(live.app, ARTICLE)
    page.goto(thread(live.url, ARTICLE))
    fill(page, Comment="Half a thought")
    page.get_by_role("link", name="Reply to Ada").click()
    page.get_by_role("textbox", name="Comment").fill("Another one, for Ada")
    page.reload()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    page.get_by_role("link", name="Reply to Ada").click()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Another one, for Ada")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Rita")
    assert page.locator("input[name=parent]").input_value() == ada
    assert "rita.reader" not in kept()
    assert page.context.cookies() == []


def test_it_posts_where_storage_is_denied(page, live, console_errors):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"
    )
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_have_text("Awaiting moderation")
    assert console_errors == []


def test_it_asks_for_a_token_when_the_form_is_touched(page, live):
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/token" in sent.url else None)
    page.goto(thread(live.url, ARTICLE))
    before = page.locator("input[name=token]").input_value()
    assert asked == []
    page.get_by_role("textbox", name="Name").focus()
    expect(page.locator("input[name=token]")).not_to_have_value(before)
    page.get_by_role("textbox", name="Comment").focus()
    assert len(asked) == 1


HOSTILE = (
    '"><img src=x onerror=hacked()>',
    "</article></main><script>hacked()</script>",
    "{{ 7 * 7 }} ${7 * 7} <svg onload=hacked()>",
)


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_typed_becomes_part_of_the_page(page, live, typed, console_errors):
    website = f"https://evil.example/{typed.replace(' ', '+')}"
    page.goto(thread(live.url, ARTICLE))
    page.evaluate("window.hacked = () => document.title = 'hacked'")
    fill(page, Name=typed[:80], Website=website, Comment=typed)
    send(page)
    expect(page.locator(".comment-author")).to_have_text(typed[:80])
    set_status(live.app, typed[:80], Status.APPROVED)
    page.goto(thread(live.url, ARTICLE))
    expect(page.locator(".comment-author")).to_have_text(typed[:80])
    for comment in page.locator(".comment").all():
        assert comment.locator("img, script, svg, iframe, [onerror], [onload]").count() == 0
        assert comment.locator("a:not([href^='http']):not([href^='/'])").count() == 0
    link = page.locator(".comment-author a")
    assert link.get_attribute("rel") == "nofollow ugc noopener"
    assert link.get_attribute("href").startswith("https://evil.example/")
    expect(page).not_to_have_title("hacked")
    assert console_errors == []


def test_a_script_address_is_no_website(page, live):
    page.goto(thread(live.url, ARTICLE))
    fill(page, Website="javascript:alert(1)")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Enter a website like https://example.org")


def test_an_article_elsewhere_can_be_read_but_not_answered(page, live):
    elsewhere = "https://old.example/post"
    add_comment(live.app, elsewhere)
    page.goto(thread(live.url, elsewhere))
    expect(page.get_by_text("A fine review.")).to_be_visible()
    expect(page.get_by_text("Replies to it can be read here, but not written.")).to_be_visible()
    expect(page.locator("form, .reply-link")).to_have_count(0)
    page.locator(".comment-link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This comment is on another website")


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/embed/nowhere?url=https://daily.example/", "Not found"),
        ("/embed/daily?url=https://other.example/", "Not allowed"),
        ("/embed/daily?url=nonsense", "Not done"),
        ("/receipts/torn", "Not found"),
    ],
)
def test_an_error_is_a_page_with_words(without_script, live, path, heading):
    without_script.goto(live.url + path)
    expect(without_script.get_by_role("heading", level=1)).to_have_text(heading)
    expect(without_script).to_have_title(f"Error: {heading}")


# How it looks


@pytest.fixture
def full(live):
    """A thread with all that is hard to lay out."""
    add_comment(live.app, ARTICLE, "محمد", "فيلم جميل.\n\nAnd a line of English.")
    add_comment(live.app, ARTICLE, "김철수", "정말 좋은 영화였습니다.")
    add_comment(
        live.app, ARTICLE, "W" * 80, f"{'Donaudampfschiff' * 12} <https://a.example/{'x' * 200}>"
    )
    above = add_comment(
        live.app,
        ARTICLE,
        "Ada",
        "> quoted\n\n- one\n- two\n\n`code`\n\n```\n" + "x" * 200 + "\n```",
    )
    for level in range(7):
        above = add_comment(
            live.app, ARTICLE, f"Level {level}", answers=above, website="https://a.example"
        )
    gone = add_comment(live.app, ARTICLE, status=Status.DELETED)
    add_comment(live.app, ARTICLE, "Hedy", answers=gone)
    return thread(live.url, ARTICLE)


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (768, "light"), (1280, "dark")])
def test_it_fits_and_can_be_read(page, full, width, scheme, screenshot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(full)
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    screenshot(page, f"thread-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ratio, where = page.evaluate(FAINTEST)
    assert ratio >= 4.5, where


def test_small_links_are_large_enough_to_hit(page, full):
    page.goto(full)
    for link in page.locator(".reply-link, .comment-link, .write-link").all():
        box = link.bounding_box()
        assert box["height"] >= 24, link.inner_text()
        assert box["width"] >= 24, link.inner_text()


def test_a_deep_answer_is_flat_and_says_whom_it_answers(page, full):
    page.goto(full)
    deep = page.locator(".comment", has_text="Level 6").last
    expect(deep.locator(".comment-answers")).to_have_text("in reply to Level 5")
    expect(page.get_by_text("A comment that is not shown.")).to_be_visible()
    assert page.locator(".replies .replies .replies .replies .replies").count() == 0


@pytest.mark.parametrize(("name", "most"), [("embed.js", 2), ("thread.js", 6), ("thread.css", 5)])
def test_a_guest_is_light(name, most):
    size = len(gzip.compress((STATIC / name).read_bytes(), 9))
    print(f"{name}: {size} bytes with gzip")
    assert size <= most * KILOBYTE
