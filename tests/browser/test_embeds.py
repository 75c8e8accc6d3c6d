"""The three ways onto a publisher's page, which is on another origin, as a reader's browser has them."""

import re

import pytest
from playwright.sync_api import expect
from rita import RITA, add_comment, add_comments, add_site, fill, send, stored, thread

STRICT = "default-src 'none'; script-src {0}; frame-src {0}; style-src 'self'; form-action {0}"
PAGE = """<!doctype html>
<html lang="en"><head><title>The harbour light</title>
<link rel="icon" href="{service}/static/icon.svg"></head><body><h1>The harbour light</h1>
{body}
<script src="{service}/embed.js" async></script>
</body></html>"""
ELEMENT = (
    '<rejoinder-thread site="daily"{more}><a href="{href}">Replies to {name}</a></rejoinder-thread>'
)

SILENT = "Replies cannot be shown right now."


@pytest.fixture(autouse=True)
def site(live, publisher):
    add_site(live.app, publisher.url)


@pytest.fixture
def article(live, publisher):
    """Writes an article with threads in it, under a Content-Security-Policy; gives its URL."""

    def write(path="/harbour", body="", more="", csp=STRICT, on=publisher):
        url = on.url + path
        element = ELEMENT.format(href=thread(live.url, url), name=path, more=more)
        html = PAGE.format(service=live.url, body=body + element)
        policy = f"img-src {live.url}; {csp.format(live.url)}"
        return on.write(path, html, {"Content-Security-Policy": policy})

    return write


def frame_of(page, number=0):
    return page.locator("rejoinder-thread iframe").nth(number).content_frame


def height_of(page, number=0):
    return page.locator("rejoinder-thread iframe").nth(number).bounding_box()["height"]


def expect_to_fit(page, number=0):
    """The frame is as high as what is in it: nothing scrolls, nothing is cut off, no gap."""
    fits = """(root) => Math.abs(innerHeight - Math.ceil(root.getBoundingClientRect().height)) <= 1
        && root.scrollHeight <= innerHeight && root.scrollWidth <= innerWidth"""
    html = frame_of(page, number).locator("html")
    expect(html).to_have_class(re.compile("is-fitted"))
    page.wait_for_timeout(100)
    assert html.evaluate(fits)


def kept_by(page):
    return page.evaluate(
        "[localStorage.length, sessionStorage.length, document.cookie, indexedDB ? 0 : 1].join()"
    )


# The custom element


def test_it_shows_the_thread_under_a_strict_policy(page, live, article, console_errors):
    url = article()
    add_comment(live.app, url)
    page.goto(url)
    expect(frame_of(page).get_by_role("heading", level=1)).to_have_text("1 reply")
    expect(frame_of(page).get_by_text("A fine review.")).to_be_visible()
    expect(page.get_by_role("link", name="Replies to")).to_be_hidden()
    frame = page.locator("rejoinder-thread iframe")
    expect(frame).to_have_attribute("title", "Replies to /harbour")
    expect(frame).to_have_attribute("sandbox", re.compile("allow-scripts allow-same-origin"))
    expect_to_fit(page)
    assert console_errors == []


def test_a_reader_posts_in_the_frame_and_finds_it_again(page, live, article, console_errors):
    url = article()
    page.goto(url)
    frame = frame_of(page)
    fill(frame)
    send(frame)
    own = frame.locator(".comment")
    expect(own.locator(".comment-state")).to_have_text("Awaiting moderation")
    expect_to_fit(page)
    page.reload()
    expect(own.locator(".comment-body")).to_have_text("I liked the harbour.")
    expect(own.locator(".comment-state")).to_have_text("Awaiting moderation")
    expect_to_fit(page)
    [comment] = stored(live.app)
    assert comment.article_id is not None
    assert kept_by(page) == "0,0,,0"
    assert page.context.cookies() == []
    assert page.url == url
    assert console_errors == []


def test_the_receipt_never_reaches_the_page_around(page, article):
    page.add_init_script(
        "addEventListener('message', (e) => (window.told ||= []).push(JSON.stringify(e.data)))"
    )
    page.goto(article())
    frame = frame_of(page)
    fill(frame)
    send(frame)
    expect(frame.locator(".comment-state")).to_be_visible()
    told = page.evaluate("window.told")
    assert told
    assert all(re.fullmatch(r'\{"(height|top)":[\d.]+\}', said) for said in told)


