"""Clients are generated from the OpenAPI document, type-checked and used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import IDENTIFIER
from app.adapters.identity import LocalIssuer
from tests.acceptance.fronts import needs, nginx, under_prefix
from tests.acceptance.services import ROOT, environment, issuer_of

CLIENTS = ROOT / "tests/clients"
TOOLS = CLIENTS / "node_modules/.bin"
NODE = Path(sys.executable).with_name("node")
SDK = ROOT / "build/sdk"
SECONDS = 120
READING = ("users:list", "users:read:any")


def run(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which has to be a good one."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def operations() -> dict[str, str]:
    """The operations of the document, each with its tag."""
    paths = json.loads((ROOT / "openapi.json").read_bytes())["paths"]
    found = [operation for item in paths.values() for operation in item.values()]
    return {each["operationId"]: each["tags"][0] for each in found}


@pytest.fixture(scope="module", autouse=True)
def _sdk() -> None:
    """The clients, generated as `make sdk` does it; a warning of a generator is an error."""
    installed = f"{sys.prefix}/.installed"
    run("make", "sdk", f"VENV={sys.prefix}", "--old-file", installed)


def test_the_python_client_has_every_operation(operations):
    """A module each, in the package of its tag."""
    modules = (SDK / "python/diptych_client/api").glob("*/[!_]*.py")
    assert {each.stem: each.parent.name for each in modules} == operations


def test_the_python_client_is_well_typed():
    """All of it, and its use."""
    package, cache = SDK / "python/diptych_client", ROOT / ".mypy_cache/clients"
    run(
        *(sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}"),
        *(package, CLIENTS / "scenario.py"),
        MYPYPATH=str(SDK / "python"),
    )


def test_the_typescript_client_is_well_typed():
    """All of it, and its use."""
    run(NODE, TOOLS / "tsc", "--project", CLIENTS)


def test_the_clients_work(serve):
    """On a live service: tokens, writes, repeats, reads, pages and refusals, with each."""
    service = serve(AUTH="")
    run_scenarios(service.url, issuer_of(service))
    assert service.stop() == 0


@needs("nginx")
def test_the_clients_work_behind_nginx(serve):
    """The same, where nginx strips a prefix and compresses."""
    service = serve(AUTH="", ROOT_PATH="/api")
    with nginx(under_prefix(service.url)) as url:
        run_scenarios(f"{url}/api", issuer_of(service))


def run_scenarios(url: str, issuer: LocalIssuer) -> None:
    """Use each of the clients on the service at `url`, with tokens of its issuer."""
    python, typescript = (token_of_alice(issuer, each) for each in ("alice", "alicia"))
    administrator = issuer.token("administrator", ["users:admin", *READING], IDENTIFIER)
    scenario = (sys.executable, CLIENTS / "scenario.py", url, python, administrator)
    run(*scenario, PYTHONPATH=str(SDK / "python"))
    run(NODE, CLIENTS / "scenario.ts", url, typescript, administrator)


def token_of_alice(issuer: LocalIssuer, subject: str) -> str:
    """A token for a user's own profile."""
    return issuer.token(subject, ["users:register", "users:read", "users:write"], IDENTIFIER)
