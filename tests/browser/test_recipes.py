"""The recipes of docs/recipes.md, taken out of it, built into websites of two articles and driven.

Each website is on another origin than the service. Its articles show the thread that is theirs, a
reply that is written there arrives under the right one, and without script the link leads there.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask, render_template_string
from live import Live, Publisher
from playwright.sync_api import Browser, Page, expect
from rita import add_comment, add_site, fill, send, stored
from werkzeug.serving import BaseWSGIServer, make_server

from service import database
from service.models import Comment
from service.views import recipes

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
DOCS = (ROOT / "docs/recipes.md").read_text("utf-8")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>An article</title></head><body>
<h1>An article</h1>
{}
</body></html>
"""


def recipe(*headings: str) -> str:
    """The block of code below headings of the docs, the last of them the nearest."""
    text = DOCS
    for heading in headings:
        text = text.partition(f"\n{heading}\n")[2]
    found = re.search(r"```[a-z-]+\n(.*?)\n```", text, re.S)
    assert found, headings
    return found[1]


def for_site(block: str, live: Live, website: str) -> str:
    """A block with the addresses that its readers are told to put in."""
    encoded = (
        address.replace(":", "%3A").replace("/", "%2F") for address in (recipes.WEBSITE, website)
    )
    return (
        block.replace(recipes.SERVICE, live.url).replace(recipes.WEBSITE, website).replace(*encoded)
    )


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a builder; the Node that came with the tests is found by its scripts."""
    path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=os.environ | path,
        text=True,
        capture_output=True,
        timeout=300,
    )


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")


def publish(publisher: Publisher, folder: Path) -> None:
    """Serves what a builder made, each page at its folder's address."""
    for page in folder.rglob("index.html"):
        path = quote(page.parent.relative_to(folder).as_posix())
        publisher.write(f"/{path}/", page.read_text("utf-8"))


@pytest.fixture
def expect_threads(page: Page, browser: Browser, live: Live) -> Callable[..., None]:
    """Looks at two articles: with script, writing a reply under the first, then without."""

    def look(one: str, other: str) -> None:
        for url, name in ((one, "Ada"), (other, "Grace")):
            add_comment(live.app, url, name)
        plain = browser.new_context(java_script_enabled=False)
        for url, name, another in ((one, "Ada", "Grace"), (other, "Grace", "Ada")):
            page.goto(url)
            page.locator("rejoinder-thread").scroll_into_view_if_needed()
            frame = page.locator("rejoinder-thread iframe").content_frame
            expect(frame.locator(".comment-author")).to_have_text([name])
            without_script = plain.new_page()
            without_script.goto(url)
            without_script.get_by_role("link", name="Comments").click()
            expect(without_script.locator(".comment-author")).to_have_text([name])
            assert another not in without_script.content()
        page.goto(one)
        page.locator("rejoinder-thread").scroll_into_view_if_needed()
        form = page.locator("rejoinder-thread iframe").content_frame.locator("#reply")
        fill(form)
        send(form)
        expect(
            page.locator("rejoinder-thread iframe").content_frame.get_by_text("Rita")
        ).to_be_visible()
        assert article_of(live) == one
        plain.close()

    return look


def article_of(live: Live) -> str:
    """Under which address Rita's reply is."""
    [reply] = stored(live.app)
    with live.app.app_context():
        kept = database.session().get(Comment, reply.id)
        assert kept
        return kept.article.url


def test_the_desk_offers_the_blocks_of_the_docs() -> None:
    for one in recipes.RECIPES:
        assert recipe(f"## {one.system}") == one.block
    for one in recipes.FRAGMENTS:
        heading = {"A shell": "### In a shell, before any build"}.get(
            one.system, f"### In {one.system}"
        )
        assert recipe(heading) == one.block


@pytest.mark.long
def test_plain_html(live: Live, publisher: Publisher, expect_threads: Callable[..., None]) -> None:
    add_site(live.app, publisher.url)
    block = for_site(recipe("## Plain HTML"), live, publisher.url)
    urls = [
        publisher.write(f"/{name}", PAGE.format(block.replace("your-article", name)))
        for name in ("harbour", "lighthouse")
    ]
    expect_threads(*urls)


@pytest.mark.long
def test_flask_and_jinja(live: Live, expect_threads: Callable[..., None]) -> None:
    website = Flask("website")
    server = make_server("127.0.0.1", 0, website, threaded=True)
    origin = f"http://localhost:{server.server_port}"
    add_site(live.app, origin)
    template = PAGE.format(for_site(recipe("## Flask and Jinja"), live, origin))
    website.add_url_rule("/<name>", "article", lambda name: render_template_string(template))
    with serving(server):
        expect_threads(f"{origin}/harbour", f"{origin}/l%C3%BCbeck")


