"""The forms: what may be typed where. They state shape; what to think of it is the rules' business."""

import re
import unicodedata
from typing import Any

from dns.resolver import NXDOMAIN, NoAnswer
from email_validator import EmailNotValidError, EmailUndeliverableError, validate_email
from flask import current_app
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    Field,
    HiddenField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.validators import DataRequired, Length, Optional

from .. import text, urls
from ..tokens import FormTokens

NAME_LENGTH = 80
EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
TITLE_LENGTH = 300
DNS_SECONDS = 2


def trimmed(value: str | None) -> str:
    return unicodedata.normalize("NFC", value or "").strip()


class FormToken(CSRF):
    """Binds a form to its site and article with a signature in place of a session cookie, which
    browsers do not send in a frame on somebody else's page."""

    def setup_form(self, form: FlaskForm) -> Any:
        self.tokens: FormTokens = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        return self.tokens.for_page()

    def validate_csrf_token(self, form: FlaskForm, field: CSRFTokenField) -> None:
        if self.tokens.read(field.data or "") is None:
            raise ValidationError(
                _l(
                    "This page was open for a long time. Your reply is kept: "
                    "press “Post reply” once more."
                )
            )


class Visible:
    """Refuses what looks like nothing: only spaces, or only characters that have no shape."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if not text.is_visible(field.data):
            raise ValidationError(self.message)


class ReplyForm(FlaskForm):
    """“Leave a Reply”. Takes `tokens` (for this site and article) and the site's comment length."""

    class Meta:
        csrf_class = FormToken
        csrf_field_name = "token"

    name = StringField(
        _l("Name"),
        filters=[trimmed],
        validators=[
            DataRequired(_l("Enter your name, or any name you like to go by.")),
            Length(max=NAME_LENGTH, message=_l("Enter a name of at most %(max)d characters.")),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"autocomplete": "name", "maxlength": None, "dir": "auto"},
    )
    email = EmailField(
        _l("Email"),
        filters=[trimmed],
        validators=[
            DataRequired(
                _l("Enter an email address like name@example.org. It will not be published.")
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
    comment = TextAreaField(
        _l("Comment"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[DataRequired(_l("Write your comment.")), Visible(_l("Write your comment."))],
        render_kw={"rows": 6, "dir": "auto"},
    )
    url = HiddenField()
    article = HiddenField(filters=[trimmed], validators=[Length(max=200)])
    title = HiddenField(filters=[lambda title: trimmed(title)[:TITLE_LENGTH]])
    lang = HiddenField()
    parent = HiddenField()
    nonce = HiddenField(validators=[Length(max=64)])
    return_to = HiddenField()

    def __init__(self, tokens: FormTokens, comment_length: int, **kwargs: Any) -> None:
        self.comment_length = comment_length
        super().__init__(meta={"csrf_context": tokens}, **kwargs)

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

    def validate_comment(self, field: Field) -> None:
        over = len(field.data) - self.comment_length
        if over > 0:
            raise ValidationError(
                _l(
                    "Shorten your comment by %(over)s characters: it may have %(most)s.",
                    over=over,
                    most=self.comment_length,
                )
            )
        # Marks alone, such as "<br>", may leave nothing to be seen.
        has_words = any(c.isalnum() for c in re.sub("<[^<>]*>", "", field.data))
        if not has_words and not text.is_visible(text.plain(text.render(field.data))):
            raise ValidationError(_l("Write your comment."))


def takes_mail(address: str) -> bool:
    """Whether the address's domain takes mail as far as DNS says; True while DNS is down."""
    try:
        validate_email(address, check_deliverability=True, timeout=DNS_SECONDS)
    except EmailUndeliverableError as error:
        # Any fault on the way is told as "undeliverable" too; only these are DNS's own word.
        return not isinstance(error.__cause__, (NXDOMAIN, NoAnswer, type(None)))
    return True


class SignInForm(FlaskForm):
    """The button of a sign-in link; its only field is the CSRF token."""


class DecideForm(FlaskForm):
    action = HiddenField(validators=[DataRequired()])
    version = HiddenField(validators=[DataRequired()])
    note = StringField(
        _l("Note"),
        filters=[lambda typed: text.normalise(typed or "")],
        validators=[Optional(), Length(max=500)],
    )


class UndoForm(FlaskForm):
    """Takes nothing but the CSRF token."""
