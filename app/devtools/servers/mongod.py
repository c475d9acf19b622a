"""An embedded mongod: a replica set of one node that listens on a Unix socket and nowhere else.

It asks for no password: the socket is in a folder that only its account, and root, may enter.
"""

import fcntl
import json
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from app import IDENTIFIER
from app.devtools.servers import processes
from app.devtools.servers.accounts import account_for, hand_over
from app.devtools.servers.binaries import mongod_binary
from app.devtools.servers.errors import CannotStart
from app.devtools.servers.processes import ServerProcess
from app.devtools.servers.sockets import socket_folder
from app.framework.storage import StorageUnavailable

REPLICA_SET = IDENTIFIER

InitiateReplicaSet = Callable[[str, str], None]
"""Makes the mongod at a socket the primary of the replica set of that name, and waits for it.

An adapter does it, as it needs a driver. The node may be new, a primary already, or known to its
set under another address. It raises StorageUnavailable if the node does not become the primary.
"""

_SOCKET = "mongod.sock"
_OPLOG_MEGABYTES = "256"
_START_SECONDS = 120.0  # after a crash it reads its journal first
_STOP = (signal.SIGTERM, 30.0)
_KILL = (signal.SIGKILL, 5.0)
_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}


class Mongod:
    """The server under `home`. Only the owner of the data directory may start or stop it."""

    def __init__(self, home: Path, initiate: InitiateReplicaSet) -> None:
        self._home = home
        self._initiate = initiate
        self._data = home / "data"
        self._log = home / "server.log"
        self._account = account_for("mongod", self._data, "mongodb", "mongod")
        self._socket = socket_folder(home, _SOCKET, self._account) / _SOCKET
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str | None:
        """The URL of the running server; None if nothing listens on its socket."""
        if not _listening(self._socket):
            return None
        return f"mongodb://{quote(str(self._socket), safe='')}/?directConnection=true"

    def start(self) -> str:
        """Start the server, or adopt the one that was left behind; its URL.

        Raises:
            CannotStart: it does not come up; the message says why.
            StorageUnavailable: it does, but not as the primary.

        """
        try:
            if url := self._adopt():
                return url
            self._process = self._spawn()
            return self._await_primary()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server; acknowledged writes are on disk."""
        if self._process:
            self._process.stop(_STOP, _KILL)

    def _adopt(self) -> str | None:
        """The URL of a server left running; None if there is none, or it has just ended."""
        self._process = self._left_behind()
        if self._process is None:
            return None
        try:
            return self._await_primary()
        except (CannotStart, StorageUnavailable):
            if self._process.running():
                raise
            return None

    def _await_primary(self) -> str:
        self._initiate(str(self._socket), REPLICA_SET)
        if url := self.url:
            return url
        raise CannotStart(f"mongod did not stay up: {self._last_words()} (see {self._log})")

    def _left_behind(self) -> ServerProcess | None:
        """The mongod that holds its lock file, found by the pid in it."""
        lock = self._data / "mongod.lock"
        if not _held(lock):
            return None
        processes.wait_until(lambda: lock.read_text().strip() != "" or not _held(lock), 10)
        pid = lock.read_text().strip()
        if not pid:
            return None
        process = ServerProcess("mongod", int(pid), lambda: _held(lock))
        if str(self._socket) not in processes.command_line(process.pid):
            # Started by an earlier release, on a port, or where the directory was before.
            process.stop(_STOP, _KILL)
            return None
        process.await_ready(lambda: self.url is not None, _START_SECONDS)
        return process if process.running() else None

    def _spawn(self) -> ServerProcess:
        binary = mongod_binary()
        self._home.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            # What an earlier release ran as root is root's.
            hand_over(self._home, self._account, binary, [binary.parent])
        if not self._data.exists():
            self._data.mkdir()
            if self._account:
                os.chown(self._data, self._account.uid, self._account.gid)
        process = processes.spawn("mongod", self._command(binary), self._log, self._account)
        self._process = process
        if not process.await_ready(self._says_it_waits, _START_SECONDS):
            self.stop()
            raise CannotStart(self._why_not(process))
        return process

    def _command(self, binary: Path) -> list[str | Path]:
        return [
            binary,
            *("--dbpath", self._data),
            *("--bind_ip", self._socket),
            *("--replSet", REPLICA_SET),
            *("--oplogSize", _OPLOG_MEGABYTES),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            "--nounixsocket",  # no other than the one to bind to
        ]

    def _says_it_waits(self) -> bool:
        return b"waiting for connections" in self._log.read_bytes().lower()

    def _why_not(self, process: ServerProcess) -> str:
        words = self._last_words()
        if match := re.search(r"loading shared libraries: (\S+):", words):
            package = _PACKAGES.get(match[1])
            advice = f"; on Debian and Ubuntu it is in the package {package}" if package else ""
            return f"MONGODB_URL: is not set, and mongod cannot start without {match[1]}{advice}"
        if process.exit_status() == -signal.SIGILL:
            return (
                "MONGODB_URL: is not set, and mongod needs a processor with AVX; set it, and "
                "DATABASE_URL"
            )
        return f"mongod did not start: {words} (see {self._log})"

    def _last_words(self) -> str:
        """The first error of its log, or its last line."""
        lines = self._log.read_text(errors="replace").splitlines() or ["it said nothing"]
        for line in lines:
            if '"s":"E"' in line or '"s":"F"' in line:
                return _message(line)
        return _message(lines[-1])


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip()
    detail = entry.get("attr", {}).get("error") or entry.get("attr", {}).get("message") or ""
    return f"{entry.get('msg', '')} {json.dumps(detail) if detail else ''}".strip()


def _held(lock: Path) -> bool:
    """Whether a process holds the lock; correct also if the pid is reused."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
