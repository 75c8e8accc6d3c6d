import pytest
from cast import add_moderator, add_site
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from service import accounts, database, moderation
from service.models import (
    Article,
    Author,
    Bulk,
    Comment,
    Decision,
    Follow,
    Note,
    Reason,
    Revision,
    now,
)
from service.moderation import Wording
from service.rules import Verdict
from service.status import Act, Mark, Markup, Status

HELD, PASSED = Verdict(Status.PENDING), Verdict(Status.APPROVED)
NEW = Wording("New", "<p>New</p>", b"new")


@pytest.fixture
def people(app):
    site = add_site(app)
    mo, ann = add_moderator(app), add_moderator(app, "ann@daily.example")
    with app.app_context(), database.writing() as session:
        article = Article(site_id=site, url="https://daily.example/a", title="A")
        session.add(article)
        session.flush()
        root = Comment(**_row(site, article.id, "Root"))
        session.add(root)
        session.flush()
        session.add(Comment(**_row(site, article.id, "Reply"), parent_id=root.id, root_id=root.id))
    return mo, ann


def _row(site, article, said):
    return {
        "site_id": site,
        "article_id": article,
        "name": "Rita",
        "text": said,
        "html": said,
        "renderer": 1,
        "status": moderation.initial(Verdict(Status.PENDING)),
    }


@pytest.fixture
def writing(app):
    with app.app_context():
        yield database.writing


def comment(session, said="Root"):
    return session.scalar(select(Comment).where(Comment.text == said))


def test_a_decision_is_the_change_and_its_row(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo, "Fine.")
    with writing() as session:
        decision = session.scalar(select(Decision))
        assert (decision.from_status, decision.to_status) == (Status.PENDING, Status.APPROVED)
        assert (decision.by, decision.note.text, decision.version) == ("mo", "Fine.", 2)
        assert comment(session).status == Status.APPROVED
        assert comment(session).version == 2


def test_counters_follow(people, writing):
    def seen(session):
        article = session.scalar(select(Article))
        return article.approved_count, comment(session).approved_below, article.version

    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.APPROVED, 1, mo)
    with writing() as session:
        assert seen(session) == (1, 1, 2)
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.SPAM, 2, mo)
    with writing() as session:
        assert seen(session) == (0, 0, 3)
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session, "Reply"), Status.REJECTED, 3, mo)
    with writing() as session:
        assert seen(session) == (0, 0, 3)  # readers see no difference, so nothing is fetched anew


def test_a_title_is_proved_by_the_first_approval(people, writing):
    with writing() as session:
        assert not session.scalar(select(Article)).is_title_proved
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        session.expire_all()
        assert session.scalar(select(Article)).is_title_proved


def test_a_stale_decision_is_refused_and_told_of_the_other(people, writing):
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        moderation.decide(session, comment(session), Status.REJECTED, 1, mo)
        with pytest.raises(moderation.Stale) as refused:
            moderation.decide(session, comment(session), Status.APPROVED, 1, ann)
        assert (refused.value.latest.by, refused.value.latest.to_status) == ("mo", Status.REJECTED)
        assert comment(session).status == Status.REJECTED


