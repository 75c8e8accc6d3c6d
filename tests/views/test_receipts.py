"""One's own comment: what its receipt says, changing it, taking it back, and what the desk sees."""

import re
from datetime import timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site, csrf, reply, sign_in, stored
from sqlalchemy import select, update

from service import database, follows, moderation
from service.models import Article, Author, Comment, Decision, Note, Site, now
from service.status import Act, Mark, Status

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def mine(app, client):
    """The path of Rita's receipt."""
    return reply(app, client).location.removeprefix("http://localhost")


@pytest.fixture
def mo(app):
    return sign_in(app, app.test_client(), add_moderator(app))


@pytest.fixture
def decide(app, mo):
    """Decides as Mo, on the version that there is."""

    def decide(action, **fields):
        comment = stored(app)[0]
        sent = {"version": comment.version, "csrf_token": csrf(mo.get("/desk/").text)}
        path = f"/desk/comments/{comment.public_id}/decide"
        return mo.post(path, data=sent | {"action": action, **fields})

    return decide


def hidden(page, action, name):
    """A hidden field of the form that posts there."""
    form = re.search(rf'<form[^>]*action="[^"]*/{action}[^"]*".*?</form>', page, re.S)[0]
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', form)[1]


def edit(client, path, comment, **fields):
    page = client.get(path).text
    headers = fields.pop("headers", {})
    sent = {name: hidden(page, "edit", name) for name in ("token", "version")}
    return client.post(f"{path}/edit", data=sent | {"comment": comment, **fields}, headers=headers)


def withdraw(client, path, **fields):
    token = hidden(client.get(path).text, "withdraw", "token")
    return client.post(f"{path}/withdraw", data={"token": token, **fields})


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# What it says


COME_BACK = "letters to your email address come back"


def set_up(app, is_proved=True, is_returned=True, wish="replies"):
    """What Rita asked for, whether her comment is proved, and whether mail to her comes back."""
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        comment.is_proved = is_proved
        session.get_one(Author, comment.author_id).returned_at = now() if is_returned else None
        follows.add(session, comment, follows.Wish(wish))


@pytest.mark.parametrize("wish", ["replies", "article"])
def test_who_asked_for_letters_is_told_that_they_come_back(app, client, mine, wish):
    assert COME_BACK not in client.get(mine).text
    set_up(app, wish=wish)
    page = client.get(mine).text
    assert COME_BACK in page
    assert "rita.reader" not in page


@pytest.mark.parametrize("but", [{"is_proved": False}, {"is_returned": False}, {"wish": ""}])
def test_nobody_else_is_told(app, client, mine, but):
    """Whoever types a stranger's address learns nothing about it: the page is the same."""
    before = client.get(mine).text
    set_up(app, **but)
    assert words(client.get(mine).text) == words(before)


def test_what_the_operator_erased_was_not_taken_back_by_its_author(app, client, mine, mo):
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one(), "command line")
    page = client.get(mine).text
    assert "Your reply was erased" in page
    assert "You took" not in page
    assert "Hear, hear." not in page
    told = mo.get(f"/desk/comments/{stored(app)[0].public_id}").text
    assert "Erased from the command line" in told


def add_decided(app, site_id, waits):
    """Comments that waited so many minutes each before Mo decided."""
    with app.app_context(), database.writing() as session:
        article = Article(site_id=site_id, url=f"{ORIGIN}/other")
        session.add(article)
        session.flush()
        for minutes in waits:
            comment = Comment(
                site_id=site_id,
                article_id=article.id,
                name="Otto",
                text="Yes.",
                html="<p>Yes.</p>",
                renderer=1,
                status=Status.APPROVED,
                created_at=now() - timedelta(days=9),
            )
            session.add(comment)
            session.flush()
            for later in (0, 5_000):  # the first decision counts
                at = comment.created_at + timedelta(minutes=minutes + later)
                row = {"from_status": Status.PENDING, "to_status": Status.APPROVED, "version": 2}
                session.add(Decision(comment_id=comment.id, by="mo", act=Act.DECIDED, at=at, **row))


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        ([9, 9, 9, 9], None),
        ([0, 0, 0, 9, 9], "in about 1 minute."),
        ([1, 20, 25, 30, 900], "in about 25 minutes."),
        ([1, 100, 185, 190, 900], "in about 3 hours."),
        ([4_300] * 6, "in about 3 days."),
    ],
)
def test_it_says_how_long_deciding_usually_takes_here(app, client, site, mine, waits, said):
    add_decided(app, site, waits)
    page = words(client.get(mine).text)
    assert "waiting for a moderator of The Daily." in page
    assert (f"It is usually decided {said}" in page) if said else ("usually" not in page)


