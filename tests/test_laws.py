"""DESIGN.md's laws. Those about sources are read by laws.py; those about URLs walk the url_map."""

from pathlib import Path

import laws
import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, reply, sign_in, stored, token
from sqlalchemy import MetaData, select
from werkzeug.routing import Rule

from service import accounts, bans, bulk, database, first, moderation, people
from service.mail import deciding
from service.mail.confirm import Confirming
from service.mail.leaving import Leaving, Refusing
from service.models import Author, Follow, Hook, Import, Letter, Site, Wave, now
from service.status import Role, Status

ROOT = Path(__file__).resolve().parent.parent
SERVICE = laws.python_sources(ROOT / "service")
TEMPLATES = laws.template_sources(ROOT / "templates")
SCRIPTS = {path.name: path.read_text() for path in (ROOT / "service" / "static").rglob("*.js")}

MODULES = (
    laws.without_floor,
    laws.pointing_up,
    laws.not_at_the_top,
    laws.circles,
    laws.knowing_flask,
    laws.changing_a_status,
    laws.altering_the_record,
    laws.committing,
    laws.making_html_safe,
    laws.reaching_an_address,
    laws.opening_http,
)
PAGES = (laws.unescaped, laws.showing_an_address, laws.inline)


def named(function):
    return function.__name__ if callable(function) else None


@pytest.mark.parametrize("law", MODULES, ids=named)
def test_the_modules_keep(law):
    assert law(SERVICE) == []


@pytest.mark.parametrize("law", PAGES, ids=named)
def test_the_templates_keep(law):
    assert law(TEMPLATES) == []


def test_the_scripts_put_no_html_together():
    assert laws.html_by_script(SCRIPTS) == []


def test_every_source_is_read():
    assert {"", "text", "views.desk", "rules", "migrations.env"} <= SERVICE.keys()
    assert {"base.html", "reader/thread.html"} <= TEMPLATES.keys()


