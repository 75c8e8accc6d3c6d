import json
import re

import pytest
from cast import ARTICLE, ORIGIN, add_moderator, add_site, reply, sign_in, stored, token
from sqlalchemy import select, update

from service import comments, database
from service.models import Comment, Reason, Site
from service.tokens import AuthorTokens, FormTokens
from service.views import limits

THREAD = {"url": ARTICLE}


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def approve(app):
    moderator = add_moderator(app)

    def approve(public_id):
        mo = sign_in(app, app.test_client(), moderator)
        page = mo.get(f"/desk/comments/{public_id}").text
        version = re.search(r'data-version="(\d+)"', page)[1]
        key = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
        sent = {"action": "approve", "version": version, "csrf_token": key}
        assert mo.post(f"/desk/comments/{public_id}/decide", data=sent).status_code == 303

    return approve


def test_a_reply_waits_until_a_moderator_approves_it(app, client, approve):
    sent = reply(app, client)
    assert sent.status_code == 303
    assert "Hear, hear." not in client.get("/embed/daily", query_string=THREAD).text
    [comment] = stored(app)
    approve(comment.public_id)
    page = client.get("/embed/daily", query_string=THREAD).text
    assert f'<article id="comment-{comment.public_id}"' in page
    assert f'data-comment-id="{comment.public_id}"' in page
    assert "Hear, hear." in page


