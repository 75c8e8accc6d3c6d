"""The operator's door: the `flask` commands.

Exit status 0 done, 1 it could not be done (one line on stderr, nothing half-written), 2 wrong usage.
"""

from flask import Flask

from . import (
    accounts,
    demo,
    exchange,
    mail,
    outside,
    phrases,
    privacy,
    rerender,
    rules,
    screening,
    sites,
    worker,
)

COMMANDS = (
    sites.site,
    accounts.moderator,
    demo.demo,
    privacy.privacy,
    rerender.rerender,
    exchange.import_,
    exchange.export,
    mail.mail_,
    outside.outside_,
    phrases.phrases,
    rules.rules_,
    screening.screening,
    worker.worker,
)


def init_app(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)
