"""The door that letters to readers lead to: to confirm an address, to see what it follows, to end it.

Each of its addresses is a key (hard rule 2): kept by no cache, told to nobody. Opening one only
shows; a button acts. No cookie is set, and no address is shown but masked.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter import RateLimitExceeded
from sqlalchemy.orm import Session

from .. import aliases, database, follows, text
from ..mail.confirm import Confirming
from ..mail.leaving import Leaving, Refusing
from ..models import Author, Site
from ..site_settings import SiteSettings
from ..status import FollowPace
from ..tokens import AuthorTokens, Signer
from ..vault import Hidden, Vault, WrongKey, mask
from . import errors, headers, languages
from .desk import LARGEST_ID
from .limits import CHOOSING, ONE_CLICKS, limiter, wait

bp = Blueprint("follow", __name__, url_prefix="/letters")
bp.after_request(headers.keep_private)  # refusals too: the address is the key
bp.before_request(languages.choose)  # for what is refused before its site is known

EXCERPT = 600  # characters of the comment that is confirmed
PACES = {
    FollowPace.AT_ONCE: _l("at once"),
    FollowPace.DAILY: _l("once a day"),
    FollowPace.WEEKLY: _l("once a week"),
}
DONE = {
    "ended": _l("Done. There are no more letters about this."),
    "all": _l("Done. There are no more letters of this site."),
    "pace": _l("Done. You hear of it as often as you chose."),
    "start": _l("Done. You will hear of it."),
    "never": _l("Done. No site here writes to this address any more."),
    "again": _l("Done. Sites here may write to this address again, about what it follows."),
}
Key = TypeVar("Key")
# RFC 8058, 3.1: what a mail program posts when somebody presses its own button.
ONE_CLICK = ("List-Unsubscribe", "One-Click")


# Confirming


@bp.get("/confirm/<confirm_token>")
def confirmation(confirm_token: str) -> ResponseReturnValue:
    """Shows the comment that an address was given with; a button confirms."""
    key = _read_or_404(Confirming.read(_signer(), confirm_token))
    found = follows.find(database.session(), *_named(key))
    if found is None or key.is_over:
        return _over(found)
    _speak(found.comment.article.site, found.comment.language)
    return _confirm_page(found, "asks" if found.is_usable else "used")


@bp.post("/confirm/<confirm_token>")
@limiter.limit(CHOOSING)
def confirm(confirm_token: str) -> ResponseReturnValue:
    """Confirms the address, the wish and that one comment, and gives this browser its proof."""
    key = _read_or_404(Confirming.read(_signer(), confirm_token))
    if key.is_over:
        return _over(follows.find(database.session(), *_named(key)))
    found = follows.find(database.session(), *_named(key))
    mailbox = _mailbox(found.author) if found else None
    with database.writing() as session:
        follows.confirm(session, *_named(key), mailbox)
    found = follows.find(database.session(), *_named(key))
    if found is None:
        return _over(None)
    site = found.comment.article.site
    _speak(site, found.comment.language)
    if not found.is_usable:
        return _confirm_page(found, "used")
    proof = AuthorTokens(_signer(), site.key).make(key.email_index)
    return _confirm_page(found, "done", proof)


def _named(key: Confirming) -> tuple[int, bytes, str, datetime]:
    return key.follow_id, key.email_index, key.public_id, key.signed_at


def _confirm_page(found: follows.Confirmed, state: str, proof: str = "") -> ResponseReturnValue:
    comment, article = found.comment, found.comment.article
    index, site = found.author.email_index, article.site
    spoken = comment.language or None  # as it was when they wrote there
    thread = url_for("reader.thread", key=site.key, url=article.url, lang=spoken)
    return _private(
        "reader/confirm.html",
        state=state,
        site=site,
        masked=_masked(found.author),
        title=article.title if article.is_title_proved else "",
        url=article.url,
        name=text.mask_addresses(comment.name),
        sent_at=comment.created_at,
        said=text.excerpt(text.mask_addresses(text.plain(comment.html)), EXCERPT),
        pace=PACES[found.follow.pace] if found.follow.article_id else "",
        proof=proof,
        thread=thread,
        never=url_for(
            ".refusal",
            never_token=Refusing(
                index, site.id, comment.language, _mailbox(found.author) or b""
            ).sign(_signer()),
        ),
        all=url_for(
            ".leaving",
            leave_token=Leaving(index, site.id, language=comment.language).sign(_signer()),
        ),
    )


def _over(found: follows.Confirmed | None) -> ResponseReturnValue:
    """The link was good for some days, or what it was about ended."""
    if found is not None:
        _speak(found.comment.article.site, found.comment.language)
    return _private("reader/confirm.html", 410, state="over", site=None)


# Never


@bp.get("/never/<never_token>")
def refusal(never_token: str) -> ResponseReturnValue:
    """Asks once more; a button does it."""
    key = _read_or_404(Refusing.read(_signer(), never_token))
    return _never_page(key)


@bp.post("/never/<never_token>")
@limiter.limit(CHOOSING)
def refuse(never_token: str) -> ResponseReturnValue:
    """No site here writes to the address any more; or they may again."""
    key = _read_or_404(Refusing.read(_signer(), never_token))
    done = "again" if request.form.get("action") == "again" else "never"
    with database.writing() as session:
        for index in filter(None, dict.fromkeys((key.email_index, key.mailbox))):
            _change_never(session, index, done)
    return redirect(url_for(".refusal", never_token=never_token, done=done), 303)


def _never_page(key: Refusing) -> ResponseReturnValue:
    session = database.session()
    site = session.get(Site, key.site_id) or abort(404)
    _speak(site, key.language)
    is_unwanted = follows.is_unwanted(session, key.email_index)
    return _private("reader/never.html", site=site, is_unwanted=is_unwanted, done=_done())


def _change_never(session: Session, email_index: bytes, done: str) -> None:
    if done == "never":
        follows.refuse(session, email_index)
    else:
        follows.allow(session, email_index)


# Leaving


@dataclass(frozen=True)
class Left:
    """An address on a site, by the key from a letter."""

    key: Leaving
    site: Site
    author: Author | None

    @property
    def followed(self) -> list[follows.Followed]:
        """All that it follows there; what the letter was sent for comes first."""
        found = follows.of_author(database.session(), self.author)
        return sorted(found, key=lambda one: not self.is_about(one))

    def is_about(self, one: follows.Followed) -> bool:
        return (one.article_id, one.comment_id) == (self.key.article_id, self.key.comment_id)


def _left_or_404(session: Session, leave_token: str) -> Left:
    key = _read_or_404(Leaving.read(_signer(), leave_token))
    site = session.get(Site, key.site_id) or abort(404)
    if key.article_id is not None:  # which may have become part of another since the letter
        key = replace(key, article_id=aliases.present(session, key.article_id))
    _speak(site, key.language)
    return Left(key, site, follows.author_of(session, site.id, key.email_index))


def _is_one_click() -> bool:
    return request.form.get(ONE_CLICK[0]) == ONE_CLICK[1]


@bp.get("/leave/<leave_token>")
def leaving(leave_token: str) -> ResponseReturnValue:
    """All that an address follows on a site, with the buttons that end it."""
    session = database.session()
    left = _left_or_404(session, leave_token)
    return _private(
        "reader/leave.html",
        site=left.site,
        masked=_masked(left.author),
        followed=left.followed,
        is_about=left.is_about,
        is_unwanted=follows.is_unwanted(session, left.key.email_index),
        paces=PACES,
        done=_done(),
    )


@bp.post("/leave/<leave_token>")
@limiter.limit(ONE_CLICKS, exempt_when=lambda: not _is_one_click())
@limiter.limit(CHOOSING, exempt_when=_is_one_click)
def leave(leave_token: str) -> ResponseReturnValue:
    """What a button of the page does; or what the letter's own way to leave ends, at once."""
    if _is_one_click():
        with database.writing() as session:
            _end_at_once(session, _left_or_404(session, leave_token))
        return _plain(_("You get no more such letters."))
    action = request.form.get("action", "")
    with database.writing() as session:
        done = _act(session, _left_or_404(session, leave_token), action)
    return redirect(url_for(".leaving", leave_token=leave_token, done=done or None), 303)


