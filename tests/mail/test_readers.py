"""The way of each letter to a reader: caused, waiting, sent; undone, left, erased, withdrawn in between."""

import re
import time
from collections import Counter
from datetime import timedelta

import pytest
from conftest import SETTINGS
from mailserver import WORKER
from sqlalchemy import delete, insert, select, update
from town import Town
from workers import share_work

from service import accounts, comments, database, letters, moderation
from service.cli import mail as command
from service.models import (
    Article,
    Author,
    Comment,
    Follow,
    Import,
    Letter,
    Site,
    Unwanted,
    now,
)
from service.status import FollowPace, LetterKind, LetterState, Status, Why
from service.views.desk import ACTIONS

PUBLISHED, REFUSED = LetterKind.PUBLISHED, LetterKind.REFUSED
ANSWERED, FOLLOWED = LetterKind.ANSWERED, LetterKind.FOLLOWED
SENT, DROPPED, QUEUED = LetterState.SENT, LetterState.DROPPED, LetterState.QUEUED


@pytest.fixture
def town(app, mailbox):
    return Town(app, mailbox)


def plain(mail):
    return mail.get_body(["plain"]).get_content()


def html(mail):
    return mail.get_body(["html"]).get_content()


def cause(town, kind):
    """What causes a letter of this kind. Returns the comment it tells of and the decision on it."""
    if kind == FOLLOWED:
        town.follows("fay")
        comment = town.says("Ben", "Something new.")
    elif kind == ANSWERED:
        parent = town.says("Rita", "As I said.", Status.APPROVED)
        town.follows("rita", parent)
        comment = town.says("Ben", "Something new.", parent=parent)
    else:
        comment = town.says("Rita", "Something new.")
        town.follows("rita", comment)
    status = Status.REJECTED if kind == REFUSED else Status.APPROVED
    return comment, town.decides(comment, status)


