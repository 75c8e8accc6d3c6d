"""What the browser's tests share: a served application, a publisher's pages on another origin."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest
from barriers import barriers
from flask import Flask
from live import Live, Publisher
from mailserver import Mailbox, mail_server
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HTML = {"Content-Type": "text/html; charset=utf-8"}
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (
    ("light", 1280), ("dark", 768), ("light", 390), ("dark", 320),
)  # fmt: skip
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def serve(make_app: Callable[..., Flask]) -> Iterator[Callable[..., Live]]:
    """Serves applications at http://127.0.0.1:PORT, each request in a thread of its own."""
    servers: list[BaseWSGIServer] = []

    def start(**settings: Any) -> Live:
        # The port is known before the application, which has to know its own address.
        server = make_server("127.0.0.1", 0, Flask("empty"), True, request_handler=Quiet)
        url = f"http://127.0.0.1:{server.server_port}"
        server.app = app = make_app(BASE_URL=url, **settings)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return Live(url, app)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def live(serve: Callable[..., Live]) -> Live:
    """The application, served."""
    return serve()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A website at http://localhost:PORT: to a browser another site than 127.0.0.1."""
    with _publishing() as published:
        yield published


@pytest.fixture
def another_publisher() -> Iterator[Publisher]:
    with _publishing() as published:
        yield published


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's fresh browser; nothing in it outlives the test."""
    made = browser.new_context(locale="en-GB", timezone_id="UTC")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real mail server, and what it was given."""
    with mail_server() as started:
        yield started


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab. What its console calls an error is in `console_errors`."""
    return context.new_page()


@pytest.fixture(params=["script", "no-script"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab 320 px wide, with script (past the pages' policy for it, for axe) and then without."""
    has_script = request.param == "script"
    context = browser.new_context(
        bypass_csp=has_script,
        java_script_enabled=has_script,
        viewport={"width": 320, "height": 800},
        locale="en-GB",
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def look(
    phone: Page, request: pytest.FixtureRequest, screenshot: Callable[..., Path]
) -> Callable[[str], None]:
    """Looks at the phone's page as it is, where script can: nothing runs out of it on a screen of
    any size, and axe finds nothing, in light and dark."""
    has_script = "no-script" not in request.node.callspec.id
    test = request.path.stem.removeprefix("test_desk_")

    def look(name: str) -> None:
        if not has_script:
            return
        for scheme, width in LOOKS:
            phone.emulate_media(color_scheme=scheme)
            phone.set_viewport_size({"width": width, "height": 800})
            screenshot(phone, f"{test}-{name}-{width}-{scheme}")
            assert phone.evaluate(TOO_WIDE) <= 0, (name, width)
            assert barriers(phone) == {}, (name, scheme, width)

    return look


@pytest.fixture
def console_errors(page: Page) -> list[str]:
    """Errors of the page's console and uncaught ones of its scripts, as they come."""
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[..., Path]:
    """Takes a picture of a whole page as NAME.png, in the folder that SCREENSHOTS names."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)

    def take(page: Page, name: str, **options: Any) -> Path:
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(**({"path": path, "full_page": True, "animations": "disabled"} | options))
        return path

    return take


@contextmanager
def _publishing() -> Iterator[Publisher]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    server.publisher = Publisher(f"http://localhost:{server.server_port}")  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.publisher  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class Quiet(WSGIRequestHandler):
    """Writes no access log: it would stand between the tests' own lines."""

    def log_request(self, *_: Any) -> None:
        pass


class Pages(BaseHTTPRequestHandler):
    """Answers with the publisher's pages."""

    def do_GET(self) -> None:
        html, headers = self.server.publisher.pages.get(  # type: ignore[attr-defined]
            self.path.partition("?")[0], (None, {})
        )
        if self.path == "/favicon.ico":  # browsers ask unasked, and log that it is missing
            html = ""
        self.send_response(404 if html is None else 200)
        for name, value in (HTML | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((html or "Not here").encode())

    def log_message(self, *_: Any) -> None:
        pass
