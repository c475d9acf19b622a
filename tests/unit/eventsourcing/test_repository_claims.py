"""The claims of aggregates: what each of them needs for itself alone."""

import pytest

from app.framework.eventsourcing import (
    AggregateType,
    Claim,
    ClaimTaken,
    Repository,
)
from tests.unit.eventsourcing.shelf import (
    Labelled,
    Put,
    Shelf,
    events_of,
    label,
    put,
)


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
