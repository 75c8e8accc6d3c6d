"""`flask site`, `flask moderator`, `flask demo`, `flask privacy` and `flask rerender`."""

import base64
import re

import pytest
from cast import add_moderator, add_site, reply, stored
from click.testing import CliRunner
from sqlalchemy import select, update

from service import accounts, database, passkeys, second_step
from service.cli import setup
from service.models import Article, Author, Comment, Passkey, Revision, Site
from service.status import Role, Status
from service.vault import Hidden

PASSWORD = "a long enough password\n"


@pytest.fixture
def flask(app):
    def run(*words, **options):
        return app.test_cli_runner().invoke(args=list(words), **options)

    return run


def test_a_site_is_added_with_its_origins_in_one_spelling(app, flask):
    added = flask(
        "site", "add", "daily", "--name", "The Daily", "--origin", "https://Daily.example/x"
    )
    assert added.exit_code == 0, added.output
    with app.app_context():
        site = database.session().scalars(select(Site)).one()
        assert (site.key, site.origins) == ("daily", ["https://daily.example"])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("site", "add", "daily", "--name", "D", "--origin", "https://d.example"), 1),
        (("site", "add", "No Key", "--name", "D", "--origin", "https://d.example"), 2),
        (("site", "add", "weekly", "--name", "D", "--origin", "nonsense"), 2),
        (("moderator", "add", "mo@daily.example", "--role", "moderator"), 2),
        (("moderator", "add", "mo@daily.example", "--role", "admin", "--site", "daily"), 2),
        (("moderator", "add", "nonsense", "--role", "admin"), 2),
        (("moderator", "add", "mo@daily.example", "--role", "admin"), 2),
    ],
)
def test_wrong_usage_and_what_cannot_be_done_change_nothing(app, flask, words, status):
    add_site(app)
    assert flask(*words).exit_code == status
    with app.app_context():
        assert len(database.session().scalars(select(Site)).all()) == 1
        assert database.session().scalars(select(accounts.Moderator)).all() == []


def test_a_site_s_setting_is_given_and_shown(app, flask):
    flask("site", "add", "daily", "--name", "The Daily", "--origin", "https://daily.example")
    given = flask("site", "set", "daily", "likes", "on")
    assert (given.exit_code, given.output) == (0, "likes of daily is on.\n")
    shown = flask("site", "show", "daily").output.splitlines()
    assert shown[0] == "The Daily (https://daily.example)"
    assert {"likes  on", "sort  oldest  (default)", "edit_minutes  15  (default)"} <= set(shown)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("daily", "likes", "maybe"), 2, "likes must be on or off."),
        (("daily", "colour", "red"), 2, "there is no site setting colour"),
        (("weekly", "likes", "on"), 1, "There is no site weekly"),
    ],
)
def test_a_wrong_setting_is_refused_and_changes_nothing(app, flask, words, status, said):
    flask("site", "add", "daily", "--name", "The Daily", "--origin", "https://daily.example")
    refused = flask("site", "set", *words)
    assert (refused.exit_code, said in refused.output) == (status, True)
    assert "likes  off" in flask("site", "show", "daily").output


def test_a_moderator_signs_in_with_the_password_given(app, flask):
    add_site(app)
    words = ("moderator", "add", "Mo@Daily.example", "--role", "moderator", "--site", "daily")
    added = flask(*words, "--password-stdin", input=PASSWORD)
    assert added.exit_code == 0, added.output
    client = app.test_client()
    key = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/desk/login").text)[1]
    sent = {"email": "mo@daily.example", "password": PASSWORD.strip(), "csrf_token": key}
    assert client.post("/desk/login", data=sent).status_code == 303
    assert client.get("/desk/").status_code == 200
    with app.app_context():
        [mo] = database.session().scalars(select(accounts.Moderator))
        assert mo.password.startswith("$argon2")


def test_who_forgot_the_password_gets_a_link_that_works_once(app, flask):
    add_site(app)
    add_moderator(app)
    assert flask("moderator", "link", "nobody@daily.example").exit_code == 1
    path = flask("moderator", "link", "Mo@daily.example").stdout.strip().partition("localhost")[2]
    client = app.test_client()
    key = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)[1]
    assert client.post(path, data={"csrf_token": key}).status_code == 303
    assert client.get("/desk/").status_code == 200
    assert client.get(path).status_code == 404