def test_the_frame_grows_with_what_is_typed(page, article):
    page.goto(article())
    expect_to_fit(page)
    before = height_of(page)
    frame_of(page).get_by_role("textbox", name="Comment").fill("A line.\n" * 15)
    expect_to_fit(page)
    assert height_of(page) > before + 50
    page.set_viewport_size({"width": 320, "height": 700})
    expect_to_fit(page)


def test_without_script_the_link_leads_to_the_thread(browser, live, article):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    url = article()
    page.goto(url)
    page.get_by_role("link", name="Replies to").click()
    fill(page)
    send(page)
    expect(page).to_have_title(re.compile("^Received: "))
    page.get_by_role("link", name="Back to the article").click()
    assert page.url == url
    assert len(stored(live.app)) == 1
    context.close()


def test_two_threads_on_a_page_keep_apart(page, live, publisher, article, console_errors):
    other = publisher.url + "/other"
    add_comment(live.app, other, typed="Under the other one.")
    element = ELEMENT.format(href="/", name="the other", more=f' url="{other}"')
    url = article(body=element + "<p>Between them.</p>")
    page.goto(url)
    expect(frame_of(page, 0).get_by_text("Under the other one.")).to_be_visible()
    expect(frame_of(page, 1).get_by_text("No replies yet")).to_be_visible()
    fill(frame_of(page, 1))
    send(frame_of(page, 1))
    expect(frame_of(page, 1).locator(".comment-state")).to_be_visible()
    expect(frame_of(page, 0).locator(".comment-state")).to_have_count(0)
    for number in range(2):
        expect_to_fit(page, number)
    assert console_errors == []


def test_it_takes_the_canonical_address_of_its_own_host_only(page, live, publisher, article):
    add_comment(live.app, publisher.url + "/harbour")
    own = '<link rel="canonical" href="/harbour">'
    foreign = '<link rel="canonical" href="https://elsewhere.example/harbour">'
    page.goto(article("/copy", body=own))
    expect(frame_of(page).get_by_text("A fine review.")).to_be_visible()
    page.goto(article("/harbour", body=foreign))
    expect(frame_of(page).get_by_text("A fine review.")).to_be_visible()


def test_it_scrolls_to_the_comment_that_the_address_names(page, live, article):
    url = article(body="<p>Words.</p>" * 60)
    ids = add_comments(live.app, url, [f"Number {n}.\n\nMore." for n in range(80)])
    page.goto(f"{url}#comment-{ids[70]}")
    comment = frame_of(page).get_by_text("Number 70.")
    expect(comment).to_be_in_viewport()
    page.evaluate(f"location.hash = 'comment-{ids[3]}'")
    expect(frame_of(page).get_by_text("Number 3.")).to_be_in_viewport()


def test_links_in_comments_and_to_them_leave_the_frame(page, live, publisher, article):
    url = article()
    away = publisher.write("/away", "<title>Away</title>")
    public_id = add_comment(live.app, url, website=away)
    page.goto(url)
    frame_of(page).locator(".comment-link").click()
    page.wait_for_url(f"{url}#comment-{public_id}")
    frame_of(page).get_by_role("link", name="Ada", exact=True).click()
    page.wait_for_url(away)


def test_more_of_a_thread_comes_within_the_frame(page, live, article):
    url = article(body="<p>Words.</p>" * 30)
    add_comments(live.app, url, [f"Number {n}." for n in range(60)])
    page.goto(url)
    frame_of(page).get_by_role("link", name="Show more replies").click()
    expect(frame_of(page).get_by_text("Number 59.")).to_be_visible()
    expect(frame_of(page).get_by_text("Number 0.")).to_be_visible()
    expect_to_fit(page)
    assert page.url == url


def test_it_survives_being_moved_and_changed(page, live, publisher, article, console_errors):
    other = publisher.url + "/other"
    add_comment(live.app, other, typed="Under the other one.")
    page.goto(article())
    expect_to_fit(page)
    page.evaluate("document.body.prepend(document.querySelector('rejoinder-thread'))")
    expect_to_fit(page)
    page.evaluate(f"document.querySelector('rejoinder-thread').setAttribute('url', '{other}')")
    expect(frame_of(page).get_by_text("Under the other one.")).to_be_visible()
    expect_to_fit(page)
    page.evaluate("document.querySelector('rejoinder-thread').remove()")
    page.evaluate("document.documentElement.className = 'dark'")
    expect(page.locator("rejoinder-thread")).to_have_count(0)
    assert console_errors == []


