import json
import threading
from dataclasses import replace

import pytest
from cast import add_site, on_record, reply, stored
from sqlalchemy.exc import OperationalError

from service import database
from service.cli import exporting
from service.exchange import taking
from service.exchange.formats import WRITERS
from service.vault import Vault, WrongKey


@pytest.fixture
def export(app):
    def run(*words):
        return app.test_cli_runner().invoke(args=["export", "json", *words, "--site", "daily"])

    add_site(app)
    return run


@pytest.fixture
def two_replies(app):
    client = app.test_client()
    reply(app, client, comment="One", name="Zoë")
    reply(app, client, comment="Two", website="https://rita.example", nonce="other")
    return stored(app)


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_every_comment_is_a_line_with_all_that_belongs_to_it(export, two_replies):
    first, second = rows(export("-").stdout)
    assert (first["author"], first["text"], first["parent"]) == ("Zoë", "One", None)
    assert first["created_at"].endswith("Z")
    assert (second["id"], second["website"]) == (two_replies[1].public_id, "https://rita.example/")
    assert (second["source_id"], second["source_parent"]) == (None, None)


def test_a_file_holds_the_same_and_only_its_owner_can_read_it(export, two_replies, tmp_path):
    file = tmp_path / "out.jsonl"
    file.write_text("an earlier export")
    done = export(str(file), "--with-emails")
    assert done.exit_code == 0
    assert [row["email"] for row in rows(file.read_text())] == ["rita.reader@example.org"] * 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert "2 comments" in done.output


def test_an_export_that_fails_leaves_the_earlier_file_whole(
    export, two_replies, tmp_path, monkeypatch
):
    def broken(*_):
        yield "{}\n"
        raise WrongKey("abcd")

    monkeypatch.setitem(WRITERS, "json", replace(WRITERS["json"], lines=broken))
    file = tmp_path / "out.jsonl"
    file.write_text("an earlier export")
    failed = export(str(file))
    assert failed.exit_code == 1
    assert "EMAIL_KEYS" in failed.output
    assert file.read_text() == "an earlier export"
    assert [p.name for p in tmp_path.glob("*out.jsonl*")] == ["out.jsonl"]


def test_an_address_under_a_lost_key_is_said_in_one_line(app, export, two_replies):
    app.extensions["vault"] = Vault([b"k" * 32], b"i" * 32)
    failed = export("-", "--with-emails")
    assert failed.exit_code == 1
    assert "EMAIL_KEYS lacks" in failed.output


@pytest.mark.parametrize("words", [["."], ["/no/such/folder/out.jsonl"]])
def test_what_is_no_file_is_refused(app, export, two_replies, words):
    failed = export(*words)
    assert failed.exit_code == 1
    assert "Traceback" not in failed.output
    assert on_record(app) == []


def test_who_took_the_comments_along_is_on_record(app, export, two_replies, tmp_path):
    """Hard rule 4: whoever has the machine may, and nobody without a trace."""
    assert export("-").exit_code == 0
    assert export(str(tmp_path / "out"), "--with-emails").exit_code == 0
    found = [(event.what, event.by, event.about) for event in on_record(app)]
    label = WRITERS["json"].label
    assert found == [
        ("comments_exported", "the operator", label),
        ("addresses_exported", "the operator", label),
    ]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (database.Busy(), "Too many are writing"),
        (OperationalError("", {}, Exception("disk is full")), "cannot be used: disk is full."),
    ],
)
def test_what_cannot_be_put_on_record_is_not_taken(export, two_replies, monkeypatch, fault, words):
    def fail(_):
        raise fault

    monkeypatch.setattr(exporting, "write_down", fail)
    failed = export("-")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert words in failed.stderr


def test_what_breaks_off_on_its_way_to_another_program_says_so(export, two_replies, monkeypatch):
    def broken(*_):
        yield "{}\n"
        raise OSError("the disk is gone")

    monkeypatch.setitem(WRITERS, "json", replace(WRITERS["json"], lines=broken))
    failed = export("-")
    assert failed.exit_code == 1
    assert failed.stdout == "{}\n" + taking.BROKEN_OFF


def test_it_is_as_the_site_stood_at_one_moment(app, export, two_replies, monkeypatch):
    real = WRITERS["json"]

    def twice(session, site, vault):
        yield from real.lines(session, site, vault)
        late = {"comment": "Too late.", "nonce": "late"}
        writer = threading.Thread(target=reply, args=(app, app.test_client()), kwargs=late)
        writer.start()
        writer.join()
        yield from real.lines(session, site, vault)

    monkeypatch.setitem(WRITERS, "json", replace(real, lines=twice))
    printed = rows(export("-").stdout)
    assert (len(printed), len(stored(app))) == (4, 3)


def test_a_site_that_is_not_there_is_one_line(app):
    failed = app.test_cli_runner().invoke(args=["export", "json", "-", "--site", "none"])
    assert failed.exit_code == 1
    assert "There is no site none" in failed.output
