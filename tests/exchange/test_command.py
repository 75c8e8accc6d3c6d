"""`flask import` when it is stopped, wrongly called, or given what is no export."""

import fcntl
import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cast import add_site, stored

from service import database
from service.exchange import store
from service.status import ImportState

ROOT = Path(__file__).resolve().parents[2]

PARENTS = [0, 1, 2, 1, 4, 0, 6, 6, 8, 9]


@pytest.fixture
def flask(app):
    add_site(app)
    return lambda *words: app.test_cli_runner().invoke(args=[str(word) for word in words])


@pytest.fixture
def file(wxr, tmp_path):
    path = tmp_path / "export.xml"
    comments = [wxr.comment(id=n, parent=p) for n, p in enumerate(PARENTS, 1)]
    path.write_bytes(wxr.export(wxr.item(*comments)))
    return path


def stop_at(monkeypatch, fault, number):
    """Lets rendering fail at the comment with this number."""
    calls = iter(range(1, 1_000))
    html_of = store.html_of

    def failing(*words):
        if next(calls) == number:
            raise fault
        return html_of(*words)

    monkeypatch.setattr(store, "BATCH", 4)
    monkeypatch.setattr(store, "html_of", failing)


@pytest.mark.parametrize(
    ("fault", "said"), [(KeyboardInterrupt(), "interrupted"), (database.Busy(), "busy")]
)
def test_a_stopped_import_says_so_and_is_run_on(app, flask, file, monkeypatch, fault, said):
    with monkeypatch.context() as patched:
        stop_at(patched, fault, 6)
        stopped = flask("import", "wordpress", file, "--site", "daily")
    assert stopped.exit_code == 1
    assert said in stopped.stderr
    assert "with 4 of 10 comments written" in stopped.stderr
    assert "stopped" in flask("import", "list").stdout
    assert len(stored(app)) == 4
    assert flask("import", "wordpress", file, "--site", "daily").exit_code == 0
    assert len(stored(app)) == 10
    assert "done" in flask("import", "list").stdout


def test_one_import_of_a_site_runs_at_a_time(app, flask, file, tmp_path):
    with (tmp_path / "import-1.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = flask("import", "wordpress", file, "--site", "daily")
        assert (refused.exit_code, "is running" in refused.stderr) == (1, True)
    assert stored(app) == []
    assert flask("import", "wordpress", file, "--site", "daily").exit_code == 0


def test_an_import_that_was_killed_is_listed_as_stopped(app, flask, file, tmp_path):
    flask("import", "wordpress", file, "--site", "daily")
    with app.app_context(), database.writing() as session:
        store.mark(session, 1, ImportState.RUNNING)
    assert "stopped" in flask("import", "list").stdout
    with (tmp_path / "import-1.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "running" in flask("import", "list").stdout


@pytest.mark.long
def test_who_renders_ends_with_the_import(tmp_path):
    """The import is killed; its helpers see that nobody is left to render for."""
    script = (
        "import os, subprocess, sys; from multiprocessing import get_context; "
        "from service.cli.importing import _serve; import time\n"
        "if __name__ == '__main__':\n"
        "    from concurrent.futures import ProcessPoolExecutor\n"
        "    pool = ProcessPoolExecutor(1, get_context('spawn'), _serve, (os.getpid(),))\n"
        "    print(pool.submit(os.getpid).result(), flush=True); time.sleep(60)\n"
    )
    (tmp_path / "killed.py").write_text(script)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, tmp_path / "killed.py"], stdout=subprocess.PIPE, text=True, env=environ
    ) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 20
    while Path(f"/proc/{child}/cmdline").exists() and time.monotonic() < until:
        if not Path(f"/proc/{child}/cmdline").read_bytes():
            break  # ended, and nobody has asked for its status
        time.sleep(0.1)
    assert time.monotonic() < until


def test_a_text_of_which_nothing_is_left_is_told(app, flask, wxr, tmp_path):
    path = tmp_path / "export.xml"
    path.write_bytes(wxr.export(wxr.item(wxr.comment(id=7, content="<!-- only a comment -->"))))
    told = flask("import", "wordpress", path, "--site", "daily").stdout
    assert "1 × text of which nothing can be shown (id 7)" in told


def test_a_stopped_import_is_undone(app, flask, file, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, KeyboardInterrupt(), 6)
        flask("import", "wordpress", file, "--site", "daily")
    assert flask("import", "undo", 1).exit_code == 0
    assert stored(app) == []
    again = flask("import", "undo", 1)
    assert again.exit_code == 1
    assert "undone already" in again.stderr


