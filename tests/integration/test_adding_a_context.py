"""docs/adding-a-context.md is carried out on a copy of the project, block by block.

A block is headed by the path of its file. Python is a file of its own; a diff is a change to a file
that is there, whose lines have to be found exactly once; commands run in the project's folder. The
last block of them, `make ...`, is what the tests here run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import Block, blocks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/adding-a-context.md").read_text(encoding="utf-8")
*PARTS, _CHECKS = [each for each in blocks(TEXT) if each.kind in {"python", "diff", "sh"}]
SCRIPTS = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SECONDS = 240

DERIVED = (
    ("-m", "app", "openapi", "--output", "openapi.json"),
    ("-m", "tests.folds"),
    ("-m", "tests.docs_tables"),
)
"""What `make openapi folds docs-tables` runs."""

SEES_CONTEXTS = re.compile(
    r"CONTEXTS|app\.(bootstrap|cli|main)|glob\(|def test_\w+\(.*\b(document|operations)\b"
)
"""What is in the source of a unit test that another context could break."""

SLOW = {
    f"test_{each}.py"
    for each in (
        "administration",
        "application",
        "caching",
        "cli",
        "cli_output",
        "cli_parked",
        "cli_progress",
        "cli_projections",
        "connections",
        "cost_of_requests",
        "cross_origin",
        "framing",
        "imports",
        "planted_breaches",
        "problem_types",
        "problems",
        "protocol",
        "request_guard",
        "request_rules",
        "swagger_ui",
        "telemetry",
    )
}
"""Such tests that are left out here, for the time they take."""

SEEN_HERE = "users and (real_servers or served_by_indexes)"
"""Tests of every context that are about users alone, and slow."""


def seeing_contexts() -> list[str]:
    """What is run in the copy of the project."""
    unit = sorted((ROOT / "tests/unit").rglob("test_*.py"))
    seeing = [each for each in unit if SEES_CONTEXTS.search(each.read_text("utf-8"))]
    generic = (ROOT / "tests/contexts").glob("test_*.py")
    found = [str(each.relative_to(ROOT)) for each in (*generic, *seeing) if each.name not in SLOW]
    return [*found, "tests/contexts/teams"]


def carry_out(part: Block, tree: Path) -> None:
    """Write the file that `part` shows, make the change, or run the commands."""
    path = tree / part.path
    if part.kind == "sh":
        done = run(tree, "sh", "-ec", part.text)
        assert done.returncode == 0, done.stderr
    elif part.kind == "diff":
        change(path, part.text)
    else:
        assert not path.exists(), f"{path} is shown twice"
        path.write_text(part.text, encoding="utf-8")


def change(path: Path, diff: str) -> None:
    """Make a change in the form of a diff without line numbers."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert f"\n{text}".count(f"\n{before}") == 1, f"{path} does not hold, once:\n{before}"
    path.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


def run(tree: Path, *command, **environment) -> subprocess.CompletedProcess[str]:
    """Run a program in `tree` to its end."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(each) for each in command],
        cwd=tree,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def start(tree: Path) -> tuple[int, list[str]]:
    """The exit status of a command that builds the whole service, and what it complains of."""
    done = run(tree, sys.executable, "-m", "app", "openapi")
    return done.returncode, done.stderr.splitlines()


def copied_to(tree: Path) -> Path:
    """A copy of the project."""
    for name in ("app", "tests", "alembic", "docs", "benchmarks"):
        unused = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, tree / name, ignore=unused)
    for each in ROOT.iterdir():
        if each.is_file() and each.name != ".env":
            shutil.copy(each, tree)
    return tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the project to which everything in the text is done."""
    tree = copied_to(tmp_path_factory.mktemp("project"))
    for each in PARTS:
        carry_out(each, tree)
    return tree


def test_the_context_serves(tree, servers):
    """Its own tests pass, and others that go through all contexts, on real servers too."""
    for command in DERIVED:
        done = run(tree, sys.executable, *command)
        assert done.returncode == 0, done.stderr
    urls = {"TEST_DATABASE_URL": servers.postgres, "TEST_MONGODB_URL": servers.mongodb}
    done = run(tree, *PYTEST, *seeing_contexts(), "-k", f"not ({SEEN_HERE})", **urls)
    assert done.returncode == 0, done.stdout


def test_little_is_changed_outside_the_context(tree):
    """A line and its import; all else is in the context's folder, or its tests'."""
    of_the_context = ("app/contexts/teams/", "tests/contexts/teams/")
    paths = {each.path for each in PARTS if each.kind != "sh"}
    assert {each for each in paths if not each.startswith(of_the_context)} == {"app/bootstrap.py"}
    before, after = ((each / "app/bootstrap.py").read_text("utf-8") for each in (ROOT, tree))
    assert len(after.splitlines()) - len(before.splitlines()) == 2


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("lint-imports",), ("mypy",)]
)
def test_the_context_passes_the_lint(tree, command):
    """As `make lint` runs it; what mypy knows of the project it need not find out again."""
    if (ROOT / ".mypy_cache").exists() and command == ("mypy",):
        shutil.copytree(ROOT / ".mypy_cache", tree / ".mypy_cache")
    done = run(tree, SCRIPTS / command[0], *command[1:])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("context.py", "        AddTeamMember.handled_by(teams.decided_by(add_team_member)),\n"),
        ("projections.py", ", TeamMemberAdded: _added"),
    ],
)
def test_what_is_forgotten_is_named_at_start_up(tree, path, line):
    """In the words of the text."""
    assert start(tree) == (0, [])
    file = tree / "app/contexts/teams" / path
    complete = file.read_text("utf-8")
    assert complete.count(line) == 1
    file.write_text(complete.replace(line, ""), "utf-8")
    status, said = start(tree)
    file.write_text(complete, "utf-8")
    assert status == 1
    assert [f"`{each}`" in TEXT for each in said] == [True]
