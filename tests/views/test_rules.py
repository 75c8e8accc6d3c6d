"""The rules of a site at the desk: read by moderators, tried and changed by publishers."""

import re
from html import unescape
from typing import Any

import pytest
from cast import add_site, csrf, on_record, reply, stored
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from service import accounts, database, moderation, screening
from service.models import Comment, Judgement, Site
from service.rules import NAMED, RULES, Fired, History, Rule, Verdict
from service.status import Occasion, Role, Status
from service.views import rules as views

PAGE = "/desk/sites/daily/rules"
LINKS = f"{PAGE}/many_links"
TWO = "Look: https://a.example and https://b.example"


def words(page: TestResponse) -> str:
    """What stands on a page, apart from its bar."""
    main = page.text.partition("<main")[2]
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", main).split()))


def site(app: Flask) -> Site:
    with app.app_context():
        found = database.session().scalars(select(Site).where(Site.key == "daily")).one()
        database.session().expunge_all()
        return found


def post(client: FlaskClient, act: str, url: str = LINKS, **sent: Any) -> TestResponse:
    page = client.get(url).text
    version = re.search(r'name="version" value="(\d+)"', page)
    fields = {"csrf_token": csrf(page), "version": version[1] if version else "", "act": act}
    return client.post(url, data=fields | sent)


@pytest.fixture
def pia(another) -> FlaskClient:
    return another("pia", role=Role.PUBLISHER)


def test_it_lists_every_rule_in_the_order_they_run_with_its_numbers(mo):
    page = mo.get(PAGE)
    names = re.findall(rf'href="{PAGE}/([a-z_]+)"', page.text)
    assert names == [rule.name for rule in RULES]
    assert "Holds a comment with more links than 2. on holds caught nothing yet" in words(page)
    assert "always on" in words(page)
    assert "Holds every reply, where the site chose so. always on holds Holds" in words(page)
    assert "alphabets. on holds; can be told to mark as spam caught nothing yet" in words(page)
    quiet = re.findall(rf'is-fixed">.*?href="{PAGE}/([a-z_]+)"', page.text, re.S)
    assert {"banned", "every_reply", "withheld"} <= set(quiet)
    assert not {"many_links", "repeated", "wave", "akismet"} & set(quiet)
    assert "Publishers of this site can change this" in words(page)


def test_who_has_one_site_is_taken_to_its_rules(app, mo, another):
    assert mo.get("/desk/rules/").location == PAGE
    add_site(app, "stars", "https://stars.example")
    ada = another("ada", site=None, role=Role.ADMIN)
    assert "/desk/sites/stars/rules" in ada.get("/desk/rules/").text
    assert mo.get("/desk/sites/stars/rules").status_code == 404


def test_a_publisher_chooses_what_waits(app, pia):
    sent = post(pia, "", PAGE, mode="hold_caught")
    assert (sent.status_code, sent.location) == (303, f"{PAGE}?saved=mode")
    assert site(app).settings["mode"] == "hold_caught"
    assert [event.what for event in on_record(app)] == ["rule_changed"]
    assert post(pia, "", PAGE, mode="nonsense").status_code == 400
    stale = post(pia, "", PAGE, mode="hold_new", version=1)
    assert stale.status_code == 409
    assert "A colleague changed the rules" in words(stale)
    assert site(app).settings["mode"] == "hold_caught"


def test_trying_shows_what_would_have_been_and_saves_nothing(app, pia, mo):
    for text in ("Hear, hear.", TWO, f"{TWO} https://c.example"):
        reply(app, app.test_client(), comment=text)
    before = site(app).screening
    tried = post(pia, "try", on="on", most="1")
    assert tried.status_code == 200
    assert "The newest 3 comments of readers were judged anew. Nothing is saved." in words(tried)
    assert "1 caught as well" in words(tried)
    assert "By moderators: 1 not decided yet." in words(tried)
    assert "Holds a comment with more links than 1. on holds not saved yet" in words(tried)
    assert "What it would have done Not saved yet" in words(tried)
    assert "Links in it: 2. " in words(tried)
    assert "more links than 2. on holds its name in commands: many_links" in words(pia.get(LINKS))
    assert f"/desk/comments/{stored(app)[1].public_id}" in tried.text
    assert 'name="most" value="1"' in tried.text  # what was typed stays
    assert (site(app).screening, on_record(app)) == (before, [])


