import pytest
from cast import add_site, on_record


@pytest.fixture
def flask(app):
    add_site(app)
    return lambda *words: app.test_cli_runner().invoke(args=["phrases", *words])


def test_phrases_are_added_listed_and_removed(flask, app):
    assert flask("add", "daily", "hold", "poker", "c++").output == "Added 2.\n"
    assert flask("list", "daily", "hold").output == "0\tc++\n0\tpoker\n"
    assert flask("remove", "daily", "hold", "poker").output == "Removed 1.\n"
    assert flask("list", "daily", "hold").output == "0\tc++\n"
    assert [e.about for e in on_record(app)] == ["2 of hold added", "1 of hold removed"]


def test_a_list_of_wordpress_is_imported_and_what_is_none_of_it_said(flask, tmp_path):
    file = tmp_path / "keys.txt"
    file.write_text("viagra\n192.0.2.7\njane@example.org\nviagra\nｅr\n")
    said = flask("import", "daily", "spam", str(file)).output
    assert said.startswith("Added 1; left out 1 with an email address, 1 IP addresses, 1 that")
    assert said.count("\n") == 1
    assert flask("import", "daily", "spam", str(file)).output.startswith("Added 0, 1 were there;")
    assert flask("list", "daily", "spam").output == "0\t*viagra*\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("add", "daily", "hold", "*"), 1),
        (("add", "weekly", "hold", "poker"), 1),
        (("remove", "daily", "hold", "poker"), 1),
        (("add", "daily", "ban", "poker"), 2),
    ],
)
def test_it_says_what_cannot_be_done(flask, words, status):
    answer = flask(*words)
    assert answer.exit_code == status
    assert answer.output