def test_a_short_password_is_refused(app, flask):
    words = ("moderator", "add", "mo@daily.example", "--role", "admin", "--password-stdin")
    assert flask(*words, input="short\n").exit_code == 1


def test_people_are_listed_given_another_role_and_removed(app, flask):
    add_site(app)
    add_moderator(app)
    add_moderator(app, "ada@daily.example", None, Role.ADMIN)
    assert flask("moderator", "list").output.splitlines() == [
        "ada@daily.example  admin  all sites  ada",
        "mo@daily.example  moderator  daily  mo",
    ]
    assert (
        flask("moderator", "role", "mo@daily.example", "publisher", "--site", "daily").exit_code
        == 0
    )
    assert flask("moderator", "role", "mo@daily.example", "publisher").exit_code == 2
    assert flask("moderator", "role", "nobody@daily.example", "admin").exit_code == 1
    assert "publisher  daily" in flask("moderator", "list").output
    assert flask("moderator", "remove", "mo@daily.example").exit_code == 0
    assert flask("moderator", "remove", "mo@daily.example").exit_code == 1
    assert flask("moderator", "link", "mo@daily.example").exit_code == 1
    assert "mo@" not in flask("moderator", "list").output


@pytest.mark.parametrize("role", ["moderator", "publisher"])
def test_who_was_removed_and_is_added_again_has_the_new_password_and_nothing_of_before(
    app, flask, role
):
    add_site(app)
    mo_s = add_moderator(app)
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo_s).password = accounts.hashed("the stolen password")
        secret = second_step.new_secret(app.extensions["vault"])
        second_step.switch_on(session, mo_s, secret, 1)
        second_step.new_codes(session, app.extensions["vault"], mo_s)
        session.add(Passkey(moderator_id=mo_s, credential=b"key", public_key=b"", name="laptop"))
    assert flask("moderator", "remove", "mo@daily.example").exit_code == 0
    words = ("moderator", "add", "mo@daily.example", "--role", role, "--site", "daily")
    added = flask(*words, "--password-stdin", input=PASSWORD)
    assert added.exit_code == 0, added.output
    with app.app_context():
        session = database.session()
        mo = session.get_one(accounts.Moderator, mo_s)
        assert (mo.active, mo.name, [str(m.role) for m in mo.memberships]) == (True, "mo", [role])
        assert accounts.has_password(mo, PASSWORD.strip())
        assert not accounts.has_password(mo, "the stolen password")
        assert (mo.totp_secret, passkeys.of(session, mo_s)) == (None, [])
        assert second_step.codes_left(session, mo_s) == 0


@pytest.mark.parametrize(
    "words",
    [
        ("remove", "ada@daily.example"),
        ("role", "ada@daily.example", "moderator", "--site", "daily"),
    ],
)
def test_not_even_the_operator_leaves_the_desk_without_an_admin(app, flask, words):
    add_site(app)
    add_moderator(app, "ada@daily.example", None, Role.ADMIN)
    refused = flask("moderator", *words)
    assert refused.exit_code == 1
    assert "This is the last admin." in refused.output


def test_the_demo_is_made_once_and_its_link_signs_in_once(app, flask):
    monday = flask("demo")
    assert monday.exit_code == 0, monday.output
    made = len(stored(app))
    assert {c.status for c in stored(app)} >= {Status.APPROVED, Status.PENDING}
    tuesday = flask("demo")
    assert len(stored(app)) == made
    for printed in (monday, tuesday):
        path = re.search(r"(/desk/sign-in/\S+)", printed.output)[1]
        client = app.test_client()
        key = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)[1]
        assert client.post(path, data={"csrf_token": key}).status_code == 303
        assert client.get(path).status_code == 404


def test_the_demo_stays_on_this_machine(make_app):
    app = make_app(BASE_URL="https://comments.example.org")
    refused = app.test_cli_runner().invoke(args=["demo"])
    assert refused.exit_code == 1
    assert "can be reached by others" in refused.output


def test_the_demo_follows_when_it_is_served_on_another_port(make_app):
    for port in ("8000", "8001"):
        app = make_app(BASE_URL="")
        made = app.test_cli_runner().invoke(args=["demo"], env={"PORT": port, "HOST": "127.0.0.1"})
        assert f"http://127.0.0.1:{port}/demo/" in made.output
    page = app.test_client().get("/demo/", base_url="http://127.0.0.1:8001")
    assert page.status_code == 200
    article = {"url": "http://127.0.0.1:8001/demo/", "article": "demo-review"}
    assert "comment-" in app.test_client().get("/embed/demo", query_string=article).text


