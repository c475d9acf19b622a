"""The processes of a service with workers, and clients that know which of them serves them."""

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.services import Service, await_that

_ESTABLISHED = "01"


def children(service: Service) -> list[int]:
    """The processes that the service has forked, without embedded servers."""
    return [pid for pid in _descendants(service.process.pid) if "app serve" in _command(pid)]


def workers(service: Service) -> list[int]:
    """Those of them that listen."""
    listening = _inodes(service.port, "0A")
    return [pid for pid in children(service) if listening & _sockets(pid)]


def held_by(pid: int, service: Service) -> set[int]:
    """The ports of the clients whose connections a process has."""
    table = _inodes_by_client(service.port)
    return {table[each] for each in _sockets(pid) if each in table}


def _descendants(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in found.split()]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(each.readlink()).removeprefix("socket:[").rstrip("]"))
    return found


def _rows(port: str, state: str) -> Iterator[list[str]]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        row = line.split()
        if row[3] == state and int(row[1].partition(":")[2], 16) == int(port):
            yield row


def _inodes(port: str, state: str) -> set[str]:
    return {row[9] for row in _rows(port, state)}


def _inodes_by_client(port: str) -> dict[str, int]:
    rows = _rows(port, _ESTABLISHED)
    return {row[9]: int(row[2].partition(":")[2], 16) for row in rows}


class Caller:
    """A client with one connection."""

    def __init__(self, service: Service) -> None:
        address = urlsplit(service.url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, 10)
        self._connection.connect()
        assert isinstance(self._connection.sock, socket.socket)
        self.port: int = self._connection.sock.getsockname()[1]

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """The status, the body and the headers of an answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        self._connection.request(
            method, path, content, {"Content-Type": "application/json", **sent}
        )
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def serves(pid: int, service: Service) -> bool:
    """Whether a new connection is served by this process."""
    with contextlib.closing(Caller(service)) as caller:
        assert caller.call("GET", "/health/live")[0] == 200
        return caller.port in held_by(pid, service)


@contextlib.contextmanager
def one_caller_each(service: Service) -> Iterator[list[Caller]]:
    """A client of each worker."""
    with contextlib.ExitStack() as stack:
        found: dict[int, Caller] = {}

        def all_found() -> bool:
            caller = Caller(service)
            stack.callback(caller.close)
            assert caller.call("GET", "/health/live")[0] == 200
            for pid in workers(service):
                if caller.port in held_by(pid, service):
                    found.setdefault(pid, caller)
            return found.keys() == set(workers(service)) and len(found) > 1

        await_that(all_found, "some worker has no connection")
        yield list(found.values())


@dataclass
class Load:
    """Many clients who send one request after the other, each on a connection that it keeps.

    broken: the ports of connections that broke while a request waited for its answer.
    reset: those of them that broke at the first request: the system had them, and no process.
    refused: how often nothing listened.
    wrong: answers that are none of those that are expected.
    """

    url: str
    done: int = 0
    acknowledged: list[str] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    reset: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    stopping: bool = False

    async def work(self, number: int) -> None:
        """Register users until the end, or until nothing listens any more."""
        address = urlsplit(self.url)
        each = 0
        while not self.stopping:
            try:
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
            except OSError:
                self.refused += 1
                return
            port = writer.get_extra_info("sockname")[1]
            first = each + 1
            try:
                while not self.stopping:
                    each += 1
                    if await self._register(f"c{number}x{each}", reader, writer):
                        break
            except (OSError, EOFError):
                self.broken.append(port)
                self.reset += each == first
            finally:
                writer.close()

    async def _register(
        self, user: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Register a user; whether it was the last answer on this connection."""
        body = json.dumps({"id": user, "name": "Ann", "email": f"{user}@example.com"})
        writer.write(
            "POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        answer = await reader.readexactly(int(length))
        if head[9:12] == "201":
            self.acknowledged.append(user)
        else:
            self.wrong.append(answer.decode())
        self.done += 1
        return "connection: close" in head
