"""Akismet, by its kept client, which is given a client of outbound's to speak with."""

from typing import Any

import akismet

from ..outbound import Failed, Outbound
from ..rules import Opinion
from ..status import Status
from ..text import mask_addresses
from .choice import Akismet
from .question import Question

SOURCE = "akismet"
NOWHERE = "0.0.0.0"  # noqa: S104 - Akismet will have an address; this says that none is known
SPAM = (akismet.CheckResponse.SPAM, akismet.CheckResponse.DISCARD)


def check(outbound: Outbound, chosen: Akismet, asked: Question, seconds: float) -> Opinion:
    """What Akismet says; whatever it takes for spam stays to be looked at, "discard" too."""
    with outbound.client(seconds=seconds) as http:
        try:
            found = _client(http, chosen, asked).comment_check(**_told(chosen, asked))
        except akismet.AkismetError as error:
            return Opinion(SOURCE, None, why(error))
    return Opinion(SOURCE, Status.SPAM if found in SPAM else Status.APPROVED)


def submit(
    outbound: Outbound, chosen: Akismet, asked: Question, is_spam: bool, seconds: float
) -> None:
    """Tells Akismet what a moderator decided. Raises akismet.AkismetError."""
    with outbound.client(seconds=seconds) as http:
        client = _client(http, chosen, asked)
        (client.submit_spam if is_spam else client.submit_ham)(**_told(chosen, asked))


def why(error: akismet.AkismetError) -> str:
    """What went wrong, in words: the client's own may quote the key."""
    if isinstance(error.__cause__, Failed):
        return str(error.__cause__)
    if isinstance(error, akismet.APIKeyError):
        return "it does not know the key"
    return "it gave no answer that could be used"


def _client(http: object, chosen: Akismet, asked: Question) -> akismet.SyncClient:
    config = akismet.Config(key=chosen.key, url=asked.blog)
    return akismet.SyncClient(config=config, http_client=http)  # type: ignore[arg-type]


def _told(chosen: Akismet, asked: Question) -> dict[str, Any]:
    """Addresses, wherever they stand, are told only if the site says so (hard rule 4)."""
    shown = str if chosen.tells_email else mask_addresses
    network = asked.network.partition("/")[0]
    told: dict[str, Any] = {
        "user_ip": (chosen.tells_client and asked.client) or network or NOWHERE,
        "comment_type": "comment",
        "comment_content": shown(asked.text),
        "comment_author": shown(asked.name),
        "comment_author_url": asked.website
        if chosen.tells_email
        else asked.website_without_address,
        "permalink": asked.url,
        "blog_lang": asked.language,
        "blog_charset": "UTF-8",
    }
    if chosen.tells_email:
        told["comment_author_email"] = asked.email
    if asked.occasion == "test":
        told["is_test"] = True
    return {name: value for name, value in told.items() if value}
