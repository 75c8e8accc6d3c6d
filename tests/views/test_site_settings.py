"""A site's settings at the desk: each is said, checked, saved with the others, and on record."""

import html
import re
from dataclasses import fields

import pytest
from cast import ARTICLE, SITE, csrf, on_record
from sqlalchemy import select

from service import database
from service.models import Site
from service.site_settings import SiteSettings
from service.status import Role

PAGE = f"/desk/sites/{SITE}/settings"
RULES = f"/desk/sites/{SITE}/rules"


@pytest.fixture
def pia(another):
    """The Daily's publisher."""
    return another("pia", role=Role.PUBLISHER)


@pytest.fixture
def pat(another):
    """Her colleague."""
    return another("pat", role=Role.PUBLISHER)


def shown(page):
    """The form as a browser would send it."""
    form = page[page.index('class="settings-form"') :]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        values = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if values.get("type") != "checkbox" or " checked" in tag:
            sent[values["name"]] = html.unescape(values["value"])
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form):
        sent[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    for name, typed in re.findall(
        r'<textarea[^>]*name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.S
    ):
        sent[name] = html.unescape(typed)
    return sent


def save(who, page="", **changes):
    sent = shown(page or who.get(PAGE).text) | changes
    return who.post(PAGE, data={name: value for name, value in sent.items() if value is not None})


def kept(app):
    with app.app_context():
        return database.session().scalars(select(Site)).one().settings


def test_every_setting_has_its_label_its_sentence_and_its_default(pia):
    page = html.unescape(pia.get(PAGE).text)
    for setting in fields(SiteSettings):
        assert setting.metadata["label"] in page
        assert f"{setting.metadata['sentence']} Default: " in page
    assert "Default: 50." in page
    assert ">Deutsch</option>" in page
    assert 'type="number" inputmode="numeric" min="5" max="200"' in page


def test_what_is_sent_as_it_was_shown_changes_nothing(app, pia):
    assert set(shown(pia.get(PAGE).text)) >= {
        f.name for f in fields(SiteSettings) if f.default is not False
    }
    assert save(pia).status_code == 303
    assert (kept(app), on_record(app)) == ({}, [])


def test_many_are_saved_together_each_on_record_and_readers_meet_them(app, pia):
    reader = app.test_client()
    before = reader.get(f"/embed/{SITE}?url={ARTICLE}").headers["ETag"]
    answer = save(pia, page_size="20", likes="on", reports=None, language="de", theme="dark")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?saved=yes")
    assert kept(app) == {
        "page_size": 20,
        "likes": True,
        "reports": False,
        "language": "de",
        "theme": "dark",
    }
    assert [(event.what, event.by, event.about) for event in on_record(app)] == [
        ("setting_changed", "pia", about)
        for about in (
            "page_size of The Daily: 50 → 20",
            "likes of The Daily: off → on",
            "reports of The Daily: on → off",
            "language of The Daily: en → de",
            "theme of The Daily: page → dark",
        )
    ]
    after = reader.get(f"/embed/{SITE}?url={ARTICLE}")
    assert after.headers["ETag"] != before
    assert 'lang="de"' in after.text
    assert "Saved." in pia.get(answer.location).text
    assert "pia changed a setting of the site." in pia.get("/desk/audit/").text


def others():
    """For every setting another value than its default, as it is typed."""
    own = {"sort": "newest", "language": "de", "privacy_url": "https://daily.example/privacy"}
    own |= {"text_colour": "#222222", "link_colour": "#0b57d0", "ground_colour": "#ffffff"}
    own |= {"theme": "light"}  # which goes together with the colours
    for setting in fields(SiteSettings):
        default, limits = setting.default, setting.metadata
        if isinstance(default, bool):
            yield setting.name, "off" if default else "on"
        elif isinstance(default, int):
            yield (
                setting.name,
                str(limits["most"] if default == limits["least"] else limits["least"]),
            )
        else:
            chosen = limits["one_of"][1] if limits["one_of"] else f"My {setting.name}."
            yield setting.name, own.get(setting.name, chosen)


def test_each_is_on_record_with_old_and_new_value_from_the_desk_and_the_command_line(app, pia):
    typed = dict(others())
    assert save(pia, **{n: None if one == "off" else one for n, one in typed.items()}).location
    desk = [event.about for event in on_record(app)]
    assert len(desk) == len(kept(app)) == len(typed)
    run = app.test_cli_runner().invoke
    for name in typed:
        assert run(args=["site", "set", SITE, name, "--default"]).exit_code == 0
    assert kept(app) == {}
    for name, one in typed.items():
        assert run(args=["site", "set", SITE, name, one]).exit_code == 0, name
    back, again = (on_record(app)[len(typed) * n :][: len(typed)] for n in (1, 2))
    assert sorted(event.about for event in again) == sorted(desk)
    assert {event.by for event in [*back, *again]} == {"the operator"}
    for about in desk:
        if " → " in about:
            old, new = about.rpartition(": ")[2].split(" → ")
            assert old != new
    for name, one in typed.items():
        shown_as = {"mode": "whoever is new", "hold_all": "all of The Daily"}.get(name, one)
        assert any(about.endswith(shown_as) for about in desk), name


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("page_size", "4", "Enter a number from 5 to 200."),
        ("page_size", "many", "Enter a number from 5 to 200."),
        ("close_after_days", "-1", "Enter a number from 0 to 36500."),
        ("sort", "upside down", "Choose one of these."),
        ("language", "tlh", "Choose one of these."),
        ("text_colour", "reddish", "Enter a colour like #1a2b3c, or nothing."),
        ("privacy_url", "javascript:alert(1)", "Enter an address like"),
        ("consent", "x" * 501, "Enter at most 500 characters, on one line."),
        ("name_label", "x" * 301, "Enter at most 300 characters, on one line."),
        ("public_reasons", "x" * 301, "Enter at most 30 lines of 300 characters each."),
        ("public_reasons", "No.\n" * 31, "Enter at most 30 lines of 300 characters each."),
    ],
)
def test_an_invalid_one_is_refused_beside_its_field_and_nothing_is_half_saved(
    app, pia, name, typed, said
):
    answer = save(pia, **{"form_title": "Write to us", "likes": "on", name: typed})
    assert answer.status_code == 422
    page = html.unescape(answer.text)
    assert said in page.partition(f'id="set-{name}-error"')[2].partition("</p>")[0]
    assert f'href="#set-{name}"' in page
    again = shown(answer.text)
    assert (again["form_title"], again["likes"]) == ("Write to us", "on")
    assert again[name].strip() == typed.strip()
    assert (kept(app), on_record(app)) == ({}, [])