def test_deciding_what_is_so_already_changes_nothing(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        assert moderation.decide(session, comment(session), Status.PENDING, 1, mo) is None
        assert comment(session).version == 1


def test_a_decision_that_is_sent_twice_at_once_is_made_once(people, writing):
    """Both were read before either was made: only the guard tells them apart."""
    with writing() as session:
        seen_before = comment(session)
        session.expunge(seen_before)
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        made_id = moderation.decide(session, comment(session), Status.SPAM, 1, mo).id
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        assert moderation.decide(session, seen_before, Status.SPAM, 1, mo).id == made_id
        with pytest.raises(moderation.Stale):
            moderation.decide(session, seen_before, Status.SPAM, 1, ann)
        with pytest.raises(moderation.Stale):
            moderation.decide(session, seen_before, Status.DELETED, 1, mo)
    with writing() as session:
        assert session.scalars(select(Decision.to_status)).all() == [Status.SPAM]


def test_a_note_decides_nothing_and_hinders_no_undo(people, writing):
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        decided = moderation.decide(session, comment(session), Status.SPAM, 1, mo)
        noted = moderation.note(session, comment(session), ann, "Sure?")
        assert (noted.act, noted.version, noted.note.text) == (Act.NOTED, 2, "Sure?")
        moderation.undo(session, decided, ann)
        assert comment(session).status == Status.PENDING


def test_undo_goes_back_and_is_a_decision_too(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        spam = moderation.decide(session, comment(session), Status.SPAM, 1, mo)
        undone = moderation.undo(session, spam, mo)
        session.flush()
        assert (undone.act, undone.undoes_id) == (Act.UNDONE, spam.id)
        assert comment(session).status == Status.PENDING
        again = moderation.undo(session, undone, mo)  # an undo can be taken back as well
        assert again.to_status == Status.SPAM


def test_undo_works_on_the_latest_decision_only(people, writing):
    with writing() as session:
        mo, ann = (session.get(accounts.Moderator, person) for person in people)
        first = moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        moderation.decide(session, comment(session), Status.DELETED, 2, ann)
        with pytest.raises(moderation.Stale) as refused:
            moderation.undo(session, first, mo)
        assert refused.value.latest.by == "ann"


def test_a_look_at_the_address_is_on_record_and_does_not_hinder_an_undo(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        approved = moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
        moderation.reveal(session, comment(session), mo)
        assert moderation.undo(session, approved, mo).to_status == Status.PENDING
        acts = session.scalars(select(Decision.act).order_by(Decision.id)).all()
        assert acts == [Act.DECIDED, Act.REVEALED, Act.UNDONE]


def test_recounting_comes_to_what_the_rows_say(people, writing):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        for said in ("Root", "Reply"):
            moderation.decide(session, comment(session, said), Status.APPROVED, 1, mo)
        session.flush()
        session.execute(text("UPDATE articles SET approved_count = 77"))
        session.execute(text("UPDATE comments SET approved_below = 77"))
        moderation.recount(session, comment(session).article_id)
        session.expire_all()
        assert session.scalar(select(Article.approved_count)) == 2
        assert comment(session).approved_below == 1


@pytest.mark.parametrize("statement", ["UPDATE decisions SET version = 7", "DELETE FROM decisions"])
def test_the_database_itself_refuses_to_alter_the_record(people, writing, statement):
    with writing() as session:
        mo = session.get(accounts.Moderator, people[0])
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo)
    with pytest.raises(DBAPIError, match="append-only"), writing() as session:
        session.execute(text(statement))


# Edits


@pytest.fixture
def mo(people):
    """Mo, in whichever session asks."""
    return lambda session: session.get(accounts.Moderator, people[0])


@pytest.fixture
def edited(app, people, mo, writing):
    """A published comment with an edit that waits: version 3."""
    with writing() as session:
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo(session))
        moderation.edit(session, comment(session), 2, NEW, HELD)


def seen(session):
    """What readers see of the one that is edited, and what waits beside it."""
    found = session.scalar(select(Comment).where(Comment.parent_id.is_(None)))
    return found.text, found.edit_text if moderation.has_waiting_edit(found) else None


def last(session):
    return session.scalars(select(Decision).order_by(Decision.id.desc()).limit(1)).one()


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (Status.PENDING, Status.APPROVED, Status.PENDING),
        (Status.PENDING, Status.PENDING, Status.PENDING),
        (Status.PENDING, Status.SPAM, Status.SPAM),
        (Status.SPAM, Status.APPROVED, Status.SPAM),
    ],
)
def test_an_edit_of_what_is_not_public_replaces_it_and_makes_no_status_better(
    people, mo, writing, before, said, after
):
    with writing() as session:
        version = 1
        if before != Status.PENDING:
            moderation.decide(session, comment(session), before, 1, mo(session))
            version = 2
        decision = moderation.edit(session, comment(session), version, NEW, Verdict(said))
        assert (decision.act, decision.by) == (Act.EDITED, "author")
    with writing() as session:
        found = comment(session, "New")
        assert (found.status, found.version, found.edited_at) == (after, version + 1, None)
        assert (found.html, found.text_digest) == ("<p>New</p>", b"new")
        assert session.scalars(select(Revision.text)).all() == ["Root"]
        assert session.scalar(select(Article.version)) == 1


def test_an_edit_of_what_is_public_that_no_rule_holds_is_public_at_once(people, mo, writing):
    with writing() as session:
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo(session))
        moderation.edit(session, comment(session), 2, NEW, PASSED)
    with writing() as session:
        found = comment(session, "New")
        assert found.status == Status.APPROVED
        assert found.edited_at is not None
        assert found.edit_at is None
        assert session.scalar(select(Article.version)) == 3


