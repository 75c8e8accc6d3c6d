"""The mail server: spoken to safely, and understood when it refuses."""

import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
from mailserver import mail_server, make_certificate

from service.mail import Post, Recipient, message, smtp
from service.mail.smtp import Line, Said, Server, Unusable, without

AT = datetime(2026, 3, 4, 10, 20, tzinfo=UTC)
POST = Post("https://comments.example", "us@service.example", "", "", None, None)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate, monkeypatch):
    """The machine trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


def mail(address="mo@daily.example"):
    made = message.empty(POST, "Daily", Recipient("Mo", address), "Hi", "<1@daily.example>", AT)
    made.set_content("Hello.\n")
    return made


def send(url, address="mo@daily.example", steps=None):
    with Line(Server.of(url), POST.sender, (steps if steps is not None else []).append) as line:
        return line.send(mail(address), address)


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("smtp://mail.example", "mail.example", 25, ""),
        ("smtp://me:secret@mail.example", "mail.example", 587, "me"),
        (
            "smtp://me%40example.org:s%2Fcret@mail.example:2525",
            "mail.example",
            2525,
            "me@example.org",
        ),
        ("smtps://mail.example", "mail.example", 465, ""),
        ("smtp+plain://[::1]:1025", "::1", 1025, ""),
    ],
)
def test_a_url_names_a_server(url, host, port, user):
    server = Server.of(url)
    assert (server.host, server.port, server.user) == (host, port, user)
    assert "cret" not in repr(server)


def test_it_encrypts_where_the_server_offers_it(certificate, trusted):
    steps = []
    with mail_server(certificate) as mailbox:
        assert send(f"smtp://localhost:{mailbox.port}", steps=steps).said == Said.TAKEN
    assert any("STARTTLS" in step for step in steps)


def test_it_encrypts_from_the_start(certificate, trusted):
    with mail_server(certificate, is_wrapped=True) as mailbox:
        assert send(f"smtps://localhost:{mailbox.port}").said == Said.TAKEN
        assert len(mailbox.mails) == 1


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_certificate_that_nobody_trusts_gets_no_mail(certificate, is_wrapped):
    with mail_server(certificate, is_wrapped) as mailbox:
        scheme = "smtps" if is_wrapped else "smtp"
        with pytest.raises(Unusable, match="certificate is not valid"):
            send(f"{scheme}://localhost:{mailbox.port}")
        assert mailbox.mails == []


def test_nor_does_one_of_another_host(certificate, trusted):
    with mail_server(certificate) as mailbox:
        with pytest.raises(Unusable, match="certificate is not valid"):
            send(f"smtp://127.0.0.1:{mailbox.port}")
        assert mailbox.mails == []


def test_plain_means_plain(certificate):
    steps = []
    with mail_server(certificate) as mailbox:
        assert send(f"smtp+plain://127.0.0.1:{mailbox.port}", steps=steps).said == Said.TAKEN
    assert "Not encrypted." in steps


def test_it_signs_in(certificate, trusted):
    with mail_server(certificate, user="me", password="s/cret") as mailbox:
        assert send(f"smtp://me:s%2Fcret@localhost:{mailbox.port}").said == Said.TAKEN


def test_a_wrong_password_is_no_letter_s_fault(certificate, trusted):
    with mail_server(certificate, user="me", password="right") as mailbox:
        with pytest.raises(Unusable, match="sign in") as raised:
            send(f"smtp://me:wrong@localhost:{mailbox.port}")
        assert "wrong" not in str(raised.value)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_no_password_goes_over_an_open_line(monkeypatch):
    """Somebody on the way may have cut out the offer of encryption."""
    monkeypatch.setattr(smtp, "LOOPBACK", ())
    refused = pytest.raises(Unusable, match="no encryption")
    with mail_server(user="me", password="s") as mailbox, refused:
        send(f"smtp://me:s@127.0.0.1:{mailbox.port}")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("550 no such user", Said.NEVER),
        ("554 spam", Said.NEVER),
        ("450 greylisted", Said.LATER),
        ("421 closing", Said.LATER),
    ],
)
@pytest.mark.parametrize("where", ["address", "mail"])
def test_what_a_refusal_means(answer, said, where):
    with mail_server() as mailbox:
        if where == "address":
            mailbox.refuses["mo@daily.example"] = answer
        else:
            mailbox.after = answer
        assert send(f"smtp://127.0.0.1:{mailbox.port}").said == said


def test_after_a_refusal_the_same_line_takes_the_next_one():
    with mail_server() as mailbox:
        mailbox.refuses["mo@daily.example"] = "550 no"
        with Line(Server.of(f"smtp://127.0.0.1:{mailbox.port}"), POST.sender) as line:
            assert line.send(mail(), "mo@daily.example").said == Said.NEVER
            assert line.send(mail("ann@daily.example"), "ann@daily.example").said == Said.TAKEN
            assert line.send(mail("bob@daily.example"), "bob@daily.example").said == Said.TAKEN
        assert len(mailbox.peers) == 1


def test_a_line_that_breaks_is_opened_anew():
    with mail_server() as mailbox:
        mailbox.refuses["mo@daily.example"] = "421 closing"
        with Line(Server.of(f"smtp://127.0.0.1:{mailbox.port}"), POST.sender) as line:
            assert line.send(mail(), "mo@daily.example").said == Said.LATER
            assert line.send(mail("ann@daily.example"), "ann@daily.example").said == Said.TAKEN


def test_an_address_in_other_letters_goes_where_the_server_takes_such():
    with mail_server() as mailbox:
        url = f"smtp://127.0.0.1:{mailbox.port}"
        assert send(url, "用户@daily.example").said == Said.TAKEN
        assert mailbox.envelopes[0][1] == ["用户@daily.example"]


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    refused = pytest.raises(Unusable, match="no answer in time")
    with socket.create_server(("127.0.0.1", 0)) as silent, refused:
        send(f"smtp://127.0.0.1:{silent.getsockname()[1]}")


def test_a_server_that_talks_nonsense_is_unusable():
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def talk():
            line, _ = odd.accept()
            with line:
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(Unusable):
            send(f"smtp://127.0.0.1:{odd.getsockname()[1]}")
        thread.join()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (b"5.1.1 <jane@example.org>: unknown", "550 5.1.1 [address]: unknown"),
        (b"mailbox jane is full", "550 mailbox [address] is full"),
        (
            b"JANE@EXAMPLE.ORG refused, ask other@example.net.",
            "550 [address] refused, ask [address].",
        ),
        (b"a\r\nb\x00\x1b[31mc", "550 a b [31mc"),
        (b"janet is not jane", "550 janet is not [address]"),
        ("é".encode("latin-1"), "550 �"),
    ],
)
def test_what_a_server_says_is_kept_without_addresses(words, kept):
    assert without(words, 550, "jane@example.org") == kept


def test_the_longest_answer_is_cut():
    assert len(without(b"x" * 5_000, 550)) == smtp.LONGEST_ANSWER


def test_the_context_checks_certificates():
    context = smtp._trusting()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