def test_saving_keeps_it_and_it_acts(app, pia):
    sent = post(pia, "save", on="on", most="1")
    assert (sent.status_code, sent.location) == (303, f"{LINKS}?saved=yes")
    assert "more links than 1" in words(pia.get(sent.location))
    reply(app, app.test_client(), comment=TWO)
    with app.app_context():
        [said] = screening.verdicts(database.session(), stored(app)[0].id)
        assert ["many_links", "pending", "2"] in said.reasons


@pytest.mark.parametrize("act", ["try", "save"])
def test_what_cannot_be_is_said_beside_its_field_and_stays_typed(app, pia, act):
    for typed in ("", "101", "-1", "many", "<b>"):
        sent = post(pia, act, on="on", most=typed)
        assert sent.status_code == 422
        assert "Error: Enter a whole number from 0 to 100." in words(sent)
        assert 'aria-describedby="most-hint most-error"' in sent.text
        assert '<a href="#most">' in sent.text
    assert 'value="&lt;b&gt;"' in sent.text
    assert site(app).screening == {}


def test_a_colleague_s_change_is_not_overwritten_and_nothing_typed_is_lost(app, pia):
    post(pia, "save", on="on", most="5")
    stale = post(pia, "save", on="on", most="9", version=1)
    assert stale.status_code == 409
    assert "A colleague changed the rules of this site in between" in words(stale)
    assert 'name="most" value="9"' in stale.text
    assert site(app).screening == {"rules": {"many_links": {"most": 5}}}


def test_a_moderator_changes_nothing(app, mo, pia):
    page = pia.get(LINKS).text
    assert "disabled" in mo.get(LINKS).text
    assert "disabled" not in page.partition("<main")[2]
    token = csrf(mo.get("/desk/").text)
    for url, sent in ((LINKS, {"act": "save", "most": "1"}), (PAGE, {"mode": "hold_new"})):
        sent |= {"csrf_token": token, "version": 1}
        assert mo.post(url, data=sent).status_code == 403
    assert site(app).screening_version == 1


def test_a_rule_s_page_tells_how_it_did_so_far(app, mo):
    for number, status in enumerate(("rejected", "approved", "pending")):
        reply(app, app.test_client(), comment=f"{TWO} https://c{number}.example")
        with app.app_context(), database.writing() as session:
            comment = session.scalars(select(Comment).order_by(Comment.id.desc())).first()
            if status != "pending":
                by = session.get_one(accounts.Moderator, 1)
                moderation.decide(session, comment, Status(status), comment.version, by)
    told = words(mo.get(LINKS))
    assert "1 of 2 agreed fired on 3: 1 turned down, 1 let through, 1 not decided" in told
    assert "It fired, and moderators approved" in told
    assert f"/desk/comments/{stored(app)[1].public_id}" in mo.get(LINKS).text
    assert f"/desk/comments/{stored(app)[0].public_id}" not in mo.get(LINKS).text
    assert "1 of 2 agreed" in words(mo.get(PAGE))


@pytest.mark.parametrize("name", ["every_reply", "unknown_article", "hook_silent"])
def test_of_a_rule_that_holds_all_alike_no_share_is_told(app, mo, name):
    reply(app, app.test_client())
    told = words(mo.get(f"{PAGE}/{name}"))
    assert "It holds good and bad alike" in told
    assert not re.search("agreed|decided yet|nothing yet", told)


def test_a_comment_s_page_has_every_verdict(app, mo, waiting):
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        known = History(chance=0.997, telling=("+casino", "+<b>bonus", "-thanks"))
        verdict = Verdict(Status.SPAM, (Fired("many_links", Status.SPAM, "7"),))
        screening.judged(session, comment, verdict, known, Occasion.LEARNED)
        session.add(
            Judgement(site_id=1, comment_id=comment.id, occasion=Occasion.EDITED,
                      status="pending", reasons=[["gone_rule", "pending", "x"]])
        )  # fmt: skip
    told = words(mo.get(f"/desk/comments/{waiting}"))
    assert "Posted : held" in told
    assert "This site holds every reply for a moderator." in told
    assert "The filter had learned more, and looked again" in told
    assert "The filter: 99 % likely spam. For it: casino , <b>bonus . Against it: thanks ." in told
    assert "gone_rule: x" in told


