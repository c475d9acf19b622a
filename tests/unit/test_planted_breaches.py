"""The import contracts forbid what they are there to forbid: breaches in a copy are reported."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = (Path(sys.executable).parent / "lint-imports", "--no-cache")

FLOORS = "No arrow leads up, and what shares a floor knows nothing of each other"
MACHINERY = "The floors of the machinery"
CONTEXT = "The floors of a bounded context"
CONTEXTS = "Bounded contexts know nothing of each other"
DOMAIN = "A domain knows events and aggregates, and nothing else of the machinery"
LIBRARIES = "No library has a part in the machinery and the business"
DEVTOOLS = "Developer's tools know nothing of what they are for"
ADAPTERS = "Adapters are independent of each other"
IDENTITY = "Only adapters/identity imports cryptography, httpx and jwt"
POSTGRES = "Only adapters/postgres imports asyncpg and alembic"
MONGO = "Only adapters/mongo imports motor and pymongo"
METRICS = "Only the text of metrics is the library's"
TRACES = "Only two modules import OpenTelemetry: its interface, and its SDK"
CONSOLE = "Only the console imports jinja2"
CLI = "Only the command line imports typer and rich"
HTTP = "Only what serves HTTP imports FastAPI"

BREACHES = [
    ("contexts/users/domain/planted_driver.py", "asyncpg", LIBRARIES),
    ("contexts/users/domain/planted_driver.py", "asyncpg", POSTGRES),
    ("contexts/users/queries/planted_driver.py", "pymongo", MONGO),
    ("framework/http/planted_token.py", "jwt", IDENTITY),
    ("host/planted_table.py", "rich", CLI),
    ("framework/http/planted_page.py", "jinja2", CONSOLE),
    ("framework/http/planted_metric.py", "prometheus_client", METRICS),
    ("framework/http/planted_span.py", "opentelemetry", TRACES),
    ("contexts/users/commands/planted_request.py", "fastapi", HTTP),
    ("contexts/users/domain/planted_route.py", "app.contexts.users.http.problems", CONTEXT),
    ("contexts/users/queries/planted_command.py", "app.contexts.users.commands", CONTEXT),
    ("contexts/users/domain/planted_message.py", "app.framework.mediator", DOMAIN),
    ("contexts/users/http/planted_adapter.py", "app.adapters.memory", FLOORS),
    ("contexts/second/domain/planted_other.py", "app.contexts.users.domain.values", CONTEXTS),
    ("framework/projections/planted_view.py", "app.contexts.users.read_models", FLOORS),
    ("framework/mediator/planted_log.py", "app.framework.eventsourcing.store", MACHINERY),
    ("adapters/mongo/planted_event.py", "app.contexts.users.domain.events", FLOORS),
    ("adapters/mongo/planted_batch.py", "app.adapters.postgres", ADAPTERS),
    ("devtools/planted_server.py", "app.framework.http.application", DEVTOOLS),
]
"""A new module, what it imports, and the contract that forbids it."""

FOLDERS = [
    ("planted", FLOORS),
    ("framework/planted", MACHINERY),
    ("contexts/users/planted", CONTEXT),
]
"""A new folder that is in no contract, and the contract that has to say so."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the application, with a second context of the least that one is made of."""
    tree = tmp_path_factory.mktemp("breaches")
    shutil.copytree(ROOT / "app", tree / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    for name in ("__init__", "context", "domain/__init__"):
        write(tree, f"contexts/second/{name}.py")
    return tree


@pytest.fixture(scope="module")
def before(tree) -> subprocess.CompletedProcess[str]:
    """What the linter says of the copy."""
    return lint(tree)


@pytest.fixture(scope="module")
def broken(tree, before) -> dict[str, str]:
    """What the linter says once all breaches are planted, by contract."""
    assert before.returncode == 0
    for module, imported, _ in BREACHES:
        write(tree, module, f"import {imported}\n")
    for folder, _ in FOLDERS:
        write(tree, f"{folder}/__init__.py")
    after = lint(tree)
    assert after.returncode == 1
    _, *sections = re.split(r"^(.+)\n-+\n", after.stdout, flags=re.MULTILINE)
    return dict(zip(sections[::2], sections[1::2], strict=True))


def write(tree: Path, module: str, text: str = "") -> None:
    """Write a module of the copy."""
    path = tree / "app" / module
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the copy."""
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        LINT_IMPORTS, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def dotted(path: str) -> str:
    """The name of the module or package at `path`."""
    return f"app.{path.removesuffix('.py').replace('/', '.')}"


def test_a_context_of_the_least_keeps_the_contracts(before):
    """One without routes, messages and views is placed as well."""
    assert before.returncode == 0, before.stdout


@pytest.mark.parametrize(("module", "imported", "contract"), BREACHES)
def test_a_forbidden_import_is_reported(broken, module, imported, contract):
    """By the contract that is there for it."""
    assert re.search(rf"- +{dotted(module)} -> {imported} \(l\.1\)", broken[contract])


@pytest.mark.parametrize(("folder", "contract"), FOLDERS)
def test_a_folder_without_a_place_is_reported(broken, folder, contract):
    """It has to be put on a floor."""
    assert f"- {dotted(folder)}\n" in broken[contract]


def test_every_contract_is_broken_by_something():
    """A contract that no breach here breaks may forbid nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = {each["name"] for each in contracts["tool"]["importlinter"]["contracts"]}
    assert names == {contract for *_, contract in [*BREACHES, *FOLDERS]}
