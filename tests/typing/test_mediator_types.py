"""What mypy --strict makes of the snippets beside this file, each line as it is marked.

A line that must not pass ends in `# E:` and the code of the one error expected there.
"""

import re
from pathlib import Path

import pytest
from mypy import api

SNIPPETS = sorted((Path(__file__).parent / "snippets").glob("[!_]*.py"))
CACHE = Path(__file__).parents[2] / ".mypy_cache" / "snippets"
ERROR = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$", re.MULTILINE)
MARK = re.compile(r"# E: (?P<code>[a-z-]+)$")


@pytest.fixture(scope="session")
def found() -> dict[str, set[tuple[int, str]]]:
    """The errors mypy finds, as line and code, by the name of the snippet; one run for all."""
    output, complaint, _ = api.run(
        [
            "--strict",
            "--config-file=",
            "--follow-imports=silent",
            "--show-error-codes",
            "--no-pretty",
            f"--cache-dir={CACHE}",
            *map(str, SNIPPETS),
        ]
    )
    assert not complaint
    errors: dict[str, set[tuple[int, str]]] = {each.name: set() for each in SNIPPETS}
    for each in ERROR.finditer(output):
        errors[Path(each["path"]).name].add((int(each["line"]), each["code"]))
    return errors


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda each: each.stem)
def test_mypy_passes_all_lines_but_those_marked(snippet, found):
    """Right use infers the types it asserts; every wrong use is an error, where it is."""
    lines = snippet.read_text(encoding="utf-8").splitlines()
    marked = {
        (number, mark["code"])
        for number, line in enumerate(lines, start=1)
        if (mark := MARK.search(line))
    }
    assert marked
    assert found[snippet.name] == marked
