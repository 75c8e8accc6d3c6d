"""`flask site`: the same as at the desk, as the operator."""

import pytest
from cast import SITE, add_site, on_record
from sqlalchemy import select, update

from service import database, sites
from service.models import Site, now


@pytest.fixture(autouse=True)
def daily(app):
    return add_site(app)


@pytest.fixture
def flask(app):
    def run(*words, **options):
        return app.test_cli_runner().invoke(args=["site", *words], **options)

    return run


@pytest.fixture
def site(app):
    def look():
        with app.app_context():
            found = database.session().scalars(select(Site).where(Site.key == SITE)).one()
            database.session().expunge_all()
            return found

    return look


def told(app):
    return [(event.what, event.by, event.about) for event in on_record(app)]


def test_a_setting_is_given_and_put_back_on_the_operator_s_record(app, flask, site):
    assert flask("set", SITE, "page_size", "20").output == "page_size of daily is 20.\n"
    assert "page_size  20\n" in flask("show", SITE).output
    assert flask("set", SITE, "page_size", "--default").output == "page_size of daily is 50.\n"
    assert site().settings == {}
    assert told(app) == [
        ("setting_changed", "the operator", "page_size of The Daily: 50 → 20"),
        ("setting_changed", "the operator", "page_size of The Daily: 20 → 50"),
    ]


def test_all_settings_are_shown_by_group_with_what_is_as_by_default_marked(flask):
    flask("set", SITE, "sort", "newest")
    lines = flask("show", SITE).output.splitlines()
    assert lines[0] == "The Daily (https://daily.example)"
    groups = ["The form", "The form's words", "The thread", "Moderation"]
    groups += ["Look and language", "What is kept"]
    assert [line for line in lines if line in groups] == groups
    assert "page_size  50  (default)" in lines
    assert "sort  newest" in lines
    assert {line.split()[0] for line in lines if "  " in line} == set(sites.DEFAULTS)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("set", SITE, "page_size", "4"), 2, "page_size must be from 5 to 200."),
        (("set", SITE, "language", "tlh"), 2, "language must be one of en, fr"),
        (("set", SITE, "colour", "red"), 2, "there is no site setting colour"),
        (("set", SITE, "colour", "--default"), 2, "there is no site setting colour"),
        (("set", SITE, "page_size"), 2, "Give the setting a VALUE, or --default."),
        (("set", SITE, "page_size", "20", "--default"), 2, "Give the setting a VALUE"),
        (("set", "none", "page_size", "20"), 1, "There is no site none"),
        (("rename", SITE, "  "), 2, "1 to 200 characters"),
        (("rename", SITE, "\u200b"), 2, "characters to be seen"),
        (("set", SITE, "sort", "liked"), 2, "sort is by likes, but readers may not like comments"),
        (("set", SITE, "refused_days", "3651"), 2, "refused_days must be from 0 to 3650."),
        (("set", SITE, "likes", "perhaps"), 2, "likes must be on or off."),
        (("origins", SITE, *(f"https://{n}.example" for n in range(51))), 2, "at most 50 origins"),
        (("origins", SITE, "nonsense"), 2, "is no origin"),
        (("delete", SITE, "--yes", "dialy"), 2, "nothing was deleted"),
        (("restore", SITE), 1, "is not deleted"),
        (("restore", "none"), 1, "There is no site none"),
        (("close", "none"), 1, "There is no site none"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_and_changes_nothing(
    app, flask, site, words, status, said
):
    answer = flask(*words)
    assert answer.exit_code == status
    assert said in answer.stderr
    assert (site().settings, site().name, site().deleted_at) == ({}, "The Daily", None)
    assert told(app) == []


def test_a_site_is_renamed_moved_closed_and_opened(app, flask, site):
    assert flask("rename", SITE, "The Weekly").exit_code == 0
    assert flask("origins", SITE, "https://A.example/x", "https://b.example").exit_code == 0
    assert flask("close", SITE).exit_code == 0
    assert "daily  The Weekly  closed" in flask("list").output
    assert flask("open", SITE).exit_code == 0
    found = site()
    assert found.origins == ["https://a.example", "https://b.example"]
    assert (found.name, found.closed_at) == ("The Weekly", None)
    assert [what for what, *_ in told(app)] == [
        "site_renamed",
        "origins_changed",
        "site_closed",
        "site_opened",
    ]


def test_a_site_is_deleted_by_its_key_typed_once_more_and_restored(app, flask, site):
    assert flask("delete", SITE, input="yes\n").exit_code == 2
    assert flask("delete", SITE, input=f"{SITE}\n").exit_code == 0
    assert site().deleted_at is not None
    assert "deleted; can be restored until" in flask("list").output
    assert flask("show", SITE).exit_code == 1
    again = flask("add", SITE, "--name", "Mine", "--origin", "https://mine.example")
    assert (again.exit_code, "already, or was one" in again.stderr) == (1, True)
    assert flask("restore", SITE).output == "daily is back as it was.\n"
    assert flask("delete", SITE, "--yes", SITE).exit_code == 0
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(deleted_at=now() - sites.KEPT))
    late = flask("restore", SITE)
    assert (late.exit_code, late.stderr.count("\n")) == (1, 1)
    assert "more than 30 days ago" in late.stderr
