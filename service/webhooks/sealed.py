"""What is kept sealed of a webhook: its address and its secrets, each bound to its row."""

from datetime import datetime

from ..models import Hook
from ..vault import Vault


def seal_url(vault: Vault, hook: Hook, url: str) -> str:
    return vault.seal(_url(hook), url)


def seal_secret(vault: Vault, hook: Hook, secret: str) -> str:
    return vault.seal(_secret(hook), secret)


def url_of(vault: Vault, hook: Hook) -> str:
    """Its address; "" if the keys at hand do not open it."""
    return vault.open(_url(hook), hook.sealed_url) or ""


def secrets_of(vault: Vault, hook: Hook, at: datetime) -> list[str]:
    """Those that are good at a moment, the newest first."""
    sealed = [hook.sealed_secret]
    if hook.former_until is not None and at < hook.former_until:
        sealed.append(hook.sealed_former)
    return [opened for one in sealed if (opened := vault.open(_secret(hook), one))]


def reseal(vault: Vault, hook: Hook) -> None:
    """Puts what is sealed under the newest key."""
    for column, purpose in (
        ("sealed_url", _url(hook)),
        ("sealed_secret", _secret(hook)),
        ("sealed_former", _secret(hook)),
    ):
        if opened := vault.open(purpose, getattr(hook, column)):
            setattr(hook, column, vault.seal(purpose, opened))


def _url(hook: Hook) -> str:
    return f"webhook {hook.id} url"


def _secret(hook: Hook) -> str:
    return f"webhook {hook.id} secret"
