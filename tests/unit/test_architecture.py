"""Rules of the code that no linter holds."""

import ast
import re
import sys
from pathlib import Path

import pytest

import app
from app.adapters.postgres.revision import REVISION_TABLE
from app.bootstrap import CONTEXTS
from app.devtools.servers.mongod import REPLICA_SET
from app.devtools.servers.postgres import DATABASE
from app.devtools.servers.sockets import socket_folder
from app.host.settings import Settings

ROOT = Path(app.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

MOST_LINES = 300
"""A module may have more if its docstring says why, in a line that begins with `Long:`."""

MACHINERY = [
    each
    for each in MODULES
    if each.relative_to(ROOT).parts[0] in {"adapters", "devtools", "framework"}
]

USERS_OF_DATABASES = {
    "adapters/identity/tokens.py",
    "adapters/mongo/urls.py",
    "adapters/postgres/urls.py",
    "devtools/servers/accounts.py",
    "devtools/servers/sockets.py",
    "framework/principal.py",
    "framework/projections/refusals.py",
    "framework/security/policies.py",
    "framework/storage.py",
}
"""Modules of the machinery that speak of users of a database, the machine or an issuer."""

EVERYDAY = frozenset(
    [
        "account",
        "comment",
        "document",
        "event",
        "item",
        "library",
        "member",
        "message",
        "note",
        "order",
        "page",
        "place",
        "process",
        "request",
        "room",
        "session",
        "stream",
        "task",
    ]
)
"""Words that the machinery has in senses of its own, and a context may be called by."""

STANDARD_LIBRARY_ONLY = [
    "framework/mediator",
    "framework/eventsourcing",
    "framework/projections",
    "framework/contexts",
    *(str(each.relative_to(ROOT)) for each in ROOT.glob("contexts/*/domain*")),
]
"""What imports nothing beside other packages of the app and the standard library."""


def imports_of(module: Path) -> set[str]:
    """Every module that a module imports, by its full name."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found.add(node.module or "")
    return found


def docstring_of(module: Path) -> str:
    """The docstring of a module, or nothing."""
    return ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""


def gives_reason(docstring: str) -> bool:
    """Whether a docstring says why its module is long."""
    return re.search(r"^Long: \S", docstring, re.MULTILINE) is not None


@pytest.mark.parametrize("module", MODULES, ids=lambda each: str(each.relative_to(ROOT.parent)))
def test_a_module_says_what_it_is_for(module):
    """Every module has a docstring, packages too."""
    assert docstring_of(module)


@pytest.mark.parametrize("module", MODULES, ids=lambda each: str(each.relative_to(ROOT.parent)))
def test_a_module_is_short_or_says_why_not(module):
    """At most MOST_LINES, unless the docstring gives the reason after `Long:`."""
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES or gives_reason(docstring_of(module))


@pytest.mark.parametrize("package", STANDARD_LIBRARY_ONLY)
def test_inner_packages_import_the_standard_library_only(package):
    """No library, well known or not; the import contracts name only those we use."""
    path = ROOT / package
    for module in [path] if path.is_file() else path.rglob("*.py"):
        for name in imports_of(module):
            top = name.partition(".")[0]
            assert top == "app" or top in sys.stdlib_module_names, f"{module} imports {name}"


def test_a_reason_is_a_line_of_the_docstring():
    """The word alone is none."""
    assert gives_reason("A table.\n\nLong: one row for each of 400 codes.")
    assert not gives_reason("A table.")
    assert not gives_reason("A table.\n\nLong:")


def test_the_product_is_named_in_one_place():
    """In `app.NAME`; everything else derives its names from there."""
    named = [each for each in MODULES if app.IDENTIFIER in each.read_text("utf-8").lower()]
    assert named == [ROOT / "__init__.py"]


def test_what_is_stored_under_the_name_of_the_product_is_found(tmp_path, monkeypatch):
    """These names are in databases and data directories out there, so they never change."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert REVISION_TABLE == "diptych_revision"
    assert (DATABASE, REPLICA_SET) == ("diptych", "diptych")
    assert Settings.model_fields["mongodb_database"].default == "diptych"
    folder = socket_folder(Path("/", "x" * 100), "socket", None).name
    assert re.fullmatch("diptych-[0-9a-f]{12}", folder)


def words_of(text: str) -> str:
    """The words of a text and of the names in it, in lower case, with a blank around each."""
    found = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)
    return f" {' '.join(found).lower()} "


def vocabulary() -> set[str]:
    """What contexts and their types of streams are called."""
    names = {
        name
        for context in CONTEXTS
        for name in (
            context.package.rpartition(".")[2],
            *(each.stream_type for each in context.aggregates),
        )
    }
    return {words_of(each) for each in names if each.removesuffix("s") not in EVERYDAY}


def test_the_machinery_speaks_of_no_context():
    """Neither in names nor in texts; what it needs of a context, the manifest gives it."""
    words = vocabulary()
    texts = {str(each.relative_to(ROOT)): words_of(each.read_text("utf-8")) for each in MACHINERY}
    speaking = {name for name, text in texts.items() if any(each in text for each in words)}
    assert speaking == USERS_OF_DATABASES


def test_words_are_found_in_names():
    """However these are written."""
    text = "the GiftCard of gift_cards, /gift-cards/{GIFT_CARD_ID}"
    assert words_of(text) == " the gift card of gift cards gift cards gift card id "
