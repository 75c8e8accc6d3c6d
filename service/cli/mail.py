"""Mail: what the worker does about the outbox, and `flask mail test`."""

import re
import secrets
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import click
from email_validator import EmailNotValidError, validate_email
from flask import current_app, render_template
from flask.cli import with_appcontext
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import database, spoken
from .. import mail as post_office
from ..mail import (
    Contents,
    Post,
    Recipient,
    domain,
    message,
    outbox,
    returned,
    smtp,
    undeliverable,
)
from ..mail.returned import Returned, Says
from ..mail.smtp import Line, Said, Server
from ..models import Letter, Site, now
from ..site_settings import SiteSettings
from ..status import LetterState, Why
from .insisting import put_into_words
from .insisting import write_down as _write_down

ME = secrets.token_hex(8)  # this process, among the workers
BLANK_LINES = re.compile(r"\n{3,}")  # what templates leave


def send_letters() -> bool:
    """Sends letters that are due, a few of them; whether there were any."""
    config = current_app.config
    if post_office.lacks(config) or not outbox.has_due(database.session(), now()):
        return False
    with database.writing() as session:
        ids = outbox.claim(session, ME, now())
    post = the_post()
    with Line(Server.of(config["MAIL_URL"]), post.envelope_sender) as line:
        try:
            for letter_id in ids:
                _send(line, post, letter_id)
        except smtp.Unusable as error:
            said = str(error)
            _write_down(lambda session: outbox.server_away(session, ME, said, now()))
            current_app.logger.warning("No mail leaves. %s", said)
            return False
    return bool(ids)


def the_post() -> Post:
    extensions = current_app.extensions
    return Post.of(current_app.config, extensions["vault"], extensions["signer"])


def _send(line: Line, post: Post, letter_id: int) -> None:
    """One letter: in hand, put into words, handed over, written down. Raises smtp.Unusable."""
    caps = outbox.Caps(current_app.config["MAIL_PER_ADDRESS"], current_app.config["MAIL_PER_SITE"])
    line.open()  # before it counts as an attempt
    with database.writing() as session:
        if not outbox.begin(session, letter_id, ME, now(), caps):
            return
    try:
        failures = (message.Unsendable,)
        made = put_into_words(
            letter_id, ME, lambda: _made(database.session(), post, letter_id), failures
        )
    except message.Unsendable:
        said = "No mail can bear this address."
        _write_down(lambda session: outbox.fail(session, letter_id, ME, Why.REFUSED, said))
        return
    if made is None:
        return
    mail, address, contents = made
    if not _is_wanted(letter_id):
        return
    answer = line.send(mail, address)
    _write_down(_outcome(letter_id, answer, contents))


def _is_wanted(letter_id: int) -> bool:
    """Whether nothing was undone or ended while a letter was put into words."""
    letter = database.session().get(Letter, letter_id)
    is_wanted = letter is not None and letter.state == LetterState.QUEUED
    database.forget()
    return is_wanted


def _made(session: Session, post: Post, letter_id: int) -> tuple[Any, str, Contents] | Why | None:
    """The mail, its address and what it says; why nobody is to get it; or None if it is gone
    altogether."""
    letter = session.get(Letter, letter_id)
    if letter is None or letter.state != LetterState.QUEUED:
        return None
    recipient = post_office.recipient_of(session, post, letter)
    if isinstance(recipient, Why):
        return recipient
    site = session.get(Site, letter.site_id) if letter.site_id else None
    language = _language(letter, site)
    with force_locale(language.replace("-", "_")):
        contents = post_office.compose(session, post, letter)
        if isinstance(contents, Why):
            return contents
        values = {**contents.values, "subject": contents.subject, "language": language}
        plain = BLANK_LINES.sub("\n\n", render_template(f"mail/{contents.template}.txt", **values))
        html = render_template(f"mail/{contents.template}.html", **values)
    name = site.name if site else "Rejoinder"
    mail = message.build(post, name, letter, recipient, contents, plain, html, now(), language)
    return mail, recipient.address, contents


def _language(letter: Letter, site: Site | None) -> str:
    """Which language a letter speaks: a reader's as it was sent along with a form, if there is such
    a one here, else the site's."""
    of_site = SiteSettings.read(site.settings).language if site else ""
    return spoken.best([letter.language, of_site])


