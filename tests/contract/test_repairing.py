"""Documents of a build that differ from a fold of the log are repaired, while it is followed."""

import asyncio
import contextlib
import random
from dataclasses import replace
from itertools import product

import pytest

from app.framework.projections import EVERYTHING, DifferenceKind, Projection
from app.framework.projections.follower import Follower
from tests.contract.spoiled import FAR, WRONG, due, numbers, put, some_notes, spoil, stored, verify
from tests.eventful import Crash, EventfulStore
from tests.following import QUICK, catch_up, running, take
from tests.notes import (
    LOG,
    NOTES,
    NoteAdded,
    NoteErased,
    NoteWritten,
    append,
    folded,
    new_log,
    notes,
)
from tests.notes import deleted as deleted_at
from tests.notes import note as written
from tests.unit.projecting.refusing import refusing


@pytest.fixture
def projection() -> Projection:
    """Notes under a name that no other test has."""
    return notes(name=f"verified{next(numbers)}")


async def test_a_document_is_replaced_where_it_is_at_the_position_seen(read_model, projection):
    """Also by one at an earlier position, and also if it is absent; others stay."""
    await take(read_model, projection)
    await read_model.prepare(projection.id, projection.indexes)
    seens = [None, written("x", 5), deleted_at(5)]
    nows = [None, written("y", 5), written("y", 4), written("y", 6), deleted_at(5)]
    news = [written("new", 3), written("new", 9), deleted_at(3)]
    cases = {f"{number}": each for number, each in enumerate(product(seens, nows, news))}
    before = {key: now for key, (_, now, _) in cases.items() if now is not None}
    await read_model.write(projection.id, before)
    await read_model.replace(
        projection.id,
        {key: seen for key, (seen, _, _) in cases.items()},
        {key: new for key, (_, _, new) in cases.items()},
    )
    as_seen = {
        key: new
        for key, (seen, now, new) in cases.items()
        if (seen and seen.position) == (now and now.position)
    }
    assert await read_model.load(projection.id, cases) == before | as_seen
    assert as_seen


@pytest.mark.parametrize("at_once", [2, 1000])
async def test_a_repair_repairs_everything(read_model, projection, at_once):
    """Afterwards nothing differs, and what comes is applied."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await spoil(read_model, projection.id)
    found = await verify(log, read_model, projection, repairs=True, at_once=at_once)
    assert (found.differing, found.repaired, found.is_sound) == (9, 9, True)
    assert all(each.is_repaired for each in found.differences)
    assert await stored(read_model, projection.id) == await due(log)
    for key in (*WRONG, "3"):
        await append(log, key, NoteWritten("again"), NoteAdded("y"))
    await catch_up(log, read_model, projection)
    assert await stored(read_model, projection.id) == await due(log)
    assert (await verify(log, read_model, projection)).is_sound


async def test_a_repair_of_nothing_writes_nothing(read_model, projection):
    """Nor does a repair of a document that is right by the time it is looked at again."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    found = await verify(log, Unwritable(read_model), projection, repairs=True)
    assert found.is_sound


class Unwritable(EventfulStore):
    """A read model that fails when a document is replaced."""

    def __init__(self, store) -> None:
        """What it stores is in `store`."""

        async def nothing(_: str) -> None:
            return

        super().__init__(store, nothing)

    async def replace(self, *_) -> None:
        """Fail."""
        raise AssertionError("It writes.")


async def test_a_document_that_this_fold_refuses_is_not_repaired(read_model, projection):
    """It is said why; the others are."""
    log = new_log()
    await append(log, "bad", NoteWritten("begin"), NoteAdded("poison"))
    await append(log, "good", NoteWritten("begin"))
    await catch_up(log, read_model, projection)
    await put(read_model, projection.id, {"good": written("other", 3)})
    broken = refusing(projection.name, "poison".__eq__, parks=True)
    found = await verify(log, read_model, broken, repairs=True)
    assert (found.differing, found.repaired) == (2, 1)
    (left,) = (each for each in found.differences if not each.is_repaired)
    assert (left.key, left.kind) == ("bad", DifferenceKind.REFUSED)
    assert "ValueError: cannot apply poison" in left.detail


BUSY = "12457"


@pytest.mark.parametrize(("kind", "seed"), [("notes", 0), ("notes", 1), ("notes", 2), ("log", 3)])
async def test_a_repair_beside_a_follower_leaves_what_the_log_leads_to(read_model, kind, seed):
    """Under load on the same documents, which the follower may have loaded when they were wrong."""
    chance = random.Random(seed)
    projection = replace(NOTES if kind == "notes" else LOG, name=f"raced{next(numbers)}")
    log = await some_notes()
    await catch_up(log, read_model, projection)

    async def lose_time(_: str) -> None:
        await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003]))

    async def load() -> None:
        for number in range(150):
            what = [NoteErased(), NoteWritten("w")] if chance.random() < 0.1 else []
            await append(log, chance.choice(BUSY), *what, NoteAdded(f"{number}"))
            await asyncio.sleep(chance.choice([0, 0.001, 0.005]))

    async def spoil_more() -> None:
        for _ in range(8):
            key = chance.choice([*BUSY, "8"])
            key = key if kind == "notes" else f"{key}:{chance.randint(1, 3)}"
            found = (await read_model.load(projection.id, [key])).get(key)
            position = chance.choice([1, FAR, found.position if found else 1])
            wrong = chance.choice([written("wrong", position), deleted_at(position)])
            await read_model.replace(projection.id, {key: found}, {key: wrong})
            await asyncio.sleep(chance.choice([0, 0.002, 0.01]))

    build, lease = await take(read_model, projection)
    store = EventfulStore(read_model, lose_time)
    options = replace(QUICK, batch=chance.randint(1, 8))
    follower = Follower(log, store, build, lease, options)
    async with running(follower.run()) as following:
        async with running(load()):
            await spoil_more()
            found = await verify(log, read_model, projection, repairs=True, at_once=5)
        assert found.is_sound, found.differences
        follower.stop()
        await following
    # A document that was missing may have been parked.
    await read_model.ask_to_replay(projection.id, [EVERYTHING])
    await catch_up(log, read_model, projection, replace(QUICK, batch=100))
    expected = await folded(log, projection)
    assert await stored(read_model, projection.id) == {
        key: each for key, each in expected.items() if each.document is not None
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_repair_that_is_killed_can_be_repeated(read_model, projection, seed):
    """At any step: what is repaired stays, and the rest is repaired then."""
    chance = random.Random(seed)
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await spoil(read_model, projection.id)
    for _ in range(5):
        countdown = iter([False] * chance.randrange(12) + [True])

        async def killed_in_time(_: str, countdown=countdown) -> None:
            if next(countdown, False):
                raise Crash

        with contextlib.suppress(Crash):
            killed = EventfulStore(read_model, killed_in_time)
            await verify(log, killed, projection, repairs=True, at_once=3)
    assert (await verify(log, read_model, projection, repairs=True)).is_sound
    assert await stored(read_model, projection.id) == await due(log)
