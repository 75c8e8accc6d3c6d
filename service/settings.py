"""Every setting of the installation once: name, type, default and one sentence. Checked at start;
`flask settings` prints them. What each site chooses for itself is in site_settings.py.

A setting is looked for in the keyword arguments of create_app, then in the environment as
REJOINDER_NAME, then in instance/settings.toml, then (secrets) in instance/secrets.toml.
"""

import base64
import binascii
import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from email_validator import validate_email

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"
SECRETS = "secrets.toml"
KEY_BYTES = 32


class Unusable(Exception):
    """The settings do not allow a start; the message is one line and says what to do."""


def text(value: Any) -> str:
    return str(value).strip()


def switch(value: Any) -> bool:
    """True for on, False for off; anything else is refused."""
    words = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    return words[str(value).strip().lower()]


def count(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(number)
    return number


def base_url(value: Any) -> str:
    """An http(s) address without a path, or nothing."""
    url = urlsplit(text(value))
    if url.geturl() and (url.scheme not in ("http", "https") or not url.netloc or url.query):
        raise ValueError(value)
    return url.geturl().rstrip("/")


MAIL_SCHEMES = ("smtp", "smtps", "smtp+plain")


def mail_url(value: Any) -> str:
    """The address of a mail server, or nothing."""
    url = urlsplit(text(value))
    if url.geturl() and (url.scheme not in MAIL_SCHEMES or not url.hostname or url.port == 0):
        raise ValueError("no mail server")
    return url.geturl()


def mail_address(value: Any) -> str:
    """One e-mail address, alone or behind a name, or nothing."""
    written = text(value)
    if not written.isprintable():
        raise ValueError(value)
    address = parseaddr(written)[1]
    if written and (not address or len(getaddresses([written])) > 1):
        raise ValueError(value)
    if address:
        validate_email(address, check_deliverability=False, test_environment=True)
    return written


def words(value: Any) -> list[str]:
    """A list, or its members separated by commas."""
    listed = value if isinstance(value, list) else text(value).split(",")
    return [text(word) for word in listed if text(word)]


@dataclass(frozen=True)
class Reach:
    """A network that is not public, and that this service may reach all the same."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    ports: frozenset[int]

    def holds(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> bool:
        return port in self.ports and ip in self.network


REACH = re.compile(r"(\S+)(?:\s+port\s+([0-9]{1,5}))?")
WEB_PORTS = frozenset((80, 443))


def networks(value: Any) -> list[Reach]:
    """Networks, each with another port than the web's if one is named."""
    return [_reach(word) for word in words(value)]


def _reach(written: str) -> Reach:
    parts = REACH.fullmatch(written)
    if not parts:
        raise ValueError(written)
    ports = frozenset((int(parts[2]),)) if parts[2] else WEB_PORTS
    return Reach(ipaddress.ip_network(parts[1]), ports)


def key(value: Any) -> bytes:
    """32 bytes, written in base64."""
    secret = base64.b64decode(text(value), validate=True)
    if len(secret) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return secret


def keys(value: Any) -> list[bytes]:
    return [key(word) for word in words(value)]


@dataclass(frozen=True)
class Setting:
    """One line of the reference. `expects` finishes the sentence "NAME must be …"."""

    name: str
    read: Callable[[Any], Any]
    default: Any
    sentence: str
    expects: str = "text"
    is_secret: bool = False
    is_shown: bool = True  # in the line that refuses it: a password may be part of it


SETTINGS = (
    Setting(
        "DATABASE_URL",
        text,
        "",
        "Where comments are kept: sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME; "
        "empty means instance/rejoinder.db.",
        "a database URL",
    ),
    Setting(
        "READ_DATABASE_URL",
        text,
        "",
        "A read-only copy of that database for threads and counts; empty means the same one.",
        "a database URL",
    ),
    Setting(
        "REDIS_URL",
        text,
        "",
        "Where rate limits are counted for all processes together; empty counts in each process.",
        "a redis:// URL",
    ),
    Setting(
        "BASE_URL",
        base_url,
        "",
        "The service's own public address, for links that leave it; empty means the address of the "
        "request, which is only right while nobody else can reach it.",
        "like https://comments.example.org",
    ),
    Setting(
        "TRUSTED_PROXIES",
        count,
        0,
        "How many proxies of yours stand before the service; the client's address is taken from "
        "exactly that many hops back.",
        "a number from 0",
    ),
    Setting(
        "MAIL_URL",
        mail_url,
        "",
        "The mail server, smtp://USER:PASSWORD@HOST:PORT (encrypted where it offers that), smtps:// "
        "(encrypted from the start) or smtp+plain:// (never); empty sends no mail.",
        "a URL that begins with smtp://, smtps:// or smtp+plain://",
        is_shown=False,
    ),
    Setting(
        "MAIL_FROM",
        mail_address,
        "",
        "The address that letters come from, alone or like Comments <comments@example.org>; without "
        "a name each letter bears its site's.",
        "an e-mail address",
    ),
    Setting(
        "MAIL_REPLY_TO",
        mail_address,
        "",
        "Where answers to letters go; empty means to MAIL_FROM.",
        "an e-mail address",
    ),
    Setting(
        "MAIL_BOUNCES",
        mail_address,
        "",
        "Where mail that cannot be delivered is sent back to; empty means to MAIL_FROM.",
        "an e-mail address",
    ),
    Setting(
        "MAIL_PER_ADDRESS",
        count,
        20,
        "Letters that one address gets in an hour at most; the others wait. 0 for no limit.",
        "a number from 0",
    ),
    Setting(
        "MAIL_PER_SITE",
        count,
        500,
        "Letters that leave for one site in an hour at most; the others wait. 0 for no limit.",
        "a number from 0",
    ),
    Setting(
        "RATE_LIMITS",
        switch,
        True,
        "Whether many requests in a short time are slowed down.",
        "on or off",
    ),
    Setting(
        "FORM_MIN_SECONDS",
        count,
        2,
        "A reply sent sooner than this after its form was touched is held (seen only with script).",
        "a number of seconds",
    ),
    Setting(
        "CHECK_DNS",
        switch,
        False,
        "Whether to ask DNS if an e-mail's domain takes mail; never blocks a reply while DNS is down.",
        "on or off",
    ),
    Setting(
        "PRIVATE_NETWORKS",
        networks,
        [],
        "Networks that are not public, or ports other than 80 and 443, that this service may reach "
        "where a site has it ask another one: like 10.1.0.0/16 or 127.0.0.1/32 port 5001.",
        "networks separated by commas",
    ),
    Setting(
        "WAITING_WRITERS",
        count,
        3,
        "How many requests of one process may wait to write; keep it below the server's threads.",
        "a number from 0",
    ),
    Setting(
        "MAX_BODY",
        count,
        768 * 1024,  # the longest comment of all, each character of which is sent as 12 bytes
        "The largest request taken, in bytes; a larger one is answered with 413.",
        "a number of bytes",
    ),
    Setting(
        "IMPORT_SIZE",
        count,
        2 * 1024**3,
        "The largest file that a publisher may bring to the desk to be imported, in bytes.",
        "a number of bytes",
    ),
    Setting(
        "SECRET_KEY",
        text,
        None,
        "Signs sessions, forms and receipts.",
        "the text that `flask setup` made",
        is_secret=True,
    ),
    Setting(
        "SECRET_KEY_FALLBACKS",
        words,
        [],
        "Earlier SECRET_KEYs, so that a new one ends no receipt.",
        "a list",
        is_secret=True,
    ),
    Setting(
        "EMAIL_KEYS",
        keys,
        None,
        "Encrypt e-mail addresses, newest first; keep an older one until `flask privacy rotate-keys` ran.",
        "base64 of 32 bytes each, separated by commas",
        is_secret=True,
    ),
    Setting(
        "INDEX_KEY",
        key,
        None,
        "Finds an e-mail address without decrypting; never changes once there are comments.",
        "base64 of 32 bytes",
        is_secret=True,
    ),
)


def from_file(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, none if it is missing; raises Unusable if it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Unusable(f"{path.name} cannot be read: {error}.") from error


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    known = {setting.name for setting in SETTINGS}
    found = {
        n.removeprefix("REJOINDER_"): v for n, v in environ.items() if n.startswith("REJOINDER_")
    }
    return {name: value for name, value in found.items() if name in known | {"INSTANCE"}}


def load(given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """All settings, read and checked.

    Takes create_app's keyword arguments (names that are not settings are left to Flask) and the
    environment. Raises Unusable for an unknown name in a file, a value that is none, or a
    missing secret.
    """
    outside = from_environment(environ) | dict(given)
    instance = Path(outside.pop("INSTANCE", INSTANCE)).resolve()
    filed = from_file(instance / SECRETS) | from_file(instance / "settings.toml")
    for name in filed.keys() - {setting.name for setting in SETTINGS}:
        raise Unusable(f"settings.toml: there is no setting {name}; `flask settings` lists them.")
    found = filed | outside
    loaded = {setting.name: _read(setting, found) for setting in SETTINGS}
    loaded["DATABASE_URL"] = loaded["DATABASE_URL"] or f"sqlite:///{instance / 'rejoinder.db'}"
    return {**found, **loaded, "INSTANCE": instance}


def _read(setting: Setting, found: Mapping[str, Any]) -> Any:
    value = found.get(setting.name, setting.default)
    if value is None or (setting.is_secret and value == ""):
        raise Unusable(
            f"{setting.name} is not set: run `flask setup` once, or see README, 'Settings'."
        )
    if isinstance(value, bytes) or value == setting.default:
        return value
    try:
        return setting.read(value)
    except (ValueError, KeyError, binascii.Error):
        is_hidden = setting.is_secret or not setting.is_shown
        shown = "the value given" if is_hidden else repr(value)
        raise Unusable(f"{setting.name} must be {setting.expects}, not {shown}.") from None
