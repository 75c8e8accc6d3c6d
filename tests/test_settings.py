import base64
from dataclasses import fields

import pytest

from service.settings import SETTINGS, Unusable, load
from service.site_settings import Group, SiteSettings

KEY = base64.b64encode(b"k" * 32).decode()
SECRETS = {"SECRET_KEY": "s", "EMAIL_KEYS": KEY, "INDEX_KEY": KEY}


def test_it_starts_with_secrets_alone(tmp_path):
    loaded = load(SECRETS | {"INSTANCE": tmp_path}, {})
    assert loaded["DATABASE_URL"] == f"sqlite:///{tmp_path / 'rejoinder.db'}"
    assert loaded["EMAIL_KEYS"] == [b"k" * 32]


def test_arguments_win_over_the_environment_and_that_over_files(tmp_path):
    (tmp_path / "settings.toml").write_text(
        "TRUSTED_PROXIES = 1\nRATE_LIMITS = false\nMAX_BODY = 7"
    )
    environ = {"REJOINDER_TRUSTED_PROXIES": "2", "REJOINDER_RATE_LIMITS": "on"}
    loaded = load(SECRETS | {"INSTANCE": tmp_path, "TRUSTED_PROXIES": 3}, environ)
    assert (loaded["TRUSTED_PROXIES"], loaded["RATE_LIMITS"], loaded["MAX_BODY"]) == (3, True, 7)


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_a_secret(tmp_path, name):
    with pytest.raises(Unusable, match=f"{name} is not set: run `flask setup`"):
        load({k: v for k, v in SECRETS.items() if k != name} | {"INSTANCE": tmp_path}, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "many"),
        ("RATE_LIMITS", "perhaps"),
        ("BASE_URL", "comments.example"),
        ("INDEX_KEY", "short"),
        ("EMAIL_KEYS", "c2hvcnQ="),
    ],
)
def test_it_does_not_start_with_a_wrong_value_and_names_no_secret(tmp_path, name, value):
    with pytest.raises(Unusable, match=f"{name} must be") as refused:
        load(SECRETS | {"INSTANCE": tmp_path, name: value}, {})
    assert "\n" not in str(refused.value)
    assert name not in SECRETS or value not in str(refused.value)


def test_a_name_that_is_no_setting_stops_the_start(tmp_path):
    (tmp_path / "settings.toml").write_text('DATABSE_URL = "sqlite://"')
    with pytest.raises(Unusable, match="there is no setting DATABSE_URL"):
        load(SECRETS | {"INSTANCE": tmp_path}, {})


def test_a_broken_file_is_one_clear_line(tmp_path):
    (tmp_path / "settings.toml").write_text("= 1")
    with pytest.raises(Unusable, match=r"settings\.toml cannot be read"):
        load(SECRETS | {"INSTANCE": tmp_path}, {})


def test_every_setting_has_its_sentence():
    assert all(setting.sentence.endswith(".") for setting in SETTINGS)


def test_a_site_may_leave_everything_as_it_is():
    assert SiteSettings.read({}).comment_length == 10_000
    assert SiteSettings.read({"reply_depth": 2}).reply_depth == 2


@pytest.mark.parametrize(
    "stored", [{"reply_depth": 0}, {"reply_depth": 99}, {"colour": "red"}, {"sort": "best"}]
)
def test_a_site_s_setting_is_checked(stored):
    with pytest.raises(ValueError, match=r"reply_depth|colour|sort"):
        SiteSettings.read(stored)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [("likes", "on", True), ("edit_minutes", "30", 30), ("sort", "newest", "newest")],
)
def test_a_site_s_setting_is_read_as_an_operator_writes_it(name, written, value):
    assert SiteSettings.parse(name, written) == value


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("likes", "maybe", "likes must be on or off"),
        ("edit_minutes", "soon", "edit_minutes must be a number"),
        ("edit_minutes", "-1", "edit_minutes must be from 0 to 10080"),
        ("sort", "best", "sort must be one of oldest, newest, liked"),
        ("colour", "red", "there is no site setting colour"),
        ("link_colour", "red", "link_colour must be a colour like #1a2b3c"),
        ("privacy_url", "javascript:1", "privacy_url must be an address"),
        ("name_label", "Nom\nde plume", "name_label must be one line"),
        ("language", "xx", "language must be one of en, fr"),
        ("consent", "x" * 501, "consent must be at most 500 characters"),
    ],
)
def test_a_wrong_one_is_refused_with_what_it_may_be(name, written, said):
    with pytest.raises(ValueError, match=said):
        SiteSettings.parse(name, written)


def test_a_site_s_public_reasons_are_a_list_with_a_sensible_beginning():
    assert len(SiteSettings().reasons) == 5
    written = SiteSettings.parse("public_reasons", " Off topic.\n\n  Rude. \n")
    assert SiteSettings.read({"public_reasons": written}).reasons == ["Off topic.", "Rude."]
    assert SiteSettings.read({"public_reasons": ""}).reasons == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAIL_URL", "http://me:hush@mail.example"),
        ("MAIL_URL", "smtp://"),
        ("MAIL_URL", "smtp://me:hush@mail.example:port"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@example.org, b@example.org"),
        ("MAIL_FROM", "a@example.org\nBcc: b@example.org"),
    ],
)
def test_mail_that_could_not_leave_stops_the_start_and_no_password_is_told(make_app, name, value):
    with pytest.raises(Unusable, match=f"{name} must be") as raised:
        make_app(**{name: value})
    assert "hush" not in str(raised.value)


def test_every_setting_of_a_site_has_its_label_its_sentence_and_its_place():
    for known in fields(SiteSettings):
        assert known.metadata["sentence"].endswith((".", ".”")), known.name
        assert known.metadata["label"], known.name
        assert known.metadata["group"] in Group, known.name


def test_a_language_that_an_earlier_version_took_stops_no_site():
    assert SiteSettings.read({"language": "xx"}).language == "xx"
