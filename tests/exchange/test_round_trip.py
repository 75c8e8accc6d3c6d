"""A site taken away as JSON Lines or a table, and put up again in an empty installation."""

import base64
import json
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, stored
from sqlalchemy import create_engine, func, select, text

from service import articles, database, moderation
from service.accounts import Moderator
from service.models import Article, ArticleAlias, Author, Comment, Decision, Past, Reason
from service.moderation.wording import Wording
from service.status import Status
from service.text import render
from service.vault import Vault

# What is another's to say, and does not come along: hard rule 15.
DROPPED = {"mark"}
SECOND = "https://daily.example/2026/second"
THIRD = "https://daily.example/2026/third"
ALL = 15  # comments


@pytest.fixture
def elsewhere(tmp_path, migrated_file, make_app):
    """Installations elsewhere, each with an empty site and other keys."""

    def make(name):
        folder = tmp_path / name
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

    return make


@pytest.fixture
def far(elsewhere):
    return elsewhere("far")


@pytest.fixture
def enrich(wxr, tmp_path):
    return lambda app: _enriched(app, wxr, tmp_path)


@pytest.fixture
def rich(app, enrich):
    add_site(app)
    return enrich(app)


def _enriched(app, wxr, tmp_path):
    """The Daily with something of everything."""
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

        decide(first, Status.APPROVED, note="fine\nby mo@daily.example")
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
        first.edit_text, first.edit_html = "Else, _perhaps_", "<p>Else</p>"
        first.edit_at = datetime(2026, 1, 2, tzinfo=UTC)
    assert reply(app, client, url=THIRD, article="p-17", nonce="t").status_code == 303
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(Moderator, mo)
        second, third = (
            session.scalars(select(Article).where(Article.url == url)).one()
            for url in (SECOND, THIRD)
        )
        articles.rename(session, third, "Ça va\u00a0?", moderator)
        articles.move(session, second, f"{SECOND}/moved", moderator)
        articles.begin_merge(session, second, third, moderator)
        third.held_at = datetime(2026, 1, 1, tzinfo=UTC)
        gone = second.id
    with app.app_context():
        while _merges(gone):
            database.forget()
    return app


def _merges(gone):
    with database.writing() as session:
        return articles.merge_step(session, gone)


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
    assert (len(before), states) == (ALL, {status.value for status in Status})
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
        assert len(stored(house)) == ALL


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
    assert len(stored(rich)) == ALL


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


@pytest.mark.parametrize("words", [(), ("--with-emails",)])
def test_what_was_taken_twice_is_the_same_to_the_byte(app, elsewhere, enrich, tmp_path, words):
    """Once history says from where it came, nothing changes any more, on whichever database."""
    add_site(app)
    file = taken(enrich(elsewhere("one")), tmp_path, "json", *words)
    first = rows(file)
    assert flask(app, "import", "json", str(file)).exit_code == 0
    second = taken(app, tmp_path, "json", *words).read_bytes()
    again = rows(file)  # in the order in which they were stored here: a level of replies at a time
    assert {id: plain(row) for id, row in again.items()} == {
        id: plain(row) for id, row in first.items()
    }
    three = elsewhere("three")
    assert flask(three, "import", "json", str(file)).exit_code == 0
    assert taken(three, tmp_path, "json", *words).read_bytes() == second


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_article_is_found_there_by_all_that_it_was_found_by_here(rich, far, tmp_path):
    file = taken(rich, tmp_path)
    (facts,) = {
        (row["article_given_id"], row["article_is_held"], *row["article_aliases"])
        for row in rows(file).values()
        if row["article"] == THIRD
    }
    assert facts == ("p-17", True, SECOND, f"{SECOND}/moved")
    assert flask(far, "import", "json", str(file)).exit_code == 0
    with far.app_context():
        session = database.session()
        third = session.scalars(select(Article).where(Article.url == THIRD)).one()
        assert (third.title, third.given_id, third.held_at is None) == (
            "Ça va\u00a0?",
            "p-17",
            False,
        )
        led = session.scalars(select(ArticleAlias.url).order_by(ArticleAlias.id)).all()
        assert led == [SECOND, f"{SECOND}/moved"]
    seen = far.test_client().get("/embed/daily", query_string={"url": SECOND})
    assert seen.status_code == 200
    assert "From <i>before</i>" in seen.text.replace("em>", "i>")


@pytest.mark.parametrize("format", ["json", "wordpress"])
def test_articles_that_are_half_merged_are_one_in_the_file(app, wxr, tmp_path, format):
    """Or a reply would have lost what it answers."""
    add_site(app)
    client = app.test_client()
    reply(app, client)
    reply(app, client, nonce="2")
    reply(app, client, url=SECOND, nonce="3")
    mo = add_moderator(app)
    with app.app_context(), database.writing() as session:
        gone, kept = session.scalars(select(Article).order_by(Article.id))
        articles.begin_merge(session, gone, kept, session.get_one(Moderator, mo))
        session.get_one(Comment, 1).article_id = kept.id
        session.get_one(Comment, 2).parent_id = 1
    content = taken(app, tmp_path, format)
    if format == "json":
        found = rows(content).values()
        assert [bool(row["parent"]) for row in found] == [False, True, False]
        assert {(row["article"], *row["article_aliases"]) for row in found} == {(SECOND, ARTICLE)}
    else:
        found = wxr.read(content.read_bytes()).records
        assert [row.source_parent for row in found] == [None, "1", None]
        assert {row.article_url for row in found} == {SECOND}
    assert len(found) == 3


