"""The README's pictures: `make pictures` writes them into docs/, from the demo.

That each page holds together is asserted here too, else nobody would see a broken picture.
"""

import re

import pytest
from playwright.sync_api import expect
from rita import add_comment, add_site, fill, send

ARABIC = """<!doctype html><html lang="ar" dir="rtl"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>body {{ margin: 0 auto; padding: 20px; font-family: sans-serif; color: #222 }}</style>
<title>منارة الميناء</title><h1>منارة الميناء</h1>
<p>بعد أربعين عامًا عاد الضوء إلى الميناء، وعاد معه الصيادون.</p>
<rejoinder-thread site="daily"></rejoinder-thread><script src="{}/embed.js" async></script>"""


@pytest.fixture
def demo(live):
    """The demo, as `make run` makes it; gives its sign-in link."""
    made = live.app.test_cli_runner().invoke(args=["demo"])
    assert made.exit_code == 0, made.output
    return re.search(r"\S+/desk/sign-in/\S+", made.output)[0]


def show(page, width, height, scheme="light"):
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)


def take(screenshot, page, name, top=None):
    """A picture of what is in view, which begins a little above `top`."""
    if top:
        top.evaluate("(part) => scrollTo(0, part.getBoundingClientRect().top + scrollY - 48)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, name, full_page=False)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"),
    [
        ("thread", 1000, 900, "light"),
        ("thread-dark", 1000, 900, "dark"),
        ("thread-phone", 390, 844, "light"),
    ],
)
def test_a_thread_under_the_demo_s_article(
    page, live, demo, screenshot, name, width, height, scheme
):
    show(page, width, height, scheme)
    page.goto(f"{live.url}/demo/")
    element = page.locator("rejoinder-thread")
    element.scroll_into_view_if_needed()
    frame = page.locator("iframe").content_frame
    expect(frame.locator("html")).to_have_class(re.compile("is-fitted"))
    take(screenshot, page, name, element)


def test_a_thread_from_right_to_left(page, live, publisher, screenshot):
    add_site(live.app, publisher.url, likes=True)
    url = publisher.write("/manara", ARABIC.format(live.url))
    first = add_comment(live.app, url, "ليلى حداد", "كنت هناك ليلة أضاءت، ولم ينم أحد.")
    add_comment(live.app, url, "Nora", "Thank you. Is the café open again?", answers=first)
    add_comment(live.app, url, "يوسف", "*صورة جميلة*، من التقطها؟")
    show(page, 390, 844)
    page.goto(url)
    frame = page.locator("iframe").content_frame
    expect(frame.locator("html")).to_have_class(re.compile("is-fitted"))
    take(screenshot, page, "thread-arabic")


def test_a_form_with_errors_and_a_receipt(page, live, demo, screenshot):
    show(page, 760, 900)
    page.goto(f"{live.url}/embed/demo?url={live.url}/demo/")
    fill(page, Email="rita.reader@example", Name="")
    send(page)
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    take(screenshot, page, "form", summary)
    fill(page)
    send(page)
    kept = page.locator(".comment.is-own").get_by_role("link", name="Keep its link")
    page.goto(f"{live.url}{kept.get_attribute('href')}")
    take(screenshot, page, "receipt")


def test_the_desk(page, live, demo, screenshot):
    show(page, 1280, 800)
    page.goto(demo)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("article").nth(3)).to_be_visible()
    take(screenshot, page, "desk")
