"""A site taken away as JSON Lines or a table, and put up again in an empty installation."""

import base64
import json
import shutil
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, stored
from sqlalchemy import create_engine, func, select, text

from service import database, moderation
from service.accounts import Moderator
from service.models import Article, Author, Comment, Decision, Past, Reason
from service.moderation.wording import Wording
from service.status import Status
from service.text import render
from service.vault import Vault

# What does not come along, or is another's to say: hard rule 15.
DROPPED = {"mark", "is_reworded", "waiting_edit"}
SECOND = "https://daily.example/2026/second"


@pytest.fixture
def far(tmp_path, migrated_file, make_app):
    """An installation elsewhere: an empty site, other keys."""
    folder = tmp_path / "far"
    folder.mkdir()
    shutil.copy(migrated_file, folder / "far.db")
    url = f"sqlite:///{folder / 'far.db'}"
    email_key, index_key = b"E" * 32, b"I" * 32
    with closing(create_engine(url).connect()) as connection:
        connection.execute(text("DELETE FROM checks"))
        connection.commit()
    database.leave_check(url, Vault([email_key], index_key).check())
    keys = {
        "EMAIL_KEYS": base64.b64encode(email_key).decode(),
        "INDEX_KEY": base64.b64encode(index_key).decode(),
    }
    made = make_app(DATABASE_URL=url, INSTANCE=folder, **keys)
    add_site(made)
    return made


@pytest.fixture
def rich(app, wxr, tmp_path):
    """The Daily with something of everything."""
    add_site(app)
    mo = add_moderator(app)
    client = app.test_client()
    said = (
        "Héllo *there* 👋🏽\n\nאני מסכים",
        "    four spaces in\n\nAT&amp;T <b>bold</b>",
        "@home",
    )
    for number, words in enumerate((*said, "4", "5", "6", "7", "8")):
        sent = reply(app, client, comment=words, name="Zoë & “Ö”", nonce=f"n{number}")
        assert sent.status_code == 303
    old = (
        wxr.comment(id="900", approved="1", content="<p>From <i>before</i></p>"),
        wxr.comment(id="901", parent="900", approved="spam", content="Buy"),
        wxr.comment(id="902", parent="901", approved="trash", author="رضا"),
        wxr.comment(id="903", parent="902", approved="0", author_email="omar@example.org"),
        wxr.comment(
            id="904", parent="903", approved="1", author_url="https://omar.example/?a=1&b=2"
        ),
        wxr.comment(id="905", parent="4", type="pingback"),
    )
    file = tmp_path / "old.xml"
    file.write_bytes(wxr.export(wxr.item(*old, link=SECOND, title="Fish & <chips>")))
    assert flask(app, "import", "wordpress", str(file)).exit_code == 0
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(Moderator, mo)
        first, second, third, fourth, fifth, sixth, *_ = session.scalars(
            select(Comment).order_by(Comment.id)
        ).all()

        def decide(comment, to, **notes):
            return moderation.decide(session, comment, to, comment.version, moderator, **notes)

        decide(first, Status.APPROVED, note="fine\nby me")
        moderation.pin(session, first, True, first.version, moderator)
        decided = decide(second, Status.REJECTED, note="rude", public_note="Be kind.")
        moderation.undo(session, decided, moderator)
        decide(third, Status.SPAM)
        decide(fourth, Status.DELETED)
        decide(fifth, Status.REJECTED)
        words = Wording("Other *words*", str(render("Other *words*")), None)
        moderation.reword(session, sixth, sixth.version, words, moderator)
        moderation.reveal(session, sixth, moderator)
        first.like_count = 7
        first.article.closed_at = datetime(2026, 1, 1, tzinfo=UTC)
    return app


def flask(app, *words, site="daily"):
    return app.test_cli_runner().invoke(args=[*words, "--site", site])


def taken(app, tmp_path, format="json", *words, site="daily"):
    file = tmp_path / f"out.{format}"
    done = flask(app, "export", format, str(file), *words, site=site)
    assert done.exit_code == 0, done.output
    return file


def rows(file):
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return {row["id"]: row for row in found}


def plain(row):
    """A line without what does not come along, and without where history came from."""
    kept = {name: value for name, value in row.items() if name not in DROPPED}
    for name in ("reasons", "decisions", "revisions"):
        kept[name] = [{k: v for k, v in e.items() if k != "elsewhere"} for e in kept[name]]
    return kept


