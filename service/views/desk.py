"""The desk's door, shut to everybody who is not signed in, and the words that all its rooms share.

The rooms (queue.py, cards.py and their neighbours) put their URLs on this blueprint.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from flask import Blueprint, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_decimal, format_timedelta, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from .. import accounts, compare, database, desk, facts, letters, moderation, rules, text
from ..comments import network_of
from ..models import Comment, Decision, Revision, Site, now
from ..screening import filter
from ..site_settings import SiteSettings
from ..status import Act, Mark, Markup, Role, Status
from ..vault import Vault
from .errors import wants_json
from .forms import REPORT_REASONS

bp = Blueprint("desk", __name__, url_prefix="/desk")

ACTIONS = {
    "approve": Status.APPROVED,
    "reject": Status.REJECTED,
    "spam": Status.SPAM,
    "delete": Status.DELETED,
    "pending": Status.PENDING,
}
BUTTONS = {
    "approve": _l("Approve"),
    "reject": _l("Reject"),
    "spam": _l("Spam"),
    "delete": _l("Delete"),
    "pending": _l("Back to pending"),
}
# The letter that presses a button, where a moderator has not switched them off.
KEYS = {"approve": "a", "reject": "r", "spam": "s", "delete": "d"}
# A published comment whose author changed it: the first two are about the change alone.
EDIT_BUTTONS = {
    "approve": _l("Approve the change"),
    "reject": _l("Keep the old text"),
    "spam": _l("Spam"),
    "delete": _l("Delete"),
}
EDIT_RESULTS = {"approve": _l("change approved"), "reject": _l("old text kept")}
MAIN = ("approve", "reject")  # what a thumb reaches; the rest stands behind "More" on a phone
MARKS = {
    Mark.NONE: _l("a reader"),
    Mark.AUTHOR: _l("the article’s author"),
    Mark.STAFF: _l("staff of the site"),
}
STATUSES = {
    Status.PENDING: _l("pending"),
    Status.APPROVED: _l("approved"),
    Status.REJECTED: _l("rejected"),
    Status.SPAM: _l("spam"),
    Status.DELETED: _l("deleted"),
}

# The lists of the desk: one for each status, and what readers reported.
REPORTED = "reported"
TABS: dict[str, Any] = {str(word): said for word, said in STATUSES.items()}
TABS[REPORTED] = _l("reported")

LARGEST_ID = 2**63 - 1  # what the databases can hold
EXCERPT = 280  # characters of the comment that another answers


@bp.before_app_request
def require_moderator() -> ResponseReturnValue | None:
    """Nobody comes in unknown: the whole door is shut by default. Asked before the forms' own check,
    which would tell somebody whose session has ended that their page is too old."""
    if request.blueprint != bp.name:
        return None
    if current_user.is_authenticated:
        current_user.came_from = network_of(request.remote_addr or "")  # for the record
        _refuse_a_colleague_s()
        return None
    if request.method != "GET" or wants_json():
        abort(401, _("You are signed out. Sign in and decide once more; nothing was changed."))
    return redirect(url_for("security.login", next=request.full_path.rstrip("?")))


def _refuse_a_colleague_s() -> None:
    """A page that stayed open while somebody else signed in on its browser decides nothing in
    their name. Script says whose page it is."""
    if request.headers.get("X-Moderator", accounts.who(current_user)) != accounts.who(current_user):
        abort(403, _("Somebody else is signed in on this browser now. Nothing was changed."))


def comment_or_404(session: Session, public_id: str) -> Comment:
    """A comment that this moderator may decide on, or the end of this request."""
    return desk.find(session, current_user, public_id) or abort(404)


def vault() -> Vault:
    return cast(Vault, current_app.extensions["vault"])


DECIDED = {
    Status.PENDING: _l("%(who)s put this back to pending %(when)s."),
    Status.APPROVED: _l("%(who)s approved this %(when)s."),
    Status.REJECTED: _l("%(who)s rejected this %(when)s."),
    Status.SPAM: _l("%(who)s marked this as spam %(when)s."),
    Status.DELETED: _l("%(who)s deleted this %(when)s."),
}
DONE = {
    Act.UNDONE: _l("%(who)s took a decision back %(when)s: %(status)s again."),
    Act.REVEALED: _l("%(who)s looked at the email address %(when)s."),
    Act.RETRACTED: _l("%(who)s undid the import that brought this %(when)s."),
    Act.EDITED: _l("The author changed the text %(when)s."),
    Act.DISCARDED: _l("%(who)s kept the old text %(when)s."),
    Act.WITHDRAWN: _l("The author took this comment back %(when)s, and nothing of it is kept."),
    Act.MARKED: _l("%(who)s said %(when)s who is speaking: %(mark)s."),
    Act.KEPT: _l("%(who)s looked at readers’ reports %(when)s and kept this."),
    Act.NOTED: _l("%(who)s noted %(when)s:"),
    Act.HELD: _l("So many readers reported this that it was held for a moderator %(when)s."),
    Act.REWORDED: _l("%(who)s changed the wording %(when)s."),
    Act.PINNED: _l("%(who)s pinned this above the others %(when)s."),
    Act.UNPINNED: _l("%(who)s put this back among the others %(when)s."),
}
OF_REPLIES = {
    Act.MARKED: _l("%(who)s replied %(when)s."),
    Act.UNDONE: _l("%(who)s took the reply back %(when)s."),
}
UNDONE = {
    Act.MARKED: _l("%(who)s took the mark back %(when)s: %(mark)s again."),
    Act.KEPT: _l("%(who)s took the answer to readers’ reports back %(when)s."),
    Act.REWORDED: _l("%(who)s took the change of the wording back %(when)s."),
    Act.PINNED: _l("%(who)s took the pinning back %(when)s."),
    Act.UNPINNED: _l("%(who)s pinned this again %(when)s."),
}
OF_EDITS = {
    Act.DECIDED: _l("%(who)s approved the author’s change %(when)s."),
    Act.UNDONE: _l("%(who)s took the decision on the author’s change back %(when)s."),
}


def told(decision: Decision, has_when: bool = True) -> str:
    """A decision in a sentence: who, what, and when, unless the time stands beside it."""
    if decision.act == Act.HANDED:
        return _filled(_handed(decision), decision, has_when)
    is_of_edit = decision.from_status == decision.to_status and decision.act in OF_EDITS
    sentence = (OF_EDITS if is_of_edit else DONE).get(decision.act, DECIDED[decision.to_status])
    if decision.act == Act.WITHDRAWN and decision.by != moderation.AUTHOR:
        sentence = _l("Erased from the %(who)s %(when)s; nothing of it is kept.")
    if kept := kept_for(decision):
        return f"{kept} {_('Nothing of it is kept.')}"
    if decision.act == Act.UNDONE:
        undone = moderation.origin(decision)
        sentence = UNDONE.get(undone.act, sentence)
        if undone.act == Act.KEPT and moderation.is_standing(decision):
            sentence = DONE[Act.KEPT]
    if moderation.is_reply(decision):
        is_back = decision.act == Act.UNDONE and decision.to_status == Status.APPROVED
        sentence = DONE[Act.UNDONE] if is_back else OF_REPLIES[decision.act]
    return _filled(sentence, decision, has_when)


def kept_for(decision: Decision | None) -> str:
    """Says of the decision that emptied a text after its time that it did; "" of any other."""
    days = moderation.days_kept(decision)
    if days is None:
        return ""
    return str(ngettext("Blanked after %(num)d day.", "Blanked after %(num)d days.", days))


def gone_why(comment: Comment) -> str:
    """What is said where a comment's text would stand."""
    last = moderation.latest(database.session(), comment.id)
    return kept_for(last) or str(_("The text is gone."))