def test_when_another_wording_was_asked_for_is_a_list_without_the_text(app, mo):
    assert "Nobody was asked" in words(mo.get("/desk/sites/daily/refusals"))
    with app.app_context(), database.writing() as session:
        for number in range(60):
            fired = Fired("phrases_refuse", Status.PENDING, f"word{number:02}", True)
            reasons = (Fired("every_reply"), fired)
            screening.refused(session, 1, Verdict(Status.PENDING, reasons), History())
    first = mo.get("/desk/sites/daily/refusals")
    assert words(first).index("word59") < words(first).index("word10")
    assert "word09" not in words(first)
    assert "holds every reply" not in words(first)  # nothing was held
    older = re.search(r'href="([^"]+after=\d+)"', first.text)
    assert older
    assert "word09" in words(mo.get(unescape(older[1])))


def test_a_rule_that_looks_at_a_list_has_it_to_tick(app, pia, monkeypatch):
    """Whatever rules there are, their pages come from what the rule says of itself."""
    rule = Rule(
        "other_writing",
        lambda case: "Greek" if case.policy.writing and "α" in case.draft.text else None,
        says="It is in %(matched)s.",
        does="Catches <other> writing.",
        may=(Status.PENDING, Status.SPAM),
    )
    monkeypatch.setitem(NAMED, rule.name, rule)
    monkeypatch.setattr(views, "RULES", (*RULES, rule))
    url = f"{PAGE}/other_writing"
    assert "Catches &lt;other&gt; writing." in pia.get(PAGE).text
    reply(app, app.test_client(), comment="αβγ")
    tried = post(pia, "try", url, on="on", to="spam", listed=["latin", "thai"])
    assert "1 newly marked as spam" in words(tried)
    assert re.findall(r'value="(\w+)" checked', tried.text) == ["on", "spam", "latin", "thai"]
    assert post(pia, "save", url, on="on", to="spam", listed=["klingon"]).status_code == 422
    assert post(pia, "save", url, on="on", to="spam", listed=["latin"]).status_code == 303
    assert site(app).screening["writing"] == ["latin"]
    assert post(pia, "save", url, on="on", to="spam").status_code == 303  # none ticked
    assert site(app).screening["writing"] == []


def test_an_unknown_rule_or_site_is_not_there(mo):
    for url in (f"{PAGE}/nonsense", "/desk/sites/none/rules", "/desk/sites/none/refusals"):
        assert mo.get(url).status_code == 404


def test_what_a_writer_takes_back_goes_from_the_ledger_too(app, mo, waiting):
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        fired = (Fired("many_links", Status.SPAM, "secret words"),)
        known = History(chance=0.5, telling=("secret",))
        screening.judged(session, comment, Verdict(Status.SPAM, fired), known, Occasion.LEARNED)
        session.flush()
        moderation.withdraw(session, comment)
    with app.app_context():
        kept = database.session().scalars(select(Judgement)).all()
        assert [(said.reasons[-1][0], said.reasons[-1][2]) for said in kept] == [
            ("every_reply" if len(kept[0].reasons) == 1 else kept[0].reasons[-1][0], ""),
            ("many_links", ""),
        ]
        assert [said.telling for said in kept] == [[], []]
    assert "secret" not in mo.get(f"/desk/comments/{waiting}").text


@pytest.mark.parametrize(
    "broken",
    [5, [], {"rules": []}, {"rules": {"many_links": {"most": "x"}, "wave": {"least": None}}},
     {"writing": 5, "akismet": "x", "hook": {"url": 5, "secret": []}}],
)  # fmt: skip
def test_whatever_stands_in_the_row_comments_are_taken_and_the_pages_open(app, client, pia, broken):
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(screening=broken))
    assert reply(app, client, name="Zoe").status_code == 303
    assert pia.get(PAGE).status_code == 200
    assert pia.get(LINKS).status_code == 200
    assert pia.get("/desk/sites/daily/outside").status_code == 200
