"""The form as it is written in: preview, tools, counter, and that nothing typed is lost."""

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from rita import RITA, add_comment, add_site, fill, send, stored, thread

import service
from service.tokens import AuthorTokens

ARTICLE = "https://daily.example/harbour"
WRITING = Path(service.__file__).parent / "static" / "writing.js"


@pytest.fixture(autouse=True)
def site(live):
    add_site(live.app, "https://daily.example", comment_length=400)


@pytest.fixture
def comment(page, live):
    """The comment's field, with the tools there."""
    page.goto(thread(live.url, ARTICLE))
    field = page.get_by_role("textbox", name="Comment")
    field.focus()
    expect(page.get_by_role("toolbar")).to_be_visible()
    return field


@pytest.fixture
def select(comment):
    """Types a text and selects what stands between two bars, which are not typed."""

    def select(text):
        before, chosen, after = text.split("|")
        comment.fill(before + chosen + after)
        ends = [len(before), len(before + chosen)]
        comment.evaluate("(field, ends) => field.setSelectionRange(...ends)", ends)

    return select


def marked(field):
    """The field's text with a bar at each end of what is selected."""
    return field.evaluate(
        "({value, selectionStart: a, selectionEnd: b}) =>"
        " [value.slice(0, a), value.slice(a, b), value.slice(b)].join('|')"
    )


# Preview


def test_a_preview_without_script_stands_at_the_filled_form(browser, live):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(thread(live.url, ARTICLE))
    expect(page.get_by_role("toolbar")).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("textbox", name="Comment").fill(RITA["Comment"])
    page.get_by_role("button", name="Preview").click()
    region = page.get_by_role("region", name="Preview")
    expect(region.locator("em")).to_have_text("liked")
    expect(region).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_have_count(0)
    region.get_by_role("link", name="Edit").click()
    expect(page.get_by_role("textbox", name="Comment")).to_be_focused()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    assert stored(live.app) == []
    fill(page)
    send(page)
    expect(page).to_have_title(re.compile("^Received: "))
    context.close()


def test_a_preview_with_script_opens_in_place(page, live, comment, console_errors):
    address = page.url
    comment.fill("I *liked* [it](https://a.example/x)")
    page.get_by_role("button", name="Preview").click()
    region = page.get_by_role("region", name="Preview")
    expect(region).to_be_focused()
    expect(region.locator(".comment-body")).to_have_text("I liked it (https://a.example/x)")
    expect(region.get_by_role("link")).to_have_text("Edit")
    region.get_by_role("link", name="Edit").click()
    expect(region).to_have_count(0)
    expect(comment).to_be_focused()
    expect(comment).to_have_value("I *liked* [it](https://a.example/x)")
    page.get_by_role("button", name="Preview").click()
    expect(region).to_be_focused()
    comment.press_sequentially("!")
    expect(region).to_have_count(0)
    assert page.url == address
    assert stored(live.app) == []
    assert console_errors == []


def test_a_preview_says_what_keeps_it_away(page, comment):
    page.route("**/preview", lambda route: route.abort(), times=1)
    comment.fill("Half a thought")
    page.get_by_role("button", name="Preview").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("There is no connection to The Daily at this moment.")
    expect(alert).to_be_focused()
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Half a thought")
    expect(alert).to_have_count(0)
    comment.fill("x" * 401)
    page.get_by_role("button", name="Preview").click()
    expect(alert.get_by_role("link")).to_have_text(re.compile("^Shorten your comment by 1 "))
    expect(comment).to_have_attribute("aria-invalid", "true")


# Tools

