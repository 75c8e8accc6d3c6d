"""What a rule would have done: told against what moderators decided, from what is kept."""

from itertools import count

import pytest
from cast import add_moderator, add_site, reply, stored
from sqlalchemy import select, update

from service import accounts, database, moderation, trials, tuning
from service.models import Comment, Judgement, Site
from service.rules import NAMED, Policy, Rule
from service.status import Mark, Mode, Status

LINKS = NAMED["many_links"]
OPEN = Policy(mode=Mode.HOLD_CAUGHT)
times = count()


def links(number):
    return "Look: " + " ".join(f"https://{n}.example/{next(times)}" for n in range(number))


@pytest.fixture
def daily(app):
    add_site(app, mode="hold_caught")
    add_moderator(app)
    with app.app_context():
        yield app


def post(app, *texts, **fields):
    for words in texts:
        assert reply(app, app.test_client(), comment=words, **fields).status_code == 303
    database.forget()
    return [comment.public_id for comment in stored(app)]


def decide(public_id, status):
    with database.writing() as session:
        comment = session.scalars(select(Comment).where(Comment.public_id == public_id)).one()
        mo = session.get_one(accounts.Moderator, 1)
        moderation.decide(session, comment, status, comment.version, mo)
    database.forget()


def no_time():
    """A clock that stands still: how fast this machine is decides nothing."""
    return 0.0


def tried(rule=LINKS, before=OPEN, clock=no_time, **sent):
    session = database.session()
    site = session.get_one(Site, 1)
    choice = tuning.read(rule, tuning.chosen(site, rule), sent)
    after = tuning.policy_with(before, site, rule, choice)
    return trials.trial(session, site, before, after, rule, clock=clock)


def told(trial):
    return {kind: len(trial.of(kind)) for kind in trials.KINDS if trial.of(kind)}


def test_it_tells_what_would_have_been_held_against_what_moderators_decided(daily):
    ids = post(daily, *(links(number) for number in (0, 1, 1, 2, 1)))
    for public_id, status in zip(ids, ("approved", "spam", "approved", "rejected"), strict=False):
        decide(public_id, Status(status))
    before = len(stored(daily))
    found = tried(most="0")
    # The first one there is held for its article, the others too: nobody had approved before.
    assert found.looked_at == before == 5
    assert told(found) == {"also": 4}
    assert found.decided("also") == {"spam": 1, "approved": 1, "rejected": 1, None: 1}


def test_it_tells_what_would_have_been_published_or_held(daily):
    [first] = post(daily, "Hear, hear.")
    decide(first, Status.APPROVED)
    post(daily, links(1), links(3))
    assert told(tried(most="0")) == {"held": 1}
    assert told(tried(most="5")) == {"freed": 1}
    assert told(tried(on="off")) == {"freed": 1}
    [change] = tried(most="5").changes
    assert (change.before, change.after, change.matched) == ("pending", "approved", "3")
    assert told(tried()) == {}
    assert {c.status for c in stored(daily)} == {Status.APPROVED, Status.PENDING}  # as before


def test_what_every_mode_holds_is_told_as_caught_too(daily):
    post(daily, links(1))
    assert told(tried(before=Policy(), most="0")) == {"also": 1}


def test_only_what_readers_posted_is_looked_at(daily):
    post(daily, *(links(1) for _ in range(4)))
    with database.writing() as session:
        session.execute(update(Comment).where(Comment.id == 1).values(mark=Mark.STAFF))
        session.execute(update(Comment).where(Comment.id == 2).values(html="", text=""))
        add_other = Site(key="stars", name="Stars", origins=["https://stars.example"])
        session.add(add_other)
        session.flush()
        session.execute(update(Comment).where(Comment.id == 3).values(site_id=add_other.id))
    database.forget()
    assert tried(most="0").looked_at == 1


def test_what_is_not_kept_cannot_be_tried_and_the_ledger_tells_what_it_said(daily, monkeypatch):
    fast = Rule(
        "too_fast",
        lambda case: "" if (case.draft.seconds or 9) < 1 else None,
        says="It was fast.",
        does="Catches the fast.",
        may=(Status.PENDING, Status.SPAM),
    )
    monkeypatch.setitem(NAMED, "too_fast", fast)
    [first] = post(daily, "Hear, hear.")
    decide(first, Status.APPROVED)
    post(daily, "Yes.", "No.")
    with database.writing() as session:
        row = session.scalars(select(Judgement).where(Judgement.comment_id == 3)).one()
        row.reasons = [["too_fast", "pending", "0.2 s"]]
    database.forget()
    monkeypatch.setattr(trials, "RULES", (*(r for r in trials.RULES if r.name != "too_fast"), fast))
    assert told(tried(fast, on="off")) == {"freed": 1}
    assert told(tried(fast, to="spam")) == {"spam": 1}
    off = Policy(mode=Mode.HOLD_CAUGHT, tuned={"too_fast": {"on": False}})
    assert tried(fast, before=off, on="on").is_untried


def test_it_asks_the_history_for_no_more_than_the_rule_needs(daily, monkeypatch):
    post(daily, "Hear, hear.")
    post(daily, "Hear, hear.", name="Otto")
    asked = []
    parts = [lambda *given, part=part: asked.append(part.__name__) or part(*given)
             for part in trials.PARTS]  # fmt: skip
    monkeypatch.setattr(trials, "PARTS", parts)
    monkeypatch.setattr(trials, "_sources", {})
    tried(LINKS, most="9")
    assert asked == []
    repeated = NAMED["repeated"]
    assert told(tried(repeated, on="off")) == {"no_longer": 1}
    assert "same_words" in asked
    assert [change.matched for change in tried(repeated, on="off").changes] == ["1×"]


def test_a_comment_is_tried_with_the_text_that_it_came_with(daily):
    post(daily, links(3))
    with database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        mo = session.get_one(accounts.Moderator, 1)
        wording = moderation.Wording("No links.", "<p>No links.</p>", b"x")
        moderation.reword(session, comment, comment.version, wording, mo)
    database.forget()
    assert [change.matched for change in tried(most="9").changes] == ["3"]


def test_it_stops_where_there_is_no_time_for_more(daily):
    post(daily, *(links(1) for _ in range(5)))
    ticks = count()
    found = tried(most="0", clock=lambda: next(ticks) * 1.0)
    assert found.is_cut
    assert 0 < found.looked_at < 5
