"""What is said of jobs over many comments, and of comments that are alike."""

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from .. import database, folds, letters
from ..models import Bulk
from ..status import Status
from .desk import ACTIONS, LARGEST_ID


def heading(action: str, number: int, most: int = LARGEST_ID) -> str:
    """What a button does with so many comments; "100,000+" where they were not counted further."""
    count = numeral(number) if number <= most else f"{numeral(most)}+"
    said = {
        "approve": ngettext(
            "Approve %(count)s comment", "Approve %(count)s comments", number, count=count
        ),
        "reject": ngettext(
            "Reject %(count)s comment", "Reject %(count)s comments", number, count=count
        ),
        "spam": ngettext(
            "Mark %(count)s comment as spam", "Mark %(count)s comments as spam", number, count=count
        ),
        "delete": ngettext(
            "Delete %(count)s comment", "Delete %(count)s comments", number, count=count
        ),
        "pending": ngettext(
            "Put %(count)s comment back to pending",
            "Put %(count)s comments back to pending",
            number,
            count=count,
        ),
    }
    return str(said[action])


def said(found: Bulk) -> str:
    """What a job has done, in a sentence or two."""
    done = {
        Status.APPROVED: ngettext(
            "%(count)s comment approved.",
            "%(count)s comments approved.",
            found.done,
            count=numeral(found.done),
        ),
        Status.REJECTED: ngettext(
            "%(count)s comment rejected.",
            "%(count)s comments rejected.",
            found.done,
            count=numeral(found.done),
        ),
        Status.SPAM: ngettext(
            "%(count)s comment marked as spam.",
            "%(count)s comments marked as spam.",
            found.done,
            count=numeral(found.done),
        ),
        Status.DELETED: ngettext(
            "%(count)s comment deleted.",
            "%(count)s comments deleted.",
            found.done,
            count=numeral(found.done),
        ),
        Status.PENDING: ngettext(
            "%(count)s comment put back to pending.",
            "%(count)s comments put back to pending.",
            found.done,
            count=numeral(found.done),
        ),
        None: ngettext(
            "%(count)s comment is as it was before.",
            "%(count)s comments are as they were before.",
            found.done,
            count=numeral(found.done),
        ),
    }[found.to_status]
    if gone := letters.gone_of_job(database.session(), found.id) if found.undoes_id else 0:
        done += " " + ngettext(
            "The letter about %(count)s of them has gone to its author.",
            "The letters about %(count)s of them have gone to their authors.",
            gone,
            count=numeral(gone),
        )
    if found.undoes_id and letters.have_told_of_job(database.session(), found.id):
        done += " " + _("Letters about some of them have gone to those who follow.")
    if not found.skipped:
        return str(done)
    skipped = ngettext(
        "%(count)s was skipped: somebody else was faster, or there was nothing to decide.",
        "%(count)s were skipped: somebody else was faster, or there was nothing to decide.",
        found.skipped,
        count=numeral(found.skipped),
    )
    return f"{done} {skipped}"


def title(found: Bulk) -> str:
    """What a job is about, in a few words."""
    if found.to_status is None:
        return str(_("Undo job %(number)s", number=found.undoes_id))
    action = next(action for action, status in ACTIONS.items() if status == found.to_status)
    return heading(action, found.total)


def why(fold: folds.Fold) -> str:
    """Why comments stand in one card."""
    if fold.why == folds.DOMAIN:
        return str(_("they link to the same site, %(domain)s", domain=fold.domain))
    said = {
        folds.TEXT: _l("they say the same"),
        folds.ALMOST: _l("they say almost the same"),
        folds.NETWORK: _l("they came from one network within an hour"),
    }
    return str(said[fold.why])


def numeral(number: int) -> str:
    return str(format_decimal(number))
