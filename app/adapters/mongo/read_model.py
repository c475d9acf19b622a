"""The documents of projections in MongoDB: one collection per projection and version."""

import functools
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from app.adapters.batcher import Batcher
from app.adapters.mongo import log_identity
from app.adapters.mongo.builds import COLLECTION, MongoBuilds
from app.adapters.mongo.client import (
    Client,
    Driver,
    answering,
    checking,
)
from app.adapters.mongo.client import Collection as MongoCollection
from app.adapters.mongo.documents import NOT_DELETED, entry_from, is_tombstone, versioned_from
from app.adapters.mongo.indexes import create_indexes
from app.adapters.mongo.long_operations import run_long_operation
from app.adapters.mongo.page_reads import PageReads
from app.adapters.mongo.pages import page_fields, page_filter, page_sort
from app.adapters.mongo.serving import Served, Serving
from app.adapters.mongo.writes import replace_guarded, storing, write_guarded
from app.framework.projections import (
    DocumentParked,
    Entry,
    Index,
    PageRequest,
    ReadModelBehind,
    Versioned,
    copied,
)

_Read = tuple[str, int]
"""A key, and the position that the view must have reached."""

_PageRead = tuple[PageRequest, int]
"""A page, and a position as for `_Read`."""

LARGEST_READ = 200
READS_AT_ONCE = 2
MAX_QUEUED_READS = 4096
PAGES_AT_ONCE = 6
MAX_QUEUED_PAGES = 1024
PAGE_SECONDS = 2.0
"""The time limit in MongoDB for reading a page."""


