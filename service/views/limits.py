"""How often one network may knock. Counted in memory by each process, or in Redis for all."""

import ipaddress
import math
import time
from collections.abc import Callable
from functools import wraps

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from . import errors

POSTING = "20 per 5 minutes"
LIKING = "60 per 5 minutes"
REPORTING = "10 per 5 minutes"
PREVIEWING = "60 per 5 minutes"
DECIDING = "60 per 5 minutes"  # by links in letters; a newsroom may share one address
CHOOSING = "60 per 5 minutes"  # on the pages that letters lead to
ONE_CLICKS = "600 per 5 minutes"  # of a mail provider's machines, for all whose mail it keeps
EXAMINING = "20 per 5 minutes"  # pages that this service fetches
SIGNING_IN = "10 per minute"
FORGETTING = "5 per 5 minutes"  # asking for a letter with a link for a new password

REDIS_SECONDS = 1  # that a request waits for it

Shown = Callable[[RateLimitExceeded], ResponseReturnValue]


def knocking() -> str:
    """Whom a limit counts: an address; of an IPv6 one the /64, which one household has to itself
    and can choose a new address from each time (RFC 6177, RFC 8981)."""
    address = get_remote_address()
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


limiter = Limiter(knocking, headers_enabled=False, strategy="moving-window")


def or_plainly(shown: Shown) -> Shown:
    """For what answers a limit with a page of its own: where there is no such page, because the
    address is wrong too, it is said plainly when to try again."""

    @wraps(shown)
    def answered(error: RateLimitExceeded) -> ResponseReturnValue:
        try:
            return shown(error)
        except HTTPException:
            return errors.answer(429, headers={"Retry-After": str(wait(error))})

    return answered


def wait(error: RateLimitExceeded) -> int:
    """Seconds until the oldest of the requests that count stops to count."""
    limit = limiter.current_limit
    longest = error.limit.limit.get_expiry()
    # `reset_at` is rounded up to a second, and may lie just behind the end of the whole window.
    seconds = math.ceil(limit.reset_at - time.time()) if limit else longest
    return min(max(1, seconds), longest)


def init_app(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = app.config["RATE_LIMITS"]
    app.config["RATELIMIT_STORAGE_URI"] = app.config["REDIS_URL"] or "memory://"
    if app.config["REDIS_URL"]:
        waits = ("socket_connect_timeout", "socket_timeout")
        app.config["RATELIMIT_STORAGE_OPTIONS"] = dict.fromkeys(waits, REDIS_SECONDS)
        # No reply is lost with Redis: until it is back, each process counts by itself.
        app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True
    limiter.init_app(app)
