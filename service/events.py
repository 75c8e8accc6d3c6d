"""What is on record beside the decisions on comments: sign-ins, roles, bans, closed articles.

Rows are only ever added; the database refuses anything else. None holds an author's address.
"""

from enum import StrEnum

from sqlalchemy.orm import Session

from .accounts import Moderator
from .models import Event

ABOUT_LENGTH = 300  # characters


class What(StrEnum):
    """The words of `events.what`: something that a person did."""

    CLOSED = "closed"  # an article takes no new comments
    OPENED = "opened"
    HELD = "held"  # every new comment of an article or a site waits
    RELEASED = "released"
    RENAMED = "renamed"  # an article: its title
    MOVED = "moved"  # an article to another address; the old one leads to it
    MERGED = "merged"  # an article became part of another one
    MOVE_BEGAN = "move_began"  # of all articles of a pattern
    MOVE_ENDED = "move_ended"
    BANNED = "banned"
    LIFTED = "lifted"  # a ban was taken back
    PREVIEWED = "previewed"  # somebody looked at what a ban would have caught
    SEARCHED = "searched"  # for the comments of an exact address
    EXPORTED = "exported"  # the record was taken along as a file
    RULE_CHANGED = "rule_changed"  # what a site chose for a rule, or what it holds before any
    REASONED = "reasoned"  # a site's list of public reasons was written anew
    ASKED_OUTSIDE = "asked_outside"  # whether services outside are asked about comments
    HOOK_CHANGED = "hook_changed"  # a webhook of the site, or what it is called for
    HOOK_REPLAYED = "hook_replayed"  # a webhook is called once more for what was
    WAVE_BEGAN = "wave_began"  # far more comments than usual come in: each of them waits
    WAVE_ENDED = "wave_ended"  # by itself
    WAVE_DENIED = "wave_denied"  # a moderator said that it was none
    PHRASES_CHANGED = "phrases_changed"  # a site's words and phrases to look for
    SITE_ADDED = "site_added"
    IMPORT_BROUGHT = "import_brought"  # a file with comments was uploaded
    IMPORT_BEGAN = "import_began"  # its comments are to be brought in
    IMPORT_STOPPED = "import_stopped"
    IMPORT_UNDONE = "import_undone"  # what it brought is to be taken back
    IMPORT_DISCARDED = "import_discarded"  # its file was thrown away
    COMMENTS_EXPORTED = "comments_exported"  # a site's comments were taken along as a file
    ADDRESSES_EXPORTED = "addresses_exported"  # the same with their authors' addresses
    SITE_RENAMED = "site_renamed"
    ORIGINS_CHANGED = "origins_changed"  # which websites may show a site's threads
    SETTING_CHANGED = "setting_changed"  # one of a site's, with its old and its new value
    SITE_CLOSED = "site_closed"  # no article of it takes new comments
    SITE_OPENED = "site_opened"
    SITE_DELETED = "site_deleted"
    SITE_RESTORED = "site_restored"
    SITE_ERASED = "site_erased"  # what a deleted site held, for good
    # People
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"  # of one account, from one place, for a while
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"  # from another browser
    VERIFIED = "verified"  # said once more who they are
    INVITED = "invited"
    INVITATION_ENDED = "invitation_ended"
    JOINED = "joined"
    ROLE_CHANGED = "role_changed"
    REMOVED = "removed"
    RESTORED = "restored"
    LINK_MADE = "link_made"  # to sign in, or for a new password
    RESET_ASKED = "reset_asked"  # a letter with a link for a new password, at the desk's door
    ADDRESS_SHOWN = "address_shown"  # a colleague's
    NAME_CHANGED = "name_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a password
    SECOND_STEP_ADDED = "second_step_added"
    SECOND_STEP_REMOVED = "second_step_removed"
    CODES_MADE = "codes_made"
    CODE_USED = "code_used"
    MAIL_LINKS = "mail_links"  # whether letters to them hold links that decide
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    MAIL_ALLOWED = "mail_allowed"  # an address that mail came back from is written to again
    ERASED = "erased"  # what was stored under an address, by the operator
    BULK = "bulk"  # one decision on many comments, or its undoing, began
    BULK_ENDED = "bulk_ended"  # with how many were decided, and how many were skipped


def record(
    session: Session,
    what: What,
    by: Moderator | str,
    about: str = "",
    site_id: int | None = None,
    network: str = "",
) -> None:
    """Puts something on record. Takes who did it (a moderator, or a part of the machine by name),
    what it was about in words without any author's address, the site it belongs to, and the network
    where only that is known of somebody."""
    session.add(
        Event(
            what=what,
            moderator_id=None if isinstance(by, str) else by.id,
            by=by if isinstance(by, str) else by.name,
            about=about[:ABOUT_LENGTH],
            site_id=site_id,
            network=network or ("" if isinstance(by, str) else by.came_from),
        )
    )
