"""The links in a letter: in whose letter, for what, and where there are none."""

import re
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, reply, stored
from sqlalchemy import select, update

from service import accounts, database, moderation
from service.cli import mail as command
from service.mail import deciding
from service.models import Comment, Letter, Site, now
from service.moderation import Wording
from service.rules import Verdict
from service.status import Status

BASE = "https://comments.example"


def mails(app, mailbox):
    """The letters that leave now, by whom they are for."""
    with app.app_context():
        with database.writing() as session:
            session.execute(update(Letter).values(due_at=now() - timedelta(seconds=1)))
        command.send_letters()
    return {str(mail["To"].addresses[0].addr_spec): mail for mail in mailbox.mails}


def links(app, mail, part="plain"):
    said = mail.get_body([part]).get_content()
    tokens = re.findall(rf"{BASE}/decide/([\w.-]+)", said)
    return [deciding.read(app.extensions["signer"], token) for token in tokens]


def test_each_comment_has_one_link_for_each_action_in_both_parts(app, mo, mailbox):
    for number in range(2):
        reply(app, app.test_client(), comment=f"Comment number {number}.")
    (mail,) = mails(app, mailbox).values()
    newest_first = [comment.public_id for comment in reversed(stored(app))]
    for part in ("plain", "html"):
        found = links(app, mail, part)
        assert [(link.public_id, link.action) for link in found] == [
            (public_id, action)
            for public_id in newest_first
            for action in ("approve", "reject", "spam")
        ]
        assert {(link.moderator_id, link.version) for link in found} == {(mo, 1)}
        assert now() - timedelta(minutes=1) < found[0].at <= now()
    said = mail.get_body(["plain"]).get_content()
    assert f"Approve: {BASE}/decide/" in said
    assert "they work for 7 days and without signing in" in " ".join(said.split())


def test_each_moderator_has_links_of_their_own(app, mo, mailbox):
    ann = add_moderator(app, "ann@daily.example")
    reply(app, app.test_client())
    sent = mails(app, mailbox)
    for address, whose in (("mo@daily.example", mo), ("ann@daily.example", ann)):
        found = links(app, sent[address])
        assert {link.moderator_id for link in found} == {whose}
        with app.app_context():
            proof = accounts.proof(database.session().get_one(accounts.Moderator, whose))
        assert {link.proof for link in found} == {proof}


def test_a_link_opens_the_page_that_it_is_for(app, mo, mailbox):
    reply(app, app.test_client())
    (mail,) = mails(app, mailbox).values()
    said = mail.get_body(["plain"]).get_content()
    (path,) = re.findall(rf"Spam: {BASE}(/decide/[\w.-]+)", said)
    assert "Mark this comment as spam?" in app.test_client().get(path).text


def of_moderator(session, mo):
    session.get_one(accounts.Moderator, mo).has_mail_links = False


def of_site(session, mo):
    session.scalars(select(Site)).one().settings = {"mail_links": False}


@pytest.mark.parametrize("switch", [of_moderator, of_site])
def test_where_they_are_not_wanted_there_are_none(app, mo, mailbox, switch):
    with app.app_context(), database.writing() as session:
        switch(session, mo)
    reply(app, app.test_client())
    (mail,) = mails(app, mailbox).values()
    for part in ("plain", "html"):
        said = mail.get_body([part]).get_content()
        assert "/decide/" not in said
        assert "without signing in" not in said
        assert "Decide at the desk" in said


def test_one_s_choice_is_no_other_s(app, mo, mailbox):
    add_moderator(app, "ann@daily.example")
    with app.app_context(), database.writing() as session:
        of_moderator(session, mo)
    reply(app, app.test_client())
    sent = mails(app, mailbox)
    assert links(app, sent["mo@daily.example"]) == []
    assert len(links(app, sent["ann@daily.example"])) == 3


def test_the_words_of_a_link_say_what_it_does(app, mo):
    reply(app, app.test_client())

    def said():
        with app.test_request_context():
            return list(
                deciding.buttons(database.session().scalars(select(Comment)).one()).values()
            )

    assert said() == ["Approve", "Reject", "Spam"]
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.decide(session, comment, Status.APPROVED, comment.version, moderator)
    assert said() == ["Keep it", "Reject", "Spam"]
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        wording = Wording("Hear!", "<p>Hear!</p>", None)
        moderation.edit(session, comment, comment.version, wording, Verdict(Status.PENDING))
    assert said() == ["Publish the change", "Keep the text as it was", "Spam"]


def test_the_proof_of_an_account_is_not_what_its_session_knows_it_by(app, mo):
    with app.app_context():
        moderator = database.session().get_one(accounts.Moderator, mo)
        assert accounts.proof(moderator) not in moderator.fs_uniquifier
        assert moderator.fs_uniquifier not in accounts.proof(moderator)


def test_what_is_no_link_is_read_as_none(app):
    add_site(app)
    signer = app.extensions["signer"]
    for token in ("", "x", signer.sign("form", [1, "p", "c", "spam", 1, "w", 1])):
        assert deciding.read(signer, token) is None
