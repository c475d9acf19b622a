"""Follows /changes with a thousand readers, and measures what is left for writes and health.

    python -m tests.acceptance.streaming --readers 1000 --seconds 8

First there are writes alone, then with readers; then these are cut off, come back 500 changes
behind, and catch up. Health is asked for all the while, on new connections.
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.acceptance.clusters import cluster
from tests.acceptance.promises import registration

HERE = Path(__file__).parent
WRITERS = 16
BEHIND = 500


class Readers:
    """Many readers in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def reach(self, position: int) -> float:
        """Wait until all have come to `position`; after how many seconds."""
        began = time.monotonic()
        assert self._process.stdin
        self._process.stdin.write(b"%d\n" % position)
        await self.expect(b"reached\n")
        return time.monotonic() - began

    async def expect(self, line: bytes) -> None:
        """Wait until they say so."""
        assert self._process.stdout
        async with asyncio.timeout(120):
            assert await self._process.stdout.readline() == line


@contextlib.asynccontextmanager
async def readers(url: str, number: int, after: int) -> AsyncIterator[Readers]:
    """So many readers, all open, for the length of a `with` block."""
    process = await _python("followers.py", url, str(number), str(after))
    following = Readers(process)
    try:
        await following.expect(b"open\n")
        yield following
    finally:
        process.kill()
        await process.wait()


class Health:
    """How long health took to answer."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __str__(self) -> str:
        worst = sorted(self.seconds)
        return f"{worst[-1] * 1000:.0f} ms, p99 {worst[len(worst) * 99 // 100] * 1000:.0f}"


@contextlib.asynccontextmanager
async def watched(url: str) -> AsyncIterator[Health]:
    """Ask for health during the block; what came of it is there after it."""
    process, health = await _python("probe.py", url), Health()
    try:
        yield health
    finally:
        said, _ = await process.communicate(b"\n")
        for answer in said.decode().splitlines():
            status, seconds = answer.split()
            assert status == "200", answer
            health.seconds.append(float(seconds))


async def _python(*arguments: str) -> asyncio.subprocess.Process:
    name, *rest = arguments
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, str(HERE / name), *rest)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)


async def write(url: str, numbers: Iterator[int], seconds: float) -> float:
    """How many writes a second there are, of writers that wait for each answer."""
    end, done = time.monotonic() + seconds, 0

    async def keep_writing(who: str) -> None:
        nonlocal done
        # Plain sockets: a client in Python would take as much of the machine as the service.
        reader, writer = await asyncio.open_connection(*urlsplit(url).netloc.split(":"))
        while time.monotonic() < end:
            body = f'{{"bio":"{next(numbers)}"}}'
            head = f"PATCH /users/{who} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
            writer.write(f"{head}\r\nContent-Type: application/json\r\n\r\n{body}".encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert answer.startswith(b"http/1.1 200 "), answer
            await reader.readexactly(int(answer.partition(b"content-length:")[2].split()[0]))
            done += 1
        writer.close()

    await asyncio.gather(*(keep_writing(registration(each)["id"]) for each in range(WRITERS)))
    return done / seconds


async def settled(client: httpx.AsyncClient) -> int:
    """The last position of the log, once all views hold it."""
    while True:
        items = (await client.get("/projections")).json()["items"]
        if all(each["position"] == each["head"] for each in items):
            return int(items[0]["head"])
        await asyncio.sleep(0.1)


@dataclass(slots=True)
class Measured:
    """What came of it: writes a second, health meanwhile, and seconds.

    late: until all had been told of the last change, once there were no more writes.
    returned: from the first reader that came back until all had caught up.
    """

    alone: float
    alone_health: Health
    coming_health: Health
    together: float
    together_health: Health
    late: float
    returned: float
    returning_health: Health

    def __str__(self) -> str:
        return (
            f"{self.alone:.0f} writes/s alone (health {self.alone_health})\n"
            f"{self.together:.0f} writes/s with readers, {self.together / self.alone:.0%} (health "
            f"{self.together_health}; with their coming {self.coming_health}); all were told of "
            f"the last change {self.late:.1f} s later\n"
            f"back from {BEHIND} behind in {self.returned:.1f} s (health {self.returning_health})"
        )


async def measure(number: int, seconds: float) -> Measured:
    """Measure on a service and servers of its own."""
    async with cluster() as processes:
        url = (await processes.start("commands,queries,projector")).url
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            numbers = itertools.count()
            for each in range(WRITERS):
                (await client.post("/users", json=registration(each))).raise_for_status()
            await write(url, numbers, min(2, seconds))
            async with watched(url) as alone_health:
                alone = await write(url, numbers, seconds)
            head = await settled(client)
            async with watched(url) as coming_health, readers(url, number, head) as following:
                async with watched(url) as together_health:
                    together = await write(url, numbers, seconds)
                head = await settled(client)
                late = await following.reach(head)
            began, behind = time.monotonic(), max(0, head - BEHIND)
            async with (
                watched(url) as returning_health,
                readers(url, number, behind) as following,
            ):
                await following.reach(head)
                returned = time.monotonic() - began
    return Measured(
        alone,
        alone_health,
        coming_health,
        together,
        together_health,
        late,
        returned,
        returning_health,
    )


def main() -> None:
    """Measure, from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    sys.stdout.write(f"{asyncio.run(measure(options.readers, options.seconds))}\n")


if __name__ == "__main__":
    main()
