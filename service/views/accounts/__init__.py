"""The ways in: a password and a second step, a passkey, a link that works once, an invitation.

Nothing here says which addresses have an account. Passwords are hashed outside any transaction;
each try is counted before it is looked at (attempts.py).
"""

from flask import Flask
from flask_wtf import CSRFProtect

from .. import by_mail, follow, more, participation, reader, receipts
from .browsers import (
    KNOWN_COOKIE,
    KNOWN_FOR,
    KNOWN_MOST,
    knocking_from,
    known_browser,
    network,
    place_of,
)
from .ceremonies import (
    ASKING_PASSKEYS,
    ceremony,
    check_passkey,
    keep_challenge,
    passkey,
    passkey_options,
    taken_challenge,
)
from .door import admit, bp, go_on, keep_seen, leave, let_in, sign_out
from .first import first_admin
from .forgotten import forgotten
from .forms import (
    FAULTS,
    AddressForm,
    CodeForm,
    FirstForm,
    JoinForm,
    NameForm,
    NewPasswordForm,
    PasskeyForm,
    PasswordForm,
)
from .halfway import HALF_WAY, code_counter, half, second, use_code
from .links import USED_LINK, is_loopback, join, key_of, offer, reset, sign_in, signed
from .signing_in import sign_in_by_password
from .tries import account_of, failed, record_failure, take, waiting

__all__ = [
    "ASKING_PASSKEYS",
    "FAULTS",
    "HALF_WAY",
    "KNOWN_COOKIE",
    "KNOWN_FOR",
    "KNOWN_MOST",
    "USED_LINK",
    "AddressForm",
    "CodeForm",
    "FirstForm",
    "JoinForm",
    "NameForm",
    "NewPasswordForm",
    "PasskeyForm",
    "PasswordForm",
    "account_of",
    "admit",
    "bp",
    "ceremony",
    "check_passkey",
    "code_counter",
    "failed",
    "first_admin",
    "forgotten",
    "go_on",
    "half",
    "init_app",
    "is_loopback",
    "join",
    "keep_challenge",
    "keep_seen",
    "key_of",
    "knocking_from",
    "known_browser",
    "leave",
    "let_in",
    "network",
    "offer",
    "passkey",
    "passkey_options",
    "place_of",
    "record_failure",
    "reset",
    "second",
    "sign_in",
    "sign_in_by_password",
    "sign_out",
    "signed",
    "take",
    "taken_challenge",
    "use_code",
    "waiting",
]


def init_app(app: Flask) -> None:
    csrf = CSRFProtect(app)
    csrf.exempt(reader.bp)  # anonymous, cookieless: its form signs its own token
    csrf.exempt(receipts.bp)
    csrf.exempt(participation.bp)
    csrf.exempt(by_mail.bp)
    csrf.exempt(follow.bp)  # the address of its pages is the key, and mail programs post there
    for view in (more.edit, more.reply):  # their forms ask for it, and give back what was typed
        csrf.exempt(view)
    # Its token is in the address: the form reads its body by itself. By name: imports come later.
    csrf.exempt("service.views.imports.imports_add")
    # Flask-Security's URLs and names, our own way: its view knows neither visits nor attempts.
    app.view_functions["security.login"] = sign_in_by_password
    app.view_functions["security.logout"] = sign_out
