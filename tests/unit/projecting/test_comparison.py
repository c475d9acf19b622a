"""Two builds are compared while both are followed."""

import random

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import BuildState, Versioned, comparison
from app.framework.projections.comparison import KEYS_NAMED, compare, compare_noting
from tests.eventful import EventfulStore
from tests.following import builds, prepare, save, take
from tests.notes import NOTES, deleted, note, notes, status

SECOND = notes(version=2)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    """So that few documents are several of them; and little patience."""
    monkeypatch.setattr(comparison, "BATCH", 7)
    monkeypatch.setattr(comparison, "POLL_SECONDS", 0.001)


async def hold(store, one: dict[str, Versioned], other: dict[str, Versioned], reached=9) -> None:
    """Have the builds hold these documents, and have reached this position."""
    for projection, documents in ((NOTES, one), (SECOND, other)):
        await prepare(store, projection)
        await store.write(projection.id, documents)
        await save(store, projection, status(projection, reached))


def some(number: int) -> dict[str, Versioned]:
    """So many documents."""
    return {f"k{each:03}": note(f"{each}", 1 + each % 9) for each in range(number)}


@pytest.mark.parametrize("number", [0, 1, 7, 8, 14, 50])
async def test_builds_that_are_equal(store, number):
    """However many batches they take."""
    await hold(store, some(number), some(number))
    found = await compare(store, NOTES.id, SECOND.id)
    assert (found.compared, found.differing, found.keys) == (number, 0, [])


async def test_what_differs_is_named(store):
    """In content, in position, or as either build lacks it; in the order of keys."""
    one, other = some(50), some(50)
    other["k010"] = note("other", one["k010"].position)
    other["k020"] = Versioned(one["k020"].document, 8)
    del one["k030"], other["k040"]
    other["k045"] = deleted(one["k045"].position)
    other["zzz"] = note("surplus", 1)
    await hold(store, one, other)
    found = await compare(store, NOTES.id, SECOND.id)
    assert (found.compared, found.differing) == (51, 6)
    assert found.keys == ["k010", "k020", "k030", "k040", "k045", "zzz"]


async def test_one_build_may_have_other_keys_throughout(store):
    """Ranges of keys end where the shorter batch does, so none is passed over."""
    chance = random.Random(3)
    keys = [f"{chance.random():.6f}" for _ in range(60)]
    one = {key: note("x", 1) for key in keys[:45]}
    other = {key: note("x", 1) for key in keys[30:]}
    await hold(store, one, other)
    found = await compare(store, NOTES.id, SECOND.id)
    assert found.compared == 60
    assert found.keys == sorted(one.keys() ^ other.keys())


async def test_a_deleted_document_equals_none(store):
    """A build from the beginning may have one where the other has dropped it, and two positions."""
    await hold(store, {"a": deleted(3), "b": deleted(4)}, {"b": deleted(5), "c": deleted(6)})
    assert (await compare(store, NOTES.id, SECOND.id)).differing == 0


async def test_all_differences_are_counted_and_the_first_named(store):
    """A build that differs everywhere must not fill the record."""
    await hold(store, some(KEYS_NAMED + 50), {})
    found = await compare(store, NOTES.id, SECOND.id)
    assert found.differing == KEYS_NAMED + 50
    assert found.keys == sorted(some(KEYS_NAMED))


class Changing(EventfulStore):
    """Builds of which one changes whenever either is read: now this one is ahead, now that one."""

    def __init__(self, store: MemoryReadModel, chance: random.Random) -> None:
        super().__init__(store, self._nothing)
        self._chance = chance
        self._changes: list[tuple[str, Versioned]] = []
        self._applied = {NOTES.id: 0, SECOND.id: 0}

    @property
    def position(self) -> int:
        """Of the last change."""
        return 9 + len(self._changes)

    async def _nothing(self, _: str) -> None:
        return

    async def _change(self) -> None:
        behind, ahead = sorted((NOTES, SECOND), key=lambda each: self._applied[each.id])
        lag = self._applied[ahead.id] - self._applied[behind.id]
        projection = behind if self._chance.random() < lag / 6 else ahead
        number = self._applied[projection.id]
        self._applied[projection.id] += 1
        if number == len(self._changes):
            position, key = self.position + 1, f"k{self._chance.randrange(40):03}"
            is_deletion = self._chance.random() < 0.2
            document = deleted(position) if is_deletion else note("new", position)
            self._changes.append((key, document))
        key, document = self._changes[number]
        await self.write(projection.id, {key: document})
        await save(self, projection, status(projection, document.position))

    async def scan(self, build, *, after, limit):
        """As `ProjectionStore.scan` says."""
        found = await super().scan(build, after=after, limit=limit)
        await self._change()
        return found

    async def load(self, build, keys):
        """As `ProjectionStore.load` says."""
        found = await super().load(build, keys)
        await self._change()
        return found


@pytest.mark.parametrize("seed", range(5))
async def test_builds_that_change_meanwhile(store, seed):
    """Now one is ahead and now the other: what they come to is equal."""
    await hold(store, some(30), some(30))
    changing = Changing(store, random.Random(seed))
    for _ in range(5):
        found = await compare(changing, NOTES.id, SECOND.id)
        assert (found.differing, found.keys) == (0, [])
    await store.write(SECOND.id, {"k100": note("wrong", changing.position)})
    assert (await compare(changing, NOTES.id, SECOND.id)).keys == ["k100"]
    assert changing.position > 30


async def test_a_comparison_with_a_build_that_serves_no_longer_is_repeated(store):
    """An operator let another one serve meanwhile: that is what a build must be equal to."""
    await hold(store, some(5), some(5))
    third = notes(version=3)
    await prepare(store, third)
    build, lease = await take(store, SECOND)

    async def nothing(_: str) -> None:
        return

    class Switching(EventfulStore):
        async def scan(self, build, *, after, limit):
            await store.switch("notes", serving=NOTES.id, to=third.id)
            return await super().scan(build, after=after, limit=limit)

    await compare_noting(Switching(store, nothing), NOTES.id, lease)
    (found,) = [each for each in await builds(store) if each.id == build.id]
    assert (found.state, found.comparison) == (BuildState.COMPARING, None)
    await compare_noting(store, third.id, lease)
    (found,) = [each for each in await builds(store) if each.id == build.id]
    assert (found.state, found.comparison.differing) == (BuildState.READY, 5)


async def test_a_build_that_does_not_go_on_differs(store, monkeypatch):
    """What it lacks is not waited for without end."""
    monkeypatch.setattr(comparison, "LOOKS", 3)
    await hold(store, some(5), some(5))
    await store.write(SECOND.id, {"k001": note("later", 12)})
    await save(store, SECOND, status(SECOND, 12))
    assert (await compare(store, NOTES.id, SECOND.id)).keys == ["k001"]