YES, NO = "Your reply is published", "Your reply was not published"
NO_MORE = "Your reply is no longer published"
KINDS = (PUBLISHED, REFUSED, ANSWERED, FOLLOWED)
OWNERS = {PUBLISHED: "rita", REFUSED: "rita", ANSWERED: "rita", FOLLOWED: "fay"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_is_a_letter_after_the_undo_window(town, kind):
    _comment, decision = cause(town, kind)
    assert town.told == [(kind, QUEUED, None)]
    (letter,) = town.letters
    assert letter.decision_id == decision
    waits = letter.due_at - now()
    assert timedelta(minutes=9) < waits <= timedelta(minutes=10)
    with town.app.app_context():
        command.send_letters()
    assert town.mails == []
    town.work()
    assert town.told == [(kind, SENT, None)]
    (mail,) = town.mails
    assert town.mailbox.envelopes[0][1] == [f"{OWNERS[kind]}@readers.example"]
    for said in (plain(mail), html(mail)):
        assert "Something new." in said
        assert "A review" in said
        assert "The Daily" in said
        assert "@readers.example" not in said
        assert "Mo" not in said
    assert mail["List-Unsubscribe"].strip("<> ") in plain(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    town.work()
    assert len(town.mails) == 1


def never(town, *_):
    indexes = select(Author.email_index, Author.created_at)
    town.do(insert(Unwanted).from_select(["email_index", "at"], indexes))


BETWEEN = {
    "undone": (lambda town, comment, decision: town.undoes(decision), Why.UNDONE),
    "left": (lambda town, *_: town.do(delete(Follow)), Why.UNWANTED),
    "doubted": (lambda town, *_: town.do(update(Follow).values(confirmed_at=None)), Why.UNWANTED),
    "never": (never, Why.NEVER),
    "returned": (lambda town, *_: town.do(update(Author).values(returned_at=now())), Why.RETURNED),
}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_in_between_wins(town, kind, between):
    happens, why = BETWEEN[between]
    happens(town, *cause(town, kind))
    town.work()
    assert town.told == [(kind, DROPPED, why)]
    assert town.mails == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_taken_back_before_it_is_told_is_not_told(town, kind):
    comment, _ = cause(town, kind)
    town.withdraws(comment)
    town.work()
    # Whose own comment it was goes with it, if there is nothing else of them, and so do their letters.
    assert town.told == ([] if kind in letters.OUTCOMES else [(kind, DROPPED, Why.GONE)])
    assert town.mails == []


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_erased_takes_their_letters_along(town, kind):
    cause(town, kind)
    town.do(delete(Follow), update(Comment).values(author_id=None), delete(Author))
    town.work()
    assert (town.told, town.mails) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_decision_has_the_last_word(town, kind):
    comment, _decision = cause(town, kind)
    town.decides(comment, Status.SPAM)
    town.work()
    assert town.told == [(kind, DROPPED, Why.SETTLED)]
    assert town.mails == []


# --- What became of one's own --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("follow", "more"),
    [
        ("unconfirmed", {}),
        ("none", {}),
        ("another's", {}),
        ("own", {"is_proved": False}),
        ("own", {"import_id": 1}),
    ],
)
def test_without_proof_and_a_confirmed_wish_nobody_hears_of_theirs(town, follow, more):
    if "import_id" in more:
        row = {"site_id": town.site, "format": "json", "file_name": "f", "file_digest": "d"}
        town.do(insert(Import).values(id=1, **row))
    comment = town.says("Rita", **more)
    if follow != "none":
        whose = "ben" if follow == "another's" else "rita"
        town.follows(whose, comment, is_confirmed=follow != "unconfirmed")
    town.decides(comment)
    town.decides(comment, Status.REJECTED)
    assert town.letters == []


def test_who_follows_the_article_hears_of_their_own_too(town):
    comment = town.says("Rita")
    town.follows("rita")
    town.decides(comment)
    town.work()
    assert [mail["Subject"] for mail in town.mails] == ["Your reply is published: A review"]


def test_a_refusal_gives_the_public_reason_and_no_link_to_the_comment(town):
    comment = town.says("Rita", "Unkind words to ben@readers.example.")
    town.follows("rita", comment)
    town.decides(comment, Status.REJECTED, "Please stay kind.")
    town.work()
    (mail,) = town.mails
    assert mail["Subject"] == "Your reply was not published: A review"
    for said in (plain(mail), html(mail)):
        assert "Please stay kind." in said
        assert "Unkind words to b…@…" in said
        assert "/comments/" not in said
        assert "https://comments.example/receipts/" in said


def test_the_receipt_in_it_opens(town):
    cause(town, PUBLISHED)
    town.work()
    link = next(w for w in plain(town.mails[0]).split() if "/receipts/" in w)
    path = link.removeprefix("https://comments.example")
    assert "Something new." in town.app.test_client().get(path).text


def test_nobody_hears_that_theirs_is_spam_or_of_their_own_withdrawal(town):
    comment = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", comment)
    town.decides(comment, Status.SPAM)
    town.decides(comment, Status.PENDING)
    town.withdraws(comment)
    assert town.letters == []


def test_what_was_public_is_no_longer(town):
    comment = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", comment)
    assert town.letters == []  # it saw that itself
    town.decides(comment, Status.DELETED)
    town.work()
    assert town.mails[0]["Subject"] == "Your reply is no longer published: A review"


@pytest.mark.parametrize("is_sent", [True, False])
def test_an_undo_corrects_only_a_word_that_has_gone(town, is_sent):
    comment = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", comment)
    rejected = town.decides(comment, Status.REJECTED)
    if is_sent:
        town.work()
    town.undoes(rejected)
    town.work()
    subjects = [mail["Subject"].partition(":")[0] for mail in town.mails]
    assert subjects == (
        ["Your reply is no longer published", "Your reply is published"] if is_sent else []
    )


def test_an_undo_while_the_letter_is_on_its_way_corrects_it_too(town):
    comment = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", comment)
    rejected = town.decides(comment, Status.REJECTED)
    town.mailbox.waits = lambda: town.undoes(rejected)
    town.work()
    town.mailbox.waits = None
    town.work()
    subjects = [mail["Subject"].partition(":")[0] for mail in town.mails]
    assert subjects == ["Your reply is no longer published", "Your reply is published"]


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        ("approve reject approve", [YES]),
        ("approve send reject approve", [YES]),
        ("approve send reject send approve", [YES, NO_MORE, YES]),
        ("reject delete", [NO]),
        ("reject send delete", [NO]),
        ("approve undo undo", [YES]),
        ("approve send undo reject", [YES, NO_MORE]),
        ("reject send undo reject", [NO]),
        ("reject spam reject", [NO]),
    ],
)
def test_nobody_has_a_wrong_last_word_or_two_for_nothing(town, decided, words):
    comment, last = town.says("Rita"), 0
    town.follows("rita", comment)
    for step in decided.split():
        if step == "send":
            town.work()
        elif step == "undo":
            last = town.undoes(last)
        else:
            last = town.decides(comment, ACTIONS[step])
    town.work(2)
    assert [mail["Subject"].partition(":")[0] for mail in town.mails] == words
    assert QUEUED not in {letter.state for letter in town.letters}


