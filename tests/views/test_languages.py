import re
from datetime import UTC, datetime

import pytest
from cast import ARTICLE, SITE, add_site, reply
from flask import Flask

from service.views import languages

NOTE = {
    "en": "Your email address will not be published. Required fields are marked *",
    "fr": "Votre adresse e-mail ne sera pas publiée. Les champs obligatoires sont indiqués avec *",
    "ar": "لن يتم نشر عنوان بريدك الإلكتروني. الحقول الإلزامية مشار إليها بـ *",
    "zh-Hans": "您的邮箱地址不会被公开。必填项已用 * 标注",
}


@pytest.fixture
def site(app):
    return add_site(app, language="fr")


def thread(client, lang=None, **headers):
    asked = {"url": ARTICLE} | ({"lang": lang} if lang is not None else {})
    return client.get(f"/embed/{SITE}", query_string=asked, headers=headers)


def spoken(page):
    """The language and the direction that a page names."""
    return re.search(r'<html lang="([^"]+)" dir="([^"]+)"', page).groups()


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        *((tag, tag) for tag in languages.AVAILABLE),
        ("pt-BR", "pt"),
        ("pt-PT", "pt"),
        ("de_AT", "de"),
        ("FR-fr", "fr"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh_Hans", "zh-Hans"),
        ("iw", "he"),
        # Not there: the next that is wanted.
        ("zh-TW", "nl"),
        ("zh-Hant-CN", "nl"),
        ("tlh", "nl"),
        ("", "nl"),
        ("-", "nl"),
        ("../../etc", "nl"),
        ("<script>", "nl"),
    ],
)
def test_a_tag_means_a_language_that_there_is_or_the_next_one_wanted(tag, meant):
    assert languages.best([tag, "nl"]) == meant


def test_nothing_wanted_that_there_is_means_english():
    assert languages.best(["tlh", ""]) == "en"


def test_the_page_speaks_the_url_s_language_and_says_so(client, site):
    for lang, note in NOTE.items():
        page = thread(client, lang).text
        assert spoken(page) == (lang, "rtl" if lang == "ar" else "ltr")
        assert note in page


def test_without_a_language_that_there_is_it_speaks_the_site_s(client, site):
    for lang in (None, "", "tlh", "zh-TW", "en'onload=x"):
        page = thread(client, lang).text
        assert spoken(page) == ("fr", "ltr"), lang
        assert NOTE["fr"] in page


def test_a_browser_s_header_changes_nothing(client, site):
    asked = thread(client, **{"Accept-Language": "ko, ja;q=0.9"})
    assert (asked.text, asked.headers["ETag"]) == (
        thread(client).text,
        thread(client).headers["ETag"],
    )
    for answer in (asked, client.get("/embed/nowhere", headers={"Accept-Language": "ko"})):
        assert "accept-language" not in answer.headers.get("Vary", "").lower()
        assert (
            "Content-Language" not in answer.headers or answer.headers["Content-Language"] == "fr"
        )


def test_the_fragment_names_its_language_and_direction(client, site):
    asked = {"url": ARTICLE, "lang": "he"}
    assert 'lang="he" dir="rtl"' in client.get("/embed/daily/fragment", query_string=asked).text


def test_errors_and_the_receipt_speak_the_form_s_language(app, client, site):
    assert "Schreiben Sie Ihren Kommentar." in reply(app, client, lang="de", comment="").text
    sent = reply(app, client, lang="de")
    page = client.get(sent.location).text
    assert spoken(page) == ("de", "ltr")
    assert "Vielen Dank." in page


def test_what_is_refused_before_the_site_is_known_speaks_the_url_s_language(client):
    answer = client.get("/embed/nowhere", query_string={"url": ARTICLE, "lang": "pl"})
    assert answer.status_code == 404
    assert spoken(answer.text) == ("pl", "ltr")
    assert "Nie ma tu witryny" in answer.text


@pytest.mark.parametrize(
    ("lang", "count", "said"),
    [
        ("pl", 1, "1 komentarz"),
        ("pl", 3, "3 komentarze"),
        ("pl", 5, "5 komentarzy"),
        ("pl", 22, "22 komentarze"),
        ("ar", 1, "تعليق واحد"),
        ("ar", 2, "تعليقان"),
        ("ar", 7, "7 تعليقات"),
        ("ar", 11, "11 تعليقًا"),
        ("ar", 100, "100 تعليق"),
        ("ko", 1, "댓글 1개"),
        ("he", 1, "תגובה אחת"),
        ("he", 2, "2 תגובות"),
        ("fr", 1, "1 commentaire"),
        ("fr", 2, "2 commentaires"),
    ],
)
def test_a_number_takes_the_plural_of_its_language(lang, count, said):
    counted = '{{ ngettext("%(num)d reply", "%(num)d replies", count) }}'
    assert rendered(lang, counted, count=count) == said


@pytest.mark.parametrize(
    ("lang", "written"),
    [
        ("en", "1 Mar 2026, 09:05"),
        ("de", "1. März 2026, 09:05"),
        ("fr", "1 mars 2026, 09:05"),
        ("es", "1 mar 2026, 9:05"),
        ("pl", "1 mar 2026, 09:05"),
        ("ko", "2026년 3월 1일 09:05"),
        ("ja", "2026年3月1日 9:05"),
        ("zh-Hans", "2026年3月1日 09:05"),
        ("ar", "1 مارس 2026، 09:05"),
        ("he", "1 במרץ 2026, 9:05"),
    ],
)
def test_a_date_is_written_as_its_language_writes_it(lang, written):
    at = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    assert rendered(lang, "{{ at|absolute }}", at=at) == written


def rendered(lang, template, **values):
    app = Flask("words")
    languages.init_app(app)
    with app.test_request_context(f"/?lang={lang}"):
        languages.choose()
        return app.jinja_env.from_string(template).render(**values)