def test_the_reader_s_doors_set_no_cookie(app, client):
    answers = [client.get("/embed/daily", query_string=THREAD), reply(app, client)]
    answers.append(client.get(answers[1].location))
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_form_says_what_it_asks_and_promises(client):
    page = client.get("/embed/daily", query_string=THREAD).text
    words = re.sub(r"<[^>]+>|\s+", " ", page)
    words = re.sub(r"\s+", " ", words)
    assert "Leave a Reply" in words
    assert "Your email address will not be published. Required fields are marked *" in words
    for name, hint in (("name", "name"), ("email", "email"), ("website", "url")):
        assert re.search(rf'<input[^>]*autocomplete="{hint}"[^>]*name="{name}"', page), name
    for field in re.findall(r'<(?:input|textarea)[^>]*id="([^"]+)"[^>]*>', page):
        if f'type="hidden" id="{field}"' not in page and not re.search(
            rf'<input[^>]*id="{field}"[^>]*type="hidden"', page
        ):
            assert f'for="{field}"' in page, field


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "Enter your name"),
        ("name", "   ", "Enter your name"),
        ("name", "\u200b\u2060", "Enter a name that can be seen"),
        ("name", "\u3164", "Enter a name that can be seen"),
        ("name", "x" * 81, "at most 80 characters"),
        ("name", "Rita\u202eatiR", "change its direction"),
        ("name", "Ri\x07ta", "control characters"),
        ("name", "rita@example.org", "not an email address"),
        ("email", "", "Enter an email address like name@example.org"),
        ("email", "rita", "Enter an email address like name@example.org"),
        ("email", "a" * 250 + "@example.org", "Enter an email address like name@example.org"),
        ("website", "javascript:alert(1)", "Enter a website like https://example.org"),
        ("comment", "", "Write your comment"),
        ("comment", " \n\u200b ", "Write your comment"),
        ("comment", "x" * 10_003, "Shorten your comment by 3 characters"),
    ],
)
def test_a_refused_form_comes_back_with_all_that_was_typed(app, client, field, typed, said):
    answer = reply(app, client, **{field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert re.search(r"<title>\s*Error:", answer.text)
    assert 'id="reply-errors"' in answer.text
    assert re.search(rf'<(?:input|textarea)[^>]*name="{field}"[^>]*>', answer.text)
    tag = re.search(rf'<(?:input|textarea)[^>]*name="{field}"[^>]*>', answer.text)[0]
    assert 'aria-invalid="true"' in tag
    assert "aria-describedby" in tag
    for other, kept in {"name": "Rita", "comment": "Hear, hear."}.items():
        assert other == field or kept in answer.text
    assert stored(app) == []


def test_the_longest_that_is_allowed_is_taken(app, client):
    local = "a" * 64
    address = f"{local}@{'b' * 61}.{'c' * 61}.{'d' * 61}.org"[:254]
    sent = reply(app, client, name="x" * 80, comment="ü" * 10_000, email=address)
    assert sent.status_code in (303, 422)
    sent = reply(app, client, name="x" * 80, comment="ü" * 10_000)
    assert sent.status_code == 303


def test_a_site_chooses_how_long_a_comment_may_be(app, client):
    add_site(app, "short", "https://short.example", comment_length=10)
    url = "https://short.example/a"
    assert reply(app, client, "short", url=url, comment="12345678901").status_code == 422
    assert reply(app, client, "short", url=url, comment="1234567890").status_code == 303


def test_line_ends_and_letters_are_stored_in_one_form(app, client):
    reply(app, client, comment="one\r\ntwo cafe\u0301", name=" Rene\u0301e ")
    [comment] = stored(app)
    assert (comment.text, comment.name) == ("one\ntwo café", "Renée")


def test_the_same_form_sent_twice_leads_to_the_same_receipt(app, client):
    first, second = reply(app, client), reply(app, client)
    assert first.location == second.location
    assert len(stored(app)) == 1


def test_the_receipt_shows_the_reply_as_it_will_look_and_is_a_key(app, client):
    sent = reply(app, client, comment="**Bold** and https://rita.example/")
    page = client.get(sent.location)
    assert page.status_code == 200
    assert "<strong>Bold</strong>" in page.text
    assert 'href="https://rita.example/' not in page.text  # not a link before it is approved
    assert re.search(r"<title>\s*Received:", page.text)
    assert "waiting for a moderator" in page.text
    assert "rita.reader" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert client.get(sent.location[:-2]).status_code == 404


def test_the_receipt_links_back_to_the_publisher_s_page_only(app, client):
    good = reply(app, client, return_to=f"{ORIGIN}/back")
    assert f'href="{ORIGIN}/back"' in client.get(good.location).text
    evil = reply(app, client, return_to="https://evil.example/", comment="Again.")
    assert "evil.example" not in evil.location
    assert "evil.example" not in client.get(f"{evil.location}?return_to=https://evil.example/").text


def test_a_receipt_never_says_spam(app, client):
    sent = reply(app, client)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(status="spam"))
    assert "spam" not in client.get(sent.location).text.lower()


@pytest.mark.parametrize("stale", ["", "nonsense", "other"])
def test_an_old_or_foreign_token_is_no_refusal(app, client, stale):
    sent = token(app, ARTICLE + "-2") if stale == "other" else stale
    answer = reply(app, client, token=sent)
    assert answer.status_code == 422
    assert "Your reply is kept" in answer.text
    assert "Hear, hear." in answer.text
    fresh = re.search(r'name="token"[^>]*value="([^"]+)"', answer.text)[1]
    assert reply(app, client, token=fresh).status_code == 303


@pytest.mark.parametrize(
    ("origin", "status"),
    [(ORIGIN, 303), ("http://localhost", 303), ("https://evil.example", 403), ("null", 303)],
)
def test_it_looks_where_the_form_stood(app, client, origin, status):
    assert reply(app, client, headers={"Origin": origin}).status_code == status


def test_a_reply_from_a_nameless_page_is_held_with_the_reason(app, client):
    reply(app, client, headers={"Origin": "null"})
    with app.app_context():
        found = comments.by_public_id(database.session(), stored(app)[0].public_id)
        assert "withheld" in [reason.rule for reason in found.reasons]


def test_a_page_that_is_not_the_site_s_is_refused_with_the_reason(app, client):
    answer = reply(app, client, url="https://evil.example/a")
    assert answer.status_code == 403
    assert "not on a website that belongs to The Daily" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/embed/nobody?url=https://daily.example/", 404, "no site with this name"),
        ("/embed/daily?article=review-17", 400, "address of the article"),
        ("/embed/daily?url=javascript:alert(1)", 400, "address of the article"),
        ("/embed/daily?url=https://evil.example/", 403, "not on a website"),
        ("/receipts/nonsense", 404, "receipt"),
        ("/comments/nonsense", 404, "no such page"),
    ],
)
def test_what_cannot_be_shown_is_said_in_words(client, path, status, said):
    answer = client.get(path)
    assert answer.status_code == status
    assert said in answer.text


def test_a_title_of_an_unknown_article_is_never_echoed(client):
    page = client.get("/embed/daily", query_string=THREAD | {"title": "Buy pills"}).text
    assert "Buy pills" not in page


