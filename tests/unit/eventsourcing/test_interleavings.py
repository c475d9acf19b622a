"""Processes that write at once, in many random orders, on a store that fails now and then."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from app.framework.eventsourcing import Repository, VersionConflict
from app.framework.storage import StorageUnavailable
from tests.unit.eventsourcing.shelf import (
    MeddledStore,
    NotThere,
    Put,
    Shelf,
    Watched,
    events_of,
    folded,
    new_store,
    process,
    put,
    take,
)

SHELVES = "123"


@dataclass
class Record:
    """What the writers were told, by shelf."""

    acknowledged: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    unknown: set[str] = field(default_factory=set)
    versions: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[str, int, Shelf]] = field(default_factory=list)
    refusals: int = 0


def restless(chance: random.Random, *, failing: float) -> MeddledStore:
    """A store whose calls take turns at random, and fail so often, committed or not."""

    async def pause(_) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < failing:
            raise StorageUnavailable("the shelves", "no answer")

    return MeddledStore(new_store(), pause, pause, pause)


async def write(
    here: Repository[Shelf], writer: int, chance: random.Random, record: Record
) -> None:
    """Put things of one's own on shelves, and put and take what others do too."""
    for turn in range(25):
        shelf = chance.choice(SHELVES)
        own = f"{writer}/{turn}"
        decide = chance.choice([put(own), put(own), put("shared"), take("shared")])
        await ask(here, shelf, Watched(decide), record, own)
        await asyncio.sleep(0)


async def ask(
    here: Repository[Shelf], shelf: str, decide: Watched, record: Record, own: str
) -> None:
    """Make one change, and keep what came of it; nothing may be answered from the past."""
    newest = record.versions[shelf]
    try:
        stored = await here.transact(shelf, decide)
    except StorageUnavailable:
        record.unknown.add(own)
    except VersionConflict:
        pass
    except NotThere:
        seen = decide.seen[-1]
        assert (seen.events if seen else 0) >= newest
        record.refusals += 1
    else:
        assert stored.version == stored.state.events >= newest
        record.versions[shelf] = max(record.versions[shelf], stored.version)
        record.answers.append((shelf, stored.version, stored.state))
        record.acknowledged[shelf].update(each for each in stored.state.things if each == own)


@pytest.mark.parametrize("failing", [0, 0.05])
@pytest.mark.parametrize("seed", range(12))
async def test_every_acknowledged_change_is_recorded_once(seed, failing):
    """Whatever the order: once in the stream if acknowledged, at most once if unknown, else never.

    The versions have no hole, every answer is a fold of the stream up to its version, and no
    answer, no-op or refusal is older than what had been acknowledged when it was asked for.
    """
    chance = random.Random(seed)
    store = restless(chance, failing=failing)
    record = Record()
    processes = [process(store, cache_size=chance.choice([1, 2, 50])) for _ in range(3)]
    await asyncio.gather(
        *(write(processes[each % 3], each, chance, record) for each in range(9)),
    )

    assert record.refusals
    for shelf in SHELVES:
        recorded = await store.store.load(f"shelf-{shelf}")
        assert [each.version for each in recorded] == list(range(1, len(recorded) + 1))
        events = await events_of(store.store, shelf)
        things = Counter(
            each.thing for each in events if isinstance(each, Put) and each.thing != "shared"
        )
        acknowledged = record.acknowledged[shelf]
        assert acknowledged == {each: 1 for each in things if each not in record.unknown}
        assert set(things.values()) <= {1}
    for shelf, version, state in record.answers:
        assert state == folded((await events_of(store.store, shelf))[:version])