# Each law with a source that breaks it. `threads` stands in every sample, since one law reads it.
BREACHES = [
    (laws.without_floor, {"newcomer": ""}),
    (laws.pointing_up, {"models": "from .comments import submit", "comments": ""}),
    (laws.pointing_up, {"status": "from service import text", "text": ""}),
    (laws.pointing_up, {"screening": "from . import moderation", "moderation": ""}),
    (laws.pointing_up, {"rules.words": "from ..models import Site", "models": "", "rules": ""}),
    (laws.pointing_up, {"views.desk": "from .. import create_app", "": "create_app = 1"}),
    (laws.not_at_the_top, {"comments": "def submit():\n    from . import text", "text": ""}),
    (laws.not_at_the_top, {"comments": "if TYPE_CHECKING:\n    from . import text", "text": ""}),
    (laws.circles, {"views.a": "from . import b", "views.b": "from . import a", "views": ""}),
    (laws.knowing_flask, {"tokens": "from flask import request"}),
    (laws.knowing_flask, {"rules.words": "import flask_babel", "rules": ""}),
    (laws.knowing_flask, {"vault": "from werkzeug.security import generate_password_hash"}),
    (laws.changing_a_status, {"desk": "comment.status = Status.SPAM"}),
    (laws.changing_a_status, {"views.moderation": "comment.status = Status.SPAM"}),
    (laws.changing_a_status, {"desk": "update(Comment).values(status=Status.SPAM)"}),
    (laws.changing_a_status, {"desk": "update(Comment).values({'status': 'spam'})"}),
    (laws.changing_a_status, {"desk": "session.execute(update(Comment), [{'status': 'spam'}])"}),
    (laws.changing_a_status, {"comments": "Comment(status=Status.APPROVED)"}),
    (laws.changing_a_status, {"comments": "Comment(**{'status': Status.APPROVED})"}),
    (laws.changing_a_status, {"desk": "setattr(comment, 'status', 'spam')"}),
    (laws.changing_a_status, {"cli.sites": "text('UPDATE comments SET version = 1')"}),
    (laws.altering_the_record, {"audit": "session.execute(update(Decision).values(by='x'))"}),
    (laws.altering_the_record, {"cli.privacy": "session.execute(sa.delete(models.Event))"}),
    (laws.altering_the_record, {"desk": "session.query(Decision).delete()"}),
    (laws.altering_the_record, {"moderation": "session.delete(comment.decision)"}),
    (laws.altering_the_record, {"views.audit": "entry.event.delete()"}),
    (laws.altering_the_record, {"moderation": "decision.network = ''"}),
    (laws.altering_the_record, {"cli.privacy": "text('DELETE FROM decisions WHERE id = 1')"}),
    (laws.altering_the_record, {"database": "text('update events set network = 1')"}),
    (laws.committing, {"comments": "def submit(session):\n    session.commit()"}),
    (laws.committing, {"desk": "with database.writing() as session: pass"}),
    (laws.committing, {"moderation": "with engine.begin(): pass"}),
    (laws.committing, {"exchange.store": "with Session(engine) as session: pass"}),
    (laws.making_html_safe, {"comments": "import nh3"}),
    (laws.making_html_safe, {"views.reader": "from bleach.sanitizer import Cleaner"}),
    (laws.making_html_safe, {"views.desk": "from markupsafe import Markup"}),
    (laws.making_html_safe, {"threads": "class Shown:\n    def __html__(self): return self.html"}),
    (laws.making_html_safe, {"": "app.jinja_options.update(dict(autoescape=False))"}),
    (laws.reaching_an_address, {"threads": "from .models import Author", "models": ""}),
    (laws.reaching_an_address, {"threads": "from . import models", "models": ""}),
    (laws.reaching_an_address, {"threads": "from .vault import Vault", "vault": ""}),
    (laws.reaching_an_address, {"threads": "select(Comment.author_id)"}),
    (laws.reaching_an_address, {"threads": "class Shown:\n    email: str"}),
    (laws.opening_http, {"letters": "import requests"}),
    (laws.opening_http, {"exchange.store": "from urllib.request import urlopen"}),
    (laws.opening_http, {"urls": "from http import client"}),
    (laws.opening_http, {"screening": "import socket"}),
    (laws.unescaped, {"reader/thread.html": "{{ comment.html|safe }}"}),
    (laws.unescaped, {"desk/_card.html": "{{ comment.text | urlize }}"}),
    (laws.unescaped, {"desk/_card.html": "{{ Markup(comment.text) }}"}),
    (laws.unescaped, {"error.html": "{% autoescape false %}{{ message }}{% endautoescape %}"}),
    (laws.showing_an_address, {"reader/_comment.html": "{{ comment.email }}"}),
    (laws.showing_an_address, {"reader/receipt.html": "{{ comment.author.id }}"}),
    (laws.inline, {"base.html": "<p style='color: red'>"}),
    (laws.inline, {"mail/waiting.html": "<style>p { color: red }</style>"}),
    (laws.inline, {"mail/_style.html": "<script>alert(1)</script>"}),
    (laws.inline, {"base.html": "<style>p { color: red }</style>"}),
    (laws.inline, {"base.html": "<script>alert(1)</script>"}),
    (laws.inline, {"base.html": "<script src=a.js>alert(1)</script>"}),
    (laws.inline, {"base.html": '<p {% if x %}onclick="go()"{% endif %}>'}),
    (laws.inline, {"base.html": '<a href="javascript:go()">'}),
    (laws.inline, {"_field.html": '{{ f(style="color: red") }}'}),
    (laws.inline, {"_field.html": '{{ f(onclick="go()") }}'}),
    (laws.html_by_script, {"thread.js": "box.innerHTML = html"}),
    (laws.html_by_script, {"embed.js": "box.insertAdjacentHTML('beforeend', html)"}),
    (laws.html_by_script, {"desk.js": "document.write(html)"}),
    (laws.html_by_script, {"desk.js": "eval(html)"}),
]


