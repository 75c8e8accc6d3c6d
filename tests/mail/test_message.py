"""A letter as a mail: right headers, two parts, and nothing that people typed breaks out."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP, default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail import Contents, Post, Recipient, message
from service.models import Letter

AT = datetime(2026, 3, 4, 10, 20, 30, tzinfo=UTC)
HEADERS = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "Content-Language", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type"),
}


def build(
    name="Mo",
    address="mo@daily.example",
    subject="A comment waits",
    site="The Daily",
    plain="Hello.",
    html="<p>Hello.</p>",
    sender_name="",
    **more,
):
    post = Post(
        "https://c.example", "us@service.example", sender_name, "desk@daily.example", None, None
    )
    contents = Contents(subject, "waiting", conversation="<waiting.1@daily.example>", **more)
    letter = Letter(message_id="<abc@daily.example>", language="en")
    return message.build(post, site, letter, Recipient(name, address), contents, plain, html, AT)


def arrived(mail):
    return message_from_bytes(mail.as_bytes(), policy=default)


def test_its_headers_are_those_of_a_machine_s_letter():
    mail = arrived(build())
    assert set(mail.keys()) == HEADERS
    assert mail["From"] == "The Daily <us@service.example>"
    assert mail["To"] == "Mo <mo@daily.example>"
    assert mail["Reply-To"] == "desk@daily.example"
    assert mail["Date"].datetime == AT
    assert mail["Message-ID"] == "<abc@daily.example>"
    assert mail["In-Reply-To"] == mail["References"] == "<waiting.1@daily.example>"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_operator_s_name_for_the_sender_wins():
    assert build(sender_name="Comments")["From"] == "Comments <us@service.example>"


def test_it_has_a_text_and_html():
    mail = arrived(build(plain="Grüße", html="<p>Grüße</p>"))
    assert mail.get_content_type() == "multipart/alternative"
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert parts[0].get_content().strip() == "Grüße"
    assert parts[1].get_content().strip() == "<p>Grüße</p>"


def test_it_is_seven_bits_and_no_line_is_too_long():
    raw = build(plain="ü" * 5_000, html="x" * 5_000, subject="ü" * 140).as_bytes(
        policy=message.POLICY
    )
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1


def test_names_are_encoded():
    mail = build(name="Žofie Ünal", site="Příklad „Daily“", subject="Čeká komentář 🎉")
    assert mail.as_bytes().isascii()
    seen = arrived(mail)
    assert seen["To"].addresses[0].display_name == "Žofie Ünal"
    assert seen["From"].addresses[0].display_name == "Příklad „Daily“"
    assert seen["Subject"] == "Čeká komentář 🎉"


def test_leaving_is_one_click():
    mail = build(leave_url="https://c.example/leave/abc")
    assert mail["List-Unsubscribe"] == "<https://c.example/leave/abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "evil",
    [
        "Hi\r\nBcc: all@example.org",
        "Hi\nBcc: all@example.org",
        "Hi\r\n\r\nA body",
        "Hi\u2028Bcc: all@example.org",
        "Hi\x0bBcc: all@example.org",
        "Hi\x85Bcc: all@example.org",
        "=?utf-8?q?Hi=0D=0ABcc:_all@example.org?=",
        '" <all@example.org>, "',
        "\ud800",
    ],
)
@pytest.mark.parametrize("where", ["name", "subject", "site"])
def test_no_header_can_be_injected(evil, where):
    mail = build(**{where: evil})
    seen = arrived(mail)
    assert set(seen.keys()) == HEADERS
    assert [a.addr_spec for a in seen["To"].addresses] == ["mo@daily.example"]
    assert [a.addr_spec for a in seen["From"].addresses] == ["us@service.example"]


@given(name=st.text(max_size=120), subject=st.text(max_size=300), site=st.text(max_size=120))
def test_whatever_is_typed_stays_in_its_header(name, subject, site):
    raw = build(name=name, subject=subject, site=site).as_bytes(policy=message.POLICY)
    seen = message_from_bytes(raw, policy=SMTP)
    assert set(seen.keys()) == HEADERS
    assert [a.addr_spec for a in seen["To"].addresses] == ["mo@daily.example"]
    assert [a.addr_spec for a in seen["From"].addresses] == ["us@service.example"]
    assert seen.get_body(["plain"]).get_content().strip() == "Hello."


def test_a_long_subject_is_cut():
    assert len(build(subject="word " * 100)["Subject"]) <= message.LONGEST_SUBJECT


def test_a_domain_in_other_letters_is_spelt_as_dns_does():
    assert build(address="mo@bücher.example")["To"].addresses[0].domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address", ["mo", "", "a b@example.org", "mo@a\r\nBcc: x@example.org", "@", "mo@"]
)
def test_what_is_no_address_gets_no_mail(address):
    with pytest.raises(message.Unsendable):
        build(address=address)


def test_a_long_address_in_a_header_stays_one():
    url = f"https://c.example/leave/{'x' * 300}"
    mail = build(leave_url=url)
    for policy in (None, SMTP, SMTP.clone(utf8=True)):
        assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in mail.as_bytes(policy=policy)


def test_no_line_break_gets_into_one():
    with pytest.raises(ValueError, match="linefeed"):
        build(leave_url="https://c.example/\r\nBcc: all@daily.example")
