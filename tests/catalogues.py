"""The catalogues of service/translations, held against what the reader's side says.

Run by itself, as `make translations` does at its end, this lists what they lack.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from gettext import c2py
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "service" / "translations"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%")
COUNT = "%(num)d"  # the number that a plural form is chosen by


def said() -> Catalog:
    """All that the reader's side says: what pybabel finds by the mappings in pyproject.toml."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "messages.pot"
        mapping = ROOT / "pyproject.toml"
        CommandLineInterface().run(
            ["pybabel", "-q", "extract", "-F", str(mapping), "-o", str(found), str(ROOT)]
        )
        with found.open("rb") as file:
            return read_po(file)


def names() -> list[str]:
    """The languages that there are catalogues of, as Babel writes them: zh_Hans."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def path(name: str, suffix: str = "po") -> Path:
    return FOLDER / name / "LC_MESSAGES" / f"messages.{suffix}"


def read(name: str) -> Catalog:
    with path(name).open("rb") as file:
        return read_po(file, locale=name)


def compiled(name: str) -> Catalog:
    with path(name, "mo").open("rb") as file:
        return read_mo(file)


def faults(template: Catalog, catalogue: Catalog, binary: Catalog) -> list[str]:
    """What is wrong with a language's catalogue and its compiled file, a line each."""
    alone = _alone(catalogue.plural_expr)
    return [
        *_left_out(template, catalogue),
        *(f"{why}: {m.id!r}" for m in catalogue if m.id for why in _ill(m, alone)),
        *_other_plurals(catalogue),
        *_not_compiled(catalogue, binary),
    ]


def _left_out(template: Catalog, catalogue: Catalog) -> Iterator[str]:
    wanted, there = ({_key(m): m.id for m in c if m.id} for c in (template, catalogue))
    yield from (f"missing: {wanted[key]!r}" for key in wanted.keys() - there.keys())
    yield from (f"said nowhere: {there[key]!r}" for key in there.keys() - wanted.keys())
    yield from (f"obsolete: {message.id!r}" for message in catalogue.obsolete.values())


def _key(message: Message) -> tuple[object, ...]:
    return message.context, message.id if isinstance(message.id, str) else tuple(message.id)


def _ill(message: Message, alone: set[int]) -> Iterator[str]:
    forms = _forms(message)
    if not all(forms):
        yield "not translated"
    if message.fuzzy:
        yield "fuzzy"
    if any(form != form.strip() for form in forms):
        yield "a space too many"
    wanted = _placeholders(message.id[-1] if message.pluralizable else message.id)
    for number, form in enumerate(forms):
        found = _placeholders(form)
        # A form for one number alone ("two replies", in Arabic) may say it in a word.
        if found != wanted and not (number in alone and sorted([*found, COUNT]) == wanted):
            yield f"placeholders differ in {form!r}"


def _forms(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if message.pluralizable else (str(message.string),)


def _placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def _alone(rule: str) -> set[int]:
    """The plural forms that are for one number and no other."""
    chosen = Counter(map(c2py(rule), range(1000)))
    return {form for form, times in chosen.items() if times == 1}


def _other_plurals(catalogue: Catalog) -> Iterator[str]:
    count, rule = get_plural(catalogue.locale)
    if (catalogue.num_plurals, catalogue.plural_expr) != (count, rule):
        yield f"plural forms are not Babel's: {catalogue.plural_forms}"
    for message in catalogue:
        if message.id and message.pluralizable and len(message.string) != count:
            yield f"{len(message.string)} plural forms in place of {count}: {message.id!r}"


def _not_compiled(catalogue: Catalog, binary: Catalog) -> Iterator[str]:
    written, used = ({_key(m): _forms(m) for m in c if m.id} for c in (catalogue, binary))
    if (written, catalogue.plural_forms) != (used, binary.plural_forms):
        yield "the .mo file is not made from this .po file"


def main() -> None:
    template = said()
    lacking = {name: faults(template, read(name), compiled(name)) for name in names()}
    for name, lines in lacking.items():
        print(*(f"{name}: {line}" for line in lines), sep="\n", end="\n" if lines else "")
    if any(lacking.values()):
        sys.exit("Translate these in service/translations, and run this again.")


if __name__ == "__main__":
    main()