@pytest.mark.parametrize(("law", "sources"), BREACHES, ids=named)
def test_a_breach_is_seen(law, sources):
    assert law({"threads": ""} | sources if law in MODULES else sources) != []


LAWFUL = [
    (laws.pointing_up, {"accounts": "from . import database", "database": ""}),
    (
        laws.pointing_up,
        {"views": "from . import desk", "views.desk": "from .. import desk", "desk": ""},
    ),
    (laws.changing_a_status, {"comments": "Comment(status=moderation.initial(verdict))"}),
    (laws.changing_a_status, {"views.errors": "render_template('error.html', status=409)"}),
    (laws.changing_a_status, {"moderation": "update(Comment).values(status=to)"}),
    (laws.changing_a_status, {"moderation.change": "update(Comment).values(status=to)"}),
    (laws.altering_the_record, {"migrations": "'BEFORE UPDATE ON events BEGIN SELECT 1; END'"}),
    (laws.altering_the_record, {"moderation": "session.execute(delete(Reason))"}),
    (laws.altering_the_record, {"moderation": "said = decision.note; seen.update(found)"}),
    (laws.committing, {"views.desk": "with database.writing() as session: pass"}),
    (laws.committing, {"comments": "with session.begin_nested(): pass"}),
    (laws.making_html_safe, {"moderation": "from .status import Markup", "status": ""}),
    (laws.opening_http, {"outbound": "import http.client"}),
    (laws.opening_http, {"urls": "from urllib.parse import urlsplit"}),
    (laws.showing_an_address, {"reader/_form.html": "{{ form.email }}"}),
    (laws.showing_an_address, {"desk/_card.html": "{{ card.email }}"}),
    (
        laws.inline,
        {"base.html": "<script src='{{ url }}' async></script>{{ f(once=1 if only else 2) }}"},
    ),
]


@pytest.mark.parametrize(("law", "sources"), LAWFUL, ids=named)
def test_what_is_lawful_is_no_breach(law, sources):
    assert law({"threads": ""} | sources if law in MODULES else sources) == []


# --- URLs ----------------------------------------------------------------------------------------

ANYBODY = None  # readers and strangers alike

