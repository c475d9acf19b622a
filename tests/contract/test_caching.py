"""Reads that are answered from what a process kept: never older than what it says they are."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest

from app.adapters.mongo import CachingReadModel, MongoReadModel, looks
from app.framework.projections import Lease, PageRequest, ProjectionState, ProjectionStatus
from app.framework.projections import Versioned as Stored
from tests.following import eventually, take
from tests.notes import NOTES, note

EVERYTHING = PageRequest(equals={}, sort="written_at", limit=10)


@pytest.fixture
async def projecting(mongodb_url, mongodb_database) -> AsyncIterator[MongoReadModel]:
    """The read model of the process with the projector."""
    model = MongoReadModel(mongodb_url, mongodb_database, "pymongo")
    yield model
    await model.close()


@pytest.fixture
async def open_reader(
    mongodb_url, mongodb_database
) -> AsyncIterator[Callable[[str], CachingReadModel]]:
    """Opens the read model of a process that queries; options of the URL may be added."""
    opened: list[CachingReadModel] = []

    def open_one(options: str = "") -> CachingReadModel:
        opened.append(
            CachingReadModel(f"{mongodb_url}{options}", mongodb_database, "motor", 1024 * 1024)
        )
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
async def lease(projecting) -> Lease:
    """Of the build of the notes."""
    build, lease = await take(projecting, NOTES)
    await projecting.prepare(build.id, NOTES.indexes)
    return lease


async def store(model: MongoReadModel, lease: Lease, position: int, *keys: str) -> None:
    """Store a batch that changes some notes."""
    documents = {each: Stored(note(each, position).document, position) for each in keys}
    await model.write(lease.build, documents)
    at = ProjectionStatus(NOTES.name, NOTES.version, position, position, ProjectionState.RUNNING)
    await model.save(lease, at, changed=keys)


async def is_at(model: CachingReadModel, key: str, position: int) -> bool:
    """Whether a reader sees a note at a position."""
    found = await model.get(NOTES.name, key)
    return found is not None and found.position == position


async def kept(model: CachingReadModel) -> None:
    """Return once reads are answered from what is kept."""

    async def is_kept() -> bool:
        hits = model.kept.hits
        await model.get(NOTES.name, "a")
        return model.kept.hits > hits

    await eventually(is_kept)


async def test_what_is_kept_is_forgotten_when_another_process_changes_it(
    projecting, lease, open_reader
):
    """By its key; also a page, and that there is nothing."""
    reader = open_reader()
    await store(projecting, lease, 1, "a")
    await kept(reader)
    assert await reader.get(NOTES.name, "b") is None
    assert len(await reader.page(NOTES.name, EVERYTHING)) == 1
    await store(projecting, lease, 2, "a", "b")
    await eventually(lambda: is_at(reader, "a", 2))
    await eventually(lambda: is_at(reader, "b", 2))

    async def has_both() -> bool:
        return len(await reader.page(NOTES.name, EVERYTHING)) == 2

    await eventually(has_both)


async def test_a_look_during_an_election_is_not_taken_in(
    projecting, lease, open_reader, monkeypatch
):
    """The primary that answered may have been replaced before."""
    elections, reports = [], []

    def another(_: object) -> tuple[int, int]:
        elections.append(1)
        return 1, len(elections)

    monkeypatch.setattr(looks, "election_of", another)
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.001)
    reader = open_reader()
    monkeypatch.setattr(reader.kept, "report", lambda *report: reports.append(report))
    await store(projecting, lease, 1, "a")

    async def has_looked_often() -> bool:
        await reader.get(NOTES.name, "a")
        return len(elections) > 100

    await eventually(has_looked_often)
    assert not reports


async def test_a_read_is_never_older_than_it_has_to_be(projecting, lease, open_reader):
    """While documents change all the time: with the position of each save, and without one."""
    reader, choose = open_reader(), random.Random(7)
    keys, changed = [f"n{each}" for each in range(20)], {}
    saved = 0
    over = asyncio.Event()

    async def project() -> None:
        nonlocal saved
        for position in range(1, 121):
            some = choose.sample(keys, choose.randint(1, 3))
            await store(projecting, lease, position, *some)
            changed.update(dict.fromkeys(some, position))
            saved = position
            await asyncio.sleep(choose.choice([0, 0, 0.005]))
        over.set()

    async def read() -> None:
        seen: dict[str, int] = {}
        while not over.is_set():
            key, at_least = choose.choice(keys), choose.choice([0, saved])
            due = changed.get(key, 0) if at_least else 0
            found = await reader.get(NOTES.name, key, at_least=at_least)
            position = found.position if found else 0
            assert position >= due
            # Nor than what was read before.
            assert position >= seen.get(key, 0)
            seen[key] = position

    async with asyncio.TaskGroup() as group:
        group.create_task(project())
        for _ in range(4):
            group.create_task(read())
    assert reader.kept.hits > 20


async def test_a_document_that_is_repaired_is_not_answered_as_it_was(
    projecting, lease, open_reader
):
    """Though it has the same position afterwards."""
    reader = open_reader()
    await store(projecting, lease, 1, "a")
    await kept(reader)
    right = note("right", 1)
    await projecting.replace(lease.build, {"a": note("a", 1)}, {"a": right})

    async def is_right() -> bool:
        found = await reader.get(NOTES.name, "a")
        return found is not None and found.document == right.document

    await eventually(is_right)


async def test_a_process_that_is_busy_answers_from_what_is_kept(projecting, lease, open_reader):
    """A turn of its event loop takes so long that a look would end late there."""
    reader = open_reader()
    await store(projecting, lease, 1, "a")
    await kept(reader)
    hits = reader.kept.hits
    for _ in range(20):
        time.sleep(0.08)  # noqa: ASYNC251 - as many requests that are answered in one turn
        for _ in range(3):
            await reader.get(NOTES.name, "a")
        await asyncio.sleep(0)
    assert reader.kept.hits - hits >= 50


@pytest.mark.parametrize(
    ("hits", "share", "pause", "seconds"),
    [(1_000_000, 0.0, 0.0, 0.3), (1, 1.5, 0.0, 0.3), (1_000_000, 0.0, 0.3, 1.0)],
    ids=["few hits", "a low share of the reads", "reads with pauses between"],
)
async def test_a_process_whose_looks_are_not_worth_it_rests(
    projecting, lease, open_reader, monkeypatch, hits, share, pause, seconds
):
    """Longer each time, though there are reads all the time, or again and again."""
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(looks, "TRIAL_SECONDS", 0.05)
    monkeypatch.setattr(looks, "WORTH", hits)
    monkeypatch.setattr(looks, "WORTH_SHARE", share)
    reader, looked = open_reader(), []
    report = reader.kept.report

    def note(*what: Any) -> None:
        looked.append(time.monotonic())
        report(*what)

    monkeypatch.setattr(reader.kept, "report", note)
    await store(projecting, lease, 1, "a")
    async with asyncio.timeout(30):
        while not any(after - before > seconds for before, after in pairwise(looked)):
            for _ in range(10):
                await reader.get(NOTES.name, "a")
                await asyncio.sleep(0.005)
            await asyncio.sleep(pause)


async def test_no_read_waits_for_a_look_up_of_what_serves(projecting, lease, open_reader):
    """It is renewed in time, as long as there are reads."""
    reader = open_reader()
    await store(projecting, lease, 1, "a")
    await reader.get(NOTES.name, "a")
    known = []
    for _ in range(150):
        known.append(reader._serving.known(NOTES.name))
        await asyncio.sleep(0.01)
    assert None not in known


async def test_what_a_caller_does_with_a_document_is_no_other_callers(
    projecting, lease, open_reader
):
    """Each gets its own."""
    reader = open_reader()
    await store(projecting, lease, 1, "a")
    await kept(reader)
    first = await reader.get(NOTES.name, "a")
    first.document.clear()
    [page] = await reader.page(NOTES.name, EVERYTHING)
    page.document.clear()
    assert (await reader.get(NOTES.name, "a")).document
    assert (await reader.page(NOTES.name, EVERYTHING))[0].document


async def test_nothing_is_kept_of_secondaries(projecting, lease, open_reader, mongodb_url):
    """They may lag behind what is known to have changed."""
    joint = "&" if "?" in mongodb_url else "?"
    reader = open_reader(f"{joint}readPreference=secondaryPreferred")
    await store(projecting, lease, 1, "a")
    for _ in range(100):
        await reader.get(NOTES.name, "a")
        await asyncio.sleep(0.001)
    assert reader.kept.hits == 0
    assert reader.kept.size == 0
