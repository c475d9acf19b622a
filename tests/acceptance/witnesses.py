"""Clients that write, read and follow without a pause, and note what breaks a promise."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NoReturn

import httpx

from tests.acceptance.following import Reader
from tests.acceptance.promises import ORDERS, token

PATIENCE_SECONDS = 90.0
"""How long a request is repeated that is answered 503."""

RETRY_SECONDS = 0.1
LAST_POSITION = 2**60
NAME = "Witness"
"""The first word of the name of each user that is listed here."""

DAMAGED = "damaged"
"""How the ids of users begin whose documents are damaged on purpose, and how their names do."""


class Broken(AssertionError):
    """A promise is broken."""


class Ledger:
    """What was acknowledged, how requests were answered, and what was wrong.

    users: the profile of each user as the last write of it was answered, with its token.
    counts: answers by kind.
    wrong: each answer that breaks a promise.
    """

    def __init__(self) -> None:
        self.users: dict[str, tuple[dict[str, Any], Mapping[str, str]]] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.events = 0
        self.last: Mapping[str, str] = {}

    def wrote(self, written: httpx.Response) -> None:
        """Note a write that was acknowledged."""
        profile = written.json()
        self.events += 1
        self.last = token(written)
        self.counts["writes"] += 1
        known = self.users.get(profile["id"])
        # Of writes at the same time the answers come in any order.
        if known is None or known[0]["version"] < profile["version"]:
            self.users[profile["id"]] = (profile, self.last)

    def breaks(self, what: str, found: object) -> None:
        """Note that a promise is broken."""
        self.counts[what] += 1
        self.wrong.append(f"{what}: {found}"[:2000])


class Witnesses:
    """Clients of one process; each makes a request, looks at the answer, and pauses.

    Users whose ids begin with DAMAGED are in no list or page that is looked at. Their profiles may
    be wrong, missing or parked, but not at an earlier version than the token is of.

    may_refuse: whether reads of the users whose ids begin with `marked` may be refused, as their
        documents are parked.
    repairing: set while documents of users are repaired; these are written without a pause then.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        seed: int,
        *,
        pause: float = 0.1,
        page: int = 100,
        after: int = 0,
        readers: int = 1,
        users: int = 50,
    ) -> None:
        """Clients that list what was registered by them, `page` users at a time.

        Each writer registers so many `users` at most, or lists would take ever longer.
        The streams of so many `readers` begin after the position `after`, the end of the log.
        """
        self._client, self._seed, self._pause = client, seed, pause
        self._page_size, self._after, self._users = page, after, users
        self._stopping, self._all_written = False, asyncio.Event()
        self.readers = [Reader(random.Random(seed + each), after) for each in range(readers)]
        self.ledger = Ledger()
        self.may_refuse, self.repairing = False, asyncio.Event()

    @contextlib.asynccontextmanager
    async def at_work(
        self,
        *,
        writers: int = 4,
        pagers: int = 2,
        marked: Sequence[str] = (),
        damaged: Sequence[str] = (),
    ) -> AsyncIterator[None]:
        """Go on for the length of a `with` block, and until the stream has come to the end.

        One of the writers also changes the users that are `marked`, others those that may be
        `damaged`.
        """
        async with asyncio.TaskGroup() as group:
            following = [group.create_task(self._follow(each)) for each in self.readers]
            async with asyncio.TaskGroup() as others:
                for number in range(writers):
                    others.create_task(self._write(number, [] if number else [*marked]))
                    others.create_task(self._only_write(number))
                for each in damaged:
                    others.create_task(self._write_damaged(each))
                for number in range(pagers):
                    others.create_task(self._page(number))
                try:
                    yield
                finally:
                    self._stopping = True
            self._all_written.set()
            await asyncio.wait(following)
        for reader in self.readers:
            self._check(reader)

    def _check(self, reader: Reader) -> None:
        first = self._after + 1
        due = range(first, first + self.ledger.events)
        told = [each["position"] for each in reader.told]
        if told != [*due]:
            missed = sorted({*due}.difference(told))
            self.ledger.breaks("broken streams", f"told {told}, missed {missed} of {due}")

    async def _follow(self, reader: Reader) -> None:
        """Follow until all that was written has come."""
        following = asyncio.create_task(reader.follow([self._client], LAST_POSITION))
        await asyncio.wait(
            [following, asyncio.ensure_future(self._all_written.wait())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not following.done() and len(reader.told) < self.ledger.events:
            if asyncio.get_running_loop().time() > until:
                break
            await asyncio.wait([following], timeout=RETRY_SECONDS)
        following.cancel()
        await asyncio.wait([following])
        if not following.cancelled():
            self.ledger.breaks("broken streams", repr(following.exception()))

    async def register(self, user_id: str) -> None:
        """Register a user, and read it."""
        name = DAMAGED if user_id.startswith(DAMAGED) else NAME
        body = {"id": user_id, "name": f"{name} {user_id}", "email": f"{user_id}@example.com"}
        await self._write_and_read("POST", "/users", body)

    async def patch(self, user_id: str, **fields: str) -> None:
        """Change a user, and read it."""
        await self._write_and_read("PATCH", f"/users/{user_id}", fields)

    async def read(self, user_id: str) -> None:
        """Read a user with the token of the last write that was acknowledged."""
        profile, headers = self.ledger.users[user_id]
        found = await self._get(f"/users/{user_id}", headers=headers)
        if found.status_code == 503:
            return
        if not _holds(found, profile):
            self.ledger.breaks("stale answers", f"{found.text} instead of {profile}")
        self.ledger.counts["reads with a token"] += 1

    async def _write(self, number: int, own: list[str]) -> None:
        chance = random.Random(f"{self._seed}-{number}")
        while not self._stopping:
            if not own or (len(own) < self._users and chance.random() < 0.3):
                own.append(f"user-{number}-{len(own)}")
                await self.register(own[-1])
            else:
                await self.patch(chance.choice(own), bio=f"{chance.random()}")
            await self.read(chance.choice(list(self.ledger.users)))
            await asyncio.sleep(self._pause)

    async def _only_write(self, number: int) -> None:
        """Write on while views lag."""
        chance = random.Random(f"{self._seed}-only-{number}")
        user_id = f"user-only-{number}"
        await self.register(user_id)
        while not self._stopping:
            await self._write_once("PATCH", f"/users/{user_id}", {"bio": f"{chance.random()}"})
            await asyncio.sleep(self._pause)

    async def _write_damaged(self, user_id: str) -> None:
        chance = random.Random(f"{self._seed}-{user_id}")
        while not self._stopping:
            # What was written before may have got lost by now.
            await self.read(user_id)
            # A field that is in the views of one user and in those of many.
            await self.patch(user_id, avatar_url=f"https://example.com/{chance.random()}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.repairing.wait(), 10 * self._pause)

    async def _write_and_read(self, method: str, path: str, body: dict[str, str]) -> None:
        written = await self._write_once(method, path, body)
        if written.is_success:
            await self.read(written.json()["id"])

    async def _write_once(self, method: str, path: str, body: dict[str, str]) -> httpx.Response:
        key = {"Idempotency-Key": random.randbytes(16).hex()}
        written = await self._send(method, path, json=body, headers=key)
        if written.is_success:
            self.ledger.wrote(written)
        else:
            self.ledger.breaks("refused writes", written.text)
        return written

    async def _page(self, number: int) -> None:
        chance = random.Random(f"{self._seed}-page-{number}")
        while not self._stopping:
            if users := self._listed():
                await self._walk_users(chance.choice(ORDERS))
                await self._walk_history(chance.choice(users))
            await asyncio.sleep(self._pause)

    async def _walk_users(self, order: str) -> None:
        present, headers = set(self._listed()), self.ledger.last
        parameters = {"q": NAME, "sort": order, "limit": f"{self._page_size}"}
        listed = [each["id"] for each in await self._walk("/users", headers, parameters)]
        marked = {each for each in present if each.startswith("marked")} if self.may_refuse else ()
        missed = present.difference(listed, marked)
        if len(listed) != len(set(listed)) or missed:
            twice = [each for each, times in Counter(listed).items() if times > 1]
            self.ledger.breaks("broken lists", f"missed {sorted(missed)}, twice {twice}")
        self.ledger.counts["lists"] += 1

    def _listed(self) -> list[str]:
        return [each for each in self.ledger.users if not each.startswith(DAMAGED)]

    async def _walk_history(self, user_id: str) -> None:
        profile, headers = self.ledger.users[user_id]
        entries = await self._walk(f"/users/{user_id}/history", headers, {"limit": "5"})
        versions = [each["version"] for each in entries]
        if versions != [*range(1, len(versions) + 1)] or len(versions) < profile["version"]:
            self.ledger.breaks("broken lists", f"history of {profile}: {versions}")
        self.ledger.counts["histories"] += 1

    async def _walk(
        self, path: str, headers: Mapping[str, str], parameters: dict[str, str]
    ) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            page = await self._get(path, params=parameters, headers=headers)
            if page.status_code != 200:
                self.ledger.breaks("broken pages", f"{page.request.url}: {page.text}")
                return items
            items += page.json()["items"]
            if page.json()["next_cursor"] is None:
                return items
            parameters["cursor"] = page.json()["next_cursor"]

    async def _get(self, path: str, **options: Any) -> httpx.Response:
        return await self._send("GET", path, **options)

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request, which is repeated while the views lag."""
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            answer = await self._client.request(method, path, **options)
            if answer.status_code != 503:
                return answer
            code = answer.json()["code"]
            self.ledger.counts[f"503 {code}"] += 1
            if code == "document-parked":
                may_refuse = self.may_refuse and "/marked" in path
                if not may_refuse and f"/{DAMAGED}" not in path:
                    self.ledger.breaks("refused reads", answer.text)
                return answer
            if asyncio.get_running_loop().time() > until:
                _give_up(f"{method} {path}: {answer.text} for {PATIENCE_SECONDS} s")
            await asyncio.sleep(RETRY_SECONDS)


def _holds(found: httpx.Response, profile: dict[str, Any]) -> bool:
    """Whether an answer has what was written."""
    if profile["id"].startswith(DAMAGED):
        is_removed = found.status_code == 404
        return is_removed or (found.is_success and found.json()["version"] >= profile["version"])
    newer = found.status_code == 200 and found.json()["version"] > profile["version"]
    return newer or (found.status_code == 200 and found.json() == profile)


def _give_up(what: str) -> NoReturn:
    raise Broken(what)
