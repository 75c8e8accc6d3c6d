"""What a new password may be."""

import pytest

from service import passwords

ABOUT = ("mo.berg@daily.example", "Mo Berg")


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "short"),
        ("x8.,-Kq", "short"),
        ("x8.,-Kqz", ""),
        ("correct horse battery", ""),
        ("Pässwörter sind öde", ""),
        ("x" * 513, "long"),
        ("password", "common"),
        ("Password123!", "common"),
        ("12345678", "common"),
        ("87654321", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abababababab", "common"),
        ("qwertyuiop", "common"),
        ("letmein2026", "common"),
        ("mo.berg@daily.example", "yours"),
        ("mo.berg1", "yours"),
        ("Mo Berg 2026", "yours"),
        ("daily.example", "yours"),
        ("the mo.berg of daily", ""),
    ],
)
def test_a_password_is_long_and_none_that_anybody_would_try(typed, fault):
    assert passwords.fault(typed, ABOUT) == fault


def test_an_accent_is_the_same_however_it_is_typed():
    assert passwords.normal("caf\u00e9") == passwords.normal("cafe\u0301")
