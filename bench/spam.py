"""How well the filter tells spam, beside scikit-learn on the same splits, and how long it takes.

Five-fold cross-validation on the corpora's train splits (CORPORA names their folder), each fold in
its own order, since the filter learns a comment at a time. Prints F1 at 0.5 and the area under the
ROC curve, means over the folds; then the median time to score a comment of 600 characters on SQLite,
what is read of the model included.
"""

import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_union

from bench.threads import installation
from service import database, learning, lessons
from service.features import features
from service.learning import NOTHING, Known, Totals
from service.measures import area, confusion
from service.models import Site
from service.screening import filter

CORPORA = Path(os.environ.get("CORPORA") or Path(__file__).parents[2] / "shared" / "corpora")
FOLDS = 5
SEEDS = (0, 1)
RUNS = 300
KEY = b"k" * 32
Lines = Sequence[dict[str, Any]]
Judge = Callable[[Lines, Lines], list[float]]


def ours(train: Lines, test: Lines) -> list[float]:
    known: dict[int, Known] = {}
    totals = Totals()
    for line in train:
        is_spam = line["label"] == "spam"
        totals = Totals(totals.spam + is_spam, totals.ham + (not is_spam))
        found = features(line["text"], KEY, line.get("author", ""))
        for hash, change in learning.lesson(found, known, totals, is_spam).items():
            known[hash] = known.get(hash, NOTHING).plus(change)
    asked = (features(line["text"], KEY, line.get("author", "")) for line in test)
    return [learning.chance(learning.parts(found, known, totals)) for found in asked]


def theirs(vectorizer: Any, model: Any) -> Judge:
    """scikit-learn on words, pairs of words and pieces of words."""

    def judge(train: Lines, test: Lines) -> list[float]:
        union = make_union(
            vectorizer(ngram_range=(1, 2)), vectorizer(analyzer="char_wb", ngram_range=(3, 5))
        )
        told = union.fit_transform([line["text"] for line in train])
        model.fit(told, [line["label"] == "spam" for line in train])
        return list(model.predict_proba(union.transform([line["text"] for line in test]))[:, 1])

    return judge


JUDGES: dict[str, Judge] = {
    "ours": ours,
    "naive Bayes, counts": theirs(CountVectorizer, MultinomialNB()),
    "naive Bayes, tf-idf": theirs(TfidfVectorizer, MultinomialNB()),
    "logistic regression, counts, C 1": theirs(CountVectorizer, LogisticRegression(max_iter=500)),
    "logistic regression, tf-idf, C 1": theirs(TfidfVectorizer, LogisticRegression(max_iter=500)),
    "logistic regression, tf-idf, C 10": theirs(
        TfidfVectorizer, LogisticRegression(C=10, max_iter=500)
    ),
}


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPORA / "spam" / f"{name}_train.jsonl").open()]


def measure(judge: Judge, lines: Lines) -> tuple[float, float]:
    """Means of F1 and of the area under the curve."""
    found = []
    for seed in SEEDS:
        shuffled = list(lines)
        random.Random(seed).shuffle(shuffled)
        for fold in range(FOLDS):
            test = shuffled[fold::FOLDS]
            train = [line for n, line in enumerate(shuffled) if n % FOLDS != fold]
            is_spam = [line["label"] == "spam" for line in test]
            told = list(zip(is_spam, judge(train, test), strict=True))
            found.append((confusion(told, 0.5).f1, area(told) or 0.0))
    f1s, areas = zip(*found, strict=True)
    return statistics.mean(f1s), statistics.mean(areas)


def milliseconds(lines: Lines) -> list[float]:
    """How long each of RUNS comments of 600 characters took to score."""
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        with app.app_context():
            vault, took = app.extensions["vault"], []
            with database.writing() as session:
                session.add(Site(key="bench", name="Bench", origins=[]))
            for start in range(0, len(lines), lessons.BATCH):
                batch = lines[start : start + lessons.BATCH]
                examples = [
                    lessons.Example(
                        line["label"] == "spam",
                        filter.looked_at(vault, 1, "", "", line["text"]),
                        line["id"].encode(),
                    )
                    for line in batch
                ]
                with database.writing() as session:
                    lessons.teach(session, 1, examples)
            whole = " ".join(line["text"] for line in lines)
            for n in range(RUNS):
                database.forget()
                session = database.session()
                session.get(Site, 1)  # as a request has done by then
                text = whole[n * 301 :][:600]
                begun = time.perf_counter()
                assert filter.score(session, vault, 1, "Rita", "", text)
                took.append((time.perf_counter() - begun) * 1_000)
            return took


def main() -> None:
    youtube, sms = read("youtube"), read("sms")
    sets = {"YouTube": youtube, "SMS": sms, "both": [*youtube, *sms]}
    print(f"{'':36}" + "".join(f"{name + ': F1':>14}{'AUC':>8}" for name in sets))
    for name, judge in JUDGES.items():
        found = [measure(judge, lines) for lines in sets.values()]
        print(f"{name:36}" + "".join(f"{f1:>14.4f}{auc:>8.4f}" for f1, auc in found), flush=True)
    took = milliseconds(youtube)
    load = os.getloadavg()[0]
    print(f"600 characters: median {statistics.median(took):.2f} ms of {RUNS}; load {load:.1f}")


if __name__ == "__main__":
    main()
