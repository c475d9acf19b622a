"""Sends the service several times the load that it can answer, and holds it to what is promised.

    python -m tests.acceptance.overload --seconds 8 --times 5 --connections 3000

First a few clients measure how much it answers a second at most. Then requests are sent at several
times that rate on thousands of connections, whatever becomes of those before, while a process of
its own asks for health on new connections. The load is made by one process, so this wants a free
core for it, one for the service, and as much again for the databases: where they share, the load
itself takes what the service is measured by.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from tests.acceptance.clusters import client_of, cluster
from tests.acceptance.services import Service

USERS = 240
CLIENTS = 48
TICK_SECONDS = 0.005
GIVE_UP_SECONDS = 10.0

GOODPUT = 0.8
"""Of the peak, at least."""

SUCCESS_SECONDS = 1.0
HEALTH_SECONDS = 0.5
REFUSAL_SECONDS = 0.05
"""At most: the 99th percentile of successes, every check of health, half of the refusals."""


class Caller(asyncio.Protocol):
    """A connection that sends one request after another."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._due = 0.0
        self._heard = b""
        self.is_busy = False
        self.is_open = False

    def connection_made(self, transport) -> None:
        """Be ready."""
        self._transport = transport
        self.is_open = True
        self._load.idle.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Note what is not answered any more."""
        self.is_open = False
        if self.is_busy:
            self.is_busy = False
            self._load.unanswered += 1

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was to be sent at `due`."""
        self._due, self.is_busy = due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note an answer, once it is whole."""
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._heard, self.is_busy = b"", False
            self._load.seconds[int(head[9:12])].append(time.monotonic() - self._due)
            self._load.idle.append(self)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()


class Load:
    """Requests of one kind, and how long each took, by the status of its answer."""

    def __init__(self, url: str, kind: str) -> None:
        address = urlsplit(url)
        assert address.hostname
        assert address.port
        self._address = (address.hostname, address.port)
        self._kind = kind
        self._made = 0
        self.idle: collections.deque[Caller] = collections.deque()
        self.seconds: dict[int, list[float]] = collections.defaultdict(list)
        self.unanswered = 0
        self.unsent = 0

    def _request(self) -> bytes:
        self._made += 1
        path = f"/users/user{self._made % USERS}"
        if self._kind == "get":
            return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        body = json.dumps({"name": f"User {self._made}"})
        return (
            f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def _connect(self, number: int) -> list[Caller]:
        loop = asyncio.get_running_loop()
        callers: list[Caller] = []
        while len(callers) < number:
            some = min(100, number - len(callers))
            opening = [
                loop.create_connection(lambda: Caller(self), *self._address) for _ in range(some)
            ]
            callers += [caller for _, caller in await asyncio.gather(*opening)]
        return callers

    async def peak(self, seconds: float) -> float:
        """How many a second are answered to a few clients, each of whom waits for its answer."""
        callers = await self._connect(CLIENTS)
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            while self.idle:
                self.idle.popleft().send(self._request(), now)
            await asyncio.sleep(0.0005)
        for each in callers:
            each.close()
        return len(self.seconds[200]) / seconds

    async def send(self, seconds: float, rate: float, connections: int) -> None:
        """Send so many a second, whatever becomes of them."""
        callers = await self._connect(connections)
        begin = time.monotonic()
        sent = 0
        while (now := time.monotonic()) < begin + seconds:
            while sent < (now - begin) * rate:
                self._send_one(begin + sent / rate)
                sent += 1
            await asyncio.sleep(TICK_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while any(each.is_busy for each in callers):  # noqa: ASYNC110 - a load's state
                    await asyncio.sleep(TICK_SECONDS)
        for each in callers:
            each.close()
        await asyncio.sleep(0.1)

    def _send_one(self, due: float) -> None:
        while self.idle:
            caller = self.idle.popleft()
            if caller.is_open:
                caller.send(self._request(), due)
                return
        self.unsent += 1  # every connection waits for an answer


@dataclass(slots=True)
class Outcome:
    """What became of an overload: seconds in order, and how much was answered a second."""

    kind: str
    peak: float
    goodput: float
    successes: Sequence[float]
    refusals: Sequence[float]
    unanswered: int
    unsent: int
    health: Sequence[float]
    unhealthy: int
    other: dict[int, int]
    memory: str = ""

    def __str__(self) -> str:
        """Make a report of a few lines."""
        share = self.goodput / self.peak
        lines = [f"{self.kind}: at most {self.peak:.0f}/s, now {self.goodput:.0f}/s ({share:.0%})"]
        for name, values in (
            ("successes", self.successes),
            ("refusals", self.refusals),
            ("checks of health", self.health),
        ):
            at = ", ".join(f"p{100 * each:g} {_at(values, each):.3f} s" for each in (0.5, 0.99, 1))
            lines.append(f"  {len(values):6} {name}: {at}")
        lines.append(
            f"  {self.unanswered:6} not answered, {self.unsent} not sent since all connections "
            f"waited, {self.unhealthy} times not healthy"
        )
        lines += [f"  {number:6} answers of {status}" for status, number in self.other.items()]
        return "\n".join([*lines, f"  {self.memory}"])

    def misses(self) -> list[str]:
        """What is not as it is promised."""
        kept = {
            "goodput": self.goodput >= GOODPUT * self.peak,
            "successes": _at(self.successes, 0.99) <= SUCCESS_SECONDS,
            # What is more than the service refuses a second is held back.
            "refusals": self.unsent > 0 or _at(self.refusals, 0.5) <= REFUSAL_SECONDS,
            "health": self.unhealthy == 0 and _at(self.health, 1) <= HEALTH_SECONDS,
            "answers": self.unanswered == 0 and not self.other,
        }
        return [name for name, holds in kept.items() if not holds]


def _at(values: Sequence[float], share: float) -> float:
    return values[math.ceil(share * len(values)) - 1] if values else 0.0


async def overload(
    service: Service, kind: str, *, seconds: float, times: float, connections: int
) -> Outcome:
    """Overload the service, whose users are there, with requests of this kind."""
    peak = await Load(service.url, kind).peak(seconds / 2)
    load = Load(service.url, kind)
    probe = Path(__file__).with_name("probe.py")
    with subprocess.Popen(  # noqa: ASYNC220 - it does not wait
        [sys.executable, probe, service.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as probing:
        await load.send(seconds, times * peak, connections)
        asked, _ = await asyncio.to_thread(probing.communicate, "")
    healths = [line.split() for line in asked.splitlines()]
    return Outcome(
        kind,
        peak,
        len(load.seconds[200]) / seconds,
        sorted(load.seconds[200]),
        sorted(load.seconds[503]),
        load.unanswered,
        load.unsent,
        sorted(float(took) for _, took in healths),
        sum(answer != "200" for answer, _ in healths),
        {each: len(all_) for each, all_ in load.seconds.items() if each not in {200, 503}},
        _memory(service),
    )


def _memory(service: Service) -> str:
    status = Path(f"/proc/{service.process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return " ".join(" ".join(each.split()) for each in lines if each.startswith("VmHWM"))


async def seed(service: Service) -> None:
    """Register the users that the load is about."""
    users = [f"user{number}" for number in range(USERS)]
    async with client_of(service) as client:
        for begin in range(0, USERS, CLIENTS):
            people = [
                {"id": each, "name": "A", "email": f"{each}@example.com"}
                for each in users[begin : begin + CLIENTS]
            ]
            answers = await asyncio.gather(*(client.post("/users", json=it) for it in people))
        token = {"Consistency-Token": answers[-1].headers["Consistency-Token"]}
        (await client.get("/users", headers=token)).raise_for_status()


async def _run(options: argparse.Namespace) -> int:
    async with cluster() as processes:
        service = await processes.start("commands,queries,projector")
        await seed(service)
        misses = []
        for kind in options.kinds:
            found = await overload(
                service,
                kind,
                seconds=options.seconds,
                times=options.times,
                connections=options.connections,
            )
            sys.stdout.write(f"{found}\n")
            misses += [f"{kind}: {each}" for each in found.misses()]
    sys.stdout.write(
        "Not as promised: " + ", ".join(misses) + "\n" if misses else "All as promised.\n"
    )
    return 1 if misses else 0


def main() -> int:
    """Run what the arguments say; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--times", type=float, default=5)
    parser.add_argument("--connections", type=int, default=3000)
    parser.add_argument("--kinds", nargs="+", choices=["get", "put"], default=["get", "put"])
    return uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
