"""`flask article`: what is listed, changed and refused, with one line and an exit status."""

import pytest
from cast import ARTICLE, add_site, on_record
from sqlalchemy import select

from service import database, moderation
from service.models import Article, Comment, Site
from service.status import Status

OTHER = "https://daily.example/2026/other"
NEW = "https://daily.example/blog/review"


@pytest.fixture
def flask(app):
    """Runs `flask article …`; gives what it says, after a look at its exit status."""
    add_site(app)
    for url in (ARTICLE, OTHER):
        add_comment(app, url)

    def run(*arguments, status=0):
        done = app.test_cli_runner().invoke(args=["article", *arguments])
        assert done.exit_code == status, done.output
        return done.output

    return run


def add_comment(app, url):
    with app.app_context(), database.writing() as session:
        site = session.scalars(select(Site)).one()
        article = Article(site_id=site.id, url=url)
        session.add(article)
        session.flush()
        words = {"name": "Ada", "text": "Hm.", "html": "<p>Hm.</p>", "renderer": 1}
        session.add(
            Comment(site_id=site.id, article_id=article.id, status=Status.APPROVED, **words)
        )
        session.flush()
        moderation.recount(session, article.id)


def addresses(app):
    with app.app_context():
        return database.session().scalars(select(Article.url).order_by(Article.id)).all()


def test_it_lists_what_is_searched_for(flask):
    flask("close", ARTICLE, "--site", "daily")
    flask("rename", OTHER, "The other one", "--site", "daily")
    listed = flask("list", "--site", "daily", "--sort", "url")
    assert listed.index(OTHER) < listed.index(ARTICLE)
    assert "[closed]" in listed
    assert "The other one" in listed
    found = flask("list", "--site", "daily", "--search", "other one")
    assert OTHER in found
    assert ARTICLE not in found
    assert "no such articles" in flask("list", "--site", "daily", "--search", "nothing")
    assert "There are more" in flask("list", "--site", "daily", "--most", "1")
    flask("list", "--site", "nosuch", status=1)


def test_it_closes_holds_renames_and_moves_and_all_is_on_record(app, flask):
    for verb in ("close", "open", "hold", "release"):
        flask(verb, ARTICLE, "--site", "daily")
    flask("rename", ARTICLE, "  A   review", "--site", "daily")
    flask("move", ARTICLE, NEW, "--site", "daily")
    flask("close", ARTICLE, "--site", "daily")  # by its former address
    assert addresses(app) == [NEW, OTHER]
    record = [(event.what, event.by) for event in on_record(app)]
    words = ("closed", "opened", "held", "released", "renamed", "moved", "closed")
    assert record == [(word, "flask article") for word in words]
    with app.app_context():
        assert (
            database.session().scalars(select(Article.title).where(Article.url == NEW)).one()
            == "A review"
        )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("move", ARTICLE, OTHER), 1, "Another article stands there"),
        (("move", ARTICLE, ARTICLE), 1, "there already"),
        (("move", ARTICLE, "https://x.example/"), 1, "add its origin first"),
        (("move", ARTICLE, "x"), 2, "no web address"),
        (("move", NEW, OTHER), 1, "Nobody has commented"),
        (("move", ARTICLE, NEW, "--pattern"), 2, "needs a *"),
        (("move", f"{ARTICLE}/*", f"{NEW}/*"), 2, "is needed for a *"),
        (("move", ARTICLE, NEW, "--dry-run"), 2, "go with --pattern"),
        (("move", "a*", "b*", "--pattern"), 2, "a * stands behind the host"),
        (("merge", ARTICLE, ARTICLE), 1, "one article"),
        (("rename", ARTICLE, "x" * 301), 2, "at most 300"),
    ],
)
def test_what_cannot_be_is_one_line(app, flask, arguments, status, said):
    assert said in flask(*arguments, "--site", "daily", status=status)
    assert addresses(app) == [ARTICLE, OTHER]
    assert on_record(app) == []


def test_all_of_a_pattern_move_after_a_rehearsal(app, flask):
    pattern = ("https://daily.example/2026/*", "https://daily.example/blog/*")
    said = flask("move", *pattern, "--pattern", "--dry-run", "--site", "daily")
    assert f"{ARTICLE} -> {NEW}" in said
    assert "2 articles move." in said
    assert addresses(app) == [ARTICLE, OTHER]
    add_comment(app, NEW)
    said = flask("move", *pattern, "--pattern", "--site", "daily")
    assert "1 whose new address is another's stay where they are" in said
    assert "Done: 1 moved, 0 merged, 1 left." in said
    assert addresses(app) == [ARTICLE, "https://daily.example/blog/other", NEW]
    said = flask("move", *pattern, "--pattern", "--merge", "--site", "daily")
    assert "Done: 0 moved, 1 merged, 0 left." in said
    assert addresses(app) == ["https://daily.example/blog/other", NEW]


def test_two_are_made_one_after_a_look(app, flask):
    said = flask("merge", OTHER, ARTICLE, "--site", "daily", "--dry-run")
    assert f"{OTHER}: 1 comments, 1 of them published" in said
    assert addresses(app) == [ARTICLE, OTHER]
    flask("merge", OTHER, ARTICLE, "--site", "daily")
    assert addresses(app) == [ARTICLE]
    with app.app_context():
        assert database.session().scalars(select(Article.approved_count)).all() == [2]


def test_what_is_imported_afterwards_takes_nobodys_number(app, flask, tmp_path):
    """The newest article's own is free again, and links in letters name it."""
    numbered = select(Article.url, Article.id)
    with app.app_context():
        gone = dict(database.session().execute(numbered).all())[OTHER]
    flask("merge", OTHER, ARTICLE, "--site", "daily")
    file = tmp_path / "brought.csv"
    file.write_text(f"id,article,author,text\n1,{NEW},Bo,Hm.\n2,{NEW}/2,Bo,Hm.\n")
    brought = ["import", "csv", str(file), "--site", "daily"]
    done = app.test_cli_runner().invoke(args=brought)
    assert done.exit_code == 0, done.output
    with app.app_context():
        found = dict(database.session().execute(numbered).all())
    assert set(found) == {ARTICLE, NEW, f"{NEW}/2"}
    assert gone not in found.values()
