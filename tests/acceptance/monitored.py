"""A service that a real Prometheus scrapes, with clients at work."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

import httpx

from app.bootstrap import all_scopes
from tests.acceptance.clusters import Cluster, client_of
from tests.acceptance.console_pictures import Pictures
from tests.acceptance.issuers import LoopbackIssuer
from tests.acceptance.prometheus import Prometheus
from tests.acceptance.services import SECONDS, Service, run
from tests.unit.identity.issuing import AUDIENCE

ROLES = "commands,queries,projector"
CALM_SECONDS = 12.0
PATIENCE_SECONDS = 300.0
CLIENTS = 3


def token_of(issuer: LoopbackIssuer, subject: str, *scopes: str) -> str:
    """A token that is valid for an hour."""
    claims = {"sub": subject, "scope": " ".join(scopes), "exp": int(time.time()) + 3600}
    return issuer.token({**claims, "aud": AUDIENCE})


def bearer(issuer: LoopbackIssuer, subject: str, *scopes: str) -> dict[str, str]:
    """The header of a client with such a token."""
    return {"Authorization": f"Bearer {token_of(issuer, subject, *scopes)}"}


class Trial:
    """A service with two workers and a projector, clients at work, and Prometheus."""

    def __init__(
        self, processes: Cluster, service: Service, issuer: LoopbackIssuer, pictures: Pictures
    ) -> None:
        self.processes, self.service, self.issuer = processes, service, issuer
        self.pictures = pictures
        self.client = client_of(service)
        self._stopping = False
        self._seen = set[str]()
        self.prometheus = Prometheus(
            processes.home / "prometheus",
            service.port,
            token_of(issuer, "prometheus", "metrics:read"),
        )

    async def phase(
        self,
        name: str,
        begin: Callable[[], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
        must: Collection[str],
        may: Collection[str] = (),
    ) -> None:
        """Let something begin, await alerts that must fire, end it, and await that none does."""
        began, seen = time.monotonic(), self._begin_to_watch()
        await begin()
        await self._watch(lambda _: set(must) <= seen)
        fired = time.monotonic() - began
        await self.pictures.take(name)
        await end()
        await self._watch(lambda firing: not firing)
        others = sorted(seen - set(must))
        _say(
            f"{name}: {', '.join(sorted(must))} after {fired:.0f} s, resolved after "
            f"{time.monotonic() - began:.0f} s; also: {', '.join(others) or 'none'}"
        )
        assert set(others) <= set(may), others

    async def calm(self) -> None:
        """Let the load go on for a while, in which no alert may fire."""
        seen = self._begin_to_watch()
        until = time.monotonic() + CALM_SECONDS
        await self._watch(lambda _: time.monotonic() > until)
        assert not seen, seen
        _say("calm: no alert fires")
        await self.pictures.take("calm")

    async def until_fires(self, alert: str) -> None:
        """Wait until an alert fires."""
        await self._watch(lambda firing: f"Diptych{alert}" in firing)

    async def until_seen(self, query: str) -> None:
        """Wait until Prometheus has data for a query whose values are above zero."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not await asyncio.to_thread(self.prometheus.value, query):
            assert time.monotonic() < until, query
            await asyncio.sleep(0.2)

    def _begin_to_watch(self) -> set[str]:
        """The alerts that fire from now on."""
        self._seen = set()
        return self._seen

    async def _watch(self, is_over: Callable[[frozenset[str]], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            firing = await asyncio.to_thread(self.prometheus.firing)
            self._seen |= {each.removeprefix("Diptych") for each in firing}
            if is_over(firing):
                return
            assert time.monotonic() < until, f"firing: {set(firing)}; fired so far: {self._seen}"
            await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Clients that write and read, for the length of a `with` block."""
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._work(number))
            try:
                yield
            finally:
                self._stopping = True

    async def _work(self, number: int) -> None:
        headers = bearer(self.issuer, f"client-{number}", *all_scopes())
        user = f"user-{number}"
        body = {"id": user, "name": "Alice", "email": f"alice{number}@example.com"}
        calls = (
            ("PATCH", f"/users/{user}"),
            ("GET", f"/users/{user}"),
            ("PATCH", f"/users/{user}"),
            ("GET", "/users"),
            ("GET", f"/users/{user}/history"),
        )
        await self.client.post("/users", headers=headers, json=body)
        turn = 0
        while not self._stopping:
            turn += 1
            method, path = calls[turn % len(calls)]
            content = {"bio": f"Turn {turn}."} if method == "PATCH" else None
            with contextlib.suppress(httpx.TransportError):
                await self.client.request(method, path, headers=headers, json=content)
            await asyncio.sleep(0.1)

    async def command(self, *arguments: str) -> None:
        """A command of an operator."""
        urls, home = self.processes.urls, self.processes.home
        done = await asyncio.to_thread(
            lambda: run("projections", *arguments, cwd=home, seconds=SECONDS, **urls)
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"

    async def replace(self) -> None:
        """Stop the service, and start this release in its place once its absence was noticed."""
        assert await asyncio.to_thread(self.service.stop) == 0
        await self.until_fires("Down")
        self.service = await start(self.processes, self.issuer, PORT=self.service.port)


class Flood:
    """Requests of one client at a rate, or as many as there is time for, from begin to end."""

    def __init__(self, trial: Trial, rate: float, headers: dict[str, str]) -> None:
        self._rate, self._headers = rate, headers
        self._client = client_of(trial.service)
        self._requests = set[asyncio.Task[httpx.Response]]()
        self._sending: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Send the first."""
        self._sending = asyncio.create_task(self._send())

    async def end(self) -> None:
        """Send no more, and await no answers."""
        assert self._sending
        tasks = [self._sending, *self._requests]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _send(self) -> None:
        while True:
            task = asyncio.create_task(self._client.get("/users", headers=self._headers))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
            await asyncio.sleep(1 / self._rate)


async def start(processes: Cluster, issuer: LoopbackIssuer, **settings: str) -> Service:
    """Start a service with two workers and a projector, which takes tokens of `issuer`.

    It has filled its views when this returns, and its rebuilds take a while.
    """
    trust = {"AUTH": "", "AUTH_ISSUERS": issuer.url, "AUTH_AUDIENCES": AUDIENCE}
    limits = {"RATE_LIMIT": "3000", "RATE_LIMIT_BURST": "200", "REBUILD_SHARE": "0.05"}
    service = await processes.start(ROLES, WORKERS="2", **trust, **limits, **settings)
    headers = bearer(issuer, "operator", "projections:read")
    async with client_of(service) as client, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = (await client.get("/admin/projections", headers=headers)).json()["items"]
            if found and all(each["lag"] == 0 for each in found):
                return service
            await asyncio.sleep(0.2)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
