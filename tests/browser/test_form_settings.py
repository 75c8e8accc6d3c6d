"""A site's own form and colours, in a frame on another origin, in light and dark."""

import pytest
from barriers import barriers
from playwright.sync_api import expect
from rita import add_comment, add_site, send, stored, thread

OWN = {
    "require_name": False,
    "ask_website": False,
    "form_title": "Say what you think",
    "form_note": "Be kind.",
    "name_label": "What we may call you",
    "comment_hint": "A sentence or two.",
    "consent": "The Daily may keep what I write here.",
    "privacy_url": "https://daily.example/privacy",
}
PAGE = """<!doctype html><html lang="en"><title>A</title>
<style>body {{ background: {ground}; color: {text} }} a {{ color: {text} }}</style><main><h1>A</h1>
<rejoinder-thread site="daily"{more}><a href="/">Replies</a></rejoinder-thread></main>
<script src="{service}/embed.js"></script>"""
WORN = """() => ["backgroundColor", "color"].map((name) =>
    getComputedStyle(document.querySelector(name === "color" ? "main" : "html"))[name])"""
LINK = "() => getComputedStyle(document.querySelector('.write-link')).color"


@pytest.fixture
def page(browser):
    """A tab past the pages' policy for scripts, for axe."""
    context = browser.new_context(bypass_csp=True, locale="en-GB")
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def framed(page, live, publisher, ground="#fff", text="#000", more=""):
    """The thread in its frame, on a page with these colours."""
    facts = {"ground": ground, "text": text, "more": more, "service": live.url}
    page.goto(publisher.write("/harbour", PAGE.format(**facts)))
    frame = page.frames[1]
    expect(frame.locator(".is-fitted")).to_be_visible()
    return frame


def test_a_site_s_own_form_is_filled_in_ticked_and_sent(page, live, publisher, screenshot):
    add_site(live.app, publisher.url, **OWN)
    frame = framed(page, live, publisher)
    expect(frame.get_by_role("heading", name="Say what you think")).to_be_visible()
    expect(frame.get_by_text("Be kind.")).to_be_visible()
    expect(frame.get_by_label("Website")).to_have_count(0)
    expect(frame.get_by_label("What we may call you")).not_to_have_attribute("required", "")
    policy = frame.get_by_role("link", name="Privacy policy")
    assert policy.get_attribute("rel") == "noopener noreferrer"
    box = frame.get_by_role("checkbox", name=OWN["consent"])
    expect(box).not_to_be_checked()
    frame.get_by_label("Email").fill("rita.reader@example.org")
    frame.get_by_role("textbox", name="Comment").fill("I liked the harbour.")
    send(frame)
    expect(frame.get_by_role("link", name="Tick this box to post your reply.")).to_be_visible()
    expect(box).to_have_accessible_description("Error: Tick this box to post your reply.")
    for scheme, width in (("light", 1280), ("dark", 320)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        screenshot(page, f"form-settings-{width}", full_page=False)
        assert barriers(frame) == {}
        assert frame.evaluate("document.documentElement.scrollWidth") <= width
    box.check()
    send(frame)
    expect(frame.locator(".comment-author", has_text="Anonymous")).to_be_visible()
    [comment] = stored(live.app, "Anonymous")
    assert comment.consented_at
    # It was ticked for one reply, and the browser remembers nothing of it.
    expect(box).not_to_be_checked()
    assert "consent" not in frame.evaluate("JSON.stringify(localStorage)")
    assert not frame.evaluate("[...document.forms].some((form) => form.elements.consent?.checked)")


def test_without_script_it_can_be_sent_too(browser, live, publisher):
    add_site(live.app, publisher.url, **OWN)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(thread(live.url, publisher.url + "/harbour"))
    page.get_by_label("Email").fill("rita.reader@example.org")
    send(page)
    expect(page.get_by_role("link", name="Tick this box to post your reply.")).to_be_visible()
    page.get_by_role("checkbox", name=OWN["consent"]).check()
    send(page)
    expect(page.get_by_role("checkbox", name=OWN["consent"])).to_be_checked()  # kept
    page.get_by_role("textbox", name="Comment").fill("I liked the harbour.")
    send(page)
    expect(page.locator("#receipt")).to_be_visible()
    context.close()


@pytest.mark.parametrize(
    ("chosen", "around", "more", "ground", "text"),
    [
        # What the site chose is worn on any page …
        ({"ground_colour": "#102030"}, ("#fff", "#000"), "", "16, 32, 48", "255, 255, 255"),
        ({"theme": "dark"}, ("#fff", "#000"), "", "23, 25, 28", "228, 230, 232"),
        ({"theme": "light"}, ("#111", "#eee"), "", "255, 255, 255", "27, 29, 32"),
        ({"text_colour": "#203040"}, ("#ffe", "#000"), "", "255, 255, 238", "32, 48, 64"),
        # … if it can be read there …
        ({"text_colour": "#203040"}, ("#111", "#eee"), "", "17, 17, 17", "255, 255, 255"),
        # … and the element's own theme goes before it.
        ({"theme": "dark"}, ("#fff", "#000"), ' theme="light"', "255, 255, 255", "27, 29, 32"),
        ({"ground_colour": "#102030"}, ("#fff", "#000"), ' theme="light"', "255, 255, 255", "27, 29, 32"),
    ],
)  # fmt: skip
def test_the_site_s_colours_go_before_the_page_s(
    page, live, publisher, chosen, around, more, ground, text
):
    add_site(live.app, publisher.url, **chosen)
    add_comment(live.app, publisher.url + "/harbour")
    frame = framed(page, live, publisher, *around, more)
    assert frame.evaluate(WORN) == [f"rgb({ground})", f"rgb({text})"]
    assert barriers(frame) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_its_own_has_them_as_far_as_they_can_be_read(page, live, publisher, scheme):
    add_site(live.app, publisher.url, link_colour="#0b57d0")
    add_comment(live.app, publisher.url + "/harbour")
    page.emulate_media(color_scheme=scheme)
    page.goto(thread(live.url, publisher.url + "/harbour"))
    assert (
        page.evaluate(LINK) == {"light": "rgb(11, 87, 208)", "dark": "rgb(141, 184, 246)"}[scheme]
    )
    assert barriers(page) == {}
    page.goto(live.url + "/embed/daily")
    expect(page.get_by_role("link", name="The harbour light")).to_be_visible()
    assert barriers(page) == {}