def test_a_letter_whose_decision_was_overruled_does_not_go_before_the_window_of_the_last(town):
    comment = town.says("Rita")
    town.follows("rita", comment)
    first = town.decides(comment)
    town.decides(comment, Status.REJECTED)
    town.decides(comment)
    past = now() - timedelta(seconds=1)
    town.do(update(Letter).where(Letter.decision_id == first).values(due_at=past))
    with town.app.app_context():
        command.send_letters()
    assert [letter.why for letter in town.letters] == [Why.SETTLED, None, None]
    assert town.mails == []


# --- News ----------------------------------------------------------------------------------------


def test_what_the_rules_publish_at_once_is_told_after_the_window_too(town):
    town.follows("fay")
    parent = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", parent)
    town.says("Ben", "Not so.", Status.APPROVED, parent)
    assert [letter.kind for letter in town.letters] == [FOLLOWED, ANSWERED, FOLLOWED]
    assert all(letter.due_at > now() + timedelta(minutes=9) for letter in town.letters)
    town.work(2)
    subjects = {mail["To"]: mail["Subject"] for mail in town.mails}
    assert subjects == {
        "rita@readers.example": "Ben answered you: A review",
        "fay@readers.example": "2 new replies: A review",
    }


def test_nobody_is_told_of_their_own_and_nobody_twice(town):
    parent = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", parent)
    town.follows("rita")
    town.says("Rita", "And then", Status.APPROVED, parent)
    assert town.letters == []
    town.says("Ben", "Not so.", Status.APPROVED, parent)
    assert [letter.kind for letter in town.letters] == [ANSWERED]


def test_an_answer_to_an_answer_is_told_to_whom_it_answers_alone(town):
    first = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", first)
    second = town.says("Ben", status=Status.APPROVED, parent=first)
    town.work()
    town.says("Cleo", status=Status.APPROVED, parent=second)
    assert len(town.letters) == 1


def test_a_reply_of_staff_is_told_under_its_public_name(town):
    parent = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", parent)
    with town.app.app_context(), database.writing() as session:
        mo = session.get_one(accounts.Moderator, town.mo)
        above = session.get_one(Comment, parent)
        wording = moderation.Wording("We did.", "<p>We did.</p>", None)
        comments.answer(
            session, town.app.extensions["vault"], above, mo, "The editors", wording, "n"
        )
    town.work()
    assert town.mails[0]["Subject"] == "The editors answered you: A review"
    assert "(Staff)" in plain(town.mails[0])


def test_an_undo_that_brings_it_back_tells_of_it_once(town):
    town.follows("fay")
    comment = town.says("Ben")
    approved = town.decides(comment)
    undone = town.undoes(approved)
    town.work()
    assert town.mails == []
    town.undoes(undone)
    town.work()
    assert len(town.mails) == 1
    town.decides(comment, Status.REJECTED)
    town.decides(comment)
    town.work()
    assert len(town.mails) == 1
    assert QUEUED not in {letter.state for letter in town.letters}


