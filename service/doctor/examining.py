"""What a visit means: each thing that was looked at, as one finding. Asks the database, and nobody
else."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from .. import urls
from ..models import Article, Site
from ..outbound import UNTRUSTED
from . import policy
from .findings import Finding, State, good, mend, note
from .page import Thread, linked_article
from .visiting import UNSET, Served, Visit, variants

TWINS = 10  # articles that are told of at most
MOST = 40  # findings: a page may hold thousands of elements
LONGEST = 600  # characters of one: addresses may have megabytes
# Hard rule 13: a comment taken down is gone within a minute from every cache that we advise.
LONGEST_SECONDS = 60


def examine(session: Session, site: Site, seen: Visit, base: str) -> list[Finding]:
    """Everything that can be said of a page's comments, what is to be mended first. Takes the
    service's own address."""
    ours = [thread for thread in seen.page.threads if thread.site == site.key]
    found = dict.fromkeys(
        _plain(finding)
        for finding in chain(
            _address(seen),
            _snippet(site, seen, ours, base),
            _article(site, seen, ours),
            _policies(site, seen, base, bool(ours)),
            _mixed(seen, base),
            _twins(session, site, seen, ours),
            _service(site, seen, base),
        )
    )
    order = (State.MEND, State.NOTE, State.GOOD)
    return sorted(found, key=lambda finding: order.index(finding.state))[:MOST]


def _plain(finding: Finding) -> Finding:
    """What a page says of itself is quoted for a terminal too: shortly, and nothing in it acts."""
    said = finding.said if len(finding.said) <= LONGEST else f"{finding.said[:LONGEST]}…"
    return replace(finding, said="".join(c if c.isprintable() else "\ufffd" for c in said))


def _address(seen: Visit) -> Iterator[Finding]:
    if seen.page.url != seen.asked:
        yield note(f"The address leads on to {seen.page.url}, which is what was looked at.")
    yield good("The page can be read, and is on one of the site’s origins.")


def _snippet(site: Site, seen: Visit, ours: list[Thread], base: str) -> Iterator[Finding]:
    if ours:
        yield from _element(site, seen, ours, base)
        return
    yield from _without(site, seen, base)


def _element(site: Site, seen: Visit, ours: list[Thread], base: str) -> Iterator[Finding]:
    yield good(f"The snippet is there, with the site’s key {site.key}.")
    scripts = seen.page.scripts
    if f"{base}/embed.js" in scripts:
        yield good("Its script is there too.")
    elif others := [src for src in scripts if urlsplit(src).path.endswith("/embed.js")]:
        said = f"The script comes from {others[0]}, and this service is {base}."
        if seen.page.url.startswith("https:") and others[0].startswith("http:"):
            said = (
                f"The page is by https and its script, {others[0]}, by http: browsers block that."
            )
        yield mend(said, f"Write {base}/embed.js, or set BASE_URL to the address that readers use.")
    else:
        yield mend(
            "The script is missing, so readers see the link alone.",
            f'Add <script src="{base}/embed.js" async></script> to the page.',
        )
    if len(ours) > 1:
        asked = {(thread.article, seen.page.article(thread)) for thread in ours}
        if len(asked) < len(ours):
            yield note(
                "The same thread stands on the page more than once.",
                "One is enough; the others load it again.",
            )
    for thread in ours:
        yield from _fallback(site, seen, thread, base)


def _fallback(site: Site, seen: Visit, thread: Thread, base: str) -> Iterator[Finding]:
    if not thread.link:
        yield mend(
            "There is no link inside the element: without script readers see nothing.",
            "Put a link to the thread between its tags, as the snippet has it.",
        )
        return
    if not thread.link.startswith(f"{base}/embed/{site.key}"):
        yield mend(
            f"The link inside the element leads to {thread.link}, which is no thread of the site.",
            f"It begins with {base}/embed/{site.key}?url=",
        )
        return
    named = linked_article(thread.link)
    if not named:
        yield note(
            "The link inside the element names no article: without script readers meet a list.",
            "Have the template write the article’s address behind ?url=",
        )
    elif not _is_same(named, seen.page.article(thread)):
        yield mend(
            f"The link inside the element is for {named}, the thread for "
            f"{seen.page.article(thread)}.",
            "Have the template write the address of the article itself into both.",
        )
    else:
        yield good("Without script the link leads to the same thread.")


