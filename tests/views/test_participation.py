"""Likes and reports at the reader's door, and what the desk shows of them."""

import re
from html import unescape

import pytest
from cast import ORIGIN, add_moderator, add_site, csrf, reply, sign_in, stored, token
from sqlalchemy import select, update

from service import comments, database, reports
from service.models import Author, Report, Site
from service.status import Outcome, ReportReason, Status

ARTICLE = "https://daily.example/2026/review"
JSON = {"Accept": "application/json"}
WHY = "It names my home address and calls on people to come."


@pytest.fixture
def mo(app, client):
    """Mo at the desk."""
    add_site(app, likes=True)
    return sign_in(app, app.test_client(), add_moderator(app))


@pytest.fixture
def published(app, client, mo):
    """Rita's reply, approved by Mo."""
    reply(app, client)
    public_id = stored(app)[0].public_id
    decide(mo, public_id, "approve", 1)
    return public_id


def decide(mo, public_id, action, version):
    sent = {"action": action, "version": version, "csrf_token": csrf(mo.get("/desk/").text)}
    answer = mo.post(f"/desk/comments/{public_id}/decide", data=sent, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json


def choose(app, **settings):
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(settings=settings))


def like(app, client, public_id, **options):
    url = f"/embed/daily/comments/{public_id}/like"
    return client.post(url, data={"token": token(app)}, **options)


def report(app, client, public_id, reason="spam", headers=None, address="127.0.0.1", **fields):
    sent = {"token": token(app), "reason": reason, **fields}
    url = f"/embed/daily/comments/{public_id}/report"
    environ = {"REMOTE_ADDR": address}
    return client.post(url, data=sent, headers=headers or {}, environ_overrides=environ)


def stored_reports(app):
    with app.app_context():
        found = database.session().scalars(select(Report).order_by(Report.id)).all()
        database.session().expunge_all()
        return found


# Likes


def test_a_like_leads_back_to_the_comment_and_is_one_a_day(app, client, published):
    answer = like(app, client, published)
    assert answer.status_code == 303
    assert f"at={published}" in answer.location
    assert answer.location.endswith(f"#comment-{published}")
    assert like(app, client, published, headers=JSON).json == {"likes": 1}
    assert "<b>1</b>" in client.get(answer.location).text


def test_what_one_does_in_a_fragment_leads_back_to_its_page(app, client, published):
    fragment = client.get("/embed/daily/fragment", query_string={"url": ARTICLE}).text
    [form] = re.findall('<form id="(likes-[0-9a-f]+)"', fragment)
    assert f'<button class="like" form="{form}"' in fragment
    assert f'name="return_to" value="{ARTICLE}"' in fragment
    back = f"{ARTICLE}#comment-{published}"
    sent = {"token": token(app), "return_to": ARTICLE + "#elsewhere"}
    assert client.post(f"/embed/daily/comments/{published}/like", data=sent).location == back
    [offer] = re.findall('class="report-link" href="([^"]+)"', fragment)
    page = client.get(unescape(offer)).text
    assert f'href="{back}"' in page
    [action] = re.findall('method="post" action="([^"]+)"', page)
    sent = {"token": token(app), "reason": "spam"}
    receipt = client.post(unescape(action), data=sent).location
    assert f'href="{back}"' in client.get(receipt).text


def test_nobody_is_led_to_a_foreign_page(app, client, published):
    sent = {"token": token(app), "return_to": "https://evil.example/"}
    answer = client.post(f"/embed/daily/comments/{published}/like", data=sent)
    assert answer.location.startswith("/embed/daily?")


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), (ORIGIN, 200)])
def test_a_like_from_a_foreign_page_is_refused(app, client, published, origin, status):
    answer = like(app, client, published, headers={**JSON, "Origin": origin})
    assert (answer.status_code, stored(app)[0].like_count) == (status, int(status == 200))


def test_a_like_takes_the_page_s_own_token(app, client, published):
    answer = client.post(f"/embed/daily/comments/{published}/like", data={"token": "x"})
    assert (answer.status_code, stored(app)[0].like_count) == (400, 0)


def test_where_likes_are_off_there_are_none(app, client, published):
    choose(app, likes=False)
    page = client.get("/embed/daily", query_string={"url": "https://daily.example/2026/review"})
    assert 'class="like"' not in page.text
    assert like(app, client, published).status_code == 404


@pytest.mark.parametrize("verb", [like, report])
def test_what_is_not_public_cannot_be_liked_or_reported(app, client, mo, verb):
    reply(app, client)
    public_id = stored(app)[0].public_id
    assert verb(app, client, public_id).status_code == 404
    assert client.get(f"/embed/daily/comments/{public_id}/report").status_code == 404


# Reports


def test_a_report_gives_a_receipt_that_nobody_keeps(app, client, published):
    answer = report(app, client, published, "off_topic")
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "Your report is received" in page.text
    assert "Hear, hear." in page.text
    assert "It has nothing to do with the article" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers


