"""DESIGN.md's laws as functions: each takes sources and gives a line for every breach.

A source is read with `ast` (or Jinja's own parser) and never run.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import jinja2
from jinja2 import nodes

# DESIGN.md, "The house". A module imports from lower floors only; the parts of a package
# (rules, mail, exchange, views, cli, migrations) share its floor and may import each other.
FLOORS = {
    "settings": 0, "site_settings": 0, "colours": 0, "status": 0, "layout": 0, "text": 0, "urls": 0,
    "tokens": 0, "vault": 0,
    "compare": 0, "passwords": 0, "plots": 0, "measures": 0, "signatures": 0, "spoken": 0,
    "rules": 1, "models": 1, "typist": 1, "features": 1, "learning": 2,
    "database": 2, "migrations": 2, "outbound": 2, "letters": 2, "accounts": 2,
    "aliases": 2, "articles": 4,
    "attempts": 2, "bans": 2, "folds": 2, "passkeys": 2, "reports": 2, "search": 2, "visits": 2,
    "moderation": 3, "screening": 3,
    "events": 3, "notices": 3, "facts": 3, "filters": 3, "openings": 3, "second_step": 3,
    "threads": 4, "comments": 4, "desk": 4, "likes": 4, "follows": 4, "mail": 4, "exchange": 4,
    "audit": 4, "bulk": 4, "closing": 4, "colleagues": 4, "people": 4, "statistics": 4,
    "first": 4, "sites": 4, "doctor": 4, "site_erasure": 4,
    "lessons": 4, "retention": 4, "outside": 4, "holdings": 4, "trials": 4, "tuning": 4, "webhooks": 4,
    "views": 5, "cli": 5,
    "": 6,  # service/__init__.py, where the parts meet
}  # fmt: skip
# accounts.py is the one exception: it knows Flask-Security, and commits as that does.
EXEMPT = "accounts"
LOWER_ON_ITS_FLOOR = {
    (EXEMPT, "database"), ("text", "layout"), ("moderation", "notices"),
    *(("site_settings", lower) for lower in ("colours", "settings", "spoken", "status", "urls")),
    ("mail", "follows"),
    ("mail", "people"),
    ("first", "people"),
    *((higher, "sites") for higher in ("closing", "tuning", "site_erasure")),
}  # fmt: skip
WITHOUT_FLASK = (0, 1)
DOORS = ("views", "cli")
FLASKS = ("flask", "flask_", "werkzeug", "wtforms")
HTTP_CLIENTS = (
    "http.client", "urllib.request", "urllib3", "requests", "httpx", "httpcore", "aiohttp",
    "socket", "pycurl",
)  # fmt: skip
SANITISERS = ("bleach", "nh3")
# Jinja's filters that mark what they are given as HTML.
UNESCAPING = ("safe", "urlize")
AN_AUTHORS = {"Author", "author", "author_id", "email", "email_index", "email_ciphertext"}
# What is only ever added to (hard rule 12): the models, and what a row of one is called in a source.
RECORD = {"Decision", "Event"}
OF_THE_RECORD = {"decision", "event"}
ALTERING_SQL = re.compile(r"(?i)\b(update\s+|delete\s+from\s+|truncate\s+)(decisions|events)\b")
SCRIPTED_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"
    r"createContextualFragment|setHTMLUnsafe|srcdoc"
)


def python_sources(folder: Path) -> dict[str, str]:
    """The source of every module under a package's folder, by its name within the package."""
    return {_module(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}


def template_sources(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit(module: str) -> str:
    """What has a floor: a module, or the whole package that it is part of."""
    return module.partition(".")[0]


# --- What a source says ------------------------------------------------------------------------


def imported(module: str, sources: Mapping[str, str], package: str = "service") -> Iterator[str]:
    """The project's own modules that a module imports, by their names within the package."""
    is_package = any(other.startswith(f"{module}.") for other in sources) or module == ""
    inside = module.split(".") if module else []
    for node in ast.walk(ast.parse(sources[module])):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (_known(n[1:], sources) for n in names if n[0] == package)
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                up = node.level - 1 if is_package else node.level
                base = inside[: len(inside) - up] + base
            elif base[:1] != [package]:
                continue
            else:
                base = base[1:]
            yield from (_known([*base, alias.name], sources) for alias in node.names)


def _known(parts: list[str], sources: Mapping[str, str]) -> str:
    """The module in which a dotted name lies: `models.Site` lies in `models`."""
    while parts and ".".join(parts) not in sources:
        parts = parts[:-1]
    return ".".join(parts)


def foreign(source: str) -> Iterator[str]:
    """Everything a source imports from elsewhere, written out: "http.client", "flask.session"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_of(name: str, packages: tuple[str, ...]) -> bool:
    return any(
        name == p or name.startswith(f"{p}.") or (p.endswith("_") and name.startswith(p))
        for p in packages
    )


def _called(node: ast.Call) -> str:
    """The last word of what is called: `commit` of `session().commit()`."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


# --- Laws about modules --------------------------------------------------------------------------


def without_floor(sources: Mapping[str, str]) -> list[str]:
    """Every module has a floor."""
    return sorted(
        {f"{unit(m)} has no floor in DESIGN.md's house" for m in sources if unit(m) not in FLOORS}
    )


def pointing_up(sources: Mapping[str, str]) -> list[str]:
    """Imports point down, from a floor to a lower one."""
    return [
        f"{module} imports {other}, which is not below it"
        for module in sources
        for other in imported(module, sources)
        if unit(other) != unit(module)
        and FLOORS.get(unit(other), 9) >= FLOORS.get(unit(module), 9)
        and (unit(module), unit(other)) not in LOWER_ON_ITS_FLOOR
    ]


def not_at_the_top(sources: Mapping[str, str]) -> list[str]:
    """Imports stand at the top of the file: one inside a function hides a circle."""
    kinds = (ast.Import, ast.ImportFrom)
    return [
        f"{module}:{node.lineno} imports inside something"
        for module, source in sources.items()
        for tree in [ast.parse(source)]
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node not in tree.body
    ]


def circles(sources: Mapping[str, str]) -> list[str]:
    """No module imports itself by way of others."""
    left = {module: set(imported(module, sources)) - {module} for module in sources}
    # Leaves go first; what cannot be taken away leads into a circle.
    while leaves := {module for module, others in left.items() if not others & left.keys()}:
        left = {module: others for module, others in left.items() if module not in leaves}
    return [f"{module} imports itself by way of others" for module in sorted(left)]


def knowing_flask(sources: Mapping[str, str]) -> list[str]:
    """Floors 0 and 1 know no Flask."""
    return [
        f"{module} imports {name}"
        for module, source in sources.items()
        if FLOORS.get(unit(module)) in WITHOUT_FLASK
        for name in foreign(source)
        if _is_of(name, FLASKS)
    ]


def changing_a_status(sources: Mapping[str, str]) -> list[str]:
    """Only moderation changes a status; a first one comes from its initial() or imported()."""
    return [
        f"{module}:{line} {said}"
        for module, source in sources.items()
        if unit(module) != "moderation"
        for line, said in sorted(_statuses(ast.parse(source)))
    ]


def _statuses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and node.attr == "status"
        ):
            yield node.lineno, "stores to .status"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"(?is)\bupdate\s+comments\b|\bset\s+status\b", node.value):
                yield node.lineno, "updates comments in SQL"
        elif isinstance(node, ast.Call):
            yield from _statuses_given(node)


