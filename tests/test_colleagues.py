"""What moderators are told of each other: what was decided, what came in, what was left to whom."""

from datetime import timedelta

import pytest
from cast import ORIGIN, add_moderator, add_site
from sqlalchemy import insert, select

from service import accounts, colleagues, database, desk, moderation
from service.colleagues import Since
from service.models import Article, Comment, Decision, Note, now
from service.rules import Verdict
from service.status import Act, Role, Status

START = now() - timedelta(hours=1)


@pytest.fixture
def sites(app):
    return add_site(app), add_site(app, "stars", "https://stars.example")


@pytest.fixture
def newsroom(app, sites):
    """The ids of Mo, Ben (both of The Daily), Ada (an admin) and Stella (of another site)."""
    return (
        add_moderator(app),
        add_moderator(app, "ben@daily.example"),
        add_moderator(app, "ada@daily.example", None, Role.ADMIN),
        add_moderator(app, "stella@daily.example", "stars"),
    )


@pytest.fixture
def session(app):
    with app.app_context(), database.writing() as session:
        yield session


@pytest.fixture
def people(newsroom, session):
    return [session.get_one(accounts.Moderator, id) for id in newsroom]


def comment(session, site_id, status=Status.PENDING, **columns):
    article = session.scalar(select(Article).where(Article.site_id == site_id))
    if article is None:
        article = Article(site_id=site_id, url=f"{ORIGIN}/{site_id}")
        session.add(article)
        session.flush()
    row = {"name": "Rita", "text": "Yes.", "html": "<p>Yes.</p>", "renderer": 1}
    made = Comment(
        **(row | {"created_at": START} | columns),
        site_id=site_id,
        article_id=article.id,
        status=status,
    )
    session.add(made)
    session.flush()
    return made


def names(found):
    return [one.name for one in found]


def test_a_team_is_who_may_decide_there_but_oneself(app, people, sites, session):
    mo, ben, ada, stella = people
    assert names(colleagues.team(session, mo, sites[0])) == ["ada", "ben"]
    assert names(colleagues.team(session, stella, sites[1])) == ["ada"]
    ben.active = False
    session.flush()
    assert names(colleagues.team(session, ada, sites[0])) == ["mo"]


def test_it_tells_what_was_decided_since_and_what_can_be_undone(people, sites, session):
    mo, ben = people[:2]
    seen, marked, same = (comment(session, sites[0]) for _ in range(3))
    versions = {one.public_id: one.version for one in (seen, marked, same)}
    moderation.decide(session, seen, Status.SPAM, 1, mo)
    moderation.undo(session, moderation.latest(session, seen.id), mo)
    moderation.decide(session, seen, Status.REJECTED, 3, ben, "off topic")
    moderation.reveal(session, seen, mo)  # changes nothing that was seen
    moderation.mark(session, marked, "staff", 1, mo)
    moderation.reveal(session, same, mo)
    found = {
        change.comment.id: change
        for change in colleagues.changes(session, [seen, marked, same], versions)
    }
    assert found.keys() == {seen.id, marked.id}
    change = found[seen.id]
    assert (change.decision.by, change.decision.to_status) == ("ben", Status.REJECTED)
    assert (change.decision.note.text, change.undoable) == ("off topic", change.decision)
    made = found[marked.id].decision
    assert (made.act, found[marked.id].undoable) == (Act.MARKED, made)


def test_it_knows_no_comment_of_another_site(people, sites, session):
    here, there = comment(session, sites[0]), comment(session, sites[1])
    ids = [here.public_id, there.public_id, "nosuchnosuch"]
    assert colleagues.known(session, people[0], ids) == [here]


def test_it_counts_what_is_new_in_a_list(people, sites, session):
    mo, ben, ada, _ = people
    before = now()
    old = comment(session, sites[0])
    spam = comment(session, sites[0], Status.SPAM)
    published = comment(session, sites[0], Status.APPROVED)
    moderation.decide(session, comment(session, sites[0]), Status.SPAM, 1, mo)
    mark = Since(before, colleagues.since(session))

    def new(who=mo, status=Status.PENDING, site="", seen=()):
        return colleagues.arrived(session, who, status, site, mark, seen)

    assert new() == []
    later = {"created_at": before + timedelta(seconds=1)}
    fresh, elsewhere = comment(session, sites[0], **later), comment(session, sites[1], **later)
    comment(session, sites[0], Status.SPAM, **later)
    published.edit_text = published.edit_html = "No."
    published.edit_at = before + timedelta(seconds=2)
    session.flush()
    moderation.decide(session, spam, Status.PENDING, 1, ben)  # put back
    assert new() == sorted([spam.id, published.id, fresh.id])
    assert new(seen=[spam.public_id]) == sorted([published.id, fresh.id])
    assert new(ada) == sorted([spam.id, published.id, fresh.id, elsewhere.id])
    assert new(ada, site="stars") == [elsewhere.id]
    assert new(site="stars") == []  # not a site of his
    moderation.decide(session, old, Status.SPAM, 1, ben)
    assert old.id in new(status=Status.SPAM)
    assert new(status=None) == []
    fresh.reported_at = before + timedelta(seconds=3)
    session.flush()
    assert new(status=None) == [fresh.id]


def test_it_counts_no_further_than_it_shows(people, sites, session):
    first = comment(session, sites[0])
    columns = ("site_id", "article_id", "name", "text", "html", "renderer", "status")
    row = {name: getattr(first, name) for name in columns}
    session.execute(insert(Comment), [row] * (colleagues.MOST + 20))
    mark = Since(START + timedelta(seconds=1), 0)
    found = colleagues.arrived(session, people[0], Status.PENDING, "", mark)
    assert len(found) == colleagues.MOST + 1


