"""Load, decide, append: when others do so too, and when the store fails."""

import asyncio
import gc

import pytest

from app.framework.eventsourcing import (
    VersionConflict,
)
from app.framework.storage import Overloaded, StorageUnavailable
from tests.unit.eventsourcing.shelf import (
    Gate,
    NotThere,
    Put,
    Taken,
    Watched,
    events_of,
    nothing,
    process,
    put,
    take,
)


class TestOtherProcesses:
    """What this process remembers may be behind what is stored."""

    async def test_a_change_decided_on_the_past_is_decided_again(self, here, elsewhere, store):
        """The append on the old version is refused; the decision is made anew and recorded once."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))

        stored = await here.transact("1", decision := Watched(put("cup")))

        assert decision.seen_things == [("book",), ("book", "pen")]
        assert stored.state.things == ("book", "pen", "cup")
        assert stored.version == 3
        assert await events_of(store, "1") == [Put("book"), Put("pen"), Put("cup")]

    async def test_a_no_op_decided_on_the_past_is_decided_again(self, here, elsewhere, store):
        """Nothing to do, as far as this process remembers; but another has changed that."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", take("book"))

        stored = await here.transact("1", decision := Watched(put("book")))

        assert decision.seen_things == [("book",), ()]
        assert stored.version == 3
        assert await events_of(store, "1") == [Put("book"), Taken("book"), Put("book")]

    async def test_a_refusal_decided_on_the_past_is_decided_again(self, here, elsewhere, store):
        """Refused, as far as this process remembers; but another has made it possible."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))

        stored = await here.transact("1", decision := Watched(take("pen")))

        assert decision.seen_things == [("book",), ("book", "pen")]
        assert stored.version == 3
        assert await events_of(store, "1") == [Put("book"), Put("pen"), Taken("pen")]

    async def test_a_change_may_turn_out_to_be_a_no_op(self, here, elsewhere, store):
        """What another process has done already is not done again."""
        await here.transact("1", put("book"))
        theirs = await elsewhere.transact("1", put("pen"))

        stored = await here.transact("1", decision := Watched(put("pen")))

        assert decision.seen_things == [("book",), ("book", "pen")]
        assert stored == theirs
        assert await events_of(store, "1") == [Put("book"), Put("pen")]

    async def test_a_change_may_turn_out_to_be_refused(self, here, elsewhere, store):
        """What another process has made impossible is refused."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", take("book"))

        with pytest.raises(NotThere):
            await here.transact("1", decision := Watched(take("book")))

        assert decision.seen_things == [("book",), ()]
        assert await events_of(store, "1") == [Put("book"), Taken("book")]

    async def test_a_refusal_that_still_holds_is_raised(self, here, elsewhere):
        """Decided twice, refused twice: the sender gets the refusal."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))
        with pytest.raises(NotThere):
            await here.transact("1", decision := Watched(take("cup")))
        assert decision.seen_things == [("book",), ("book", "pen")]

    async def test_two_processes_may_create_at_once(self, here, elsewhere, store):
        """Whoever is second decides on what the first has created."""

        async def create_elsewhere(_) -> None:
            if len(store.appends) == 1:
                await elsewhere.transact("1", put("pen"))

        store.before_append = create_elsewhere
        stored = await here.transact("1", decision := Watched(put("book")))

        assert decision.seen_things == [(), ("pen",)]
        assert stored.version == 2

    async def test_after_so_many_attempts_a_conflict_is_raised(self, store, elsewhere):
        """When others always come first the sender hears of it; nothing of it is recorded."""
        here = process(store, attempts=3)

        async def come_first(_) -> None:
            await elsewhere.transact("1", put(f"thing {len(store.appends)}"))

        store.before_append = come_first
        with pytest.raises(VersionConflict) as conflict:
            await here.transact("1", decision := Watched(put("book")))

        assert len(decision.seen) == 1 + 3
        assert (conflict.value.expected, conflict.value.actual) == (3, 4)
        assert Put("book") not in await events_of(store, "1")

    async def test_the_last_attempt_may_succeed(self, store, elsewhere):
        """As many conflicts as attempts but one are borne, and the next command goes through."""
        here = process(store, attempts=3)

        async def come_first(_) -> None:
            if len(store.appends) < 3:
                await elsewhere.transact("1", put(f"thing {len(store.appends)}"))

        store.before_append = come_first
        assert (await here.transact("1", put("book"))).version == 3
        assert (await here.transact("1", put("pen"))).version == 4


class TestTurns:
    """Many commands at once."""

    async def test_commands_on_one_aggregate_take_turns(self, here, store):
        """64 at once: one append at a time, no conflict, no load; each is recorded once."""
        running = 0

        async def alone(_) -> None:
            nonlocal running
            running += 1
            assert running == 1
            await asyncio.sleep(0)
            running -= 1

        store.before_append = alone
        results = await asyncio.gather(*(here.transact("1", put(str(n))) for n in range(64)))

        assert sorted(each.version for each in results) == list(range(1, 65))
        assert len(store.appends) == 64
        assert store.loads == []
        assert {*await events_of(store, "1")} == {Put(str(n)) for n in range(64)}

    async def test_too_many_on_one_aggregate_are_turned_away(self, store):
        """Those that fit go on, and so do commands on other aggregates, and later ones."""
        here = process(store, max_queued=5)
        commands = [here.transact("1", put(str(n))) for n in range(8)]
        results = await asyncio.gather(
            *commands, here.transact("2", put("book")), return_exceptions=True
        )

        assert [isinstance(each, Overloaded) for each in results] == [
            *[False] * 5,
            *[True] * 3,
            False,
        ]
        assert len(await events_of(store, "1")) == 5
        assert (await here.transact("1", put("more"))).version == 6

    async def test_commands_on_different_aggregates_do_not_wait_for_each_other(self, here, store):
        """One that is held up holds up nobody else."""
        store.before_append = gate = Gate()
        held = asyncio.create_task(here.transact("1", put("book")))
        await gate.reached.wait()
        store.before_append = nothing

        async with asyncio.timeout(5):
            await here.transact("2", put("book"))
            assert not held.done()
            gate.opened.set()
            assert (await held).version == 1

    async def test_who_gives_up_waiting_changes_nothing(self, here, store):
        """A command cancelled before its turn is not recorded; those behind it get theirs."""
        store.before_append = gate = Gate()
        first, second, third = (
            asyncio.create_task(here.transact("1", put(thing))) for thing in ("a", "b", "c")
        )
        await gate.reached.wait()
        second.cancel()
        gate.opened.set()

        async with asyncio.timeout(5):
            results = await asyncio.gather(first, second, third, return_exceptions=True)
        assert isinstance(results[1], asyncio.CancelledError)
        assert await events_of(store, "1") == [Put("a"), Put("c")]

    async def test_who_gives_up_waiting_leaves_its_place(self, store):
        """Another may wait instead."""
        here = process(store, max_queued=2)
        store.before_append = gate = Gate()
        first, second = (asyncio.create_task(here.transact("1", put(thing))) for thing in "ab")
        await gate.reached.wait()
        second.cancel()
        await asyncio.wait([second])
        third = asyncio.create_task(here.transact("1", put("c")))
        gate.opened.set()

        async with asyncio.timeout(5):
            await asyncio.gather(first, third)
        assert await events_of(store, "1") == [Put("a"), Put("c")]

    @pytest.mark.parametrize("committed", [False, True])
    async def test_who_gives_up_while_appending_leaves_others_fine(self, here, store, committed):
        """Whether that append was committed or not, the next is decided on what is stored."""
        await here.transact("1", put("a"))
        gate = Gate()
        setattr(store, "after_append" if committed else "before_append", gate)
        held = asyncio.create_task(here.transact("1", put("b")))
        following = asyncio.create_task(here.transact("1", put("c")))
        await gate.reached.wait()
        held.cancel()
        gate.opened.set()

        async with asyncio.timeout(5):
            stored = await following
        assert held.cancelled()
        assert stored.state.things == (("a", "b", "c") if committed else ("a", "c"))
        assert stored.version == len(await events_of(store, "1"))

    async def test_turns_that_are_over_are_forgotten(self, here):
        """Nothing is kept for an aggregate that no command is on."""
        await asyncio.gather(*(here.transact(str(n % 4), put(str(n))) for n in range(16)))
        gc.collect()
        assert len(here._turns) == 0


class TestOutages:
    """The storage fails and comes back."""

    async def test_an_append_that_failed_can_be_sent_again(self, here, store):
        """Nothing was recorded and nothing remembered: the second try records it once."""
        await here.transact("1", put("book"))
        store.before_append = self.fail
        with pytest.raises(StorageUnavailable):
            await here.transact("1", put("pen"))
        with pytest.raises(StorageUnavailable):
            await here.transact("2", put("pen"))

        store.before_append = nothing
        assert (await here.transact("1", put("pen"))).version == 2
        assert (await here.transact("2", put("pen"))).version == 1

    async def test_an_append_whose_answer_was_lost_is_seen(self, here, store):
        """It was recorded after all, and what is decided next is decided on it."""
        await here.transact("1", put("book"))
        store.after_append = self.fail
        with pytest.raises(StorageUnavailable):
            await here.transact("1", put("pen"))

        store.after_append = nothing
        assert (await here.transact("1", put("pen"))).version == 2
        assert (await here.transact("1", put("cup"))).state.things == ("book", "pen", "cup")
        assert await events_of(store, "1") == [Put("book"), Put("pen"), Put("cup")]

    async def test_a_load_that_failed_records_nothing(self, here, elsewhere, store):
        """Without knowing the state nothing is recorded; later it is."""
        await elsewhere.transact("1", put("book"))
        store.before_load = self.fail
        with pytest.raises(StorageUnavailable):
            await here.transact("1", decision := Watched(put("pen")))
        assert len(decision.seen) == 1

        store.before_load = nothing
        assert (await here.transact("1", put("pen"))).version == 2

    async def test_a_refusal_is_not_given_without_looking(self, here, store):
        """What is remembered may be old, so a refusal or no-op needs the storage too."""
        await here.transact("1", put("book"))
        store.before_load = self.fail
        for decide in (put("book"), take("pen")):
            with pytest.raises(StorageUnavailable):
                await here.transact("1", decide)

    @staticmethod
    async def fail(_) -> None:
        """What a store in trouble does."""
        raise StorageUnavailable("the shelves", "no answer")
