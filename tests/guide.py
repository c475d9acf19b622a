"""The guide to new contexts, docs/adding-a-context.md and what follows it, carried out on a copy.

    python -m tests.guide FOLDER

makes FOLDER, which holds the copy. A block is headed by the path of its file. Python is a file of
its own; a diff is a change to a file that is there, whose lines have to be found exactly once;
commands run in the project's folder, but for `make ...`.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.documents import Block, blocks

ROOT = Path(__file__).parents[1]
PAGES = ("adding-a-context.md", "a-richer-context.md", "a-richer-context-over-http.md")
TEXTS = [(ROOT / "docs" / each).read_text(encoding="utf-8") for each in PAGES]
PARTS = [
    each
    for text in TEXTS
    for each in blocks(text)
    if each.kind in {"python", "diff", "sh"} and not each.text.startswith("make ")
]

SECONDS = 240
"""What a program may take to end."""

_DERIVED = (
    # The place of the import depends on what other contexts there are; `make format` sorts them.
    ("-m", "ruff", "check", "--quiet", "--fix", "--select", "I", "app/bootstrap.py"),
    ("-m", "app", "openapi", "--output", "openapi.json"),
    ("-m", "tests.folds"),
    ("-m", "tests.docs_tables"),
)
"""What `make openapi folds docs-tables format` runs, as far as it is needed."""


def carried_out_in(tree: Path) -> Path:
    """A copy of the project to which everything in the texts is done."""
    for name in ("app", "tests", "alembic", "docs", "benchmarks", "deploy"):
        unused = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, tree / name, ignore=unused)
    for file in ROOT.iterdir():
        if file.is_file() and file.name != ".env":
            shutil.copy(file, tree)
    for part in PARTS:
        _carry_out(part, tree)
    for command in _DERIVED:
        done = run(tree, sys.executable, *command)
        assert done.returncode == 0, done.stderr
    return tree


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


def _carry_out(part: Block, tree: Path) -> None:
    path = tree / part.path
    if part.kind == "sh":
        done = run(tree, "sh", "-ec", part.text)
        assert done.returncode == 0, done.stderr
    elif part.kind == "diff":
        _change(path, part.text)
    else:
        assert not path.exists(), f"{path} is shown twice"
        path.write_text(part.text, encoding="utf-8")


def _change(path: Path, diff: str) -> None:
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert f"\n{text}".count(f"\n{before}") == 1, f"{path} does not hold, once:\n{before}"
    path.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.guide")
    parser.add_argument("folder", type=Path)
    carried_out_in(parser.parse_args().folder)