def test_the_demo_goes_back_to_an_earlier_port_and_leaves_other_articles_alone(make_app):
    for port in ("8000", "8001", "8000"):
        app = make_app(BASE_URL="")
        made = app.test_cli_runner().invoke(args=["demo"], env={"PORT": port, "HOST": "127.0.0.1"})
        assert made.exit_code == 0, made.output
        with app.app_context(), database.writing() as session:
            urls = set(session.scalars(select(Article.url)))
            assert f"http://127.0.0.1:{port}/demo/" in urls
            if len(urls) == 1:
                site_id = session.scalar(select(Article.site_id))
                session.add(Article(site_id=site_id, url="http://127.0.0.1:8000/other"))
    assert "http://127.0.0.1:8000/other" in urls


def test_keys_are_rotated_and_no_address_is_lost(make_app, flask):
    old = make_app()
    add_site(old)
    for number in range(3):
        reply(old, old.test_client(), email=f"rita{number}@example.org", comment=f"No. {number}")
    ring = "bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=," + _text(old.config["EMAIL_KEYS"][0])
    new = make_app(EMAIL_KEYS=ring)
    rotated = new.test_cli_runner().invoke(args=["privacy", "rotate-keys"])
    assert "3 addresses" in rotated.output
    alone = make_app(EMAIL_KEYS=ring.partition(",")[0])
    with alone.app_context():
        vault = alone.extensions["vault"]
        authors = database.session().scalars(select(Author)).all()
        shown = {vault.reveal(_hidden(author), author.site_id) for author in authors}
    assert shown == {f"rita{number}@example.org" for number in range(3)}


def test_setup_fills_in_the_domain_s_index_where_it_is_missing(make_app, monkeypatch, tmp_path):
    """Authors from before there were domain bans; an address whose key is missing stops nothing."""
    monkeypatch.setattr(setup, "BATCH", 2)
    app = make_app()
    add_site(app)
    for number in range(5):
        reply(app, app.test_client(), email=f"rita{number}@example.org", comment=f"No. {number}")
    with app.app_context(), database.writing() as session:
        lost = session.scalars(select(Author).order_by(Author.id)).first()
        lost.email_key_id = "gone"
        session.execute(update(Author).values(domain_index=None))
    index = app.extensions["vault"].domain_index("x@example.org")
    given = app.config
    keys = {"EMAIL_KEYS": _text(given["EMAIL_KEYS"][0]), "INDEX_KEY": _text(given["INDEX_KEY"])}
    place = {"DATABASE_URL": given["DATABASE_URL"], "INSTANCE": str(tmp_path)}
    for name, value in (keys | place | {"SECRET_KEY": given["SECRET_KEY"]}).items():
        monkeypatch.setenv(f"REJOINDER_{name}", value)
    for _ in range(2):  # safe to repeat
        done = CliRunner().invoke(setup.setup)
        assert (done.exit_code, done.output.splitlines()[0]) == (0, "Ready.")
        with app.app_context():
            filled = database.session().scalars(select(Author.domain_index).order_by(Author.id))
            assert filled.all() == [None] + [index] * 4


def _hidden(author):
    return Hidden(author.email_index, author.email_ciphertext, author.email_key_id)


def _text(key):
    return base64.b64encode(key).decode()


def test_older_html_is_made_anew(app, flask):
    add_site(app)
    reply(app, app.test_client(), comment="*Hear*")
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(html="old", renderer=0))
        comment = session.scalars(select(Comment)).one()
        for is_html in (True, False):  # a text before, as it was brought or typed
            typed = "<i>Hi</i> *there*"
            old = Revision(comment_id=comment.id, text=typed, html="old", is_html=is_html)
            session.add(old)
    assert "1 comments" in flask("rerender").output
    assert "<em>Hear</em>" in stored(app)[0].html
    with app.app_context():
        earlier = database.session().scalars(select(Revision.html).order_by(Revision.id)).all()
        assert earlier == ["<p><i>Hi</i> *there*</p>", "<p><i>Hi</i> <em>there</em></p>"]
    assert "0 comments" in flask("rerender").output
