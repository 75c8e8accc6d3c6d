"""Promise 2: an e-mail address is never shown. One walk over every public URL and every log line."""

import base64
import hashlib
import logging

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, reply, sign_in, stored, token
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from service import database
from service.accounts import Moderator
from service.mail import deciding
from service.mail.confirm import Confirming
from service.mail.leaving import Leaving, Refusing
from service.models import Article, Author, Comment, Follow, now

ADDRESS = "Rita.Hidden+7@Example.org"
PASSING = "2026/review"


def traces(address):
    """The address, and what others have published of one: plain digests."""
    for spelling in {address, address.lower(), address.partition("@")[0], address.lower().strip()}:
        yield spelling
        yield base64.b64encode(spelling.encode()).decode().rstrip("=")
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, spelling.encode())
            yield digest.hexdigest()
            yield base64.b64encode(digest.digest()).decode().rstrip("=")


def leaks(text):
    return [trace for trace in traces(ADDRESS) if trace.casefold() in text.casefold()]


def test_the_walk_would_notice_a_leak():
    assert leaks(f"by {ADDRESS.lower()}")
    assert leaks(hashlib.md5(ADDRESS.lower().encode()).hexdigest())
    assert not leaks("by Rita")


@pytest.fixture
def everything(app, client):
    """A site on which Rita has commented, approved and waiting, refused and accepted."""
    add_site(app)
    receipts = [
        reply(app, client, email=ADDRESS).location,
        reply(app, client, email=ADDRESS, comment=f"Write to {ADDRESS}").location,
        reply(app, client, email=ADDRESS, comment="Held.").location,
    ]
    with app.app_context(), database.writing() as session:
        approved = update(Comment).where(Comment.text == "Hear, hear.").values(status="approved")
        session.execute(approved)
        session.execute(update(Article).values(approved_count=1))
    return receipts


def reported(app, comment):
    """The receipt's token of a report by somebody who left the address too."""
    url = f"/embed/{SITE}/comments/{comment.public_id}/report"
    sent = {"token": token(app), "reason": "spam", "contact": ADDRESS}
    return app.test_client().post(url, data=sent).location.rpartition("/")[2].partition("#")[0]


def decide_link(app, comment):
    """What a letter to Mo has, who moderates the site."""
    mo_id = add_moderator(app)
    with app.app_context():
        session = database.session()
        mo, shown = session.get_one(Moderator, mo_id), session.get_one(Comment, comment.id)
        return deciding.sign(app.extensions["signer"], mo, shown, "approve", now())


def letters_keys(app, comment):
    """The keys that letters to the comment's author carry."""
    signer = app.extensions["signer"]
    with app.app_context(), database.writing() as session:
        follow = Follow(author_id=comment.author_id, article_id=comment.article_id)
        session.add(follow)
        session.flush()
        index = session.get_one(Author, comment.author_id).email_index
        return {
            "confirm_token": Confirming(follow.id, index, comment.public_id, now()).sign(signer),
            "never_token": Refusing(index, comment.site_id, "en").sign(signer),
            "leave_token": Leaving(index, comment.site_id).sign(signer),
        }


def public_urls(app, receipts):
    """Every address that a stranger can open, with what it takes."""
    comment = stored(app)[0]
    values = {
        "key": SITE,
        "public_id": comment.public_id,
        "filename": "embed.js",
        "secret": "nonsense",
        "kind": "hold",
        "report_token": reported(app, comment),
        "decide_link": decide_link(app, comment),
        **letters_keys(app, comment),
    }
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods:
            continue
        for receipt in receipts if "token" in rule.arguments else [""]:
            known = values | {"token": receipt.rpartition("/")[2]}
            known = {name: known.get(name, 1) for name in rule.arguments}
            yield rule.build(known)[1]


def test_no_public_page_shows_an_address_or_a_digest_of_it(app, client, everything):
    # A receipt shows one's own words: the address that Rita typed into her text is hers to see.
    own_words = everything[1].rpartition("/")[2]
    seen = 0
    for path in public_urls(app, everything):
        if own_words in path:
            continue
        for url in (
            path,
            f"{path}?url={ARTICLE}",
            f"{path}?url={ARTICLE}&at={stored(app)[0].public_id}",
        ):
            answer = client.get(url, headers={"Accept": "text/html"})
            script = client.get(url, headers={"Accept": "application/json"})
            for given in (answer, script):
                assert leaks(f"{given.headers}{given.text}") == [], url
                seen += given.status_code == 200
    assert seen > 20


def test_an_address_in_a_text_is_held_and_the_reason_names_none(app, client, everything):
    held = stored(app)[1]
    with app.app_context():
        reasons = database.session().get(Comment, held.id).reasons
        assert "address_in_text" in [reason.rule for reason in reasons]
        assert not any(leaks(reason.matched) for reason in reasons)


def test_the_desk_shows_a_mask_and_keeps_the_address_out_of_the_queue(app, client, everything):
    mo = sign_in(app, app.test_client(), add_moderator(app))
    page = mo.get("/desk/").text
    assert "R…@E…" in page
    assert leaks(page.replace(f"Write to <mark>{ADDRESS}</mark>", "")) == []  # her own words


def test_no_log_line_holds_an_address_or_a_receipt(app, client, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    add_site(app)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    receipt = reply(app, client, email=ADDRESS).location
    client.get(receipt)
    reply(app, client, email=ADDRESS, name=ADDRESS)
    reply(app, client, email=ADDRESS, headers={"Origin": "https://evil.example"})

    def broken(*_, **__):
        raise RuntimeError("for the test")

    monkeypatch.setattr("service.views.receipts.render_template", broken)
    monkeypatch.setattr("service.comments.author_of", broken)
    assert reply(app, client, email=ADDRESS, comment="Once more.").status_code == 500
    assert client.get(receipt).status_code == 500
    assert "for the test" in caplog.text
    assert leaks(caplog.text) == []
    assert receipt.rpartition("/")[2] not in caplog.text


def test_what_a_database_refuses_is_logged_without_the_row(app, client, caplog, monkeypatch):
    """PostgreSQL quotes the key or the whole row that it refuses."""
    add_site(app)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    reply(app, client, email=ADDRESS)
    index = app.extensions["vault"].index(ADDRESS)

    def refused(session, site_id, hidden):
        """An author who is there already, and one without a key."""
        for key_id in ("none", None):
            author = Author(
                site_id=site_id, email_index=index, email_ciphertext=b"secret", email_key_id=key_id
            )
            try:
                with session.begin_nested():
                    session.add(author)
            except IntegrityError as error:
                logging.getLogger("test").exception("refused")
                last = error
        raise last

    monkeypatch.setattr("service.comments.author_of", refused)
    assert reply(app, client, email=ADDRESS, comment="Once more.").status_code == 500
    assert caplog.text.count("IntegrityError") > 2
    assert [word for word in ("DETAIL", "Failing row", index.hex()) if word in caplog.text] == []