def _filled(sentence: Any, decision: Decision, has_when: bool) -> str:
    who = _("%(who)s (by mail)", who=decision.by) if decision.by_mail else decision.by
    facts = {"who": who, "to": decision.handed_to}
    facts |= {"status": STATUSES[decision.to_status], "when": ago(decision.at)}
    if _is_of_mark(decision):
        facts["mark"] = MARKS[_mark(decision)]
    return (str(sentence) if has_when else str(sentence).replace(" %(when)s", "")) % facts


def _handed(decision: Decision) -> Any:
    """To whom somebody left a comment, or that they took it back."""
    if decision.undoes_id is not None:
        return _l("%(who)s said %(when)s that they decide this after all.")
    if decision.handed_to:
        return _l("%(who)s left this to %(to)s %(when)s.")
    return _l("%(who)s asked for a second opinion %(when)s.")


MARKED_AS = {
    Mark.NONE: _l("no longer marked"),
    Mark.AUTHOR: _l("marked as the article’s author"),
    Mark.STAFF: _l("marked as staff"),
}
RESULTS = {
    Act.DISCARDED: EDIT_RESULTS["reject"],
    Act.KEPT: _l("kept"),
    Act.REWORDED: _l("wording changed"),
    Act.PINNED: _l("pinned"),
    Act.UNPINNED: _l("no longer pinned"),
}


