"""The door of receipts: what became of one's own comment; to change it, to take it back.

A receipt's address is a key (hard rule 2): kept by no cache, told to nobody. No cookie is set.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_limiter import RateLimitExceeded

from .. import comments, database, moderation, text
from ..models import Comment, Site
from ..rules import Draft
from ..site_settings import SiteSettings
from ..status import Act, Status
from ..tokens import ReceiptTokens
from . import headers, languages, opinions
from .forms import ChangeForm, WithdrawForm
from .judging import ask_for_another, policy_here, score_here
from .limits import POSTING, limiter, or_plainly, wait
from .reader import follow_said, way_back

bp = Blueprint("receipts", __name__, url_prefix="/receipts")
bp.before_request(languages.choose)  # for what is refused before its site is known

SHOWN_AS = {
    Status.PENDING: "waiting",
    Status.SPAM: "waiting",  # a receipt never says spam (hard rule 2)
    Status.APPROVED: "published",
    Status.REJECTED: "not published",
    Status.DELETED: "not published",
}
MINUTES_TO = 90  # minutes that are told as such, then hours
HOURS_TO = 48  # hours that are told as such, then days


@dataclass(frozen=True)
class Receipt:
    """One's own comment as it stands now, and its site."""

    token: str
    comment: Comment
    settings: SiteSettings

    @property
    def site(self) -> Site:
        return self.comment.article.site

    @property
    def state(self) -> str:
        """Where it stands in one word, which says neither why nor who decided."""
        if moderation.is_withdrawn(database.session(), self.comment):
            return "withdrawn"
        return SHOWN_AS[self.comment.status]

    @property
    def is_erased(self) -> bool:
        """Whether the operator took it away for good, and not its author."""
        last = moderation.latest(database.session(), self.comment.id)
        return last is not None and last.act == Act.WITHDRAWN and last.by != moderation.AUTHOR

    @property
    def html(self) -> Any:
        """The text; its links are no links before it is approved."""
        is_public = self.comment.status == Status.APPROVED
        return text.trusted(self.comment.html) if is_public else text.unlink(self.comment.html)

    def tokens(self, purpose: str) -> ReceiptTokens:
        return ReceiptTokens(current_app.extensions["signer"], purpose, self.comment.public_id)

    def url(self, endpoint: str = "receipts.receipt") -> str:
        """A page of this receipt that leads back where this one does."""
        back = way_back(self.site, request.args.get("return_to", ""))
        follow = "1" if has_wished() else None
        return url_for(endpoint, token=self.token, return_to=back or None, follow=follow)


def has_wished() -> bool:
    """Whether this receipt is of a comment that was sent with a wish for letters. Its address says
    so, and nothing stored does: it tells nobody what is known of an address."""
    return request.args.get("follow", "") == "1"


def receipt_or_404(token: str) -> Receipt:
    """The comment whose key this is, or the end of this request."""
    public_id = current_app.extensions["signer"].read("receipt", token)
    found = comments.by_public_id(database.session(), public_id) if public_id else None
    if public_id and found is None and comments.is_of_gone_site(database.session(), public_id):
        said = _(
            "The site that this comment was on is not here any more. What it held is erased 30 days "
            "after it was deleted; who runs this service can tell you more."
        )
        abort(404, said)
    if found is None:
        abort(404, _("This receipt is not complete, or its comment was erased. Check the link."))
    site = found.article.site
    settings = SiteSettings.read(site.settings)
    languages.choose(found.language, settings.language)
    headers.allow_frames(site.origins)
    return Receipt(token, found, settings)


