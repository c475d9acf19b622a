"""The client of one user whose documents are parked, and what reads of it have to answer."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from tests.acceptance.lags import Others
from tests.acceptance.promises import token
from tests.acceptance.releases import REFUSED

POISONED = "poisoned"
BESIDE = "beside"
"""Another user, who is written to once after the refused write."""

PATH = f"/users/{POISONED}"
PAUSE_SECONDS = 0.2
LEVEL_SECONDS = 5.0
"""Processes look up every second which documents are parked."""

PARKED = (503, "document-parked", "60")
"""The status, the code and the Retry-After of a read that a parked document cannot answer."""

SUMMARY = ("id", "name", "avatar_url")

Headers = Mapping[str, str]


class Poisoned:
    """Writes to the user without an end, and holds each read against what is promised.

    stage: "whole", then "parked" from the refused write on, "replaying" while an operator has it
        replayed, then "whole" again.
    profile: as the last write was answered.
    refused: the version that the refused write led to.
    waiting: for each view, how many events of the user it lacks.
    """

    def __init__(self, others: Others) -> None:
        self._others, self._ledger = others, others.ledger
        self._turn = asyncio.Lock()
        self._stopping = False
        self._numbers = itertools.count()
        self._token: Headers = {}
        self._earlier: Headers = {}
        self._beside: Headers = {}
        self._before: dict[str, Any] = {}
        self._least = self._shown = 0
        self.stage = "whole"
        self.profile: dict[str, Any] = {}
        self.refused = 0
        self.waiting: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Go on for the length of a `with` block."""
        async with self._turn:
            self.profile = (await self._others.send("GET", PATH)).json()
            self._earlier = self._beside = await self._change()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._go_on())
            try:
                yield
            finally:
                self._stopping = True

    async def poison(self) -> None:
        """Have an event of the user refused by the release at hand."""
        async with self._turn:
            self._before, self.stage = self.profile, "parked"
            await self._write(avatar_url=f"{REFUSED}1")
            self.refused = self.profile["version"]
            written = await self._others.send("PATCH", f"/users/{BESIDE}", json={"bio": "Later."})
            self._beside = token(written)
            await self._read()

    async def replaying(self) -> None:
        """From now on the document may come level; before that it is read as it was."""
        async with self._turn:
            self.stage, self._least = "replaying", self.profile["version"]

    async def whole(self) -> float:
        """From now on the document is level; after how many seconds it is."""
        clock = asyncio.get_running_loop()
        began = clock.time()
        async with self._turn:
            while _refusal(await self._get(PATH, self._token)) == PARKED:
                if clock.time() > began + LEVEL_SECONDS:
                    self._ledger.breaks("parked reads", f"{LEVEL_SECONDS} s after the replay")
                    break
                await asyncio.sleep(0.02)
            self.stage = "whole"
            await self._read()
        return clock.time() - began

    async def check_history(self) -> None:
        """See that the view which parks nothing has each event, in order."""
        async with self._turn:
            versions: list[int] = []
            parameters = {"limit": "200"}
            while True:
                page = (await self._get(f"{PATH}/history", self._token, **parameters)).json()
                versions += [each["version"] for each in page["items"]]
                if page["next_cursor"] is None:
                    break
                parameters["cursor"] = page["next_cursor"]
            self._expect("history", versions, [*range(1, self.profile["version"] + 1)])

    async def _go_on(self) -> None:
        while not self._stopping:
            async with self._turn:
                await self._change()
                await self._read()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _change(self) -> Headers:
        number = next(self._numbers)
        if number % 2:
            return await self._write(bio=f"{number}")
        return await self._write(name=f"Poisoned p{number:06}")

    async def _write(self, **fields: str) -> Headers:
        written = await self._others.send("PATCH", PATH, json=fields)
        if written.status_code != 200:
            self._ledger.breaks("refused writes", written.text)
            return self._token
        due = {**self.profile, **fields, "version": self.profile["version"] + 1}
        due["updated_at"] = written.json()["updated_at"]
        self._expect("answers to writes", written.json(), due)
        self.profile, self._token = due, token(written)
        if self.stage != "whole":
            self.waiting["user_profiles"] += 1
            self.waiting["user_summaries"] += "bio" not in fields
        self._ledger.counts["writes to the poisoned user"] += 1
        return self._token

    async def _read(self) -> None:
        """Read it in each way; the ways are the same in all stages, as they are a load too."""
        plain, earlier = await self._get(PATH, {}), await self._get(PATH, self._earlier)
        own, later = await self._get(PATH, self._token), await self._get(PATH, self._beside)
        if self.stage == "parked":
            self._expect("reads without a token", plain.json(), self._before)
            self._expect("reads with an earlier token", earlier.json(), self._before)
            self._expect("reads with the token", _refusal(own), PARKED)
            self._expect("reads with a later token", _refusal(later), PARKED)
        else:
            for each in (plain, earlier):
                self._expect_going_on(each)
            if self.stage == "whole" or own.status_code == 200:
                self._expect("reads with the token", own.json(), self.profile)
            if self.stage == "whole" or later.status_code == 200:
                self._expect_going_on(later)
        await self._list({}, self._before if self.stage == "parked" else None)
        due = {"parked": self._before, "whole": self.profile}.get(self.stage)
        await self._list(self._token, due)

    def _expect_going_on(self, found: httpx.Response) -> None:
        """A read shows the document as it was or, from then on, as far as it must be."""
        version = found.json().get("version", -1)
        was = self._before["version"] if self.stage == "replaying" else -1
        if version != max(was, self._shown) and version < max(self._least, self._shown):
            self._ledger.breaks("reads that went back", f"{self._shown} were shown: {found.text}")
        self._shown = max(self._shown, version)

    async def _list(self, headers: Headers, due: dict[str, Any] | None) -> None:
        """List it; all is well if it is listed when `due` is None."""
        page = (await self._get("/users", headers, q=POISONED)).json()
        found = [each for each in page.get("items", []) if each["id"] == POISONED]
        summary = found[:1] if due is None else [{each: due[each] for each in SUMMARY}]
        self._expect("lists", found or page, summary or "the user")

    async def _get(self, path: str, headers: Headers, **parameters: str) -> httpx.Response:
        self._ledger.counts[f"reads of the poisoned user, {self.stage}"] += 1
        return await self._others.send("GET", path, headers=headers, params=parameters)

    def _expect(self, what: str, found: object, due: object) -> None:
        if found != due:
            self._ledger.breaks(what, f"{self.stage}: {found} instead of {due}")


def _refusal(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    return answer.status_code, answer.json().get("code"), answer.headers.get("Retry-After")
