"""Fetches a publisher's page, and what this service itself answers to a reader of it.

Nothing here touches the database: it takes seconds.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from .. import urls
from ..outbound import Answer, Failed, Outbound, Refused, Unreachable
from . import page

REDIRECTS = 5
SECONDS = 8.0  # for each request
IN_ALL = 20.0  # seconds: whoever asked waits, and so does a thread of the server
UNSET = "BASE_URL is not set"
LARGEST = 2 * 1024 * 1024  # bytes of a page


class Lost(Exception):
    """There is no page to look at. Holds what is so, and what to do."""

    def __init__(self, said: str, advice: str) -> None:
        super().__init__(said)
        self.said, self.advice = said, advice


@dataclass(frozen=True)
class Served:
    """What this service answered from outside, or why it did not."""

    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    failed: str = ""


@dataclass(frozen=True)
class Visit:
    """What was seen."""

    page: page.Page
    asked: str  # the address that was given
    policies: Sequence[str]
    twins: Sequence[str]  # other addresses at which the same page stands
    frame: Served
    script: Served


def visit(outbound: Outbound, origins: list[str], url: str, base: str, key: str) -> Visit:
    """Looks at a page. Takes the site's origins, the page's address, the service's own as its
    operator set it ("" if nobody did: a request's own word for it is not asked) and the site's key.
    Raises Lost."""
    errand = _Errand(outbound)
    found, answer = _follow(errand, origins, url)
    asked = _spelt(url)
    seen = page.read(answer.body.decode("utf-8", "replace"), found)
    wanted = [thread for thread in seen.threads if thread.site == key]
    article = seen.article(wanted[0]) if wanted else found
    if not urls.is_within(article, origins):  # which is said; what this service answers is known
        article = found
    header = answer.headers.get("content-security-policy", "")
    return Visit(
        seen,
        asked,
        [header, *seen.policies] if header else seen.policies,
        list(_twins(errand, origins, seen)),
        _ask(errand, f"{base}/embed/{key}?{urls.query(url=article)}"),
        _ask(errand, f"{base}/embed.js"),
    )


class _Errand:
    """The door out, for as long as all of a visit may take."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound, self._until = outbound, time.monotonic() + IN_ALL

    def get(self, url: str) -> Answer:
        """Raises outbound.Failed."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unreachable("what was asked before took too long")
        return self._outbound.get(url, seconds=min(SECONDS, left), largest=LARGEST)


def _follow(errand: _Errand, origins: list[str], url: str) -> tuple[str, Answer]:
    """The address at which the page really is, and the page."""
    at = url
    for _ in range(REDIRECTS + 1):
        if not urls.is_within(at, origins):
            listed = ", ".join(origins)
            if at == url:
                raise Lost(
                    f"{at} is not on one of the site’s origins ({listed}).",
                    "Check the address, or add its origin to the site.",
                )
            raise Lost(
                f"It leads on to {at or 'an address that is none'}, which is not on one of the site’s "
                f"origins ({listed}).",
                "If that is yours too, add its origin to the site: comments there would be refused.",
            )
        at = _spelt(at)
        answer = _page(errand, at)
        onward = answer.headers.get("location", "")
        if not 300 <= answer.status < 400 or not onward:
            return at, _html(answer)
        at = page.whole(at, onward)
    raise Lost(f"It leads on and on, more than {REDIRECTS} times.", "Mend the redirects.")


def _spelt(url: str) -> str:
    """An address whose host is spelt as it was checked: others may read "ß" otherwise."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{urls.origin(url)}{parts.path or '/'}{query}"


def _page(errand: _Errand, url: str) -> Answer:
    try:
        return errand.get(url)
    except Refused as refused:
        raise Lost(
            f"The page cannot be read: {refused}.",
            "If it is one of yours on a private network, this service’s operator can allow that "
            "(PRIVATE_NETWORKS).",
        ) from None
    except Failed as failed:
        raise Lost(
            f"The page cannot be read: {failed}.",
            "See whether it opens in a browser, and try again in a minute.",
        ) from None


def _html(answer: Answer) -> Answer:
    if answer.status != 200:
        raise Lost(
            f"The page answers with status {answer.status}.",
            "Give the address of an article that everybody can read.",
        )
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        raise Lost(
            f"It is no page but {kind or 'something unnamed'}.", "Give an article’s address."
        )
    return answer


def _twins(errand: _Errand, origins: list[str], seen: page.Page) -> Iterator[str]:
    """The page's other addresses, with www or without, by http or https, where these are the
    site's too, that show it without leading to one and the same."""
    for other in variants(seen.url):
        if not urls.is_within(other, origins):
            continue
        try:
            answer = errand.get(other)
        except Failed:
            continue
        if answer.status != 200:
            continue
        there = page.read(answer.body.decode("utf-8", "replace"), other)
        if there.canonicals[:1] != seen.canonicals[:1] or not seen.canonicals:
            yield other


def variants(url: str) -> list[str]:
    """The same address by the other scheme, and with www or without."""
    parts = urlsplit(url)
    hosts = {parts.netloc, parts.netloc.removeprefix("www.")}
    if not parts.netloc.startswith("www.") and parts.netloc.count("."):
        hosts.add(f"www.{parts.netloc}")
    made = [
        urlunsplit((scheme, host, parts.path, parts.query, ""))
        for scheme in ("https", "http")
        for host in sorted(hosts)
    ]
    return [other for other in made if other != url]


def _ask(errand: _Errand, url: str) -> Served:
    if url.startswith("/"):
        return Served(failed=UNSET)
    try:
        answer = errand.get(url)
    except Failed as failed:
        return Served(failed=str(failed))
    return Served(answer.headers, answer.status)