# Who may use each endpoint: anybody, or the least role. A new endpoint needs a line here.
ACCESS = {
    "static": ANYBODY,
    "reader.loader": ANYBODY,
    "reader.thread": ANYBODY,
    "reader.fragment": ANYBODY,
    "reader.token": ANYBODY,
    "reader.counts": ANYBODY,
    "reader.colours": ANYBODY,
    "reader.submit": ANYBODY,
    "reader.preview": ANYBODY,
    "receipts.receipt": ANYBODY,
    "receipts.export": ANYBODY,
    "receipts.edit": ANYBODY,
    "receipts.withdraw": ANYBODY,
    "by_mail.page": ANYBODY,  # with a link from a letter, which says who it is for
    "by_mail.decide": ANYBODY,
    "by_mail.answer": ANYBODY,
    "by_mail.undo": ANYBODY,
    "reader.permalink": ANYBODY,
    "feeds.site": ANYBODY,
    "feeds.thread": ANYBODY,
    "participation.like": ANYBODY,
    "participation.offer": ANYBODY,
    "participation.report": ANYBODY,
    "participation.receipt": ANYBODY,
    "follow.confirmation": ANYBODY,
    "follow.confirm": ANYBODY,
    "follow.refusal": ANYBODY,
    "follow.refuse": ANYBODY,
    "follow.leaving": ANYBODY,
    "follow.leave": ANYBODY,
    "ops.alive": ANYBODY,
    "ops.ready": ANYBODY,
    "ops.home": ANYBODY,
    "demo.article": ANYBODY,
    "security.login": ANYBODY,
    "security.logout": ANYBODY,  # signs out whoever is signed in
    "accounts.offer": ANYBODY,
    "accounts.sign_in": ANYBODY,
    "accounts.second": ANYBODY,
    "accounts.passkey": ANYBODY,
    "accounts.passkey_options": ANYBODY,
    "accounts.join": ANYBODY,
    "accounts.first_admin": ANYBODY,  # with the link that the console prints
    "accounts.reset": ANYBODY,
    "accounts.forgotten": ANYBODY,
    "desk.me": Role.MODERATOR,
    "desk.verify": Role.MODERATOR,
    "desk.rename": Role.MODERATOR,
    "desk.change_password": Role.MODERATOR,
    "desk.begin_app": Role.MODERATOR,
    "desk.app": Role.MODERATOR,
    "desk.app_picture": Role.MODERATOR,
    "desk.confirm_app": Role.MODERATOR,
    "desk.remove_app": Role.MODERATOR,
    "desk.codes": Role.MODERATOR,
    "desk.new_passkey_options": Role.MODERATOR,
    "desk.add_passkey": Role.MODERATOR,
    "desk.remove_passkey": Role.MODERATOR,
    "desk.end_visit": Role.MODERATOR,
    "desk.end_other_visits": Role.MODERATOR,
    "desk.people_page": Role.PUBLISHER,
    "desk.letters": Role.PUBLISHER,
    "desk.send_again": Role.PUBLISHER,
    "desk.write_again": Role.MODERATOR,
    "desk.set_letters": Role.MODERATOR,
    "desk.set_mail_links": Role.MODERATOR,
    "desk.embed": Role.PUBLISHER,
    "desk.embed_sample": Role.PUBLISHER,
    "desk.hooks": Role.PUBLISHER,
    "desk.hooks_new": Role.PUBLISHER,
    "desk.hooks_add": Role.PUBLISHER,
    "desk.hooks_one": Role.PUBLISHER,
    "desk.hooks_change": Role.PUBLISHER,
    "desk.hooks_switch": Role.PUBLISHER,
    "desk.hooks_rotate": Role.PUBLISHER,
    "desk.hooks_test": Role.PUBLISHER,
    "desk.hooks_remove": Role.PUBLISHER,
    "desk.hooks_replay": Role.PUBLISHER,
    "desk.invite": Role.PUBLISHER,
    "desk.withdraw_invitation": Role.PUBLISHER,
    "desk.change_role": Role.PUBLISHER,
    "desk.remove_role": Role.PUBLISHER,
    "desk.restore_role": Role.PUBLISHER,
    "desk.reset_person": Role.PUBLISHER,
    "desk.show_address": Role.PUBLISHER,
    "desk.queue": Role.MODERATOR,
    "desk.counts": Role.MODERATOR,
    "desk.address": Role.MODERATOR,
    "desk.find_address": Role.MODERATOR,
    "desk.comment": Role.MODERATOR,
    "desk.decide": Role.MODERATOR,
    "desk.mark": Role.MODERATOR,
    "desk.undo": Role.MODERATOR,
    "desk.reveal": Role.MODERATOR,
    "desk.bans": Role.MODERATOR,
    "desk.ban": Role.MODERATOR,
    "desk.preview_ban": Role.MODERATOR,
    "desk.choose_ban": Role.MODERATOR,
    "desk.preview_ban_of": Role.MODERATOR,
    "desk.lift": Role.MODERATOR,
    "desk.rules": Role.MODERATOR,
    "desk.rules_of": Role.MODERATOR,
    "desk.rules_one": Role.MODERATOR,
    "desk.rules_refusals": Role.MODERATOR,
    "desk.rules_mode": Role.PUBLISHER,
    "desk.rules_change": Role.PUBLISHER,
    "desk.statistics": Role.MODERATOR,
    "desk.statistics_of": Role.MODERATOR,
    "desk.audit": Role.MODERATOR,
    "desk.audit_export": Role.PUBLISHER,
    "desk.edit": Role.MODERATOR,
    "desk.reply": Role.MODERATOR,
    "desk.pin": Role.MODERATOR,
    "desk.article": Role.MODERATOR,
    "desk.set_article": Role.MODERATOR,
    "desk.articles": Role.MODERATOR,
    "desk.articles_set": Role.MODERATOR,
    "desk.articles_rename": Role.PUBLISHER,
    "desk.articles_move": Role.PUBLISHER,
    "desk.articles_merge": Role.PUBLISHER,
    "desk.articles_merge_now": Role.PUBLISHER,
    "desk.articles_addresses": Role.PUBLISHER,
    "desk.articles_rehearse": Role.PUBLISHER,
    "desk.articles_run": Role.PUBLISHER,
    "desk.articles_change": Role.PUBLISHER,
    "desk.sites": Role.PUBLISHER,
    "desk.begin": Role.ADMIN,
    "desk.doctor": Role.PUBLISHER,
    "desk.doctor_look": Role.PUBLISHER,
    "desk.begin_site": Role.ADMIN,
    "desk.begin_with": Role.PUBLISHER,
    "desk.hold_site": Role.PUBLISHER,
    "desk.imports": Role.PUBLISHER,
    "desk.imports_add": Role.PUBLISHER,
    "desk.imports_one": Role.PUBLISHER,
    "desk.imports_try": Role.PUBLISHER,
    "desk.imports_rehearse": Role.PUBLISHER,
    "desk.imports_run": Role.PUBLISHER,
    "desk.imports_stop": Role.PUBLISHER,
    "desk.imports_undo": Role.PUBLISHER,
    "desk.imports_take_back": Role.PUBLISHER,
    "desk.imports_discard": Role.PUBLISHER,
    "desk.export": Role.PUBLISHER,
    "desk.export_take": Role.PUBLISHER,
    "desk.sites_add": Role.ADMIN,
    "desk.sites_new": Role.ADMIN,
    "desk.sites_restore": Role.PUBLISHER,
    "desk.site": Role.PUBLISHER,
    "desk.site_name": Role.PUBLISHER,
    "desk.site_origins": Role.PUBLISHER,
    "desk.site_close": Role.PUBLISHER,
    "desk.site_delete": Role.PUBLISHER,
    "desk.settings_of": Role.PUBLISHER,
    "desk.settings_of_save": Role.PUBLISHER,
    "desk.phrases": Role.PUBLISHER,
    "desk.add_phrases": Role.PUBLISHER,
    "desk.import_phrases": Role.PUBLISHER,
    "desk.remove_phrase": Role.PUBLISHER,
    "desk.restore_phrase": Role.PUBLISHER,
    "desk.outside": Role.PUBLISHER,
    "desk.set_akismet": Role.PUBLISHER,
    "desk.set_hook": Role.PUBLISHER,
    "desk.renew_secret": Role.PUBLISHER,
    "desk.try_outside": Role.PUBLISHER,
    "desk.together": Role.MODERATOR,
    "desk.news": Role.MODERATOR,
    "desk.mine": Role.MODERATOR,
    "desk.handover": Role.MODERATOR,
    "desk.note": Role.MODERATOR,
    "desk.keys": Role.MODERATOR,
    "desk.set_keys": Role.MODERATOR,
    "desk.decide_many": Role.MODERATOR,
    "desk.start_bulk": Role.MODERATOR,
    "desk.alike": Role.MODERATOR,
    "desk.decide_alike": Role.MODERATOR,
    "desk.waves": Role.MODERATOR,
    "desk.wave": Role.MODERATOR,
    "desk.clear_wave": Role.MODERATOR,
    "desk.deny_wave": Role.MODERATOR,
    "desk.jobs": Role.MODERATOR,
    "desk.job": Role.MODERATOR,
    "desk.stop_bulk": Role.MODERATOR,
    "desk.go_on": Role.MODERATOR,
    "desk.undo_bulk": Role.MODERATOR,
}