@pytest.mark.parametrize(
    ("typed", "name", "said"),
    [
        (
            {"text_colour": "#999999", "ground_colour": "#ffffff"},
            "text_colour",
            "contrast of 2.8:1",
        ),
        ({"link_colour": "#ffff00", "theme": "light"}, "link_colour", "words need 4.5:1"),
        ({"text_colour": "#222222", "theme": "dark"}, "text_colour", "words need 4.5:1"),
        ({"text_colour": "#777777"}, "text_colour", "words need 4.5:1"),  # in light nor in dark
        ({"ground_colour": "#ffffff", "theme": "dark"}, "ground_colour", "This is light, but"),
        ({"sort": "liked"}, "sort", "This is by likes, but readers may not like comments."),
    ],
)
def test_what_does_not_go_together_is_refused_beside_its_field(app, pia, typed, name, said):
    answer = save(pia, **typed, page_size="20")
    assert answer.status_code == 422
    page = html.unescape(answer.text)
    assert said in page.partition(f'id="set-{name}-error"')[2].partition("</p>")[0]
    assert shown(answer.text).items() >= {**typed, "page_size": "20"}.items()
    assert (kept(app), on_record(app)) == ({}, [])


def test_what_was_stored_before_it_had_to_go_together_stands_in_nobodys_way(app, pia):
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"text_colour": "#777777", "sort": "liked"}
    assert save(pia, page_size="20").status_code == 303
    assert save(pia, likes="on").status_code == 303
    assert save(pia, likes=None).status_code == 422
    assert save(pia, theme="dark").status_code == 422
    assert save(pia, text_colour="").status_code == 303


