"""`flask demo`: its comments are judged as readers' comments are."""

from sqlalchemy import select

from service import database
from service.models import Comment, Reason


def test_rules_fire_on_its_comments_where_they_would(app):
    made = app.test_cli_runner().invoke(args=["demo"])
    assert made.exit_code == 0, made.output
    with app.app_context():
        held = select(Comment.name, Reason.matched).join(Reason.comment)
        found = database.session().execute(held.where(Reason.rule == "many_links")).all()
    assert [tuple(row) for row in found] == [("Best Cinema Deals", "3")]
