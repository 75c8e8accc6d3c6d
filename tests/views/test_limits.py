"""How often one network may knock: every door says when to try again, and keeps the text."""

import json
import shutil
import socket
import subprocess
import sys
import time

import pytest
from cast import ARTICLE, SITE, add_site, reply, stored, token
from conftest import SETTINGS
from sqlalchemy import update

from service import database
from service.models import Comment
from service.status import Status
from service.views import limits

TYPED = "What I typed."
# Each door of readers that takes a POST, with what is sent there.
DOORS = {
    "reader.submit": ("/embed/daily/comments", {"comment": TYPED}),
    "reader.preview": ("/embed/daily/preview", {"comment": TYPED}),
    "receipts.edit": ("{receipt}/edit", {"comment": TYPED}),
    "receipts.withdraw": ("{receipt}/withdraw", {}),
    "participation.like": ("/embed/daily/comments/{id}/like", {}),
    "follow.confirm": ("/letters/confirm/none", {}),
    "follow.refuse": ("/letters/never/none", {}),
    "follow.leave": ("/letters/leave/none", {}),
    "participation.report": ("/embed/daily/comments/{id}/report", {"explanation": TYPED}),
}
NOT_READERS = ("desk.", "by_mail.", "security.", "accounts.", "people.", "me.")


@pytest.fixture
def limited(make_app):
    app = make_app(RATE_LIMITS="on")
    add_site(app)
    return app


def knock(client, path, sent):
    """Sends until it is too often; the answer to that."""
    for _ in range(100):
        answer = client.post(path, data=sent)
        if answer.status_code == 429:
            return answer
    raise AssertionError("There is no limit.")


def test_these_are_all_doors(app):
    doors = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    readers = {door for door in doors if not door.startswith(NOT_READERS)}
    assert readers == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_too_many_keep_their_text_and_learn_when_to_try_again(limited, door):
    client = limited.test_client()
    receipt = reply(limited, client, comment="The first.").location.partition("?")[0]
    if door.startswith("participation"):
        with limited.app_context(), database.writing() as session:
            session.execute(update(Comment).values(status=Status.APPROVED))
    path, sent = DOORS[door]
    path = path.format(receipt=receipt, id=stored(limited)[0].public_id)
    answer = knock(client, path, sent | {"url": ARTICLE, "token": token(limited)})
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert (TYPED in answer.text) == (TYPED in sent.values())
    if sent:
        assert "try again in 5 minutes" in answer.text


@pytest.mark.parametrize("door", DOORS)
def test_where_there_is_no_page_it_is_said_plainly(limited, door):
    path = DOORS[door][0].format(receipt="/receipts/none", id="none").replace(SITE, "nowhere")
    answer = knock(limited.test_client(), path, {})
    assert 0 < int(answer.headers["Retry-After"]) <= 300


# Processes. Each reports a comment that is not there, twelve times; ten are let through.

KNOCKS = """
import json, sys
from service import create_app
client = create_app(**json.loads(sys.argv[1])).test_client()
path = "/embed/daily/comments/none/report"
print(json.dumps([client.post(path).status_code for _ in range(12)]))
"""
LET_THROUGH = [404] * int(limits.REPORTING.split()[0])
REFUSED = [429] * 12


@pytest.fixture
def another_process(database_url, tmp_path):
    def knock(redis_url=""):
        given = {"DATABASE_URL": database_url, "INSTANCE": str(tmp_path), "REDIS_URL": redis_url}
        settings = json.dumps(SETTINGS | given | {"RATE_LIMITS": "on"})
        command = [sys.executable, "-c", KNOCKS, settings]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return knock


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def redis(tmp_path):
    """The URL of a real Redis."""
    server = shutil.which("redis-server") or pytest.skip("there is no redis-server here")
    port = free_port()
    options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path), "--port", str(port)]
    with subprocess.Popen([server, *options], stdout=subprocess.DEVNULL) as running:
        for _ in range(100):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
        running.terminate()


@pytest.mark.long
def test_in_memory_each_process_counts_by_itself(another_process):
    expected = (LET_THROUGH + REFUSED)[:12]
    assert [another_process(), another_process()] == [expected, expected]


@pytest.mark.long
def test_in_redis_all_processes_count_together(another_process, redis):
    expected = (LET_THROUGH + REFUSED)[:12]
    assert [another_process(redis), another_process(redis)] == [expected, REFUSED]


@pytest.mark.long
def test_without_its_redis_each_counts_by_itself_and_refuses_nobody(another_process):
    expected = (LET_THROUGH + REFUSED)[:12]
    assert another_process(f"redis://127.0.0.1:{free_port()}/0") == expected
