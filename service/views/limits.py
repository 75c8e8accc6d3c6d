"""How often one network may knock. Counted in memory by each process, or in Redis for all."""

import math
import time

from flask import Flask
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address

POSTING = "20 per 5 minutes"
LIKING = "60 per 5 minutes"
REPORTING = "10 per 5 minutes"
PREVIEWING = "60 per 5 minutes"
SIGNING_IN = "10 per minute"

limiter = Limiter(get_remote_address, headers_enabled=False, strategy="moving-window")


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
    limiter.init_app(app)
