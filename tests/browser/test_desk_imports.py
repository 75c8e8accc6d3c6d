"""A publisher's way in a real Chromium, 320 px wide, beside a worker at work: a file goes up, is
rehearsed and tried with URL rules, imported, stopped and gone on with; its comments stand under their
article, and all of it is taken back but what a reader answered."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from barriers import expect_sound
from cast import add_moderator, add_site
from live import Live, sign_in_browser
from playwright.sync_api import Page, expect
from rita import add_comment, stored, thread

from service import database
from service.cli import bringing
from service.exchange import store
from service.exchange.record import Record
from service.status import Role

ARTICLE = "https://daily.example/2020/the-harbour"
RULE = "http://old.example=https://daily.example"
COMMENT = """<wp:comment><wp:comment_id>{id}</wp:comment_id>
<wp:comment_author>Rita Vorlesungsverzeichnis</wp:comment_author>
<wp:comment_author_email>rita@example.org</wp:comment_author_email>
<wp:comment_date_gmt>2020-01-02 03:04:05</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{words}]]></wp:comment_content>
<wp:comment_approved>1</wp:comment_approved>
<wp:comment_parent>{parent}</wp:comment_parent></wp:comment>"""
WXR = """<?xml version="1.0"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<wp:base_blog_url>http://old.example</wp:base_blog_url>
<item><title>The harbour</title><link>http://old.example/2020/the-harbour</link>
<wp:post_id>7</wp:post_id>{comments}</item></channel></rss>"""
WORDS = ("I was there in the storm.", "So was I.", "<iframe>Here</iframe>", "And I.")
LONGEST = 20  # seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An export of four comments, one under the other, of an article that has another address now."""
    path = tmp_path / "the-daily.wordpress.2020-02-01.xml"
    comments = [
        COMMENT.format(id=number, words=said, parent=number - 1)
        for number, said in enumerate(WORDS, 1)
    ]
    path.write_text(WXR.format(comments="".join(comments)))
    return path


@pytest.fixture
def pia(phone: Page, live: Live) -> Page:
    add_site(live.app)
    pia_id = add_moderator(live.app, "pia@daily.example", role=Role.PUBLISHER)
    sign_in_browser(live, phone.context, pia_id)
    return phone


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until it is open, a run gets no further than its second comment."""
    opened = threading.Event()

    def make(records: Sequence[Record]) -> Iterator[store.Made]:
        if records[0].source_id != "1":
            opened.wait(LONGEST)
        return store.made_here(records)

    @contextmanager
    def renderers(_: int) -> Iterator[store.Make]:
        yield make

    monkeypatch.setattr(bringing, "renderers", renderers)
    monkeypatch.setattr(store, "BATCH", 1)
    monkeypatch.setattr(store, "AHEAD", 0)
    return opened


@pytest.fixture
def worker(live: Live, gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The worker, at this one of its tasks."""
    monkeypatch.setattr(bringing, "BEAT", 0.02)
    monkeypatch.setattr(bringing, "_at_work", {})
    stopped = threading.Event()

    def work() -> None:
        with live.app.app_context():
            while not stopped.wait(0.02):
                bringing.bring_comments()
                database.forget()

    at_work = threading.Thread(target=work)
    at_work.start()
    yield
    gate.set()
    stopped.set()
    at_work.join()


@pytest.fixture
def look(
    phone: Page, request: pytest.FixtureRequest, screenshot: Callable[..., Path]
) -> Callable[[str], None]:
    """Looks at the page as it is, where script can: wide in light, narrow in dark."""
    has_script = "no-script" not in request.node.callspec.id
    return lambda name: expect_sound(phone, f"import-{name}", screenshot) if has_script else None


def said(page: Page, words: str) -> None:
    """Waits until the page says so, by itself."""
    expect(page.locator(".job-said")).to_contain_text(words)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    "phone", ["script", pytest.param("no-script", marks=pytest.mark.long)], indirect=True
)
def test_comments_are_brought_along_and_taken_back(
    pia: Page, live: Live, file: Path, gate: threading.Event, look: Callable[[str], None]
) -> None:
    under_the_article = thread(live.url, ARTICLE)
    pia.goto(f"{live.url}/desk/sites/daily/imports/")
    pia.get_by_role("button", name="Send the file").click()
    expect(pia.locator("#file-error")).to_contain_text("Choose the file")
    look("form")
    pia.get_by_label("WordPress (WXR)").check()
    pia.locator("input[type=file]").set_input_files(file)
    pia.get_by_role("button", name="Send the file").click()
    said(pia, "This is a rehearsal: nothing is imported yet.")
    expect(pia.get_by_role("heading", name="1 article lies elsewhere")).to_be_visible()

    pia.get_by_label("URL rules").fill(RULE)
    pia.get_by_role("button", name="Try").click()
    tried = pia.get_by_role("region", name="Where these rules lead")
    expect(tried).to_contain_text(ARTICLE)
    expect(tried).to_contain_text("on the site")
    look("tried")
    pia.get_by_role("button", name="Rehearse again").click()
    expect(pia.get_by_role("region", name="Articles")).to_contain_text(ARTICLE)
    expect(pia.get_by_role("heading", name="lies elsewhere")).to_have_count(0)

    pia.get_by_role("button", name="Import now").click()
    said(pia, "20 percent are done.")
    expect(pia.get_by_role("progressbar", name="How far it is")).to_have_attribute("value", "1")
    pia.get_by_role("button", name="Stop").click()
    said(pia, "It is about to stop.")
    gate.set()
    said(pia, "It stopped before its end.")
    expect(pia.get_by_role("main")).to_contain_text("2 comments of it are here.")
    pia.get_by_role("button", name="Go on").click()
    said(pia, "The comments are imported.")
    expect(pia.get_by_role("row", name="All")).to_contain_text("4")
    here = pia.url
    pia.goto(under_the_article)
    expect(pia.locator(".comment")).to_have_count(4)
    expect(pia.locator(".comment .comment").first).to_contain_text("So was I.")

    first = stored(live.app, "Rita Vorlesungsverzeichnis")[0]
    add_comment(live.app, ARTICLE, typed="I was not.", answers=first.public_id)
    pia.goto(here)
    pia.get_by_role("link", name="Take it all back").click()
    expect(pia.get_by_role("main")).to_contain_text("4 comments that this import brought go")
    expect(pia.get_by_role("main")).to_contain_text("1 reply that readers have written to them")
    look("undo")
    pia.get_by_role("button", name="Take it all back").click()
    said(pia, "What was imported is taken back.")
    expect(pia.get_by_role("main")).to_contain_text("it stays as an empty place")
    pia.goto(under_the_article)
    expect(pia.get_by_text("I was not.")).to_be_visible()
    expect(pia.get_by_text("I was there in the storm.")).to_have_count(0)
    pia.goto(f"{live.url}/desk/sites/daily/imports/")
    expect(pia.get_by_role("listitem").filter(has_text=file.name)).to_contain_text("taken back")