# Doors that are shut: an endpoint there which anybody may use has to be one of these.
SHUT = ("desk", "sites", "accounts", "security")
WAYS_IN = {
    "security.login",
    "security.logout",
    "accounts.offer",
    "accounts.sign_in",
    "accounts.second",
    "accounts.passkey",
    "accounts.passkey_options",
    "accounts.join",
    "accounts.first_admin",
    "accounts.reset",
    "accounts.forgotten",
}
RANKS = (ANYBODY, *accounts.RANK)


@pytest.fixture
def newsroom(make_app):
    """An application where every URL leads to something: a reply, a decision, a sign-in link.

    Here CSRF is left to the forms: asked first, it would answer before the doors' own guards do.
    There is a demo site too, for its page.
    """
    app = make_app(WTF_CSRF_CHECK_DEFAULT=False)
    add_site(app, "demo")
    add_site(app)
    add_moderator(app)
    receipt = reply(app, app.test_client(), headers={"Accept": "application/json"}).json["receipt"]
    app.extensions["arguments"] = {"token": receipt.rpartition("/")[2]} | _decided(app)
    app.extensions["arguments"]["report_token"] = _reported(app)
    return app


def _decided(app):
    """Approves the reply; gives the arguments with which the URLs lead to it."""
    with app.app_context(), database.writing() as session:
        comment = session.merge(stored(app)[0])
        mo = session.scalars(select(accounts.Moderator)).one()
        decision = moderation.decide(session, comment, Status.APPROVED, comment.version, mo)
        session.flush()
        return {
            "key": SITE,
            "name": "many_links",  # of a rule
            "kind": "hold",  # of phrases
            "public_id": comment.public_id,
            "article_id": comment.article_id,
            "decision_id": decision.id,
            "ban_id": bans.ban(
                session, bans.website_target("spam.example"), comment.site_id, "", None, "Mo"
            ).id,
            "bulk_id": bulk.start_picked(session, mo, Status.SPAM, {comment.public_id: 2}).id,
            "wave_id": _wave(session, comment.site_id),
            "hook_id": _hook(session, comment.site_id),
            "import_id": _import(session, comment.site_id),
            "move_id": 1,
            "letter_id": session.scalars(select(Letter.id)).first(),
            "secret": accounts.make_link(session, mo),
            "decide_link": deciding.sign(
                app.extensions["signer"], mo, comment, "reject", decision.at
            ),
            **_of_people(app, session, mo),
            **_of_letters(app, session, comment),
            "filename": "embed.js",
        }