@pytest.mark.parametrize("words", [(), ("--with-emails",)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_empty_site_elsewhere_becomes_the_same(rich, far, tmp_path, words):
    file = taken(rich, tmp_path, "json", *words)
    before = rows(file)
    states = {row["status"] for row in before.values()}
    assert (len(before), states) == (14, {status.value for status in Status})
    done = flask(far, "import", "json", str(file))
    assert done.exit_code == 0, done.output
    after = rows(taken(far, tmp_path, "json", *words))
    assert after.keys() == before.keys()
    for id, row in before.items():
        assert plain(after[id]) == plain(row)
    with far.app_context():
        session = database.session()
        has_authors = session.scalar(select(func.count()).select_from(Author)) > 0
        assert has_authors == bool(words)
        # Nothing foreign stands in our own log (hard rule 15).
        assert (
            session.scalars(select(Decision)).all() == session.scalars(select(Reason)).all() == []
        )
        assert session.scalar(select(Article.closed_at).where(Article.url == ARTICLE))
    one = next(row for row in after.values() if row["decisions"])
    assert {entry["elsewhere"] for entry in one["decisions"]} == {"out.json"}
    # A third house tells of the first, and the file brings nothing twice.
    for house in (rich, far):
        again = flask(house, "import", "json", str(taken(far, tmp_path, "json")))
        assert again.exit_code == 0, again.output
        assert len(stored(house)) == 14


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_history_keeps_what_was_undone_and_who_said_why(rich, far, tmp_path):
    flask(far, "import", "json", str(taken(rich, tmp_path)))
    found = rows(taken(far, tmp_path)).values()
    decided, undone = next(r for r in found if "four spaces" in r["text"])["decisions"]
    assert (decided["note"], decided["public_text"]) == ("rude", "Be kind.")
    assert (undone["act"], undone["undoes"]) == ("undone", decided["at"])
    changed = next(row for row in found if row["revisions"])
    assert (changed["text"], changed["revisions"][0]["text"]) == ("Other *words*", "6")
    old = next(row for row in found if row["source_id"] == "904")
    assert (old["source"], old["source_parent"]) == ("wordpress", "903")
    assert sum(bool(row["pinned_at"]) for row in found) == 1
    assert max(row["likes"] for row in found) == 7


def test_beside_its_own_origin_a_copy_gets_new_names_and_remembers_the_old(rich, tmp_path):
    add_site(rich, "copy")
    file = taken(rich, tmp_path)
    before = rows(file)
    assert flask(rich, "import", "json", str(file), site="copy").exit_code == 0
    after = rows(taken(rich, tmp_path, site="copy"))
    assert not after.keys() & before.keys()
    native = [row for row in before.values() if row["source"] is None]
    assert {row["id"] for row in native} == {
        row["source_id"] for row in after.values() if row["source"] == "json"
    }
    for site in ("copy", "daily"):  # its own export, and the one that it came from
        assert flask(rich, "import", "json", str(file), site="copy").exit_code == 0
        assert len(stored(rich)) == 2 * len(before)
        file = taken(rich, tmp_path, site=site)


def test_an_undone_import_leaves_no_past(rich, tmp_path):
    add_site(rich, "copy")
    flask(rich, "import", "json", str(taken(rich, tmp_path)), site="copy")
    done = rich.test_cli_runner().invoke(args=["import", "undo", "2"])
    assert done.exit_code == 0, done.output
    with rich.app_context():
        assert database.session().scalar(select(func.count()).select_from(Past)) == 0
    assert len(stored(rich)) == 14


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_brings_the_same_comments_in_the_same_places(rich, far, tmp_path):
    before = rows(taken(rich, tmp_path, "json", "--with-emails"))
    done = flask(far, "import", "csv", str(taken(rich, tmp_path, "csv", "--with-emails")))
    assert done.exit_code == 0, done.output
    after = rows(taken(far, tmp_path, "json", "--with-emails"))
    same = ("parent", "article", "title", "author", "website", "email", "kind", "status")
    more = ("created_at", "text", "html", "markup", "language", "likes", "pinned_at", "edited_at")
    for id, row in before.items():
        assert [after[id][name] for name in same + more] == [row[name] for name in same + more]