@bp.get("/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """What became of one's own comment. The link is a key: nothing else opens this page."""
    return _page(receipt_or_404(token))


@bp.get("/<token>/comment.json")
def export(token: str) -> ResponseReturnValue:
    """One's own comment to take along: what was given, but for the address."""
    found = receipt_or_404(token)
    comment, edited = found.comment, found.comment.edited_at
    answer = jsonify(
        id=comment.public_id,
        article=comment.article.url,
        author=comment.name,
        website=comment.website,
        status=found.state,
        created_at=comment.created_at.isoformat(),
        edited_at=edited.isoformat() if edited else None,
        text=comment.text,
        html=found.html,
        waiting_text=comment.edit_text if moderation.has_waiting_edit(comment) else None,
    )
    name = f"comment-{comment.public_id}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return headers.keep_private(answer)


@bp.post("/<token>/edit")
@limiter.limit(POSTING)
def edit(token: str) -> ResponseReturnValue:
    found = receipt_or_404(token)
    _refuse_foreign_form(found.site)
    form = _change_form(found)
    if not form.validate():
        return _page(found, form, " ".join(map(str, form.token.errors)), status=422)
    typed = form.comment.data or ""
    # Rendered before the transaction begins. Where the form stood says nothing: browsers withhold
    # it on a page that tells its address to nobody.
    html, public_id = text.render(typed), found.comment.public_id
    draft = Draft(
        found.comment.name,
        typed,
        tuple(text.addresses(typed)),
        website=found.comment.website,
        links=text.count_links(html),
        language=found.comment.language,
    )
    draft = opinions.ask_again(found.site, found.comment, draft)
    policy = policy_here(found.site)
    minutes = found.settings.edit_minutes
    score = score_here(found.site, draft.name, draft.website, typed)
    try:
        with database.writing() as session:
            comments.edit(
                session,
                current_app.extensions["vault"],
                comments.by_public_id(session, public_id) or abort(404),
                form.version.data,
                draft,
                html,
                policy,
                minutes,
                score,
            )
    except (moderation.Stale, comments.Closed):
        return _overtaken(receipt_or_404(token), form)
    except comments.AnotherWording as asked:
        form = ask_for_another(found.site, form, asked)  # first: what is read before is stale then
        return _page(receipt_or_404(token), form, status=422)
    except database.Busy:
        said = _(
            "Many people are writing at this moment. Your change is kept; try again in 5 seconds."
        )
        return _page(receipt_or_404(token), form, said, 503, 5)
    return redirect(found_again(token), 303)


@bp.post("/<token>/withdraw")
@limiter.limit(POSTING)
def withdraw(token: str) -> ResponseReturnValue:
    found = receipt_or_404(token)
    _refuse_foreign_form(found.site)
    if not WithdrawForm(found.tokens("withdraw")).validate():
        said = _("This page was open for a long time. Nothing was changed: press the button again.")
        return _page(found, message=said, status=422)
    public_id = found.comment.public_id
    with database.writing() as session:
        moderation.withdraw(session, comments.by_public_id(session, public_id) or abort(404))
    return redirect(found_again(token), 303)


@bp.errorhandler(RateLimitExceeded)
@or_plainly
def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    """The page comes back with what was typed and says when to try again."""
    found = receipt_or_404((request.view_args or {})["token"])
    seconds = wait(error)
    said = _(
        "You have changed things here several times in a short time. Your text is kept; "
        "try again %(when)s.",
        when=languages.in_time(seconds),
    )
    form = _change_form(found) if request.endpoint == "receipts.edit" else None
    return _page(found, form, said, 429, seconds)


def found_again(token: str) -> str:
    """The receipt's page as it is now."""
    return receipt_or_404(token).url()


def _page(
    found: Receipt,
    form: ChangeForm | None = None,
    message: str = "",
    status: int = 200,
    retry: int = 0,
) -> ResponseReturnValue:
    """The receipt. Takes the form that comes back, and a message about the whole of it."""
    comment = found.comment
    is_waiting = found.state == "waiting" or moderation.has_waiting_edit(comment)
    until = comments.editable_until(comment, found.settings.edit_minutes)
    wait = comments.usual_wait(database.session(), comment.site_id) if is_waiting else None
    page = render_template(
        "reader/receipt.html",
        receipt=found,
        site=found.site,
        settings=found.settings,
        article=comment.article,
        comment=comment,
        state=found.state,
        changed=_changed(comment),
        is_turned_down=comment.status == Status.APPROVED
        and comment.edit_at is None
        and comment.edit_text is not None,
        usually="" if wait is None else _usually(wait),
        reason=comments.public_reason(database.session(), comment),
        misses_letters=comments.misses_letters(database.session(), comment),
        answers=_answered(comment),
        letters=follow_said(found.site) if has_wished() else "",
        until=until,
        form=form or (_blank_form(found) if until else None),
        message=message,
        withdrawing=WithdrawForm(found.tokens("withdraw"), formdata=None),
        back=way_back(found.site, request.args.get("return_to", "")),
    )
    answer = make_response(page, status)
    if retry:
        answer.headers["Retry-After"] = str(retry)
    return headers.keep_private(answer)


def _overtaken(found: Receipt, form: ChangeForm) -> ResponseReturnValue:
    """Says what happened in between. The form keeps what was typed, and now knows what it changes."""
    if comments.editable_until(found.comment, found.settings.edit_minutes):
        form.version.data = found.comment.version
        said = _(
            "Your reply changed while this page was open; above it stands as it is now. "
            "What you typed is kept: press “Save the change” once more if you still want it."
        )
    else:
        said = _(
            "Your reply can no longer be changed, so this was not stored. "
            "What you typed is kept here for you to copy."
        )
    return _page(found, form, said, 409)


def _change_form(found: Receipt, **values: Any) -> ChangeForm:
    return ChangeForm(found.tokens("edit"), found.settings.comment_length, **values)


def _blank_form(found: Receipt) -> ChangeForm:
    """The text as it was typed last: what is waiting, else what is there."""
    comment = found.comment
    typed = comment.edit_text if moderation.has_waiting_edit(comment) else comment.text
    return _change_form(found, formdata=None, data={"comment": typed, "version": comment.version})


def _changed(comment: Comment) -> Any:
    """An edit that waits, with no links in it yet; None if there is none."""
    waits = moderation.has_waiting_edit(comment)
    return text.unlink(comment.edit_html or "") if waits else None


def _answered(comment: Comment) -> str:
    """Whom a comment answers, as readers see the name; "" if they do not see it."""
    parent = comment.parent
    if parent is None or parent.status != Status.APPROVED:
        return ""
    return text.mask_addresses(parent.name)


def _usually(wait: timedelta) -> str:
    """How long deciding takes here, in a sentence and a round number."""
    minutes = max(1, round(wait.total_seconds() / 60))
    hours = round(minutes / 60)
    if minutes < MINUTES_TO:
        said = ngettext(
            "It is usually decided in about %(num)s minute.",
            "It is usually decided in about %(num)s minutes.",
            minutes,
        )
    elif hours < HOURS_TO:
        said = ngettext(
            "It is usually decided in about %(num)s hour.",
            "It is usually decided in about %(num)s hours.",
            hours,
        )
    else:
        said = ngettext(
            "It is usually decided in about %(num)s day.",
            "It is usually decided in about %(num)s days.",
            round(hours / 24),
        )
    return str(said)


def _refuse_foreign_form(site: Site) -> None:
    """These forms stand on our own pages only; a browser may withhold where they stood."""
    ours = {"", "null", request.host_url.rstrip("/"), _base()}
    if request.headers.get("Origin", "") not in ours:
        abort(
            403, _("This form stands on a page that does not belong to %(site)s.", site=site.name)
        )


def _base() -> str:
    return str(current_app.config["BASE_URL"])
