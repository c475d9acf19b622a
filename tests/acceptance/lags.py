"""Clients that write at a steady rate, and witnesses of how soon a write can be read."""

import asyncio
import contextlib
import functools
import itertools
import random
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx

from tests.acceptance.http import Connection
from tests.acceptance.promises import token
from tests.acceptance.witnesses import Ledger

WRITERS, WITNESSES = 4, 3
WITNESSED = 10
"""Of so many users, witnesses write to one; the rest is for the writers."""

POLL_SECONDS = 0.004
PAUSE_SECONDS = 0.1
RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 30.0

ResultT = TypeVar("ResultT")


class Line:
    """The way to a process that may be replaced: requests are repeated while it is."""

    def __init__(self) -> None:
        self.is_replaced = False

    async def repeat(self, request: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The answer to a request, which has to be one that can be repeated."""
        while True:
            try:
                return await request()
            except (OSError, EOFError, httpx.TransportError):
                if not self.is_replaced:
                    raise
            await asyncio.sleep(RETRY_SECONDS)


class Lags:
    """Seconds from the answer to a write until a read shows it, by phase and by what is read.

    The write itself is among them: what keeps the whole process busy makes it slower, and no lag.
    """

    def __init__(self) -> None:
        self._found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, phase: str, what: str, seconds: float) -> None:
        """Note one."""
        self._found[phase][what].append(seconds)

    def percentiles(self, phase: str) -> dict[str, dict[int, float]]:
        """By what is read: p50 and p99, in ms."""
        percentiles = {}
        for what, seconds in self._found[phase].items():
            cuts = statistics.quantiles(seconds, n=100, method="inclusive")
            percentiles[what] = {each: cuts[each - 1] * 1000 for each in (50, 99)}
        return percentiles

    def count(self, phase: str) -> int:
        """How many writes were witnessed."""
        return max(map(len, self._found[phase].values()), default=0)


class Others:
    """Clients of these users; each writes to users of its own.

    phase: under which lags are noted; those of writes that begin in None or in another are not.
    due: what each user must have in the end, by what the last answered write gave it.
    rates: how many writes a second were answered in each phase.
    """

    def __init__(
        self, client: httpx.AsyncClient, line: Line, ids: Sequence[str], *, seed: int, rate: float
    ) -> None:
        """`rate`: how many writes a second there are, without those of the witnesses."""
        self._client, self._line, self._seed, self._rate = client, line, seed, rate
        self._witnessed = ids[::WITNESSED]
        self._written = sorted(set(ids).difference(self._witnessed))
        self._stopping = False
        self.ledger, self.lags = Ledger(), Lags()
        self.phase: str | None = None
        self.due: dict[str, dict[str, str]] = {}
        self.rates: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Go on for the length of a `with` block."""
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._write(number, self._written[number::WRITERS]))
            for number in range(WITNESSES):
                group.create_task(self._witness(number, self._witnessed[number::WITNESSES]))
            try:
                yield
            finally:
                self._stopping = True

    async def during(self, phase: str, seconds: float) -> None:
        """Note lags under `phase` for so long."""
        written = self.ledger.counts["writes"]
        self.phase = phase
        await asyncio.sleep(seconds)
        self.phase = None
        self.rates[phase] = (self.ledger.counts["writes"] - written) / seconds

    async def _write(self, number: int, own: Sequence[str]) -> None:
        connection = self._connection()
        clock = asyncio.get_running_loop()
        due = clock.time()
        for count, user_id in enumerate(itertools.cycle(own)):
            if self._stopping:
                break
            change = {"bio": f"{number} {count}"}
            request = functools.partial(connection.request, "PATCH", f"/users/{user_id}", change)
            status, answer = await self._line.repeat(request)
            if status == 200:
                self.due[user_id] = change
                self.ledger.counts["writes"] += 1
            else:
                self.ledger.breaks("refused writes", answer)
            due = max(due + WRITERS / self._rate, clock.time())
            await asyncio.sleep(due - clock.time())
        connection.close()

    async def _witness(self, number: int, own: Sequence[str]) -> None:
        chance = random.Random(f"{self._seed}-{number}")
        for count in itertools.count():
            if self._stopping:
                return
            phase = self.phase
            lags = await self._seen(chance.choice(own), f"w{number}x{count:06}")
            if phase is not None and phase == self.phase:
                for what, seconds in lags.items():
                    self.lags.add(phase, what, seconds)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _seen(self, user_id: str, word: str) -> dict[str, float]:
        """Give a user a name with this word; how long that takes, and until each read shows it."""
        change = {"name": f"Witness {word}"}
        path = f"/users/{user_id}"
        clock = asyncio.get_running_loop()
        began = clock.time()
        written = await self.send("PATCH", path, json=change)
        answered = clock.time() - began
        if written.status_code != 200:
            self.ledger.breaks("refused writes", written.text)
            return {}
        self.due[user_id] = change
        self.ledger.wrote(written)
        profile = written.json()

        def is_listed(page: dict[str, Any]) -> bool:
            return any(each["id"] == user_id for each in page["items"])

        profiles, summaries, tokens = await asyncio.gather(
            self._shown(path, lambda found: found == profile),
            self._shown(f"/users?q={word}", is_listed),
            self._held(path, token(written), profile),
        )
        return {
            "the write": answered,
            "GET": profiles,
            "GET with the token": tokens,
            "list": summaries,
        }

    async def _shown(self, path: str, shows: Callable[[dict[str, Any]], bool]) -> float:
        """How long it takes until a read without a token shows it."""
        clock = asyncio.get_running_loop()
        connection = self._connection()
        began = clock.time()
        while clock.time() < began + PATIENCE_SECONDS:
            status, found = await self._line.repeat(lambda: connection.request("GET", path))
            if status != 200:
                self.ledger.breaks("refused reads", f"{path}: {found}")
            elif shows(found):
                break
            await asyncio.sleep(POLL_SECONDS)
        else:
            self.ledger.breaks("hidden writes", f"{path} for {PATIENCE_SECONDS} s")
        self.ledger.counts["reads until shown"] += 1
        connection.close()
        return clock.time() - began

    async def _held(self, path: str, headers: dict[str, str], profile: dict[str, Any]) -> float:
        """How long a read with the token of the write takes."""
        began = asyncio.get_running_loop().time()
        found = await self.send("GET", path, headers=headers)
        if found.status_code != 200 or found.json() != profile:
            self.ledger.breaks("stale answers", f"{found.text} instead of {profile}")
        self.ledger.counts["reads with a token"] += 1
        return asyncio.get_running_loop().time() - began

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request."""
        return await self._line.repeat(lambda: self._client.request(method, path, **options))

    def _connection(self) -> Connection:
        return Connection("127.0.0.1", self._client.base_url.port or 0)
