"""How long a job over many pending comments takes on SQLite, and what others notice of it meanwhile.

Prints the seconds of the whole job and of its undoing, each batch's time under the lock, and how
long a reader's POST and the queue took while it ran, beside the same on a quiet desk.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from bench.threads import URL, installation
from service import accounts, bulk, database, folds, moderation
from service.models import Article, Bulk, Comment, Site, now, public_id
from service.status import Role, Status
from service.tokens import FormTokens
from service.views import jobs

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ARTICLES = 200
QUIET = 30  # looks at a quiet desk
WORDS = "Cheap watches and bags, best quality, free delivery to every country. " * 4


def fill(app: Flask, size: int) -> int:
    """So many pending comments on ARTICLES articles; returns the moderator's id."""
    with app.app_context(), database.writing() as session:
        site = Site(key="bench", name="Bench", origins=["https://bench.example"])
        session.add(site)
        session.flush()
        mo = accounts.add(session, "mo@bench.example", Role.ADMIN, None, None)
        articles = [Article(site_id=site.id, url=f"{URL}/{n}") for n in range(ARTICLES)]
        session.add_all(articles)
        session.flush()
        for start in range(0, size, 5_000):
            rows = [
                {
                    "public_id": public_id(),
                    "site_id": site.id,
                    "article_id": articles[n % ARTICLES].id,
                    "name": f"Reader {n}",
                    "text": f"{WORDS}{n}",
                    "html": f"<p>{WORDS}{n}</p>",
                    "renderer": 1,
                    "status": Status.PENDING,
                    "network": f"198.51.{n % 100}.0/24",
                    "created_at": now() - timedelta(seconds=size - n),
                }
                for n in range(start, min(start + 5_000, size))
            ]
            session.execute(insert(Comment), rows)
        return mo.id


def sign_in(app: Flask, client: FlaskClient, mo_id: int) -> None:
    with app.app_context(), database.writing() as session:
        secret = accounts.make_link(session, session.get_one(accounts.Moderator, mo_id))
    page = client.get(f"/desk/sign-in/{secret}").text
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    assert client.post(f"/desk/sign-in/{secret}", data={"csrf_token": token}).status_code == 303


def took(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1_000


def said(times: list[float]) -> str:
    return f"median {statistics.median(times):.0f} ms, longest {max(times):.0f} ms of {len(times)}"


def wave(size: int) -> str:
    """How long the queue's first page takes, and the decision on its oldest card, where nine of ten
    pending comments are one wave."""
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        mo_id, client = fill(app, size), app.test_client()
        sign_in(app, client, mo_id)
        with app.app_context(), database.writing() as session:
            in_wave = Comment.id <= size * 9 // 10
            alike = (
                update(Comment).where(in_wave).values(fold_key="tbench", is_folded=Comment.id > 1)
            )
            session.execute(alike.execution_options(synchronize_session=False))

        def decide() -> None:
            with app.app_context(), database.writing() as session:
                mo = session.get_one(accounts.Moderator, mo_id)
                heads = select(Comment).where(folds.stands(), Comment.status == Status.PENDING)
                oldest = session.scalar(heads.order_by(Comment.created_at, Comment.id).limit(1))
                assert oldest is not None
                moderation.decide(session, oldest, Status.APPROVED, oldest.version, mo)

        def queue() -> None:
            assert "like it" in client.get("/desk/").text

        queue()
        pages, decisions = [took(queue) for _ in range(QUIET)], [took(decide) for _ in range(QUIET)]
        return f"{size:>9,}: first page {said(pages)}; decision {said(decisions)}"


def main() -> None:
    for size in (1_000, SIZE):
        print(f"a wave among {wave(size)}")
    print(f"{SIZE:,} pending comments on SQLite; load {os.getloadavg()[0]:.1f}")
    held: list[float] = []
    step = bulk.step

    def timed(*given: object) -> bool:
        start = time.perf_counter()
        try:
            return step(*given)  # type: ignore[arg-type]
        finally:
            held.append((time.perf_counter() - start) * 1_000)

    bulk.step = timed
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        mo_id, client = fill(app, SIZE), app.test_client()
        sign_in(app, client, mo_id)
        token = FormTokens(app.extensions["signer"], "bench", f"{URL}/1").for_page()
        sent = {"url": f"{URL}/1", "token": token, "name": "Rita", "email": "rita@example.org"}
        posted = iter(range(1_000_000))

        def reply() -> None:
            form = sent | {"comment": f"Reply number {next(posted)}."}
            assert client.post("/embed/bench/comments", data=form).status_code == 303

        def queue() -> None:
            assert client.get("/desk/").status_code == 200

        queue()
        print(f"quiet: POST {said([took(reply) for _ in range(QUIET)])}")
        print(f"quiet: queue {said([took(queue) for _ in range(QUIET)])}")

        def job(start: Callable[[], int], what: str) -> int:
            posts: list[float] = []
            queues: list[float] = []
            held.clear()
            began = time.perf_counter()
            with app.app_context():
                number = start()
                jobs.run(number)
            while app.extensions["jobs"][number].is_alive():
                posts.append(took(reply))
                queues.append(took(queue))
                time.sleep(0.2)
            seconds = time.perf_counter() - began
            with app.app_context():
                done = database.session().get_one(Bulk, number)
                print(f"{what}: {done.done:,} done, {done.skipped:,} skipped in {seconds:.1f} s")
            print(f"  batches: {said(held)}; POST {said(posts)}; queue {said(queues)}")
            return number

        def decide() -> int:
            mo = database.session().get_one(accounts.Moderator, mo_id)
            shown = bulk.preview(database.session(), mo, {})
            total = bulk.count(database.session(), mo, shown.matching)
            with database.writing() as session:
                mo = session.get_one(accounts.Moderator, mo_id)
                return bulk.start_matching(session, mo, Status.SPAM, shown.matching, total).id

        def undo() -> int:
            with database.writing() as session:
                mo = session.get_one(accounts.Moderator, mo_id)
                first = session.scalars(select(Bulk).order_by(Bulk.id)).first()
                assert first is not None
                return bulk.start_undo(session, mo, first).id

        job(decide, "spam")
        job(undo, "undo")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
