"""How the desk's cost grows with what is stored: its first page, a search, a decision, a bulk of 1,000.

`python -m bench.desk [SIZE …] [sqlite|postgresql]` prints medians in milliseconds, side by side for
the sizes, on SQLite and on PostgreSQL, and each cost's ratio of the largest to the smallest. The
first page and one decision may grow by no more than a fifth.
"""

import base64
import itertools
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text

from service import accounts, create_app, database, moderation
from service.models import Article, Comment, Reason, Site, now, public_id
from service.rules import Verdict
from service.status import Role, Status
from service.vault import Vault
from tests import postgres

SIZES = (1_000, 20_000)  # unless told: what takes half a minute
MANY = 1_000  # that are picked and decided at once
RUNS = 20
COLD = 2  # more runs, which are not counted
FEW_RUNS = 3  # of what takes long
ARTICLES = 100
KEY = b"k" * 32
LOT = 5_000
# Of a hundred comments: what became of them.
SHARES = {Status.APPROVED: 70, Status.PENDING: 15, Status.SPAM: 10, Status.REJECTED: 5}
# How many comments hold each: one in three, and five in all.
COMMON, SECOND, RARE = "harbour", "lighthouse", "quincunx"
FEW = 5
WORDS = [
    f"{a}{b}{c}" for a in "bdfklmnprst" for b in ("ar", "e", "ing", "o", "u") for c in "dlmnrst"
]
MAY_GROW = 1.2
HELD = ("first page", "one decision")  # what may not grow by more


def installation(folder: Path, url: str) -> Flask:
    database.migrate(url)
    database.leave_check(url, Vault([KEY], KEY).check())
    key = base64.b64encode(KEY).decode()
    secrets: dict[str, Any] = {"SECRET_KEY": "s", "EMAIL_KEYS": key, "INDEX_KEY": key}
    return create_app(INSTANCE=folder, DATABASE_URL=url, RATE_LIMITS="off", **secrets)


def sentence(number: int, size: int) -> str:
    """About 120 characters, the same in every run."""
    chance = random.Random(number)
    said = chance.choices(WORDS, k=20)
    said[3] = COMMON if chance.random() < 1 / 3 else said[3]
    said[9] = SECOND if chance.random() < 1 / 10 else said[9]
    said[12] = RARE if number % max(1, size // FEW) == 0 else said[12]
    return " ".join(said).capitalize() + "."


def rows(size: int, site_id: int, article_ids: list[int]) -> Iterator[dict[str, Any]]:
    statuses = [status for status, share in SHARES.items() for _ in range(share)]
    for number in range(1, size + 1):
        said = sentence(number, size)
        verdict = Verdict(random.Random(-number).choice(statuses))
        yield {
            "id": number,
            "public_id": public_id(),
            "site_id": site_id,
            "article_id": article_ids[number % len(article_ids)],
            "name": f"Reader {number % 997}",
            "text": said,
            "html": f"<p>{said}</p>",
            "renderer": 1,
            "status": moderation.initial(verdict),
            "created_at": now() - timedelta(seconds=10 * (size - number)),
            "network": f"192.0.{number % 250}.0/24",
            "risk": number % 100,
        }


def fill(app: Flask, size: int) -> int:
    """Comments on a hundred articles of one site; returns the id of its moderator."""
    with app.app_context(), database.writing() as session:
        site = Site(key="bench", name="Bench", origins=["https://bench.example"])
        session.add(site)
        session.flush()
        urls = (f"https://bench.example/{number}" for number in range(ARTICLES))
        articles = [Article(site_id=site.id, url=url) for url in urls]
        session.add_all(articles)
        mo = accounts.add(session, "mo@bench.example", Role.MODERATOR, site, None)
        session.flush()
        mo_id, made = mo.id, rows(size, site.id, [article.id for article in articles])
    lot: list[dict[str, Any]] = []
    for number, row in enumerate(made, 1):
        lot.append(row)
        if len(lot) == LOT or number == size:
            with app.app_context(), database.writing() as session:
                session.execute(insert(Comment), lot)
                reasons = [{"comment_id": row["id"], "rule": "every_reply"} for row in lot]
                session.execute(insert(Reason), reasons)
            lot = []
    with app.app_context(), database.writing() as session:
        for article_id in session.scalars(select(Article.id)).all():
            moderation.recount(session, article_id)
        if session.get_bind().dialect.name == "postgresql":
            counter = func.pg_get_serial_sequence("comments", "id")
            session.execute(select(func.setval(counter, size)))
    if app.extensions["database"].write_engine.dialect.name == "postgresql":
        with app.extensions["database"].write_engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("VACUUM ANALYZE")
            )
    return mo_id


