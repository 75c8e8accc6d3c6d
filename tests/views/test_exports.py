"""A site's comments as a file: who gets it, what is in it, and what is on record."""

import json
import threading
import time
from dataclasses import replace

import pytest
from cast import RITA, SITE, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from sqlalchemy import update

from service import database
from service.exchange import formats, taking
from service.models import Author
from service.status import Role

PAGE = f"/desk/sites/{SITE}/export"


@pytest.fixture
def pia(app, daily, waiting):
    """Pia, who publishes The Daily, where a reply of Rita's waits."""
    pia_id = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), pia_id)


@pytest.fixture
def ada(app, daily, waiting):
    """Ada, who administers, just signed in."""
    ada_id = add_moderator(app, "ada@daily.example", site=None, role=Role.ADMIN)
    return sign_in(app, app.test_client(), ada_id)


def take(client, **fields):
    return client.post(PAGE, data={"csrf_token": csrf(client.get(PAGE).text), **fields})


def test_every_comment_is_in_the_file_and_no_address(app, pia):
    sent = take(pia, format="json")
    assert sent.status_code == 200
    assert sent.mimetype == "application/jsonl"
    named = sent.headers["Content-Disposition"]
    assert (
        named
        == f'attachment; filename="comments-{SITE}-{time.strftime("%Y-%m-%d", time.gmtime())}.jsonl"'
    )
    assert sent.headers["Cache-Control"] == "no-store"
    (line,) = map(json.loads, sent.text.splitlines())
    assert (line["author"], line["status"], line["text"]) == ("Rita", "pending", RITA["comment"])
    assert "email" not in line
    assert RITA["email"] not in sent.text
    (event,) = on_record(app)
    assert (event.what, event.by) == ("comments_exported", "pia")
    assert "pia took the comments along." in pia.get("/desk/audit/").text


def test_it_says_how_many_there_are(app, pia):
    assert "One file with the site’s only comment" in pia.get(PAGE).text
    reply(app, app.test_client(), comment="One more.")
    assert "One file with all 2 comments of the site" in pia.get(PAGE).text


def test_it_says_that_there_is_none_yet(app, pia, another):
    add_site(app, "weekly", "https://weekly.example")
    eve = another("eve", site="weekly", role=Role.PUBLISHER)
    assert "no comment on this site yet" in eve.get("/desk/sites/weekly/export").text


def test_it_holds_no_other_site_s(app, pia):
    add_site(app, "weekly", "https://weekly.example")
    sent = reply(app, app.test_client(), "weekly", url="https://weekly.example/x", comment="Else.")
    assert sent.status_code == 303
    assert "Else." not in take(pia, format="json").text


def test_a_publisher_is_offered_no_addresses_and_gets_none(app, pia):
    assert "has_emails" not in pia.get(PAGE).text
    refused = take(pia, format="json", has_emails="y")
    assert refused.status_code == 403
    assert RITA["email"] not in refused.text
    assert on_record(app) == []


def test_an_admin_takes_addresses_along_on_the_record(app, ada):
    sent = take(ada, format="json", has_emails="y")
    assert json.loads(sent.text)["email"] == RITA["email"]
    assert [event.what for event in on_record(app)] == ["addresses_exported"]


def test_an_admin_who_signed_in_a_while_ago_says_who_they_are_first(app, ada):
    with ada.session_transaction(path="/desk") as session:
        session["fs_paa"] = time.time() - 3_600
    assert "asked who you are first" in ada.get(PAGE).text
    sent = take(ada, format="json", has_emails="y")
    assert sent.status_code == 303
    assert sent.location.startswith("/desk/me/verify?next=")
    assert on_record(app) == []
    assert take(ada, format="json").status_code == 200  # without addresses nobody is asked


def test_an_address_under_a_lost_key_stops_it_before_it_begins(app, ada):
    with app.app_context(), database.writing() as session:
        session.execute(update(Author).values(email_key_id="0ddkey00"))
    sent = take(ada, format="json", has_emails="y")
    assert sent.status_code == 409
    assert "hidden under the key 0ddkey00" in sent.text
    assert "Content-Disposition" not in sent.headers
    assert on_record(app) == []


def test_one_that_breaks_off_cannot_be_taken_for_whole(app, pia, monkeypatch):
    real = formats.WRITERS["json"]

    def lines(*given):
        yield from real.lines(*given)
        raise OSError("the disk is gone")

    broken = replace(real, lines=lines)
    monkeypatch.setitem(formats.WRITERS, "json", broken)
    sent = pia.post(
        PAGE,
        data={"csrf_token": csrf(pia.get(PAGE).text), "format": "json"},
        buffered=False,
    )
    got = []
    with pytest.raises(OSError, match="the disk is gone"):
        got.extend(sent.response)
    text = b"".join(got).decode()
    assert text.endswith(taking.BROKEN_OFF)
    with pytest.raises(json.JSONDecodeError):
        list(map(json.loads, filter(None, text.splitlines())))
    sent.close()


def test_a_comment_that_comes_meanwhile_is_not_half_in_it(app, pia, monkeypatch):
    """All of it is as the site stood at one moment, also for a writer that asks more than once."""
    real, late = formats.WRITERS["json"], {"comment": "Too late."}

    def lines(session, site, vault):
        yield from real.lines(session, site, vault)
        writer = threading.Thread(target=reply, args=(app, app.test_client()), kwargs=late)
        writer.start()
        writer.join()
        yield from real.lines(session, site, vault)

    twice = replace(real, lines=lines)
    monkeypatch.setitem(formats.WRITERS, "json", twice)
    text = take(pia, format="json").text
    assert text.count('"author"') == 2
    assert len(stored(app)) == 2
    assert "Too late." not in text


def test_without_a_format_it_says_what_to_choose(pia):
    sent = take(pia, format="word")
    assert sent.status_code == 422
    assert 'href="#format-0"' in sent.text
    assert "Nothing was taken along" in sent.text


def test_a_moderator_and_another_site_s_publisher_get_nothing(app, pia, mo, another):
    add_site(app, "weekly", "https://weekly.example")
    eve = another("eve", site="weekly", role=Role.PUBLISHER)
    token = csrf(eve.get("/desk/sites/weekly/export").text)
    for client in (mo, eve):
        assert client.get(PAGE).status_code == 403
    assert eve.post(PAGE, data={"csrf_token": token, "format": "json"}).status_code == 403
    assert on_record(app) == []
