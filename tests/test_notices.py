"""Who is told when, and that it costs next to nothing where nobody is."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from town import Town

from service import accounts, database, moderation
from service.notices.news import due_at
from service.status import FollowPace, Status

SAFE = datetime(2026, 3, 4, 10, 20, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("pace", "safe_at", "told_at", "due"),
    [
        (FollowPace.AT_ONCE, SAFE, None, SAFE),
        (FollowPace.AT_ONCE, SAFE, SAFE - timedelta(minutes=50), SAFE + timedelta(minutes=10)),
        (FollowPace.AT_ONCE, SAFE, SAFE - timedelta(minutes=70), SAFE),
        (FollowPace.DAILY, SAFE, None, datetime(2026, 3, 5, 6, tzinfo=UTC)),
        (FollowPace.DAILY, SAFE.replace(hour=5), None, datetime(2026, 3, 4, 6, tzinfo=UTC)),
        (FollowPace.WEEKLY, SAFE, None, datetime(2026, 3, 9, 6, tzinfo=UTC)),
        (FollowPace.WEEKLY, SAFE.replace(day=9, hour=5), None, datetime(2026, 3, 9, 6, tzinfo=UTC)),
        (FollowPace.WEEKLY, SAFE.replace(day=9), None, datetime(2026, 3, 16, 6, tzinfo=UTC)),
    ],
)
def test_each_is_told_at_their_own_pace(pace, safe_at, told_at, due):
    assert due_at(pace, safe_at, told_at) == due


def test_a_batch_that_nobody_follows_is_one_question(app):
    """However many comments it has, and whatever is followed elsewhere."""
    town = Town(app)
    elsewhere = town.says("Rita", status=Status.APPROVED)
    town.follows("rita", elsewhere)
    ids = [town.says("Ben", f"No. {number}.") for number in range(20)]
    asked = []
    with app.app_context(), database.writing() as session:
        mo = session.get_one(accounts.Moderator, town.mo)

        def count(connection, cursor, statement, *_):
            asked.append(statement)

        event.listen(session.get_bind(), "before_cursor_execute", count)
        moderation.decide_many(session, dict.fromkeys(ids, 1), Status.APPROVED, mo, None)
        event.remove(session.get_bind(), "before_cursor_execute", count)
    assert len([one for one in asked if "follows" in one]) == 1
    assert not [one for one in asked if "FROM decisions" in one and "SELECT decisions" in one]
    assert [letter for letter in town.letters if letter.author_id] == []