@pytest.mark.parametrize("action", ["reject", "delete"])
def test_it_tells_the_reason_that_a_moderator_gives_and_not_who(client, mine, decide, action):
    decide(action, note="our troll", public_note="Off <topic>.")
    page = client.get(mine).text
    assert "Off &lt;topic&gt;." in page
    assert 'data-state="not published"' in page
    assert "our troll" not in page
    assert not re.search(r"\bmo\b", words(page))


def test_a_reason_that_was_taken_back_is_told_no_longer(app, client, mine, decide):
    decide("reject", public_note="Off topic.")
    decide("pending")
    assert "Off topic." not in client.get(mine).text
    decide("spam", public_note="An advertisement.")
    page = client.get(mine).text
    assert "An advertisement." not in page
    assert 'data-state="waiting"' in page


# Changing it


def test_it_offers_the_text_as_typed_and_says_until_when(app, client):
    path = reply(app, client, comment="*Hear*, hear.").location
    page = client.get(path).text
    assert re.search(r"<textarea[^>]*>\r?\n\*Hear\*, hear\.</textarea>", page)
    until = stored(app)[0].created_at + timedelta(minutes=15)
    assert f'possible until <time datetime="{until.isoformat(timespec="seconds")}"' in page


def test_a_change_of_what_waits_is_taken_at_once(app, client, mine):
    answer = edit(client, mine, "Well *said*.")
    assert answer.status_code == 303
    assert "<em>said</em>" in client.get(answer.location).text
    [comment] = stored(app)
    assert (comment.text, comment.status, comment.version) == ("Well *said*.", Status.PENDING, 2)


def test_a_change_of_what_is_published_waits_and_both_texts_are_told(app, client, mine, decide):
    decide("approve")
    edit(client, mine, "See https://new.example/ now.")
    page = client.get(mine).text
    assert 'id="receipt" data-state="published"' in page
    assert "Your change to it is waiting for a moderator of The Daily." in page
    assert "Hear, hear." in page
    assert "See https://new.example/ now." in page
    assert 'href="https://new.example/' not in page
    decide("reject", public_note="It was better before.")
    page = client.get(mine).text
    assert "kept the text as it was before your change" in page
    assert "It was better before." in page


def test_what_no_rule_holds_is_published_changed_at_once(app, client, mine, decide):
    decide("approve")
    with app.app_context(), database.writing() as session:
        session.scalar(select(Site)).settings = {"mode": "hold_caught"}
    edit(client, mine, "hear, HEAR.")  # one's own words again are no repetition
    [comment] = stored(app)
    assert (comment.text, comment.edit_at) == ("hear, HEAR.", None)
    edit(client, mine, "Write to rita@example.org")
    [comment] = stored(app)
    assert (comment.text, comment.edit_text) == ("hear, HEAR.", "Write to rita@example.org")
    edit(client, mine, "hear, HEAR.")  # back to what is public
    assert stored(app)[0].edit_at is None


@pytest.mark.parametrize("is_over", ["time", "never", "decided"])
def test_after_its_time_it_offers_no_change_and_takes_none(
    app, client, site, mine, decide, is_over
):
    page = client.get(mine).text
    sent = {name: hidden(page, "edit", name) for name in ("token", "version")}
    if is_over == "decided":
        decide("reject")
    with app.app_context(), database.writing() as session:
        if is_over == "time":
            session.execute(update(Comment).values(created_at=now() - timedelta(minutes=16)))
        if is_over == "never":
            session.execute(update(Site).values(settings={"edit_minutes": 0}))
    assert "<textarea" not in client.get(mine).text
    answer = client.post(f"{mine}/edit", data=sent | {"comment": "My <new> words."})
    assert answer.status_code == 409
    assert "can no longer be changed" in answer.text
    assert "My &lt;new&gt; words.</textarea>" in answer.text
    assert stored(app)[0].text == "Hear, hear."


