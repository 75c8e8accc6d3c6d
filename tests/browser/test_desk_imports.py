"""A publisher's way in a real Chromium, 320 px wide, with script and without: a file goes up, is
rehearsed and imported, its comments stand under their article, and all of it is taken back."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cast import add_moderator, add_site
from flask import Flask
from live import Live, sign_in_browser
from playwright.sync_api import Page, expect
from rita import thread
from sqlalchemy import select

from service import database
from service.exchange import arrange, moves, store
from service.exchange.formats import READERS
from service.exchange.record import Record, Troubles
from service.models import Import, Site
from service.status import ImportState, ImportWish, Role

ARTICLE = "https://daily.example/2020/the-harbour"
RULE = "http://old.example=https://daily.example"
COMMENT = """<wp:comment><wp:comment_id>{id}</wp:comment_id>
<wp:comment_author>Rita Vorlesungsverzeichnis</wp:comment_author>
<wp:comment_author_email>rita@example.org</wp:comment_author_email>
<wp:comment_date_gmt>2020-01-02 03:04:05</wp:comment_date_gmt>
<wp:comment_content>{words}</wp:comment_content><wp:comment_approved>1</wp:comment_approved>
<wp:comment_parent>{parent}</wp:comment_parent></wp:comment>"""
WXR = """<?xml version="1.0"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<wp:base_blog_url>http://old.example</wp:base_blog_url>
<item><title>The harbour</title><link>http://old.example/2020/the-harbour</link>
<wp:post_id>7</wp:post_id>{comments}</item></channel></rss>"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An export of two comments under an article that has another address now."""
    path = tmp_path / "the-daily.wordpress.2020-02-01.xml"
    words = ("I was there in the storm.", "So was I.")
    comments = [
        COMMENT.format(id=number, words=said, parent=number - 1)
        for number, said in enumerate(words, 1)
    ]
    path.write_text(WXR.format(comments="".join(comments)))
    return path


@pytest.fixture
def pia(phone: Page, live: Live) -> Page:
    add_site(live.app)
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    sign_in_browser(live, phone.context, pia_id)
    return phone


def work(app: Flask) -> None:
    """Does what is wished for, once."""
    with app.app_context():
        found = database.session().scalars(select(Import).where(Import.wish.is_not(None))).one()
        site = database.session().get_one(Site, found.site_id)
        run = store.Run(site.id, site.origins, found.format, app.extensions["vault"])
        if found.wish == ImportWish.UNDO:
            _steps(store.undo(found.id))
            return _leave(found.id, ImportState.UNDONE)
        surveyed = arrange.survey(_records(app, found))
        threads = arrange.threads(iter(_records(app, found)), surveyed.runs)
        if found.wish == ImportWish.REHEARSE:
            store.rehearse(database.session(), run, threads)
            return _leave(
                found.id, ImportState.REHEARSED, surveyed.comments, _report(run, surveyed)
            )
        with database.writing() as session:
            store.begin(session, run, found.file_name, found.file_digest, surveyed.runs)
        _steps(store.write(run, threads))
        with database.writing() as session:
            store.end(session, run, ImportState.DONE)
        return _leave(found.id, ImportState.DONE, surveyed.comments)


def _records(app: Flask, found: Import) -> list[Record]:
    addresses = moves.addresses(found.rules)
    with Path(app.config["INSTANCE"], "imports", found.stored_as).open("rb") as file:
        return list(READERS[found.format].read(file, addresses, Troubles()))


def _report(run: store.Run, surveyed: arrange.Survey) -> dict[str, object]:
    counts: dict[str, Counter[str]] = {"new": run.tally.imported, "known": run.tally.known}  # type: ignore[dict-item]
    pages = [
        {
            "url": url,
            "was": "http://old.example/2020/the-harbour",
            "comments": surveyed.comments,
            "is_new": True,
            "is_ours": url not in run.tally.foreign,
        }
        for url in surveyed.runs
    ]
    told = {"articles": 1, "new_articles": 1, "foreign": len(run.tally.foreign), "pages": pages}
    none = {"first": "2020-01-02T03:04:05+00:00", "last": "2020-01-02T03:04:05+00:00"}
    more = {"troubles": [], "changed": [], "unused": []}
    return json.loads(json.dumps(counts | told | none | more))


def _steps(steps: object) -> None:
    for step in steps:  # type: ignore[attr-defined]
        with database.writing() as session:
            step(session)


def _leave(
    number: int, state: ImportState, total: int = 0, report: dict[str, object] | None = None
) -> None:
    with database.writing() as session:
        found = session.get_one(Import, number)
        found.state, found.wish, found.total, found.progress = state, None, total, total
        found.report = report or found.report


def test_comments_are_brought_along_and_taken_back(
    pia: Page, live: Live, file: Path, look: Callable[[str], None]
) -> None:
    under_the_article = thread(live.url, ARTICLE)
    pia.goto(f"{live.url}/desk/sites/daily/imports/")
    pia.get_by_role("button", name="Send the file").click()
    expect(pia.locator("#file-error")).to_contain_text("Choose the file")
    look("form")
    pia.get_by_label("WordPress (WXR)").check()
    pia.locator("input[type=file]").set_input_files(file)
    pia.get_by_role("button", name="Send the file").click()
    expect(pia.get_by_role("status").filter(has_text="It waits to be read.")).to_be_visible()
    work(live.app)  # the page sees that by itself
    expect(pia.get_by_text("This is a rehearsal: nothing is imported yet.")).to_be_visible()
    expect(pia.get_by_role("heading", name="1 article lies elsewhere")).to_be_visible()

    pia.get_by_label("URL rules").fill(RULE)
    pia.get_by_role("button", name="Try").click()
    tried = pia.get_by_role("region", name="Where these rules lead")
    expect(tried).to_contain_text(ARTICLE)
    expect(tried).to_contain_text("on the site")
    look("tried")
    pia.get_by_role("button", name="Rehearse again").click()
    expect(pia.get_by_role("status").filter(has_text="It waits to be read.")).to_be_visible()
    work(live.app)
    expect(pia.get_by_role("region", name="Articles")).to_contain_text(ARTICLE)
    expect(pia.get_by_role("heading", name="lies elsewhere")).to_have_count(0)

    pia.get_by_role("button", name="Import now").click()
    expect(pia.get_by_role("progressbar", name="How far it is")).to_be_visible()
    work(live.app)
    expect(pia.get_by_role("status").filter(has_text="The comments are imported.")).to_be_visible()
    here = pia.url
    pia.goto(under_the_article)
    expect(pia.locator(".comment")).to_have_count(2)
    expect(pia.locator(".comment .comment")).to_contain_text("So was I.")

    pia.goto(here)
    pia.get_by_role("link", name="Take it all back").click()
    expect(pia.get_by_role("main")).to_contain_text("2 comments that this import brought go")
    look("undo")
    pia.get_by_role("button", name="Take it all back").click()
    expect(pia.get_by_role("status").filter(has_text="waits to be taken back")).to_be_visible()
    work(live.app)
    expect(pia.get_by_role("status").filter(has_text="is taken back.")).to_be_visible()
    pia.goto(under_the_article)
    expect(pia.locator(".comment")).to_have_count(0)
    pia.goto(f"{live.url}/desk/sites/daily/imports/")
    expect(pia.get_by_role("listitem").filter(has_text=file.name)).to_contain_text("taken back")
