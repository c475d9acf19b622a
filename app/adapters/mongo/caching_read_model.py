"""A read model that keeps what queries read last, and never answers older than MongoDB would."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from time import monotonic

from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

from app.adapters.mongo.builds import COLLECTION
from app.adapters.mongo.changed_keys import FIELDS, observed
from app.adapters.mongo.client import Driver, answering
from app.adapters.mongo.kept_documents import MISSING, KeptDocuments
from app.adapters.mongo.read_model import MongoReadModel, own
from app.framework.observability.metrics import counter
from app.framework.observability.outages import note_outage
from app.framework.projections import Entry, PageRequest, Versioned
from app.framework.storage import StorageUnavailable

_logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.025
"""How often MongoDB is asked what changed, while that is worth it."""

TRIAL_SECONDS = 1.0
"""For how long it is asked at least."""

WORTH = 20
"""How many answers have to come out of what is kept in that time: to ask costs as much as they
save."""

LONGEST_REST_SECONDS = 16.0
"""How long a rest is at most, after trials that were not worth it."""


_READS = counter(
    "read_cache_reads_total",
    "Reads by whether what is kept could answer (hit) or MongoDB had to (miss).",
    "outcome",
)

_hits, _misses = _READS.of("hit"), _READS.of("miss")


class CachingReadModel(MongoReadModel):
    """Implements the ports of MongoReadModel; see `KeptDocuments` for what makes its answers right.

    Nothing is kept if the URL has queries read from secondaries, which may lag behind what is known
    to have changed.
    """

    def __init__(self, url: str, database: str, driver: Driver, limit: int) -> None:
        """Keep up to `limit` bytes."""
        super().__init__(url, database, driver)
        self.kept = KeptDocuments(limit)
        self._asked = 0
        self._following: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        await super().close()

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        served = self._wanted(view)
        if served is not None:
            found = self.kept.document(served, key, at_least)
            if found is not MISSING:
                _hits.value += 1
                return own(found) if found is not None else None
        _misses.value += 1
        return await super().get(view, key, at_least=at_least)

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        served = self._wanted(view)
        if served is not None:
            found = self.kept.page(served, request, at_least)
            if found is not None:
                _hits.value += 1
                return [own(each) for each in found]
        _misses.value += 1
        return await super().page(view, request, at_least=at_least)

    async def write(
        self, build: str, documents: Mapping[str, Versioned], *, created: Collection[str] = ()
    ) -> None:
        try:
            await super().write(build, documents, created=created)
        finally:
            self.kept.forget(build, documents)

    async def replace(
        self,
        build: str,
        seen: Mapping[str, Versioned | None],
        due: Mapping[str, Versioned],
    ) -> None:
        try:
            await super().replace(build, seen, due)
        finally:
            self.kept.forget(build, due)

    def _wanted(self, view: str) -> str | None:
        """The serving build of `view` if it is known, whose documents may be kept."""
        self._asked += 1
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name="changed documents")
        served = self._serving.known(view)
        return served.build if served is not None else None

    async def _read_entries(
        self, build: str, keys: Collection[str], at_least: int
    ) -> dict[str, Entry]:
        reading = self.kept.reading(build)
        if reading is None:
            # It may find more than what is kept.
            self.kept.forget(build, keys)
            return await super()._read_entries(build, keys, at_least)
        with reading:
            entries = await super()._read_entries(build, keys, at_least)
            reading.keep({key: entries.get(key) for key in keys})
        return {key: own(each) for key, each in entries.items()}

    async def _read_page(self, build: str, request: PageRequest, at_least: int) -> Sequence[Entry]:
        reading = self.kept.reading(build)
        if reading is None:
            return await super()._read_page(build, request, at_least)
        with reading:
            entries = await super()._read_page(build, request, at_least)
            reading.keep_page(request, entries)
        return [own(each) for each in entries]

    async def _follow(self) -> None:
        """Ask what changed as long as that saves more than it costs, and rest otherwise."""
        if self._client.view(COLLECTION).read_preference != ReadPreference.PRIMARY:
            return
        rest = TRIAL_SECONDS
        while True:
            until, hits = monotonic() + TRIAL_SECONDS, self.kept.hits
            try:
                while monotonic() < until:
                    await self._look()
                    await asyncio.sleep(LOOK_SECONDS)
            except StorageUnavailable as error:
                note_outage(error.storage, error)
            except Exception:
                _logger.exception("What changed cannot be read: queries go to MongoDB.")
            if self.kept.hits - hits >= WORTH:
                rest = TRIAL_SECONDS
                continue
            asked = self._asked
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_REST_SECONDS)
            while self._asked == asked:
                await asyncio.sleep(LOOK_SECONDS)
                rest = TRIAL_SECONDS

    async def _look(self) -> None:
        """Observe what is stored about the serving builds.

        By a majority: a save that an election takes back again has a number that another save gets.
        """
        asked_at = monotonic()
        collection = self._client.primary(COLLECTION).with_options(
            read_concern=ReadConcern("majority")
        )
        async with answering():
            found = await collection.find({"_id": {"$in": self._serving.builds()}}, FIELDS).to_list(
                None
            )
        self.kept.observe([observed(each) for each in found], asked_at)
