import pytest

from service.rules import Draft, History, Policy, judge
from service.status import Mode

ON = Policy(mode=Mode.HOLD_CAUGHT, tuned={"throwaway_address": {"on": True}})


@pytest.mark.parametrize(
    ("domain", "fires"),
    [
        ("yopmail.com", True),
        ("MAIL.YopMail.com.", True),
        ("notyopmail.com", False),
        ("example.org", False),
        ("com", False),
        ("", False),
        ("a..b", False),
        ("x" * 300 + ".com", False),
    ],
)
def test_it_knows_throwaway_domains_and_never_names_them(domain, fires):
    found = judge(Draft("Rita", "Hi", mail_domain=domain), History(), ON).reasons
    assert [(one.rule, one.matched) for one in found] == [("throwaway_address", "")] * fires


def test_it_is_off_unless_asked_for():
    draft = Draft("Rita", "Hi", mail_domain="yopmail.com")
    assert not judge(draft, History(), Policy(mode=Mode.HOLD_CAUGHT)).reasons