def _statuses_given(call: ast.Call) -> Iterator[tuple[int, str]]:
    """Where a call writes a status: Comment(status=…), values(status=…) and the like."""
    name = _called(call)
    if name == "setattr" and any(
        isinstance(a, ast.Constant) and a.value == "status" for a in call.args
    ):
        yield call.lineno, "sets a status by name"
    if name not in ("Comment", "values", "execute"):
        return
    given = [keyword.value for keyword in call.keywords if keyword.arg == "status"]
    for part in [*call.args, *(keyword.value for keyword in call.keywords)]:
        for node in ast.walk(part):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                given += [
                    v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "status"
                ]
    if any(not _is_first_status(value) for value in given):
        yield call.lineno, f"gives {name}() a status of its own"


def _is_first_status(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _called(value) in ("initial", "imported")


def altering_the_record(sources: Mapping[str, str]) -> list[str]:
    """Nothing changes or removes a row of the record: not in SQL, not by the session."""
    return [
        f"{module}:{line} {said}"
        for module, source in sources.items()
        for line, said in sorted(_alterations(ast.parse(source)))
    ]


def _alterations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if found := ALTERING_SQL.search(node.value):
                yield node.lineno, f"says {found[0]!r} in SQL"
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Name) and node.value.id in OF_THE_RECORD:
                yield node.lineno, f"changes a {node.value.id}’s .{node.attr}"
        elif isinstance(node, ast.Call) and _called(node) in ("update", "delete"):
            for name in sorted(_named(node) & (RECORD | OF_THE_RECORD)):
                yield node.lineno, f"calls {_called(node)}() on a {name}"


def _named(call: ast.Call) -> set[str]:
    """Every name in what is called and in what it is given."""
    parts = [node for part in (call.func, *call.args) for node in ast.walk(part)]
    names = {node.id for node in parts if isinstance(node, ast.Name)}
    return names | {node.attr for node in parts if isinstance(node, ast.Attribute)}