def _without(site: Site, seen: Visit, base: str) -> Iterator[Finding]:
    start = f"{base}/embed/{site.key}"
    others = sorted({thread.site for thread in seen.page.threads} - {site.key})
    if others:
        said = ", ".join(f"“{key}”" for key in others)
        yield mend(
            f"The snippet is there with the site key {said}; this site’s is “{site.key}”.",
            f'Write site="{site.key}".',
        )
    elif any(action.startswith(f"{start}/comments") for action in seen.page.forms):
        yield good("The page includes the thread as a fragment.")
    elif any(link.startswith(start) for link in seen.page.links):
        yield good("The page links to the thread as a page of its own.")
    else:
        yield mend(
            "Neither the snippet nor a link to the thread is on the page.",
            "Paste the snippet into the article’s template. If your pages are put together by "
            "script in the browser, it cannot be seen from here.",
        )


def _article(site: Site, seen: Visit, ours: list[Thread]) -> Iterator[Finding]:
    page = seen.page
    if len(set(page.canonicals)) > 1:
        yield mend(
            "The page names more than one canonical address; the first one counts.",
            "Leave one <link rel=canonical> in the template.",
        )
    if not page.canonicals:
        yield note(
            "The page has no canonical link, so whatever its address is makes an article.",
            'Add <link rel="canonical" href="…"> with the article’s one address to the template.',
        )
    elif urlsplit(page.canonicals[0]).netloc != urlsplit(page.url).netloc:
        yield mend(
            f"The canonical link leads to another host ({page.canonicals[0]}), and does not count.",
            "Let it name the address under which readers see the page.",
        )
    for thread in ours:
        asked = page.article(thread)
        if not urls.is_within(asked, site.origins):
            yield mend(
                f"The thread is asked for as {asked}, which is on none of the site’s origins.",
                "Add that origin to the site, or mend the address in the template.",
            )
        else:
            yield good(f"Its comments belong to {_canonical(asked)}.")


def _policies(site: Site, seen: Visit, base: str, has_element: bool) -> Iterator[Finding]:
    policies = policy.read(seen.policies)
    if not policies:
        yield good("No Content-Security-Policy of the page is in the way.")
        return
    wanted: list[tuple[str, str]] = []
    if has_element:
        wanted += [("script-src", f"{base}/embed.js"), ("frame-src", f"{base}/embed/{site.key}")]
    if seen.page.has_counts:
        wanted.append(("connect-src", f"{base}/embed/{site.key}/counts"))
    if any(action.startswith(f"{base}/embed/") for action in seen.page.forms):
        wanted.append(("form-action", f"{base}/embed/{site.key}/comments"))
    for directive, url in wanted:
        nonce = seen.page.scripts.get(url, "")
        if not policy.allows(policies, directive, url, seen.page.url, nonce):
            yield mend(
                f"The page’s Content-Security-Policy does not allow {base} under {directive}.",
                f"Add {base} to {directive}.",
            )
        else:
            yield good(f"The page’s Content-Security-Policy allows it ({directive}).")


def _mixed(seen: Visit, base: str) -> Iterator[Finding]:
    if seen.page.url.startswith("https:") and base.startswith("http:"):
        yield mend(
            "The page is served by https and this service by http: browsers block that.",
            "Put TLS in front of this service, and set BASE_URL to its https address.",
        )


def _twins(session: Session, site: Site, seen: Visit, ours: list[Thread]) -> Iterator[Finding]:
    for other in seen.twins:
        yield mend(
            f"The same page stands at {other} too, and they name no one canonical address.",
            "Lead one to the other, or add a canonical link: else its comments are split.",
        )
    asked = _canonical(seen.page.article(ours[0]) if ours else seen.page.url)
    for twin in _stored_twins(session, site, asked):
        yield mend(
            f"There are comments under {twin.url} too ({twin.approved_count:,} published): it looks "
            "like the same article.",
            "Merge the two under Articles, and add a canonical link to the template.",
        )


