"""Canonical article URLs and origins: one article, one address."""

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

MAX_LENGTH = 2_000
DEFAULT_PORTS = {"http": 80, "https": 443}
# What advertisers and mail programs append; it never names another article.
TRACKING = re.compile(
    r"(?:utm_.*|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|igsh|mc_[ce]id"
    r"|_hs(?:enc|mi)|mkt_tok|vero_id|oly_(?:anon|enc)_id|ref_src|srsltid|wt_mc|piwik_.*|pk_.*|mtm_.*)$",
    re.I,
)


class NotAnAddress(ValueError):
    """This is not the http or https address of a page."""


def canonical(url: str) -> str:
    """The one spelling of an article's address.

    Scheme and host in lower case (the host in its ASCII form), no default port, fragment, user or
    tracking parameter; a path of at least "/". Raises NotAnAddress.
    """
    # White space and control characters end an address or hide one; no browser sends them.
    if len(url) > MAX_LENGTH or not url.isprintable() or " " in url.strip() or "\\" in url:
        raise NotAnAddress(url)
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), _host(parts.hostname or ""), parts.port
    except ValueError:
        raise NotAnAddress(url) from None
    if scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise NotAnAddress(url)
    netloc = host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return urlunsplit((scheme, netloc, spell(parts.path) or "/", spell(_query(parts.query)), ""))


def spell(part: str) -> str:
    """The one spelling of percent-escapes: as browsers send them, in capitals (RFC 3986, 6.2.2.1)."""
    escaped = quote(part, safe="/%:@!$&'()*+,;=~-._?[]|")
    return re.sub(r"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), escaped)


def _host(name: str) -> str:
    if ":" in name:
        return f"[{name.lower()}]"
    ascii_name = name.encode("idna").decode().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9_.-]+", ascii_name):
        raise NotAnAddress(name)
    return ascii_name


def _query(query: str) -> str:
    """The query without tracking; untouched where there is none, so that odd spellings survive."""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not TRACKING.match(name)]
    return query if len(kept) == len(pairs) else urlencode(kept)


def readable(url: str) -> str:
    """An address as people write it: without its scheme, and with letters for percent-escapes where
    these spell text. To be read, not to be followed."""
    place = url.partition("://")[2] or url
    try:
        return unquote(place, errors="strict")
    except UnicodeDecodeError:
        return place


def origin(url: str) -> str:
    """`scheme://host[:port]` of an address; raises NotAnAddress."""
    parts = urlsplit(canonical(url))
    return f"{parts.scheme}://{parts.netloc}"


def domain(url: str) -> str:
    """Whose website an address is: its host in lower case, without "www."; "" for none."""
    if not re.match("https?://", url, re.I):
        return ""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.lower().removeprefix("www.")[:255]


def is_within(url: str, origins: list[str]) -> bool:
    """Whether the address lies on one of the origins."""
    try:
        return origin(url) in origins
    except NotAnAddress:
        return False


def query(**values: str) -> str:
    """Values as they stand behind the "?" of an address."""
    return urlencode(values)


def website(typed: str) -> str:
    """An author's website as a link may carry it, or "" if nothing was typed; raises NotAnAddress.

    "example.org" is taken as https://example.org, as people type it.
    """
    typed = typed.strip()
    if not typed:
        return ""
    if "://" not in typed and not re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", typed, re.I):
        typed = f"https://{typed}"
    address = canonical(typed)
    if "." not in urlsplit(address).netloc:
        raise NotAnAddress(typed)
    return address
