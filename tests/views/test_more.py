"""More than yes and no to one comment: what a card tells, other wording, staff's replies, pins."""

import html
import re

import pytest
from cast import ARTICLE, RITA, SITE, add_site, csrf, reply, stored
from sqlalchemy import delete, select

from service import accounts, database, text
from service.models import Article, Comment, Decision, Reason, Revision, now
from service.status import Act, Mark, Markup, Status

JSON = {"Accept": "application/json"}


@pytest.fixture
def receipt(app, daily):
    """The path of Rita's receipt; her reply is the first comment."""
    return reply(app, app.test_client()).location.removeprefix("http://localhost")


@pytest.fixture
def waiting(app, receipt):
    return stored(app)[0].public_id


def post(who, path, page=None, **fields):
    """Posts what the page there holds hidden, with these fields over it."""
    headers = fields.pop("headers", {})
    shown = who.get(page or path).text
    sent = {"csrf_token": csrf(shown)}
    if page is None:
        for name in ("version", "nonce"):
            if found := re.search(rf'name="{name}" value="([^"]*)"', shown):
                sent[name] = found[1]
    return who.post(path, data=sent | fields, headers=headers)


def change(app, **columns):
    """Sets a scene on the first comment; a text is rendered."""
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment).order_by(Comment.id)).first()
        if typed := columns.get("text"):
            columns.setdefault("html", str(text.render(typed)))
        for name, value in columns.items():
            setattr(comment, name, value)


def decide(who, comment, action, **fields):
    fields = {"version": 1, "action": action} | fields
    return post(who, f"/desk/comments/{comment}/decide", "/desk/", **fields)


def words(page):
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


# The card


def test_a_card_tells_an_author_s_past_and_that_typing_proves_nothing(app, mo, waiting):
    assert "First comment with this address" in mo.get("/desk/").text
    decide(mo, waiting, "approve")
    reply(app, app.test_client(), comment="Once more.")
    reply(app, app.test_client(), comment="Otto here.", email="otto@example.org")
    change(app, is_proved=True)
    reply(app, app.test_client(), comment="And again.")
    queue = words(mo.get("/desk/").text)
    assert re.search(r"Proved: 1 approved, since \d+ \w+ 2\d{3} Only typed before: 1 pend", queue)
    assert queue.count("First comment with this address") == 1
    page = words(mo.get(f"/desk/comments/{stored(app)[-1].public_id}").text)
    assert "What is only typed proves nothing about who wrote this." in page


def test_a_card_highlights_what_rules_matched_and_shows_no_script(app, mo, waiting):
    change(app, text="Best *casino*, <script>alert(1)</script> write to me@casino.example")
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        session.execute(delete(Reason))
        matched = {"every_reply": "CASINO", "repeated": "1×", "withheld": "<script>"}
        found = [Reason(rule=rule, matched=said) for rule, said in matched.items()]
        comment.reasons.extend([*found, Reason(rule="address_in_text")])
    page = mo.get("/desk/").text
    assert "Best <em><mark>casino</mark></em>" in page
    assert "<mark>&lt;script&gt;</mark>alert(1)" in page
    assert "<mark>me@casino.example</mark>" in page
    assert "<script>alert" not in page
    assert "The same words were posted before (1×)." in page


def test_a_change_that_waits_and_an_earlier_text_show_what_changed(app, mo, waiting):
    decide(mo, waiting, "approve")
    change(app, edit_text="Hear, <b>there</b>.", edit_html="<p>Hear, there.</p>", edit_at=now())
    page = mo.get(f"/desk/comments/{waiting}").text
    shown = "Hear, <ins>&lt;b&gt;there&lt;/b&gt;</ins>."
    assert f"Hear, <del>hear</del>{shown.removeprefix('Hear, ')}" in page
    decide(mo, waiting, "approve", version=2)
    page = mo.get(f"/desk/comments/{waiting}").text
    assert "From this to the present text" in page
    assert f"<del>hear</del>{shown.removeprefix('Hear, ')}" in page


def test_a_public_reason_of_the_site_s_list_reaches_the_author(app, mo, waiting, receipt):
    page = mo.get("/desk/").text
    assert "<option>It advertises something.</option>" in page
    sent = {"public_reason": "It advertises something.", "public_note": "Twice.", "note": "Hm."}
    decide(mo, waiting, "reject", **sent)
    told = words(app.test_client().get(receipt).text)
    assert "It advertises something. Twice." in told
    assert "Hm." not in told


# Another wording


def test_an_edit_begins_with_the_text_and_says_what_will_be_seen(mo, waiting):
    page = mo.get(f"/desk/comments/{waiting}/edit").text
    assert "\nHear, hear.</textarea>" in page
    assert "edited by a moderator" in page


