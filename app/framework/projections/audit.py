"""Compares the stored documents of a projection with a fold of the whole log."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.framework.eventsourcing import EventLog, RecordedEvent
from app.framework.projections.ports import ProjectionStore
from app.framework.projections.projection import Projection, Versioned, fold

BATCH = 1000
DIFFERENCES_KEPT = 20


@dataclass(slots=True)
class Audit:
    """The result of an audit.

    events: how many events the log has up to the audited position.
    documents: how many documents the fold has.
    ahead: how many of them changed meanwhile and could not be compared.
    differing: how many differ; `differences` describes the first of them.
    """

    projection: Projection
    events: int = 0
    documents: int = 0
    ahead: int = 0
    differing: int = 0
    differences: list[str] = field(default_factory=list)

    def differs(self, description: str) -> None:
        """Count a difference, and keep its description if there are few."""
        self.differing += 1
        if len(self.differences) < DIFFERENCES_KEPT:
            self.differences.append(description)


async def audit(
    log: EventLog, store: ProjectionStore, projection: Projection, *, build: str, head: int
) -> Audit:
    """Compare the documents of a build of `projection` with a fold of the log up to `head`.

    The build must have reached `head`; it may continue meanwhile. All documents are in memory at
    once.

    Raises:
        StorageUnavailable: the log or the store cannot be reached.
        UnknownEvent: the log holds an event that cannot be decoded.

    """
    result = Audit(projection)
    expected: dict[str, Versioned] = {}
    versions: Counter[str] = Counter()
    async for events in _batches(log, head):
        for event in events:
            result.events += 1
            versions[event.stream_id] += 1
            _check_dense(result, event, versions[event.stream_id])
        expected |= fold(projection, expected, events)
    result.documents = sum(each.document is not None for each in expected.values())
    keys = list(expected)
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        stored = await store.load(build, some)
        _compare(result, {key: expected[key] for key in some}, stored, head)
    surplus = await store.count(build, up_to=head) + result.ahead - result.documents
    if surplus > 0:
        result.differs(f"{surplus} stored documents come from no event")
    return result


async def _batches(log: EventLog, head: int) -> AsyncIterator[Sequence[RecordedEvent]]:
    position = 0
    while position < head:
        events = await log.read(after=position, limit=min(BATCH, head - position))
        if not events:
            return
        yield events
        position = events[-1].position


def _check_dense(result: Audit, event: RecordedEvent, version: int) -> None:
    if event.position != result.events:
        result.differs(f"position {result.events} is missing from the log")
        result.events = event.position
    if event.version != version:
        result.differs(f"{event.stream_id} has version {event.version} where {version} is expected")


def _compare(
    result: Audit, expected: Mapping[str, Versioned], stored: Mapping[str, Versioned], head: int
) -> None:
    for key, due in expected.items():
        found = stored.get(key)
        if found is not None and found.position > head:
            result.ahead += due.document is not None
        elif found is None and due.document is not None:
            result.differs(f"{key} is missing; expected: {due}")
        elif found is not None and found != due:
            result.differs(f"{key} differs; expected: {due}, stored: {found}")