def _hook(session, site_id):
    hook = Hook(site_id=site_id, name="Chat", events=[], sealed_url="")
    session.add(hook)
    session.flush()
    return hook.id


def _import(session, site_id):
    found = Import(site_id=site_id, format="wordpress", file_name="old.xml", file_digest="")
    session.add(found)
    session.flush()
    return found.id


def _wave(session, site_id):
    wave = Wave(site_id=site_id)
    session.add(wave)
    session.flush()
    return wave.id


def _of_letters(app, session, comment):
    """The keys of the pages that letters to readers lead to."""
    follow = Follow(author_id=comment.author_id, article_id=comment.article_id)
    session.add(follow)
    session.flush()
    index = session.get_one(Author, comment.author_id).email_index
    signer = app.extensions["signer"]
    return {
        "confirm_token": Confirming(follow.id, index, comment.public_id, now()).sign(signer),
        "never_token": Refusing(index, comment.site_id, "en").sign(signer),
        "leave_token": Leaving(index, comment.site_id, comment.article_id).sign(signer),
    }


def _of_people(app, session, mo):
    """What stands in the URLs of people: Mo's own, and an invitation that waits."""
    site = session.scalars(select(Site).where(Site.key == SITE)).one()
    sign = app.extensions["signer"].sign
    reset = accounts.make_link(session, mo, purpose=accounts.Purpose.RESET)
    invited = people.invite(session, "the operator", "ina@daily.example", Role.MODERATOR, site)
    return {
        "invitation": sign("join link", invited),
        "first_token": sign("first link", first.make_link(session)),
        "invitation_id": 1,
        "reset_link": sign("reset link", reset),
        "membership_id": mo.memberships[0].id,
        "person_id": mo.id,
        "visit_id": 1,
        "key_id": 1,
    }


