"""What an imported comment had on record in another installation, as the desk shows it."""

import json

from cast import RITA
from flask import Flask
from flask.testing import FlaskClient

from service import database
from service.models import Comment, Import, Past
from service.status import ImportState

FOREIGN = {
    "reasons": [{"rule": "many_links", "matched": "3 links"}],
    "decisions": [
        {
            "at": "2020-01-02T03:04:05Z", "by": "Mia <b>", "act": "decided", "from": "pending",
            "to": "rejected", "note": "<script>x()</script>", "public_text": "Too long",
        }
    ],
    "revisions": [{"text": "<i>First</i>", "html": "<script>y()</script>", "replaced_at": "2020-01-01"}],
}  # fmt: skip


def bring(app: Flask, past: dict[str, list[dict[str, str]]]) -> None:
    """Makes the one comment that is there one of an import."""
    with app.app_context(), database.writing() as session:
        comment = session.query(Comment).one()
        brought = Import(
            site_id=comment.site_id, format="json", file_name="old.jsonl", file_digest="d",
            by="Pia", state=ImportState.DONE,
        )  # fmt: skip
        session.add(brought)
        session.flush()
        comment.import_id = brought.id
        session.add(Past(comment_id=comment.id, **past))


def test_the_history_of_elsewhere_is_labelled_with_file_and_importer(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    assert "elsewhere-title" not in mo.get(f"/desk/comments/{waiting}").text
    bring(app, FOREIGN)
    page = mo.get(f"/desk/comments/{waiting}").text
    assert "From the import of old.jsonl by Pia" in page
    for said in ("many_links", "3 links", "Mia &lt;b&gt;", "Too long", "&lt;i&gt;First&lt;/i&gt;"):
        assert said in page
    assert "&lt;script&gt;x()" in page
    assert "y()" not in page  # HTML of elsewhere is shown nowhere


def test_nothing_is_said_where_nothing_came_along(
    app: Flask, mo: FlaskClient, waiting: str
) -> None:
    bring(app, {"reasons": [], "decisions": [], "revisions": []})
    assert "elsewhere-title" not in mo.get(f"/desk/comments/{waiting}").text


def test_whoever_asks_for_what_is_stored_gets_it_too_and_not_who_decided(
    app: Flask, waiting: str
) -> None:
    bring(app, FOREIGN)
    told = app.test_cli_runner().invoke(args=["privacy", "export", RITA["email"]])
    line = next(
        found
        for each in told.stdout.splitlines()
        if (found := json.loads(each))["what"] == "comment"
    )
    assert line["from_before"]["earlier_texts"][0]["text"] == "<i>First</i>"
    assert line["from_before"]["decisions"][0]["told"] == "Too long"
    assert "Mia" not in told.stdout