def sign_in(app: Flask, mo_id: int) -> tuple[FlaskClient, str]:
    """The moderator's browser, and the token that its forms send."""
    client = app.test_client()
    with app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, mo_id))
    page = client.get(f"/desk/sign-in/{secret}").text
    sent = {"csrf_token": csrf(page)}
    assert client.post(f"/desk/sign-in/{secret}", data=sent).status_code == 303
    return client, csrf(client.get("/desk/").text)


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


def costs(app: Flask, size: int) -> dict[str, Callable[[], object]]:
    """What is measured in an installation of this size, by its name."""
    client, token = sign_in(app, fill(app, size))

    def opened(path: str) -> Callable[[], None]:
        def work() -> None:
            assert client.get(path).status_code == 200

        return work

    with app.app_context():
        waiting = select(Comment.public_id).where(Comment.status == Status.PENDING)
        ids = iter(database.session().scalars(waiting.limit(RUNS + COLD)).all())

    def decide() -> None:
        sent = {"action": "approve", "version": 1, "csrf_token": token}
        where = f"/desk/comments/{next(ids)}/decide"
        answer = client.post(where, data=sent, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text

    queries = {
        "search: common word": f"status=approved&q={COMMON}",
        "search: rare word": f"status=approved&q={RARE}",
        "search: two words": f"status=approved&q={COMMON}+{SECOND}",
        "… among the pending": f"q={COMMON}+{SECOND}",
        "common, riskiest first": f"status=approved&q={COMMON}&sort=riskiest",
        "pending, riskiest first": "sort=riskiest",
        "one network": "status=approved&network=192.0.7.0",
    }
    return {
        "first page": opened("/desk/"),
        "counts alone": opened("/desk/counts"),
        **{name: opened(f"/desk/?{query}") for name, query in queries.items()},
        "one decision": decide,
        "bulk of 1,000": lambda: bulk(app, client, token),
    }


def medians(works: list[Callable[[], object]], runs: int = RUNS) -> list[float]:
    """Milliseconds for the same work at each size, in turns, so that what else the machine does
    falls on all of them alike; after COLD runs that are not counted."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(COLD + runs):
        for work, times in zip(works, taken, strict=True):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1_000)
    return [statistics.median(times[COLD:]) for times in taken]


def bulk(app: Flask, client: FlaskClient, token: str) -> None:
    """A decision on 1,000 comments at once, from the click to the job's end."""
    newest = select(Comment.public_id, Comment.version, Comment.status).order_by(Comment.id.desc())
    with app.app_context():
        rows = database.session().execute(newest.limit(MANY)).all()
    action = "reject" if rows[0].status == Status.SPAM else "spam"
    picked = [f"{row.public_id}:{row.version}" for row in rows]
    sent = {"action": action, "pick": picked, "csrf_token": token}
    answer = client.post("/desk/bulk", data=sent, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    for thread in app.extensions.get("jobs", {}).values():
        thread.join()


@contextmanager
def databases() -> Iterator[dict[str, Callable[[Path], str]]]:
    """How to make an empty database of each kind."""
    with postgres.server() as server:
        numbers = itertools.count(1)

        def make(folder: Path) -> str:
            name = f"bench_{next(numbers)}"
            server.run(f"CREATE DATABASE {name}")
            return server.url(name)

        yield {
            "SQLite": lambda folder: f"sqlite:///{folder / 'bench.db'}",
            "PostgreSQL": make,
        }


def main(sizes: tuple[int, ...], wanted: tuple[str, ...] = ()) -> None:
    with databases() as kinds, ExitStack() as opened:
        for kind, make in kinds.items():
            if wanted and kind.lower() not in wanted:
                continue
            found = []
            for size in sizes:
                folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
                app = installation(folder, make(folder))
                opened.callback(app.extensions["database"].dispose)
                found.append(costs(app, size))
            print(f"{kind + ', ms':<26}" + "".join(f"{size:>12,}" for size in sizes) + "   ratio")
            for name in found[0]:
                runs = FEW_RUNS if name.startswith("bulk") else RUNS
                works = [each[name] for each in found]
                print(line(name, medians(works, runs)), flush=True)


def line(name: str, values: list[float]) -> str:
    cells = "".join(f"{value:>12.1f}" for value in values)
    ratio = values[-1] / values[0]
    return f"{name:<26}{cells}{ratio:>8.2f}" + (
        "  more than a fifth" if name in HELD and ratio > MAY_GROW else ""
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        tuple(int(word) for word in given if word.isdecimal()) or SIZES,
        tuple(word.lower() for word in given if not word.isdecimal()),
    )