def test_a_moderator_s_wording_is_rendered_kept_shown_and_undone(app, mo, waiting, receipt):
    decide(mo, waiting, "approve")
    path = f"/desk/comments/{waiting}/edit"
    before = app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").headers["ETag"]
    sent = {
        "comment": "Hear, *hear*. <script>",
        "note": "Milder.",
        "next": "/desk/?status=approved",
    }
    answer = post(mo, path, **sent)
    assert (answer.status_code, answer.location) == (303, "/desk/?status=approved")
    [comment] = stored(app)
    assert comment.html == "<p>Hear, <em>hear</em>. &lt;script&gt;</p>"
    assert (comment.is_reworded, comment.version) == (True, 3)
    with app.app_context():
        assert database.session().scalars(select(Revision.text)).all() == ["Hear, hear."]
    thread = app.test_client().get(f"/embed/{SITE}?url={ARTICLE}")
    assert thread.headers["ETag"] != before
    assert "edited by a moderator" in thread.text
    assert "A moderator of The Daily changed the wording of this reply." in (
        app.test_client().get(receipt).text
    )
    for public in (thread.text, app.test_client().get(receipt).text):
        assert not re.search(r"\bmo\b|Milder", public)  # hard rule 14
    page = words(mo.get(f"/desk/comments/{waiting}").text)
    assert re.search("mo changed the wording .* ago", page)
    assert "Milder." in page
    with app.app_context():
        newest = select(Decision.id).order_by(Decision.id.desc())
        last = database.session().scalars(newest).first()
    undone = post(mo, f"/desk/decisions/{last}/undo", "/desk/", headers=JSON)
    assert undone.status_code == 200
    thread = app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    assert "Hear, hear." in thread
    assert "edited" not in words(thread)
    assert "took the change of the wording back" in mo.get(f"/desk/comments/{waiting}").text


@pytest.mark.parametrize("typed", ["", " ", "<br>", "x" * 10_001])
def test_a_wording_that_cannot_be_is_refused_beside_its_field(app, mo, waiting, typed):
    answer = post(mo, f"/desk/comments/{waiting}/edit", comment=typed)
    assert answer.status_code == 422
    assert 'id="comment-error"' in answer.text
    assert html.escape(typed.strip()) in answer.text
    assert stored(app)[0].version == 1


def test_a_stale_wording_is_refused_and_kept(app, mo, waiting):
    path = f"/desk/comments/{waiting}/edit"
    token = csrf(mo.get(path).text)
    decide(mo, waiting, "reject", note="Off topic.")
    sent = {"csrf_token": token, "version": 1, "comment": "My careful words."}
    answer = mo.post(path, data=sent)
    assert answer.status_code == 409
    said = words(answer.text)
    assert re.search(
        r"mo rejected this .* \(“Off topic.”\)\. Your “Save the wording” was not", said
    )
    assert "My careful words." in answer.text
    assert 'name="version" value="2"' in answer.text
    said = mo.post(path, data=sent, headers=JSON)
    assert (said.status_code, said.json["version"]) == (409, 2)
    assert stored(app)[0].text == "Hear, hear."


@pytest.mark.parametrize("room", ["edit", "reply"])
def test_a_page_that_was_open_too_long_gives_the_text_back(app, mo, waiting, room):
    path = f"/desk/comments/{waiting}/{room}"
    for token in ("", "stale"):
        sent = {"csrf_token": token, "version": 1, "nonce": "n", "comment": "My careful words."}
        answer = mo.post(path, data=sent | {"action": "approve-and-answer"})
        assert answer.status_code == 422
        assert "My careful words." in answer.text
        assert "press the button once more" in answer.text
    assert [(c.version, c.status) for c in stored(app)] == [(1, Status.PENDING)]


def test_imported_html_is_edited_as_markdown(app, mo, waiting):
    brought = "<p>I <em>liked</em> it.</p>\n<p>So &amp; so.</p>"
    change(app, text=brought, html=str(text.render_html(brought)), markup=Markup.HTML)
    page = mo.get(f"/desk/comments/{waiting}/edit").text
    assert "\nI *liked* it.\n\nSo &amp; so.</textarea>" in page
    post(mo, f"/desk/comments/{waiting}/edit", comment="I *liked* it a lot.")
    [comment] = stored(app)
    assert (comment.markup, comment.html) == (Markup.MARKDOWN, "<p>I <em>liked</em> it a lot.</p>")


# Staff


