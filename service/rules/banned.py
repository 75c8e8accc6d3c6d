"""The rule about what a moderator banned."""

from ..status import BanKind, Status
from .rule import Case, Rule

BY = {
    BanKind.ADDRESS: "its email address",
    BanKind.DOMAIN: "the domain of its email address",
    BanKind.NAME: "its name",
    BanKind.WEBSITE: "a website that it links to",
    BanKind.NETWORK: "the network that it came from",
}


def banned(case: Case) -> str | None:
    """With the moderator's reason for the ban, and nothing of what was banned."""
    ban, reason = case.history.ban, case.history.ban_reason
    if ban is None:
        return None
    return f"{BY[ban]} (“{reason}”)" if reason else BY[ban]


RULES = (
    Rule(
        "banned",
        banned,
        says="A ban caught it by %(matched)s.",
        does="Marks as spam what a ban catches: an address, its domain, a name, a website, a network.",
        to=Status.SPAM,
        is_fixed=True,
        weight=100,
        is_measure=True,
    ),
)
