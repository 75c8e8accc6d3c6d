"""Colours that a site chooses: what can be read, and what follows from them."""

import re
from pathlib import Path

import pytest
from cast import add_site

from service import colours
from service.colours import OURS, Look
from service.site_settings import SiteSettings

STATIC = Path(colours.__file__).parent / "static"


def test_contrast_is_that_of_wcag():
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert colours.contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)


def test_our_own_colours_are_those_of_the_style_sheet():
    css = (STATIC / "thread.css").read_text()
    for name, light in OURS["light"].items():
        pair = re.search(rf"--rejoinder-{name}: light-dark\((\S+), (\S+)\);", css)
        assert [pair[1].replace("#fff", "#ffffff") if len(pair[1]) == 4 else pair[1], pair[2]] == [
            light,
            OURS["dark"][name],
        ]


def worn(look, scheme):
    """The custom properties that a style sheet gives in light or dark."""
    at = colours.SCHEMES.index(scheme)
    found = re.findall(r"--rejoinder-(\w+): light-dark\((\S+), (\S+)\)", look.stylesheet())
    return {name: pair[at] for name, *pair in found}


def test_without_a_choice_there_is_nothing_to_say():
    assert not Look().is_chosen
    assert Look().stylesheet() == ""
    assert Look().attributes() == {}


def test_what_cannot_be_read_on_one_of_the_two_is_ours_there():
    look = Look(text="#222222", link="#0b57d0")
    assert (worn(look, "light")["text"], worn(look, "light")["link"]) == ("#222222", "#0b57d0")
    assert worn(look, "dark")["text"] == OURS["dark"]["text"]
    assert worn(look, "dark")["link"] == OURS["dark"]["link"]
    assert "color-scheme" not in look.stylesheet()


@pytest.mark.parametrize(
    "look",
    [
        Look(ground="#000000"),
        Look(ground="#ffffff", text="#eeeeee", link="#ffff00"),
        Look(ground="#2d1b4e", link="#ffd866"),
        Look("dark", text="#ffffff"),
        Look("dark", ground="#ffffff", text="#222222"),
        Look(text="#0000ff", link="#00ff00"),
    ],
    ids=str,
)
@pytest.mark.parametrize("scheme", colours.SCHEMES)
def test_whatever_was_stored_what_is_shown_can_be_read(look, scheme):
    shown = OURS[scheme] | worn(look, scheme)
    for name in ("text", "link", "quiet", *colours.STATES):
        assert colours.contrast(shown[name], shown["ground"]) >= 4.5, name
    assert colours.contrast(shown["edge"], shown["ground"]) >= 3


def test_a_ground_is_kept_for_the_scheme_that_it_is_of():
    look = Look(ground="#102030")
    assert look.scheme == "dark"
    assert "color-scheme: dark" in look.stylesheet()
    assert worn(look, "dark")["ground"] == "#102030"
    assert worn(look, "light")["ground"] == OURS["light"]["ground"]
    assert look.attributes() == {"data-theme": "dark", "data-ground": "#102030"}


def test_a_theme_of_one_s_own_leaves_nothing_of_the_page_around():
    assert Look("dark").attributes() == {
        "data-theme": "dark",
        "data-ground": "",
        "data-text": "",
        "data-link": "",
    }


@pytest.mark.parametrize(
    ("stored", "wrong"),
    [
        ({}, set()),
        ({"text_colour": "#222222", "ground_colour": "#ffffff"}, set()),
        ({"text_colour": "#999999", "ground_colour": "#ffffff"}, {"text_colour"}),
        ({"link_colour": "#ffff00", "ground_colour": "#ffffff"}, {"link_colour"}),
        ({"text_colour": "#222222", "theme": "dark"}, {"text_colour"}),
        ({"text_colour": "#777777"}, {"text_colour"}),  # on white nor on ours for dark
        ({"ground_colour": "#ffffff", "theme": "dark"}, {"ground_colour"}),
        ({"link_colour": "#0b57d0"}, set()),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_setting(stored, wrong):
    problems = SiteSettings.read(stored).problems()
    assert set(problems) == wrong
    assert all("contrast" in said or "is light" in said for said in problems.values())


def test_the_command_line_refuses_what_cannot_be_read_and_changes_nothing(app):
    add_site(app, ground_colour="#ffffff")
    run = app.test_cli_runner().invoke
    refused = run(args=["site", "set", "daily", "text_colour", "#999999"])
    assert refused.exit_code == 2
    assert "text_colour has a contrast of 2.8:1 to #ffffff; words need 4.5:1" in refused.output
    assert "#999999" not in run(args=["site", "show", "daily"]).output
    assert run(args=["site", "set", "daily", "text_colour", "#222222"]).exit_code == 0
