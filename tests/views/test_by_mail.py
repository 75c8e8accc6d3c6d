"""Deciding from a letter: what its links show, what a button does, and everything that refuses."""

import re
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, reply, sign_in, stored
from sqlalchemy import delete, select, update

from service import accounts, database, moderation, people, text
from service.accounts import Moderator
from service.mail import deciding
from service.models import Comment, Decision, Letter, Report, Revision, Site, now
from service.moderation import Wording
from service.rules import Verdict
from service.status import Act, Mark, ReportReason, Role, Status

MINUTE = timedelta(minutes=1)


class Holder:
    """Who holds a link from a letter: a browser that never signed in."""

    def __init__(self, app, moderator_id):
        self.app, self.moderator_id = app, moderator_id
        self.browser = app.test_client()

    def link(self, action="approve", public_id="", at=None, **changed):
        """The path of a link as a letter to this moderator has it now."""
        with self.app.app_context():
            session = database.session()
            moderator = session.get_one(Moderator, self.moderator_id)
            found = select(Comment).order_by(Comment.id)
            if public_id:
                found = found.where(Comment.public_id == public_id)
            comment = session.scalars(found).first()
            signer = self.app.extensions["signer"]
            return f"/decide/{deciding.sign(signer, moderator, comment, action, at or now())}"

    def open(self, path):
        return self.browser.get(path)

    def press(self, path, page=None, form="", **fields):
        """Presses the button of a page, which is opened first unless it is given."""
        shown = page or self.open(path).text
        sent = {
            name: hidden(shown, f"{path}{form}", name) for name in ("token", "version", "nonce")
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.browser.post(f"{path}{form}", data=sent | fields)

    def undo(self, path, page=None):
        shown = page or self.open(path).text
        return self.browser.post(
            f"{path}/undo", data={"undo": hidden(shown, f"{path}/undo", "undo")}
        )


def hidden(page, action, name):
    """A hidden field of the form that posts there; None without one."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.S)
    field = form and re.search(rf'name="{name}"[^>]*value="([^"]*)"', form[0])
    return field and field[1]


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def buttons(page):
    return re.findall(r"<button[^>]*>([^<]+)</button>", page)


@pytest.fixture
def mo(app, daily):
    return Holder(app, add_moderator(app))


@pytest.fixture
def ann(app, daily):
    """A colleague, for what is decided at the desk."""
    return add_moderator(app, "ann@daily.example")


def decided(app, moderator_id, to, note="", public_id=""):
    """As at the desk, on the version that there is; gives the decision's id."""
    with app.app_context(), database.writing() as session:
        comment = _only(session, public_id)
        moderator = session.get_one(Moderator, moderator_id)
        made = moderation.decide(
            session, comment, to, comment.version, moderator, note, vault=app.extensions["vault"]
        )
        session.flush()
        return made.id


def _only(session, public_id=""):
    found = select(Comment).order_by(Comment.id)
    if public_id:
        found = found.where(Comment.public_id == public_id)
    return session.scalars(found).first()


def edited(app, typed, status=Status.PENDING):
    """As its author changes it, and the rules hold that or not."""
    with app.app_context(), database.writing() as session:
        comment = _only(session)
        new = Wording(typed, str(text.render(typed)), None)
        moderation.edit(session, comment, comment.version, new, Verdict(status))


def reported(app):
    with app.app_context(), database.writing() as session:
        comment = _only(session)
        told = {
            "reason": ReportReason.OFFENSIVE,
            "explanation": "It hurts.",
            "network_digest": b"x",
        }
        session.add(Report(comment_id=comment.id, **told))
        comment.reported_at = now()


def log(app):
    with app.app_context():
        found = database.session().scalars(select(Decision).order_by(Decision.id)).all()
        database.session().expunge_all()
        return found


def changed(app, moderator_id, change):
    with app.app_context(), database.writing() as session:
        change(session, session.get_one(Moderator, moderator_id))


# What a link shows


def test_it_shows_the_comment_and_one_button(app, mo, waiting):
    reply(app, app.test_client(), comment="Look at https://spam.example/x")
    shown = mo.open(mo.link("approve", stored(app)[1].public_id))
    assert shown.status_code == 200
    assert "Approve this comment?" in words(shown.text)
    assert "Look at https://spam.example/x" in words(shown.text)
    assert "Rita" in words(shown.text)
    assert 'href="https://spam' not in shown.text  # not approved yet: no links
    assert "rita.reader" not in shown.text
    assert buttons(shown.text) == ["Approve", "Approve and answer"]


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("action", deciding.ACTIONS)
def test_opening_a_link_changes_nothing(app, mo, waiting, method, action):
    before = stored(app)[0].version
    for _ in range(2):
        assert getattr(mo.browser, method)(mo.link(action)).status_code == 200
    assert (stored(app)[0].status, stored(app)[0].version) == (Status.PENDING, before)
    assert log(app) == []


def test_the_page_is_private_and_knows_no_cookie(app, mo, waiting):
    link = mo.link()
    for answer in (mo.open(link), mo.press(link), mo.open("/decide/nonsense")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_somebody_else_s_session_on_the_browser_decides_nothing(app, mo, ann, waiting):
    sign_in(app, mo.browser, ann)
    mo.press(mo.link())
    assert log(app)[0].by == "mo"


# What a button does


@pytest.mark.parametrize(
    ("action", "status"),
    [("approve", Status.APPROVED), ("reject", Status.REJECTED), ("spam", Status.SPAM)],
)
def test_the_button_decides_and_says_what_happened(app, mo, waiting, action, status):
    link = mo.link(action)
    answer = mo.press(link)
    assert (answer.status_code, answer.location) == (303, link)
    assert stored(app)[0].status == status
    (made,) = log(app)
    assert (made.by, made.act, made.by_mail, made.network) == (
        *("mo", Act.DECIDED, True),
        "127.0.0.0/24",
    )
    page = mo.open(link).text
    assert "Done" in words(page)
    assert re.search("mo [(]by mail[)] (approved|rejected|marked) this", words(page))
    assert buttons(page) == ["Undo"]


def test_rejecting_can_say_why(app, mo, waiting):
    link = mo.link("reject")
    assert "It attacks somebody." in mo.open(link).text
    mo.press(link, public_reason="It attacks somebody.", note="Third time.")
    with app.app_context():
        note = database.session().scalars(select(Decision)).one().note
        assert (note.text, note.public_text) == ("Third time.", "It attacks somebody.")
    assert "Third time." in words(mo.open(link).text)
    assert "public_reason" not in mo.open(mo.link("approve")).text


def test_a_note_that_is_too_long_comes_back(app, mo, waiting):
    link, typed = mo.link("reject"), "x" * 501
    answer = mo.press(link, note=typed)
    assert answer.status_code == 422
    assert "Shorten the note" in words(answer.text)
    assert typed in answer.text
    assert log(app) == []


def test_pressed_twice_it_is_one_decision_and_one_answer(app, mo, waiting):
    link = mo.link()
    page = mo.open(link).text
    for _ in range(2):
        answer = mo.press(link, page)
        assert (answer.status_code, answer.location) == (303, link)
    assert len(log(app)) == 1


def test_an_old_form_asks_for_the_button_once_more(app, mo, waiting, monkeypatch):
    link = mo.link("reject")
    page = mo.open(link).text
    monkeypatch.setattr("service.tokens.FORM_LIFETIME", -1)
    answer = mo.press(link, page, note="Third time.")
    assert answer.status_code == 422
    assert "press the button again" in words(answer.text)
    assert "Third time." in answer.text
    assert log(app) == []
    monkeypatch.undo()
    assert mo.press(link, answer.text).status_code == 303


def test_a_busy_database_keeps_what_was_typed(app, mo, waiting, monkeypatch):
    link = mo.link("reject")
    page = mo.open(link).text

    def busy():
        raise database.Busy

    monkeypatch.setattr("service.database.writing", busy)
    answer = mo.press(link, page, note="Third time.")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Third time." in answer.text


def test_an_edit_that_waits_is_published_or_not(app, mo, ann, waiting):
    decided(app, ann, Status.APPROVED)
    edited(app, "Hear, hear, all of you.")
    link = mo.link("approve")
    page = mo.open(link).text
    assert "Publish this change?" in words(page)
    assert "<ins>" in page
    assert buttons(page)[0] == "Publish the change"
    assert buttons(mo.open(mo.link("reject")).text) == ["Keep the text as it was"]
    mo.press(link)
    assert stored(app)[0].text == "Hear, hear, all of you."
    assert "approved the author’s change" in words(mo.open(link).text)


def test_an_edit_is_turned_down_and_that_is_taken_back(app, mo, ann, waiting):
    decided(app, ann, Status.APPROVED)
    edited(app, "Hear, hear, all of you.")
    link = mo.link("reject")
    mo.press(link)
    assert log(app)[-1].act == Act.DISCARDED
    assert stored(app)[0].text == "Hear, hear."
    mo.undo(link)
    assert stored(app)[0].edit_at is not None
    assert buttons(mo.open(link).text) == ["Keep the text as it was"]


def test_a_reported_comment_is_kept(app, mo, ann, waiting):
    decided(app, ann, Status.APPROVED)
    reported(app)
    link = mo.link("approve")
    page = mo.open(link).text
    assert "Keep this comment?" in words(page)
    assert "It hurts." in words(page)
    assert buttons(page) == ["Keep it", "Keep it and answer"]
    mo.press(link)
    assert log(app)[-1].act == Act.KEPT


# What happened in between


def test_what_is_decided_already_says_who_and_when_and_offers_no_button(app, mo, ann, waiting):
    link = mo.link("approve")
    decided(app, ann, Status.REJECTED, "off topic")
    page = mo.open(link).text
    assert "This was decided already" in words(page)
    assert re.search("ann rejected this .* ago [(]“off topic”[)]", words(page))
    assert buttons(page) == []
    assert f"/desk/comments/{waiting}" in page


def test_a_colleague_who_was_quicker_is_not_overwritten(app, mo, ann, waiting):
    link = mo.link("approve")
    page = mo.open(link).text
    decided(app, ann, Status.REJECTED, "off topic")
    answer = mo.press(link, page)
    assert answer.status_code == 409
    assert re.search(
        "ann rejected this .* ago [(]“off topic”[)]. Your “Approve” was not applied",
        words(answer.text),
    )
    assert buttons(answer.text) == []
    assert stored(app)[0].status == Status.REJECTED
    assert len(log(app)) == 1


def test_a_version_that_no_page_showed_decides_nothing(app, mo, ann, waiting):
    link = mo.link("approve")
    page = mo.open(link).text
    decided(app, ann, Status.REJECTED)
    for version in ("2", "3", "0", "", "x", "99999999999"):
        assert mo.press(link, page, version=version).status_code == 409
    assert stored(app)[0].status == Status.REJECTED


def test_the_same_decision_by_a_colleague_is_theirs(app, mo, ann, waiting):
    link = mo.link("approve")
    page = mo.open(link).text
    decided(app, ann, Status.APPROVED)
    assert mo.press(link, page).status_code == 409
    assert "undo" not in mo.open(link).text
    assert [one.by for one in log(app)] == ["ann"]


def test_what_was_taken_back_can_be_decided_again(app, mo, ann, waiting):
    link = mo.link("approve")
    decision_id = decided(app, ann, Status.REJECTED)
    with app.app_context(), database.writing() as session:
        made = session.get_one(Decision, decision_id)
        moderation.undo(session, made, session.get_one(Moderator, ann))
    page = mo.open(link).text
    assert "ann took a decision back" in words(page)
    assert mo.press(link, page).status_code == 303
    assert stored(app)[0].status == Status.APPROVED


def test_what_its_author_changed_is_shown_before_it_acts(app, mo, waiting):
    link = mo.link("approve")
    page = mo.open(link).text
    edited(app, "Hear, nothing.")
    late = mo.press(link, page)
    assert late.status_code == 409
    assert stored(app)[0].status == Status.PENDING
    for shown in (late.text, mo.open(link).text):
        assert "The author changed the text" in words(shown)
        assert "Changed since the letter" in words(shown)
        assert "<del>hear</del><ins>nothing</ins>" in shown
    assert mo.press(link, late.text).status_code == 303
    assert (stored(app)[0].status, stored(app)[0].text) == (Status.APPROVED, "Hear, nothing.")


def test_what_was_changed_and_changed_back_is_the_text_of_the_letter(app, mo, waiting):
    link = mo.link("approve")
    edited(app, "Hear, nothing.")
    edited(app, "Hear, hear.")
    assert "Changed since the letter" not in words(mo.open(link).text)
    assert mo.press(link).status_code == 303


def test_a_text_that_is_not_kept_any_more_is_all_new(app, mo, waiting):
    link = mo.link("approve")
    edited(app, "Hear, nothing.")
    with app.app_context(), database.writing() as session:
        session.execute(update(Revision).values(text="", html=""))
    assert "<ins>Hear, nothing.</ins>" in mo.open(link).text


def test_an_author_s_change_after_a_decision_is_no_business_of_the_link(app, mo, ann, waiting):
    link = mo.link("approve")
    decided(app, ann, Status.APPROVED)
    edited(app, "Buy pills.")
    page = mo.open(link).text
    assert buttons(page) == []
    assert mo.press(mo.link("approve"), page=page).status_code == 422  # no form, no token
    assert stored(app)[0].text == "Hear, hear."


def test_where_nothing_waits_there_is_no_button(app, mo, ann, waiting):
    decided(app, ann, Status.APPROVED)
    link = mo.link("spam")  # of an old letter about reports that were answered since, say
    page = mo.open(link).text
    assert "Nothing waits here any more" in words(page)
    assert buttons(page) == []


def test_a_comment_that_its_author_took_back_says_so(app, mo, waiting):
    link = mo.link()
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, _only(session))
    page = mo.open(link).text
    assert "The author took this comment back" in words(page)
    assert "Hear, hear." not in page
    assert buttons(page) == []


# Undo


def test_undo_takes_it_back_and_the_link_can_be_used_again(app, mo, waiting):
    link = mo.link("reject")
    mo.press(link)
    page = mo.open(link).text
    for _ in range(2):  # pressed twice, the same answer
        answer = mo.undo(link, page)
        assert (answer.status_code, answer.location) == (303, link)
    assert stored(app)[0].status == Status.PENDING
    assert [(one.act, one.by_mail) for one in log(app)] == [
        *[(Act.DECIDED, True), (Act.UNDONE, True)]
    ]
    assert "took a decision back" in words(mo.open(link).text)
    assert mo.press(link).status_code == 303


def test_undo_says_what_was_decided_since(app, mo, ann, waiting):
    link = mo.link("reject")
    mo.press(link)
    page = mo.open(link).text
    decided(app, ann, Status.APPROVED)
    answer = mo.undo(link, page)
    assert answer.status_code == 409
    assert re.search("ann approved this .* Your “Undo” was not applied", words(answer.text))
    assert stored(app)[0].status == Status.APPROVED
    assert buttons(mo.open(link).text) == []


def test_an_undo_is_signed_for_one_decision_of_one_moderator(app, mo, ann, waiting):
    reply(app, app.test_client(), comment="Another one.")
    other = stored(app)[1].public_id
    other_id = decided(app, ann, Status.REJECTED, public_id=other)
    link, sign = mo.link("reject"), app.extensions["signer"].sign
    mo.press(link)
    forged = [
        "",
        "nonsense",
        sign("undo", [log(app)[-1].id, mo.moderator_id]),
        sign("undo by mail", [log(app)[-1].id, ann]),
        sign("undo by mail", [other_id, mo.moderator_id]),
        sign("undo by mail", [99, mo.moderator_id]),
        link.rpartition("/")[2],
    ]
    for token in forged:
        assert mo.browser.post(f"{link}/undo", data={"undo": token}).status_code == 404
    assert [one.act for one in log(app)] == [Act.DECIDED, Act.DECIDED]


# Answering


def test_an_answer_approves_and_is_one_reply_however_often_it_is_sent(app, mo, waiting):
    link = mo.link()
    page = mo.open(link).text
    assert "Answer it at once, as The Daily" in words(page)
    for _ in range(2):
        answer = mo.press(link, page, "/answer", comment="We *heard* you.")
        assert (answer.status_code, answer.location) == (303, link)
    asked, said = stored(app)
    assert asked.status == said.status == Status.APPROVED
    assert (said.name, said.mark, said.parent_id) == ("The Daily", Mark.STAFF, asked.id)
    assert "<em>heard</em>" in said.html
    assert [one.by_mail for one in log(app)] == [True, True]
    mo.undo(link)  # the answer was part of it
    assert [one.status for one in stored(app)] == [Status.PENDING, Status.DELETED]


def test_an_answer_is_under_the_public_staff_name(app, mo, waiting):
    changed(app, mo.moderator_id, lambda s, m: setattr(m, "staff_name", "Moira, The Daily"))
    mo.press(mo.link(), form="/answer", comment="We heard you.")
    assert stored(app)[1].name == "Moira, The Daily"


@pytest.mark.parametrize(("typed", "said"), [("", "Write your comment."), ("x" * 21, "Shorten")])
def test_what_is_wrong_with_an_answer_stands_beside_it(app, mo, waiting, typed, said):
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"comment_length": 20}
    answer = mo.press(mo.link(), form="/answer", comment=typed)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert typed in answer.text
    assert log(app) == []


