"""Load, decide, append: in one process."""

import pytest

from app.framework.eventsourcing import (
    AggregateType,
    MisplacedEvent,
    Repository,
    VersionMismatch,
)
from app.framework.principal import operator
from app.framework.request import RequestContext
from tests.unit.eventsourcing.shelf import (
    NotThere,
    Put,
    Shelf,
    Taken,
    Watched,
    events_of,
    nothing,
    process,
    put,
    take,
)


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
        context = RequestContext(request_id="request", principal=operator("alice"))
        await here.transact("1", lambda _: [Put("book"), Put("pen")], context)
        await here.transact("1", take("pen"))

        one, other, last = [each.metadata for each in await store.load("shelf-1")]
        assert (one.correlation_id, one.actor) == ("request", "operator alice")
        assert one == other
        assert (last.correlation_id, last.actor) == (None, None)
        assert None not in {one.causation_id, last.causation_id}
        assert one.causation_id != last.causation_id


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