def result(decision: Decision) -> str:
    """What a decision left a comment as, in a word or three."""
    if moderation.is_reply(decision):
        is_public = decision.to_status == Status.APPROVED
        return str(_("reply published") if is_public else _("reply hidden"))
    if _is_of_mark(decision):
        return str(MARKED_AS[_mark(decision)])
    if decision.act in RESULTS:
        return str(RESULTS[decision.act])
    if decision.act == Act.UNDONE and moderation.origin(decision).act == Act.KEPT:
        is_kept = moderation.is_standing(decision)
        return str(RESULTS[Act.KEPT] if is_kept else _("reports open again"))
    if decision.act == Act.DECIDED and decision.from_status == decision.to_status:
        return str(EDIT_RESULTS["approve"])
    if moderation.has_waiting_edit(decision.comment):
        return str(_("change waiting"))
    return str(STATUSES[decision.to_status])


def letters_gone(decision: Decision) -> str:
    """Of an undo: whom letters told already of what it takes back; "" if nobody."""
    if decision.act != Act.UNDONE or decision.undoes is None:
        return ""
    kinds = letters.gone(database.session(), decision.undoes)
    to_author = kinds.intersection(letters.OUTCOMES)
    said = [_("The letter about it has gone to its author.")] if to_author else []
    if kinds - to_author:
        said.append(_("Letters about it have gone to those who follow."))
    return " ".join(map(str, said))


def told_with_note(decision: Decision) -> str:
    """The same sentence with the words that somebody added, for moderators and for the author."""
    note, public = quoted(decision), decision.note.public_text if decision.note else ""
    quotes = [_("“%(note)s”", note=note)] if note else []
    if public:
        quotes.append(_("told the author: “%(note)s”", note=public))
    if not quotes:
        return told(decision)
    # The full stop of the sentence comes after what is in brackets.
    said = told(decision).removesuffix(".")
    return str(_("%(said)s (%(quotes)s).", said=said, quotes="; ".join(quotes)))


def quoted(decision: Decision) -> str:
    """A moderator's words on a decision; the note of a mark is the mark."""
    return decision.note.text if decision.note and not _is_of_mark(decision) else ""


def _is_of_mark(decision: Decision) -> bool:
    return moderation.origin(decision).act == Act.MARKED


def _mark(decision: Decision) -> Mark:
    """What a comment was marked as; none is told if the note has been erased."""
    said = decision.note.text if decision.note else ""
    return Mark(said) if said in list(Mark) else Mark.NONE


def ago(at: datetime) -> str:
    """How long ago a moment was, in words."""
    since = min(at - now(), timedelta())
    return str(format_timedelta(since, granularity="second", add_direction=True))


def shown_name(comment: Comment) -> str:
    """The name as typed; one that holds an address (imports bring such) is shown masked here too."""
    return text.mask_addresses(comment.name) or _("Nameless")


