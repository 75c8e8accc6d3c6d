"""The mail server: one connection, over which one mail after the other leaves.

What goes wrong is of two kinds. `Unusable`: the server cannot be used at all (no connection, no
valid certificate, a wrong password, our sender refused); that is no letter's fault. `Answer`: what
it says of one mail, taken, not now (4xx) or never (5xx).
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import SMTPUTF8
from enum import Enum
from types import TracebackType
from urllib.parse import unquote, urlsplit

from . import refusals

SECONDS = 20.0  # that the server may take for one answer
# A mail is seven questions and answers at most: EHLO, STARTTLS, EHLO, AUTH and MAIL, RCPT, DATA
# with its end, and the connection before them. The lease on a letter is longer than that.
MOST_SECONDS = 10 * SECONDS
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"smtps": 465, "smtp": 25, "smtp+plain": 25}
SUBMISSION = 587  # where who signs in hands mail over (RFC 6409)
LONGEST_ANSWER = 500  # characters that are kept

_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;\"']*[^\s<>()\[\],;:.\"']")


class Unusable(Exception):
    """The mail server cannot be used; the message says why, without any address."""


class Said(Enum):
    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True)
class Answer:
    said: Said
    words: str  # the server's, without addresses
    is_of_address: bool = False  # refused for good, since the address takes no mail


@dataclass(frozen=True)
class Server:
    """Where mail is handed over."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    scheme: str

    @classmethod
    def of(cls, url: str) -> "Server":
        parts = urlsplit(url)
        user = unquote(parts.username or "")
        usual = SUBMISSION if user and parts.scheme == "smtp" else PORTS[parts.scheme]
        password = unquote(parts.password or "")
        return cls(parts.hostname or "", parts.port or usual, user, password, parts.scheme)


class Line:
    """A connection to the mail server, opened for the first mail; a broken one is opened anew.

    Takes whom mails come from, and who is told of each step.
    """

    def __init__(
        self, server: Server, sender: str, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._server, self._sender, self._tell = server, sender, tell
        self._open: smtplib.SMTP | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._open is not None:
            try:
                self._open.quit()
            except (smtplib.SMTPException, OSError):
                self._open.close()
            self._open = None

    def send(self, mail: EmailMessage, address: str) -> Answer:
        """Hands one mail over. Raises Unusable; a line that breaks in the middle is `LATER`, since
        nobody knows whether the mail was taken."""
        line = self.open()
        try:
            return self._hand_over(line, mail, address)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._open = None
            line.close()
            words = "The connection broke off." if not isinstance(error, TimeoutError) else _TIME
            return Answer(Said.LATER, words)

    def _hand_over(self, line: smtplib.SMTP, mail: EmailMessage, address: str) -> Answer:
        options: list[str] = []
        policy = mail.policy
        if not address.isascii():
            if not line.has_extn("smtputf8"):
                return Answer(Said.NEVER, "The server takes no address with such letters.")
            options, policy = ["SMTPUTF8", "BODY=8BITMIME"], SMTPUTF8
        code, words = line.mail(self._sender, options)
        if code != 250:
            line.rset()
            raise Unusable(
                f"It refused the sender (MAIL_BOUNCES, else MAIL_FROM): {without(words, code, address)}"
            )
        code, words = line.rcpt(address)
        if code not in (250, 251):
            line.rset()
            answer = _answer(code, words, address)
            plainly = words.decode("utf-8", "replace").replace(address, "")
            return replace(answer, is_of_address=refusals.is_of_address(code, plainly))
        try:
            code, words = line.data(mail.as_bytes(policy=policy))
        except smtplib.SMTPDataError as error:
            line.rset()
            code, words = error.smtp_code, _bytes(error.smtp_error)
        if code == 250:
            return Answer(Said.TAKEN, without(words, code, address))
        return _answer(code, words, address)

    def open(self) -> smtplib.SMTP:
        """The connection, encrypted and signed in; raises Unusable."""
        if self._open is not None:
            return self._open
        server = self._server
        try:
            line = self._connect()
        except ssl.SSLError as error:
            raise Unusable(f"Its certificate is not valid: {_of_ssl(error)}.") from error
        except smtplib.SMTPResponseException as error:
            words = without(_bytes(error.smtp_error), error.smtp_code)
            raise Unusable(f"It turns us away: {words}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unusable(f"{server.host}:{server.port} does not answer: {_of(error)}.") from error
        try:
            self._prepare(line)
        except BaseException:
            line.close()
            raise
        self._open = line
        return line

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        where = (server.host, server.port)
        if server.scheme == "smtps":
            line: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=SECONDS, context=_trusting())
            self._tell(f"Connected to {server.host}:{server.port}, encrypted from the start.")
        else:
            line = smtplib.SMTP(*where, timeout=SECONDS)
            self._tell(f"Connected to {server.host}:{server.port}.")
        return line

    def _prepare(self, line: smtplib.SMTP) -> None:
        server = self._server
        try:
            line.ehlo_or_helo_if_needed()
            is_safe = server.scheme == "smtps"
            if server.scheme == "smtp" and line.has_extn("starttls"):
                line.starttls(context=_trusting())
                line.ehlo()
                is_safe = True
                self._tell("Encrypted by STARTTLS; the certificate is valid.")
            elif not is_safe:
                self._tell("Not encrypted.")
            if server.user:
                self._sign_in(line, is_safe)
        except smtplib.SMTPAuthenticationError as error:
            words = without(_bytes(error.smtp_error), error.smtp_code, server.user)
            raise Unusable(f"It does not let us sign in: {words}") from error
        except ssl.SSLError as error:
            raise Unusable(f"Its certificate is not valid: {_of_ssl(error)}.") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unusable(f"It could not be spoken with: {_of(error)}.") from error

    def _sign_in(self, line: smtplib.SMTP, is_safe: bool) -> None:
        """Never with a password that others on the way can read."""
        if not is_safe and self._server.host not in LOOPBACK:
            raise Unusable("It offers no encryption, so the password is not sent to it.")
        line.login(self._server.user, self._server.password)
        self._tell("Signed in.")


_TIME = "The server took too long."


def _trusting() -> ssl.SSLContext:
    """Whom the system trusts; SSL_CERT_FILE names another list of authorities."""
    return ssl.create_default_context()


def _answer(code: int, words: bytes, address: str) -> Answer:
    """What a refusal means: five hundreds are for good (RFC 5321, 4.2.1). 421 ends the connection."""
    if code in (421, -1):
        raise smtplib.SMTPServerDisconnected
    said = Said.NEVER if 500 <= code < 600 else Said.LATER
    return Answer(said, without(words, code, address))


def without(words: bytes | str, code: int, address: str = "") -> str:
    """What a server said, on one line, with addresses cut out: any, and the given one's two parts
    wherever they stand."""
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    said = _ADDRESS.sub("[address]", said)
    for part in (address, address.rpartition("@")[0]):
        if part:
            alone = rf"(?<!\w){re.escape(part)}(?!\w)"
            said = re.sub(alone, "[address]", said, flags=re.IGNORECASE)
    return f"{code} {said}"[:LONGEST_ANSWER].strip()


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode("utf-8", "replace")


def _of_ssl(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", "") or error.reason or "no encryption there")


def _of(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    return without(getattr(error, "strerror", "") or str(error) or type(error).__name__, 0)[2:]