def test_an_edit_that_is_held_waits_beside_what_is_public(edited, writing):
    with writing() as session:
        assert seen(session) == ("Root", "New")
        assert session.scalar(select(Article.version)) == 2
        assert comment(session).version == 3


def test_an_edit_of_another_version_is_refused(edited, writing):
    with writing() as session:
        with pytest.raises(moderation.Stale) as refused:
            moderation.edit(session, comment(session), 2, NEW, PASSED)
        assert refused.value.latest.act == Act.EDITED
        assert seen(session) == ("Root", "New")


@pytest.mark.parametrize("status", [Status.REJECTED, Status.DELETED])
def test_what_was_decided_against_takes_no_edit(people, mo, writing, status):
    with writing() as session:
        moderation.decide(session, comment(session), status, 1, mo(session))
        with pytest.raises(moderation.Stale):
            moderation.edit(session, comment(session), 2, NEW, PASSED)


def test_approving_a_change_and_undoing_that_swap_the_texts(app, edited, mo, writing):
    vault = app.extensions["vault"]
    with writing() as session:
        moderation.decide(session, comment(session), Status.APPROVED, 3, mo(session), vault=vault)
    with writing() as session:
        assert seen(session) == ("New", None)
        assert comment(session, "New").edited_at is not None
        assert comment(session, "New").text_digest == vault.words("New")
        assert session.scalar(select(Article.version)) == 3
        assert last(session).from_status == last(session).to_status == Status.APPROVED
        moderation.undo(session, last(session), mo(session), vault)
    with writing() as session:
        assert seen(session) == ("Root", "New")
        assert comment(session).edited_at is None
        assert comment(session).text_digest == vault.words("Root")
        assert session.scalars(select(Revision)).all() == []
        moderation.undo(session, last(session), mo(session), vault)
    with writing() as session:
        assert seen(session) == ("New", None)
        assert session.scalar(select(Article.approved_count)) == 1


def test_keeping_the_old_text_can_be_undone_too(edited, mo, writing):
    with writing() as session:
        kept = moderation.decide(session, comment(session), Status.REJECTED, 3, mo(session))
        assert (kept.act, kept.to_status) == (Act.DISCARDED, Status.APPROVED)
        assert seen(session) == ("Root", None)
    with writing() as session:
        moderation.undo(session, last(session), mo(session))
        assert seen(session) == ("Root", "New")
    with writing() as session:
        moderation.undo(session, last(session), mo(session))
        assert seen(session) == ("Root", None)


@pytest.mark.parametrize("status", [Status.SPAM, Status.DELETED])
def test_spam_and_delete_are_about_the_whole_comment(edited, mo, writing, status):
    with writing() as session:
        moderation.decide(session, comment(session), status, 3, mo(session))
        assert comment(session).status == status
        assert seen(session) == ("Root", None)
        moderation.undo(session, last(session), mo(session))
        assert seen(session) == ("Root", "New")


def test_an_edit_makes_earlier_decisions_stale(edited, mo, writing):
    with writing() as session:
        approved = session.scalars(select(Decision).order_by(Decision.id)).first()
        with pytest.raises(moderation.Stale) as refused:
            moderation.undo(session, approved, mo(session))
        assert refused.value.latest.act == Act.EDITED
        with pytest.raises(moderation.Stale):
            moderation.undo(session, refused.value.latest, mo(session))  # the author's, not Mo's


def test_the_time_of_an_earlier_edit_comes_back_with_its_text(edited, mo, writing):
    with writing() as session:
        moderation.decide(session, comment(session), Status.APPROVED, 3, mo(session))
        first = comment(session, "New").edited_at
        moderation.edit(session, comment(session, "New"), 4, Wording("Newer", "N", None), PASSED)
        moderation.edit(session, comment(session, "Newer"), 5, Wording("Newest", "N", None), HELD)
        moderation.decide(session, comment(session, "Newer"), Status.APPROVED, 6, mo(session))
        moderation.undo(session, last(session), mo(session))
        assert comment(session, "Newer").edited_at > first


# Taking back


