"""Services outside, as real servers on 127.0.0.1: one that answers as it is told, and Akismet."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOOPBACK = "127.0.0.0/8"
THANKS = b"Thanks for making the web a better place."


@dataclass
class Asked:
    method: str
    path: str
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Service:
    """A server; what it was asked, and what it answers: (status, headers, body), or a function that
    is given the handler and writes what it likes."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    answer: Any = (200, {}, b"")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, **answer: Any) -> None:
        self.answer = (200, {"Content-Type": "application/json"}, json.dumps(answer).encode())


@contextmanager
def serving(wrap: Callable[[Any], Any] | None = None) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            service.asked.append(Asked(self.command, self.path, self.headers, body))
            if callable(service.answer):
                service.answer(self)
                return
            status, headers, said = service.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who asked has gone: what these tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if wrap:
        server.socket = wrap(server.socket)
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class FakeAkismet:
    """Speaks Akismet's protocol (akismet.com/developers), with one key that is good."""

    service: Service
    key: str = "a1b2c3d4e5f6"
    verdict: bytes = b"false"
    tip: str = ""
    is_down: bool = False

    def __post_init__(self) -> None:
        self.service.answer = self._answer

    def asked(self, verb: str) -> list[dict[str, str]]:
        return [a.fields for a in self.service.asked if urlsplit(a.path).path == f"/1.1/{verb}"]

    def _answer(self, handler: Any) -> None:
        asked = self.service.asked[-1]
        status, said = 200, b"invalid"
        verb = asked.path.rpartition("/")[2]
        key = asked.fields.get("key") or asked.fields.get("api_key")
        if self.is_down:
            status, said = 503, b""
        elif verb == "verify-key":
            said = b"valid" if key == self.key else b"invalid"
        elif key == self.key:
            said = self.verdict if verb == "comment-check" else THANKS
        handler.send_response(status)
        if self.tip:
            handler.send_header("X-akismet-pro-tip", self.tip)
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)
