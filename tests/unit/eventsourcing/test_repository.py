"""Load, decide, append."""

import asyncio
import gc

import pytest

from app.framework.eventsourcing import (
    AggregateType,
    Claim,
    ClaimTaken,
    MisplacedEvent,
    Repository,
    VersionConflict,
    VersionMismatch,
)
from app.framework.request import RequestContext
from app.framework.storage import Overloaded, StorageUnavailable
from tests.unit.eventsourcing.shelf import (
    Labelled,
    MeddledStore,
    NotThere,
    Put,
    Shelf,
    Taken,
    Watched,
    events_of,
    label,
    new_store,
    nothing,
    process,
    put,
    take,
)


@pytest.fixture
def store() -> MeddledStore:
    """An empty store, with nobody meddling yet."""
    return MeddledStore(new_store())


@pytest.fixture
def here(store):
    """The process under test."""
    return process(store)


@pytest.fixture
def elsewhere(store):
    """Another process on the same store, which leaves no trace in what `store` was asked."""
    return process(store.store)


class Gate:
    """Holds up whoever comes, until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, _) -> None:
        """Wait for the gate to be opened."""
        self.reached.set()
        await self.opened.wait()


class TestTransact:
    """One process, one command at a time."""

    async def test_a_decision_is_appended(self, here, store):
        """The events are in the stream; the answer is the state after them and where it stands."""
        stored = await here.transact("1", put("book"))

        (recorded,) = await store.load("shelf-1")
        assert recorded.event == Put("book")
        assert stored.state == Shelf(("book",), events=1)
        assert (stored.version, stored.position) == (1, 1)
        assert stored.created_at == stored.updated_at == recorded.recorded_at

    async def test_several_events_are_one_append(self, here, store):
        """What is decided together is recorded together, and the answer stands at the last."""
        await here.transact("other", put("cup"))
        stored = await here.transact("1", lambda _: [Put("book"), Put("pen"), Taken("book")])

        assert stored.state.things == ("pen",)
        assert (stored.version, stored.position) == (3, 4)
        assert len(store.appends) == 2

    async def test_a_decision_is_made_on_the_state_before(self, here):
        """None for what does not exist, then the fold of all that happened."""
        decision = Watched(put("book"))
        await here.transact("1", decision)
        await here.transact("1", put("pen"))
        await here.transact("1", again := Watched(take("book")))

        assert decision.seen == [None]
        assert again.seen_things == [("book", "pen")]

    async def test_deciding_on_nothing_new_appends_nothing(self, here, store):
        """The answer is what there is, where it stands."""
        first = await here.transact("1", put("book"))
        assert await here.transact("1", put("book")) == first
        assert len(store.appends) == 1

    async def test_a_refusal_comes_through_and_appends_nothing(self, here, store):
        """Whatever the decision raises, the sender gets it."""
        with pytest.raises(NotThere):
            await here.transact("1", take("book"))
        await here.transact("1", put("pen"))
        with pytest.raises(NotThere):
            await here.transact("1", take("book"))
        assert len(store.appends) == 1

    async def test_deciding_on_nothing_for_nothing_is_a_mistake(self, here):
        """There is no state to answer with, so the decision should have refused."""
        with pytest.raises(LookupError, match="shelf-1, which does not exist"):
            await here.transact("1", lambda _: [])

    async def test_an_aggregate_stays_as_old_as_it_is(self, here):
        """The time of its first event stays, that of the last one goes on."""
        first = last = await here.transact("1", put("book"))
        while last.updated_at == first.updated_at:
            last = await here.transact("1", put(str(last.version)))
        assert last.created_at == first.created_at < last.updated_at

    async def test_a_process_that_starts_anew_answers_the_same(self, here, elsewhere):
        """State, version, position and times come from what is stored."""
        await here.transact("other", put("cup"))
        stored = await here.transact("1", put("book"))
        while stored.updated_at == stored.created_at:
            stored = await here.transact("1", put(str(stored.version)))
        assert await elsewhere.transact("1", put("book")) == stored

    async def test_what_is_remembered_is_not_loaded(self, here, store):
        """A change of what this process used last costs one append and no load."""
        await here.transact("1", put("book"))
        loads = len(store.loads)
        await here.transact("1", put("pen"))
        await here.transact("1", take("book"))
        assert len(store.loads) == loads

    async def test_what_does_not_exist_is_not_loaded(self, here, store):
        """That nothing is there yet is presumed, and the append would say otherwise."""
        assert (await here.transact("1", put("book"))).version == 1
        assert store.loads == []

    async def test_what_was_wrongly_presumed_not_to_exist_is_loaded(self, here, elsewhere, store):
        """And decided on again, whatever the presumption led to."""
        await elsewhere.transact("1", put("book"))
        stored = await here.transact("1", decision := Watched(put("pen")))
        assert [each is None for each in decision.seen] == [True, False]
        assert store.loads == [("shelf-1", 0)]
        assert (stored.version, await events_of(store, "1")) == (2, [Put("book"), Put("pen")])

    async def test_what_cannot_follow_on_nothing_is_decided_on_what_is_stored(
        self, elsewhere, store
    ):
        """A decision that does not look at the state may not fit the presumption."""

        class NeverEmpty(Shelf):
            @classmethod
            def evolve(cls, state, event):
                if state is None and isinstance(event, Taken):
                    raise TypeError(event)
                return super().evolve(state, event)

        await elsewhere.transact("1", put("book"))
        here = Repository(store, AggregateType("shelf", NeverEmpty))
        stored = await here.transact("1", lambda _: [Taken("book")])
        assert (stored.version, stored.state.things) == (2, ())

    async def test_a_stored_event_that_evolve_refuses_cannot_be_read(self, elsewhere, store):
        """The error names the event, where it is in the log, and what `evolve` raised."""

        class Sealed(Shelf):
            @classmethod
            def evolve(cls, state, event):
                if isinstance(event, Taken):
                    raise KeyError("a thing")
                return super().evolve(state, event)

        await elsewhere.transact("other", put("book"))
        await elsewhere.transact("1", lambda _: [Put("book"), Taken("book")])
        here = Repository(store, AggregateType("shelf", Sealed))
        with pytest.raises(MisplacedEvent) as misplaced:
            await here.transact("1", put("pen"))
        assert str(misplaced.value) == (
            "A stored 'Taken' does not fit the events before it: KeyError. "
            "It is at position 3 of the log."
        )
        assert misplaced.value.event_type == "Taken"

    async def test_a_precondition_is_not_met_by_a_presumption(self, here, elsewhere, store):
        """That there be nothing yet is for the store to say."""
        await elsewhere.transact("1", put("book"))
        with pytest.raises(VersionMismatch) as mismatch:
            await here.transact("1", put("pen"), expected_version=0)
        assert mismatch.value.stream_id == "shelf-1"
        assert (mismatch.value.expected, mismatch.value.actual) == (0, 1)
        assert await events_of(store, "1") == [Put("book")]

    async def test_only_what_is_new_is_loaded(self, here, elsewhere, store):
        """What other processes appended is loaded from the version remembered on."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))
        store.loads.clear()
        await here.transact("1", put("pen"))
        assert store.loads == [("shelf-1", 1)]

    async def test_events_carry_the_metadata_of_their_request(self, here, store):
        """What the request passes on, and a causation id that no other command has."""
        context = RequestContext(request_id="request", actor="alice")
        await here.transact("1", lambda _: [Put("book"), Put("pen")], context)
        await here.transact("1", take("pen"))

        one, other, last = [each.metadata for each in await store.load("shelf-1")]
        assert (one.correlation_id, one.actor) == ("request", "alice")
        assert one == other
        assert (last.correlation_id, last.actor) == (None, None)
        assert None not in {one.causation_id, last.causation_id}
        assert one.causation_id != last.causation_id


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


