"""Reads with tokens from processes that keep what they read, while processes are killed.

    python -m tests.acceptance.staleness --pairs 50000 --kills 200

A few users are changed and read all the time, so that what is read is mostly kept, and has mostly
just changed. After each write it is read with its token from any of the query processes, which
must answer with it, or with a later one. Query processes and projectors are killed meanwhile.
"""

import argparse
import asyncio
import collections
import itertools
import random
import sys
from http import HTTPStatus

import httpx

from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.promises import registration, token
from tests.acceptance.services import Service
from tests.people import person

USERS = 40
WRITERS = 12
QUERIES, PROJECTORS = 3, 2


class Staleness:
    """Processes that are killed, and what was read from them."""

    def __init__(self, processes: Cluster, seed: int) -> None:
        self._processes = processes
        self._choose = random.Random(seed)
        self._projectors: list[Service] = []
        self._queries: dict[Service, httpx.AsyncClient] = {}
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.kills = 0

    async def start(self) -> httpx.AsyncClient:
        """Start all of them, and register the users; the client that writes."""
        writer = client_of(await self._processes.start("commands"))
        for _ in range(PROJECTORS):
            self._projectors.append(await self._processes.start("projector"))
        for _ in range(QUERIES):
            await self._add_queries()
        for number in range(USERS):
            assert (await writer.post("/users", json=registration(number))).is_success
        return writer

    async def pair(self, writer: httpx.AsyncClient, number: int) -> None:
        """Change a user, and read it without a token and with that of the change."""
        path = f"/users/{person(self._choose.randrange(USERS)).id}"
        written = await writer.patch(path, json={"bio": f"{number}"})
        assert written.is_success, written.text
        least = written.json()["version"]
        await self._read(path, {})
        read = await self._read(path, token(written))
        held = read.is_success and read.json()["version"] >= least
        # A projector that was killed is replaced within seconds; until then this says so.
        behind = read.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        self.outcomes["held" if held else "behind" if behind else read.text] += 1

    async def kill_on(self, kills: int) -> None:
        """Kill processes one after the other, and start others in their place."""
        for _ in range(kills):
            if self._choose.random() < 0.5:
                victim = self._choose.choice(self._projectors)
                self._projectors.remove(victim)
                self._kill(victim)
                self._projectors.append(await self._processes.start("projector"))
            else:
                victim = self._choose.choice(list(self._queries))
                client = self._queries.pop(victim)
                self._kill(victim)
                await self._add_queries()
                await client.aclose()

    async def close(self) -> None:
        """Close the clients."""
        for each in self._queries.values():
            await each.aclose()

    def _kill(self, service: Service) -> None:
        service.process.kill()
        service.await_end()
        self.kills += 1

    async def _add_queries(self) -> None:
        service = await self._processes.start("queries")
        self._queries[service] = client_of(service)

    async def _read(self, path: str, headers: dict[str, str]) -> httpx.Response:
        while True:
            client = self._choose.choice(list(self._queries.values()))
            try:
                return await client.get(path, headers=headers)
            except (httpx.TransportError, RuntimeError):
                # It was killed, or its client closed since; another one answers.
                await asyncio.sleep(0.01)


async def staleness(pairs: int, kills: int, seed: int) -> str:
    """What was read; raises AssertionError if anything was stale."""
    async with cluster() as processes:
        trial = Staleness(processes, seed)
        writer = await trial.start()
        killing = asyncio.create_task(trial.kill_on(kills))
        numbers = itertools.count()

        async def write_on() -> None:
            while (number := next(numbers)) < pairs or not killing.done():
                await trial.pair(writer, number)

        await asyncio.gather(*(write_on() for _ in range(WRITERS)))
        await killing
        await trial.close()
        await writer.aclose()
    assert trial.outcomes.keys() <= {"held", "behind"}, trial.outcomes.most_common(3)
    return (
        f"{sum(trial.outcomes.values())} pairs of a write and a read with its token under "
        f"{trial.kills} kills: {dict(trial.outcomes)}, none stale"
    )


def main() -> int:
    """Run what the arguments say; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = asyncio.run(staleness(options.pairs, options.kills, options.seed))
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