def test_what_another_article_is_found_by_stays_its_own(app, tmp_path):
    """A file cannot take an article's id, nor its former address (`store`, hard rule 15)."""
    add_site(app)
    mo = add_moderator(app)
    assert reply(app, app.test_client(), article="p-1").status_code == 303
    with app.app_context(), database.writing() as session:
        here = session.get_one(Article, 1)
        articles.move(session, here, f"{ARTICLE}/2", session.get_one(Moderator, mo))
    line = {"author": "A", "text": "B", "created_at": "2020-01-01", "status": "approved"}
    line |= {"id": "x", "article": f"{ARTICLE}/new", "article_given_id": "p-1"}
    line |= {"article_aliases": [ARTICLE, f"{ARTICLE}/old", "no address", 7, f"{ARTICLE}/new"]}
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(line))
    done = flask(app, "import", "json", str(file))
    assert done.exit_code == 0, done.output
    assert "2 × a former address of the article that is none" in done.output
    with app.app_context():
        session = database.session()
        assert session.scalars(select(Article.given_id).order_by(Article.id)).all() == ["p-1", None]
        led = dict(session.execute(select(ArticleAlias.url, ArticleAlias.article_id)).all())
        assert led == {ARTICLE: 1, f"{ARTICLE}/old": 2}


@pytest.mark.parametrize("format", ["json", "csv", "wordpress"])
def test_no_address_is_anywhere_in_a_file_without_addresses(rich, tmp_path, format):
    """Moderators type them into notes, too (hard rule 4)."""
    plain, whole = (
        taken(rich, tmp_path, format, *words).read_text() for words in ((), ("--with-emails",))
    )
    assert "rita.reader@example.org" in whole
    assert not re.search(r"@[\w-]+\.", plain)
    assert "mo@daily" not in whole


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_edit_that_waited_waits_again(rich, far, tmp_path):
    assert flask(far, "import", "json", str(taken(rich, tmp_path))).exit_code == 0
    mo = add_moderator(far)
    with far.app_context(), database.writing() as session:
        (waiting,) = session.scalars(select(Comment).where(Comment.edit_at.is_not(None)))
        assert (waiting.text[:5], waiting.edit_text) == ("Héllo", "Else, _perhaps_")
        assert waiting.edit_html == "<p>Else, <em>perhaps</em></p>"
        moderator = session.get_one(Moderator, mo)
        moderation.decide(session, waiting, Status.APPROVED, waiting.version, moderator)
        assert (waiting.text, waiting.edit_at) == ("Else, _perhaps_", None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_erased_does_not_come_back_with_an_older_file(rich, tmp_path):
    older = {name: tmp_path / f"older.{name}" for name in ("json", "csv")}
    for name, file in older.items():
        file.write_bytes(taken(rich, tmp_path, name, "--with-emails").read_bytes())
        assert "Héllo" in file.read_text()
    words = ["privacy", "erase", "rita.reader@example.org"]
    erased = rich.test_cli_runner().invoke(args=words, input="y\n")
    assert erased.exit_code == 0, erased.output
    before = taken(rich, tmp_path, "json", "--with-emails").read_text()
    assert "Héllo" not in before
    for name, file in older.items():
        assert flask(rich, "import", name, str(file)).exit_code == 0
        assert taken(rich, tmp_path, "json", "--with-emails").read_text() == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wordpress_export_brings_the_same_comments_in_the_same_places(rich, far, tmp_path):
    before = rows(taken(rich, tmp_path, "json", "--with-emails"))
    numbers = {str(comment.id): comment.public_id for comment in stored(rich)}
    done = flask(
        far, "import", "wordpress", str(taken(rich, tmp_path, "wordpress", "--with-emails"))
    )
    assert done.exit_code == 0, done.output
    after = rows(taken(far, tmp_path, "json", "--with-emails"))
    found = {numbers[row["source_id"]]: row for row in after.values()}
    assert found.keys() == before.keys()
    for id, row in before.items():
        there, is_gone = found[id], row["status"] == "deleted"
        assert numbers.get(there["source_parent"]) == row["parent"]
        same = ("article", "author", "email", "kind")
        assert [there[name] for name in same] == [row[name] for name in same]
        assert there["title"] == (row["title"] or row["article"]).replace("\u00a0", " ")
        assert there["created_at"][:19] == row["created_at"][:19]
        assert there["status"] == ("rejected" if is_gone else row["status"])
        assert there["website"] == ("" if is_gone else row["website"])
        assert there["html"] == ("" if is_gone else row["html"])