def test_a_fault_of_our_own_leaves_no_import_that_seems_to_run(flask, file, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, ZeroDivisionError(), 6)
        assert flask("import", "wordpress", file, "--site", "daily").exit_code == 1
    assert "stopped" in flask("import", "list").stdout


@pytest.mark.long
def test_many_comments_are_rendered_by_several_processes(app, flask, file, monkeypatch):
    monkeypatch.setattr("service.cli.importing.MANY", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert flask("import", "wordpress", file, "--site", "daily").exit_code == 0
    assert {c.html for c in stored(app)} == {"<p>Hear, hear.</p>"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (gzip.compress(b"<rss/>", mtime=0), "no WordPress export"),
        (gzip.compress(b"<rss/>", mtime=0)[:-9], "gzip data is cut off"),
        (b"PK\x03\x04....", "compressed (zip)"),
        (b"<rss><channel/></rss>", "no WordPress export"),
        (None, "No such file"),
    ],
)
def test_what_is_no_export_is_one_line(flask, tmp_path, content, said):
    file = tmp_path / "export.xml"
    if content is not None:
        file.write_bytes(content)
    refused = flask("import", "wordpress", file, "--site", "daily")
    assert refused.exit_code == 1
    assert said in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.output
    assert "1 " not in flask("import", "list").stdout


def test_a_folder_is_one_line(flask, tmp_path):
    refused = flask("import", "wordpress", tmp_path, "--site", "daily")
    assert refused.exit_code == 1
    assert "Is a directory" in refused.stderr


def test_a_site_that_is_not_there_is_one_line(flask, file):
    refused = flask("import", "wordpress", file, "--site", "none")
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1)
    assert "There is no site none" in refused.stderr


@pytest.mark.parametrize(
    "words", [["unheard-of", "x"], ["wordpress"], ["wordpress", "x", "--map", "only-one"]]
)
def test_wrong_usage_ends_with_2(flask, words):
    assert flask("import", *words, "--site", "daily").exit_code == 2


def test_two_rules_that_contradict_each_other_end_with_2(flask, file):
    words = ["--map", "http://x=http://y.example", "--map", "http://x=http://z.example"]
    done = flask("import", "wordpress", file, "--site", "daily", *words)
    assert done.exit_code == 2
    assert "elsewhere than a rule before it" in done.stderr


def test_the_report_names_foreign_articles_and_idle_prefixes(flask, file):
    words = [
        "--map",
        "https://daily.example=http://elsewhere.example",
        "--map",
        "http://x=http://y.example",
    ]
    done = flask("import", "wordpress", file, "--site", "daily", *words)
    assert "  http://elsewhere.example/review" in done.stdout.splitlines()
    assert "--map http://x: fits no article" in done.stdout
    other = flask("import", "wordpress", file, "--site", "daily")
    assert other.exit_code == 1
    assert "flask import undo 1" in other.stderr


def test_a_file_with_nothing_that_can_be_imported_tells_why(flask, wxr, tmp_path):
    file = tmp_path / "export.xml"
    file.write_bytes(wxr.export(wxr.item(wxr.comment(type="order_note"))))
    refused = flask("import", "wordpress", file, "--site", "daily")
    assert refused.exit_code == 1
    assert "left out" in refused.stdout
    assert "no comment in it" in refused.stderr


def test_no_address_is_in_the_report_or_in_an_export(app, flask, wxr, tmp_path):
    hidden = "rita@example.org"
    odd = [
        wxr.comment(id=hidden, author=hidden, url=f"http://x.example/{hidden}"),
        wxr.comment(id="2", author_url=f"http://x.example/{hidden}", approved=hidden),
        wxr.comment(id="3", content=f"Write to {hidden}", type=hidden),
        wxr.comment(
            id=None, author_email=f" {hidden}\n", content=f"<a href='mailto:{hidden}'>me</a>"
        ),
    ]
    file = tmp_path / "export.xml"
    file.write_bytes(wxr.export(wxr.item(*odd)))
    done = flask("import", "wordpress", file, "--site", "daily")
    assert done.exit_code == 0
    assert len(stored(app)) == 4
    assert hidden not in done.output
    assert hidden not in flask("export", "json", "-", "--site", "daily").output
    assert hidden in flask("export", "json", "-", "--site", "daily", "--with-emails").output