def test_no_foreign_page_can_frame_it(page, article, another_publisher):
    page.goto(article(on=another_publisher))
    expect(page.get_by_role("status")).to_have_text(SILENT, timeout=20_000)
    expect(page.get_by_role("link", name="Replies to")).to_be_visible()
    assert height_of(page) <= 1
    assert "chrome-error" in page.frames[1].url


def test_it_tells_a_foreign_page_nothing_even_if_framed(page, live, article, another_publisher):
    """As a browser that knows no frame-ancestors would have it."""

    def without_policy(route):
        answer = route.fetch()
        headers = {n: v for n, v in answer.headers.items() if n != "content-security-policy"}
        route.fulfill(response=answer, headers=headers)

    page.route(f"{live.url}/embed/daily?**", without_policy)
    add_comment(live.app, another_publisher.url + "/harbour")
    page.goto(article(on=another_publisher))
    expect(frame_of(page).locator("html")).to_have_class(re.compile("is-framed"))
    page.wait_for_timeout(500)
    expect(page.get_by_role("link", name="Replies to")).to_be_visible()
    expect(frame_of(page).locator("html")).not_to_have_class(re.compile("is-fitted"))


@pytest.mark.long
def test_it_says_plainly_that_the_thread_does_not_come_and_shows_it_when_it_does(
    page, live, article
):
    page.route(f"{live.url}/embed/daily?**", lambda route: route.abort(), times=1)
    page.goto(article())
    expect(page.get_by_role("status")).to_have_text(SILENT, timeout=20_000)
    expect(page.get_by_role("link", name="Replies to")).to_be_visible()
    page.evaluate("document.body.append(document.querySelector('rejoinder-thread'))")
    expect_to_fit(page)
    expect(page.get_by_role("link", name="Replies to")).to_be_hidden()
    assert SILENT not in page.inner_text("body")


def test_a_page_whose_script_does_not_come_keeps_its_link(page, live, article):
    page.route("**/embed.js", lambda route: route.abort())
    page.goto(article())
    expect(page.get_by_role("link", name="Replies to")).to_be_visible()
    expect(page.get_by_role("heading", name="The harbour light")).to_be_visible()


def test_what_stands_below_moves_once_and_never_back(page, live, article):
    url = article()
    add_comments(live.app, url, [f"Number {n}." for n in range(20)])
    page.add_init_script("""
      window.heights = [];
      customElements.whenDefined('rejoinder-thread').then(() =>
        new ResizeObserver(([seen]) => heights.push(Math.round(seen.contentRect.height)))
          .observe(document.querySelector('rejoinder-thread')));
    """)
    page.goto(url)
    expect_to_fit(page)
    heights = page.evaluate("heights")
    assert heights == sorted(heights)
    assert heights[0] >= 400
    assert len(heights) <= 3


def test_the_focus_on_its_link_moves_into_the_thread(page, live, article):
    asked = []
    page.route(f"{live.url}/embed/daily?**", lambda route: asked.append(route))
    page.goto(article(), wait_until="domcontentloaded")
    page.get_by_role("link", name="Replies to").focus()
    while not asked:
        page.wait_for_timeout(20)
    asked[0].continue_()
    expect_to_fit(page)
    assert page.evaluate("document.activeElement.localName") == "rejoinder-thread"


def test_it_asks_for_the_language_of_the_page_around(page, article):
    page.goto(article(body='<div lang="fr">', more=' theme="dark"'))
    expect(page.locator("rejoinder-thread iframe")).to_have_attribute("src", re.compile("lang=fr"))
    page.evaluate("document.querySelector('rejoinder-thread').lang = 'de'")
    expect(page.locator("rejoinder-thread iframe")).to_have_attribute("src", re.compile("lang=de"))
    page.evaluate(
        """document.querySelectorAll('[lang]').forEach((e) => e.removeAttribute('lang'))"""
    )
    expect(page.locator("rejoinder-thread iframe")).to_have_attribute(
        "src", re.compile("lang=en-GB")
    )