def test_a_second_report_from_a_network_is_answered_the_same_and_stores_nothing(
    app, client, published
):
    report(app, client, published)
    answer = report(app, client, published, "offensive")
    page = client.get(answer.location).text
    assert len(stored_reports(app)) == 1
    assert "Your report is received" in page
    assert "offensive" in page  # their own words: never those of a neighbour
    assert "advertising" not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": ""}, "Choose what is wrong with the comment."),
        ({"reason": "boring"}, "Choose what is wrong with the comment."),
        ({"reason": "illegal", "explanation": "Just so"}, "in at least 10 characters"),
        ({"explanation": "x" * 2_001}, "Shorten this by 1 character:"),
        ({"contact": "rita@"}, "or leave this empty"),
        ({"token": "x"}, "Your report is kept"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(app, client, published, fields, said):
    answer = report(app, client, published, **{"explanation": "Well now", **fields})
    assert answer.status_code == 422
    assert said in answer.text
    assert fields.get("explanation", "Well now") in answer.text
    assert stored_reports(app) == []


def test_a_contact_lives_encrypted_with_the_authors(app, client, published):
    report(app, client, published, "illegal", explanation=WHY, contact="ada@example.org")
    [stored_one] = stored_reports(app)
    with app.app_context():
        author = database.session().get_one(Author, stored_one.contact_id)
        assert author.email_index == app.extensions["vault"].index("ada@example.org")
        assert b"ada" not in author.email_ciphertext


def test_a_report_from_a_foreign_page_is_refused(app, client, published):
    answer = report(app, client, published, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, stored_reports(app)) == (403, [])


def test_a_site_may_hold_what_many_report(app, client, published):
    choose(app, reports_hold=True, report_threshold=2)
    report(app, client, published)
    assert stored(app)[0].status == Status.APPROVED
    report(app, client, published, address="198.51.100.7")
    assert stored(app)[0].status == Status.PENDING


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [(Outcome.KEPT, Status.APPROVED, "may stay"), (Outcome.REMOVED, Status.REJECTED, "removed")],
)
def test_the_receipt_tells_the_outcome(app, client, published, outcome, status, said):
    receipt = report(app, client, published, "illegal", explanation=WHY).location
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, published)
        session.execute(update(type(comment)).values(status=status))
        reports.close(session, comment.id, outcome)
    page = client.get(receipt).text
    assert said in page
    assert ("Hear, hear." in page) is (status == Status.APPROVED)
    assert "settling disputes" in page
    assert WHY not in page


def test_a_receipt_opens_with_its_whole_link_only(app, client, published):
    receipt = report(app, client, published).location
    assert client.get(receipt.partition("#")[0][:-4]).status_code == 404


# The desk


def test_the_desk_shows_what_is_reported_and_keeps_it(app, client, mo, published):
    report(app, client, published, "illegal", explanation="<b>Look</b> at this one.")
    report(app, client, published, "spam", address="198.51.100.7")
    page = mo.get("/desk/?status=reported").text
    assert re.search(r'data-status="reported" aria-current[^>]*>\w+\s*<span[^>]*>1<', page)
    assert "&lt;b&gt;Look&lt;/b&gt; at this one." in page
    assert "2 reports:" in page
    assert "Keep it" in page
    said = decide(mo, published, "approve", 2)
    assert (said["status"], said["version"], said["said"]) == ("approved", 3, "Rita: kept")
    assert said["reported"] is False
    page = mo.get("/desk/?status=reported").text
    assert "No comment is reported here." in page
    assert "kept this" in mo.get(f"/desk/comments/{published}").text
    assert [r.reason for r in stored_reports(app)] == [ReportReason.ILLEGAL, ReportReason.SPAM]
    for words, is_reported, history in (
        ("Rita: reports open again", True, "took the answer to readers’ reports back"),
        ("Rita: kept", False, "and kept this"),
    ):
        sent = {"csrf_token": csrf(mo.get("/desk/").text)}
        said = mo.post(said["undo"], data=sent, headers=JSON).json
        assert (said["status"], said["said"], said["undoes"]) == ("approved", words, True)
        assert said["reported"] is is_reported
        assert history in mo.get(f"/desk/comments/{published}").text
    assert {r.outcome for r in stored_reports(app)} == {Outcome.KEPT}


def test_reported_comments_come_in_the_order_of_their_reports(app, client, mo):
    for words in ("One.", "Two.", "Three."):
        reply(app, client, comment=words)
    ids = [comment.public_id for comment in stored(app)]
    for public_id in ids:
        decide(mo, public_id, "approve", 1)
    for public_id in reversed(ids):
        report(app, client, public_id, "illegal", explanation=WHY)
    page = mo.get("/desk/?status=reported").text
    assert re.findall(r'<article class="card" id="card-(\w+)"', page) == ids[::-1]
    later = mo.get(f"/desk/?status=reported&after={ids[1]}").text
    assert re.findall(r'<article class="card" id="card-(\w+)"', later) == ids[:1]
