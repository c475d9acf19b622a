"""Verifications of several processes, with one store."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.verifications import MemoryVerifications
from app.framework.administration import (
    BeginVerification,
    GetVerification,
    ProjectionBusy,
    VerificationDetails,
    VerificationNotFound,
    Verifications,
    verifications,
)
from app.framework.eventsourcing import RecordedEvent
from app.framework.request import NO_CONTEXT
from app.framework.storage import StorageUnavailable
from tests.following import eventually
from tests.notes import NOTES
from tests.unit.administration.desk import Desk

BEGIN = BeginVerification("notes")


class GatedLog:
    """A log that is read when the test says so."""

    def __init__(self, log: MemoryEventStore) -> None:
        self._log = log
        self.gate = asyncio.Event()

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        """As `EventLog.read` says."""
        await self.gate.wait()
        return await self._log.read(after=after, limit=limit)

    async def head(self) -> int:
        """As `EventLog.head` says."""
        return await self._log.head()

    async def wait(self, *, after: int, seconds: float) -> None:
        """As `EventLog.wait` says."""
        await self._log.wait(after=after, seconds=seconds)


class Failing(MemoryVerifications):
    """Records that cannot be reached for some saves."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    async def save(self, verification: VerificationDetails) -> None:
        """As `VerificationRecords.save` says."""
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("MongoDB", "no route")
        await super().save(verification)


class Processes:
    """Two processes, one store."""

    def __init__(self, desk: Desk) -> None:
        self.records = Failing()
        self.log = GatedLog(desk.log)
        self.one, self.other = (
            Verifications(desk.store, [NOTES], self.log, self.records) for _ in range(2)
        )

    async def begin(self) -> VerificationDetails:
        """What the one begins."""
        return (await self.one.begin(BEGIN, NO_CONTEXT)).value

    async def shown(self, begun: VerificationDetails) -> VerificationDetails:
        """What the other shows of it."""
        return await self.other.get(GetVerification("notes", begun.id), NO_CONTEXT)

    async def until_over(self, begun: VerificationDetails) -> VerificationDetails:
        """What the other shows of it in the end."""

        async def is_over() -> bool:
            return (await self.shown(begun)).is_over

        await eventually(is_over)
        return await self.shown(begun)


@pytest.fixture
async def processes(monkeypatch) -> AsyncIterator[Processes]:
    """Both, and a build with two documents to verify."""
    monkeypatch.setattr(verifications, "SAVE_SECONDS", 0.001)
    desk = Desk()
    await desk.write(2)
    await desk.begin()
    await desk.reach(1, 2)
    found = Processes(desk)
    yield found
    found.log.gate.set()
    for each in (found.one, found.other):
        await each.close()


async def test_every_process_shows_what_one_has_begun(processes):
    """From its answer on, how far it is and how it ends; meanwhile none begins another one."""
    begun = await processes.begin()
    assert await processes.shown(begun) == begun
    with pytest.raises(ProjectionBusy, match=begun.id):
        await processes.other.begin(BEGIN, NO_CONTEXT)
    processes.log.gate.set()
    found = await processes.until_over(begun)
    assert (found.documents, found.differing, found.error) == (2, 2, None)
    assert (await processes.other.begin(BEGIN, NO_CONTEXT)).value.id != begun.id


async def test_its_end_is_saved_once_the_storage_is_back(processes):
    """It is tried again and again."""
    begun = await processes.begin()
    processes.records.failures = 20
    processes.log.gate.set()
    assert (await processes.until_over(begun)).differing == 2
    assert not processes.records.failures


async def test_a_process_that_stops_says_so(processes):
    """Its verifications have ended, and others may begin."""
    begun = await processes.begin()
    await processes.one.close()
    found = await processes.shown(begun)
    assert (found.is_over, found.error) == (True, "Its process was stopped; begin another one.")
    await processes.other.begin(BEGIN, NO_CONTEXT)


async def test_none_is_begun_that_others_could_not_show(processes):
    """The records cannot be reached."""
    processes.records.failures = 1
    with pytest.raises(StorageUnavailable):
        await processes.begin()
    begun = await processes.begin()
    with pytest.raises(VerificationNotFound, match="no verification 0 of notes"):
        await processes.other.get(GetVerification("notes", "0"), NO_CONTEXT)
    assert await processes.shown(begun) == begun
