"""What git runs before a commit is what `make lint` runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_hooks_are_the_commands_of_make_lint():
    """Each of them, in the same order, with a tool of the virtual environment."""
    [recipe] = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    commands = re.findall(r"^\t\$\(BIN\)/(.*?)(?: \.)?$", recipe, re.MULTILINE)
    entries = re.findall(r"^ +entry: \.venv/bin/(.*)$", HOOKS, re.MULTILINE)
    assert [each.replace(" --force-exclude", "") for each in entries] == commands


def test_the_hooks_fetch_nothing():
    """They are of this repository, and run what is installed."""
    assert set(re.findall(r"repo: (.*)", HOOKS)) == {"local"}
    assert set(re.findall(r"language: (.*)", HOOKS)) == {"system"}
