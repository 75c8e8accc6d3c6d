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
    free_at = limit.reset_at if limit else time.time() + error.limit.limit.get_expiry()
    return max(1, math.ceil(free_at - time.time()))


def init_app(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = app.config["RATE_LIMITS"]
    app.config["RATELIMIT_STORAGE_URI"] = app.config["REDIS_URL"] or "memory://"
    limiter.init_app(app)
