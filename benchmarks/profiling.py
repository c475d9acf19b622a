"""Where the time of the service goes under a load: samples of py-spy, gathered by part."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.comparisons import Loads
from benchmarks.effort import Effort
from benchmarks.report import say
from benchmarks.world import Contender, Databases
from benchmarks.wrk import run_wrk

CONNECTIONS = 32
SECONDS = 8
RATE = 250

_FRAME = re.compile(r"^(?P<function>.+) \((?P<file>[^()]*?)(:\d+)?\)$")
_WORK = (
    ("the driver's threads", ("concurrent/futures/thread.py", "pymongo/periodic_executor.py")),
    (
        "the projector",
        ("app/framework/projections/follower.py", "app/framework/projections/shared_log.py"),
    ),
    ("calls that go out together", ("app/adapters/batcher.py",)),
    ("requests", ("uvicorn/protocols/http/httptools_impl.py",)),
)
"""What a stack belongs to: the first of these with a file that is in it."""

_PARTS = (
    "app/framework/http",
    "app/framework/mediator",
    "app/contexts/users",
    "app/framework/eventsourcing",
    "app/framework/projections",
    "app/adapters/postgres",
    "app/adapters/mongo",
    "app/adapters",
    "app",
)


def profile(on: Databases, contender: Contender, scenario: str, effort: Effort) -> None:
    """Print the parts and the functions that hold the interpreter while `scenario` is run."""
    file = on.folder / "profile.txt"
    sampling = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("py-spy"), "record", "--gil"),
            *("--pid", str(contender.server.answering()[0].pid)),
            *("--duration", str(SECONDS - 2), "--rate", str(RATE)),
            *("--format", "raw", "--output", str(file)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    load = Loads(on.folder, effort.users).next(scenario, contender)
    measured = run_wrk(contender.server.url, load, connections=CONNECTIONS, seconds=SECONDS)
    sampling.wait()
    work, parts, inside, total = _gather(file)
    say(f"{scenario}: {measured.rate:,.0f}/s while sampled, {total:,} samples")
    for title, counted, number in (
        ("by what it is for", work, 10),
        ("by part", parts, 20),
        ("by function, all in it", inside, 60),
    ):
        say(f"\n{title}")
        for name, samples in counted.most_common(number):
            say(f"{100 * samples / total:5.1f}%  {name}")


def _gather(file: Path) -> tuple[Counter[str], Counter[str], Counter[str], int]:
    work: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    total = 0
    for line in file.read_text(encoding="utf-8").splitlines():
        stack, _, samples = line.rpartition(" ")
        frames = list(_frames(stack))
        total += int(samples)
        work[_work({where for _, where in frames})] += int(samples)
        parts[_part(frames[-1][1])] += int(samples)
        for function in {f"{name} ({where})" for name, where in frames}:
            inside[function] += int(samples)
    return work, parts, inside, total


def _frames(stack: str) -> Iterator[tuple[str, str]]:
    for each in stack.split(";"):
        found = _FRAME.match(each)
        yield (found["function"], _short(found["file"])) if found else (each, each)


def _short(file: str) -> str:
    name = file.rpartition("site-packages/")[2]
    return "app/" + name.rpartition("/app/")[2] if "/app/" in name else name


def _work(files: set[str]) -> str:
    return next((what for what, those in _WORK if not files.isdisjoint(those)), "the event loop")


def _part(file: str) -> str:
    for each in _PARTS:
        if file.startswith(f"{each}/"):
            return each
    first = file.partition("/")[0]
    return first if "/" in file and not file.startswith("/") else "Python's own"
