"""What a reader's browser downloads beyond the article, before the thread is seen."""

import pytest
from playwright.sync_api import expect
from rita import add_comment, add_site, thread

LIMITS = {"/embed.js": 2048, "/static/thread.js": 6 * 1024, "/static/thread.css": 5 * 1024}
PAGE = """<!doctype html><title>An article</title><h1>An article</h1>
<rejoinder-thread site="daily"><a href="{0}">Replies</a></rejoinder-thread>
<script src="{1}/embed.js" async></script>"""


def test_a_guest_is_light_in_the_browser(page, live, publisher):
    add_site(live.app, publisher.url)
    url = publisher.url + "/harbour"
    add_comment(live.app, url)
    publisher.write("/harbour", PAGE.format(thread(live.url, url), live.url))
    answers = []
    page.on("response", lambda got: answers.append(got))
    page.goto(url)
    expect(page.locator("iframe").content_frame.get_by_text("A fine review.")).to_be_visible()
    page.wait_for_load_state("networkidle")
    beyond = [got for got in answers if not got.url.startswith(publisher.url)]
    paths = {got.url.removeprefix(live.url).partition("?")[0]: got for got in beyond}
    sizes = {path: got.request.sizes()["responseBodySize"] for path, got in paths.items()}
    for path, size in sizes.items():
        print(f"{path}: {size} bytes on the line, {len(paths[path].body())} unpacked")
    print(f"{len(beyond)} requests, {sum(sizes.values())} bytes")
    assert all(got.url.startswith(live.url) for got in beyond)  # no third party
    kinds = {got.request.resource_type for got in beyond}
    assert kinds == {"script", "document", "stylesheet"}  # no image, no font
    assert set(sizes) == {*LIMITS, "/embed/daily"}
    assert len(beyond) <= 4
    assert [path for path, most in LIMITS.items() if sizes[path] > most] == []


@pytest.mark.parametrize("path", ["/embed.js", "/static/count.js"])
def test_what_publishers_load_by_name_is_not_kept_for_long(page, live, path):
    headers = page.request.get(live.url + path).headers
    assert headers["cache-control"].endswith("max-age=600")
    assert headers["access-control-allow-origin"] == "*"