def test_staff_reply_under_a_name_they_chose_and_no_other(app, mo, waiting):
    path = f"/desk/comments/{waiting}/reply"
    sent = {"comment": "Thank *you*.", "staff_name": "", "action": "approve-and-answer"}
    answer = post(mo, path, **sent, next="/desk/")
    assert (answer.status_code, answer.location) == (303, "/desk/")
    parent, own = stored(app)
    assert (parent.status, own.status, own.mark) == (Status.APPROVED, Status.APPROVED, Mark.STAFF)
    assert (own.name, own.html, own.author_id) == ("The Daily", "<p>Thank <em>you</em>.</p>", None)
    post(mo, path, comment="And more.", staff_name="Mo of the desk", action="answer")
    assert stored(app)[-1].name == "Mo of the desk"
    with app.app_context():
        moderator = database.session().scalars(select(accounts.Moderator)).one()
        assert (moderator.staff_name, moderator.name) == ("Mo of the desk", "mo")
    assert 'value="Mo of the desk"' in mo.get(path).text
    thread = app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    assert "Thank <em>you</em>." in thread
    assert thread.count('<span class="comment-mark">Staff</span>') == 2
    assert not re.search(r"\bmo\b|mo@", words(thread))


def test_a_reply_is_told_of_and_undone_by_itself_or_with_its_approval(app, mo, waiting):
    path = f"/desk/comments/{waiting}/reply"
    sent = {"comment": "Thank you.", "action": "approve-and-answer"}
    made = post(mo, path, **sent, headers=JSON).json
    assert made["reply"]["said"] == "The Daily: reply published"
    strip = words(mo.get("/desk/").text)
    assert "The Daily : reply published" in strip
    assert "Rita : approved" in strip
    own = made["reply"]["page"]
    assert re.search("mo replied [^.]+[.]", words(mo.get(own).text))
    undone = post(mo, made["undo"], own, headers=JSON).json
    assert (undone["status"], undone["reply"]["said"]) == ("pending", "The Daily: reply hidden")
    assert [c.status for c in stored(app)] == [Status.PENDING, Status.DELETED]
    assert "mo took the reply back" in words(mo.get(own).text)
    again = post(mo, undone["undo"], own, headers=JSON).json
    hidden = post(mo, again["reply"]["undo"], own, headers=JSON).json
    assert (hidden["said"], hidden["status"]) == ("The Daily: reply hidden", "deleted")
    assert [c.status for c in stored(app)] == [Status.APPROVED, Status.DELETED]
    later = {"comment": "And more.", "action": "answer"}
    assert post(mo, path, **later, headers=JSON).json["reply"]["undo"]


def test_a_mark_can_be_undone_from_its_answer_and_from_the_strip(app, mo, waiting):
    decide(mo, waiting, "approve")
    path = f"/desk/comments/{waiting}"
    sent = {"mark": "staff", "version": 2, "headers": JSON}
    said = post(mo, f"{path}/mark", path, **sent).json
    assert said["said"] == "Rita: marked as staff"
    assert "Rita</bdi>: marked as staff</a>" in mo.get("/desk/").text
    assert said["undo"] in mo.get(path).text
    said = post(mo, said["undo"], path, headers=JSON).json
    assert (said["said"], said["undoes"]) == ("Rita: no longer marked", True)
    assert stored(app)[0].mark == Mark.NONE
    history = words(mo.get(path).text)
    assert re.search("mo took the mark back [^:]+: a reader again[.]", history)
    assert "none" not in history


