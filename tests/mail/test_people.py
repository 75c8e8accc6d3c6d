"""Invitations and links for a new password by mail: each while it is good, and to nobody else."""

import re
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, csrf, sign_in
from sqlalchemy import select, update

from service import database, people
from service.accounts import Membership, Moderator, Named, SignInLink
from service.cli import mail as command
from service.models import Invitation, Letter, Unwanted, now
from service.status import LetterKind, LetterState, Role, Why

NELE, GOOD = "nele@daily.example", "correct horse battery"


@pytest.fixture
def newsroom(app):
    """The Daily, with its publisher Pia and moderator Mo."""
    add_site(app)
    return {
        "pia": add_moderator(app, "pia@daily.example", role=Role.PUBLISHER),
        "mo": add_moderator(app),
    }


@pytest.fixture
def pia(app, newsroom):
    return sign_in(app, app.test_client(), newsroom["pia"])


def send(client, path, page="/desk/me/", **fields):
    return client.post(path, data={"csrf_token": csrf(client.get(page).text), **fields})


def invite(pia, email=NELE):
    sent = {"email": email, "role": "moderator", "site": "daily"}
    return send(pia, "/desk/people/invite", **sent)


def ask(app, email="mo@daily.example"):
    page = "/desk/forgotten"
    return send(app.test_client(), page, page, email=email)


def work(app):
    with app.app_context():
        return command.send_letters()


def letters(app):
    with app.app_context():
        found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
        database.session().expunge_all()
        return found


def fates(app):
    return [(letter.state, letter.why) for letter in letters(app)]


def link_in(mail):
    """The path of the one link in a letter, which is the same in both of its parts."""
    plain, html = (mail.get_body([kind]).get_content() for kind in ("plain", "html"))
    (found,) = re.findall(r"https://comments\.example(/desk/\S+)", plain)
    assert "/." not in found  # or a server may take it for a hidden file
    assert f'href="https://comments.example{found}"' in html
    return found


def change(app, row, **values):
    with app.app_context(), database.writing() as session:
        session.execute(update(row).values(**values))


# Invitations


def test_an_invitation_goes_by_letter_and_nobody_else_sees_its_link(app, pia, mailbox):
    shown = invite(pia).text
    assert "A letter with the link is on its way to" in shown
    assert "n…@d…" in shown
    assert "/desk/join/" not in shown
    (letter,) = letters(app)
    assert (letter.kind, letter.state) == (LetterKind.INVITATION, LetterState.QUEUED)
    assert work(app)
    (mail,) = mailbox.mails
    assert mailbox.envelopes[0][1] == [NELE]
    assert mail["Subject"] == "You are invited to the desk of The Daily"
    for kind in ("plain", "html"):
        said = mail.get_body([kind]).get_content()
        assert "pia invites you to be a moderator of The Daily." in said
        assert "The link works once, until" in said
        assert "pia@daily.example" not in said
    assert "/desk/join/" not in pia.get("/desk/letters/").text


def test_the_link_of_the_letter_works_once(app, pia, mailbox):
    invite(pia)
    work(app)
    link, nele = link_in(mailbox.mails[0]), app.test_client()
    for _ in range(2):
        page = nele.get(link)
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
    assert send(nele, link, link, name="Nele Berg", password=GOOD).status_code == 303
    assert nele.get("/desk/").status_code == 200
    assert app.test_client().get(link).status_code == 404


def test_what_a_letter_names_opens_nothing_without_the_signature(app, pia, mailbox):
    invite(pia)
    work(app)
    token, stranger = link_in(mailbox.mails[0]).rpartition("/")[2], app.test_client()
    with app.app_context():
        digest = database.session().scalars(select(Invitation.digest)).one()
    name = Named(digest).spelt
    sign = app.extensions["signer"].sign
    forged = (digest, name, f"{token}x", sign("join link", name), sign("reset letter", name))
    for other in forged:
        assert stranger.get(f"/desk/join/{other}").status_code == 404
    assert stranger.get(f"/desk/reset/{token}").status_code == 404
    assert stranger.get(f"/desk/join/{sign('join letter', name)}").status_code == 200


@pytest.mark.parametrize(
    "happens",
    [
        lambda app, pia: send(pia, "/desk/people/invitations/1/withdraw"),
        lambda app, pia: change(app, Invitation, used_at=now()),
        lambda app, pia: change(app, Invitation, expires_at=now()),
        lambda app, pia: change(app, Membership, role=Role.MODERATOR),  # Pia's right is gone
    ],
    ids=["withdrawn", "used", "expired", "unbacked"],
)
def test_an_invitation_that_leads_nowhere_any_more_is_not_sent(app, pia, mailbox, happens):
    invite(pia)
    happens(app, pia)
    work(app)
    assert fates(app) == [(LetterState.DROPPED, Why.SETTLED)]
    assert mailbox.mails == []


def test_of_two_invitations_to_one_place_the_later_is_sent(app, pia, mailbox):
    invite(pia)
    invite(pia)
    work(app)
    assert [state for state, _ in fates(app)] == [LetterState.DROPPED, LetterState.SENT]
    assert app.test_client().get(link_in(mailbox.mails[0])).status_code == 200


def test_an_address_is_invited_so_often_in_an_hour_and_no_oftener(app, pia, mailbox):
    app.config["MAIL_PER_ADDRESS"] = 2
    for _ in range(3):
        invite(pia)
        work(app)
    assert len(mailbox.mails) == 2
    assert fates(app)[2] == (LetterState.QUEUED, Why.CAP)


