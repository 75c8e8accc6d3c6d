"""Behind proxies: a client's address is taken from exactly as many hops as the settings say."""

import pytest
from cast import ARTICLE, RITA, SITE, add_site, stored, token

from service import database
from service.models import Ban
from service.status import BanKind, Status
from service.views import limits

PEER = "192.0.2.1"  # who connects
PEERS = "192.0.2.0/24"
MOST = int(limits.POSTING.split()[0])


@pytest.fixture
def behind(make_app):
    """An application behind so many proxies, with limits if asked."""

    def make(hops, rates="off"):
        app = make_app(TRUSTED_PROXIES=hops, RATE_LIMITS=rates)
        return app, add_site(app)

    return make


def send(app, forwarded, comment="Hear, hear."):
    sent = RITA | {"url": ARTICLE, "token": token(app), "comment": comment}
    headers = [("X-Forwarded-For", one) for one in forwarded]
    where = {"REMOTE_ADDR": PEER}
    client = app.test_client()
    return client.post(f"/embed/{SITE}/comments", data=sent, headers=headers, environ_base=where)


@pytest.mark.parametrize(
    ("hops", "forwarded", "network"),
    [
        (0, [], PEERS),
        (0, ["203.0.113.9"], PEERS),
        (1, [], PEERS),
        (1, [""], PEERS),
        (1, ["203.0.113.9"], "203.0.113.0/24"),
        (1, ["198.51.100.1, 203.0.113.9"], "203.0.113.0/24"),
        (1, ["198.51.100.1", "203.0.113.9"], "203.0.113.0/24"),  # two headers are one list
        (1, ["127.0.0.1,203.0.113.9"], "203.0.113.0/24"),
        (2, ["203.0.113.9, 10.0.0.1"], "203.0.113.0/24"),
        (2, ["198.51.100.1, 203.0.113.9, 10.0.0.1"], "203.0.113.0/24"),
        (2, ["203.0.113.9"], PEERS),  # fewer than said: nothing of it can be trusted
        (1, ["2001:db8:1:2::9"], "2001:db8:1::/48"),
        (1, ["[2001:db8:1:2::9]"], "2001:db8:1::/48"),
        (1, ["[2001:db8:1:2::9]:4711"], "2001:db8:1::/48"),
        (1, ["203.0.113.9:4711"], "203.0.113.0/24"),
        (1, ["::ffff:203.0.113.9"], "203.0.113.0/24"),
        (1, ["unknown"], ""),
        (1, ["203.0.113.9, unknown"], ""),
        (1, ["198.51.100.1, <script>"], ""),
        (1, ["203.0.113.999:80"], ""),
    ],
)
def test_the_network_stored_is_of_exactly_that_hop(behind, hops, forwarded, network):
    app, _ = behind(hops)
    assert send(app, forwarded).status_code == 303
    assert stored(app)[0].network == network


@pytest.mark.parametrize(
    ("hops", "forwarded", "is_banned"),
    [
        (1, ["203.0.113.9"], True),
        (1, ["203.0.113.9:4711"], True),
        (2, ["203.0.113.9, 10.0.0.1"], True),
        (1, ["203.0.113.9, 198.51.100.1"], False),
        (0, ["203.0.113.9"], False),
        (2, ["203.0.113.9"], False),
    ],
)
def test_a_ban_looks_at_exactly_that_hop(behind, hops, forwarded, is_banned):
    app, site_id = behind(hops)
    with app.app_context(), database.writing() as session:
        banned = {"kind": BanKind.NETWORK, "value": "203.0.113.0/24"}
        session.add(Ban(site_id=site_id, by="Mo", **banned))
    send(app, forwarded)
    assert (stored(app)[0].status == Status.SPAM) == is_banned


@pytest.mark.parametrize(
    ("hops", "forwarded", "is_one"),
    [
        (0, "203.0.113.{}", True),
        (1, "203.0.113.{}", False),
        (1, "198.51.100.{}, 203.0.113.9", True),
        (2, "203.0.113.{}, 10.0.0.1", False),
        (2, "203.0.113.{}", True),
        (1, "203.0.113.9:{}", True),
        (1, "[2001:db8:1:2::9]:{}", True),
        (1, "2001:db8:1:2::{}", True),  # a household chooses these by itself
        (1, "2001:db8:1:{}::9", False),
        (1, "::ffff:203.0.113.{}", False),
    ],
)
def test_a_limit_counts_exactly_that_hop(behind, hops, forwarded, is_one):
    app, _ = behind(hops, "on")
    answers = [send(app, [forwarded.format(n)], f"No. {n}").status_code for n in range(1, MOST + 2)]
    assert answers == [303] * MOST + [429 if is_one else 303]