def test_it_fits_on_a_small_page_from_right_to_left_and_on_paper(browser, live, article):
    """320 px wide at 200 % zoom; and as it is printed."""
    context = browser.new_context(
        viewport={"width": 320, "height": 600}, device_scale_factor=2, reduced_motion="reduce"
    )
    page = context.new_page()
    url = article(body="<p>Words.</p>")
    add_comment(live.app, url, typed="A fine review. " * 30)
    page.goto(url)
    page.evaluate("document.documentElement.dir = 'rtl'")
    expect_to_fit(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    html = frame_of(page).locator("html")
    assert html.evaluate("(r) => getComputedStyle(r).scrollBehavior") == "auto"
    page.emulate_media(media="print")
    expect(frame_of(page).locator("form")).to_be_hidden()
    expect_to_fit(page)
    context.close()


# Counts


def test_counts_of_a_list_are_one_request_and_keep_their_words(
    page, live, publisher, article, console_errors
):
    add_comments(live.app, publisher.url + "/a", ["One.", "Two."])
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/counts" in sent.url else None)
    ones = "".join(
        f'<p><rejoinder-count site="daily" url="{path}">?</rejoinder-count> replies</p>'
        for path in ("/a", "/b", publisher.url + "/a")
    )
    page.goto(article("/list", body=ones, csp=STRICT + "; connect-src {0}"))
    counts = page.locator("rejoinder-count")
    expect(counts).to_have_text(["2", "0", "2"])
    expect(page.get_by_text("2 replies")).to_have_count(2)
    assert len(asked) == 1
    assert console_errors == []


def test_a_count_that_cannot_be_had_leaves_what_stands_there(page, live, article):
    page.route("**/counts?**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    one = '<rejoinder-count site="daily" url="/a">Replies</rejoinder-count>'
    with page.expect_response("**/counts?**"):
        page.goto(article("/list", body=one, csp=STRICT + "; connect-src {0}"))
    expect(page.locator("rejoinder-count")).to_have_text("Replies")


# What is heard, and what is worn


LOOKS = {
    # The page's style; text and ground of the thread, its scheme.
    "body {background: #fbf7ee; color: #222}": ("rgb(34, 34, 34)", "rgb(251, 247, 238)", "light"),
    "body {background: #10141a; color: #ddd}": ("rgb(221, 221, 221)", "rgb(16, 20, 26)", "dark"),
    # Contrast under 4.5:1 is ignored.
    "body {background: #fbf7ee; color: #aaa}": ("rgb(0, 0, 0)", "rgb(251, 247, 238)", "light"),
    "body {background: oklch(0.2 0.05 260); color: oklch(0.3 0.05 260)}": (
        "rgb(255, 255, 255)",
        "rgb(8, 21, 44)",
        "dark",
    ),
    "body {color: #333}": ("rgb(51, 51, 51)", "rgb(255, 255, 255)", "light"),
    "html {color-scheme: dark} body {color: #eee}": (
        "rgb(238, 238, 238)",
        "rgb(18, 18, 18)",
        "dark",
    ),
}
WORN = """(root) => [getComputedStyle(root.querySelector('main')).color,
    getComputedStyle(root).backgroundColor, getComputedStyle(root).colorScheme]"""


@pytest.mark.parametrize("style", LOOKS)
def test_it_wears_the_article_s_colours_if_they_can_be_read(page, live, publisher, article, style):
    publisher.write("/style.css", style, {"Content-Type": "text/css"})
    page.goto(article(body='<link rel="stylesheet" href="/style.css">'))
    expect_to_fit(page)
    assert tuple(frame_of(page).locator("html").evaluate(WORN)) == LOOKS[style]


def test_it_wears_the_article_s_font_and_link_colour(page, publisher, article):
    css = "body {font: 18px Georgia, serif} a {color: #8a1c1c}"
    publisher.write("/style.css", css, {"Content-Type": "text/css"})
    page.goto(article(body='<link rel="stylesheet" href="/style.css">'))
    expect_to_fit(page)
    html = frame_of(page).locator("html")
    assert html.evaluate("(r) => getComputedStyle(r).fontFamily") == "Georgia, serif"
    assert html.evaluate("(r) => getComputedStyle(r).fontSize") == "18px"
    button = frame_of(page).get_by_role("button", name="Post reply")
    assert button.evaluate("(b) => getComputedStyle(b).backgroundColor") == "rgb(138, 28, 28)"


def test_it_follows_a_switch_of_the_page_s_colours(page, publisher, article):
    css = "body {background: #fff; color: #111} .dark body {background: #111; color: #eee}"
    publisher.write("/style.css", css, {"Content-Type": "text/css"})
    page.goto(article(body='<link rel="stylesheet" href="/style.css">'))
    expect_to_fit(page)
    page.evaluate("document.documentElement.className = 'dark'")
    expect(frame_of(page).locator("html")).to_have_css("background-color", "rgb(17, 17, 17)")
    page.evaluate("document.querySelector('rejoinder-thread').setAttribute('theme', 'light')")
    expect(frame_of(page).locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")


def test_a_publisher_sets_colours_and_spaces_by_custom_properties(page, publisher, article):
    css = """:root {color-scheme: light dark}
        body {background: #fff; color: #111; --accent: light-dark(#b00, #f88)}
        rejoinder-thread {--rejoinder-link: var(--accent); --rejoinder-quiet: #ccc;
            --rejoinder-error: rgb(90 0 90); --rejoinder-space: 2rem; --rejoinder-measure: 500px;
            --rejoinder-font: Georgia, serif; --rejoinder-indent: nonsense}"""
    publisher.write("/style.css", css, {"Content-Type": "text/css"})
    page.goto(article(body='<link rel="stylesheet" href="/style.css">'))
    expect_to_fit(page)
    html = frame_of(page).locator("html")
    worn = html.evaluate("""(root) => Object.fromEntries([...root.style].map((name) =>
        [name.replace('--rejoinder-', ''), root.style.getPropertyValue(name)]))""")
    assert worn["link"] == "rgb(187 0 0)"
    assert worn["error"] == "rgb(90 0 90)"
    assert worn["quiet"] != "rgb(204 204 204)"  # 1.6:1
    assert (worn["space"], worn["measure"]) == ("32px", "500px")
    assert worn["font"] == "Georgia, serif"
    assert "indent" not in worn
    page.evaluate(
        "document.querySelector('rejoinder-thread').style.setProperty('--rejoinder-link', '#00b')"
    )
    link = frame_of(page).get_by_role("button").first
    expect(link).to_have_css("background-color", "rgb(0, 0, 187)")


SAID = """(what) => {
  const frame = document.querySelector('rejoinder-thread').shadowRoot.querySelector('iframe');
  frame.contentWindow.postMessage({rejoinder: 'look', ...what}, '*');
}"""


@pytest.mark.parametrize(
    "what",
    [
        {"text": "url(https://evil.example)", "ground": "var(--x)", "font": "x; } * { color: red"},
        {"text": "red; background: url(//evil.example)", "font": "url(x)", "size": "900px"},
        {"text": {"toString": 1}, "ground": 7, "font": ["x"], "size": "calc(100px * 9)"},
        {"ground": "rgb(0 0 0 / .1)", "text": "transparent", "size": "-5px"},
    ],
)
def test_it_wears_nothing_that_is_not_a_colour_a_length_or_a_font(page, article, what):
    page.goto(article())
    expect_to_fit(page)
    page.evaluate(SAID, what)
    page.wait_for_timeout(100)
    style = frame_of(page).locator("html").get_attribute("style") or ""
    assert not re.search(r"url|var|evil|;\s*}|calc|undefined|transparent", style)
    size = (
        frame_of(page).locator("html").evaluate("(r) => parseFloat(getComputedStyle(r).fontSize)")
    )
    assert 15 <= size <= 20


def test_a_page_hears_only_its_own_thread(page, live, article, another_publisher):
    stranger = another_publisher.write(
        "/stranger",
        "<script>setInterval(() => parent.postMessage({height: 5000, top: 9000}, '*'), 20)</script>",
    )
    url = article(body=f'<iframe src="{stranger}"></iframe>', csp="")
    page.goto(url)
    expect_to_fit(page)
    page.evaluate("postMessage({height: 5000}, '*')")
    page.wait_for_timeout(300)
    assert height_of(page) < 2000
    assert page.evaluate("scrollY") == 0


def test_a_thread_hears_only_the_page_around_it(page, publisher, article):
    """Not even another page of the publisher's that found its way to the frame."""
    publisher.write(
        "/beside",
        """<script>
          const thread = parent.document.querySelector('rejoinder-thread').shadowRoot;
          setInterval(() => thread.querySelector('iframe').contentWindow.postMessage(
            {rejoinder: 'look', text: '#f00', ground: '#000'}, '*'), 20);
        </script>""",
    )
    page.goto(article(csp=""))
    expect_to_fit(page)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('iframe'), {src: '/beside'}))"
    )
    page.wait_for_timeout(500)
    expect(frame_of(page).locator("main")).to_have_css("color", "rgb(0, 0, 0)")