def test_what_was_public_before_somebody_followed_is_no_news_when_it_comes_back(town):
    comment = town.says("Ben", status=Status.APPROVED)
    town.do(update(Comment).values(created_at=now() - timedelta(days=9)))
    town.follows("fay")
    town.undoes(town.decides(comment, Status.REJECTED))
    assert town.letters == []


def test_what_is_taken_back_by_the_one_who_is_answered_ends_it(town):
    cause(town, ANSWERED)
    with town.app.app_context():
        parent = database.session().scalars(select(Comment.id).order_by(Comment.id)).first()
    town.withdraws(parent)
    town.work()
    assert (town.told, town.mails) == ([], [])  # nothing of whom it was for is left


def test_many_at_once_are_one_letter_that_tells_of_what_is_left(town):
    town.follows("fay")
    ids = [town.says(f"Ben {number}", f"No. {number}.") for number in range(4)]
    with town.app.app_context(), database.writing() as session:
        mo = session.get_one(accounts.Moderator, town.mo)
        moderation.decide_many(session, dict.fromkeys(ids, 1), Status.APPROVED, mo, None)
    (letter,) = town.letters
    assert letter.about == {"comments": ids}
    town.withdraws(ids[0])
    town.decides(ids[2], Status.REJECTED)
    town.work()
    said = plain(town.mails[0])
    assert ("No. 1." in said, "No. 3." in said) == (True, True)
    assert ("No. 0." in said, "No. 2." in said) == (False, False)
    town.decides(ids[2])
    town.decides(ids[1], Status.REJECTED)
    town.decides(ids[1])
    town.work()
    assert [plain(mail).count("No. ") for mail in town.mails] == [2, 1]


# --- Nobody is flooded ---------------------------------------------------------------------------


def test_what_comes_within_the_hour_is_told_together(town):
    follow = town.follows("fay")
    for number in range(25):
        town.says("Ben", f"No. {number}.", Status.APPROVED)
    town.work(3)
    (mail,) = town.mails
    assert mail["Subject"] == "25 new replies: A review"
    assert plain(mail).count("Read and reply") == 20
    assert "and 5 more" in plain(mail)
    first, *others = town.letters
    assert first.state == SENT
    assert {(letter.state, letter.why) for letter in others} == {(DROPPED, Why.TOGETHER)}
    town.says("Ben", "One more.", Status.APPROVED)
    latest = town.letters[-1]
    assert latest.follow_id == follow
    assert latest.due_at == first.sent_at + timedelta(hours=1)


def test_what_is_in_its_undo_window_waits_for_the_next_hour(town):
    town.follows("fay")
    town.says("Ben", "No. 1.", Status.APPROVED)
    town.set_letters(due_at=now() - timedelta(seconds=1))
    town.says("Ben", "No. 2.", Status.APPROVED)
    with town.app.app_context():
        command.send_letters()
    first, second = town.letters
    assert (first.state, second.state) == (SENT, QUEUED)
    assert second.due_at == first.sent_at + timedelta(hours=1)
    assert "No. 2." not in plain(town.mails[0])


def test_each_follow_is_told_by_itself(town):
    town.follows("fay")
    town.follows("gil")
    town.says("Rita", status=Status.APPROVED)
    parent = town.says("Fay", status=Status.APPROVED)
    town.follows("fay", parent)
    town.says("Ben", "Not so.", Status.APPROVED, parent)
    town.work()
    assert sorted(mail["To"] for mail in town.mails) == [
        *["fay@readers.example"] * 2, "gil@readers.example"
    ]  # fmt: skip


