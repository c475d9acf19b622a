"""A reader of server-sent events who is cut off and resumes."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx


class Reader:
    """Follows /changes after a position, at first 0, and remembers all that it was told."""

    def __init__(self, chance: random.Random, after: int = 0) -> None:
        self._chance = chance
        self._last_id = f"{after}"
        self.told: list[dict[str, Any]] = []
        self.cuts = 0

    async def follow(self, clients: list[httpx.AsyncClient], last: int) -> None:
        """Read until the change at position `last`, at one of `clients` and then another.

        It is cut off again and again, wherever in the text that happens to be.
        """
        while self._position < last:
            client = self._chance.choice(clients)
            headers = {"Last-Event-ID": self._last_id}
            async with client.stream("GET", "/changes", headers=headers) as answer:
                assert answer.status_code == 200, await answer.aread()
                await self._read(answer, self._chance.randrange(1, 20_000), last)

    @property
    def _position(self) -> int:
        return self.told[-1]["position"] if self.told else 0

    async def _read(self, answer: httpx.Response, size: int, last: int) -> None:
        text = ""
        async for piece in answer.aiter_text():
            text += piece[: max(0, size)]
            size -= len(piece)
            *blocks, text = text.split("\n\n")
            for each in blocks:
                self._take(each)
            if self._position >= last:
                return
            if size <= 0:
                self.cuts += 1
                return

    def _take(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        self._last_id = fields.get("id", self._last_id)
        if "data" in fields:
            self.told.append(json.loads(fields["data"]))
            assert self.told[-1]["position"] == int(self._last_id)


async def blocks_of(answer: httpx.Response) -> AsyncIterator[str]:
    """The blocks of a stream as they come."""
    text = ""
    async for piece in answer.aiter_text():
        *blocks, text = (text + piece).split("\n\n")
        for each in blocks:
            yield each
