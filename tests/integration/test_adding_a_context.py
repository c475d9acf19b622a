"""The pages of the guide to new contexts are carried out on a copy of the project.

`make guide` runs more of the tests there than these here.
"""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.guide import PARTS, ROOT, TEXTS, carried_out_in, run

CONTEXTS = ("teams", "recipes")
"""Those that the guide adds."""

SCRIPTS = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

SEES_CONTEXTS = re.compile(
    r"CONTEXTS|app\.(bootstrap|cli|main)|glob\(|def test_\w+\(.*\b(document|operations)\b"
)
"""What is in the source of a unit test that another context could break."""

SLOW = {
    f"test_{each}.py"
    for each in (
        "actions",
        "administration",
        "application",
        "caching",
        "chart",
        "cli",
        "cli_output",
        "cli_parked",
        "cli_progress",
        "cli_projections",
        "compose",
        "connections",
        "cost_of_requests",
        "cross_origin",
        "deployed",
        "framing",
        "imports",
        "overview",
        "planted_breaches",
        "problem_types",
        "problems",
        "protocol",
        "request_guard",
        "request_rules",
        "signing_in",
        "swagger_ui",
        "telemetry",
    )
}
"""Such tests that are left out here, for the time they take."""

SEEN_HERE = (
    "users and (real_servers or served_by_indexes)"
    " or real_servers and (draft or publish or get_recipe)"
)
"""Tests of every context that are slow: those about users alone, and on real servers those of
recipes but for a change and a list."""


def seeing_contexts() -> list[str]:
    """What is run in the copy of the project."""
    unit = sorted((ROOT / "tests/unit").rglob("test_*.py"))
    seeing = [each for each in unit if SEES_CONTEXTS.search(each.read_text("utf-8"))]
    generic = (ROOT / "tests/contexts").glob("test_*.py")
    found = [str(each.relative_to(ROOT)) for each in (*generic, *seeing) if each.name not in SLOW]
    return [*found, *(f"tests/contexts/{each}" for each in CONTEXTS)]


def start(tree: Path) -> tuple[int, list[str]]:
    """The exit status of a command that builds the whole service, and what it complains of."""
    done = run(tree, sys.executable, "-m", "app", "openapi")
    return done.returncode, done.stderr.splitlines()


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the project with the contexts."""
    return carried_out_in(tmp_path_factory.mktemp("project"))


def test_the_contexts_serve(tree, servers):
    """Their own tests pass, and others that go through all contexts, on real servers too."""
    urls = {"TEST_DATABASE_URL": servers.postgres, "TEST_MONGODB_URL": servers.mongodb}
    done = run(tree, *PYTEST, *seeing_contexts(), "-k", f"not ({SEEN_HERE})", **urls)
    assert done.returncode == 0, done.stdout


def test_little_is_changed_outside_a_context(tree):
    """A line and its import; all else is in the context's folder, or its tests'."""
    inside = tuple(f"{each}/contexts/{name}/" for each in ("app", "tests") for name in CONTEXTS)
    paths = {each.path for each in PARTS if each.kind != "sh"}
    assert {each for each in paths if not each.startswith(inside)} == {"app/bootstrap.py"}
    before, after = ((each / "app/bootstrap.py").read_text("utf-8") for each in (ROOT, tree))
    assert len(after.splitlines()) - len(before.splitlines()) == 2 * len(CONTEXTS)


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("lint-imports",), ("mypy",)]
)
def test_the_contexts_pass_the_lint(tree, command):
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
    assert [f"`{each}`" in TEXTS[0] for each in said] == [True]
