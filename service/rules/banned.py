"""The rule about what a moderator banned."""

from ..status import BanKind, Status
from .draft import MATCHED_LENGTH, Draft, Fired, History, Policy

SENTENCES = {"banned": "A ban caught it by %(matched)s."}

BY = {
    BanKind.ADDRESS: "its email address",
    BanKind.DOMAIN: "the domain of its email address",
    BanKind.NAME: "its name",
    BanKind.WEBSITE: "a website that it links to",
    BanKind.NETWORK: "the network that it came from",
}


def banned(draft: Draft, history: History, policy: Policy) -> Fired | None:
    """Spam, with the moderator's reason for the ban and nothing of what was banned."""
    if history.ban is None:
        return None
    said = f"{BY[history.ban]} (“{history.ban_reason}”)" if history.ban_reason else BY[history.ban]
    return Fired("banned", Status.SPAM, said[:MATCHED_LENGTH])
