"""What axe-core finds on a page: barriers for people."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Frame, Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What was looked at and found well stays in the browser: to carry it over takes longer than to look.
RUN = """async ([part, tags]) => {
    const {violations} = await axe.run(part, {runOnly: tags, resultTypes: ["violations"]});
    return violations.map(rule => [rule.id, rule.nodes.map(node => node.html)]);
}"""
TALL = 5_000  # px


def barriers(shown: Page | Frame, part: str = "html") -> dict[str, list[str]]:
    """The rules that are broken, with the nodes that break them. Takes a selector of what to look at.

    A page is looked at as on a very high screen: else a bar that stays in sight lies over whatever
    happens to be beneath it, which is scrolled clear in a moment.
    """
    page = shown if isinstance(shown, Page) else None
    size = page.viewport_size if page else None
    if page and size:
        page.set_viewport_size({"width": size["width"], "height": TALL})
    if not shown.evaluate("'axe' in window"):
        shown.evaluate(AXE + "; 0")
    found = shown.evaluate(RUN, [part, RULES])
    if page and size:
        page.set_viewport_size(size)
    return {rule: [html[:200] for html in nodes] for rule, nodes in found}


def expect_sound(page: Page, name: str, screenshot: Callable[..., Path]) -> None:
    """No barrier, and no wider than the screen: wide in light, narrow in dark."""
    for scheme, width in (("light", 1280), ("dark", 320)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        screenshot(page, f"{name}-{width}-{scheme}", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width, (name, width)
        assert barriers(page) == {}, (name, scheme)