# The fragment


def test_a_fragment_is_included_and_posts(browser, live, publisher):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    url = publisher.url + "/harbour"
    public_id = add_comment(live.app, url)
    page.goto(thread(live.url, url).replace("/daily?", "/daily/fragment?"))
    fragment = page.request.get(page.url).text()
    assert not re.search(r"<(?:html|head|body|script|style|link|h1)\b| style=| on\w+=", fragment)
    assert not re.search(r'(?:href|action)="/', fragment)
    policy = f"default-src 'none'; form-action {live.url}"
    page.goto(
        publisher.write(
            "/harbour", f"<!doctype html><h1>A</h1>{fragment}", {"Content-Security-Policy": policy}
        )
    )
    expect(page.locator(f"#comment-{public_id} .comment-body")).to_have_text("A fine review.")
    expect(page.get_by_role("heading", level=2)).to_have_text("1 reply")
    expect(page.get_by_role("heading", level=3)).to_have_text("Leave a Reply")
    fill(page)
    send(page)
    expect(page).to_have_title(re.compile("^Received: "))
    expect(page.locator("#receipt .comment-body")).to_have_text("I liked the harbour.")
    page.get_by_role("link", name="Back to the article").click()
    assert page.url == url
    assert len(stored(live.app)) == 1
    context.close()


