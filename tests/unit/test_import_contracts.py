"""The import contracts in pyproject.toml say what they seem to say."""

import fnmatch
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
MODULES = {"app", *(each.name for each in pkgutil.walk_packages(app.__path__, "app."))}
EXPRESSIONS = (
    "modules",
    "containers",
    "source_modules",
    "forbidden_modules",
    "protected_modules",
    "allowed_importers",
)


def contracts() -> list[dict[str, Any]]:
    """The contracts as they are written."""
    found: list[dict[str, Any]] = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Each expression that stands for modules of the app, with its contract."""
    for contract in contracts():
        for name in EXPRESSIONS:
            for each in contract.get(name, ()):
                if each.partition(".")[0] == "app":
                    yield contract["name"], each


def test_every_expression_matches_a_module():
    """import-linter keeps a contract about modules that are not there, such as misspelt ones."""
    empty = [
        (contract, expression)
        for contract, expression in expressions()
        if not any(
            each.count(".") == expression.count(".") and fnmatch.fnmatchcase(each, expression)
            for each in MODULES
        )
    ]
    assert empty == []


def test_every_folder_has_its_place():
    """The contracts of floors are exhaustive: a new folder fails until it stands in them."""
    layers = [each for each in contracts() if each["type"] == "layers"]
    assert [each["exhaustive"] for each in layers] == [True] * len(layers)
    assert [each["containers"] for each in layers] == [
        ["app"],
        ["app.framework"],
        ["app.contexts.*"],
    ]
