"""`flask screening`: the filter is taught from a file, and measured on another."""

import json

import pytest
from cast import add_site
from sqlalchemy import select

from service import database
from service.models import Feature, Knowledge

SPAM = [f"Cheap casino bonus {word}, click here" for word in ("a", "b", "c", "d", "e", "f")]
HAM = [f"Thanks, the author is right about {word}" for word in ("a", "b", "c", "d", "e", "f")]


@pytest.fixture
def flask(app):
    def run(*words):
        return app.test_cli_runner().invoke(args=["screening", *map(str, words)])

    return run


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="lines.jsonl"):
        path = tmp_path / name
        said = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text("".join(f"{line}\n" for line in said))
        return path

    return write


@pytest.fixture
def lines():
    spam = [{"text": text, "label": "spam", "author": "Sal"} for text in SPAM * 2]
    return spam + [{"text": text, "label": "ham"} for text in HAM * 2]


def known(app):
    with app.app_context():
        return [(k.spam, k.ham) for k in database.session().scalars(select(Knowledge))]


def test_a_file_is_learned_once_also_where_it_grew(app, flask, write, lines):
    add_site(app)
    first = flask("train", write(*lines[:-2]))
    assert first.exit_code == 0, first.output
    assert known(app) == [(12, 10)]
    second = flask("train", write(*lines), "--site", "daily")
    assert "Learned 2 new examples; 22 were known already." in second.output
    assert known(app) == [(12, 12)]


def test_what_it_learned_does_not_depend_on_the_order_of_the_file(app, flask, write, lines):
    add_site(app, "one")
    add_site(app, "two")
    for key, order in (("one", lines), ("two", lines[::-1])):
        assert flask("train", write(*order), "--site", key).exit_code == 0
    assert known(app) == [(12, 12), (12, 12)]
    answers = [flask("evaluate", write(*lines), "--site", key).output for key in ("one", "two")]
    assert "F1         1.0000" in answers[0]
    assert "F1         1.0000" in answers[1]


def test_it_prints_how_well_it_tells_spam(app, flask, write, lines):
    add_site(app)
    flask("train", write(*lines))
    wrong = {"text": "A casino bonus\u202e\n\x1b[31m, click! sal@cheap.example", "label": "ham"}
    said = flask("evaluate", write(*lines, wrong), "--threshold", "0.5")
    assert said.exit_code == 0
    for part in (
        "25 examples at the threshold 0.5",
        "precision  0.9231",
        "recall     1.0000",
        "F1         0.9600",
        "ROC AUC",
        "is spam                      12               0",
        "is ham                        1              12",
        "The worst mistakes (1 of 1)",
    ):
        assert part in said.output, said.output
    shown = said.output.splitlines()[-1]
    assert "\x1b" not in said.output
    assert "sal@" not in said.output
    assert "A casino bonus" in shown
    assert "click!" in shown
    assert known(app) == [(12, 12)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2: no JSON."),
        ("[1]", "Line 2: no object in braces."),
        ('{"label": "spam"}', 'Line 2: "text" is missing'),
        ('{"text": "x", "label": "no"}', 'Line 2: "label" is neither'),
        ('{"text": "x", "label": "ham", "author": 3}', 'Line 2: "author" is no text'),
        ("[" * 100_000, "Line 2: no JSON."),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_learned(app, flask, write, line, said):
    add_site(app)
    done = flask("train", write({"text": "x", "label": "spam"}, line))
    assert done.exit_code == 1
    assert said in done.output
    with app.app_context():
        assert database.session().scalars(select(Feature)).all() == []


def test_which_site_is_said_where_there_are_several(app, flask, write, lines):
    path = write(*lines)
    assert flask("train", path).exit_code == 1  # there is none
    add_site(app, "one")
    assert flask("train", path, "--site", "three").exit_code == 1
    assert flask("train", path).exit_code == 0
    add_site(app, "two")
    assert "one, two" in (done := flask("train", path)).output
    assert done.exit_code == 2


def test_it_measures_nothing_before_it_has_learned_enough(app, flask, write, lines):
    add_site(app)
    flask("train", write(*lines[:5]))
    done = flask("evaluate", write(*lines))
    assert done.exit_code == 1
    assert "from 20 on" in done.output
    assert flask("evaluate", write(*lines), "--threshold", "2").exit_code == 2
    assert flask("train", "/nowhere").exit_code == 2


def test_halves_of_surrogate_pairs_are_no_obstacle(app, flask, write, lines):
    add_site(app)
    odd = '{"text": "\\ud83d casino", "label": "spam"}'
    assert flask("train", write(*lines, odd)).exit_code == 0
    assert flask("evaluate", write(odd)).exit_code == 0


def test_real_spam(app, flask, corpora, tmp_path):
    add_site(app)
    lines = (corpora / "spam" / "youtube_train.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "train").write_text("".join(lines[::3]))
    (tmp_path / "test").write_text("".join(lines[1::6]))
    assert flask("train", tmp_path / "train").exit_code == 0
    said = flask("evaluate", tmp_path / "test").output
    f1 = float(said.partition("F1")[2].split()[0])
    assert f1 > 0.9