def test_a_fragment_s_errors_are_shown_by_the_service(page, live, publisher):
    url = publisher.url + "/harbour"
    page.goto(thread(live.url, url).replace("/daily?", "/daily/fragment?"))
    page.goto(publisher.write("/harbour", page.content()))
    fill(page, Email="nobody")
    send(page)
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("textbox", name="Comment")).to_have_value(RITA["Comment"])
    fill(page)
    send(page)
    expect(page.locator(".comment-state")).to_have_text("Awaiting moderation")


def test_a_foreign_page_cannot_post(page, live, publisher, another_publisher):
    url = publisher.url + "/harbour"
    page.goto(thread(live.url, url).replace("/daily?", "/daily/fragment?"))
    page.goto(another_publisher.write("/copied", page.content()))
    fill(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    expect(page.get_by_text("a page that does not belong to The Daily")).to_be_visible()
    assert len(stored(live.app)) == 0


# How it looks


@pytest.mark.parametrize("width", [320, 1280])
def test_it_stands_in_an_article(page, live, publisher, article, screenshot, width):
    font, ground = "font: 18px/1.6 Georgia, serif", "background: #fbf7ee"
    css = f"body {{{font}; {ground}; margin: auto; padding: 16px; max-width: 36em}}"
    publisher.write("/style.css", css, {"Content-Type": "text/css"})
    url = article(body='<link rel="stylesheet" href="/style.css"><p>Words.</p>')
    ada = add_comment(live.app, url)
    add_comment(live.app, url, "Grace", "I thought so too.", answers=ada)
    page.set_viewport_size({"width": width, "height": 1400})
    page.goto(url)
    expect_to_fit(page)
    screenshot(page, f"embed-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heading = page.get_by_role("heading", name="The harbour light").bounding_box()
    inside = frame_of(page).get_by_role("heading", level=1).bounding_box()
    assert heading["x"] == inside["x"]


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "light"), (768, "dark")])
def test_the_demo_is_an_article_with_a_thread(
    page, live, screenshot, console_errors, width, scheme
):
    made = live.app.test_cli_runner().invoke(args=["demo"])
    assert made.exit_code == 0, made.output
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{live.url}/demo/")
    page.locator("rejoinder-thread").scroll_into_view_if_needed()
    expect_to_fit(page)
    expect(frame_of(page).locator(".comment .comment").first).to_be_visible()
    page.set_viewport_size({"width": width, "height": 5000})
    expect_to_fit(page)
    screenshot(page, f"demo-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert console_errors == []