def test_an_answer_that_came_too_late_is_kept_to_be_copied(app, mo, ann, waiting):
    link = mo.link()
    page = mo.open(link).text
    decided(app, ann, Status.REJECTED)
    answer = mo.press(link, page, "/answer", comment="We heard you.")
    assert answer.status_code == 409
    assert "ann rejected this" in words(answer.text)
    assert "We heard you." in answer.text
    assert len(stored(app)) == 1


def test_an_answer_to_what_was_changed_is_asked_for_once_more(app, mo, waiting):
    link = mo.link()
    page = mo.open(link).text
    edited(app, "Hear, nothing.")
    late = mo.press(link, page, "/answer", comment="We heard you.")
    assert late.status_code == 409
    assert "Changed since the letter" in words(late.text)
    sent = mo.press(link, late.text, "/answer", comment="We heard you.")
    assert sent.status_code == 303
    assert len(stored(app)) == 2


@pytest.mark.parametrize("action", ["reject", "spam"])
def test_only_a_link_that_approves_can_answer(app, mo, waiting, action):
    approve, link = mo.link(), mo.link(action)
    assert "/answer" not in mo.open(link).text
    sent = {n: hidden(mo.open(approve).text, approve, n) for n in ("token", "version")}
    sent |= {"comment": "We heard you.", "nonce": "n"}
    assert mo.browser.post(f"{link}/answer", data=sent).status_code == 404
    assert len(stored(app)) == 1