def test_what_its_author_takes_back_is_gone_for_good(edited, mo, writing):
    with writing() as session:
        found = comment(session)
        author = Author(
            site_id=found.site_id, email_index=b"i", email_ciphertext=b"c", email_key_id="k"
        )
        session.add(author)
        session.flush()
        found.author_id, found.network, found.website = (
            author.id,
            "192.0.2.0/24",
            "https://r.example",
        )
        session.add(Revision(comment_id=found.id, text="Older", html="Older"))
    with writing() as session:
        moderation.withdraw(session, comment(session))
    with writing() as session:
        found = comment(session, "")
        assert found.status == Status.DELETED
        assert {name: getattr(found, name) for name in moderation.BLANK} == moderation.BLANK
        assert session.scalars(select(Revision.text)).all() == [""]
        assert session.scalars(select(Author)).all() == []
        assert (last(session).act, last(session).by) == (Act.WITHDRAWN, "author")
        assert session.scalar(select(Article.approved_count)) == 0
        for attempt in (
            lambda: moderation.undo(session, last(session), mo(session)),
            lambda: moderation.decide(session, found, Status.APPROVED, found.version, mo(session)),
            lambda: moderation.decide(session, found, Status.DELETED, found.version, mo(session)),
            lambda: moderation.mark(session, found, Mark.STAFF, found.version, mo(session)),
            lambda: moderation.edit(session, found, found.version, NEW, PASSED),
        ):
            with pytest.raises(moderation.Stale) as refused:
                attempt()
            assert refused.value.latest.act == Act.WITHDRAWN
        moderation.withdraw(session, found)  # pressed twice
        assert found.version == 4


@pytest.mark.parametrize("end", [moderation.withdraw, moderation.retract])
def test_nothing_that_quotes_an_emptied_comment_stays(edited, mo, writing, end):
    with writing() as session:
        found = comment(session)
        found.network, found.text_digest, found.pinned_at = "192.0.2.0/24", b"d", now()
        found.source, found.source_id, found.source_parent = "json", "7", "6"
        moderation.reword(session, found, found.version, NEW, mo(session), "Rita wrote: me")
        moderation.note(session, found, mo(session), "Her phone is 555.")
        moderation.mark(session, found, Mark.STAFF, found.version, mo(session))
        session.add(Reason(comment_id=found.id, rule="words", matched="me"))
        session.flush()
        before = session.scalars(select(Decision).order_by(Decision.id)).all()
        log = [(row.act, row.by, row.version) for row in before]
    with writing() as session:
        end(session, comment(session, NEW.text))
    with writing() as session:
        found = comment(session, "")
        assert found.status == Status.DELETED
        assert {name: getattr(found, name) for name in moderation.BLANK} == moderation.BLANK
        assert set(session.execute(select(Revision.text, Revision.html))) == {("", "")}
        assert session.scalars(select(Reason)).all() == []
        notes = session.scalars(select(Note)).all()
        assert {(note.text, note.public_text) for note in notes} == {("", ""), ("staff", "")}
        after = session.scalars(select(Decision).order_by(Decision.id)).all()
        assert [(row.act, row.by, row.version) for row in after[:-1]] == log


def test_its_place_stays_for_its_replies(people, mo, writing):
    with writing() as session:
        for said in ("Root", "Reply"):
            moderation.decide(session, comment(session, said), Status.APPROVED, 1, mo(session))
        moderation.withdraw(session, comment(session))
        session.expire_all()
        assert comment(session, "Reply").parent.approved_below == 1


@pytest.mark.parametrize("left", ["comment", "follow"])
def test_an_author_who_is_still_referred_to_stays(people, writing, left):
    with writing() as session:
        root, reply = comment(session), comment(session, "Reply")
        author = Author(
            site_id=root.site_id, email_index=b"i", email_ciphertext=b"c", email_key_id="k"
        )
        session.add(author)
        session.flush()
        root.author_id = author.id
        if left == "comment":
            reply.author_id = author.id
        else:
            to = {"author_id": author.id, "article_id": root.article_id}
            session.add(Follow(**to, confirmed_at=now()))
    with writing() as session:
        moderation.withdraw(session, comment(session))
        assert len(session.scalars(select(Author)).all()) == 1


# Marks


def test_a_mark_is_a_decision_that_readers_see(people, mo, writing):
    with writing() as session:
        moderation.mark(session, comment(session), Mark.STAFF, 1, mo(session))
        session.expire_all()
        assert (comment(session).mark, comment(session).version) == (Mark.STAFF, 2)
        assert (last(session).act, last(session).note.text) == (Act.MARKED, "staff")
        assert session.scalar(select(Article.version)) == 2
        with pytest.raises(moderation.Stale):
            moderation.mark(session, comment(session), Mark.AUTHOR, 1, mo(session))
        assert moderation.mark(session, comment(session), Mark.STAFF, 2, mo(session)) is None


