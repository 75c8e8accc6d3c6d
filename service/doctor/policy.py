"""What a Content-Security-Policy allows (CSP Level 3, 6.7.2), as far as an embed needs to know."""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

# Where a directive is missing, the next one decides; none left means that all is allowed.
FALLBACKS = {
    "script-src": ("script-src-elem", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "form-action": ("form-action",),
    "frame-ancestors": ("frame-ancestors",),
}
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_SOURCE = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\*|(?:\*\.)?[a-z0-9_.-]+)"
    r"(?::(?P<port>\d+|\*))?(?P<path>/.*)?",
    re.I,
)

Policy = Mapping[str, Sequence[str]]


def read(headers: Iterable[str]) -> list[Policy]:
    """Every policy of a page: a header may hold several, separated by commas."""
    return [_read(one) for header in headers for one in header.split(",") if one.strip()]


def _read(written: str) -> Policy:
    found: dict[str, Sequence[str]] = {}
    for directive in written.split(";"):
        name, *sources = directive.split() or [""]
        if name:
            found.setdefault(name.lower(), sources)  # the first of a name counts
    return found


def allows(
    policies: Iterable[Policy], directive: str, url: str, page: str, nonce: str = ""
) -> bool:
    """Whether all of a page's policies let it use an address so. Takes the page's own address, and
    the nonce of the script that is meant."""
    return all(_allows(policy, directive, url, page, nonce) for policy in policies)


def _allows(policy: Policy, directive: str, url: str, page: str, nonce: str) -> bool:
    for name in FALLBACKS[directive]:
        if name in policy:
            sources = policy[name]
            break
    else:
        return True
    if nonce and f"'nonce-{nonce}'" in sources:
        return True
    if directive == "script-src" and "'strict-dynamic'" in sources:
        return False  # then no list of hosts counts
    return any(_matches(source, urlsplit(url), urlsplit(page)) for source in sources)


def _matches(source: str, url: SplitResult, page: SplitResult) -> bool:
    if source == "'self'":
        return _origin(url) == _origin(page)
    if source == "*":
        return url.scheme in DEFAULT_PORTS
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source, re.I):
        return _scheme_fits(source[:-1].lower(), url.scheme)
    found = _HOST_SOURCE.fullmatch(source)
    return bool(found) and _host_fits(found.groupdict(), url, page)  # type: ignore[union-attr]


def _host_fits(source: Mapping[str, str | None], url: SplitResult, page: SplitResult) -> bool:
    if not _scheme_fits((source["scheme"] or page.scheme).lower(), url.scheme):
        return False
    host, wanted = (url.hostname or "").lower(), (source["host"] or "").lower()
    is_host = wanted == "*" or (
        host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
    )
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    default = port == DEFAULT_PORTS.get(url.scheme)
    is_port = source["port"] == "*" or (str(port) == source["port"] if source["port"] else default)
    path = source["path"] or "/"
    is_path = path == "/" or (url.path.startswith(path) if path.endswith("/") else url.path == path)
    return is_host and is_port and is_path


def _scheme_fits(wanted: str, scheme: str) -> bool:
    """http allows https too."""
    return wanted == scheme or (wanted, scheme) == ("http", "https")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)
