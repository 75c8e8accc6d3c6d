"""The thread and the form in other languages: long words, another direction, other scripts."""

import pytest
from playwright.sync_api import expect
from rita import add_comment, add_site, thread

ARTICLE = "https://daily.example/harbour"
OVERFLOW = "document.scrollingElement.scrollWidth - innerWidth"
# Each language's word of "Post reply", and something that a reader of it might write.
SPOKEN = {
    "de": ("Kommentar abschicken", "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"),
    "ar": ("إرسال التعليق", "مقال جميل. شكرًا على 3 صور من https://daily.example/foto."),
    "ko": ("댓글 달기", "기사 잘 읽었습니다. 다음 이야기도 기다리겠습니다."),
    "he": ("פרסום התגובה", "כתבה יפה מאוד, תודה."),
    "ja": ("コメントを送信", "とても良い記事でした。次回も楽しみにしています。"),
    "pl": ("Opublikuj komentarz", "Bardzo dobry tekst, dziękuję."),
}


@pytest.fixture(autouse=True)
def site(live):
    add_site(live.app, "https://daily.example")


def add_talk(app, lang):
    """Four comments, each under the one before."""
    above = ""
    for name in ("Ada", "Wolfgang Amadeus Donaudampfschifffahrt", "מירי", "김서연"):
        above = add_comment(app, ARTICLE, name=name, typed=SPOKEN[lang][1], answers=above)


@pytest.mark.parametrize("lang", SPOKEN)
def test_nothing_is_wider_than_a_small_phone(page, live, screenshot, lang):
    add_talk(live.app, lang)
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(thread(live.url, ARTICLE, lang=lang))
    page.get_by_role("button", name=SPOKEN[lang][0], exact=True).click()
    expect(page.locator("#reply-errors li")).to_have_count(3)
    screenshot(page, f"thread-{lang}-360")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate(OVERFLOW) <= 0
    # What is cut off on a page from right to left counts as no overflow: nothing is out of sight.
    out = page.locator(".rejoinder :not(.visually-hidden, .visually-hidden *)").evaluate_all(
        "(all) => all.filter((e) => e.checkVisibility()).map((e) => [e.getBoundingClientRect(), e.className])"
        ".filter(([r]) => r.width > 1 && (r.left < -1 || r.right > innerWidth + 1)).map(([, name]) => name)"
    )
    assert out == []


def test_a_page_in_arabic_runs_from_right_to_left(page, live):
    add_talk(live.app, "ar")
    page.goto(thread(live.url, ARTICLE, lang="ar"))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    replies = page.locator(".replies").first
    expect(replies).to_have_css("border-right-width", "2px")
    expect(replies).to_have_css("border-left-width", "0px")
    # An address is typed from left to right everywhere.
    expect(page.locator("#reply-email")).to_have_css("direction", "ltr")