def test_a_mark_is_taken_back_to_the_one_before_and_that_too(people, mo, writing):
    with writing() as session:
        for version, as_whom in ((1, Mark.STAFF), (2, Mark.AUTHOR)):
            moderation.mark(session, comment(session), as_whom, version, mo(session))
        for expected in (Mark.STAFF, Mark.AUTHOR, Mark.STAFF):
            undone = moderation.undo(session, last(session), mo(session))
            session.expire_all()
            assert (comment(session).mark, undone.note.text) == (expected, expected)
        assert session.scalar(select(Article.version)) == 6
    with writing() as session:
        moderation.mark(session, comment(session), Mark.NONE, 6, mo(session))
        moderation.undo(session, last(session), mo(session))
        assert comment(session).mark == Mark.STAFF


def test_the_first_mark_is_taken_back_to_none(people, mo, writing):
    with writing() as session:
        spam = moderation.decide(session, comment(session), Status.SPAM, 1, mo(session))
        moderation.undo(session, spam, mo(session))
        moderation.mark(session, comment(session), Mark.STAFF, 3, mo(session))
        moderation.undo(session, last(session), mo(session))
        assert (comment(session).mark, comment(session).status) == (Mark.NONE, Status.PENDING)


# A moderator's own wording


def texts(session):
    """What readers see of the first comment, whose words they are, and what is kept."""
    found = session.scalar(select(Comment).where(Comment.parent_id.is_(None)))
    kept = session.scalars(select(Revision.text).order_by(Revision.id)).all()
    return found.text, found.is_reworded, kept


@pytest.mark.parametrize("is_public", [True, False])
def test_a_moderator_s_wording_keeps_the_original_and_says_whose_it_is(
    people, mo, writing, is_public
):
    version = 1
    with writing() as session:
        if is_public:
            moderation.decide(session, comment(session), Status.APPROVED, 1, mo(session))
            version = 2
        article = session.scalar(select(Article.version))
        done = moderation.reword(session, comment(session), version, NEW, mo(session), "Milder.")
        assert (done.act, done.by, done.note.text) == (Act.REWORDED, "mo", "Milder.")
        assert done.from_status == done.to_status
    with writing() as session:
        found = comment(session, "New")
        assert (found.version, found.html, found.text_digest) == (version + 1, "<p>New</p>", b"new")
        assert found.edited_at is not None
        assert texts(session) == ("New", True, ["Root"])
        assert session.scalar(select(Article.version)) == article + is_public
        again = moderation.reword(session, found, version + 1, NEW, mo(session))
        assert again is None
        with pytest.raises(moderation.Stale) as refused:
            moderation.reword(session, found, version, Wording("X", "X", None), mo(session))
        assert refused.value.latest.act == Act.REWORDED


def test_undoing_it_and_undoing_that_swap_the_texts(app, people, mo, writing):
    vault = app.extensions["vault"]
    with writing() as session:
        found = comment(session)
        found.markup, found.edited_at = Markup.HTML, None  # as an import brought it
        moderation.reword(session, found, 1, NEW, mo(session))
        assert found.markup == Markup.MARKDOWN
    with writing() as session:
        moderation.undo(session, last(session), mo(session), vault)
    with writing() as session:
        found = comment(session)
        assert texts(session) == ("Root", False, ["New"])
        assert (found.markup, found.edited_at) == (Markup.HTML, None)
        assert found.text_digest == vault.words("Root")
        moderation.undo(session, last(session), mo(session), vault)
    with writing() as session:
        assert texts(session) == ("New", True, ["Root"])
        assert comment(session, "New").markup == Markup.MARKDOWN
        assert comment(session, "New").edited_at is not None


def test_its_links_are_counted_with_its_words(people, mo, writing):
    link = '<p><a href="https://a.example">a</a></p>'
    with writing() as session:
        found = comment(session)
        moderation.reword(session, found, 1, Wording("a", link, None), mo(session))
        assert found.link_count == 1
        moderation.undo(session, last(session), mo(session))
        assert found.link_count == 0


def test_the_author_s_waiting_change_goes_on_waiting(edited, mo, writing):
    with writing() as session:
        moderation.reword(session, comment(session), 3, Wording("Mild", "M", None), mo(session))
        assert seen(session) == ("Mild", "New")
        moderation.undo(session, last(session), mo(session))
        assert seen(session) == ("Root", "New")
        moderation.undo(session, last(session), mo(session))
        moderation.decide(session, comment(session, "Mild"), Status.APPROVED, 6, mo(session))
    with writing() as session:  # the author's words again, and then the moderator's
        assert texts(session)[:2] == ("New", False)
        moderation.undo(session, last(session), mo(session))
        assert seen(session) == ("Mild", "New")
        assert texts(session)[1]
        assert comment(session, "Mild").edited_at is not None


