"""`flask settings`: every setting with its default and its sentence."""

import textwrap
from dataclasses import fields

import click

from ..settings import SETTINGS
from ..site_settings import SiteSettings


@click.command()
def settings() -> None:
    """Print every setting: name, default and what it is for."""
    click.echo("Set in the environment as REJOINDER_NAME or in instance/settings.toml:\n")
    for setting in SETTINGS:
        default = "made by `flask setup`" if setting.is_secret else _shown(setting.default)
        _print(setting.name, default, setting.sentence)
    click.echo("Each site's own:\n")
    for setting_of_site in fields(SiteSettings):
        default = _shown(setting_of_site.default)
        _print(setting_of_site.name, default, setting_of_site.metadata["sentence"])


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return " / ".join(str(default).splitlines()) if default not in ("", []) else "empty"


def _print(name: str, default: str, sentence: str) -> None:
    click.echo(f"{name}  ({default})")
    folded = textwrap.wrap(sentence, 86, break_on_hyphens=False, break_long_words=False)
    click.echo(textwrap.indent("\n".join(folded), "    ") + "\n")
