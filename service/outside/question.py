"""What services outside are asked about."""

from dataclasses import dataclass, field
from urllib.parse import unquote

from ..models import Site
from ..text import addresses


@dataclass(frozen=True)
class Question:
    """A comment as far as anybody outside may know of it: what to tell is the site's choice."""

    site: str  # its key
    blog: str  # its address on the web
    url: str  # of the article
    name: str
    website: str
    text: str
    language: str = ""
    links: int = 0
    occasion: str = "posted"  # "edited", or "test" for one that was made up
    network: str = ""
    client: str = field(default="", repr=False)  # the IP address
    email: str = field(default="", repr=False)

    @property
    def website_without_address(self) -> str:
        """The website, or "" where an e-mail address stands in it, however it is written."""
        return "" if addresses(f"{self.website} {unquote(self.website)}") else self.website


def made_up(site: Site) -> Question:
    """About a comment that nobody wrote, to see whether a service answers."""
    return Question(
        site=site.key,
        blog=site.origins[0],
        url=f"{site.origins[0]}/",
        name="A test",
        website="",
        text="This comment is made up to see whether the service answers.",
        language="en",
        occasion="test",
    )
