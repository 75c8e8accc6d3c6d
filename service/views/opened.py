"""What a link from a letter leads to, for whom, and what its page can say and take."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import abort, current_app, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length, Optional

from .. import accounts, comments, moderation, text
from ..accounts import Moderator
from ..mail import deciding
from ..mail.deciding import LIFETIME, Link
from ..models import Comment, Decision, Site, now
from ..site_settings import SiteSettings
from ..status import Status
from ..tokens import ReceiptTokens
from .desk import public_reasons
from .forms import CommentForm, FormToken, VersionField, comment_field, trimmed

NOTE_LENGTH = 500  # as at the desk
APPROVE = "approve"
QUESTIONS = {
    "approve": _l("Approve this comment?"),
    "reject": _l("Reject this comment?"),
    "spam": _l("Mark this comment as spam?"),
}
OF_EDITS = {"approve": _l("Publish this change?"), "reject": _l("Keep the text as it was?")}
OF_REPORTED = {"approve": _l("Keep this comment?")}
BUTTONS = {"spam": _l("Mark as spam")}  # said at more length than in a letter
ANSWERS = {
    "new": _l("Approve and answer"),
    "edit": _l("Publish the change and answer"),
    "reported": _l("Keep it and answer"),
}


class PageToken(FormToken):
    too_old = _l("This page was open for a long time. Nothing was changed: press the button again.")


class ByMailForm(FlaskForm):
    """The button of a link. Takes `tokens` for its page, and the reasons that an author may read."""

    class Meta:
        csrf_class = PageToken
        csrf_field_name = "token"

    version = VersionField()
    public_reason = SelectField(
        _l("Reason that the author may read"),
        filters=[trimmed],
        validators=[Optional(), Length(max=NOTE_LENGTH)],
        validate_choice=False,
    )
    note = TextAreaField(
        _l("Note (optional)"),
        filters=[lambda typed: text.normalise(typed or "").strip()],
        validators=[
            Length(max=NOTE_LENGTH, message=_l("Shorten the note: it may have %(max)d characters."))
        ],
        render_kw={"rows": 2, "dir": "auto"},
    )

    def __init__(self, tokens: ReceiptTokens, reasons: Sequence[str], **kwargs: Any) -> None:
        super().__init__(meta={"csrf_context": tokens}, **kwargs)
        none = SelectChoice("", _("None"))
        self.public_reason.choices = [none, *(SelectChoice(said, said) for said in reasons)]


class ByMailAnswerForm(CommentForm, FlaskForm):
    """A reply by staff. Takes `tokens` for its page and how many characters it may have."""

    class Meta:
        csrf_class = PageToken
        csrf_field_name = "token"

    comment = comment_field()
    nonce = HiddenField(validators=[DataRequired(), Length(max=64)])
    version = VersionField()

    def __init__(self, tokens: ReceiptTokens, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(meta={"csrf_context": tokens}, **kwargs)
        self.comment.label.text = _("Your answer")


@dataclass(frozen=True)
class Opened:
    """What a link leads to, as it stands now."""

    token: str
    link: Link
    moderator: Moderator
    comment: Comment
    since: Sequence[Decision]  # what became of the comment since the letter, oldest first

    @property
    def site(self) -> Site:
        return self.comment.article.site

    @property
    def settled(self) -> Decision | None:
        """The decision since the letter that is in force."""
        standing = None
        for decision in self.since:
            if moderation.origin(decision).act in moderation.ANSWERS:
                is_open = decision.to_status == Status.PENDING
                stands = moderation.is_standing(decision) and not is_open
                standing = decision if stands else None
        return standing

    @property
    def is_open(self) -> bool:
        """Whether there is something left for the link to do."""
        return self.settled is None and deciding.waits(self.comment)

    @property
    def undoable(self) -> Decision | None:
        """What was decided by this link's moderator from a letter, as long as nothing came after."""
        last, settled = self.since[-1] if self.since else None, self.settled
        if settled is None or settled is not last or not settled.by_mail:
            return None
        return settled if settled.moderator_id == self.moderator.id else None

    @property
    def kind(self) -> str:
        if moderation.has_waiting_edit(self.comment):
            return "edit"
        return "reported" if self.comment.status == Status.APPROVED else "new"

    @property
    def question(self) -> str:
        asked = {"edit": OF_EDITS, "reported": OF_REPORTED}.get(self.kind, {})
        return str(asked.get(self.link.action, QUESTIONS[self.link.action]))

    @property
    def button(self) -> str:
        word = deciding.buttons(self.comment)[self.link.action]
        return str(BUTTONS.get(self.link.action, word))

    @property
    def may_answer(self) -> bool:
        return self.link.action == APPROVE and self.is_open

    @property
    def public_name(self) -> str:
        """As whom the moderator answers (hard rule 14)."""
        return self.moderator.staff_name or self.site.name

    def refuse_if_closed(self, version: int) -> None:
        """Nothing is decided anew on what was decided already, whatever version a page says that it
        saw; raises moderation.Stale. What is sent twice gets past, to be answered the same."""
        settled = self.settled
        if settled is not None and version < settled.version:
            return
        if not self.is_open:
            raise moderation.Stale(settled)

    def tokens(self) -> ReceiptTokens:
        """Of the forms on this link's page."""
        link = self.link
        page = f"{link.public_id} {link.moderator_id} {link.action}"
        return ReceiptTokens(current_app.extensions["signer"], "page by mail", page)

    def blank(self) -> ByMailForm:
        return self.filled(formdata=None, data={"version": self.comment.version})

    def filled(self, **values: Any) -> ByMailForm:
        return ByMailForm(self.tokens(), public_reasons(self.site), **values)

    def blank_answer(self) -> ByMailAnswerForm:
        new = {"nonce": secrets.token_urlsafe(16), "version": self.comment.version}
        return self.filled_answer(formdata=None, data=new)

    def filled_answer(self, **values: Any) -> ByMailAnswerForm:
        longest = SiteSettings.read(self.site.settings).comment_length
        return ByMailAnswerForm(self.tokens(), longest, **values)