def test_who_never_wants_to_be_written_to_is_not_invited_by_letter(app, pia, mailbox):
    with app.app_context(), database.writing() as session:
        session.add(Unwanted(email_index=app.extensions["vault"].index(NELE)))
    invite(pia)
    work(app)
    assert fates(app) == [(LetterState.DROPPED, Why.NEVER)]
    assert mailbox.mails == []


def test_the_operator_invites_by_letter_or_prints_the_link(app, newsroom, mailbox):
    words = ["moderator", "invite", NELE, "--role", "publisher", "--site", "daily"]
    said = app.test_cli_runner().invoke(args=words).output
    assert said == f"A letter with the link is on its way to {NELE}.\n"
    work(app)
    plain = mailbox.mails[0].get_body(["plain"]).get_content()
    assert "Whoever runs the service invites you to be a publisher of The Daily." in plain
    printed = app.test_cli_runner().invoke(args=[*words, "--print"]).output.strip()
    assert (
        app.test_client().get(printed.removeprefix("https://comments.example")).status_code == 200
    )
    assert len(letters(app)) == 1


# A new password


def test_a_colleague_s_reset_goes_to_the_person_and_is_shown_to_nobody(app, pia, newsroom, mailbox):
    shown = send(pia, f"/desk/people/{newsroom['mo']}/reset").text
    assert "m…@d…" in shown
    assert "/desk/reset/" not in shown
    work(app)
    (mail,) = mailbox.mails
    assert mailbox.envelopes[0][1] == ["mo@daily.example"]
    assert "pia made you a link" in mail.get_body(["plain"]).get_content()
    link, mo = link_in(mail), app.test_client()
    assert send(mo, link, link, password=GOOD).status_code == 303
    assert mo.get("/desk/").status_code == 200
    assert app.test_client().get(link).status_code == 404


def test_who_forgot_the_password_gets_a_letter_and_a_link_that_works_for_an_hour(
    app, newsroom, mailbox
):
    ask(app)
    with app.app_context():
        lasts = database.session().scalars(select(SignInLink)).one().expires_at - now()
    assert timedelta(minutes=59) < lasts <= timedelta(hours=1)
    (letter,) = letters(app)
    assert (letter.kind, letter.moderator_id, letter.site_id) == (
        LetterKind.RESET,
        newsroom["mo"],
        None,
    )
    work(app)
    (mail,) = mailbox.mails
    assert "Somebody asked for a new password" in mail.get_body(["plain"]).get_content()
    assert mail["Subject"] == "A new password for the desk at comments.example"
    link, mo = link_in(mail), app.test_client()
    assert send(mo, link, link, password=GOOD).status_code == 303
    assert mo.get("/desk/").status_code == 200
    assert app.test_client().get(link).status_code == 404


def test_a_later_letter_ends_the_earlier_one(app, newsroom, mailbox):
    ask(app)
    work(app)
    ask(app)
    ask(app)
    work(app)
    assert [state for state, _ in fates(app)] == [
        LetterState.SENT,
        LetterState.DROPPED,
        LetterState.SENT,
    ]
    first, last = (link_in(mail) for mail in mailbox.mails)
    assert app.test_client().get(first).status_code == 404
    assert app.test_client().get(last).status_code == 200


def test_no_stranger_ends_a_colleague_s_link(app, pia, newsroom, mailbox):
    send(pia, f"/desk/people/{newsroom['mo']}/reset")
    work(app)
    ask(app)
    assert app.test_client().get(link_in(mailbox.mails[0])).status_code == 200


def new_password(app, newsroom):
    with app.app_context(), database.writing() as session:
        people.set_password(session, session.get_one(Moderator, newsroom["mo"]), "hash")


def removed(app, newsroom):
    with app.app_context(), database.writing() as session:
        of_mo = select(Membership.id).where(Membership.moderator_id == newsroom["mo"])
        people.remove(session, people.OPERATOR, session.scalars(of_mo).one())


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda app, _: change(app, SignInLink, used_at=now()), Why.SETTLED),
        (lambda app, _: change(app, SignInLink, expires_at=now()), Why.SETTLED),
        (new_password, Why.SETTLED),
        (removed, Why.FORBIDDEN),
    ],
    ids=["used", "expired", "changed", "removed"],
)
def test_a_link_that_leads_nowhere_any_more_is_not_sent(app, newsroom, mailbox, happens, why):
    ask(app)
    happens(app, newsroom)
    work(app)
    assert fates(app) == [(LetterState.DROPPED, why)]
    assert mailbox.mails == []


def test_a_new_password_ends_the_link_of_a_letter(app, newsroom, mailbox):
    ask(app)
    work(app)
    link = link_in(mailbox.mails[0])
    assert app.test_client().get(link).status_code == 200
    new_password(app, newsroom)
    assert app.test_client().get(link).status_code == 404


def test_a_way_back_is_sent_to_whoever_wants_no_other_letters(app, newsroom, mailbox):
    change(app, Moderator, letters="none", returned_at=now())
    ask(app)
    work(app)
    assert len(mailbox.mails) == 1


def test_nothing_that_is_kept_of_a_letter_opens_anything(app, pia, newsroom):
    """Neither secret nor signature is in its row (hard rule 5)."""
    invite(pia)
    ask(app)
    with app.app_context():
        digests = {
            *database.session().scalars(select(Invitation.digest)),
            *database.session().scalars(select(SignInLink.digest)),
        }
    for letter in letters(app):
        kept = f"{letter.about} {letter.cause_key} {letter.last_answer}"
        assert NELE not in kept
        assert "@" not in kept
        for word in re.findall(r"[\w-]{20,}", kept):
            assert word in digests
            stranger = app.test_client()
            for way in ("join", "reset", "sign-in"):
                assert stranger.get(f"/desk/{way}/{word}").status_code == 404