def _outcome(letter_id: int, answer: smtp.Answer, contents: Contents) -> Callable[[Session], None]:
    """What is written down of a mail that was handed over."""

    def write(session: Session) -> None:
        if answer.said == Said.TAKEN:
            told = (contents.told, contents.told_too)
            outbox.sent(session, letter_id, ME, answer.words, now(), *told)
        elif answer.said == Said.NEVER:
            outbox.fail(session, letter_id, ME, Why.REFUSED, answer.words)
            letter = session.get(Letter, letter_id)
            if answer.is_of_address and letter is not None:
                undeliverable.mark(session, letter, now())
        else:
            outbox.try_later(session, letter_id, ME, Why.LATER, answer.words, now())

    return write


@click.group("mail")
def mail_() -> None:
    """Letters, and the mail server that they leave by."""


@mail_.command("test")
@click.argument("address")
@click.option("--selector", default="", help="DKIM's selector, to look for its key.")
@with_appcontext
def test(address: str, selector: str) -> None:
    """Send a letter to ADDRESS at once, and say step by step what happens."""
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise click.UsageError(f"ADDRESS is no e-mail address: {error}") from None
    config = current_app.config
    missing = next((name for name in ("MAIL_URL", "MAIL_FROM") if not config[name]), "")
    if missing:
        raise click.ClickException(f"{missing} is not set, so no mail leaves; see README.")
    post = the_post()
    click.echo(f"From {post.sender}, by {Server.of(config['MAIL_URL']).host}:")
    answer = _sent_test(post, address)
    for finding in domain.look(post.sender.rpartition("@")[2], selector):
        click.echo(("  " if finding.is_good else "! ") + finding.says)
    if not config["BASE_URL"]:
        click.echo("! BASE_URL is not set: letters wait until it is, for their links need it.")
    if answer.said != Said.TAKEN:
        when = "for good" if answer.said == Said.NEVER else "for now"
        raise click.ClickException(f"The server refused the letter {when}: {answer.words}")


def _sent_test(post: Post, address: str) -> smtp.Answer:
    server = Server.of(current_app.config["MAIL_URL"])
    recipient = Recipient("", address)
    host = post.sender.rpartition("@")[2].encode("idna").decode()
    message_id = f"<{secrets.token_hex(12)}@{host}>"
    try:
        mail = message.empty(post, "Rejoinder", recipient, "A test of mail", message_id, now())
    except message.Unsendable:
        raise click.ClickException("No mail can bear this address.") from None
    mail.set_content("This is the letter that `flask mail test` sends. It arrived.\n")
    try:
        with Line(server, post.envelope_sender, lambda said: click.echo(f"  {said}")) as line:
            answer = line.send(mail, address)
    except smtp.Unusable as error:
        click.echo(f"! {error}")
        print("The mail server cannot be used.", file=sys.stderr)
        sys.exit(1)
    if answer.said == Said.TAKEN:
        click.echo(f"  The letter is accepted: {answer.words}")
    return answer


@mail_.command("returned")
@click.argument("file", type=click.File("rb"), default="-")
@with_appcontext
def take_back(file: BinaryIO) -> None:
    """Take in one mail that came back, or a complaint: FILE, or standard input.

    Its letter is known by the Message-ID in the headers that come back with it, and by nothing else.
    """
    raw = file.read(returned.MOST_BYTES)
    while file.read(returned.MOST_BYTES):
        pass  # or whoever writes into this pipe would find it broken
    found = returned.read(raw)
    if found is None:
        raise click.ClickException("This mail is not understood as one that came back.")
    said: list[str] = []
    _write_down(lambda session: said.append(_taken_back(session, found)))
    if not said[-1]:
        raise click.ClickException("No letter of this service comes back with this mail.")
    click.echo(said[-1])


def _taken_back(session: Session, found: Returned) -> str:
    """Does what a returned mail asks for; says so in a line without any address, "" if it is not
    about a letter of ours."""
    ours = select(Letter).where(Letter.message_id.in_(found.message_ids), Letter.hook_id.is_(None))
    letter = session.scalars(ours.order_by(Letter.id).limit(1)).first()
    if letter is None:
        return ""
    site = session.get(Site, letter.site_id) if letter.site_id else None
    where = f" ({site.name})" if site else ""
    if found.says == Says.COMPLAINT:
        undeliverable.never_again(session, current_app.extensions["vault"], letter, now())
        return f"Letter {letter.id}{where}: a complaint. Nothing more is sent to its address."
    if found.says == Says.NOTHING:
        return f"Letter {letter.id}{where}: nothing is done. Its address is not said to be gone."
    if undeliverable.mark(session, letter, now()):
        return f"Letter {letter.id}{where}: its address takes no mail. Nothing more is sent there."
    return f"Letter {letter.id}{where}: the invitation did not arrive."