def test_script_gets_json(app, client):
    headers = {"Accept": "application/json"}
    sent = reply(app, client, headers=headers)
    assert sent.status_code == 201
    assert client.get(sent.json["receipt"]).status_code == 200
    refused = reply(app, client, headers=headers, name="", email="x")
    assert refused.status_code == 422
    assert set(refused.json["errors"]) == {"name", "email"}


def test_a_thread_page_is_kept_by_its_etag_until_something_changes(app, client, approve):
    reply(app, client)
    first = client.get("/embed/daily", query_string=THREAD)
    assert first.headers["Cache-Control"] == "public, max-age=0, s-maxage=10"
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/embed/daily", query_string=THREAD, headers=known).status_code == 304
    approve(stored(app)[0].public_id)
    assert client.get("/embed/daily", query_string=THREAD, headers=known).status_code == 200


def test_frames_are_allowed_on_the_site_s_origins_and_no_others(app, client):
    policy = client.get("/embed/daily", query_string=THREAD).headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {ORIGIN}" in policy
    desk = client.get("/desk/login").headers
    assert "frame-ancestors 'none'" in desk["Content-Security-Policy"]


def test_the_fragment_is_no_whole_page_and_leads_back(app, client):
    page = client.get("/embed/daily/fragment", query_string=THREAD).text
    assert "<html" not in page
    assert "<script" not in page
    assert 'action="http://localhost/embed/daily/comments' in page
    assert re.search(rf'name="return_to"[^>]*value="{ARTICLE}"', page)


def test_an_article_that_moved_takes_its_thread_along(app, client, approve):
    """By the publisher's own id; from an address that is no longer the site's, too."""
    reply(app, client, article="review-7")
    approve(stored(app)[0].public_id)
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(origins=["https://new.example"]))
    moved = "https://new.example/review"
    page = client.get("/embed/daily", query_string={"url": moved, "article": "review-7"}).text
    assert "Hear, hear." in page
    assert f'<link rel="canonical" href="{moved}">' in page
    sent = reply(app, client, url=moved, article="review-7", comment="Here too.")
    assert sent.status_code == 303
    assert len({comment.article_id for comment in stored(app)}) == 1


def test_two_fragments_share_no_id_and_each_label_has_its_input(client):
    """They may stand on one page."""
    urls = (ARTICLE, f"{ORIGIN}/2026/another")
    pages = [client.get("/embed/daily/fragment", query_string={"url": url}).text for url in urls]
    ids = [re.findall(r'\bid="([^"]+)"', page) for page in pages]
    assert len(ids[0]) > 5
    assert not set(ids[0]) & set(ids[1])
    for page, own in zip(pages, ids, strict=True):
        meant = re.findall(r'(?:\bfor|aria-labelledby|aria-describedby)="([^"]+)"', page)
        assert {name for names in meant for name in names.split()} <= set(own)


def test_it_counts_what_readers_see(app, client, approve):
    reply(app, client)
    approve(stored(app)[0].public_id)
    reply(app, client, comment="Waiting.")
    asked = {"url": [ARTICLE, ARTICLE + "-2", "nonsense"]}
    counted = client.get("/embed/daily/counts", query_string=asked).json
    assert counted == {ARTICLE: 1, ARTICLE + "-2": 0, "nonsense": 0}


def test_a_permalink_leads_to_the_article_once_it_is_public(app, client, approve):
    reply(app, client)
    public_id = stored(app)[0].public_id
    assert client.get(f"/comments/{public_id}").status_code == 404
    approve(public_id)
    assert client.get(f"/comments/{public_id}").location == f"{ARTICLE}#comment-{public_id}"


def test_a_permalink_off_the_site_s_origins_is_a_link_and_no_redirect(app, client, approve):
    reply(app, client)
    public_id = stored(app)[0].public_id
    approve(public_id)
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(origins=["https://moved.example"]))
    answer = client.get(f"/comments/{public_id}")
    assert answer.status_code == 200
    assert f'href="{ARTICLE}#comment-{public_id}"' in answer.text


