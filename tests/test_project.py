"""What stands in the project's files: locked packages, no address of one machine, nothing secret."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN, TEST = "requirements.lock", "requirements-test.lock"
# A registry's host, the download address of a package, a path of one machine.
HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.|https?://[^ \"'<>]+\.(?:whl|tgz|tar\.gz)\b"
)
MACHINE = re.compile(r"(?<![\w.~])/(?:work|root|home|Users)/[\w.]")


def git(*arguments):
    told = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    if told.returncode > 1:
        pytest.skip("this is no git checkout")
    return told.stdout.split("\n")[:-1]


def locked(name):
    """The pins of a lock file: a package may be locked once for each Python."""
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.lstrip().startswith("#")]


def places(pattern, text):
    return [found.group() for found in pattern.finditer(text)]


def faults(text):
    return places(HOSTS, text) + places(MACHINE, text)


def project_files():
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    files = project_files()
    assert ROOT / "Makefile" in files
    found = {path.name: faults(path.read_text("utf-8", "ignore")) for path in files}
    assert {name: said for name, said in found.items() if said} == {}


# In two halves, so that this file passes its own test.
@pytest.mark.parametrize(
    "halves",
    [
        ("https://pypi", ".org/simple"),
        ("files.pythonhosted", ".org"),
        ("https://files.example/a-1.0-py3-none-any", ".whl"),
        ("/wo", "rk/main"),
        ("'/roo", "t/.venv'"),
        ("file:///hom", "e/ann"),
    ],
    ids="".join,
)
def test_it_would_be_seen(halves):
    assert faults(f"see {''.join(halves)} there")


@pytest.mark.parametrize("text", ["/path/of/one", "service/root/x", "https://a.example/work/1"])
def test_a_path_of_no_machine_is_no_fault(text):
    assert faults(text) == []


@pytest.mark.parametrize("name", [RUN, TEST])
def test_a_lock_pins_versions_and_names_no_address(name):
    assert not re.search(r"https?://|file:|^-|@ ", (ROOT / name).read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"==[\w.+!]+", str(pin.specifier)) for pin in locked(name))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [(RUN, PROJECT["project"]["dependencies"]), (TEST, PROJECT["dependency-groups"]["test"])],
    ids=[RUN, TEST],
)
def test_a_lock_holds_what_the_project_asks_for(name, wanted):
    """If this fails, `make lock` was forgotten."""
    pins = {_plain(pin.name): next(iter(pin.specifier)).version for pin in locked(name)}
    missing = [
        line
        for line, asked in zip(wanted, map(Requirement, wanted), strict=True)
        if not asked.specifier.contains(pins.get(_plain(asked.name), "0"), prereleases=True)
        or _plain(asked.name) not in pins
    ]
    assert missing == []


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_tests_run_on_what_is_locked_for_running():
    assert {str(pin) for pin in locked(RUN)} <= {str(pin) for pin in locked(TEST)}


def test_git_keeps_nothing_of_an_installation():
    paths = [
        "instance/secrets.toml",
        "instance/rejoinder.db",
        "instance/README.md",
        ".venv/x",
        "uv.lock",
    ]
    assert set(paths) - set(git("check-ignore", "--no-index", *paths)) == {"instance/README.md"}


def test_ci_runs_what_the_readme_says():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line and line[0] != "#"]
    assert lines == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "make test",
        "make test-long",
        "make test-postgresql",
    ]
