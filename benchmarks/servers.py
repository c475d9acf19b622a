"""The databases, this service and the plain ones, as processes of their own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import psutil

from app.host.settings import Settings

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 30.0

SERVICE = ("app", "serve", "--migrate", "--separate-projector")
"""As `make run` starts it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its name in tables, where it listens, its process."""

    name: str
    url: str
    pid: int

    def answering(self) -> list[psutil.Process]:
        """The processes that answer requests: its workers, or itself if it has none."""
        process = psutil.Process(self.pid)
        workers = [each for each in process.children() if self._listens(each)]
        return workers or [process]

    def processor_seconds(self) -> float:
        """The processor time that those have taken since they were started."""
        times = [each.cpu_times() for each in self.answering()]
        return float(sum(each.user + each.system for each in times))

    def _listens(self, process: psutil.Process) -> bool:
        port = urlsplit(self.url).port
        return any(
            each.status == psutil.CONN_LISTEN and each.laddr.port == port
            for each in process.net_connections("tcp")
        )


class DidNotStart(Exception):
    """A server does not answer; the message says where it says why."""


@contextlib.contextmanager
def serving(name: str, *module: str, log: Path, **settings: str) -> Iterator[Server]:
    """Run `python -m` with `module` on a free port, for the length of a `with` block.

    `settings` are all it has: the environment of the benchmarks is not passed on.

    Raises:
        DidNotStart: it does not answer.

    """
    port = _free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=log.parent,
            env={**_environment(), **settings, "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(f"{url}/openapi.json", process, name, log)
        yield Server(name, url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(*module: str, **settings: str) -> str:
    """What `python -m` with `module` says, which must end well."""
    done = subprocess.run(
        [sys.executable, "-m", *module],
        env={**_environment(), **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DidNotStart(f"{' '.join(module)}: {done.stdout}{done.stderr}")
    return done.stdout


def database_url(url: str, name: str) -> str:
    """The URL of another database of the same PostgreSQL."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _environment() -> dict[str, str]:
    outside = {each.upper() for each in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in outside}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(url: str, process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), urlopen(url, timeout=5):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise DidNotStart(f"{name} does not answer; see {log}")
        time.sleep(0.05)