def highlighted(comment: Comment, html: str) -> Any:
    """A text of the comment's with what the rules matched in it marked."""
    matched = [
        words
        for reason in comment.reasons
        for words in rules.quotations(reason.rule, reason.matched)
    ]
    if any(reason.rule == "address_in_text" for reason in comment.reasons):
        matched += text.addresses(text.plain(html))  # no reason holds one (hard rule 4)
    return text.highlight(html, matched)


def since_then(comment: Comment, before: Revision) -> list[compare.Piece]:
    """What changed between an earlier text of a comment and its present one."""
    is_html = before.is_html or comment.markup == Markup.HTML
    return _compared((before.text, before.html), (comment.text, comment.html), is_html)


def by_the_change(comment: Comment) -> list[compare.Piece]:
    """What the author's change that waits would change."""
    after = (comment.edit_text or "", comment.edit_html or "")
    return _compared((comment.text, comment.html), after, comment.markup == Markup.HTML)


def _compared(
    before: tuple[str, str], after: tuple[str, str], is_html: bool
) -> list[compare.Piece]:
    """Of texts as typed and as rendered: as typed, for that shows where links lead; what an import
    brought is HTML, and is read as it looks."""
    told = [text.plain(text.unlink(html)) if is_html else typed for typed, html in (before, after)]
    return compare.compared(*told)


def counted(record: facts.Record) -> str:
    """What became of somebody's comments, in words: "3 approved, 1 spam, since 2 Mar 2026"."""
    parts = [
        f"{_least(number, facts.COUNTED)} {STATUSES[status]}"
        for status, number in record.counts.items()
    ]
    if record.since:
        parts.append(_("since %(day)s", day=format_date(record.since, "d MMM y")))
    return ", ".join(parts)


def public_reasons(site: Site) -> list[str]:
    """What moderators of a site choose from where an author is told why."""
    return SiteSettings.read(site.settings).reasons


def may_publish() -> bool:
    """Whether the one who is signed in keeps any site's settings."""
    return any(m.role != Role.MODERATOR for m in current_user.memberships)


def _excerpt(comment: Comment) -> str:
    return text.excerpt(text.plain(comment.html), EXCERPT)


def local(path: str) -> str:
    """A page of the desk to return to; anything else is the queue."""
    is_ours = path.startswith("/desk/") and "\\" not in path and path.isprintable()
    return path if is_ours else url_for("desk.queue")


def _count(number: int) -> str:
    """1,000+ where counting further would slow the queue."""
    return _least(number, desk.COUNTED)


def _least(number: int, most: int) -> str:
    """A number as it is written; with a plus where nobody counted on."""
    written = format_decimal(min(number, most))
    return f"{written}+" if number > most else written


@bp.context_processor
def words() -> dict[str, Any]:
    return {
        "told": told,
        "who": accounts.who,
        "quoted": quoted,
        "result": result,
        "letters_gone": letters_gone,
        "is_undo": lambda decision: not moderation.is_standing(decision),
        "has_waiting_edit": moderation.has_waiting_edit,
        "ago": ago,
        "shown_name": shown_name,
        "excerpt": _excerpt,
        "explain": lambda reason: _(rules.explain(reason.rule)) % {"matched": reason.matched},
        "telling": lambda judgement: filter.told(judgement.telling),
        "percent": filter.percent,
        "trusted": text.trusted,
        "unlinked": text.unlink,
        "highlighted": highlighted,
        "since_then": since_then,
        "gone_why": gone_why,
        "by_the_change": by_the_change,
        "counted": counted,
        "public_reasons": public_reasons,
        "may_publish": may_publish,
        "format_count": _count,
        "format_number": format_decimal,
        "actions": ACTIONS,
        "buttons": BUTTONS,
        "action_keys": KEYS,
        "main_actions": MAIN,
        "edit_results": EDIT_RESULTS,
        "report_reasons": REPORT_REASONS,
        "edit_buttons": EDIT_BUTTONS,
        "marks": MARKS,
        "statuses": STATUSES,
    }
