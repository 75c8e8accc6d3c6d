"""The words that the database stores. One spelling for each, used everywhere."""

from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"  # waits for a moderator
    APPROVED = "approved"  # the only one whose text readers see
    REJECTED = "rejected"  # a person decided against it
    SPAM = "spam"  # advertising or worse; trains the filter
    DELETED = "deleted"  # text hidden; keeps its place so that replies keep theirs


class Role(StrEnum):
    MODERATOR = "moderator"  # decides on the comments of a site
    PUBLISHER = "publisher"  # also its settings, imports and exports
    ADMIN = "admin"  # everything, on all sites


class Kind(StrEnum):
    """What a comment is: WordPress stores announcements by other sites among the comments."""

    COMMENT = "comment"
    PINGBACK = "pingback"
    TRACKBACK = "trackback"


class Markup(StrEnum):
    """Which renderer of text.py a stored text is for."""

    MARKDOWN = "markdown"  # typed into our form
    HTML = "html"  # brought along by an import


class Act(StrEnum):
    """What a row of the decision log records."""

    DECIDED = "decided"
    UNDONE = "undone"  # an earlier decision was taken back
    REVEALED = "revealed"  # a moderator looked at the e-mail address
    RETRACTED = "retracted"  # the import that brought the comment was undone
    EDITED = "edited"  # the author changed the text
    DISCARDED = "discarded"  # a waiting edit was turned down; the text stays as it was
    WITHDRAWN = "withdrawn"  # the author took the comment back, and its text is gone
    MARKED = "marked"  # as the article's author, as staff, or as neither any more
    KEPT = "kept"  # reported by readers, and left as it is
    HELD = "held"  # so many readers reported it that the site wants it looked at first
    REWORDED = "reworded"  # a moderator changed the text
    PINNED = "pinned"  # put above the others under its article
    UNPINNED = "unpinned"
    NOTED = "noted"  # a moderator's words, and no decision
    HANDED = "handed"  # left to a colleague, or to whoever has a second opinion


class Mark(StrEnum):
    """Who is speaking, where a moderator vouches for it."""

    NONE = "none"
    AUTHOR = "author"  # wrote the article
    STAFF = "staff"  # speaks for the site


class ReportReason(StrEnum):
    """Why a reader thinks a comment should not stand."""

    SPAM = "spam"
    OFFENSIVE = "offensive"
    PRIVATE = "private"  # shows what is somebody's own
    OFF_TOPIC = "off_topic"
    ILLEGAL = "illegal"  # a notice in the sense of the Digital Services Act, article 16


class Outcome(StrEnum):
    """What became of a report."""

    REMOVED = "removed"
    KEPT = "kept"


class ImportState(StrEnum):
    """How far an import is."""

    UPLOADED = "uploaded"  # the file is here, and nobody has read it
    REHEARSING = "rehearsing"  # it is being read, and nothing is written
    REHEARSED = "rehearsed"  # what it would do is known
    RUNNING = "running"
    STOPPED = "stopped"  # by a person or a fault; can be run on or undone
    FAILED = "failed"  # the file cannot be imported
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportWish(StrEnum):
    """What a person wants of an import next. The worker does it."""

    REHEARSE = "rehearse"
    RUN = "run"
    STOP = "stop"
    UNDO = "undo"


class BulkState(StrEnum):
    """How far a job over many comments is."""

    RUNNING = "running"
    STOPPED = "stopped"  # by a person; what was done stays, and can be undone
    DONE = "done"


class Mode(StrEnum):
    """What a site holds for a moderator before any rule has a word."""

    HOLD_EVERY = "hold_every"  # every comment
    HOLD_NEW = "hold_new"  # of whoever is not known by a confirmed address
    HOLD_CAUGHT = "hold_caught"  # only what a rule catches


class PhraseKind(StrEnum):
    """What a phrase that is found in a comment does to it."""

    HOLD = "hold"
    SPAM = "spam"
    REFUSE = "refuse"  # asks for another wording


class Occasion(StrEnum):
    """When rules were asked about a comment."""

    POSTED = "posted"
    EDITED = "edited"
    REFUSED = "refused"  # it was not stored: another wording was asked for
    LEARNED = "learned"  # the filter was asked again, after it had learned more


class BanKind(StrEnum):
    """What a ban looks at."""

    ADDRESS = "address"
    DOMAIN = "domain"  # of the address
    NAME = "name"
    WEBSITE = "website"  # its domain, wherever it is linked to
    NETWORK = "network"


class LetterKind(StrEnum):
    """What a letter says."""

    WAITING = "waiting"  # to moderators: comments wait
    WAVE = "wave"  # to moderators: far more comments than usual come in
    CONFIRM = "confirm"  # to whoever gave an address: is it yours?
    PUBLISHED = "published"  # to a comment's author
    REFUSED = "refused"  # to a comment's author: it is not published, or no more
    ANSWERED = "answered"  # to a comment's author: somebody answered
    FOLLOWED = "followed"  # to whoever follows an article: there are new comments
    INVITATION = "invitation"  # to somebody who is to have a role
    RESET = "reset"  # to a moderator: the link for a new password
    HOOK = "hook"  # no mail: a call of a site's webhook


class LetterState(StrEnum):
    QUEUED = "queued"  # waits until it is due
    SENT = "sent"  # the mail server took it
    FAILED = "failed"  # it is not tried again unless somebody says so
    DROPPED = "dropped"  # nobody needs it any more, or nobody may get it


class Why(StrEnum):
    """Why a letter is not sent, or not sent yet."""

    UNDONE = "undone"  # what caused it was taken back
    SETTLED = "settled"  # what it was to tell of waits no more
    GONE = "gone"  # the comment was withdrawn, or the address erased
    UNWANTED = "unwanted"  # whom it is for wants none
    FORBIDDEN = "forbidden"  # whom it is for has no role there any more
    CAP = "cap"  # so many went in an hour that it waits
    SERVER = "server"  # the mail server cannot be used
    LATER = "later"  # the mail server said: not now
    REFUSED = "refused"  # the mail server said: never
    BROKEN = "broken"  # it could not be written; the worker's log says more
    TOGETHER = "together"  # another letter told of it too
    NEVER = "never"  # the address asked never to be written to, by no site here
    RETURNED = "returned"  # mail to the address came back before
    OFF = "off"  # the webhook is switched off


class Pace(StrEnum):
    """How often somebody wants letters."""

    AT_ONCE = "at_once"  # the first at once, what comes after it together
    HOURLY = "hourly"
    DAILY = "daily"
    NONE = "none"


class FollowPace(StrEnum):
    """How often a reader hears of an article that they follow."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


class HookShape(StrEnum):
    """What a webhook's body looks like."""

    STANDARD = "standard"  # Standard Webhooks: signed JSON
    SLACK = "slack"
    MATTERMOST = "mattermost"  # and Matrix, by its bridge for such hooks
    TELEGRAM = "telegram"


class HookEvent(StrEnum):
    """What a webhook may be called for."""

    RECEIVED = "received"  # a reader's comment is stored, whatever its status
    APPROVED = "approved"
    REJECTED = "rejected"
    SPAM = "spam"
    DELETED = "deleted"  # by a moderator, or withdrawn by its author
    PENDING = "pending"  # waits again
    EDITED = "edited"  # its text changed
    REPORTED = "reported"  # by a reader
