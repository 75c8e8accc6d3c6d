"""A refusal is held against an address only where it says that the address takes no mail."""

import pytest

from service.mail.refusals import is_of_address, tells_of_address


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (550, "5.1.1 The email account that you tried to reach does not exist."),
        (550, "5.1.1 <[address]>: Recipient address rejected: User unknown in virtual table"),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        (553, "5.1.2 We weren't able to find the recipient domain."),
        (501, "5.1.3 Bad recipient address syntax"),
        (550, "5.1.6 has moved"),
        (556, "5.1.10 Recipient address has null MX"),
        (550, "5.2.1 The email account that you tried to reach is disabled."),
        (550, "5.4.4 no route to that domain"),
        (550, "5.1.1 blocked mailbox"),  # the code is plainer than the words
        (550, "No such user here"),
        (550, "Requested action not taken: mailbox unavailable"),
        (550, ""),
        (551, "User not local"),
        (553, "sorry, no mailbox here by that name"),
    ],
)
def test_the_address_takes_no_mail(code, words):
    assert is_of_address(code, words)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (550, "5.7.1 Message rejected due to our policy"),
        (550, "5.7.26 This mail is unauthenticated"),
        (554, "5.7.1 Service unavailable; client host blocked using a list"),
        (552, "5.2.2 The recipient's mailbox is full"),
        (552, "5.2.3 Message too large"),
        (553, "5.1.8 Sender address rejected: Domain not found"),
        (553, "5.1.7 Bad sender's mailbox address syntax"),
        (550, "5.1.0 Address rejected"),
        (550, "5.3.2 System not accepting network messages"),
        (550, "5.4.1 No answer from host"),
        (550, "5.5.1 Command unrecognised"),
        (550, "5.6.7 Addresses with such letters are not permitted"),
        (550, "Blocked: see the blacklist"),
        (550, "SPF check failed"),
        (550, "Access denied"),
        (553, "that domain isn't in my list of allowed rcpthosts"),
        (554, "Transaction failed"),
        (552, "Mailbox quota exceeded"),
        (450, "4.1.1 unverified address"),
        (450, "5.1.1 no such user"),  # for now, whatever else it says
        (550, "4.2.1 mailbox busy"),
        (250, "5.1.1"),
    ],
)
def test_it_may_be_about_us(code, words):
    assert not is_of_address(code, words)


@pytest.mark.parametrize(
    ("status", "diagnostic", "is_said"),
    [
        ("5.1.1", "smtp; 550 no", True),
        ("5.1.1 (bad destination)", "", True),
        ("5.4.4", "", True),
        ("5.0.0", "smtp; 550 5.1.1 nobody", True),
        ("5.0.0", "smtp; 550-5.2.1 switched off", True),
        ("5.0.0", "smtp; 550 no such user", True),
        ("", "smtp; 550 5.1.1 nobody", True),
        ("5.0.0", "smtp; 550 5.7.1 spam", False),
        ("5.0.0", "smtp; 554 no", False),
        ("5.0.0", "X-Postfix; unknown", False),
        ("5.7.1", "smtp; 550 5.1.1 nobody", False),
        ("5.2.2", "smtp; 552 full", False),
        ("4.4.1", "smtp; 550 5.1.1 nobody", False),
        ("2.0.0", "", False),
        ("nonsense", "nonsense", False),
        ("", "at 10.5.1.1 nobody answered", False),
    ],
)
def test_a_report_says_it_by_its_status_or_by_what_it_quotes(status, diagnostic, is_said):
    assert tells_of_address(status, diagnostic) == is_said
