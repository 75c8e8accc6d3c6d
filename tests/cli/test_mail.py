"""`flask mail test` says step by step what happened, and what DNS says of the sender's domain;
`flask mail returned` takes in what came back."""

import pytest
from dns.resolver import NXDOMAIN, NoNameservers
from letterbox import RITA, acquaint, all_letters, is_marked, states, work, write
from mailserver import mail_server
from sqlalchemy import select

from service import database
from service.cli import mail as command
from service.cli import worker
from service.mail import domain
from service.models import Unwanted
from service.status import LetterState, Why


class Row:
    def __init__(self, text):
        self.strings = [text[:200].encode(), text[200:].encode()]


class Records:
    """A name server that knows these."""

    lifetime = 0.0

    def __init__(self, records):
        self.records = records

    def resolve(self, name, kind):
        assert kind == "TXT"
        found = self.records.get(name, [])
        if found is None:
            raise NoNameservers
        if not found:
            raise NXDOMAIN
        return [Row(text) for text in found]


GOOD = {
    "service.example": ["google-site-verification=x", "v=spf1 mx -all"],
    "_dmarc.service.example": ["v=DMARC1; p=reject"],
    "s1._domainkey.service.example": ["v=DKIM1; k=rsa; p=" + "MIIB" * 90],
}


@pytest.fixture
def dns(monkeypatch):
    records = dict(GOOD)
    monkeypatch.setattr(domain, "Resolver", lambda: Records(records))
    return records


@pytest.fixture
def mailbox():
    with mail_server() as started:
        yield started


@pytest.fixture
def flask(make_app, mailbox, dns):
    def run(*words, **settings):
        given = {
            "MAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
            "MAIL_FROM": "Comments <comments@service.example>",
        }
        return make_app(**given | settings).test_cli_runner().invoke(args=["mail", "test", *words])

    return run


def test_it_says_what_happened_step_by_step(flask, mailbox):
    result = flask("mo@daily.example", "--selector", "s1")
    assert result.exit_code == 0, result.output
    for said in (
        "From comments@service.example",
        "Connected to 127.0.0.1",
        "Not encrypted",
        "accepted: 250",
        "SPF: v=spf1 mx -all",
        "DKIM: there is a key at s1._domainkey.service.example",
        "DMARC: v=DMARC1; p=reject",
    ):
        assert said in result.output
    assert mailbox.envelopes == [("comments@service.example", ["mo@daily.example"])]


def test_what_is_missing_is_named(flask):
    for name in ("MAIL_URL", "MAIL_FROM"):
        result = flask("mo@daily.example", **{name: ""})
        assert result.exit_code == 1
        assert f"{name} is not set" in result.output


def test_a_letter_that_is_refused_is_a_failure(flask, mailbox):
    mailbox.refuses["mo@daily.example"] = "550 no such user"
    result = flask("mo@daily.example")
    assert result.exit_code == 1
    assert "refused the letter for good: 550 no such user" in result.output


def test_so_is_a_server_that_is_not_there(flask):
    result = flask("mo@daily.example", MAIL_URL="smtp://127.0.0.1:1")
    assert result.exit_code == 1
    assert "127.0.0.1:1 does not answer" in result.output


def test_what_is_no_address_is_wrong_usage(flask):
    assert flask("mo").exit_code == 2


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ({"service.example": []}, "does not say which servers send for it"),
        ({"service.example": ["v=spf1 -all", "v=spf1 mx"]}, "2 records"),
        ({"service.example": ["v=spf1 +all"]}, "lets every server"),
        ({"_dmarc.service.example": []}, "does not say what to do"),
        ({"s1._domainkey.service.example": []}, "there is no key"),
        ({"s1._domainkey.service.example": ["v=DKIM1; p="]}, "withdrawn"),
    ],
)
def test_what_dns_lacks_is_said(dns, records, says):
    found = domain.look("service.example", "s1", Records(GOOD | records))
    (bad,) = [finding for finding in found if not finding.is_good]
    assert says in bad.says


def test_a_domain_above_speaks_for_those_below_it():
    records = {"_dmarc.service.example": ["v=DMARC1; p=none"]}
    assert domain.look("mail.service.example", "", Records(records))[2].is_good


def test_a_name_server_that_is_down_is_said():
    (found,) = domain.look("service.example", "", Records({"service.example": None}))
    assert "did not answer" in found.says


