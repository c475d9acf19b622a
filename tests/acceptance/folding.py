"""Every document of builds, held against a fold of the log that shares no code with `verify`."""

from collections.abc import Sequence

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.bootstrap import all_projections, event_registry
from app.framework.eventsourcing import RecordedEvent
from app.framework.projections import BuildRecord, BuildState, Projection, Versioned, fold

BATCH = 2000
FOLLOWED = (BuildState.READY, BuildState.SERVING, BuildState.KEPT)


async def differences(postgres: str, read_model: MongoReadModel) -> dict[str, list[str]]:
    """How the documents of each build that is followed differ; the log must not grow meanwhile."""
    events = await log_of(postgres)
    found = {}
    for projection in all_projections():
        due = fold(projection, {}, events)
        for build in await followed(read_model, projection):
            found[f"{build.id} ({build.state})"] = await _compare(read_model, build.id, due)
    return found


async def followed(read_model: MongoReadModel, projection: Projection) -> list[BuildRecord]:
    """The builds of a projection that have caught up."""
    records = {each.name: each.builds for each in await read_model.projections()}
    return [each for each in records[projection.name] if each.state in FOLLOWED]


async def log_of(postgres: str) -> Sequence[RecordedEvent]:
    """All events."""
    log = PostgresEventStore(postgres, event_registry())
    events: list[RecordedEvent] = []
    try:
        while some := await log.read(after=len(events), limit=BATCH):
            events += some
        assert len(events) == await log.head(), "positions are not dense"
    finally:
        await log.close()
    return events


async def _compare(read_model: MongoReadModel, build: str, due: dict[str, Versioned]) -> list[str]:
    differing: list[str] = []
    seen: set[str] = set()
    after = ""
    while some := await read_model.scan(build, after=after, limit=BATCH):
        for key, stored in some.items():
            expected = due.get(key, Versioned(None, 0))
            if stored != expected and (stored.document or expected.document):
                differing.append(f"{key}: {stored} instead of {expected}")
        seen |= some.keys()
        after = max(some)
    differing += [f"{key} is missing" for key in due.keys() - seen if due[key].document]
    return differing
