"""A build and its log, as a verification uses them: it waits while either cannot be reached."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.framework.eventsourcing import EventLog, RecordedEvent
from app.framework.eventsourcing.archive import through_outages
from app.framework.projections.build_store import FollowedStore
from app.framework.projections.builds import BuildRecord, ProjectionRecord
from app.framework.projections.projection import Projection, Versioned

BATCH = 1000


class CannotVerify(Exception):
    """A build cannot be compared with the log."""


def build_to_verify(projection: ProjectionRecord, number: int | None = None) -> BuildRecord:
    """The build with this number, by default the one that serves.

    Raises:
        CannotVerify: there is none.

    """
    build = projection.serving_build if number is None else projection.numbered(number)
    if build is None:
        what = "no build serves" if number is None else f"there is no build {number}"
        raise CannotVerify(what)
    return build


def fold_of(build: BuildRecord, projections: Iterable[Projection]) -> Projection:
    """The one of `projections` that has the fold of `build`.

    Raises:
        CannotVerify: none has.

    """
    for each in projections:
        if (each.name, each.version) == (build.name, build.version):
            return each
    raise CannotVerify(
        f"this version of the service has no fold of build {build.number} (version {build.version})"
    )


@dataclass(frozen=True, slots=True)
class VerifiedBuild:
    """The build `id` of `projection` in `store`, which `log` leads to."""

    log: EventLog
    store: FollowedStore
    projection: Projection
    id: str

    async def record(self) -> BuildRecord:
        """The build as it is stored.

        Raises:
            CannotVerify: it is gone.

        """
        for each in await through_outages(self.store.projections):
            record = each.build(self.id)
            if record is not None and not record.is_dropped:
                return record
        raise CannotVerify(f"There is no build {self.id} any more.")

    async def head(self) -> int:
        """The position of the last event of the log."""
        return await through_outages(self.log.head)

    async def events(self, *, after: int, until: int) -> AsyncIterator[Sequence[RecordedEvent]]:
        """The events past `after`, up to `until`, in batches."""
        while after < until:
            events = await self._read(after, min(BATCH, until - after))
            if not events:
                return
            yield events
            after = events[-1].position

    async def _read(self, after: int, limit: int) -> Sequence[RecordedEvent]:
        return await through_outages(lambda: self.log.read(after=after, limit=limit))

    async def count(self, *, up_to: int) -> int:
        """As `ProjectionStore.count`."""
        return await through_outages(lambda: self.store.count(self.id, up_to=up_to))

    async def load(self, keys: Sequence[str]) -> Mapping[str, Versioned]:
        """The documents under `keys`, of up to BATCH of them, including deleted ones."""
        return await through_outages(lambda: self.store.load(self.id, keys))

    async def scan(self) -> AsyncIterator[Mapping[str, Versioned]]:
        """All documents in the order of keys, with deleted ones, in batches."""
        after = ""
        while found := await self._next(after):
            yield found
            after = max(found)

    async def _next(self, after: str) -> Mapping[str, Versioned]:
        return await through_outages(lambda: self.store.scan(self.id, after=after, limit=BATCH))

    async def replace(
        self, seen: Mapping[str, Versioned | None], due: Mapping[str, Versioned]
    ) -> None:
        """As `ProjectionStore.replace`."""
        await through_outages(lambda: self.store.replace(self.id, seen, due))


def batches(keys: Collection[str], size: int = BATCH) -> list[list[str]]:
    """`keys` in lists of at most `size`."""
    listed = list(keys)
    return [listed[start : start + size] for start in range(0, len(listed), size)]
