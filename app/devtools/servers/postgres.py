"""An embedded PostgreSQL: a cluster of its own that listens on a unix socket and nowhere else."""

import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app import IDENTIFIER
from app.devtools.servers import processes
from app.devtools.servers.accounts import Account, account_for, hand_over
from app.devtools.servers.binaries import PostgresBinaries, postgres_binaries
from app.devtools.servers.errors import CannotStart
from app.devtools.servers.processes import ServerProcess
from app.devtools.servers.sockets import socket_folder

DATABASE = IDENTIFIER

_PORT = 5432  # no port at all, but a part of the socket's name
_INITDB = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")
_START_SECONDS = 120.0  # after a crash it reads its log first
_FAST_STOP = (signal.SIGINT, 30.0)
_IMMEDIATE_STOP = (signal.SIGQUIT, 10.0)
_KILL = (signal.SIGKILL, 5.0)


@dataclass(frozen=True, slots=True)
class _PidFile:
    """The content of `postmaster.pid` of a running postmaster."""

    pid: int
    sockets: str
    ready: bool

    @classmethod
    def read(cls, data: Path) -> "_PidFile | None":
        try:
            lines = [*(data / "postmaster.pid").read_text().splitlines(), *[""] * 8]
            return cls(int(lines[0]), lines[4].strip(), lines[7].strip() == "ready")
        except (FileNotFoundError, ValueError):
            return None


class Postgres:
    """The cluster under `home`. Only the owner of the data directory may start or stop it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._data = home / "data"
        self._log = home / "server.log"
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str | None:
        """The URL of the running server; None if it does not accept connections."""
        found = _PidFile.read(self._data)
        if found is None or not found.ready or not self._is_ours(found.pid):
            return None
        return f"postgresql://postgres@/{DATABASE}?host={quote(found.sockets)}&port={_PORT}"

    def start(self) -> str:
        """Start the server, or adopt the one that was left behind; its URL.

        Raises:
            CannotStart: it does not come up; the message says why.

        """
        self._process = self._left_behind() or self._spawn()
        try:
            return self._await_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server: it disconnects clients, and committed data are on disk."""
        if self._process:
            self._process.stop(_FAST_STOP, _IMMEDIATE_STOP, _KILL)

    def _await_ready(self, process: ServerProcess) -> str:
        process.await_ready(lambda: self.url is not None, _START_SECONDS)
        if url := self.url:
            return url
        raise CannotStart(f"PostgreSQL did not start: {self._last_words()} (see {self._log})")

    def _left_behind(self) -> ServerProcess | None:
        found = _PidFile.read(self._data)
        if found is None:
            return None
        if self._is_ours(found.pid):
            process = ServerProcess("PostgreSQL", found.pid, lambda: self._is_ours(found.pid))
            stopping = "stopping" in (self._data / "postmaster.pid").read_text()
            if not stopping or not processes.wait_until(lambda: not process.running(), 30):
                return process
        elif processes.exists(found.pid):
            self._forget(found)
        return None

    def _forget(self, found: _PidFile) -> None:
        """Remove pid files whose pid is reused by another program, as PostgreSQL would not."""
        command = processes.command_line(found.pid)
        if "postgres" in command:
            raise CannotStart(
                f"DATA_DIR: {self._data / 'postmaster.pid'} names process {found.pid}, which is a "
                f"PostgreSQL of another directory; if this one was moved, stop that process, "
                f"else remove the file"
            )
        (self._data / "postmaster.pid").unlink()
        (Path(found.sockets) / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        return f"-D {self._data} " in f"{processes.command_line(pid)} "

    def _spawn(self) -> ServerProcess:
        binaries = postgres_binaries()
        account = account_for("PostgreSQL", self._data, "postgres")
        self._prepare_home(binaries, account)
        if not self._data.exists():
            self._create(binaries, account)
        self._check_version(binaries)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket_folder(self._home, f".s.PGSQL.{_PORT}", account)),
            "port": str(_PORT),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command: list[str | Path] = [binaries.postgres, "-D", self._data, *options]
        return processes.spawn("PostgreSQL", command, self._log, account)

    def _prepare_home(self, binaries: PostgresBinaries, account: Account | None) -> None:
        self._home.mkdir(mode=0o700, exist_ok=True)
        if account:
            hand_over(self._home, account, binaries.postgres, binaries.folders)

    def _create(self, binaries: PostgresBinaries, account: Account | None) -> None:
        """Create the cluster in a temporary folder, so that a crash leaves no partial one."""
        fresh = self._home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        initdb = (binaries.initdb, "-D", fresh, *_INITDB)
        self._run(initdb, account)
        single = (binaries.postgres, "--single", "-D", fresh, "-c", "exit_on_error=on", "postgres")
        self._run(single, account, f"CREATE DATABASE {DATABASE};\n")
        fresh.rename(self._data)

    def _run(self, command: Sequence[str | Path], account: Account | None, text: str = "") -> str:
        try:
            done = subprocess.run(  # noqa: S603 - our own binaries and arguments
                command,
                input=text,
                capture_output=True,
                text=True,
                check=True,
                cwd=self._home,
                env=processes.environment(),
                start_new_session=True,
                **(account.identity if account else {}),
            )
        except OSError as error:
            raise CannotStart(
                f"PostgreSQL cannot be executed: {command[0]}: {error.strerror}"
            ) from error
        except subprocess.CalledProcessError as error:
            words = " ".join(error.stderr.split()) or f"exit status {error.returncode}"
            raise CannotStart(f"PostgreSQL could not be set up in {self._home}: {words}") from error
        return done.stdout

    def _check_version(self, binaries: PostgresBinaries) -> None:
        written = (self._data / "PG_VERSION").read_text().strip()
        said = self._run([binaries.postgres, "--version"], None)
        found = re.search(r"\d+", said)
        if found and found[0] != written:
            raise CannotStart(
                f"DATA_DIR: {self._data} was written by PostgreSQL {written}, and the one found "
                f"is {found[0]} ({binaries.postgres}); name another directory or use that version"
            )

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return (fatal or lines or ["it said nothing"])[-1].strip()
