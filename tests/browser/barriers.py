"""What axe-core finds on a page: barriers for people."""

from importlib.resources import files

from playwright.sync_api import Frame, Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
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
    shown.evaluate(AXE + "; 0")
    run = "([part, tags]) => axe.run(part, {runOnly: tags})"
    found = shown.evaluate(run, [part, RULES])["violations"]
    if page and size:
        page.set_viewport_size(size)
    return {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in found}
