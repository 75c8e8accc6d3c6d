"""The rule about addresses that are made to be thrown away."""

from disposable_email_domains import blocklist

from ..status import Status
from .rule import Case, Rule


def is_throwaway(domain: str) -> bool:
    """Whether a domain, or one that it is part of, is on the kept list."""
    try:
        labels = domain.strip().rstrip(".").casefold().encode("idna").decode().split(".")
    except UnicodeError:
        return False
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def throwaway_address(case: Case) -> str | None:
    """Names no domain: it is part of an address (hard rule 4)."""
    return "" if is_throwaway(case.draft.mail_domain) else None


RULES = (
    Rule(
        "throwaway_address",
        throwaway_address,
        says="Its address is from a service that gives addresses for a few minutes.",
        does="Catches addresses of services that give them for a few minutes.",
        may=(Status.PENDING, Status.SPAM),
        is_on=False,
    ),
)