@pytest.mark.long
def test_django(
    live: Live, expect_threads: Callable[..., None], tmp_path: Path, free_port: int
) -> None:
    origin = f"http://localhost:{free_port}"
    add_site(live.app, origin)
    block = for_site(recipe("## Django"), live, origin)
    write(tmp_path, {"website.py": DJANGO, "templates/article.html": PAGE.format(block)})
    command = [sys.executable, "website.py", "runserver", "--noreload", f"127.0.0.1:{free_port}"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            wait_for(free_port, server)
            expect_threads(f"{origin}/harbour", f"{origin}/l%C3%BCbeck?part=2&page=3")
        finally:
            server.terminate()


DJANGO = """\
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.shortcuts import render
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="for a test",
    ALLOWED_HOSTS=["localhost"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": ["templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }],
)
urlpatterns = [path("<str:name>", lambda request, name: render(request, "article.html"))]
execute_from_command_line(sys.argv)
"""


HUGO = """\
baseURL = "{}/"
disableKinds = ["taxonomy", "term", "rss", "sitemap"]
[security.http]
urls = [".*"]  # this machine's own addresses too, which Hugo does not ask by itself
"""


def hugo_site(folder: Path, block: str, website: str) -> None:
    write(
        folder,
        {
            "hugo.toml": HUGO.format(website),
            "layouts/page.html": PAGE.format(block),
            "layouts/home.html": PAGE.format(""),
            "content/harbour.md": "+++\ntitle = 'One'\n+++\n",
            "content/lübeck.md": "+++\ntitle = 'Two'\n+++\n",
        },
    )


@pytest.mark.long
def test_hugo(
    live: Live, publisher: Publisher, expect_threads: Callable[..., None], tmp_path: Path
) -> None:
    add_site(live.app, publisher.url)
    hugo_site(tmp_path, for_site(recipe("## Hugo"), live, publisher.url), publisher.url)
    built = run(BIN / "hugo", cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    publish(publisher, tmp_path / "public")
    expect_threads(f"{publisher.url}/harbour/", f"{publisher.url}/l%C3%BCbeck/")


@pytest.fixture
def eleventy() -> Path:
    """Eleventy, fetched once into build/ by Node's own package manager."""
    folder = ROOT / "build/eleventy"
    command = folder / "node_modules/@11ty/eleventy/cmd.cjs"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetched = run(
            BIN / "npm", "install", "--no-fund", "--no-audit", "@11ty/eleventy@3", cwd=folder
        )
        if fetched.returncode:
            pytest.skip("Eleventy cannot be fetched: its package registry is out of reach")
    return command


@pytest.mark.long
def test_eleventy(
    live: Live,
    publisher: Publisher,
    expect_threads: Callable[..., None],
    tmp_path: Path,
    eleventy: Path,
) -> None:
    add_site(live.app, publisher.url)
    block = for_site(recipe("## Eleventy"), live, publisher.url)
    write(
        tmp_path,
        {
            "_includes/article.njk": PAGE.format("{{ content | safe }}" + block),
            "harbour.md": "---\nlayout: article.njk\n---\nOne\n",
            "lübeck.md": "---\nlayout: article.njk\n---\nTwo\n",
        },
    )
    built = run(BIN / "node", eleventy, cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    publish(publisher, tmp_path / "_site")
    expect_threads(f"{publisher.url}/harbour/", f"{publisher.url}/l%C3%BCbeck/")


@pytest.mark.long
def test_the_fragment_is_fetched_by_hugo_and_anew_at_each_build(
    live: Live, publisher: Publisher, page: Page, tmp_path: Path
) -> None:
    add_site(live.app, publisher.url)
    url = f"{publisher.url}/harbour/"
    add_comment(live.app, url, "Ada")
    block = for_site(
        recipe("## The fragment: comments as part of your page", "### In Hugo"), live, publisher.url
    )
    hugo_site(tmp_path, block, publisher.url)
    for name in ("Ada", "Grace"):
        built = run(BIN / "hugo", "--ignoreCache", "--cacheDir", tmp_path / "cache", cwd=tmp_path)
        assert built.returncode == 0, built.stdout + built.stderr
        assert name in (tmp_path / "public/harbour/index.html").read_text("utf-8")
        assert "No replies yet" in (tmp_path / "public/lübeck/index.html").read_text("utf-8")
        add_comment(live.app, url, "Grace")
    expect_fragment(
        page, live, publisher, (tmp_path / "public/harbour/index.html").read_text("utf-8")
    )


@pytest.mark.long
def test_a_build_without_the_service_goes_on(
    live: Live, publisher: Publisher, tmp_path: Path, free_port: int
) -> None:
    block = recipe("## The fragment: comments as part of your page", "### In Hugo")
    away = Live(f"http://127.0.0.1:{free_port}", live.app)
    hugo_site(tmp_path, for_site(block, away, publisher.url), publisher.url)
    built = run(BIN / "hugo", "--ignoreCache", "--cacheDir", tmp_path / "cache", cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "Comments:" in built.stdout + built.stderr
    assert "An article" in (tmp_path / "public/harbour/index.html").read_text("utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_the_fragment_is_fetched_by_a_shell_and_kept_while_the_service_is_away(
    live: Live, publisher: Publisher, page: Page, tmp_path: Path, free_port: int
) -> None:
    add_site(live.app, publisher.url)
    add_comment(live.app, f"{publisher.url}/harbour/", "Ada")
    heading = "### In a shell, before any build"
    block = for_site(recipe(heading), live, publisher.url).replace("your-article", "harbour/")
    assert run("sh", "-c", block, cwd=tmp_path).returncode == 0
    away = run("sh", "-c", block.replace(live.url, f"http://127.0.0.1:{free_port}"), cwd=tmp_path)
    assert away.returncode != 0
    expect_fragment(
        page, live, publisher, PAGE.format((tmp_path / "comments.html").read_text("utf-8"))
    )


def expect_fragment(page: Page, live: Live, publisher: Publisher, html: str) -> None:
    """A reply goes out of a page that includes the thread, under the policy that the docs ask for."""
    policy = {"Content-Security-Policy": f"default-src 'none'; form-action {live.url}"}
    page.goto(publisher.write("/harbour/", html, policy))
    expect(page.locator(".comment-author").first).to_have_text("Ada")
    fill(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your reply is received")
    assert article_of(live) == f"{publisher.url}/harbour/"


@pytest.fixture
def free_port() -> int:
    """A port where nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Waits until a server listens; says what it wrote if it ends before."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert server.poll() is None, server.stdout and server.stdout.read().decode()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the website did not start")


@contextmanager
def serving(server: BaseWSGIServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