def test_the_worker_empties_the_outbox():
    assert command.send_letters in worker.TASKS


# What came back

GONE = """Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; somebody.else@example.org
Action: {action}
Status: 5.1.1

--x
Content-Type: text/rfc822-headers

{headers}
--x--
"""
ABUSE = """Content-Type: multipart/report; report-type=feedback-report; boundary="x"

--x
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1

--x
Content-Type: message/rfc822

{headers}

Hello
--x--
"""


@pytest.fixture
def sent(make_app, mailbox, monkeypatch):
    """A service that has sent Rita a letter, and has another one for her on each of two sites."""
    app = make_app(
        MAIL_URL=f"smtp://127.0.0.1:{mailbox.port}",
        MAIL_FROM="comments@service.example",
        MAIL_BOUNCES="bounces@service.example",
        BASE_URL="https://comments.example",
    )
    acquaint(app, monkeypatch)
    write(app, 1)
    work(app)
    write(app, 1)
    write(app, 1, "weekly")
    return app


def come_back(app, template, headers="", action="failed", words=("-",)):
    raw = template.format(headers=headers, action=action)
    return app.test_cli_runner().invoke(args=["mail", "returned", *words], input=raw)


def headers_of(mailbox):
    """The headers of the letter that arrived, as a mail server returns them."""
    return mailbox.raw[0].decode().partition("\r\n\r\n")[0].replace("\r\n", "\n")


def test_a_letter_that_comes_back_marks_the_address_that_it_went_to(sent, mailbox):
    result = come_back(sent, GONE, headers_of(mailbox))
    assert (result.exit_code, result.output.count("\n")) == (0, 1)
    assert "its address takes no mail" in result.output
    assert "example.org" not in result.output
    assert is_marked(sent) == [True, False]
    dropped = (LetterState.DROPPED, Why.RETURNED)
    assert states(sent)[1:] == [dropped, (LetterState.QUEUED, None)]
    assert come_back(sent, GONE, headers_of(mailbox)).exit_code == 0


def test_it_may_lie_in_a_file(sent, mailbox, tmp_path):
    kept = tmp_path / "returned.eml"
    kept.write_text(GONE.format(headers=headers_of(mailbox), action="failed"))
    assert come_back(sent, "", words=[str(kept)]).exit_code == 0
    assert is_marked(sent) == [True, False]
    assert come_back(sent, "", words=[str(tmp_path / "none")]).exit_code == 2


def test_a_letter_that_is_late_is_left_alone(sent, mailbox):
    result = come_back(sent, GONE, headers_of(mailbox), action="delayed")
    assert (result.exit_code, is_marked(sent)) == (0, [False, False])
    assert "nothing is done" in result.output


def test_without_the_letter_s_own_message_id_nothing_is_believed(sent, mailbox):
    """Anybody can write down somebody's address."""
    forged = f"To: {RITA}\nMessage-ID: <000000000000000000000000@daily.example>"
    for headers in (forged, f"To: {RITA}", "In-Reply-To: " + mailbox.ids[0]):
        for template in (GONE, ABUSE):
            result = come_back(sent, template, headers)
            assert result.exit_code == 1
            assert result.stderr.count("\n") == 1
    assert is_marked(sent) == [False, False]
    assert states(sent)[1:] == [(LetterState.QUEUED, None)] * 2


def test_a_complaint_ends_all_letters_to_the_address_on_every_site(sent, mailbox):
    result = come_back(sent, ABUSE, headers_of(mailbox))
    assert result.exit_code == 0
    assert "a complaint" in result.output
    assert states(sent)[1:] == [(LetterState.DROPPED, Why.NEVER)] * 2
    with sent.app_context():
        assert len(database.session().scalars(select(Unwanted)).all()) == 1


def test_what_is_no_returned_mail_is_said(sent):
    result = come_back(sent, "Subject: Hello\n\nHow are you?\n")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "not understood" in result.stderr


def test_undelivered_mail_is_asked_back_where_the_operator_wants_it(sent, mailbox, flask):
    assert mailbox.envelopes[0][0] == "bounces@service.example"
    assert mailbox.mails[0]["From"].addresses[0].addr_spec == "comments@service.example"
    assert len(all_letters(sent)) == 3
    flask("mo@daily.example", MAIL_BOUNCES="Returned <back@service.example>")
    assert mailbox.envelopes[-1][0] == "back@service.example"
