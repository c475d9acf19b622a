"""What every read model promises of leases: one process works on a build, and others can tell."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import (
    LEASE_SECONDS,
    Build,
    BuildRecord,
    LeaseLost,
    ProjectionState,
    TakeOver,
)
from tests.following import prepare, save
from tests.notes import NOTES, notes, status

BUILD = Build(NOTES, NOTES.id)


@pytest.fixture
async def store(read_model):
    """A read model with a build of the notes, on which no process works."""
    await read_model.begin(NOTES, take_over=TakeOver.WHEN_CAUGHT_UP, known=0)
    return read_model


async def build(store) -> BuildRecord:
    """What is stored of the build."""
    ((found,),) = [each.builds for each in await store.projections() if each.name == "notes"]
    return found


async def acquired(store, holder: str = "one"):
    """The lease, which `holder` can have."""
    lease = await store.acquire(BUILD, holder)
    assert lease is not None
    return lease


async def let_pass(store, seconds: float) -> None:
    """Have holders been seen so many seconds earlier."""
    if isinstance(store, MemoryReadModel):
        for each in store._builds.values():
            if each.seen_at is not None:
                each.seen_at -= timedelta(seconds=seconds)
        return
    since = {"startDate": "$seen_at", "unit": "second", "amount": int(seconds)}
    await store._client.primary("projections").update_many(
        {"seen_at": {"$exists": True}}, [{"$set": {"seen_at": {"$dateSubtract": since}}}]
    )


async def test_one_process_gets_a_lease(store, open_read_model):
    """Of several that want it at once; it is seen by all."""
    leases = await asyncio.gather(
        *(open_read_model().acquire(BUILD, f"holder {each}") for each in range(8))
    )
    (lease,) = [each for each in leases if each is not None]
    found = await build(store)
    assert (found.holder, found.epoch, found.is_free) == (lease.holder, lease.epoch, False)
    assert found.held_since is not None
    assert abs(datetime.now(UTC) - found.held_since) < timedelta(seconds=5)


async def test_a_lease_says_where_the_build_is(store):
    """There its holder goes on."""
    lease = await acquired(store)
    assert (lease.build, lease.holder, lease.position) == (NOTES.id, "one", 0)
    await store.save(lease, status(NOTES, 7))
    await store.release(lease)
    assert (await acquired(store, "two")).position == 7


async def test_epochs_grow(store):
    """Also for one who has the lease, and takes it again."""
    epochs = []
    for holder in ("one", "one", "two"):
        lease = await acquired(store, holder)
        epochs.append(lease.epoch)
        if len(epochs) == 2:
            await store.release(lease)
    assert epochs == sorted(set(epochs))


async def test_a_lease_runs_out_when_its_holder_is_silent(store):
    """Not before; what the build was at stays known."""
    lease = await acquired(store)
    await store.save(lease, status(NOTES, 7))
    await let_pass(store, LEASE_SECONDS - 2)
    assert await store.acquire(BUILD, "two") is None
    await let_pass(store, 3)
    found = await build(store)
    assert (found.is_free, found.holder, found.held_since, found.position) == (True, None, None, 7)
    assert found.silent_seconds > LEASE_SECONDS
    assert (await acquired(store, "two")).epoch > lease.epoch


@pytest.mark.parametrize("kept_by", ["save", "renew"])
async def test_a_holder_that_is_heard_of_keeps_its_lease(store, kept_by):
    """By a checkpoint, or by renewing it."""
    lease = await acquired(store)
    for _ in range(3):
        await let_pass(store, LEASE_SECONDS - 2)
        if kept_by == "save":
            await store.save(lease, status(NOTES, 1))
        else:
            assert await store.renew([lease]) == []
        assert await store.acquire(BUILD, "two") is None


async def test_a_lease_that_ran_out_is_kept_until_another_takes_it(store):
    """A holder that was slow goes on if it was not missed."""
    lease = await acquired(store)
    await let_pass(store, 2 * LEASE_SECONDS)
    await store.save(lease, status(NOTES, 1))
    assert await store.acquire(BUILD, "two") is None


async def test_a_lease_that_is_given_up_is_free_at_once(store):
    """Whatever the holder said last; one that is lost cannot be given up."""
    lease = await acquired(store)
    await store.release(lease)
    assert (await build(store)).is_free
    later = await acquired(store, "two")
    await store.release(lease)
    assert (await build(store)).holder == "two"
    await store.save(later, status(NOTES, 1))


async def test_a_holder_of_an_earlier_epoch_changes_nothing(store):
    """Neither the checkpoint, nor the state, nor the time until which the lease lasts."""
    lost = await acquired(store)
    await let_pass(store, 2 * LEASE_SECONDS)
    lease = await acquired(store, "two")
    await store.save(lease, status(NOTES, 3))
    before = await build(store)
    with pytest.raises(LeaseLost):
        await store.save(lost, status(NOTES, 9, error="x"))
    with pytest.raises(LeaseLost):
        await store.note(lost, has_caught_up=True)
    assert await store.renew([lost]) == [lost]
    assert replace(await build(store), silent_seconds=0) == replace(before, silent_seconds=0)


async def test_saves_at_once_are_refused_each_by_its_own_lease(store):
    """A lost one takes no other along."""
    other = notes(name="others")
    await prepare(store, other)
    kept = await store.acquire(Build(other, other.id), "tests")
    lost = await acquired(store)
    await acquired(store, "one")
    answers = await asyncio.gather(
        store.save(lost, status(NOTES, 9)),
        store.save(kept, status(other, 5)),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [LeaseLost, type(None)]
    positions = {each.name: each.builds[0].position for each in await store.projections()}
    assert positions == {"notes": 0, "others": 5}


async def test_renewing_tells_which_leases_are_lost(store):
    """The others last on."""
    other = notes(name="others")
    await prepare(store, other)
    kept = await store.acquire(Build(other, other.id), "tests")
    lost = await acquired(store)
    await acquired(store, "one")
    assert await store.renew([kept, lost]) == [lost]
    assert await store.renew([kept]) == []


async def test_a_checkpoint_that_went_back_is_noticed(store):
    """The read model was restored to an earlier state: its documents lack events."""
    lease = await acquired(store)
    await store.save(lease, status(NOTES, 5))
    await store.save(lease, status(NOTES, 7), after=5)
    with pytest.raises(LeaseLost):
        await store.save(lease, status(NOTES, 9), after=8)
    assert (await build(store)).position == 7


async def test_a_checkpoint_never_goes_back(store):
    """Nor does the head; a status without a position leaves the one that is stored."""
    lease = await acquired(store)
    await store.save(lease, status(NOTES, 7, head=9))
    await store.save(lease, status(NOTES, 5, head=5))
    await store.save(lease, status(NOTES, None, head=None, error="KeyError: x"))
    found = (await build(store)).status
    assert (found.position, found.head, found.error) == (7, 9, "KeyError: x")


@pytest.mark.parametrize("off", [-120, 120])
async def test_leases_are_judged_by_the_clock_of_the_store(store, off):
    """Not by that of a holder's process, nor by the reader's: either may be wrong."""
    wrong = datetime.now(UTC) + timedelta(seconds=off)
    lease = await acquired(store)
    await store.save(lease, status(NOTES, 5, seen_at=wrong))
    found = await build(store)
    assert not found.is_free
    assert found.silent_seconds < 5
    assert found.status.seen_at is not None
    assert abs(datetime.now(UTC) - found.status.seen_at) < timedelta(seconds=5)


@pytest.mark.parametrize("state", [ProjectionState.RUNNING, ProjectionState.RETRYING])
async def test_a_build_whose_lease_ran_out_is_absent(prepared, state):
    """What its holder last said of its position and error stays."""
    await save(prepared, NOTES, status(NOTES, 5, state=state, error="x"))
    for seconds, seen in ((0, state), (LEASE_SECONDS + 1, ProjectionState.ABSENT)):
        await let_pass(prepared, seconds)
        found = await build(prepared)
        assert found.activity(paused=False) is seen
        assert found.activity(paused=True) is ProjectionState.PAUSED
        assert (found.position, found.status.error) == (5, "x")


async def test_a_projection_that_stopped_stays_so(prepared):
    """However long ago it stopped."""
    await save(prepared, NOTES, status(NOTES, 5, state=ProjectionState.STOPPED))
    await let_pass(prepared, 24 * 3600)
    assert (await build(prepared)).activity(paused=False) is ProjectionState.STOPPED