def test_a_colour_has_a_swatch_where_it_is_one(app, pia):
    save(pia, link_colour="#0b57d0")
    page = pia.get(PAGE).text
    assert page.count('class="swatch"') == 1
    assert 'fill="#0b57d0"' in page


def test_the_default_is_put_back_by_emptying_or_by_a_button_that_keeps_what_is_typed(app, pia):
    save(pia, page_size="20", edit_minutes="5", public_reasons="No.")
    asked = save(pia, default="page_size", form_title="Typed")
    assert "“Comments on a page” shows its default again" in html.unescape(asked.text)
    again = shown(asked.text)
    assert (again["page_size"], again["form_title"]) == ("50", "Typed")
    assert kept(app)["page_size"] == 20
    assert save(pia, asked.text, edit_minutes="").status_code == 303
    assert kept(app) == {"public_reasons": "No.", "form_title": "Typed"}
    assert save(pia, default="nonsense").status_code == 303


def test_the_later_of_two_is_told_what_changed_and_loses_nothing_they_typed(app, pia, pat):
    open_before = pia.get(PAGE).text
    save(pat, page_size="20", likes="on", form_title="Pat’s")
    late = save(pia, open_before, edit_minutes="5", form_title="Pia’s")
    assert late.status_code == 409
    page = html.unescape(late.text)
    assert "pat: page_size of The Daily: 50 → 20" in page
    assert "Somebody else made this: Pat’s" in page
    again = shown(late.text)
    assert (again["edit_minutes"], again["form_title"]) == ("5", "Pia’s")
    assert (again["page_size"], again["likes"]) == ("20", "on")  # not Pia’s to take back
    assert kept(app)["form_title"] == "Pat’s"
    assert save(pia, late.text).status_code == 303
    assert kept(app) == {"page_size": 20, "likes": True, "form_title": "Pia’s", "edit_minutes": 5}


def test_an_error_does_not_make_an_old_page_a_new_one(app, pia, pat):
    open_before = pia.get(PAGE).text
    save(pat, page_size="20")
    refused = save(pia, open_before, edit_minutes="never")
    assert refused.status_code == 422
    assert save(pia, refused.text, edit_minutes="5").status_code == 409


@pytest.mark.parametrize("seen", ["", "null", "[1]", '{"sort": {"a": 1}}', "[" * 50_000])
def test_a_page_that_says_nonsense_of_what_it_showed_is_overtaken_all_the_same(pia, seen):
    assert save(pia, seen=seen, version="0", event="9" * 30).status_code == 409


def test_the_mode_is_the_rules_page_s_too_and_both_agree(app, pia):
    rules, settings = pia.get(RULES).text, pia.get(PAGE).text
    version = re.search(r'name="version"[^>]*value="(\d+)"', rules)[1]
    assert save(pia, mode="hold_caught").status_code == 303
    assert re.search(r'value="hold_caught"[^>]* checked', pia.get(RULES).text)
    stale = {"csrf_token": csrf(rules), "version": version, "mode": "hold_new"}
    assert pia.post(RULES, data=stale).status_code == 409
    fresh = re.search(r'name="version"[^>]*value="(\d+)"', pia.get(RULES).text)[1]
    assert pia.post(RULES, data=stale | {"version": fresh}).status_code == 303
    assert save(pia, settings, mode="hold_caught").status_code == 409
    assert shown(pia.get(PAGE).text)["mode"] == "hold_new"
    assert [event.about for event in on_record(app)] == [
        "what waits: every reply → only what a rule catches",
        "what waits: only what a rule catches → whoever is new",
    ]


def test_only_the_sites_publisher_gets_there(mo, pia):
    assert mo.get(PAGE).status_code == 403
    assert pia.get("/desk/sites/nosuch/settings").status_code == 404
    assert pia.post(PAGE, data={}).status_code == 400
