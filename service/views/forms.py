"""The forms: what may be typed where. They state shape; what to think of it is the rules' business."""

import re
import unicodedata
from typing import Any

from dns.resolver import NXDOMAIN, NoAnswer
from email_validator import EmailNotValidError, EmailUndeliverableError, validate_email
from flask import current_app
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _n
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import DataRequired, Length, Optional, StopValidation
from wtforms.widgets import HiddenInput

from .. import mail, text, urls
from ..follows import Wish
from ..site_settings import SiteSettings
from ..status import ReportReason
from ..tokens import FormTokens, ReceiptTokens

NAME_LENGTH = 80
EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
TITLE_LENGTH = 300
DNS_SECONDS = 2
EXPLANATION_LENGTH = 10, 2_000  # at least, where one is needed, and at most
REPORT_REASONS = {
    ReportReason.SPAM: _l("It is spam or advertising"),
    ReportReason.OFFENSIVE: _l("It is offensive or attacks somebody"),
    ReportReason.PRIVATE: _l("It shows something private"),
    ReportReason.OFF_TOPIC: _l("It has nothing to do with the article"),
    ReportReason.ILLEGAL: _l("I believe this is illegal"),
}


def trimmed(value: str | None) -> str:
    return unicodedata.normalize("NFC", value or "").strip()


def line(value: str | None) -> str:
    """One line as typed, without what no keyboard makes: PostgreSQL takes no NUL."""
    kept = (c for c in trimmed(value) if unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept).strip()


class VersionField(Field):
    """The version of a comment that somebody saw. What is no version is 0, which no comment has."""

    widget = HiddenInput()

    def _value(self) -> str:
        return str(self.data or "")

    def process_formdata(self, valuelist: list[str]) -> None:
        sent = valuelist[0].strip() if valuelist else ""
        self.data = int(sent) if re.fullmatch("[0-9]{1,9}", sent) else 0


class FormToken(CSRF):
    """Binds a form to its site and article with a signature in place of a session cookie, which
    browsers do not send in a frame on somebody else's page."""

    too_old = _l(
        "This page was open for a long time. Your reply is kept: press “Post reply” once more."
    )

    def setup_form(self, form: FlaskForm) -> Any:
        self.tokens: FormTokens | ReceiptTokens = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        return self.tokens.for_page()

    def validate_csrf_token(self, form: FlaskForm, field: CSRFTokenField) -> None:
        if self.tokens.read(field.data or "") is None:
            raise ValidationError(self.too_old)


class ChangeToken(FormToken):
    """The same for the form in which somebody changes their own comment."""

    too_old = _l(
        "This page was open for a long time. Your change is kept: press “Save the change” once more."
    )


class Visible:
    """Refuses what looks like nothing: only spaces, or only characters that have no shape."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if not text.is_visible(field.data):
            raise ValidationError(self.message)


class Required:
    """Refuses an empty field where the form's site requires it; else an empty one is well, whatever
    stands behind this. Takes the words, and the site's setting that says so."""

    def __init__(self, message: str, setting: str) -> None:
        self.message, self.setting = message, setting

    def __call__(self, form: Any, field: Field) -> None:
        if field.data:
            return
        field.errors = []
        if getattr(form.settings, self.setting):
            raise StopValidation(self.message)
        raise StopValidation