def _stored_twins(session: Session, site: Site, asked: str) -> list[Article]:
    """Articles whose address differs in nothing that names another page: scheme, www, a slash at
    the end; what stands behind "?" where this one has nothing there."""
    parts = urlsplit(asked)
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    query = f"?{parts.query}" if parts.query else ""
    paths = [f"{bare}{end}{query}" for end in ("", "/", "/index.html")]
    alike = {other for path in paths for other in [path, *variants(path)]} | set(variants(asked))
    wanted: list[ColumnElement[bool]] = [Article.url.in_(alike)]
    # What stands behind "?" may say which article it is: "/?p=12".
    if not query and parts.path.strip("/"):
        for start in (f"{bare}?", f"{bare}/?"):
            wanted.append(func.substr(Article.url, 1, len(start)) == start)
    found = select(Article).where(Article.site_id == site.id, Article.url != asked, or_(*wanted))
    return list(session.scalars(found.order_by(Article.id).limit(TWINS)))


def _service(site: Site, seen: Visit, base: str) -> Iterator[Finding]:
    if base.startswith("http:"):
        yield note(
            "This service is reached by http: what readers type can be read on the way.",
            "Put TLS in front of it, and set BASE_URL to the https address.",
        )
    if failed := seen.frame.failed or seen.script.failed:
        yield _unasked(failed, base)
        return
    yield from _frame(site, seen, base)
    if seen.script.status != 200 or "javascript" not in seen.script.headers.get("content-type", ""):
        yield mend(
            f"{base}/embed.js does not answer with a script (status {seen.script.status}).",
            "See what the proxy in front of this service does with it.",
        )


def _unasked(failed: str, base: str) -> Finding:
    said = f"This service, {base}, cannot be asked from here: {failed}."
    if failed == UNTRUSTED:
        return mend(
            f"Browsers refuse this service, {base}: {failed}.",
            "Renew it, and have the proxy in front send all of its chain, for this very name.",
        )
    if failed == UNSET:
        return note(said, "Have its operator set BASE_URL to the address that readers use.")
    return note(
        said,
        "Open the thread in a browser elsewhere. Whether a proxy changes its answers was not seen.",
    )


def _frame(site: Site, seen: Visit, base: str) -> Iterator[Finding]:
    headers = seen.frame.headers
    if seen.frame.status != 200:
        yield mend(
            f"The thread answers with status {seen.frame.status}.",
            f"See whether {base} is this service, and what the proxy in front of it does.",
        )
        return
    page = urls.origin(seen.page.url)
    ancestors = policy.read([headers.get("content-security-policy", "")])
    framed = headers.get("x-frame-options", "")
    if framed or not policy.allows(ancestors, "frame-ancestors", page, base):
        said = f"X-Frame-Options: {framed}" if framed else "frame-ancestors without this page"
        yield mend(
            f"A proxy in front of this service adds a header that forbids frames ({said}).",
            "Have it leave this service’s headers as they are.",
        )
    else:
        yield good("This service lets the page frame the thread, and answers from outside.")
    yield from _cached(seen.frame)


def _cached(frame: Served) -> Iterator[Finding]:
    said = frame.headers.get("cache-control", "")
    ages = [
        int(part.partition("=")[2])
        for part in said.replace(" ", "").lower().split(",")
        if part.partition("=")[0] in ("max-age", "s-maxage", "stale-while-revalidate")
        and part.partition("=")[2].isdecimal()
    ]
    age = frame.headers.get("age", "")
    longest = max([*ages, int(age) if age.isdecimal() else 0])
    if longest > LONGEST_SECONDS:
        yield mend(
            f"A cache in front of this service keeps threads for {longest:,} seconds: a comment that "
            "is taken down would stay as long.",
            "Have it keep to this service’s Cache-Control, ten seconds.",
        )
    else:
        yield good("What caches may keep of a thread is gone within a minute.")


def _is_same(one: str, other: str) -> bool:
    return _canonical(one) == _canonical(other)


def _canonical(url: str) -> str:
    try:
        return urls.canonical(url)
    except urls.NotAnAddress:
        return url