class MongoReadModel(MongoBuilds):
    """Implements ProjectionStore, BuildStore, Views and Storage.

    Reads by key are batched. Pages are read one by one, some at a time. Each view has its own
    queues, and so has each kind of its pages. Reads with `at_least` have separate queues: they go
    to the primary, while others go to the member that the URL says, also if the primary is down.
    """

    name = "mongodb"

    def __init__(self, url: str, database: str, driver: Driver) -> None:
        """Connect at the first use."""
        super().__init__(Client(url, database, driver))
        self._serving = Serving(self._client)
        self._page_client = self._client.interruptible()
        self._reads: dict[tuple[str, bool], Batcher[_Read, Entry | None]] = {}
        self._pages: dict[Hashable, PageReads[_PageRead]] = {}

    async def check(self) -> None:
        """Read, as a ping succeeds without the right to read."""
        async with checking():
            await self._client.view(COLLECTION).find_one({}, {"_id": 1})

    async def close(self) -> None:
        for reads in self._reads.values():
            await reads.close()
        for pages in self._pages.values():
            await pages.close()
        await super().close()
        await self._serving.close()
        await self._page_client.close()
        await self._client.close()

    async def prepare(self, build: str, indexes: Sequence[Index]) -> None:
        await create_indexes(self._client, build, indexes)

    async def identity(self, build: str) -> str | None:
        async with answering():
            return await self._client.collection_uuid(build)

    async def load(self, build: str, keys: Collection[str]) -> Mapping[str, Versioned]:
        async with answering():
            found = await _find_keys(self._client.primary(build), keys)
        return {each["_id"]: versioned_from(each) for each in found}

    async def count(self, build: str, *, up_to: int) -> int:
        documents = {"_position": {"$lte": up_to}, **NOT_DELETED}
        number: int = await run_long_operation(
            self._client,
            lambda dedicated: dedicated.primary(build).count_documents(documents),
        )
        return number

    async def write(
        self,
        build: str,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),
    ) -> None:
        if documents:
            async with answering():
                with storing(build, documents):
                    await write_guarded(self._client.primary(build), documents, created)

    async def replace(
        self,
        build: str,
        seen: Mapping[str, Versioned | None],
        due: Mapping[str, Versioned],
    ) -> None:
        if due:
            async with answering():
                await self._note_repair(build)
                with storing(build, due):
                    await replace_guarded(self._client.primary(build), seen, due)

    async def scan(self, build: str, *, after: str, limit: int) -> Mapping[str, Versioned]:
        keys = {"$gt": after} if after else {}
        async with answering():
            found = await (
                self._client.primary(build)
                .find({"_id": keys} if keys else {})
                .sort([("_id", 1)])
                .limit(limit)
                .batch_size(limit)
                .to_list(None)
            )
        return {each["_id"]: versioned_from(each) for each in found}

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        if not _can_be_sent(key):
            return None
        reads = self._reads.get((view, at_least > 0))
        if reads is None:
            reads = self._reads[view, at_least > 0] = Batcher(
                f"reads of {view}",
                functools.partial(self._find_entries, view),
                storage="MongoDB",
                largest=LARGEST_READ,
                max_queued=MAX_QUEUED_READS,
                concurrency=READS_AT_ONCE,
            )
        return await reads.submit((key, at_least))

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        kind = (view, at_least > 0, request.sort, *request.equals)
        pages = self._pages.get(kind)
        if pages is None:
            pages = self._pages[kind] = PageReads(
                f"pages of {view}",
                functools.partial(self._find_page, view),
                at_once=PAGES_AT_ONCE,
                max_queued=MAX_QUEUED_PAGES,
            )
        return await pages.read((request, at_least))

    async def positions(self) -> Mapping[str, int]:
        return await self._serving.positions()

    def is_paused(self, view: str) -> bool:
        return self._serving.is_paused(view)

    async def adopt(self, log: str) -> str:
        async with answering():
            return await log_identity.adopt(self._client, log)

    async def log_identity(self) -> str | None:
        async with answering():
            return await log_identity.log_identity(self._client)

    async def switch(self, name: str, **rest: Any) -> bool:
        switched = await super().switch(name, **rest)
        self._serving.forget()
        return switched

    async def _served(self, view: str, at_least: int) -> tuple[Served | None, int]:
        """The serving build of `view`, and a position that it has reached."""
        served = await self._serving.of(view)
        if served is None or not at_least:
            return served, 0
        # Of this build: another may be further.
        return served, await self._serving.position(served.build, at_least=at_least)

    async def _find_entries(
        self, view: str, reads: Sequence[_Read]
    ) -> Sequence[Entry | Exception | None]:
        unique = {key for key, _ in reads}
        async with answering():
            least = max(each for _, each in reads)
            served, reached = await self._served(view, least)
            # With the position, which covers a refused event only while its document is parked.
            parked = self._serving.parked(served.build) if served is not None else {}
            entries = {}
            if served is not None:
                entries = await self._read_entries(served.build, unique, least)
        shared = len(unique) < len(reads)

        def found_under(key: str) -> Entry | None:
            entry = entries.get(key)
            return own(entry) if entry and shared else entry

        def answer(key: str, at_least: int) -> Entry | Exception | None:
            if at_least > reached:
                return ReadModelBehind(view, at_least)
            if key in parked and at_least >= parked[key]:
                return DocumentParked(view, key, parked[key])
            return found_under(key)

        return [answer(*each) for each in reads]

    async def _find_page(self, view: str, read: _PageRead) -> Sequence[Entry]:
        request, at_least = read
        async with answering():
            served, reached = await self._served(view, at_least)
            if reached < at_least:
                raise ReadModelBehind(view, at_least)
            if served is None:
                return []
            return await self._read_page(
                served.build, request.for_version(served.version), at_least
            )

    async def _read_entries(
        self, build: str, keys: Collection[str], at_least: int
    ) -> dict[str, Entry]:
        """The documents under `keys` that there are."""
        found = await _find_keys(_source(self._client, build, at_least), keys)
        return {each["_id"]: entry_from(each) for each in found if not is_tombstone(each)}

    async def _read_page(self, build: str, request: PageRequest, at_least: int) -> Sequence[Entry]:
        found = await (
            _source(self._page_client, build, at_least)
            .find(page_filter(request), page_fields(request))
            .sort(page_sort(request))
            .limit(request.limit)
            .batch_size(request.limit)
            .max_time_ms(int(PAGE_SECONDS * 1000))
            .to_list(None)
        )
        return [entry_from(each) for each in found]


def _source(client: Client, build: str, at_least: int) -> MongoCollection:
    # The primary has everything that a checkpoint covers; a secondary may lag.
    return client.primary(build) if at_least else client.view(build)


async def _find_keys(collection: MongoCollection, keys: Collection[str]) -> list[dict[str, Any]]:
    if len(keys) == 1:
        # MongoDB is faster for a single key.
        [key] = keys
        one = await collection.find_one({"_id": key})
        return [] if one is None else [one]
    # One more than can be found, so that MongoDB sees the end and closes the cursor at once.
    found: list[dict[str, Any]] = await (
        collection.find({"_id": {"$in": list(keys)}}).batch_size(len(keys) + 1).to_list(None)
    )
    return found


def _can_be_sent(key: str) -> bool:
    # An impossible key must not fail the others of its batch.
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def own(entry: Entry) -> Entry:
    """An entry like this one, for one caller alone."""
    # Several callers get it, and a caller may change its document.
    return Entry(entry.key, copied(entry.document), entry.position)