@pytest.mark.parametrize("answer", ["451 later", "550 never"])
def test_a_refused_mail_ends_none_that_it_told_of(town, answer):
    town.follows("fay")
    for number in range(3):
        town.says("Ben", f"No. {number}.", Status.APPROVED)
    town.mailbox.after = answer
    town.work()
    first, *others = town.letters
    assert first.state == (QUEUED if answer.startswith("4") else LetterState.FAILED)
    assert {(letter.state, letter.claimed_by) for letter in others} == {(QUEUED, "")}
    if first.state == QUEUED:  # they wait for each other
        assert all(letter.due_at >= first.due_at for letter in others)
    town.mailbox.after = "250 OK"
    town.work(2)
    (mail,) = town.mails
    assert plain(mail).count("No. ") == (3 if answer.startswith("4") else 2)


def test_what_another_worker_has_in_hand_is_told_by_that_one(town):
    """Whoever came later waits, and leaves alone what the first one tells."""
    town.follows("fay")
    for number in range(3):
        town.says("Ben", f"No. {number}.", Status.APPROVED)
    town.set_letters(due_at=now() - timedelta(seconds=1))
    outbox = command.outbox
    caps, at = outbox.Caps(0, 0), now()
    with town.app.app_context():
        with database.writing() as session:
            assert len(outbox.claim(session, "one", at, 1)) == 1
        with database.writing() as session:
            (second,) = outbox.claim(session, "two", at, 1)
        with database.writing() as session:
            assert not outbox.begin(session, second, "two", at, caps)
    one, two, three = town.letters
    assert one.claimed_by == "one"
    assert {two.claimed_by, three.claimed_by} == {""}
    assert two.due_at == three.due_at > at
    with town.app.app_context(), database.writing() as session:
        assert outbox.begin(session, one.id, "one", two.due_at, caps)
    assert {letter.claimed_by for letter in town.letters} == {"one"}


# --- What they say -------------------------------------------------------------------------------


def test_a_conversation_stands_together(town):
    cause(town, ANSWERED)
    town.follows("fay")
    town.work()
    with town.app.app_context():
        first = database.session().scalars(select(Comment.id).order_by(Comment.id)).first()
    town.says("Cleo", "Me too.", Status.APPROVED, first)
    town.work(2)
    mine = [mail for mail in town.mails if mail["To"] == "rita@readers.example"]
    assert len(mine) == 2
    assert len({mail["References"] for mail in mine}) == 1
    assert all(mail["In-Reply-To"] == mail["References"] for mail in mine)
    (other,) = [mail for mail in town.mails if mail["To"] == "fay@readers.example"]
    assert other["References"] != mine[0]["References"]