def test_two_who_change_it_at_once_lose_nothing(app, client, mine):
    page = client.get(mine).text
    sent = {name: hidden(page, "edit", name) for name in ("token", "version")}
    client.post(f"{mine}/edit", data=sent | {"comment": "First."})
    again = client.post(f"{mine}/edit", data=sent | {"comment": "First."})
    assert again.status_code == 303  # the same sent twice
    answer = client.post(f"{mine}/edit", data=sent | {"comment": "Second."})
    assert answer.status_code == 409
    assert "changed while this page was open" in answer.text
    assert "<p>First.</p>" in answer.text
    assert "Second.</textarea>" in answer.text
    once_more = {name: hidden(answer.text, "edit", name) for name in ("token", "version")}
    assert client.post(f"{mine}/edit", data=once_more | {"comment": "Second."}).status_code == 303
    assert stored(app)[0].text == "Second."


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Write your comment"),
        (" \u200b ", "Write your comment"),
        ("x" * 10_003, "by 3 characters"),
    ],
)
def test_it_refuses_what_the_reply_form_refuses(app, client, mine, typed, said):
    answer = edit(client, mine, typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert re.search(r"<title>\s*Error:", answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert stored(app)[0].version == 1


@pytest.mark.parametrize("version", ["", "x", "9" * 30, "9" * 5_000])
def test_a_change_of_no_version_is_kept_and_told_what_stands(app, client, mine, version):
    answer = edit(client, mine, "Changed.", version=version)
    assert answer.status_code == 409
    assert "What you typed is kept" in answer.text
    assert "Changed.</textarea>" in answer.text
    assert hidden(answer.text, "edit", "version") == "1"
    assert stored(app)[0].version == 1


@pytest.mark.parametrize("verb", ["edit", "withdraw"])
@pytest.mark.parametrize("token", ["", "nonsense", "another's", "the other form's"])
def test_its_forms_are_good_for_one_purpose_and_one_comment(app, client, mine, verb, token):
    page = client.get(mine).text
    if token == "another's":
        page = client.get(reply(app, client, comment="Another.").location).text
        token = hidden(page, verb, "token")
    elif token == "the other form's":
        token = hidden(page, {"edit": "withdraw", "withdraw": "edit"}[verb], "token")
    sent = {"token": token, "version": "1", "comment": "Changed."}
    answer = client.post(f"{mine}/{verb}", data=sent)
    assert answer.status_code == 422
    assert "open for a long time" in answer.text
    assert (verb == "withdraw") or ("Changed.</textarea>" in answer.text)
    assert stored(app)[0].version == 1


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost", 303), ("null", 303), (ORIGIN, 403), ("https://evil.example", 403)],
)
def test_its_forms_stand_on_our_own_pages_only(app, client, mine, origin, status):
    assert edit(client, mine, "Changed.", headers={"Origin": origin}).status_code == status


def test_changing_it_too_often_keeps_the_text(make_app):
    app = make_app(RATE_LIMITS=True)
    client = app.test_client()
    path = reply(app, client).location.removeprefix("http://localhost")
    answers = [edit(client, path, f"Changed {n} times.") for n in range(21)]
    assert answers[-1].status_code == 429
    assert "Changed 20 times.</textarea>" in answers[-1].text
    assert "try again in 5 minutes." in answers[-1].text


# Taking it back, taking it along


def test_taking_it_back_takes_two_steps_and_leaves_nothing(app, client, mine):
    page = client.get(mine).text
    assert "This cannot be undone" in page.partition('id="withdraw"')[2]
    answer = withdraw(client, mine)
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert 'data-state="withdrawn"' in page
    assert "Rita" not in page
    assert "<form" not in page
    [comment] = stored(app)
    assert (comment.status, comment.text, comment.author_id) == (Status.DELETED, "", None)
    with app.app_context():
        assert database.session().scalars(select(Author)).all() == []
    # The same form may be sent anew: what is gone is not found again.
    assert reply(app, client).location != mine


def test_it_can_be_taken_back_whatever_was_decided(app, client, mine, decide):
    decide("spam")
    withdraw(client, mine)
    assert stored(app)[0].text == ""


def test_a_receipt_leads_back_to_the_article_after_all_that(app, client):
    path = reply(app, client, return_to=f"{ORIGIN}/back").location
    page = client.get(path).text
    action = re.search(r'action="([^"]+/edit[^"]*)#', page)[1].replace("&amp;", "&")
    sent = {name: hidden(page, "edit", name) for name in ("token", "version")}
    answer = client.post(action, data=sent | {"comment": "Changed."})
    assert f'href="{ORIGIN}/back"' in client.get(answer.location).text


def test_one_s_own_comment_can_be_taken_along(app, client, mine):
    answer = client.get(f"{mine}/comment.json")
    [comment] = stored(app)
    assert answer.json == {
        "id": comment.public_id,
        "article": "https://daily.example/2026/review",
        "author": "Rita",
        "website": "",
        "status": "waiting",
        "created_at": comment.created_at.isoformat(),
        "edited_at": None,
        "text": "Hear, hear.",
        "html": "<p>Hear, hear.</p>",
        "waiting_text": None,
    }
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


# The desk


@pytest.fixture
def changed(app, client, mine, decide):
    """A published comment of Rita's with a change that waits; gives its public id."""
    decide("approve")
    edit(client, mine, "Hear, *hear*, hear.")
    return stored(app)[0].public_id


def test_a_waiting_change_stands_among_the_pending_and_shows_both_texts(app, mo, client, changed):
    reply(app, client, comment="Later.")
    page = mo.get("/desk/").text
    assert re.findall(r'class="card" id="card-(\w+)"', page) == [
        comment.public_id for comment in stored(app)
    ]
    assert re.search(r'data-status="pending"[^>]*>Pending\s*<span class="count"[^>]*>2<', page)
    card = page.partition('class="card"')[2].partition("</article>")[0]
    assert "<p>Hear, hear.</p>" in card
    assert "<p>Hear, <em>hear</em>, hear.</p>" in card
    assert "This site holds every reply" in card
    offered = card.partition('<details class="more"')[0]  # which has some once more, for phones
    buttons = re.findall(r'class="act [^>]*value="(\w+)"[^>]*>([^<]+)<', offered)
    assert buttons == [
        ("approve", "Approve the change"),
        ("reject", "Keep the old text"),
        ("spam", "Spam"),
        ("delete", "Delete"),
    ]
    assert changed in mo.get("/desk/?status=approved").text


@pytest.mark.parametrize(
    ("action", "text", "told"),
    [
        ("approve", "Hear, *hear*, hear.", "mo approved the author’s change"),
        ("reject", "Hear, hear.", "mo kept the old text"),
    ],
)
def test_a_change_is_decided_on_and_told_and_can_be_undone(
    app, mo, decide, changed, action, text, told
):
    decide(action)
    [comment] = stored(app)
    assert (comment.text, comment.edit_at, comment.status) == (text, None, Status.APPROVED)
    assert changed not in mo.get("/desk/").text.partition('class="strip"')[0]
    page = mo.get(f"/desk/comments/{changed}").text
    assert told in page
    assert "The author changed the text" in page
    assert ("1 earlier text" in page) == (action == "approve")
    undo = re.search(r'action="(/desk/decisions/\d+/undo)"', page)[1]
    answer = mo.post(undo, data={"csrf_token": csrf(page)}, headers=JSON)
    assert (answer.json["waits"], answer.json["said"]) == (True, "Rita: change waiting")
    [comment] = stored(app)
    assert (comment.text, comment.edit_text) == ("Hear, hear.", "Hear, *hear*, hear.")
    assert comment.edit_at is not None


def test_nobody_approves_a_change_they_have_not_seen(app, client, mo, mine, changed, decide):
    version = stored(app)[0].version
    edit(client, mine, "Something else.")
    answer = decide("approve", version=version)
    assert answer.status_code == 409
    assert "The author changed the text" in answer.text
    assert "Your “Approve” was not applied" in answer.text


def test_nothing_is_decided_on_what_its_author_took_back(app, client, mo, mine, decide):
    decide("approve")
    undo = re.search(r"/desk/decisions/\d+/undo", mo.get("/desk/").text)[0]
    withdraw(client, mine)
    [comment] = stored(app)
    for answer in (
        decide("approve"),
        mo.post(undo, data={"csrf_token": csrf(mo.get("/desk/").text)}),
    ):
        assert answer.status_code == 409
        assert "The author took this comment back" in answer.text
    for page in (f"/desk/comments/{comment.public_id}", "/desk/?status=deleted"):
        card = mo.get(page).text.partition('<article class="card"')[2].partition("</article>")[0]
        assert card
        assert 'name="action"' not in card


def test_a_moderator_s_two_notes_stay_apart(app, mo, mine, decide):
    decide("reject", note="For us.", public_note=" For Rita. ")
    with app.app_context():
        [note] = database.session().scalars(select(Note))
        assert (note.text, note.public_text) == ("For us.", "For Rita.")
    page = mo.get(f"/desk/comments/{stored(app)[0].public_id}").text
    assert "For the author to read:" in page
    assert "For Rita." in page


def test_a_moderator_says_who_is_speaking(app, mo, mine):
    public_id = stored(app)[0].public_id
    path = f"/desk/comments/{public_id}"
    sent = {"csrf_token": csrf(mo.get(path).text), "version": 1, "next": path}
    answer = mo.post(f"{path}/mark", data=sent | {"mark": "staff"})
    assert (answer.status_code, answer.location) == (303, path)
    assert stored(app)[0].mark == Mark.STAFF
    page = mo.get(path).text
    assert "who is speaking: staff of the site." in page
    assert '<option value="staff" selected>' in page
    stale = mo.post(f"{path}/mark", data=sent | {"mark": "author"})
    assert stale.status_code == 409
    assert mo.post(f"{path}/mark", data=sent | {"mark": "pope"}).status_code == 400
    for version in ("x", "", "9" * 5_000, "9" * 30):
        sent_badly = sent | {"mark": "author", "version": version}
        assert mo.post(f"{path}/mark", data=sent_badly).status_code == 400