def comment_field() -> Any:
    """Where a comment is typed; a form with it is a CommentForm too."""
    return TextAreaField(
        _l("Comment"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[DataRequired(_l("Write your comment.")), Visible(_l("Write your comment."))],
        render_kw={"rows": 6, "dir": "auto"},
    )


class CommentForm:
    """What every form with a comment in it refuses. Expects the site's comment length."""

    comment_length: int

    def validate_comment(self, field: Field) -> None:
        over = len(field.data) - self.comment_length
        if over > 0:
            raise ValidationError(
                _n(
                    "Shorten your comment by %(num)d character: it may have %(most)s.",
                    "Shorten your comment by %(num)d characters: it may have %(most)s.",
                    over,
                    most=self.comment_length,
                )
            )
        # Marks alone, such as "<br>", may leave nothing to be seen.
        has_words = any(c.isalnum() for c in re.sub("<[^<>]*>", "", field.data))
        if not has_words and not text.is_visible(text.plain(text.render(field.data))):
            raise ValidationError(_l("Write your comment."))


class ReplyForm(CommentForm, FlaskForm):
    """“Leave a Reply”. Takes `tokens` (for this site and article) and what the site has set."""

    class Meta:
        csrf_class = FormToken
        csrf_field_name = "token"

    name = StringField(
        _l("Name"),
        filters=[trimmed],
        validators=[
            Required(_l("Enter your name, or any name you like to go by."), "require_name"),
            Length(max=NAME_LENGTH, message=_l("Enter a name of at most %(max)d characters.")),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"autocomplete": "name", "maxlength": None, "dir": "auto"},
    )
    email = EmailField(
        _l("Email"),
        filters=[trimmed],
        validators=[
            Required(
                _l("Enter an email address like name@example.org. It will not be published."),
                "require_email",
            )
        ],
        render_kw={"autocomplete": "email", "dir": "ltr"},
    )
    website = StringField(
        _l("Website"),
        filters=[trimmed],
        validators=[Optional()],
        render_kw={"autocomplete": "url", "inputmode": "url", "dir": "ltr"},
    )
    comment = comment_field()
    follow = SelectField(
        _l("Email me"),
        choices=[
            SelectChoice(Wish.NOTHING.value, _l("No, thank you")),
            SelectChoice(Wish.REPLIES.value, _l("What becomes of my reply, and answers to it")),
            SelectChoice(Wish.ARTICLE.value, _l("Every new reply here, at once")),
            SelectChoice(Wish.DAILY.value, _l("New replies here, once a day")),
            SelectChoice(Wish.WEEKLY.value, _l("New replies here, once a week")),
        ],
        default=Wish.NOTHING.value,
        validate_choice=False,
    )
    # Never ticked for anybody: neither by us nor by a browser that fills in what it knows.
    consent = BooleanField(
        validators=[DataRequired(_l("Tick this box to post your reply."))],
        render_kw={"autocomplete": "off"},
    )
    # No person sees it; who reads the page as text is told. No browser knows anything to fill in.
    subject = StringField(
        _l("Leave this field empty"), render_kw={"autocomplete": "off", "tabindex": "-1"}
    )
    url = HiddenField()
    article = HiddenField(filters=[trimmed], validators=[Length(max=200)])
    title = HiddenField(filters=[lambda title: trimmed(title)[:TITLE_LENGTH]])
    lang = HiddenField()
    parent = HiddenField()
    nonce = HiddenField(validators=[Length(max=64)])
    work = HiddenField()
    author = HiddenField()  # the browser's proof of who writes; a wrong one is none
    return_to = HiddenField()

    def __init__(self, tokens: FormTokens, settings: SiteSettings, **kwargs: Any) -> None:
        self.settings, self.comment_length = settings, settings.comment_length
        super().__init__(meta={"csrf_context": tokens}, **kwargs)
        self.name.flags.required = settings.require_name
        self.email.flags.required = settings.require_email
        if not settings.ask_website:
            del self.website
        if not settings.consent:
            del self.consent

    def validate(self, extra_validators: Any = None) -> bool:
        """Letters need an address: a wish for them without one is told beside it."""
        is_good = bool(super().validate(extra_validators))
        if self.wish and not self.email.data and not self.email.errors:
            self.email.errors = [
                _l("Enter the email address that letters are to go to, or choose to get none.")
            ]
            return False
        return is_good

    @property
    def website_typed(self) -> str:
        """The website, where the site asks for one: else nothing, whatever was sent."""
        return (self.website.data or "") if self.website else ""

    @property
    def is_mailing(self) -> bool:
        """Whether letters leave here at all."""
        return mail.lacks(current_app.config) == ""

    @property
    def wish(self) -> Wish:
        """What the writer wants to follow; nothing for a word that is not known, and where no letter
        leaves."""
        is_known = self.is_mailing and self.follow.data in list(Wish)
        return Wish(self.follow.data) if is_known else Wish.NOTHING

    def may_be_shown(self) -> bool:
        """Whether the comment may be previewed, else the reason stands at its field: the token, or
        the length of the comment. What is still missing is no error."""
        is_good = bool(self.token.validate(self))
        if not text.is_visible(self.comment.data or ""):
            return is_good
        return bool(self.comment.validate(self, [ReplyForm.validate_comment])) and is_good

    def validate_name(self, field: Field) -> None:
        if text.addresses(field.data):
            raise ValidationError(
                _l(
                    "Enter a name that is not an email address: names are published, addresses never."
                )
            )
        if any(
            unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in text.BIDI_CONTROLS
            for c in field.data
        ):
            raise ValidationError(
                _l(
                    "Enter a name without control characters or characters that change its direction."
                )
            )

    def validate_email(self, field: Field) -> None:
        message = _l("Enter an email address like name@example.org. It will not be published.")
        if len(field.data) > EMAIL_LENGTH:
            raise ValidationError(message)
        try:
            validate_email(field.data, check_deliverability=False, strict=True)
        except EmailNotValidError:
            raise ValidationError(message) from None
        if current_app.config["CHECK_DNS"] and not takes_mail(field.data):
            raise ValidationError(
                _l("The part behind the @ takes no email. Check it for a slip of the finger.")
            )

    def validate_website(self, field: Field) -> None:
        try:
            field.data = urls.website(field.data)
        except urls.NotAnAddress:
            raise ValidationError(
                _l("Enter a website like https://example.org, or leave this empty.")
            ) from None


def takes_mail(address: str) -> bool:
    """Whether the address's domain takes mail as far as DNS says; True while DNS is down."""
    try:
        validate_email(address, check_deliverability=True, timeout=DNS_SECONDS)
    except EmailUndeliverableError as error:
        # Any fault on the way is told as "undeliverable" too; only these are DNS's own word.
        return not isinstance(error.__cause__, (NXDOMAIN, NoAnswer, type(None)))
    return True


class ReportToken(FormToken):
    too_old = _l(
        "This page was open for a long time. Your report is kept: press “Send report” once more."
    )


class ReportForm(FlaskForm):
    """What is wrong with a comment. Takes `tokens` (for its site and article)."""

    class Meta:
        csrf_class = ReportToken
        csrf_field_name = "token"

    reason = RadioField(
        _l("What is wrong with it?"),
        choices=[SelectChoice(reason.value, said) for reason, said in REPORT_REASONS.items()],
        validate_choice=False,
    )
    explanation = TextAreaField(
        _l("Tell the moderators more"),
        filters=[lambda typed: text.normalise(typed or "")],
        render_kw={"rows": 4, "dir": "auto"},
    )
    contact = EmailField(
        _l("Email"),
        filters=[trimmed],
        render_kw={"autocomplete": "email", "dir": "ltr"},
    )

    def __init__(self, tokens: FormTokens, **kwargs: Any) -> None:
        super().__init__(meta={"csrf_context": tokens}, **kwargs)

    def validate_reason(self, field: Field) -> None:
        if field.data not in list(ReportReason):
            raise ValidationError(_l("Choose what is wrong with the comment."))

    def validate_explanation(self, field: Field) -> None:
        least, most = EXPLANATION_LENGTH
        if self.reason.data == ReportReason.ILLEGAL and len(field.data) < least:
            raise ValidationError(
                _l(
                    "Say why you believe that it is illegal, in at least %(least)s characters.",
                    least=least,
                )
            )
        if len(field.data) > most:
            raise ValidationError(
                _n(
                    "Shorten this by %(num)d character: it may have %(most)s.",
                    "Shorten this by %(num)d characters: it may have %(most)s.",
                    len(field.data) - most,
                    most=most,
                )
            )

    def validate_contact(self, field: Field) -> None:
        message = _l("Enter an email address like name@example.org, or leave this empty.")
        if len(field.data) > EMAIL_LENGTH:
            raise ValidationError(message)
        try:
            if field.data:
                validate_email(field.data, check_deliverability=False, strict=True)
        except EmailNotValidError:
            raise ValidationError(message) from None


class ChangeForm(CommentForm, FlaskForm):
    """One's own comment, to be changed. Takes `tokens` for this receipt and the comment length."""

    class Meta:
        csrf_class = ChangeToken
        csrf_field_name = "token"

    comment = comment_field()
    version = VersionField()

    def __init__(self, tokens: ReceiptTokens, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(meta={"csrf_context": tokens}, **kwargs)


class WithdrawForm(FlaskForm):
    """The button that takes one's own comment back. Takes `tokens` for this receipt."""

    class Meta:
        csrf_class = FormToken
        csrf_field_name = "token"

    def __init__(self, tokens: ReceiptTokens, **kwargs: Any) -> None:
        super().__init__(meta={"csrf_context": tokens}, **kwargs)


class SignInForm(FlaskForm):
    """The button of a sign-in link; its only field is the CSRF token."""


class DecideForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])
    version = VersionField(validators=[DataRequired()])
    note = StringField(
        _l("Note"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[Optional(), Length(max=500)],
    )
    public_reason = StringField(filters=[trimmed], validators=[Optional(), Length(max=500)])
    public_note = StringField(
        _l("Reason"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[Optional(), Length(max=500)],
    )

    @property
    def public_words(self) -> str:
        """What the author may read: of the site's list, and in the moderator's own words."""
        own = (self.public_note.data or "").strip()
        return "\n\n".join(filter(None, (self.public_reason.data, own)))


class MarkForm(FlaskForm):
    mark = HiddenField(validators=[DataRequired()])
    version = VersionField(validators=[DataRequired()])


class UndoForm(FlaskForm):
    """Takes nothing but the CSRF token."""