# Whom it refuses


def test_what_is_no_link_says_what_to_do(app, mo, waiting):
    good = mo.link().rpartition("/")[2]
    sign = app.extensions["signer"].sign
    value = app.extensions["signer"].read("decide by mail", good)
    for token in (good[:-1], f"x{good}", "nonsense", sign("receipt", value), sign("form", value)):
        for answer in (mo.open(f"/decide/{token}"), mo.browser.post(f"/decide/{token}")):
            assert answer.status_code == 404
            assert "Sign in at the desk" in words(answer.text)
            assert "Hear, hear." not in answer.text


def test_no_other_token_opens_it_and_it_opens_nothing_else(app, mo, client, waiting):
    receipt = reply(app, client, comment="Mine.").location.rpartition("/")[2]
    assert mo.open(f"/decide/{receipt}").status_code == 404
    assert mo.open(mo.link().replace("/decide/", "/receipts/")).status_code == 404


def test_a_link_is_for_one_comment_and_one_action(app, mo, waiting):
    reply(app, app.test_client(), comment="Another one.")
    link, other = mo.link("approve"), mo.link("spam")
    page = mo.open(link).text
    forged = {name: hidden(page, link, name) for name in ("token", "version")}
    # What another page says does not count.
    assert mo.browser.post(other, data=forged).status_code == 422
    mo.press(link, action="spam", public_id=stored(app)[1].public_id)
    assert [one.status for one in stored(app)] == [Status.APPROVED, Status.PENDING]