TOOLS = [
    ("Bold", "a |bc| d", "a **|bc|** d"),
    ("Bold", "a **|bc|** d", "a |bc| d"),
    ("Bold", "a |**bc** |d", "a |bc| d"),
    ("Bold", "a *|bc|* d", "a ***|bc|*** d"),
    ("Bold", "||", "**||**"),
    ("Bold", "|one\n\ntwo|", "**|one**\n\n**two|**"),
    ("Italic", "a **|bc|** d", "a ***|bc|*** d"),
    ("Italic", "a ***|bc|*** d", "a **|bc|** d"),
    ("Code", "|x = 1|", "`|x = 1|`"),
    ("Code", "|x\ny|", "```\nx\ny\n```||"),
    ("Quote", "one\nt|w|o\n\nmy word", "one\n> two\n\n||my word"),
    ("Quote", "t||wo", "> two||"),
    ("Quote", "|> one\n> two|", "one\ntwo||"),
    ("Link", "a |word|", "a [word](|https://|)"),
    ("Link", "|https://a.example/|", "[||](https://a.example/)"),
]


@pytest.mark.parametrize("tool", ["Bold", "Italic", "Code", "Quote", "Link"])
def test_a_tool_marks_what_is_selected_and_can_be_undone(page, comment, select, tool):
    for _, typed, made in [row for row in TOOLS if row[0] == tool]:
        select(typed)
        page.get_by_role("button", name=tool).click()
        expect(comment).to_be_focused()
        assert marked(comment) == made
        page.keyboard.press("Control+z")
        assert comment.input_value() == typed.replace("|", "")


@pytest.mark.parametrize(
    ("key", "made"), [("b", "**|word|**"), ("i", "*|word|*"), ("k", "[word](|https://|)")]
)
def test_a_key_does_the_same_and_reaches_the_draft(page, comment, select, key, made):
    select("|word|")
    page.keyboard.press(f"Control+{key}")
    assert marked(comment) == made
    page.reload()
    expect(comment).to_have_value(made.replace("|", ""))


def test_the_toolbar_is_one_stop_and_arrows_walk_in_it(page, comment):
    page.keyboard.press("Shift+Tab")
    button = lambda name: page.get_by_role("button", name=name)  # noqa: E731
    for key, name in [
        ("ArrowRight", "Italic"),
        ("End", "Link"),
        ("ArrowRight", "Bold"),
        ("ArrowLeft", "Link"),
        ("Home", "Bold"),
        ("ArrowRight", "Italic"),
    ]:
        page.keyboard.press(key)
        expect(button(name)).to_be_focused()
    page.keyboard.press("Tab")
    expect(comment).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(button("Italic")).to_be_focused()
    page.keyboard.press("Enter")
    assert marked(comment) == "*||*"
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox")).to_be_focused()


def test_the_tools_come_when_somebody_writes_and_move_nothing(page, live):
    asked = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(thread(live.url, ARTICLE))
    field = page.get_by_role("textbox", name="Comment")
    before = field.bounding_box()
    assert not any("writing.js" in url for url in asked)
    field.focus()
    expect(page.get_by_role("toolbar")).to_be_visible()
    assert field.bounding_box() == before
    size = len(gzip.compress(WRITING.read_bytes(), 9))
    print(f"writing.js: {size} bytes with gzip")
    assert size <= 4 * 1024


# Counter


def test_a_counter_comes_near_the_limit(page, comment):
    counter = page.locator(".reply-count")
    spoken = page.locator(".reply-counted")
    comment.fill("ü" * 359)
    expect(counter).to_be_hidden()
    comment.fill("🦊" * 380 + "   ")
    expect(counter).to_have_text("Characters left: 20")
    expect(spoken).to_have_text("Characters left: 20")
    comment.fill("x" * 403)
    expect(counter).to_have_text("Characters too many: 3")


# Nothing is lost


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "cannot answer at this moment"),
        ({"status": 503, "headers": {"Retry-After": "7"}}, "try again in 7 seconds"),
        ({"status": 429, "json": {"error": "Try again in 15 seconds."}}, "Try again in 15 seconds"),
        (None, "There is no connection to The Daily"),
    ],
)
def test_what_failed_is_tried_again_with_nothing_typed_twice(page, live, comment, answer, said):
    page.route(
        "**/comments", lambda route: route.fulfill(**answer) if answer else route.abort(), times=1
    )
    fill(page)
    send(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(said)
    expect(alert).to_be_focused()
    expect(comment).to_have_value(RITA["Comment"])
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".comment-state")).to_be_visible()
    expect(alert).to_have_count(0)
    assert len(stored(live.app)) == 1


