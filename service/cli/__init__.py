"""The operator's door: the `flask` commands.

Exit status 0 done, 1 it could not be done (one line on stderr, nothing half-written), 2 wrong usage.
"""

from flask import Flask
from flask_limiter.commands import cli as limits_of_the_library

from . import (
    accounts,
    articles,
    demo,
    doctor,
    exporting,
    hooks,
    importing,
    mail,
    outside,
    phrases,
    privacy,
    rerender,
    rules,
    screening,
    sites,
    waves,
    worker,
)

COMMANDS = (
    sites.site,
    articles.article,
    accounts.moderator,
    demo.demo,
    doctor.doctor_,
    privacy.privacy,
    rerender.rerender,
    importing.import_,
    exporting.export,
    hooks.hook_,
    mail.mail_,
    outside.outside_,
    phrases.phrases,
    rules.rules_,
    screening.screening,
    waves.waves_,
    worker.worker,
)


def init_app(app: Flask) -> None:
    # It comes with Flask-Limiter and is no part of what an operator does here.
    limits_of_the_library.hidden = True
    for command in COMMANDS:
        app.cli.add_command(command)
