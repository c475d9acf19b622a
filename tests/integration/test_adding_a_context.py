"""docs/adding-a-context.md is carried out on a copy of the project, block by block.

A block is headed by the path of its file. Python is a file of its own; a diff is a change to a
file that is there, whose lines have to be found exactly once.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.documents import Block, blocks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/adding-a-context.md").read_text(encoding="utf-8")
PARTS = [each for each in blocks(TEXT) if each.path and each.kind in {"python", "diff"}]
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SCRIPTS = Path(sys.executable).parent
SECONDS = 120


def carry_out(parts: Iterable[Block], tree: Path) -> None:
    """Write the files that `parts` show, and make the changes they show."""
    for each in parts:
        path = tree / each.path
        if each.kind == "diff":
            change(path, each.text)
        else:
            assert not path.exists(), f"{path} is shown twice"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.text, encoding="utf-8")


def change(path: Path, diff: str) -> None:
    """Make a change in the form of a diff without line numbers."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert f"\n{text}".count(f"\n{before}") == 1, f"{path} does not hold, once:\n{before}"
    path.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


def forget(path: Path, *lines: str) -> None:
    """Take lines, or what stands in them, out of a file."""
    text = path.read_text(encoding="utf-8")
    for line in lines:
        assert text.count(line) == 1, f"{path} does not hold, once: {line}"
        text = text.replace(line, "")
    path.write_text(text, encoding="utf-8")


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


def start(tree: Path) -> tuple[int, set[str]]:
    """The exit status of a command that builds the whole service, and what it complains of."""
    done = run(tree, sys.executable, "-m", "app", "openapi")
    return done.returncode, set(done.stderr.splitlines())


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the project to which everything in the text is done."""
    for name in ("app", "tests", "alembic", "docs"):
        unused = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unused)
    for name in ("alembic.ini", "openapi.json", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    carry_out(PARTS, tmp_path)
    return tmp_path


def test_the_context_serves(tree, servers):
    """Its own tests pass, over HTTP and on real servers, and so do those that hold for all."""
    renewed = run(tree, sys.executable, "-m", "app", "openapi", "--output", "openapi.json")
    assert renewed.returncode == 0, renewed.stderr
    recorded = run(tree, sys.executable, "-m", "tests.folds")
    assert recorded.returncode == 0, recorded.stderr
    done = run(
        tree,
        *PYTEST,
        *("tests/unit/test_teams.py", "tests/integration/test_teams_api.py"),
        *("tests/unit/test_contexts.py", "tests/unit/test_verification.py"),
        "tests/unit/test_folds.py",
        *("tests/unit/api/test_openapi.py", "tests/unit/test_architecture.py"),
        *("tests/unit/api/test_openapi_for_clients.py", "tests/unit/test_openapi_json.py"),
        *("tests/unit/api/test_problem_types.py", "tests/unit/api/test_problems.py"),
        "tests/unit/test_docs.py::test_every_kind_of_problem_is_listed_for_clients",
        TEST_DATABASE_URL=servers.postgres,
        TEST_MONGODB_URL=servers.mongodb,
    )
    assert done.returncode == 0, done.stdout


def test_the_context_is_well_formed(tree):
    """It keeps the style and the import contracts."""
    files = {each.path for each in PARTS if each.path.endswith(".py")}
    for command in (
        (SCRIPTS / "ruff", "check", "--no-cache", *files),
        (SCRIPTS / "ruff", "format", "--no-cache", "--check", *files),
        (SCRIPTS / "lint-imports", "--no-cache"),
    ):
        done = run(tree, *command)
        assert done.returncode == 0, done.stdout


def test_the_context_is_well_typed(tree, request):
    """The types fit together, and to those of what it is wired up with."""
    cache = request.config.cache.mkdir("mypy-of-a-copy")
    checked = ("-p", "app", "-m", "tests.unit.test_teams", "-m", "tests.integration.test_teams_api")
    done = run(tree, sys.executable, "-m", "mypy", f"--cache-dir={cache}", *checked)
    assert done.returncode == 0, done.stdout


def test_what_is_not_wired_up_is_refused_at_start_up(tree):
    """The start names all that is missing, in the words of the text."""
    assert start(tree) == (0, set())
    forget(
        tree / "app/bootstrap.py",
        "        AddTeamMember.handled_by(AddTeamMemberHandler(every_team)),\n",
        " *TEAM_EVENTS",
        " *TEAM_PROJECTIONS",
    )
    status, said = start(tree)
    assert status == 1
    assert said == {
        "No handler is registered for app.teams.commands.add_team_member.AddTeamMember.",
        "The event app.teams.events.TeamFounded is not registered.",
        "The event app.teams.events.TeamMemberAdded is not registered.",
        "The event app.teams.events.TeamMemberRemoved is not registered.",
        "The projection team_rosters_v1 of app.teams is not among those that are run.",
    }
    assert sum(f"`{line}`" in TEXT for line in said) == 3


def test_a_projection_without_a_stance_is_refused_at_start_up(tree):
    """An event that a view neither applies nor ignores is named, in the words of the text."""
    forget(tree / "app/teams/projections/team_rosters.py", "        TeamMemberRemoved: _removed,\n")
    status, said = start(tree)
    assert status == 1
    [line] = said
    assert f"`{line}`" in TEXT


def test_a_context_that_is_not_placed_fails_the_lint(tree):
    """A new folder has to be put into the layers."""
    shutil.copy(ROOT / "pyproject.toml", tree)
    done = run(tree, SCRIPTS / "lint-imports", "--no-cache")
    assert done.returncode == 1
    assert "teams" in done.stdout


def test_what_start_up_does_not_see_fails_the_tests(tree):
    """A context that is not listed, and an error that clients are not told of, are found."""
    change(
        tree / "app/bootstrap.py",
        "-CONTEXTS: Sequence[ModuleType] = (users, teams)\n"
        "+CONTEXTS: Sequence[ModuleType] = (users,)\n",
    )
    forget(
        tree / "app/framework/http/problems/teams.py", "    TeamIsFull: Refusal(TEAM_IS_FULL),\n"
    )
    done = run(tree, *PYTEST, "tests/unit/test_contexts.py")
    assert done.returncode == 1
    assert "2 failed" in done.stdout
    assert "TeamIsFull" in done.stdout