def _reported(app):
    """Reports the reply; gives the token of the report's receipt."""
    url = f"/embed/{SITE}/comments/{stored(app)[0].public_id}/report"
    sent = app.test_client().post(url, data={"token": token(app), "reason": "spam"})
    return sent.location.rpartition("/")[2].partition("#")[0]


def path(app, rule: Rule) -> str:
    """A URL of the rule that leads to something; an argument nobody gave is a KeyError."""
    given = {name: app.extensions["arguments"][name] for name in rule.arguments}
    with app.test_request_context():
        url = app.url_map.bind("localhost").build(rule.endpoint, given, method=min(rule.methods))
    return f"{url}?url={ARTICLE}"


def endpoints(app):
    return {rule.endpoint for rule in app.url_map.iter_rules()}


def methods(rule: Rule) -> list[str]:
    return sorted(rule.methods - {"HEAD", "OPTIONS"})


def signed_in(app, role):
    """A client of somebody who has just this role on the site; of a stranger for none."""
    client = app.test_client()
    if role is ANYBODY:
        return client
    site = None if role == Role.ADMIN else SITE
    return sign_in(app, client, add_moderator(app, f"{role}@daily.example", site, role))


def is_refused(answer) -> bool:
    return answer.status_code in (401, 403) or (
        answer.status_code == 302 and "/desk/login?" in answer.location
    )


def contents(app):
    """Every row of every table."""
    engine = app.extensions["database"].read_engine
    tables = app.extensions.setdefault("tables", MetaData())
    if not tables.tables:  # once for each application: no request makes a table
        tables.reflect(engine)
    with engine.connect() as connection:
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for name, table in tables.tables.items()
        }


def test_every_url_says_who_may_use_it(app):
    assert endpoints(app) == ACCESS.keys()


def test_only_the_ways_in_are_open_at_a_shut_door():
    assert {e for e, least in ACCESS.items() if e.startswith(SHUT) and least is ANYBODY} == WAYS_IN


@pytest.mark.parametrize("role", RANKS, ids=str)
def test_it_refuses_whoever_may_not(newsroom, role):
    client, before = signed_in(newsroom, role), contents(newsroom)
    shut = [
        rule
        for rule in newsroom.url_map.iter_rules()
        if RANKS.index(ACCESS[rule.endpoint]) > RANKS.index(role)
    ]
    let_in = [
        f"{method} {rule}"
        for rule in shut
        for method in methods(rule)
        if not is_refused(client.open(path(newsroom, rule), method=method))
    ]
    assert shut or role != ANYBODY
    assert let_in == []
    assert contents(newsroom) == before


@pytest.mark.parametrize("role", RANKS, ids=str)
def test_it_lets_in_whoever_may(newsroom, role):
    """Without this a door that refuses everybody would pass."""
    client = signed_in(newsroom, role)
    refused = [
        f"{rule}"
        for rule in newsroom.url_map.iter_rules()
        if RANKS.index(ACCESS[rule.endpoint]) <= RANKS.index(role) and "GET" in rule.methods
        if is_refused(client.get(path(newsroom, rule)))
    ]
    assert refused == []


@pytest.mark.parametrize("role", [ANYBODY, Role.ADMIN], ids=str)
def test_getting_a_page_changes_nothing(newsroom, role):
    client, before = signed_in(newsroom, role), contents(newsroom)
    assert any(before.values())
    for rule in newsroom.url_map.iter_rules():
        if "GET" not in rule.methods:
            continue
        answer = client.get(path(newsroom, rule))
        assert answer.status_code < 400 or is_refused(answer), f"{rule}: {answer.status}"
        assert contents(newsroom) == before, f"GET {rule} changed something"
