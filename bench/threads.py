"""How the cost of a thread page, a decision and a reply grows with what is stored.

Prints medians and, what counts on a noisy machine, their ratios to the smallest size in one run.
"""

import base64
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, select

from service import accounts, create_app, database, moderation
from service.models import Article, Comment, Site, now, public_id
from service.rules import Verdict
from service.status import Role, Status
from service.tokens import FormTokens
from service.vault import Vault

SIZES = (50, 1_000, 10_000, 100_000)
# What a comment answers, and its status: n is its number from 1.
SHAPES = {
    "many comments": lambda n: (None, Status.APPROVED),
    "all under one": lambda n: (1 if n > 1 else None, Status.APPROVED),
    "spam under one": lambda n: (1 if n > 1 else None, Status.SPAM if n > 40 else Status.APPROVED),
}
Shaping = Callable[[int], tuple[int | None, Status]]
RUNS = 30
URL = "https://bench.example/article"
KEY = b"k" * 32


def installation(folder: Path) -> Flask:
    url = f"sqlite:///{folder / 'bench.db'}"
    database.migrate(url)
    database.leave_check(url, Vault([KEY], KEY).check())
    key = base64.b64encode(KEY).decode()
    return create_app(
        INSTANCE=folder,
        DATABASE_URL=url,
        SECRET_KEY="s",
        EMAIL_KEYS=key,
        INDEX_KEY=key,
        RATE_LIMITS="off",
    )


def ordinary(n: int) -> tuple[int | None, Status]:
    """Every third comment is a reply."""
    return (n - 1 if n % 3 == 2 else None), Status.APPROVED


def fill(app: Flask, size: int, shape: Shaping = ordinary) -> int:
    """One article with so many comments; returns the moderator's id."""
    with app.app_context(), database.writing() as session:
        site = Site(key="bench", name="Bench", origins=["https://bench.example"])
        session.add(site)
        session.flush()
        article = Article(site_id=site.id, url=URL, approved_count=size)
        mo = accounts.add(session, "mo@bench.example", Role.ADMIN, None, None)
        session.add(article)
        session.flush()
        rows = [
            {
                "public_id": public_id(),
                "site_id": site.id,
                "article_id": article.id,
                "parent_id": shape(n)[0],
                "root_id": shape(n)[0],
                "name": f"Reader {n}",
                "text": "A comment of an ordinary length. " * 5,
                "html": "<p>" + "A comment of an ordinary length. " * 5 + "</p>",
                "renderer": 1,
                "status": moderation.initial(Verdict(shape(n)[1])),
                "created_at": now() - timedelta(seconds=size - n),
            }
            for n in range(1, size + 1)
        ]
        for start in range(0, size, 5_000):
            session.execute(insert(Comment), rows[start : start + 5_000])
        session.flush()
        moderation.recount(session, article.id)
        return mo.id


def median(work: Callable[[], object]) -> float:
    """Milliseconds, after one run that is not counted."""
    taken = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1_000)
    return statistics.median(taken[1:])


def measure(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        mo_id, client = fill(app, size), app.test_client()
        token = FormTokens(app.extensions["signer"], "bench", URL).for_page()
        sent = {"url": URL, "token": token, "name": "Rita", "email": "rita@example.org"}
        posted = iter(range(10_000))

        def reply() -> None:
            form = sent | {"comment": f"Reply number {next(posted)}."}
            assert client.post("/embed/bench/comments", data=form).status_code == 303

        def decide() -> None:
            with app.app_context(), database.writing() as session:
                mo = session.get_one(accounts.Moderator, mo_id)
                waiting = select(Comment).where(Comment.status == Status.PENDING).limit(1)
                found = session.scalars(waiting).one()
                moderation.decide(session, found, Status.APPROVED, found.version, mo)

        with app.app_context():
            middle = database.session().scalar(
                select(Comment.public_id).where(Comment.id == max(1, size // 2))
            )
        page = f"/embed/bench?url={URL}"
        return {
            "first page": median(lambda: client.get(page)),
            "page in the middle": median(lambda: client.get(f"{page}&at={middle}")),
            "reply": median(reply),
            "decision": median(decide),
        }


def opening(size: int, shape: Shaping) -> float:
    """Milliseconds for the first page of a thread of this shape."""
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        fill(app, size, shape)
        client = app.test_client()
        return median(lambda: client.get(f"/embed/bench?url={URL}"))


def main() -> None:
    for name, shape in SHAPES.items():
        short, long = (opening(size, shape) for size in (50, 10_000))
        print(f"{name}: 50 in {short:.1f} ms, 10,000 in {long:.1f} ms, ratio {long / short:.2f}")
    found = {size: measure(size) for size in SIZES}
    print(f"{'ms (ratio)':<20}" + "".join(f"{size:>18,}" for size in SIZES))
    for what in found[SIZES[0]]:
        least = found[SIZES[0]][what]
        cells = [f"{found[size][what]:.1f} ({found[size][what] / least:.2f})" for size in SIZES]
        print(f"{what:<20}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
