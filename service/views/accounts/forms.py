"""What is typed on a way in. Only shape, and what a new password may not be."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from ... import passwords
from ..forms import EMAIL_LENGTH, NAME_LENGTH, Visible, line

FAULTS = {
    "short": _l("Use at least %(least)d characters.", least=passwords.LEAST),
    "long": _l("Use at most %(most)d characters.", most=passwords.MOST),
    "common": _l("This password is one of the first that anybody would try. Choose another."),
    "yours": _l("Choose a password that is not made of your name or address."),
}


class PasswordForm(FlaskForm):
    """Signing in. Only shape: what is wrong with the pair is never said."""

    email = EmailField(
        _l("Email"),
        filters=[line],
        validators=[DataRequired(_l("Enter your email address.")), Length(max=EMAIL_LENGTH)],
        render_kw={"autocomplete": "username", "dir": "ltr"},
    )
    password = PasswordField(
        _l("Password"),
        validators=[DataRequired(_l("Enter your password.")), Length(max=passwords.MOST)],
        render_kw={"autocomplete": "current-password", "dir": "ltr"},
    )
    next = HiddenField()


class NameForm(FlaskForm):
    name = StringField(
        _l("Name"),
        filters=[line],
        validators=[
            DataRequired(_l("Enter the name that your colleagues know you by.")),
            Length(max=NAME_LENGTH),
            Visible(_l("Enter a name that can be seen.")),
        ],
        render_kw={"autocomplete": "name", "dir": "auto"},
    )


class AddressForm(FlaskForm):
    """Whose password is forgotten. Whether the address has an account is never said."""

    email = EmailField(
        _l("Email"),
        filters=[line],
        validators=[DataRequired(_l("Enter your email address.")), Length(max=EMAIL_LENGTH)],
        render_kw={"autocomplete": "username", "dir": "ltr"},
    )

    def validate_email(self, field: Any) -> None:
        try:
            validate_email(field.data, check_deliverability=False)
        except EmailNotValidError:
            said = _l("Enter an email address like name@example.org.")
            raise ValidationError(said) from None


class CodeForm(FlaskForm):
    """The second step."""

    code = StringField(
        _l("Code"),
        filters=[line],
        validators=[DataRequired(_l("Enter a code.")), Length(max=40)],
        render_kw={
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
            "dir": "ltr",
        },
    )


class PasskeyForm(FlaskForm):
    """What a browser answers for a passkey."""

    credential = HiddenField(validators=[DataRequired(), Length(max=20_000)])
    next = HiddenField()


class NewPasswordForm(FlaskForm):
    """A new password. Takes words about its owner, which it may not consist of."""

    password = PasswordField(
        _l("New password"),
        validators=[DataRequired(_l("Choose a password."))],
        render_kw={"autocomplete": "new-password", "dir": "ltr"},
    )

    def __init__(self, *about: str, **kwargs: Any) -> None:
        self.about = about
        super().__init__(**kwargs)

    def validate_password(self, field: Any) -> None:
        if fault := passwords.fault(field.data, self.about):
            raise ValidationError(FAULTS[fault])


class JoinForm(NameForm, NewPasswordForm):
    def validate_password(self, field: Any) -> None:
        self.about = (*self.about, self.name.data or "")
        super().validate_password(field)


class FirstForm(NameForm, AddressForm, NewPasswordForm):
    """The first admin's account."""

    @property
    def address(self) -> str:
        """In its one spelling, once it was found to be one."""
        found = validate_email(self.email.data or "", check_deliverability=False)
        return found.normalized.lower()

    def validate_password(self, field: Any) -> None:
        self.about = (self.name.data or "", self.email.data or "")
        super().validate_password(field)
