"""Safe text in a real Chromium, with no Content-Security-Policy to help it: no script of a
payload runs, nothing is fetched, nothing leaves its comment's box, however often it is parsed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route
from test_text import ALLOWED, HOSTILE
from test_text_corpora import SETS, rendered

from service.text import render, render_html

BATCH = 500  # payloads a page

# Playwright runs this before any script of the page.
TRAPS = """
window.sprung = [];
for (const name of ["alert", "confirm", "prompt", "print", "open", "fetch"])
  window[name] = (...given) => { window.sprung.push(name + "(" + given + ")"); };
"""

# Reads what the browser made of the boxes: each fault, by the number of its payload.
FAULTS = """(allowed) => {
  const faults = [];
  const found = [...document.body.children];
  for (let n = 0; n < Math.max(found.length, 2); n += 2) {
    const [box, end] = [found[n], found[n + 1]];
    const fault = (what) => faults.push(`${box?.dataset.n}: ${what}`);
    if (box?.tagName !== "SECTION" || box.dataset.n != n / 2 || end?.dataset.end != n / 2) {
      fault("the boxes are not in order");
      break;
    }
    if (box.childNodes.length !== 1 || box.firstChild.className !== "comment-body")
      fault("something left the comment's body");
    for (const element of box.firstChild.querySelectorAll("*")) {
      const tag = element.localName;
      if (!(tag in allowed) || element.namespaceURI !== "http://www.w3.org/1999/xhtml")
        fault(`<${tag}>`);
      for (const { name, value } of element.attributes)
        if (!allowed[tag]?.includes(name))
          fault(`<${tag} ${name}=${value}>`);
      if (tag === "a" && element.rel !== "nofollow ugc noopener") fault("a link is vouched for");
      if (tag === "a" && !["http:", "https:"].includes(element.protocol)) fault(element.href);
      for (const event of ["click", "mouseover", "focus", "error", "load"])
        element.dispatchEvent(new Event(event, { cancelable: true }));
    }
  }
  if (document.head.children.length !== 1) faults.push("something reached the head");
  return [...faults, ...window.sprung];
}"""

PARSE_AGAIN = "() => { document.body.innerHTML = document.body.innerHTML; }"


class Trap:
    """A page that remembers what it should not have done."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.add_init_script(TRAPS)
        page.on("dialog", self.dialog)
        page.on("popup", lambda popup: self.faults.append(f"a window: {popup.url}"))
        page.goto("about:blank")  # with the traps
        page.context.route("**/*", self.request)

    def dialog(self, dialog: Any) -> None:
        self.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def request(self, route: Route) -> None:
        self.faults.append(f"a request: {route.request.url}")
        route.abort()

    def show(self, shown: list[str]) -> None:
        """Puts HTML into boxes: parsed with the page, then twice more by innerHTML."""
        boxes = "".join(
            f'<section data-n={n}><div class="comment-body">{html}</div></section><i data-end={n}></i>'
            for n, html in enumerate(shown)
        )
        self.page.set_content(f"<!doctype html><title>Comments</title><body>{boxes}</body>")
        self.judge()
        parsed = self.page.evaluate("document.body.innerHTML")
        for _ in range(2):
            self.page.evaluate(PARSE_AGAIN)
            self.judge()
        if self.page.evaluate("document.body.innerHTML") != parsed:
            self.faults.append("parsing again gives something else")

    def judge(self) -> None:
        self.page.wait_for_timeout(20)  # for images that fail, and the like
        self.faults += self.page.evaluate(
            FAULTS, {tag: sorted(names) for tag, names in ALLOWED.items()}
        )


@pytest.fixture
def trap(browser: Browser) -> Iterator[Trap]:
    context = browser.new_context()
    yield Trap(context.new_page())
    context.close()


def test_a_comment_of_its_own_stays_in_its_box(trap: Trap) -> None:
    trap.show([way(hostile) for hostile in HOSTILE for way in (render, render_html)])
    assert trap.faults == []


@pytest.mark.parametrize("name", SETS)
def test_no_payload_does_anything(corpora: Path, trap: Trap, name: str) -> None:
    shown = [
        html for way in (render, render_html) for html in rendered(corpora, name, way).values()
    ]
    for start in range(0, len(shown), BATCH):
        trap.show(shown[start : start + BATCH])
    assert trap.faults == []


@pytest.mark.parametrize(
    ("unsafe", "fault"),
    [
        ("<img src=x:x onerror=alert(7)>", "alert(7)"),
        ("<b onclick=alert(7)>x</b>", "alert(7)"),
        ("<script>prompt(7)</script>", "prompt(7)"),
        ("<img src=http://a.example/b>", "a request: http://a.example/b"),
        ("</div>x", "0: something left the comment's body"),
        ("</div></section>x<p>", "0: the boxes are not in order"),
        ("<b class=a>x</b>", "0: <b class=a>"),
        ("<a href='javascript:1'>x</a>", "0: javascript:1"),
        ("<svg></svg>", "0: <svg>"),
        ("<p><pre>\n\n\nx</pre>", "parsing again gives something else"),
    ],
)
def test_the_traps_catch_what_is_not_safe(trap: Trap, unsafe: str, fault: str) -> None:
    trap.show([unsafe])
    assert any(fault in found for found in trap.faults), trap.faults
