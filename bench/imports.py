"""How fast comments come in by `flask import` on SQLite, from end to end, and how much memory it takes.

Makes a WordPress export of its own (about 700 bytes a comment, a tenth with links and marks), imports
it, exports that as JSON Lines and imports it into a second site. Then once more with all comments
under one article, and with articles that the file comes back to for each comment. Memory is that of
the importing process at its highest, without its two that render.

    python -m bench.imports [COMMENTS] [ARTICLES] [wordpress|json|one|mixed ...]
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
ARTICLES = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
WHAT = sys.argv[3:] or ["wordpress", "json", "one", "mixed"]
WORDS = (  # noqa: SIM905  a text is easier to read
    "the review of a book that nobody had read before it was said to be good and long and somewhat "
    "dull in its middle part where people talk of the weather"
).split()
ENDS = (
    (0.70, ""),
    (0.90, '\n\nAnd it\'s "so" &amp; so.\nYes.'),
    (0.95, ' <a href="http://x.example/{n}">this</a> and <em>that</em>'),
    (1.00, " see http://www.example.org/{n}"),
)
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Bench</title>
<link>https://bench.example</link>
"""
ITEM = "<item><title>Article {n}</title><link>https://bench.example/{n}</link>\n"
COMMENT = """<wp:comment><wp:comment_id>{n}</wp:comment_id>
<wp:comment_author><![CDATA[Reader {by}]]></wp:comment_author>
<wp:comment_author_email>reader{by}@example.org</wp:comment_author_email>
<wp:comment_author_url></wp:comment_author_url>
<wp:comment_date_gmt>2015-{month:02d}-{day:02d} {hour:02d}:04:05</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{text}]]></wp:comment_content>
<wp:comment_approved>{state}</wp:comment_approved><wp:comment_type></wp:comment_type>
<wp:comment_parent>{parent}</wp:comment_parent></wp:comment>
"""


def export(size: int, articles: int, is_mixed: bool = False) -> Iterator[str]:
    """An export of so many comments, article by article or, mixed, each under another one."""
    chance = random.Random(1)
    yield HEAD
    for article, count in (
        [(n % articles, 1) for n in range(size)] if is_mixed else _even(size, articles)
    ):
        yield ITEM.format(n=article)
        for place in range(count):
            yield _comment(chance, place, is_mixed)
        yield "</item>\n"
    yield "</channel></rss>"


def _even(size: int, articles: int) -> list[tuple[int, int]]:
    share, rest = divmod(size, articles)
    return [(n, share + (n < rest)) for n in range(articles)]


_made = 0


def _comment(chance: random.Random, place: int, is_mixed: bool) -> str:
    """The comment at this place of its article, half of them replies to one before."""
    global _made
    _made += 1
    n = _made
    before = n - ARTICLES if is_mixed else n - chance.randint(1, min(50, place) or 1)
    kind = chance.random()
    end = next(end for most, end in ENDS if kind <= most)
    text = " ".join(chance.choices(WORDS, k=chance.randint(5, 70))) + end.format(n=n)
    return COMMENT.format(
        n=n,
        by=chance.randint(1, max(1, SIZE // 5)),
        month=1 + n % 12,
        day=1 + n % 28,
        hour=n % 24,
        text=text,
        state="1" if chance.random() < 0.9 else "spam",
        parent=before if before > 0 and (place or is_mixed) and chance.random() < 0.5 else 0,
    )


def flask(instance: Path, *words: str) -> tuple[float, int]:
    """Runs a command; gives its seconds and the kilobytes that it had at most."""
    environ = {**os.environ, "REJOINDER_INSTANCE": str(instance)}
    began = time.monotonic()
    command = [sys.executable, "-m", "flask", *words]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_maxrss


def measure(instance: Path, name: str, format: str, file: Path, site: str) -> None:
    site_of = ("site", "add", site, "--name", site, "--origin", "https://bench.example")
    flask(instance, *site_of)
    for doing, words in (("rehearsed", ["--dry-run"]), ("imported", [])):
        seconds, memory = flask(instance, "import", format, str(file), "--site", site, *words)
        print(
            f"{name:<28} {doing:<10} {SIZE / seconds:>7,.0f} comments/s  {seconds:>6.1f} s  "
            f"{memory / 1024:>5,.0f} MB  of a file of {file.stat().st_size / 1e6:,.0f} MB",
            flush=True,
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder, "instance")
        instance.mkdir()
        flask(instance, "setup")
        files = {
            "wordpress": (export(SIZE, ARTICLES), "an article after the other"),
            "one": (export(SIZE, 1), "all under one article"),
            "mixed": (export(SIZE, ARTICLES, is_mixed=True), "articles in turn"),
        }
        for name in WHAT:
            file = Path(folder, f"{name}.xml")
            if name in files:
                lines, words = files[name]
                with file.open("w") as out:
                    out.writelines(lines)
                measure(instance, words, "wordpress", file, name)
            else:
                flask(instance, "export", "json", str(file), "--site", "wordpress")
                measure(instance, "JSON Lines", "json", file, name)
            file.unlink()
    print(
        f"Highest of any process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MB"
    )


if __name__ == "__main__":
    main()