def test_a_time_out_is_said_and_trying_again_posts_once(page, live):
    """The first sending is stored; only its answer does not come."""
    page.add_init_script(
        "{ const timeout = AbortSignal.timeout;"
        "  AbortSignal.timeout = (ms) => timeout(ms === 3e4 ? 50 : ms); }"
    )
    page.goto(thread(live.url, ARTICLE))
    sent = []
    page.route("**/comments", lambda route: sent.append(route), times=1)
    fill(page)
    send(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("takes too long to answer")
    with live.app.test_client() as client:
        first = client.post(
            "/embed/daily/comments",
            data=sent[0].request.post_data,
            content_type="application/x-www-form-urlencoded",
        )
    assert first.status_code == 303
    sent[0].abort()
    page.evaluate("delete AbortSignal.timeout; AbortSignal.timeout = () => null")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".comment-state")).to_be_visible()
    assert len(stored(live.app)) == 1


def test_the_form_works_where_its_tools_cannot_be_fetched(page, live):
    page.route("**/writing.js*", lambda route: route.abort())
    page.goto(thread(live.url, ARTICLE))
    fill(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("I liked the")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#receipt")).to_be_visible()
    assert [comment.text for comment in stored(live.app)] == [RITA["Comment"]]


def test_each_comment_has_a_draft_of_its_own(page, live):
    for name in ("Ada", "Grace"):
        add_comment(live.app, ARTICLE, name)
    page.goto(thread(live.url, ARTICLE))
    comment = page.get_by_role("textbox", name="Comment")
    for name in ("Ada", "Grace"):
        page.get_by_role("link", name=f"Reply to {name}").click()
        expect(comment).to_have_value("")
        comment.fill(f"For {name}")
    page.reload()
    for name in ("Ada", "Grace"):
        page.get_by_role("link", name=f"Reply to {name}").click()
        expect(comment).to_have_value(f"For {name}")


# Who one is


def test_a_name_is_kept_only_where_somebody_asks_and_forgotten_at_once(page, live, comment):
    box = page.get_by_role("checkbox", name=re.compile("^Save my name, email, and website"))
    name, email = (page.get_by_role("textbox", name=label) for label in ("Name", "Email"))
    kept = lambda: page.evaluate("JSON.stringify(Object.entries(localStorage))")  # noqa: E731
    expect(box).not_to_be_checked()
    fill(page, Comment="")
    assert kept() == "[]"
    box.check()
    assert "rejoinder person daily" in kept()
    page.goto(thread(live.url, ARTICLE + "/2"))
    expect(name).to_have_value("Rita")
    expect(email).to_have_value(RITA["Email"])
    name.fill("Rita R.")
    name.blur()
    expect(box).to_be_checked()
    assert "Rita R." in json.dumps(kept())
    box.uncheck()
    assert kept() == "[]"
    page.reload()
    expect(name).to_have_value("")
    expect(email).to_have_value("")


# How it looks


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_preview_and_tools_fit(page, comment, width, scheme, screenshot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    comment.fill(f"I **liked** it.\n\n> {'x' * 350}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_be_visible()
    screenshot(page, f"form-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    toolbar = page.get_by_role("toolbar").bounding_box()
    star = page.locator("label[for=reply-comment] .required").bounding_box()
    assert toolbar["x"] > star["x"] + star["width"]
    assert all(b.bounding_box()["height"] >= 24 for b in page.get_by_role("button").all())


def test_the_proof_that_the_browser_keeps_proves_each_comment_that_follows(page, live):
    index = live.app.extensions["vault"].index(RITA["Email"])
    token = AuthorTokens(live.app.extensions["signer"], "daily").make(index)
    page.goto(thread(live.url, ARTICLE))
    page.evaluate(
        "token => localStorage.setItem('rejoinder.author daily', JSON.stringify(token))", token
    )
    for words in ("The first.", "The second."):
        page.reload()
        fill(page, Comment=words)
        send(page)
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    assert [comment.is_proved for comment in stored(live.app)] == [True, True]