def test_what_its_author_writes_after_that_is_the_author_s(people, mo, writing):
    with writing() as session:
        moderation.reword(session, comment(session), 1, NEW, mo(session))
        mine = Wording("Mine", "<p>Mine</p>", None)
        moderation.edit(session, comment(session, "New"), 2, mine, PASSED)
        assert texts(session) == ("Mine", False, ["Root", "New"])
        with pytest.raises(moderation.Stale):
            moderation.undo(session, session.scalars(select(Decision)).first(), mo(session))


# Pins


@pytest.fixture
def approved(people, mo, writing):
    """Five published comments beside the first, which is too; gives their texts."""
    with writing() as session:
        moderation.decide(session, comment(session), Status.APPROVED, 1, mo(session))
        root = comment(session)
        more = [f"More {number}" for number in range(5)]
        for said in more:
            row = _row(root.site_id, root.article_id, said) | {"status": root.status}
            session.add(Comment(**row, version=2))
    return ["Root", *more]


def test_a_pin_is_a_decision_that_can_be_undone(approved, mo, writing):
    def state(session):
        found = comment(session)
        session.refresh(found.article)
        return bool(found.pinned_at), found.version, found.article.version, last(session).act

    with writing() as session:
        moderation.pin(session, comment(session), True, 2, mo(session))
        assert state(session) == (True, 3, 3, Act.PINNED)
        assert moderation.pin(session, comment(session), True, 3, mo(session)) is None
        with pytest.raises(moderation.Stale):
            moderation.pin(session, comment(session), False, 2, mo(session))
        moderation.undo(session, last(session), mo(session))
        assert state(session) == (False, 4, 4, Act.UNDONE)
        moderation.undo(session, last(session), mo(session))
        assert state(session) == (True, 5, 5, Act.UNDONE)
        moderation.pin(session, comment(session), False, 5, mo(session))
        assert state(session) == (False, 6, 6, Act.UNPINNED)
        assert comment(session).status == Status.APPROVED


def test_at_most_three_are_pinned_under_an_article(approved, mo, writing):
    with writing() as session:
        for said in approved[:3]:
            moderation.pin(session, comment(session, said), True, 2, mo(session))
        fourth = comment(session, approved[3])
        with pytest.raises(moderation.EnoughPinned):
            moderation.pin(session, fourth, True, 2, mo(session))
        # one that is no longer shown takes no place
        moderation.decide(session, comment(session), Status.DELETED, 3, mo(session))
        moderation.pin(session, fourth, True, 2, mo(session))


@pytest.mark.parametrize("many", [False, True])
def test_what_comes_back_is_pinned_no_more_if_three_are(approved, mo, writing, many):
    def pinned(session):
        found = select(Comment.text).where(Comment.pinned_at.is_not(None))
        return sorted(session.scalars(found.where(Comment.status == Status.APPROVED)))

    with writing() as session:
        for said in approved[:3]:
            moderation.pin(session, comment(session, said), True, 2, mo(session))
        gone = [
            moderation.decide(session, comment(session, said), Status.REJECTED, 3, mo(session))
            for said in approved[:2]
        ]
        moderation.pin(session, comment(session, approved[3]), True, 2, mo(session))
        if many:
            job = Bulk(moderator_id=mo(session).id, by="mo", about={}, total=2)
            session.add(job)
            session.flush()
            versions = {decision.comment_id: 4 for decision in gone}
            moderation.decide_many(session, versions, Status.APPROVED, mo(session), job.id)
        else:
            for decision in gone:
                moderation.undo(session, decision, mo(session))
    with writing() as session:
        assert pinned(session) == sorted([approved[0], *approved[2:4]])  # who was pinned first
        assert comment(session, approved[1]).status == Status.APPROVED


def test_what_is_not_published_or_is_a_reply_cannot_be_pinned(people, mo, writing):
    with writing() as session:
        with pytest.raises(moderation.NotPinnable):
            moderation.pin(session, comment(session), True, 1, mo(session))
        for said in ("Root", "Reply"):
            moderation.decide(session, comment(session, said), Status.APPROVED, 1, mo(session))
        with pytest.raises(moderation.NotPinnable):
            moderation.pin(session, comment(session, "Reply"), True, 2, mo(session))
