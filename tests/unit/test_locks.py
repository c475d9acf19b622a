"""What is installed: no more than the purpose needs, and the same versions for each."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME, EMBEDDED, DEV = (
    "requirements.lock",
    "requirements-embedded.lock",
    "requirements-dev.lock",
)
BENCH = "benchmarks/requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(lock: str) -> dict[str, str]:
    """The packages that a lock file lists, and which version of each, where."""
    lines = re.findall(r"^([a-z0-9-]+)==(.+?) \\$", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
    assert lines
    return dict(lines)


def names(requirements: list[str]) -> set[str]:
    """The packages that requirements name."""
    return {re.match(r"[a-z0-9-]+", each).group() for each in requirements}


@pytest.mark.parametrize(("smaller", "larger"), [(RUNTIME, EMBEDDED), (EMBEDDED, DEV)])
def test_each_lock_holds_what_the_smaller_one_does(smaller, larger):
    """In the same versions, so that one may be installed over the other."""
    assert pins(smaller).items() < pins(larger).items()


def test_the_benchmarks_run_on_the_same_versions():
    """They are installed over what the tests need."""
    common = pins(BENCH).keys() & pins(DEV).keys()
    assert {each: pins(BENCH)[each] for each in common} == {
        each: pins(DEV)[each] for each in common
    }


def test_each_lock_is_for_its_purpose():
    """Running needs neither servers nor tools, and the embedded servers need no tools."""
    extras = {name: names(needed) for name, needed in PROJECT["optional-dependencies"].items()}
    assert pins(RUNTIME).keys() >= names(PROJECT["dependencies"])
    assert not pins(RUNTIME).keys() & (extras["embedded"] | extras["dev"])
    assert pins(EMBEDDED).keys() >= extras["embedded"]
    assert not pins(EMBEDDED).keys() & extras["dev"]
    assert pins(DEV).keys() >= extras["dev"]


@pytest.mark.parametrize("lock", [RUNTIME, EMBEDDED, DEV, BENCH])
def test_a_lock_names_no_place(lock):
    """Packages come from wherever pip is set up to take them, and are known by their hashes."""
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"://|^-|^#| @ ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("target", "lock"), [("run", EMBEDDED), ("migrate", RUNTIME), ("lint", DEV), ("release", DEV)]
)
def test_a_target_installs_what_it_needs(tmp_path, target, lock):
    """On a fresh clone, from one lock file."""
    make = ("make", "--dry-run", "--no-print-directory", target, f"VENV={tmp_path}")
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"-r (\S+)", done.stdout) == [lock]