def test_it_is_good_for_seven_days(app, mo, waiting):
    good = mo.link(at=now() - deciding.LIFETIME + MINUTE)
    assert mo.open(good).status_code == 200
    old = mo.link(at=now() - deciding.LIFETIME - MINUTE)
    for answer in (mo.open(old), mo.browser.post(old)):
        assert answer.status_code == 410
        assert "good for 7 days, which are over" in words(answer.text)


def role_ends(session, moderator):
    moderator.memberships[0].removed_at = now()


def role_moves(session, moderator):
    other = Site(key="other", name="Other", origins=[])
    session.add(other)
    session.flush()
    moderator.memberships[0].site_id = other.id


def is_removed(session, moderator):
    people.remove(session, "the operator", moderator.memberships[0].id)


def password_changes(session, moderator):
    people.set_password(session, moderator, "hashed")


REFUSALS = {
    "the role ended": (role_ends, 403, "do not moderate the site"),
    "a role elsewhere": (role_moves, 403, "do not moderate the site"),
    "removed": (is_removed, 410, "link ended"),
    "not active": (lambda s, m: setattr(m, "active", False), 410, "link ended"),
    "the password changed": (password_changes, 410, "link ended"),
    "renewed": (lambda s, m: accounts.renew(m), 410, "link ended"),
    "links switched off": (lambda s, m: setattr(m, "has_mail_links", False), 403, "switched off"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_whom_the_link_was_for_is_looked_at_again_at_the_click(app, mo, waiting, name):
    change, status, said = REFUSALS[name]
    link = mo.link("approve")
    page = mo.open(link).text
    changed(app, mo.moderator_id, change)
    refused = [
        mo.open(link),
        mo.press(link, page),
        mo.press(link, page, "/answer", comment="We heard you."),
        mo.browser.post(f"{link}/undo", data={"undo": ""}),
    ]
    for answer in refused:
        assert answer.status_code == status
        assert said in words(answer.text)
        assert "Hear, hear." not in answer.text
    assert log(app) == []
    assert len(stored(app)) == 1


def test_a_role_that_ends_while_the_button_is_on_its_way_counts(app, mo, waiting, monkeypatch):
    link = mo.link("approve")
    page = mo.open(link).text
    real = database.writing

    def writing():
        monkeypatch.setattr("service.views.by_mail.database.writing", real)
        changed(app, mo.moderator_id, role_ends)
        return real()

    monkeypatch.setattr("service.views.by_mail.database.writing", writing)
    assert mo.press(link, page).status_code == 403
    assert log(app) == []


def test_a_site_can_switch_it_off(app, mo, waiting):
    link = mo.link()
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"mail_links": False}
    assert mo.open(link).status_code == 403


def test_a_comment_that_is_gone_altogether_says_so(app, mo, waiting):
    link = mo.link()
    with app.app_context(), database.writing() as session:
        session.execute(delete(Comment))
    assert mo.open(link).status_code == 410


def test_a_form_on_another_website_is_refused(app, mo, waiting):
    link = mo.link()
    page = mo.open(link).text
    sent = {name: hidden(page, link, name) for name in ("token", "version")}
    for path in (link, f"{link}/answer", f"{link}/undo"):
        answer = mo.browser.post(path, data=sent, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert log(app) == []


def test_a_bare_post_as_a_scanner_may_send_it_decides_nothing(app, mo, waiting):
    link = mo.link()
    assert mo.browser.post(link).status_code == 422
    assert mo.browser.post(link, data={"version": "1"}).status_code == 422
    assert log(app) == []


@pytest.mark.parametrize("form", ["", "/answer", "/undo"])
def test_so_much_in_a_short_time_has_to_wait(make_app, form):
    app = make_app(RATE_LIMITS="on")
    add_site(app)
    mo = Holder(app, add_moderator(app))
    reply(app, app.test_client())
    link = mo.link("reject" if not form else "approve")
    codes = [mo.browser.post(f"{link}{form}", data={"comment": ""}).status_code for _ in range(60)]
    assert 429 not in codes
    typed = {"note": "What I typed.", "comment": "What I typed."}
    answer = mo.browser.post(f"{link}{form}", data=typed)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "try again in" in words(answer.text)
    if form != "/undo":
        assert "What I typed." in answer.text
    assert mo.open(link).status_code == 200


def test_no_log_holds_a_link(app, mo, waiting, caplog, monkeypatch):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    link = mo.link()
    monkeypatch.setattr("service.views.opened.since", None)
    assert mo.open(link).status_code == 500
    assert "/decide/<decide_link>" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text


# What the desk says of it


def test_the_desk_says_that_it_was_by_mail(app, mo, waiting):
    mo.press(mo.link("reject"))
    pia = sign_in(
        app, app.test_client(), add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    )
    assert "mo (by mail) rejected this" in pia.get(f"/desk/comments/{waiting}").text
    record = pia.get("/desk/audit/").text
    assert "mo (by mail) rejected this." in record
    assert "mo (by mail) rejected this." in pia.get("/desk/audit/?what=by.mail").text
    token = hidden(record, "/desk/audit/export", "csrf_token")
    taken = pia.post("/desk/audit/export", data={"csrf_token": token, "what": "by.mail"}).text
    assert [line.rpartition(",")[2] for line in taken.split()[-1:]] == ["mail"]
    assert len(taken.splitlines()) == 2


def test_what_is_decided_at_the_desk_is_not_by_mail(app, mo, ann, waiting):
    decided(app, ann, Status.REJECTED)
    pia = sign_in(
        app, app.test_client(), add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    )
    assert "by mail)" not in pia.get("/desk/audit/").text
    assert "rejected this" not in pia.get("/desk/audit/?what=by.mail").text


def test_no_letter_row_holds_a_link(app, mo, waiting):
    mo.open(mo.link())
    with app.app_context():
        for letter in database.session().scalars(select(Letter)):
            assert "decide" not in f"{letter.about}{letter.cause_key}{letter.last_answer}"
