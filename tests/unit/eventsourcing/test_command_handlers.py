"""The handlers that `CommandHandlers` makes of decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from app.framework.eventsourcing import (
    AggregateType,
    ClaimTaken,
    CommandHandlers,
    Event,
    EventStore,
    Stored,
    VersionMismatch,
)
from app.framework.mediator import Command, Mediator
from app.framework.request import NO_CONTEXT, IdempotencyKey, Outcome, RequestContext
from tests.unit.eventsourcing.shelf import (
    Labelled,
    LabelTaken,
    NotThere,
    Put,
    Shelf,
    Taken,
    new_store,
)


@dataclass(frozen=True, slots=True)
class PutThing(Command[str]):
    """Put this thing on this shelf."""

    shelf: str
    thing: str


@dataclass(frozen=True, slots=True)
class TakeThing(Command[str]):
    """Take this thing from this shelf."""

    shelf: str
    thing: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class LabelShelf(Command[str]):
    """Give this shelf a label that no other has."""

    shelf: str
    label: str


def put_thing(command: PutThing, _: Shelf | None) -> Sequence[Event]:
    """Decide on it."""
    return [Put(command.thing)]


def take_thing(command: TakeThing, shelf: Shelf | None) -> Sequence[Event]:
    """Decide on it; raises NotThere."""
    if shelf is None or command.thing not in shelf.things:
        raise NotThere(command.thing)
    return [Taken(command.thing)]


def label_shelf(command: LabelShelf, _: Shelf | None) -> Sequence[Event]:
    """Decide on it."""
    return [Labelled(command.label)]


def things(stored: Stored[Shelf]) -> str:
    """The answer of every command here."""
    return ",".join(stored.state.things)


def shelves(store: EventStore, shelf_type: AggregateType[Shelf]) -> Mediator:
    """A mediator with the handlers of the commands above."""
    handlers = CommandHandlers(store, shelf_type, aggregate_id=lambda it: it.shelf, answer=things)
    mediator = Mediator()
    mediator.register(PutThing.handled_by(handlers.decided_by(put_thing)))
    mediator.register(TakeThing.handled_by(handlers.decided_by(take_thing)))
    mediator.register(LabelShelf.handled_by(handlers.decided_by(label_shelf)))
    return mediator


@pytest.fixture
def store():
    """An empty store."""
    return new_store()


@pytest.fixture
def mediator(store):
    """The handlers on it."""
    return shelves(store, AggregateType("shelf", Shelf, claim_scopes={"label": LabelTaken}))


async def test_the_outcome_is_the_answer_and_where_the_aggregate_stands(mediator):
    """The position is that of the log, the version that of the stream."""
    assert await mediator.send(PutThing("other", "cup")) == Outcome("cup", 1, 1)
    assert await mediator.send(PutThing("1", "book")) == Outcome("book", 1, 2)
    assert await mediator.send(PutThing("1", "pen")) == Outcome("book,pen", 2, 3)


async def test_a_command_is_decided_on_the_aggregate_that_it_names(mediator, store):
    """Handlers of one type share the aggregates; the events are in the stream of the id."""
    await mediator.send(PutThing("1", "book"))
    with pytest.raises(NotThere):
        await mediator.send(TakeThing("2", "book"))
    await mediator.send(TakeThing("1", "book"))
    assert [each.event for each in await store.load("shelf-1")] == [Put("book"), Taken("book")]


async def test_an_expected_version_is_that_of_the_command(mediator):
    """With another version it is refused; with None, or without such a field, it is not."""
    await mediator.send(PutThing("1", "book"))
    await mediator.send(PutThing("1", "pen"))
    with pytest.raises(VersionMismatch):
        await mediator.send(TakeThing("1", "book", expected_version=1))
    assert (await mediator.send(TakeThing("1", "book", expected_version=2))).version == 3
    assert (await mediator.send(TakeThing("1", "pen"))).version == 4


async def test_a_repeat_is_an_outcome_that_says_so(mediator):
    """The idempotency key of the context counts."""
    context = RequestContext(idempotency_key=IdempotencyKey("key", "fingerprint"))
    first = await mediator.send(PutThing("1", "book"), context)
    await mediator.send(PutThing("1", "pen"), NO_CONTEXT)
    again = await mediator.send(PutThing("1", "book"), context)
    assert not first.replayed
    assert again == replace(first, replayed=True)


async def test_a_claim_that_is_taken_is_the_error_of_its_scope(mediator):
    """The error is made from the claim's key, and ClaimTaken is its cause."""
    await mediator.send(LabelShelf("1", "novels"))
    with pytest.raises(LabelTaken, match=r"^novels$") as refused:
        await mediator.send(LabelShelf("2", "novels"))
    assert isinstance(refused.value.__cause__, ClaimTaken)
