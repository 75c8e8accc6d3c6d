"""A card's further choices in Chromium: what it tells, what can be done beside yes and no, and a closed
article as readers meet it."""

import re

import pytest
from barriers import barriers
from cast import ARTICLE, ORIGIN, add_site, stored
from playwright.sync_api import expect
from sqlalchemy import select
from test_desk import enter, fill

from service import accounts, database
from service.models import Comment, Reason, now
from service.status import Role


@pytest.fixture
def live(live):
    """The Daily with two replies in the queue, the first of them with words that a rule matched."""
    add_site(live.app, origin=ORIGIN)
    fill(live.app, ("Rita", "Otto"), text="The best casino.")
    with live.app.app_context(), database.writing() as session:
        rita = session.scalars(select(Comment).order_by(Comment.id)).first()
        rita.reasons.append(Reason(rule="withheld", matched="casino"))
        rita.article.url = ARTICLE
    return live


@pytest.fixture
def mo(live, browser):
    """Mo's tab, 320 px wide, past the pages' policy for scripts."""
    context = browser.new_context(
        bypass_csp=True,
        viewport={"width": 320, "height": 800},
        locale="en-GB",
    )
    context.set_default_timeout(20_000)
    yield enter(live, context)
    context.close()


def of(page, name):
    return page.get_by_role("article", name=f"Comment by {name}", exact=True)


def expect_sound(page):
    """No barrier by light or in the dark, and nothing that is wider than the window."""
    page.evaluate("scrollTo(0, 0)")  # no button half under the bar
    for look in ("dark", "light"):
        page.emulate_media(color_scheme=look)
        assert barriers(page) == {}, look
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0


def statuses(live):
    return {comment.name: comment.status for comment in stored(live.app)}


@pytest.mark.long
def test_more_than_yes_and_no_on_a_phone(live, mo, screenshot):
    """Reject with a reason, edit, answer, pin, close: all of it without a barrier."""
    rita = of(mo, "Rita")
    expect(rita.locator("mark")).to_have_text("casino")
    expect(rita).to_contain_text("First comment with this address")
    rita.get_by_text("More for the comment by Rita").click()
    expect_sound(mo)
    rita.get_by_label("Reason that the author may read").select_option("It attacks somebody.")
    rita.get_by_label("Note for moderators").fill("Twice this week.")
    rita.get_by_role("button", name="Reject, with these").click()
    expect(rita).to_have_count(0)  # it left like any other decision
    expect(mo.get_by_role("region", name="Your last decisions")).to_contain_text("Rita: rejected")
    mo.get_by_role("region", name="Your last decisions").get_by_role("link").first.click()
    expect(mo.locator(".history")).to_contain_text("Twice this week.")
    expect(mo.locator(".history")).to_contain_text("It attacks somebody.")
    expect_sound(mo)

    mo.goto(f"{live.url}/desk/")
    of(mo, "Otto").get_by_text("More for the comment by Otto").click()
    of(mo, "Otto").get_by_role("link", name="Edit the wording").click()
    mo.get_by_label("Comment").fill("")
    mo.get_by_role("button", name="Save the wording").click()
    expect(mo.get_by_role("alert")).to_be_focused()
    expect_sound(mo)
    mo.get_by_label("Comment").fill("A casino, and a *fine* one.")
    mo.get_by_role("button", name="Save the wording").click()
    expect(of(mo, "Otto").locator("em")).to_have_text("fine")
    expect(of(mo, "Otto")).to_contain_text("wording changed by a moderator")

    of(mo, "Otto").get_by_text("More for the comment by Otto").click()
    of(mo, "Otto").get_by_role("link", name="Approve and reply").click()
    expect_sound(mo)
    mo.get_by_label("Your reply").fill("So it is.")
    mo.get_by_role("button", name="Approve and reply").click()
    expect(of(mo, "Otto")).to_have_count(0)
    assert statuses(live) == {"Rita": "rejected", "Otto": "approved", "The Daily": "approved"}

    mo.goto(f"{live.url}/desk/comments/{stored(live.app)[1].public_id}")
    mo.get_by_text("1 earlier text").click()
    expect(mo.locator(".revisions ins").first).to_be_visible()
    expect_sound(mo)
    mo.get_by_role("button", name="Pin above the others").click()
    expect(mo.get_by_role("button", name="Put back among the others")).to_be_visible()
    mo.get_by_role("link", name="Close or hold the article").click()
    expect_sound(mo)
    mo.get_by_role("button", name="Close it to new comments").click()
    expect(mo.get_by_role("button", name="Open it again")).to_be_visible()
    with live.app.app_context(), database.writing() as session:
        session.scalars(select(accounts.Membership)).one().role = Role.PUBLISHER
    mo.goto(f"{live.url}/desk/sites/daily/")
    mo.get_by_role("button", name="Hold every new comment").click()
    expect(mo.get_by_role("button", name="Leave it to the rules again")).to_be_visible()
    expect_sound(mo)
    screenshot(mo, "desk-sites")
    mo.goto(f"{live.url}/embed/daily?url={ARTICLE}")
    expect(mo.locator(".closed")).to_be_visible()
    expect(mo.locator(".comment-pinned")).to_have_text("Pinned")
    expect_sound(mo)


def test_a_card_s_further_choices_move_no_other_card_and_follow_its_version(live, context):
    mo = enter(live, context)
    mo.set_viewport_size({"width": 1280, "height": 800})
    rita, otto = of(mo, "Rita"), of(mo, "Otto")
    before = otto.bounding_box()
    rita.locator(".more summary").click()
    expect(rita.locator(".more-panel")).to_be_visible()
    assert otto.bounding_box() == before
    otto.locator(".more summary").press("Enter")
    expect(rita.locator(".more-panel")).not_to_be_visible()  # one at a time
    otto.get_by_label("Note for moderators").press("Escape")
    expect(otto.locator(".more-panel")).not_to_be_visible()
    expect(otto.locator(".more summary")).to_be_focused()
    rita.locator(".more summary").click()
    mo.mouse.click(400, 780)
    expect(rita.locator(".more-panel")).not_to_be_visible()
    rita.get_by_role("button", name="Spam", exact=True).click()
    expect(rita).to_have_count(0)
    mo.get_by_role("region", name="Your last decisions").get_by_role("button").first.click()
    expect(rita).to_be_visible()
    rita.locator(".more summary").click()
    rita.get_by_label("Who is speaking").select_option("author")
    rita.get_by_role("button", name="Say so").click()
    expect(rita.locator(".mark")).to_have_text("the article’s author")
    assert re.search(r"#card-\w+$", mo.url)  # back at the card that it was about


def test_one_s_own_waiting_reply_is_shown_in_a_closed_article_too(live, page):
    thread = f"{live.url}/embed/daily?url={ARTICLE}"
    page.goto(thread)
    for label, typed in {"Name": "Lena", "Email": "lena@example.org", "Comment": "Mine."}.items():
        page.get_by_role("textbox", name=label).fill(typed)
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator(".comment.is-own")).to_contain_text("Mine.")
    with live.app.app_context(), database.writing() as session:
        article = session.scalars(select(Comment)).first().article
        article.closed_at, article.version = now(), article.version + 1
    page.goto(thread)
    expect(page.locator(".closed")).to_be_visible()
    expect(page.locator(".comment.is-own")).to_contain_text("Mine.")
