"""Runs wrk, and takes no figure for an answer unless every answer was right."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")


class WrkMissing(Exception):
    """There is no wrk on the PATH."""

    def __init__(self) -> None:
        super().__init__(
            "The load is made by wrk, which is not here; on Debian and Ubuntu: "
            "apt-get install wrk, on macOS: brew install wrk."
        )


class WrongAnswer(Exception):
    """A server answered wrongly, or not at all; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    scenario: one of those in `load.lua`.
    first, count: the numbers of the users it is about.
    seed: of the order they come in, and part of what is written; another for each run.
    expected: a file with the body that each answer must have, for scenarios that have one.
    """

    scenario: str
    first: int = 0
    count: int = 1
    seed: int = 1
    expected: Path | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a run: right answers a second, and latencies in milliseconds.

    processor: the processor time of those that answered, in microseconds an answer; 0 if it was not
        measured.
    """

    answers: int
    rate: float
    p50: float
    p99: float
    processor: float = 0.0


def find_wrk() -> str:
    """The path of wrk.

    Raises:
        WrkMissing: there is none.

    """
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissing
    return found


def run_wrk(url: str, load: Load, *, connections: int, seconds: float) -> Measured:
    """Load the server at `url` over so many connections, each one request at a time.

    Raises:
        WrkMissing: there is no wrk.
        WrongAnswer: an answer was wrong, or a connection broke.

    """
    command = [
        find_wrk(),
        *("--threads", "1"),
        *("--connections", str(connections)),
        *("--duration", f"{max(1, round(seconds))}s"),
        *("--timeout", "10s"),
        *("--script", str(SCRIPT)),
        url,
        "--",
        *(load.scenario, str(load.first), str(load.count), str(load.seed)),
        *([str(load.expected)] if load.expected else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [each for each in done.stdout.splitlines() if each.startswith("{")]
    if done.returncode != 0 or len(lines) != 1:
        raise WrongAnswer(f"wrk failed on {load.scenario} at {url}: {done.stderr or done.stdout}")
    found = json.loads(lines[0])
    if found["wrong"]:
        raise WrongAnswer(f"{load.scenario} at {url} was answered {found['wrong']}")
    if found["broken"]:
        raise WrongAnswer(f"{load.scenario} at {url}: {found['broken']} connections broke")
    if not found["right"]:
        raise WrongAnswer(f"{load.scenario} at {url} was not answered")
    return Measured(
        found["right"], found["right"] / found["seconds"], found["p50_ms"], found["p99_ms"]
    )
