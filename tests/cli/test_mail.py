"""`flask mail test` says step by step what happened, and what DNS says of the sender's domain."""

import pytest
from dns.resolver import NXDOMAIN, NoNameservers
from mailserver import mail_server

from service.cli import mail as command
from service.cli import worker
from service.mail import domain


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