class TestExpectedVersion:
    """A command for one version only."""

    async def test_the_right_version_is_changed(self, here):
        """0 for what does not exist yet, then the version there is."""
        await here.transact("1", put("book"), expected_version=0)
        stored = await here.transact("1", put("pen"), expected_version=1)
        assert stored.version == 2

    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_another_version_is_refused_undecided(self, here, store, expected):
        """The decision is not even made, so that a no-op or refusal cannot hide the mismatch."""
        await here.transact("1", lambda _: [Put("book"), Put("pen")])
        with pytest.raises(VersionMismatch) as mismatch:
            await here.transact("1", decision := Watched(put("book")), expected_version=expected)
        assert decision.seen == []
        assert (mismatch.value.expected, mismatch.value.actual) == (expected, 2)
        assert len(store.appends) == 1

    async def test_a_version_of_what_does_not_exist_is_refused(self, here):
        """What is not there stands at version 0."""
        with pytest.raises(VersionMismatch) as mismatch:
            await here.transact("1", put("book"), expected_version=1)
        assert mismatch.value.actual == 0

    @pytest.mark.parametrize("decide", [put("book"), put("cup"), take("cup")])
    async def test_a_version_of_the_past_is_refused(self, here, elsewhere, store, decide):
        """What this process remembers at that version is no excuse, for whatever decision."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))
        with pytest.raises(VersionMismatch) as mismatch:
            await here.transact("1", decide, expected_version=1)
        assert (mismatch.value.expected, mismatch.value.actual) == (1, 2)
        assert len(await events_of(store, "1")) == 2

    async def test_a_version_this_process_has_not_seen_is_changed(self, here, elsewhere):
        """The sender may know more than this process remembers."""
        await here.transact("1", put("book"))
        await elsewhere.transact("1", put("pen"))
        stored = await here.transact("1", decision := Watched(put("cup")), expected_version=2)
        assert decision.seen_things == [("book", "pen")]
        assert stored.version == 3

    async def test_a_conflict_on_the_expected_version_is_a_mismatch(self, here, elsewhere, store):
        """Whoever comes first between load and append makes it another version."""
        await elsewhere.transact("1", put("book"))

        async def come_first(_) -> None:
            store.before_append = nothing
            await elsewhere.transact("1", put("pen"))

        store.before_append = come_first
        with pytest.raises(VersionMismatch):
            await here.transact("1", put("cup"), expected_version=1)
        assert len(await events_of(store, "1")) == 2


class TestClaims:
    """What an aggregate needs for itself alone."""

    async def test_a_claim_is_taken_with_the_state_that_needs_it(self, here, store):
        """And by another aggregate no more."""
        await here.transact("1", label("poetry"))
        assert store.appends[0].claims == [Claim("label", "poetry")]
        with pytest.raises(ClaimTaken) as taken:
            await here.transact("2", label("poetry"))
        assert taken.value.claim == Claim("label", "poetry")
        assert await events_of(store, "2") == []

    async def test_a_claim_of_a_scope_that_is_not_declared_is_refused(self, store):
        """The scope could be another context's, since start-up compares those that are declared."""
        here = Repository(store, AggregateType("shelf", Shelf))
        await here.transact("1", put("book"))
        with pytest.raises(LookupError, match="shelf has a claim of the scope label"):
            await here.transact("1", label("poetry"))
        assert await events_of(store, "1") == [Put("book")]

    async def test_a_claim_that_is_kept_is_not_taken_again(self, here, store):
        """An append names only the claims that change."""
        await here.transact("1", label("poetry"))
        await here.transact("1", put("book"))
        assert (store.appends[1].claims, store.appends[1].releases) == ([], [])

    async def test_a_claim_is_given_back_with_the_state_that_needed_it(self, here, store):
        """Then another aggregate may take it."""
        await here.transact("1", label("poetry"))
        await here.transact("1", label(None))
        assert store.appends[1].releases == [Claim("label", "poetry")]
        await here.transact("2", label("poetry"))
        with pytest.raises(ClaimTaken):
            await here.transact("1", label("poetry"))

    async def test_claims_are_exchanged_in_one_append(self, here, store):
        """The new one is taken and the old one given back, or neither."""
        await here.transact("1", label("poetry"))
        await here.transact("2", label("prose"))
        with pytest.raises(ClaimTaken):
            await here.transact("2", label("poetry"))
        with pytest.raises(ClaimTaken):
            await here.transact("3", label("prose"))

        await here.transact("1", label("drama"))
        await here.transact("2", label("poetry"))
        await here.transact("3", label("prose"))
        assert [await events_of(store, each) for each in "123"] == [
            [Labelled("poetry"), Labelled("drama")],
            [Labelled("prose"), Labelled("poetry")],
            [Labelled("prose")],
        ]

    async def test_only_the_state_at_the_end_claims(self, here, store):
        """What several events take and give back between them is not claimed."""
        await here.transact("1", lambda _: [Labelled("poetry"), Labelled("prose")])
        assert store.appends[0].claims == [Claim("label", "prose")]
        await here.transact("2", label("poetry"))

    async def test_claims_follow_what_other_processes_did(self, here, elsewhere):
        """After a conflict the claims are those between the stored state and the new one."""
        await here.transact("1", label("poetry"))
        await elsewhere.transact("1", label("prose"))
        await elsewhere.transact("2", label("poetry"))
        await here.transact("1", label("drama"))

        await here.transact("3", label("prose"))
        with pytest.raises(ClaimTaken):
            await here.transact("3", label("poetry"))

    async def test_a_refused_claim_leaves_the_aggregate_usable(self, here):
        """The next command is decided on what was there before."""
        await here.transact("1", label("poetry"))
        await here.transact("2", put("book"))
        with pytest.raises(ClaimTaken):
            await here.transact("2", label("poetry"))
        stored = await here.transact("2", put("pen"))
        assert stored.state == Shelf(("book", "pen"), None, events=2)


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


class TestMemory:
    """How much is remembered."""

    async def test_no_more_is_remembered_than_the_bound(self, store):
        """What was used longest ago is forgotten and loaded again, whole."""
        here = process(store, cache_size=2)
        for each in "123":
            await here.transact(each, put("book"))
        store.loads.clear()

        await here.transact("3", put("pen"))
        await here.transact("2", put("pen"))
        assert store.loads == []
        stored = await here.transact("1", put("pen"))
        assert store.loads == [("shelf-1", 0)]
        assert stored.state.things == ("book", "pen")

    @pytest.mark.parametrize("use", [put("pen"), put("book")], ids=["change", "no-op"])
    async def test_what_is_used_is_not_the_oldest(self, store, use):
        """A change keeps an aggregate remembered, and so does looking at it."""
        here = process(store, cache_size=2)
        for each in "12":
            await here.transact(each, put("book"))
        await here.transact("1", use)
        await here.transact("3", put("book"))
        store.loads.clear()

        await here.transact("1", put("cup"))
        assert store.loads == []
        await here.transact("2", put("cup"))
        assert store.loads == [("shelf-2", 0)]


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