def committing(sources: Mapping[str, str]) -> list[str]:
    """Only doors commit, by database.writing()."""
    return [
        f"{module}:{call.lineno} calls {_called(call)}()"
        for module, source in sources.items()
        if unit(module) not in (*DOORS, "database", "migrations", EXEMPT)
        for call in _calls(source)
        if _called(call) in ("commit", "writing", "begin", "Session", "sessionmaker")
    ]


def making_html_safe(sources: Mapping[str, str]) -> list[str]:
    """Only text.py knows bleach and nh3 and marks HTML as safe."""
    found = []
    for module, source in sources.items():
        if module == "text":
            continue
        found += [
            f"{module} imports {name}"
            for name in foreign(source)
            if _is_of(name, SANITISERS)
            or name in ("markupsafe", "markupsafe.Markup", "flask.Markup")
        ]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name == "__html__":
                found.append(f"{module}:{node.lineno} calls itself safe HTML")
            if isinstance(node, ast.keyword) and node.arg == "autoescape":
                found.append(f"{module}:{node.value.lineno} decides about escaping")
    return found


def reaching_an_address(sources: Mapping[str, str]) -> list[str]:
    """Nothing in threads.py can reach an author's address."""
    tree = ast.parse(sources["threads"])
    words = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    words += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    words += [node.name for node in ast.walk(tree) if isinstance(node, ast.alias)]
    names = sorted(set(words) & (AN_AUTHORS | {"models"}))
    below = sorted(set(imported("threads", sources)) & {"vault", "accounts", "letters"})
    return [f"threads says {name}" for name in names] + [f"threads imports {m}" for m in below]


def opening_http(sources: Mapping[str, str]) -> list[str]:
    """Only outbound.py opens HTTP to elsewhere."""
    return [
        f"{module} imports {name}"
        for module, source in sources.items()
        if module != "outbound"
        for name in foreign(source)
        if _is_of(name, HTTP_CLIENTS)
    ]


# --- Laws about templates and scripts ------------------------------------------------------------


def unescaped(templates: Mapping[str, str]) -> list[str]:
    """No template marks anything as safe HTML."""
    found = []
    for name, tree in _parsed(templates):
        found += [
            f"{name}:{node.lineno} uses |{node.name}"
            for node in tree.find_all(nodes.Filter)
            if node.name in UNESCAPING
        ]
        found += [
            f"{name}:{node.lineno} says Markup"
            for node in tree.find_all(nodes.Name)
            if node.name == "Markup"
        ]
        found += [
            f"{name}:{node.lineno} decides about escaping"
            for node in tree.find_all((nodes.ScopedEvalContextModifier, nodes.EvalContextModifier))
        ]
    return found


def showing_an_address(templates: Mapping[str, str]) -> list[str]:
    """No template of the reader's looks at an author; the form's own field is another matter."""
    return [
        f"{name}:{node.lineno} looks at .{node.attr}"
        for name, tree in _parsed(templates)
        if name.startswith("reader/")
        for node in tree.find_all(nodes.Getattr)
        if node.attr in AN_AUTHORS
        and not (isinstance(node.node, nodes.Name) and node.node.name == "form")
    ]


# A mail client fetches no stylesheet: what a letter looks like stands in it, in this one place.
STYLE_OF_LETTERS = "mail/_style.html"


def inline(templates: Mapping[str, str]) -> list[str]:
    """No style, script or event handler stands in a template."""
    found = []
    for name, source in templates.items():
        if name == STYLE_OF_LETTERS:
            source = re.sub(r"</?style>", "", source)
        reader = _Tags()
        reader.feed(re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source))
        found += [f"{name} has {said}" for said in reader.found]
    for name, tree in _parsed(templates):
        found += [
            f"{name}:{node.lineno} gives a field {node.key}="
            for node in tree.find_all(nodes.Keyword)
            if node.key == "style"
            or (isinstance(node.key, str) and re.match("on[a-z]{3,}$", node.key))
        ]
    return found


def html_by_script(scripts: Mapping[str, str]) -> list[str]:
    """No script puts HTML together."""
    return [
        f"{name} says {said}"
        for name, source in scripts.items()
        for said in SCRIPTED_HTML.findall(source)
    ]


def _parsed(templates: Mapping[str, str]) -> Iterator[tuple[str, nodes.Template]]:
    environment = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    return ((name, environment.parse(source)) for name, source in templates.items())


class _Tags(HTMLParser):
    """Notes what a template's tags do inline."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if (
                name == "style"
                or name.startswith("on")
                or (value or "").strip().lower().startswith("javascript:")
            ):
                self.found.append(f"<{tag} {name}>")
        self._script = tag == "script"
        if tag == "style" or (tag == "script" and "src" not in dict(attributes)):
            self.found.append(f"an inline <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, text: str) -> None:
        if self._script and text.strip():
            self.found.append("script in a <script src>")
