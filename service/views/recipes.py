"""The lines that publishers paste, in the words of what builds their pages.

They are the blocks of docs/recipes.md, which says more about each; there they stand for a service at
SERVICE and a site `daily` at WEBSITE.
"""

import re
from dataclasses import dataclass

from ..models import Site

SERVICE, KEY, WEBSITE = "https://comments.daily.example", "daily", "https://www.daily.example"
_STANDS_FOR = re.compile(
    rf"{re.escape(SERVICE)}|{re.escape(WEBSITE)}|(?<=/embed/){KEY}\b|(?<=site=\"){KEY}\b"
)


@dataclass(frozen=True)
class Recipe:
    """One block to copy: for which system (as its section in docs/recipes.md is called), where it
    goes there, and the block."""

    system: str
    where: str
    block: str


def _element(address: str) -> str:
    """The element, its link carrying the article's address as a template writes and encodes it."""
    return f"""\
<script src="{SERVICE}/embed.js" async></script>
<rejoinder-thread site="{KEY}">
  <a href="{SERVICE}/embed/{KEY}?url={address}">Comments</a>
</rejoinder-thread>"""


RECIPES = (
    Recipe(
        "Plain HTML",
        "At the end of each article, with the article’s own address in the link.",
        _element("https%3A%2F%2Fwww.daily.example%2Fyour-article"),
    ),
    Recipe(
        "WordPress",
        "In your theme’s single.php, in place of comments_template(); or alone in its comments.php.",
        _element("<?php echo rawurlencode( get_permalink() ); ?>"),
    ),
    Recipe(
        "Hugo",
        "In the layout of single pages.",
        _element("{{ .Permalink }}"),
    ),
    Recipe(
        "Eleventy",
        "In the Nunjucks layout of your articles.",
        _element('{{ ("https://www.daily.example" + page.url) | urlencode }}'),
    ),
    Recipe(
        "Flask and Jinja",
        "In the template of your articles.",
        _element("{{ request.base_url | urlencode }}"),
    ),
    Recipe(
        "Django",
        "In the template of your articles; the context processor “request” gives it the address.",
        _element('{{ request.build_absolute_uri|urlencode:"" }}'),
    ),
)

LINK = f'<a href="{SERVICE}/embed/{KEY}?url=https%3A%2F%2Fwww.daily.example%2Fyour-article">Comments</a>'

FRAGMENTS = (
    Recipe(
        "A shell",
        "Before a build, for each article: it leaves the file as it was where the service is away.",
        f"""\
curl --fail --silent --show-error --max-time 20 --output comments.html.new \\
  --get --data-urlencode "url=https://www.daily.example/your-article" \\
  {SERVICE}/embed/{KEY}/fragment \\
  && mv comments.html.new comments.html""",
    ),
    Recipe(
        "Hugo",
        "In the layout of single pages; build with --ignoreCache, else Hugo keeps what it fetched first.",
        f"""\
{{{{ $thread := printf "{SERVICE}/embed/{KEY}/fragment?%s" (querify "url" .Permalink) }}}}
{{{{ with try (resources.GetRemote $thread) }}}}
  {{{{ with .Err }}}}{{{{ warnf "Comments: %s" . }}}}{{{{ end }}}}
  {{{{ with .Value }}}}{{{{ .Content | safeHTML }}}}{{{{ end }}}}
{{{{ end }}}}""",
    ),
)


def snippet(service: str, site: Site) -> str:
    """The element for plain HTML on a site's own pages."""
    return fill(RECIPES[0].block, service, site.key, website(site))


def website(site: Site) -> str:
    """Where a site's pages are: its first origin, else one that stands for it."""
    return site.origins[0] if site.origins else WEBSITE


def fill(block: str, service: str, key: str, website: str) -> str:
    """A block for a service's address, a site's key and the origin of its pages."""
    stands_for = {SERVICE: service, KEY: key, WEBSITE: website}
    filled = _STANDS_FOR.sub(lambda found: stands_for[found[0]], block)
    return filled.replace(_encoded(WEBSITE), _encoded(website))


def _encoded(origin: str) -> str:
    return origin.replace(":", "%3A").replace("/", "%2F")
