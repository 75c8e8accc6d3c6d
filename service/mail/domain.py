"""What DNS says of the domain that letters come from: SPF, DKIM and DMARC, by which other servers
judge whether it is really us who send."""

from dataclasses import dataclass

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

SECONDS = 5.0  # for one question


@dataclass(frozen=True)
class Finding:
    is_good: bool
    says: str


class Unknown(Exception):
    """DNS did not answer."""


def look(domain: str, selector: str = "", resolver: Resolver | None = None) -> list[Finding]:
    """What is found for a domain. Takes DKIM's selector if it is known; raises nothing."""
    asked = resolver or Resolver()
    asked.lifetime = SECONDS
    try:
        return [_spf(asked, domain), _dkim(asked, domain, selector), _dmarc(asked, domain)]
    except Unknown:
        return [Finding(False, f"DNS did not answer for {domain}.")]


def _spf(resolver: Resolver, domain: str) -> Finding:
    records = [one for one in _texts(resolver, domain) if _begins(one, "v=spf1")]
    if len(records) > 1:
        return Finding(False, f"SPF: {domain} has {len(records)} records, and only one may be.")
    if not records:
        return Finding(False, f"SPF: {domain} does not say which servers send for it.")
    if "+all" in records[0].lower().split():
        return Finding(False, f"SPF: {domain} lets every server send for it: {records[0]}")
    return Finding(True, f"SPF: {records[0]}")


def _dkim(resolver: Resolver, domain: str, selector: str) -> Finding:
    if not selector:
        said = (
            "DKIM: not looked for; name the selector that your mail server signs with: --selector."
        )
        return Finding(True, said)
    name = f"{selector}._domainkey.{domain}"
    keys = [_tags(one).get("p") for one in _texts(resolver, name)]
    if not any(key is not None for key in keys):
        return Finding(False, f"DKIM: there is no key at {name}.")
    if not any(keys):
        return Finding(False, f"DKIM: the key at {name} is withdrawn.")
    return Finding(True, f"DKIM: there is a key at {name}.")


def _dmarc(resolver: Resolver, domain: str) -> Finding:
    """A domain without a word of its own has that of a domain above it (RFC 7489, 6.6.3)."""
    labels = domain.split(".")
    for above in range(max(1, len(labels) - 1)):
        name = ".".join(["_dmarc", *labels[above:]])
        for one in _texts(resolver, name):
            if _begins(one, "v=DMARC1"):
                return Finding(True, f"DMARC: {one}")
    return Finding(False, f"DMARC: {domain} does not say what to do with mail that is forged.")


def _begins(record: str, version: str) -> bool:
    return record.lower().replace(";", " ").split()[:1] == [version.lower()]


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def _texts(resolver: Resolver, name: str) -> list[str]:
    try:
        answer = resolver.resolve(name, "TXT")
    except (NXDOMAIN, NoAnswer):
        return []
    except (DNSException, OSError, UnicodeError) as error:
        raise Unknown from error
    return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