@pytest.mark.parametrize(
    ("language", "shown", "direction"),
    [
        ("de", "de", "ltr"),
        ("ar", "ar", "rtl"),
        ("de-AT", "de", "ltr"),
        ("<x>;q=1", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
def test_it_speaks_the_reader_s_language(town, language, shown, direction):
    town.follows("fay", language=language)
    town.says("Ben", "Something new.", Status.APPROVED)
    town.work()
    (mail,) = town.mails
    assert mail["Content-Language"] == shown
    assert f'<html lang="{shown}" dir="{direction}">' in html(mail)


def test_else_the_site_s(town):
    town.do(update(Site).values(settings={"language": "fr"}))
    town.follows("fay")
    town.says("Ben", "Something new.", Status.APPROVED)
    town.work()
    assert town.mails[0]["Content-Language"] == "fr"


HOSTILE = (
    "Ben\r\nBcc: all@readers.example",
    "=?utf-8?q?Ben=0D=0ABcc=3A_all=40readers.example?=",
    "\u202enimda\u202c <b>Ben</b>",
    "ben@readers.example",
    "%(name)s {{ 7 * 7 }} </title><script>alert(1)</script>",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", [ANSWERED, FOLLOWED, PUBLISHED])
def test_no_name_or_title_breaks_out(town, kind, name):
    town.do(update(Article).values(title=name))
    comment, _decision = cause(town, kind)
    town.do(update(Comment).where(Comment.id == comment).values(name=name))
    town.work()
    (mail,) = town.mails
    assert {"Bcc", "bcc"}.isdisjoint(mail.keys())
    for said in (str(mail["Subject"]), plain(mail), html(mail)):
        assert "ben@readers.example" not in said
        assert "\u202e" not in said
    assert "\nBcc:" not in plain(mail)
    assert "<script" not in html(mail)
    assert "<b>Ben" not in html(mail)
    assert not mail["Subject"].endswith("None")


def test_an_article_without_a_title_is_named_in_letters_that_people_read(town):
    hidden = "https://daily.example/%ED%95%AD%EA%B5%AC%0D%0ABcc:%20x?for=ann%40example.org"
    town.do(update(Article).values(title="", url=hidden))
    comment = town.says("Rita")
    town.follows("rita", comment)
    town.decides(comment)
    town.work()
    (mail,) = town.mails
    assert mail["Subject"].startswith("Your reply is published: daily.example/항구 Bcc: x")
    assert mail["Bcc"] is None
    assert "ann@example.org" not in f"{mail['Subject']} {plain(mail)} {html(mail)}"


def test_a_link_is_whole_in_the_plain_part(town):
    link = f"https://example.org/{'a-very-long-path-' * 12}end"
    comment = town.says("Rita", f"See {link}")
    town.follows("rita", comment)
    town.decides(comment, Status.REJECTED, public_note=f"Read {link}")
    town.work()
    (mail,) = town.mails
    assert plain(mail).count(link) == 2


def test_a_title_that_nobody_proved_is_not_repeated(town):
    town.do(update(Article).values(title="Buy now", is_title_proved=False))
    comment = town.says("Rita")
    town.follows("rita", comment)
    town.decides(comment, Status.REJECTED)
    town.work()
    (mail,) = town.mails
    assert mail["Subject"] == "Your reply was not published: daily.example/2026/review"
    assert "Buy now" not in mail.as_string()


# --- How often -----------------------------------------------------------------------------------


def test_each_follows_at_their_own_pace(town):
    town.follows("fay", pace=FollowPace.DAILY)
    town.follows("gil", pace=FollowPace.WEEKLY)
    town.says("Ben", status=Status.APPROVED)
    daily, weekly = town.letters
    assert (daily.due_at.hour, daily.due_at.minute) == (6, 0)
    assert daily.due_at - now() <= timedelta(days=1, minutes=10)
    assert (weekly.due_at.hour, weekly.due_at.weekday()) == (6, 0)


def test_who_ends_it_gets_none_of_what_waits(town):
    follow = town.follows("fay")
    town.says("Ben", status=Status.APPROVED)
    with town.app.app_context(), database.writing() as session:
        letters.drop(session, Why.UNWANTED, follow_ids=[follow])
    town.work()
    assert (town.told, town.mails) == ([(FOLLOWED, DROPPED, Why.UNWANTED)], [])


# --- Two workers, one of which is killed ---------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_workers_tell_nothing_twice_and_lose_nothing(make_app, database_url, tmp_path, mailbox):
    given = SETTINGS | {
        "DATABASE_URL": database_url,
        "INSTANCE": str(tmp_path),
        "MAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "MAIL_FROM": "comments@service.example",
    }
    town = Town(make_app(**given), mailbox)
    readers = [f"reader{number}" for number in range(8)]
    for name in readers:
        town.follows(name)
    for number in range(6):
        town.says("Ben", f"No. {number}.", Status.APPROVED)
    town.set_letters(due_at=now() - timedelta(seconds=1))
    mailbox.waits = lambda: time.sleep(0.05)

    def waiting():
        return [letter for letter in town.letters if letter.state == QUEUED]

    def is_done():
        return all(letter.due_at > now() + timedelta(minutes=50) for letter in waiting())

    code = WORKER.replace("BATCH = 10", "BATCH = 3")
    share_work(code, given, is_done, lambda: bool(mailbox.mails))
    told = Counter()
    for mail in {mail["Message-ID"]: mail for mail in mailbox.mails}.values():
        told.update((mail["To"], word) for word in re.findall(r"No\. \d", plain(mail)))
    assert len(mailbox.mails) - len(set(mailbox.ids)) <= 1  # the one in flight
    assert set(told.values()) == {1}
    assert len(told) + len(waiting()) == len(readers) * 6