def _end_at_once(session: Session, left: Left) -> None:
    """Ends what the letter was sent for: that alone, or all of the site's letters if it was for no
    single thing."""
    if left.author is None:
        return
    thing = {"article_id": left.key.article_id, "comment_id": left.key.comment_id}
    if any(thing.values()):
        follows.end(session, left.author, **thing)
    else:
        follows.end_all(session, left.author)


def _act(session: Session, left: Left, action: str) -> str:
    """Does what a button says; gives the word for what was done, "" for nothing."""
    if action in ("never", "again"):
        _change_never(session, left.key.email_index, action)
        return action
    author, chosen = left.author, request.form.get("pace", "")
    follow_id = request.form.get("follow", type=int) or 0
    follow_id = follow_id if 0 < follow_id <= LARGEST_ID else 0  # no database counts further
    if action in ("ended", "all") and author is None:
        return action  # it ended before
    if author is None:
        return ""
    if action == "ended":
        follows.end(session, author, follow_id=follow_id)
        return action
    if action == "all":
        follows.end_all(session, author)
        return action
    if action == "start":
        return action if follows.start(session, author, follow_id) else ""
    if action == "pace" and chosen in list(FollowPace):
        return action if follows.set_pace(session, author, follow_id, FollowPace(chosen)) else ""
    return ""


# What they share


@bp.errorhandler(RateLimitExceeded)
def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    return errors.answer(429, headers={"Retry-After": str(wait(error))})


def _read_or_404(key: Key | None) -> Key:
    if key is None:
        abort(404, _("This link is not complete. Check that you copied all of it from the letter."))
    return key


def _speak(site: Site, language: str) -> None:
    languages.choose(language, SiteSettings.read(site.settings).language)


def _masked(author: Author | None) -> str:
    """The address as moderators see it; "" where there is none any more."""
    address = _address(author) if author is not None else ""
    return mask(address) if address else ""


def _mailbox(author: Author) -> bytes | None:
    address = _address(author)
    return current_app.extensions["vault"].mailbox_index(address) if address else None


def _address(author: Author) -> str:
    """ "" where the key that it lies under is missing."""
    hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
    vault: Vault = current_app.extensions["vault"]
    try:
        return vault.reveal(hidden, author.site_id)
    except WrongKey:
        return ""


def _done() -> str:
    said = DONE.get(request.args.get("done", ""))
    return str(said) if said else ""


def _private(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    return headers.keep_private(make_response(render_template(template, **values), status))


def _plain(said: str) -> ResponseReturnValue:
    return headers.keep_private(
        make_response(said, 200, {"Content-Type": "text/plain; charset=utf-8"})
    )


def _signer() -> Signer:
    signer: Signer = current_app.extensions["signer"]
    return signer
