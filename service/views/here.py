"""Where this service is, for links that leave it."""

from flask import current_app, request


def served_at() -> str:
    """The address that its operator set, else the one of this request, which is only right while
    nobody else can reach it (settings.py, BASE_URL)."""
    return str(current_app.config["BASE_URL"] or request.host_url).rstrip("/")
