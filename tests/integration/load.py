"""A load of writers and readers who do not give up, and what they were answered."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass

import httpx

from tests.integration.conftest import shown

WRITERS = READERS = 16
PATIENCE_SECONDS = 20.0

ACCEPTED = "accepted"
UNAVAILABLE = "storage-unavailable"

WRITES = ("POST", "PATCH one each", "PATCH one together")
READS = {
    "GET one": "/users/read",
    "GET list": "/users",
    "GET history": "/users/read/history",
    "GET as_of": "/users/read?as_of=2100-01-01T00:00:00Z",
    "GET as_of_version": "/users/read?as_of_version=1",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request was answered.

    text: what this request, and no other, wrote.
    sent_in, answered_in: the phases of the load.
    outcome: ACCEPTED; the code of a 503 that says when to try again; or else the whole answer.
    """

    call: str
    text: str
    sent_in: str
    answered_in: str
    seconds: float
    outcome: str


class Load:
    """16 who write and 16 who read, each one request after the other.

    phase: what the answers are sorted by; to be changed as it goes.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._answered = asyncio.Event()
        self._stopping = False
        self._tally: Counter[tuple[str, str, str]] = Counter()
        self.phase = "before"
        self.answers: list[Answer] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it up for the length of a `with` block, and await the last answers."""
        await self._prepare()
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._write(number))
            for number in range(READERS):
                group.create_task(self._read(number))
            try:
                yield
            finally:
                self._stopping = True

    async def answered(self, outcome: str, calls: Sequence[str], *, times: int) -> None:
        """Return once, within this phase, each call was answered so, and all together so often."""

        async def enough() -> None:
            while min(counts()) == 0 or sum(counts()) < times:
                self._answered.clear()
                await self._answered.wait()

        def counts() -> list[int]:
            return [self._tally[self.phase, each, outcome] for each in calls]

        try:
            await asyncio.wait_for(enough(), PATIENCE_SECONDS)
        except TimeoutError as error:
            seen = f"{self.phase}: {dict(zip(calls, counts(), strict=True))} were {outcome}"
            raise AssertionError(f"{seen} in {PATIENCE_SECONDS} s") from error

    async def _prepare(self) -> None:
        ids = ["read", "together", *map(str, range(WRITERS))]
        answers = await asyncio.gather(*map(self._register, ids))
        assert {each.status_code for each in answers} == {201}
        for path in READS.values():
            await shown(self._client, path, lambda it: it.status_code == 200)

    async def _write(self, number: int) -> None:
        for each in itertools.count(number):
            if self._stopping:
                return
            call, text = WRITES[each % len(WRITES)], f"Writer {number}, write {each}"
            if call == "POST":
                request = self._register(f"{number}-{each}", bio=text)
            else:
                whom = "together" if call == "PATCH one together" else number
                request = self._client.patch(f"/users/{whom}", json={"bio": text})
            await self._note(call, request, text)

    async def _read(self, number: int) -> None:
        for call in itertools.islice(itertools.cycle(READS), number, None):
            if self._stopping:
                return
            await self._note(call, self._client.get(READS[call]))

    async def _register(self, user_id: str, bio: str | None = None) -> httpx.Response:
        body = {"id": user_id, "name": "Ann", "email": f"{user_id}@example.com", "bio": bio}
        return await self._client.post("/users", json=body)

    async def _note(self, call: str, request: Awaitable[httpx.Response], text: str = "") -> None:
        sent_in, began = self.phase, time.monotonic()
        response = await request
        seconds = time.monotonic() - began
        answer = Answer(call, text, sent_in, self.phase, seconds, _outcome(response))
        self.answers.append(answer)
        if sent_in == self.phase:
            self._tally[sent_in, call, answer.outcome] += 1
        self._answered.set()
        # Over a socket each request is a task of its own. Here one that is answered from what is
        # kept waits for nothing, and its reader would keep the event loop for itself.
        await asyncio.sleep(0)


def _outcome(response: httpx.Response) -> str:
    if response.is_success:
        return ACCEPTED
    if response.status_code == 503 and int(response.headers.get("Retry-After", "0")) > 0:
        return str(response.json()["code"])
    return f"{response.status_code} {response.text}"
