"""What readers need to know of projections: which build serves, and how far it is."""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from contextvars import Context
from time import monotonic
from typing import Any, NamedTuple

from pymongo.errors import PyMongoError

from app.adapters.batcher import Batcher
from app.adapters.mongo.build_records import serving_build
from app.adapters.mongo.builds import COLLECTION
from app.adapters.mongo.client import Client, answering
from app.framework.storage import StorageUnavailable

KNOWN_SECONDS = 1.0
"""For how long a process caches the serving builds and the positions. A build that served is
followed and kept for longer than that, so a reader that does not know of a switch yet is right."""

RENEWED_SECONDS = 0.25
"""The age at which a read has the serving builds looked up again, so that none waits for that."""


_READ = dict.fromkeys(
    (
        "version",
        "position",
        "serves",
        "build",
        "builds",
        "paused",
        "condemned",
        "parked.key",
        "parked.position",
    ),
    1,
)


class Served(NamedTuple):
    """The serving build of a view: its id, and its version of the projection."""

    build: str
    version: int


class Serving:
    """The serving builds of views, and their positions."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._serving: Mapping[str, Served] = {}
        self._asked_at = -math.inf
        self._forgets = 0
        self._renewal: asyncio.Task[object] | None = None
        self._look_ups = Batcher[str, Served | None](
            "look-ups of projections",
            self._look_up,
            storage="MongoDB",
            largest=10_000,
            max_queued=10_000,
        )
        self._positions: Mapping[str, int] = {}
        self._paused: frozenset[str] = frozenset()
        self._parked: Mapping[str, Mapping[str, int]] = {}
        self._positions_until = 0.0
        self._position_look_ups = Batcher[None, Mapping[str, int]](
            "look-ups of checkpoints",
            self._look_up_positions,
            storage="MongoDB",
            largest=10_000,
            max_queued=10_000,
        )

    def known(self, view: str) -> Served | None:
        """The serving build of `view`, at most a second old; None if it has to be looked up."""
        age = monotonic() - self._asked_at
        if age >= KNOWN_SECONDS:
            return None
        if age >= RENEWED_SECONDS and self._renewal is None:
            self._renewal = asyncio.create_task(self._renew(), context=Context())
        return self._serving.get(view)

    def builds(self) -> Sequence[str]:
        """The serving builds that were seen last."""
        return [each.build for each in self._serving.values()]

    async def of(self, view: str) -> Served | None:
        """The serving build of `view`, at most a second old; None if none serves."""
        if (served := self.known(view)) is not None:
            return served
        # One look-up for all callers, or every reader would make one each second.
        return await self._look_ups.submit(view)

    def forget(self) -> None:
        """Look up the serving builds at the next read: this process has changed one."""
        self._asked_at = -math.inf
        self._forgets += 1

    async def position(self, build: str, *, at_least: int) -> int:
        """The checkpoint of the build with this id.

        It is looked up unless the cached one, at most a second old, has reached `at_least`.
        """
        known = self._positions.get(build, 0)
        if known >= at_least and monotonic() < self._positions_until:
            return known
        await self._position_look_ups.submit(None)
        return self._positions.get(build, 0)

    async def positions(self) -> Mapping[str, int]:
        """The current checkpoint of each view's serving build."""
        return await self._position_look_ups.submit(None)

    def is_paused(self, view: str) -> bool:
        """Whether `view` was paused at the last look-up of positions."""
        return view in self._paused

    def parked(self, build: str) -> Mapping[str, int]:
        """The positions at which documents of a build are parked, as of the look-up of positions
        that `position` returned last.
        """
        return self._parked.get(build, {})

    async def close(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
        await self._look_ups.close()
        await self._position_look_ups.close()

    async def _look_up(self, views: Sequence[str]) -> Sequence[Served | None]:
        age = monotonic() - self._asked_at
        if age >= KNOWN_SECONDS or not self._serving.keys() >= set(views):
            await self._read()
        return [self._serving.get(each) for each in views]

    async def _renew(self) -> None:
        # If it fails there is no other: the read that needs it says what is wrong.
        with contextlib.suppress(StorageUnavailable, PyMongoError):
            await self._read()

    async def _read(self) -> None:
        asked_at, forgets = monotonic(), self._forgets
        # Read from the same member as the documents: if it has the new serving build, it has all
        # earlier writes too. The primary could name a build of which a secondary has only some
        # documents yet.
        async with answering():
            found = (
                await self._client.view(COLLECTION)
                .find({"serves": {"$exists": True}})
                .to_list(None)
            )
        self._renewal = None
        if asked_at < self._asked_at:
            return  # another was asked later, and came first
        self._serving = {each["_id"]: Served(serving_build(each), each["serves"]) for each in found}
        if forgets == self._forgets:
            self._asked_at = asked_at

    async def _look_up_positions(self, asking: Sequence[None]) -> Sequence[Mapping[str, int]]:
        asked_at = monotonic()
        # From the primary: it has the latest. Dropped builds would be more with each rebuild.
        async with answering():
            found = (
                await self._client.primary(COLLECTION)
                .find({"is_dropped": None}, _READ)
                .to_list(None)
            )
        # One that is condemned is at no position of the log.
        self._positions = {
            each["_id"]: 0 if each.get("condemned") else each["position"]
            for each in found
            if "version" in each
        }
        self._parked = {
            each["_id"]: {parked["key"]: parked["position"] for parked in each["parked"]}
            for each in found
            if each.get("parked")
        }
        self._positions_until = asked_at + KNOWN_SECONDS
        projections: list[dict[str, Any]] = [each for each in found if "serves" in each]
        self._paused = frozenset(each["_id"] for each in projections if each.get("paused"))
        positions = {
            each["_id"]: self._positions.get(serving_build(each), 0) for each in projections
        }
        return [positions] * len(asking)
