"""Services as real processes, started the way `make run` starts them."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from app.adapters.identity import LocalIssuer
from app.devtools.servers import processes
from app.host.settings import Settings

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "app", "serve", "--migrate")
SECONDS = 60

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""A setting of services under load: counting what runs would slow them down."""


def environment(**settings: str) -> dict[str, str]:
    """The environment of a service: these settings, and none of the shell that runs the tests.

    It takes no tokens unless AUTH is given, as "" for one that does, and has no RATE_LIMIT unless
    that is given, as tests send more than one client may.
    """
    outside = {name.upper() for name in Settings.model_fields} | {
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
    }
    kept = {name: value for name, value in os.environ.items() if name.upper() not in outside}
    own = {"PYTHONPATH": str(ROOT), "PORT": "0", "AUTH": "none", "RATE_LIMIT": "none"}
    return {**kept, **own, **settings}


def run(
    *arguments: str, cwd: Path, seconds: float = SECONDS, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` with `arguments` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class Service:
    """One running service, in a process group of its own, as a shell would start it."""

    def __init__(
        self,
        data_dir: Path,
        command: Sequence[str] = SERVE,
        cwd: Path | None = None,
        **settings: str,
    ) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{data_dir.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=cwd or data_dir.parent,
                env=environment(DATA_DIR=str(data_dir), **settings),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.url = ""

    def await_serving(self) -> "Service":
        """Wait until it says where it serves."""
        assert self.process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(SECONDS), f"silent: {self.log.read_text()}"
        line = self.process.stdout.readline().decode()
        assert line.startswith("Diptych serves at "), f"{line}{self.log.read_text()}"
        self.url = line.split()[3].rstrip(",")
        return self

    @property
    def client(self) -> httpx.Client:
        """A client to use in a `with` block."""
        return httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    @property
    def port(self) -> str:
        """The port it listens on."""
        return self.url.rpartition(":")[2]

    @property
    def pid(self) -> int:
        """The process that owns the data directory, be it started by make or by us."""
        return int((self.data_dir / "lock").read_text())

    @property
    def server_pids(self) -> tuple[int, int]:
        """The embedded PostgreSQL and mongod."""
        return (
            int((self.data_dir / "postgres/data/postmaster.pid").read_text().split()[0]),
            int((self.data_dir / "mongodb/data/mongod.lock").read_text()),
        )

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal sends it to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def await_end(self) -> int:
        """Wait until it ends; its exit status."""
        status = self.process.wait(SECONDS)
        if self.process.stdout:
            self.process.stdout.close()
        return status

    def stop(self) -> int:
        """Ask it to stop, and wait until it does; its exit status."""
        self.process.terminate()
        return self.await_end()

    def clean_up(self) -> None:
        """End whatever a failed test left running."""
        self.process.kill()
        self.await_end()
        for file in ("lock", "postgres/data/postmaster.pid", "mongodb/data/mongod.lock"):
            words = (self.data_dir / file).read_text().split() if self._has(file) else []
            if words and str(self.data_dir) in processes.command_line(int(words[0])):
                os.kill(int(words[0]), signal.SIGKILL)

    def _has(self, file: str) -> bool:
        return (self.data_dir / file).exists()


def issuer_of(service: Service) -> LocalIssuer:
    """The issuer of a service that takes tokens of its own."""
    return LocalIssuer(service.data_dir / "issuer" / "key.pem")


def running(*pids: int) -> list[int]:
    """Those of `pids` that run; one that ended and waits to be reaped does not."""
    return [pid for pid in pids if processes.command_line(pid)]


def await_that(condition, what: str) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