def test_a_reply_sent_twice_is_one(app, mo, waiting):
    path = f"/desk/comments/{waiting}/reply"
    page = mo.get(path).text
    sent = {
        "csrf_token": csrf(page),
        "nonce": re.search('name="nonce" value="([^"]+)"', page)[1],
        "version": 1,
        "comment": "Thank you.",
        "action": "approve-and-answer",
    }
    first, second = (mo.post(path, data=sent, headers=JSON) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["undo"]
    assert first.json["status"] == second.json["status"] == "approved"
    assert len(stored(app)) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("comment", ""), ("staff_name", "mo@daily.example"), ("staff_name", "x" * 81)],
)
def test_a_reply_that_cannot_be_changes_nothing(app, mo, waiting, field, value):
    sent = {"comment": "Thank you.", "action": "approve-and-answer"} | {field: value}
    answer = post(mo, f"/desk/comments/{waiting}/reply", **sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert [c.status for c in stored(app)] == [Status.PENDING]


def test_a_reply_to_what_is_not_public_is_refused_and_kept(app, mo, waiting):
    path = f"/desk/comments/{waiting}/reply"
    answer = post(mo, path, comment="Kept words.", action="answer")
    assert answer.status_code == 409
    assert "Kept words." in answer.text
    decide(mo, waiting, "spam")
    sent = {"comment": "Kept words.", "action": "approve-and-answer", "version": 1}
    answer = post(mo, path, **sent)
    assert answer.status_code == 409
    assert "marked this as spam" in answer.text
    assert [c.status for c in stored(app)] == [Status.SPAM]


# Pins


def test_a_pin_is_seen_undone_and_refused_where_it_cannot_be(app, mo, waiting):
    path = f"/desk/comments/{waiting}/pin"
    refused = post(mo, path, "/desk/", pinned="yes", version=1)
    assert refused.status_code == 409
    assert "Only a published comment" in refused.text
    decide(mo, waiting, "approve")
    assert post(mo, path, "/desk/", pinned="perhaps", version=2).status_code == 400
    assert post(mo, path, "/desk/", pinned="yes", version=1).status_code == 409
    pinned = post(mo, path, "/desk/", pinned="yes", version=2, headers=JSON)
    assert pinned.status_code == 200
    assert "pinned" in pinned.json["said"]
    assert "Pinned" in app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    assert "pinned this above the others" in mo.get(f"/desk/comments/{waiting}").text
    post(mo, pinned.json["undo"], "/desk/")
    assert "Pinned" not in app.test_client().get(f"/embed/{SITE}?url={ARTICLE}").text
    with app.app_context():
        acts = database.session().scalars(select(Decision.act).order_by(Decision.id)).all()
        assert acts == [Act.DECIDED, Act.PINNED, Act.UNDONE]


def pin_three_others(app):
    with app.app_context(), database.writing() as session:
        article = session.scalars(select(Article)).one()
        for _ in range(3):
            row = {"name": "A", "text": "", "html": "", "renderer": 1, "status": Status.APPROVED}
            session.add(Comment(site_id=article.site_id, article=article, pinned_at=now(), **row))


def test_a_fourth_pin_is_refused_in_words(app, mo, waiting):
    decide(mo, waiting, "approve")
    pin_three_others(app)
    answer = post(mo, f"/desk/comments/{waiting}/pin", "/desk/", pinned="yes", version=2)
    assert answer.status_code == 409
    assert "3 comments are pinned under this article. Unpin one first." in answer.text


# Whose site it is


def test_nothing_of_another_site_is_shown_or_changed(app, mo, waiting):
    add_site(app, "stars", "https://stars.example")
    reply(app, app.test_client(), site="stars", url="https://stars.example/1", comment="Starry.")
    theirs = stored(app)[-1]
    for path in ("edit", "reply"):
        assert mo.get(f"/desk/comments/{theirs.public_id}/{path}").status_code == 404
        sent = {"comment": "Mine.", "nonce": "n", "version": 1, "action": "approve-and-answer"}
        answer = post(mo, f"/desk/comments/{theirs.public_id}/{path}", "/desk/", **sent)
        assert answer.status_code == 404
    path = f"/desk/comments/{theirs.public_id}/pin"
    assert post(mo, path, "/desk/", pinned="yes", version=1).status_code == 404
    assert mo.get(f"/desk/articles/{theirs.article_id}").status_code == 404
    path = f"/desk/articles/{theirs.article_id}/set"
    assert post(mo, path, "/desk/", action="close").status_code == 404
    assert [(c.text, c.version) for c in stored(app)[1:]] == [("Starry.", 1)]


def test_no_address_is_on_any_of_these_pages(app, mo, waiting):
    for path in ("", "/edit", "/reply"):
        assert RITA["email"] not in mo.get(f"/desk/comments/{waiting}{path}").text


def test_what_its_author_took_back_can_be_neither_edited_nor_answered(app, mo, waiting, receipt):
    client = app.test_client()
    page = client.get(receipt).text
    form = re.search(r'<form[^>]*action="[^"]*/withdraw[^"]*".*?</form>', page, re.S)[0]
    client.post(
        f"{receipt}/withdraw",
        data={"token": re.search('name="token"[^>]*value="([^"]*)"', form)[1]},
    )
    for path in ("edit", "reply"):
        answer = mo.get(f"/desk/comments/{waiting}/{path}")
        assert answer.status_code == 409
        assert "took this comment back" in answer.text


def test_a_pin_that_has_no_place_any_more_is_not_brought_back_by_undo(app, mo, waiting):
    decide(mo, waiting, "approve")
    path = f"/desk/comments/{waiting}/pin"
    post(mo, path, "/desk/", pinned="yes", version=2)
    undo = post(mo, path, "/desk/", pinned="no", version=3, headers=JSON).json["undo"]
    pin_three_others(app)
    refused = post(mo, undo, "/desk/", headers=JSON)
    assert refused.status_code == 409
    assert "Unpin one first" in refused.json["error"]
