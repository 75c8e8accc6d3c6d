"""The doors: who comes in by a URL. A view reads, calls one verb, commits, answers."""

from flask import Flask

from . import (
    accounts,
    articles,
    audit,
    bans,
    begin,
    bulk,
    by_mail,
    cards,
    demo,
    desk,
    doctor,
    embedding,
    errors,
    exports,
    feeds,
    follow,
    handovers,
    headers,
    hooks,
    imports,
    keys,
    languages,
    letters,
    limits,
    me,
    more,
    ops,
    outside,
    participation,
    people,
    phrases,
    places,
    queue,
    reader,
    receipts,
    rules,
    site_settings,
    sites,
    statistics,
    together,
    uploads,
    waves,
)

# The rooms of the desk: imported, each has put its URLs on the desk's door.
DESK = (
    queue,
    cards,
    bans,
    rules,
    statistics,
    audit,
    more,
    places,
    sites,
    site_settings,
    phrases,
    outside,
    together,
    handovers,
    bulk,
    keys,
    people,
    me,
    waves,
    letters,
    hooks,
    articles,
    begin,
    doctor,
    imports,
    exports,
    embedding,
)
READERS = (reader.bp, receipts.bp, participation.bp, feeds.bp, follow.bp)
DOORS = (*READERS, desk.bp, by_mail.bp, accounts.bp, ops.bp, demo.bp)


def init_app(app: Flask) -> None:
    languages.init_app(app)
    limits.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    uploads.init_app(app)
    for door in DOORS:
        app.register_blueprint(door)
    accounts.init_app(app)
