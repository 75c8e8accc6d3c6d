import json

import pytest
from cast import ARTICLE
from dns.resolver import NXDOMAIN

from service.site_settings import SiteSettings
from service.tokens import FormTokens, Signer
from service.views.forms import ReplyForm

TOKENS = FormTokens(Signer(["s"]), "daily", ARTICLE)
TYPED = {"name": "Rita", "email": "rita@example.org", "comment": "Hear, hear."}


@pytest.fixture
def refused(make_app):
    """The fields that a form would refuse."""
    app = make_app()

    def refused(**typed):
        sent = TYPED | {"token": TOKENS.for_page()} | typed
        with app.test_request_context(method="POST", data=sent):
            form = ReplyForm(TOKENS, SiteSettings())
            form.validate()
            return set(form.errors)

    return refused


@pytest.fixture
def database_url(migrated_file):
    """Forms know no database: one kind is enough."""
    return f"sqlite:///{migrated_file}"


def test_what_people_type_is_taken(refused):
    assert refused() == set()
    assert refused(name="Müller-Lüdenscheidt, 3rd", website="example.org") == set()
    assert refused(name="안녕", comment="안녕하세요") == set()
    assert refused(name="🦊") == set()
    assert refused(email="用户@例子.广告") == set()


@pytest.mark.parametrize("name", ["\u200d", "\u00ad", "\u2800", "\u2066x", "a\x00b", "x@y.example"])
def test_a_name_that_hides_or_tells_too_much_is_refused(refused, name):
    assert refused(name=name) == {"name"}


def test_addresses_of_all_kinds_get_the_verdict_of_a_comment_form(refused, corpora):
    """Corpus: `form` says what a web comment form should do with each."""
    cases = json.loads((corpora / "emails" / "emails_dev.json").read_text("utf-8"))
    wrong = [
        case["address"]
        for case in cases
        if (case["form"] == "reject") != ("email" in refused(email=case["address"]))
    ]
    # One is open to argument: an A-label that decodes to nothing (xn--example).
    assert len(wrong) <= 1, wrong


def test_naughty_strings_are_taken_or_refused_but_never_break_it(refused, corpora):
    cases = json.loads((corpora / "naughty_strings.json").read_text("utf-8"))
    for case in cases:
        typed = case["string"]
        refused(name=typed, email=typed, website=typed, comment=typed)


@pytest.mark.parametrize(("cause", "is_refused"), [(NXDOMAIN(), True), (OSError("down"), False)])
def test_dns_is_asked_only_by_setting_and_blocks_nobody_while_it_is_down(
    make_app, monkeypatch, cause, is_refused
):
    """No name server can be reached from a test, so the resolver's answer is set."""

    def resolve(*_):
        raise cause

    monkeypatch.setattr("dns.resolver.Resolver.resolve", resolve)
    sent = TYPED | {"token": TOKENS.for_page()}
    for setting in ("on", "off"):
        with make_app(CHECK_DNS=setting).test_request_context(method="POST", data=sent):
            form = ReplyForm(TOKENS, SiteSettings())
            form.validate()
            assert ("email" in form.errors) is (is_refused and setting == "on")
