"""A real mail server for the tests (aiosmtpd), which keeps what it is given."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

# A worker in a process of its own; takes the application's settings.
WORKER = """
import json, sys, time
from datetime import timedelta
from service import create_app
from service.cli import mail
from service.mail import outbox
outbox.LEASE = timedelta(seconds=2)  # the others take over soon
outbox.BATCH = 10
app = create_app(**json.loads(sys.argv[1]))
print("begun", flush=True)
while True:
    with app.app_context():
        try:
            if not mail.send_letters():
                time.sleep(0.1)
        except Exception as error:
            print(type(error).__name__, file=sys.stderr, flush=True)
"""


class Mailbox:
    """What came in, and what the server answers: `refuses` gives its words for an address, `after`
    for the whole mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.refuses: dict[str, str] = {}
        self.refuses_sender = ""
        self.after = "250 OK: kept"
        self.port = 0
        self.peers: set[Any] = set()  # each connection that a mail came by
        self.waits: Any = None  # called for each mail, before it is answered

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refuses_sender:
            return self.refuses_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if said := self.refuses.get(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.waits is not None:
            self.waits()
        if self.after.startswith("250"):
            self.peers.add(session.peer)
            self.raw.append(envelope.content)
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.after

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]


class _Controller(Controller):
    def __init__(self, handler: Mailbox, is_wrapped: bool, **options: Any) -> None:
        self._options = options
        wrapped = {"ssl_context": options.pop("tls_context")} if is_wrapped else {}
        super().__init__(handler, hostname="127.0.0.1", port=0, **wrapped)

    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=True, hostname="mail.example", **self._options)

    def _trigger_server(self) -> None:
        """It listens on whatever port was free; aiosmtpd would knock at port 0."""
        self.port = self.server.sockets[0].getsockname()[1]
        socket.create_connection((self.hostname, self.port), 5).close()


@contextmanager
def mail_server(
    certificate: tuple[Path, Path] | None = None,
    is_wrapped: bool = False,
    user: str = "",
    password: str = "",
) -> Iterator[Mailbox]:
    """A server: with a certificate it offers STARTTLS, or is encrypted from the start; with a user
    it takes mail only of whoever signs in."""
    mailbox, options = Mailbox(), {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        options["tls_context"] = context
    if user:

        def is_right(server, session, envelope, mechanism, given):
            right = (given.login, given.password) == (user.encode(), password.encode())
            return AuthResult(success=right, handled=False)

        options |= {
            "authenticator": is_right,
            "auth_required": True,
            "auth_require_tls": certificate is not None and not is_wrapped,
        }
    controller = _Controller(mailbox, is_wrapped, **options)
    controller.start()
    try:
        mailbox.port = controller.port
        yield mailbox
    finally:
        controller.stop()


def make_certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate that nobody signed but itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