def opened_or_refuse(session: Session, token: str) -> Opened:
    """What a link leads to, or the end of this request: with what became of the link, and no word
    about the comment."""
    link = deciding.read(current_app.extensions["signer"], token)
    if link is None:
        refuse(404, _("This link is not complete. Open it once more from the letter."))
    if link.is_over(now()):
        refuse(410, _("This link was good for %(days)s days, which are over.", days=LIFETIME.days))
    moderator = session.get(Moderator, link.moderator_id)
    if moderator is None or not moderator.active or accounts.proof(moderator) != link.proof:
        refuse(410, _("This link ended when the account that it was sent to was changed."))
    comment = comments.by_public_id(session, link.public_id)
    if comment is None:
        refuse(410, _("The comment of this link is gone, and nothing of it is kept."))
    if not accounts.may(moderator, comment.site_id):
        refuse(403, _("You do not moderate the site of this comment any more."))
    if not deciding.are_wanted(moderator, comment.article.site):
        refuse(403, _("Deciding from letters is switched off here."))
    moderator.by_mail = True  # for the record
    moderator.came_from = comments.network_of(request.remote_addr or "")
    return Opened(token, link, moderator, comment, since(session, comment, link.version))


def since(session: Session, comment: Comment, version: int) -> Sequence[Decision]:
    later = (Decision.version > version, Decision.act.in_(moderation.CHANGES))
    found = select(Decision).where(Decision.comment_id == comment.id, *later)
    return session.scalars(found.options(joinedload(Decision.note)).order_by(Decision.id)).all()


def refuse(status: int, said: str) -> NoReturn:
    abort(make_response(render_template("desk/by_mail_refused.html", said=said), status))
