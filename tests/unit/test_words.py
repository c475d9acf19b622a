"""Code and documents use the field's words, and docstrings say something."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("app/**/*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BANNED = {
    "(who|what|which|whom)(so)?ever": "say who or what",
    "(some|no|every|any)body|everyone": "say who",
    "who asks": "callers, clients",
    "(is|are|was|were|be|been) told": "gets, receives",
    "(told|tells) of": "sends, reports",
    "leisure(ly)?": "long operation",
    "heal(s|ed|ing)?": "transient error",
    "editions?": "schema version, snapshot version, projection version",
    "amiss": "wrong",
    "mend(s|ed|ing)?": "correct, repair",
    "apart": "separate, dedicated",
    "stances?": "handled or ignored",
}
"""Words that a reader whose first language is not English stumbles over, and better ones."""

OPENAPI = "openapi.json has this text, and it is a contract with clients"

EXCEPTIONS = {
    "app/adapters/postgres/event_store.py": (["edition"], "a name in stored JSON"),
    "app/adapters/postgres/statements.py": (["edition"], "the name of a column"),
    "app/contexts/users/http/event_fields.py": (["editions"], OPENAPI),
    "app/contexts/users/http/changes.py": (["be told"], OPENAPI),
    "app/contexts/users/http/fields.py": (["whatever"], OPENAPI),
    "app/contexts/users/http/parameters.py": (["whatever", "whichever"], OPENAPI),
    "app/devtools/servers/accounts.py": (["nobody"], "the name of an account"),
    "app/framework/http/parameters.py": (["whatever"], OPENAPI),
    "app/framework/http/promises.py": (["somebody"], OPENAPI),
    "app/framework/http/schemas/problem.py": (["editions"], OPENAPI),
    "app/framework/http/schemas/projections.py": (["edition"], OPENAPI),
    "app/main.py": (["apart"], OPENAPI),
}
"""The banned words that a file has to use, and why."""


def banned_in(file: Path) -> list[str]:
    """The banned words in `file`, also where they are a part of a name or run over a line."""
    text = re.sub(r"\s+", " ", re.sub(r'\n\s*[#"]? ?', " ", file.read_text(encoding="utf-8")))
    found = re.finditer(rf"(?<![a-z])({'|'.join(BANNED)})(?![a-z])", text.lower())
    return sorted({each[0] for each in found})


def test_words_are_the_fields():
    """Sentences say who does what, and a notion has one word."""
    found = {str(each.relative_to(ROOT)): banned_in(each) for each in (*SOURCES, *PAGES)}
    expected = {name: words for name, (words, _) in EXCEPTIONS.items()}
    assert {name: words for name, words in found.items() if words} == expected, BANNED


def test_no_docstring_only_points_to_another():
    """An implementation says what is its own; the port says the rest."""
    pointing = re.compile(r'"""As `[\w.]+` says\.?"""')
    assert [each for each in SOURCES if pointing.search(each.read_text(encoding="utf-8"))] == []


def test_methods_of_ports_are_described():
    """Each says what a caller may rely on, which neither its name nor its types do."""
    silent: dict[str, list[str]] = defaultdict(list)
    for each in SOURCES:
        text = each.read_text(encoding="utf-8")
        if re.search(r"^from typing import .*\bProtocol\b", text, re.MULTILINE):
            for port in ast.walk(ast.parse(text)):
                if isinstance(port, ast.ClassDef) and "Protocol" in map(ast.unparse, port.bases):
                    silent[port.name] += [
                        method.name
                        for method in port.body
                        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                        and ast.get_docstring(method) is None
                    ]
    assert {name: methods for name, methods in silent.items() if methods} == {}
