"""What operators rely on of every read model, by two processes at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from app.framework import administration
from app.framework.administration import (
    BeginBuild,
    BuildDetails,
    GetProjection,
    ListParkedDocuments,
    PauseProjection,
    ReplayDocument,
    ReplayDocuments,
    RetireBuild,
    ServeBuild,
)
from app.framework.mediator import Mediator
from app.framework.projections import BuildState, Comparison, FollowedStore, Parked, TakeOver
from app.framework.request import IdempotencyKey, RequestContext
from tests.following import take
from tests.notes import NOTES, notes, status

SECOND = notes(version=2)


def operator(store: FollowedStore) -> Mediator:
    """An operator at a process that has the code of the notes."""
    mediator = Mediator()
    for each in administration.of_projections(store, [NOTES], None):
        mediator.register(each)
    return mediator


async def test_one_of_several_operators_rebuilds(open_read_model):
    """The others are refused; under one key all get the same build."""
    await take(open_read_model(), NOTES)
    operators = [operator(open_read_model()) for _ in range(4)]
    answers: list[Any] = await asyncio.gather(
        *(each.send(BeginBuild("notes")) for each in operators), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in answers) == [
        "Outcome",
        *["ProjectionBusy"] * 3,
    ]
    await operators[0].send(RetireBuild("notes", 2))
    keyed = RequestContext(idempotency_key=IdempotencyKey("k", "rebuild"))
    outcomes = await asyncio.gather(*(each.send(BeginBuild("notes"), keyed) for each in operators))
    assert {each.value.number for each in outcomes} == {3}
    [first, *_] = [each.value for each in outcomes]
    assert isinstance(first, BuildDetails)
    assert first.take_over is TakeOver.WHEN_EQUAL
    again = await operators[0].send(BeginBuild("notes"), keyed)
    assert (again.replayed, again.value.number) == (True, 3)


async def test_an_operator_takes_over_and_goes_back(open_read_model):
    """A build that serves for another is confirmed; what is given up is seen by all."""
    store = open_read_model()
    _, first = await take(store, NOTES)
    _, second = await take(store, SECOND, TakeOver.ON_REQUEST)
    await store.save(first, status(NOTES, 7))
    await store.save(second, status(SECOND, 7))
    await store.note(second, state=BuildState.READY, comparison=Comparison(1, 0, []))
    one, other = operator(store), operator(open_read_model())
    assert (await one.send(ServeBuild("notes", 2))).value.serving == 2
    assert (await other.send(ServeBuild("notes", 1))).value.serving == 1
    assert await store.switch("notes", serving=NOTES.id, to=SECOND.id, yields=True)
    assert (await other.send(ServeBuild("notes", 2))).value.serving == 2
    [found] = await store.projections()
    assert (found.serving, found.yielded) == (SECOND.id, None)
    await one.send(RetireBuild("notes", 1))
    await one.send(PauseProjection("notes"))
    shown = await other.send(GetProjection("notes"))
    assert ([each.number for each in shown.builds], shown.paused) == ([2], True)


async def test_an_operator_has_parked_documents_replayed(open_read_model):
    """All processes see it, until the holder has done it."""
    store = open_read_model()
    _, lease = await take(store, NOTES)
    since = datetime(2026, 3, 14, 9, 26, 53, 589000, UTC)
    parked = [Parked(key, 4, "KeyError: x", since, 2) for key in ("a:1", "b.$c")]
    await store.save(lease, status(NOTES, 7), parked=parked)
    one, other = operator(store), operator(open_read_model())
    listed = await other.send(ListParkedDocuments("notes"))
    assert [(each.key, each.since, each.waiting) for each in listed.items] == [
        ("a:1", since, 2),
        ("b.$c", since, 2),
    ]
    for message, expected in (
        (ReplayDocument("notes", "b.$c"), [False, True]),
        (ReplayDocument("notes", "b.$c"), [False, True]),
        (ReplayDocuments("notes"), [True, True]),
    ):
        asked = (await one.send(message)).value
        assert [each.is_replaying for each in asked.items] == expected
        assert await other.send(ListParkedDocuments("notes")) == asked
    [build] = (await store.projections())[0].builds
    await store.save(lease, status(NOTES, 7), parked=parked[:1], replayed=build.replay)
    [left] = (await other.send(ListParkedDocuments("notes"))).items
    assert (left.key, left.is_replaying) == ("a:1", False)