def test_far_back_nobody_looks_for_what_was_put_back(people, sites, session, monkeypatch):
    """However many decisions a bulk one brings meanwhile."""
    monkeypatch.setattr(colleagues, "LATEST", 2)
    back, *others = (comment(session, sites[0], Status.SPAM) for _ in range(3))
    mark = Since(now(), colleagues.since(session))
    moderation.decide(session, back, Status.PENDING, 1, people[0])
    for other in others:
        assert colleagues.arrived(session, people[0], Status.PENDING, "", mark) == [back.id]
        moderation.decide(session, other, Status.REJECTED, 1, people[0])
    assert colleagues.arrived(session, people[0], Status.PENDING, "", mark) == []


def mine(session, who):
    found = colleagues.mine(session, who)
    assert colleagues.count_mine(session, who) == len(found)
    return found


def test_a_comment_is_left_to_one_or_to_all_and_stays_where_it_is(people, sites, session):
    mo, ben, ada, stella = people
    asked, left = comment(session, sites[0]), comment(session, sites[0])
    moderation.hand(session, asked, mo, None, "Is this satire?")
    moderation.hand(session, left, mo, ben)
    assert (mine(session, mo), mine(session, ben)) == ([], [asked.id, left.id])
    assert (mine(session, ada), mine(session, stella)) == ([asked.id], [])
    assert (asked.status, asked.version) == (Status.PENDING, 1)
    said = colleagues.left_of(session, [asked.id, left.id])
    assert (said[asked.id].decision.note.text, said[asked.id].to_id) == ("Is this satire?", None)
    assert (said[left.id].decision.handed_to, said[left.id].to_id) == ("ben", ben.id)
    row = said[left.id].decision
    assert (row.act, row.from_status, row.to_status) == (Act.HANDED, left.status, left.status)
    moderation.hand(session, left, ben, ada)  # and on
    assert (mine(session, ben), mine(session, ada)) == ([asked.id], [asked.id, left.id])


def test_only_who_left_it_takes_it_back(people, sites, session):
    mo, ben = people[:2]
    left = comment(session, sites[0])
    asked = moderation.hand(session, left, mo, ben)
    assert moderation.take_back(session, left, ben) is None
    assert mine(session, ben) == [left.id]
    assert moderation.take_back(session, left, mo).undoes_id == asked.id
    assert moderation.take_back(session, left, mo) is None
    assert mine(session, ben) == []


@pytest.mark.parametrize("end", ["decide", "withdraw", "undo", "keep", "discard"])
def test_any_decision_ends_it_and_its_undoing_asks_again(people, sites, session, end):
    mo, ben = people[:2]
    left = comment(
        session, sites[0], Status.PENDING if end in ("decide", "withdraw") else Status.SPAM
    )
    if end != "decide" and end != "withdraw":
        before = moderation.decide(session, left, Status.APPROVED, 1, ben)
    if end == "keep":
        left.reported_at = now()
    if end == "discard":
        left.edit_at, left.edit_text, left.edit_html = now(), "No.", "No."
    session.flush()
    moderation.hand(session, left, mo, ben)
    if end == "withdraw":
        moderation.withdraw(session, left)
        with pytest.raises(moderation.Stale):
            moderation.hand(session, left, mo, ben)
        assert mine(session, ben) == []
        return
    if end == "undo":
        made = moderation.undo(session, before, ben)
    else:
        to = Status.REJECTED if end in ("decide", "discard") else Status.APPROVED
        made = moderation.decide(session, left, to, left.version, ben)
    for waits in ([left.id], [], [left.id]):
        assert mine(session, ben) == ([] if waits else [left.id])
        assert (left.id in colleagues.left_of(session, [left.id])) == (not waits)
        assert moderation.take_back(session, left, ben) is None
        made = moderation.undo(session, made, ben)
        assert mine(session, ben) == waits
    moderation.hand(session, left, ben, mo)  # the next one takes its place
    assert (mine(session, ben), mine(session, mo)) == ([], [left.id])


def test_undoing_a_mark_ends_nothing(people, sites, session):
    mo, ben = people[:2]
    left = comment(session, sites[0])
    moderation.hand(session, left, mo, ben)
    moderation.undo(session, moderation.mark(session, left, "staff", 1, mo), mo)
    assert mine(session, ben) == [left.id]


def test_what_is_no_decision_ends_nothing(people, sites, session):
    mo, ben = people[:2]
    left = comment(session, sites[0])
    moderation.hand(session, left, mo, ben)
    moderation.mark(session, left, "staff", 1, mo)
    moderation.reveal(session, left, mo)
    wording = moderation.Wording("New", "<p>New</p>", None)
    held = Verdict(Status.PENDING)
    moderation.edit(session, left, 2, wording, held)
    assert mine(session, ben) == [left.id]
    assert moderation.latest(session, left.id).act == Act.EDITED  # handing over is no change


def test_a_note_can_be_blanked_while_the_log_stays(people, sites, session):
    left = comment(session, sites[0])
    asked = moderation.hand(session, left, people[0], None, "Rita is my aunt.")
    session.get_one(Note, asked.id).text = ""
    session.flush()
    assert colleagues.left_of(session, [left.id])[left.id].decision.note.text == ""
    assert session.scalars(select(Decision.act)).all() == [Act.HANDED]


def test_cards_come_in_the_order_asked_and_none_of_another_site(app, people, sites, session):
    first, second, there = (comment(session, site) for site in (sites[0], sites[0], sites[1]))
    asked = [second.id, there.id, first.id, 10_000]
    shown = desk.some(session, app.extensions["vault"], people[0], asked)
    assert [card.comment.id for card in shown] == [second.id, first.id]
