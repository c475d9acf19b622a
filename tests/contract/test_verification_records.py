"""What is stored of verifications: in memory and in MongoDB, by either driver."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.memory.verifications import MemoryVerifications
from app.adapters.mongo import MongoVerifications
from app.framework.administration import SILENT_SECONDS, VerificationDetails, VerificationRecords
from app.framework.projections import Difference, DifferenceKind, Parked

NOW = datetime(2026, 11, 23, 8, 30, 15, 123000, tzinfo=UTC)

UNDER_WAY = VerificationDetails(
    id="5f0c",
    projection="notes",
    build=2,
    version=3,
    sample=12.5,
    repair=True,
    began_at=NOW,
    is_over=False,
    done=7,
    total=None,
    position=5,
    head=6,
    documents=4,
    differing=2,
    repaired=1,
    differences=[Difference("$a.b", DifferenceKind.CHANGED, "differs in $name", is_repaired=True)],
    parked=[Parked("note-1", 3, "No such field", NOW, 2)],
    error=None,
)


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def open_records(request) -> AsyncIterator[Callable[..., VerificationRecords]]:
    """Opens the records; each call is as another process would, which may see them as old."""
    opened: list[VerificationRecords] = []
    seconds = 0.0
    memory = MemoryVerifications(lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    def open_one(later: float = 0.0) -> VerificationRecords:
        nonlocal seconds
        seconds = later
        if request.param == "memory":
            return memory
        url = request.getfixturevalue("mongodb_url")
        database = request.getfixturevalue("mongodb_database")
        silent = SILENT_SECONDS - later
        opened.append(MongoVerifications(url, database, request.param, silent_seconds=silent))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


async def test_each_process_finds_what_another_saved(open_records):
    """All of it, as it was saved last."""
    await open_records().save(UNDER_WAY)
    other = open_records()
    assert await other.find("notes", "5f0c") == UNDER_WAY
    assert await other.under_way("notes") == "5f0c"
    over = replace(UNDER_WAY, is_over=True, total=7, error="$$NOW", differences=[], parked=[])
    await open_records().save(over)
    assert await other.find("notes", "5f0c") == over
    assert await other.under_way("notes") is None


async def test_what_is_not_there_is_not_found(open_records):
    """Under another id or projection."""
    records = open_records()
    await records.save(UNDER_WAY)
    assert await records.find("notes", "5f") is None
    assert await records.find("books", "5f0c") is None
    assert await records.under_way("books") is None


async def test_one_whose_process_died_is_gone(open_records):
    """Unless it is over: then it needs no process."""
    await open_records().save(UNDER_WAY)
    await open_records().save(replace(UNDER_WAY, id="0c5f", is_over=True))
    later = open_records(later=SILENT_SECONDS + 1)
    assert await later.find("notes", "5f0c") is None
    assert await later.under_way("notes") is None
    assert await later.find("notes", "0c5f") is not None
