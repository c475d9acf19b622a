"""A read model that keeps what queries read last, and answers from it while that is right."""

from collections.abc import Collection, Mapping, Sequence

from pymongo.read_preferences import ReadPreference

from app.adapters.mongo.builds import COLLECTION
from app.adapters.mongo.client import Driver
from app.adapters.mongo.kept_documents import MISSING, KeptDocuments
from app.adapters.mongo.looks import Looks
from app.adapters.mongo.read_model import MongoReadModel, own
from app.framework.observability.metrics import counter
from app.framework.projections import Entry, PageRequest, Versioned

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
        self.kept = KeptDocuments(limit, election=lambda: self._client.election)
        self._looks: Looks | None = None

    async def close(self) -> None:
        if self._looks is not None:
            await self._looks.close()
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
        looks = self._looks or self._start()
        looks.asked += 1
        served = self._serving.known(view)
        return served.build if served is not None else None

    def _start(self) -> Looks:
        looks = Looks(self._client, self.kept, self._serving.builds)
        if self._client.view(COLLECTION).read_preference == ReadPreference.PRIMARY:
            looks.start()
        self._looks = looks
        return looks

    async def _read_entries(
        self, build: str, keys: Collection[str], at_least: int
    ) -> dict[str, Entry]:
        reading = self.kept.reading(build)
        if reading is None:
            entries = await super()._read_entries(build, keys, at_least)
            self.kept.outdate(build, {key: entries.get(key) for key in keys})
            return entries
        with reading:
            entries = await super()._read_entries(build, keys, at_least)
            reading.keep({key: entries.get(key) for key in keys})
        return {key: own(each) for key, each in entries.items()}

    async def _read_page(self, build: str, request: PageRequest, at_least: int) -> Sequence[Entry]:
        is_one = self._page_client.election == self._client.election  # or it may read of an older
        reading = self.kept.reading(build) if is_one else None
        if reading is None:
            return await super()._read_page(build, request, at_least)
        with reading:
            entries = await super()._read_page(build, request, at_least)
            reading.keep_page(request, entries)
        return [own(each) for each in entries]
