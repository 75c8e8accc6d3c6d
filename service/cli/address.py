"""Where the service is reached, for links that a command prints."""

import os

from flask import current_app


def served_at() -> str:
    """The service's public address, else the one where `make run` serves it."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    local = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return current_app.config["BASE_URL"] or local