def test_too_large_is_said_so(app, client):
    answer = reply(app, client, comment="x" * 1_000_000)
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_too_many_keep_their_text_and_learn_when_to_try_again(make_app, monkeypatch):
    app = make_app(RATE_LIMITS="on")
    client = app.test_client()
    for number in range(int(limits.POSTING.split()[0])):
        assert reply(app, client, comment=f"No. {number}").status_code == 303
    answer = reply(app, client, comment="One too many.")
    assert answer.status_code == 429
    assert "One too many." in answer.text
    assert "Your text is kept" in answer.text
    # The oldest of them stops to count when the window of 5 minutes has passed over it.
    assert 200 < int(answer.headers["Retry-After"]) <= 301


def test_a_busy_database_keeps_the_text(app, client, monkeypatch):
    """As when five seconds were not enough."""

    def busy(self):
        raise database.Busy

    monkeypatch.setattr(database.Database, "writing", busy)
    answer = reply(app, client)
    assert answer.status_code == 503
    assert "Hear, hear." in answer.text


def test_the_address_of_a_receipt_is_not_the_parent_s_business(app, client):
    """The JSON that script reads is for the frame alone: no other origin may read it."""
    sent = reply(app, client, headers={"Accept": "application/json", "Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in sent.headers
    assert json.loads(sent.text)["receipt"]


@pytest.mark.parametrize(
    "path",
    [
        f"/embed/daily?url={ARTICLE}&at=%00",
        f"/embed/daily?url={ARTICLE}&after=%00",
        f"/embed/daily?url={ARTICLE}&article=%00",
        f"/embed/%00?url={ARTICLE}",
        "/comments/%00",
        "/desk/?after=%00",
    ],
)
def test_a_nul_is_refused(app, client, path):
    assert client.get(path).status_code == 400


@pytest.mark.parametrize("name", ["article", "lang", "parent", "nonce"])
def test_a_nul_in_a_hidden_field_is_refused(app, client, name):
    assert reply(app, client, **{name: "a\0"}).status_code == 400


@pytest.mark.parametrize("typed", ["<br>", "<b></b>", "> "])
def test_a_comment_of_marks_alone_is_none(app, client, typed):
    answer = reply(app, client, comment=typed)
    assert (answer.status_code, "Write your comment." in answer.text) == (422, True)


def test_a_comment_that_is_too_long_is_not_rendered_first(app, client, monkeypatch):
    rendered = []
    monkeypatch.setattr("service.text.render", lambda typed: rendered.append(typed) or "")
    answer = reply(app, client, comment=">" * 20_000)
    assert (answer.status_code, "Shorten your comment" in answer.text) == (422, True)
    assert rendered == []


@pytest.mark.parametrize("typed", ["👍", "?!", "1"])
def test_a_sign_is_a_comment(app, client, typed):
    assert reply(app, client, comment=typed).status_code == 303


@pytest.mark.parametrize("address", ["rita@example.org", "rita%40example.org"])
def test_an_address_in_the_website_is_held_with_the_reason(app, client, address):
    reply(app, client, website=f"https://rita.example/?e={address}")
    with app.app_context():
        rules = database.session().scalars(select(Reason.rule)).all()
    assert "address_in_text" in rules


@pytest.mark.parametrize(
    ("of", "address", "is_proved"),
    [
        ("daily", "rita.reader@example.org", True),
        ("weekly", "rita.reader@example.org", False),  # a token of another site
        ("daily", "eve@example.org", False),
        (None, "", False),
    ],
)
def test_a_browser_s_token_proves_its_own_author_and_a_wrong_one_refuses_nobody(
    app, client, of, address, is_proved
):
    index = app.extensions["vault"].index(address)
    made = AuthorTokens(app.extensions["signer"], of).make(index) if of else "no token"
    assert reply(app, client, author=made).status_code == 303
    assert stored(app)[0].is_proved is is_proved


def test_another_comment_with_the_token_that_script_fetched_is_held_as_reused(app, client):
    fetched = client.get("/embed/daily/token", query_string=THREAD).json["token"]
    shared = FormTokens(app.extensions["signer"], "daily", ARTICLE).for_page()
    for said in ("One.", "One.", "Another."):
        assert reply(app, client, token=fetched, comment=said).status_code == 303
    for said in ("A third.", "A fourth."):
        assert reply(app, client, token=shared, comment=said).status_code == 303
    with app.app_context():
        found = select(Comment.text).join(Reason).where(Reason.rule == "reused_token")
        assert database.session().scalars(found).all() == ["Another."]
    assert len(stored(app)) == 4
