"""A publisher's way in a real Chromium, 320 px wide, with script and without: a file goes up, is
rehearsed and imported, its comments stand under their article, and all of it is taken back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cast import add_moderator, add_site
from flask import Flask
from live import Live, sign_in_browser
from playwright.sync_api import Page, expect
from rita import thread

from service.cli import bringing
from service.status import Role

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
    """Does what is wished for, as the worker does."""
    with app.app_context():
        while bringing.bring_comments():
            pass


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
