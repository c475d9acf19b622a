"""What start-up finds that is defined and not wired up."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.bootstrap import CONTEXTS, build
from app.contexts.users.domain.events import USER_EVENTS
from app.contexts.users.domain.user import USERS
from app.contexts.users.projections import USER_PROJECTIONS
from app.framework.contexts import Context, defined_in, upcasters_of, verify
from app.framework.eventsourcing import AggregateType, Event, EventRegistry
from app.framework.mediator import Command, DuplicateHandler, Mediator, Message, Query, Registration
from app.framework.misconfigured import Misconfigured
from app.framework.projections import Projection
from app.framework.security import Policy
from app.host.settings import Settings
from tests.unit.sample_context.doors import DOORS as DOOR_TYPE
from tests.unit.sample_context.events import DoorOpened, DoorPainted
from tests.unit.sample_context.projections import COLOURS, OPEN_DOORS
from tests.world import World

DOORS = "tests.unit.sample_context"

UPCASTERS = {("DoorPainted", version): lambda data: data for version in (1, 2)}


async def anything(_: object, __: object) -> None:
    """Handles whatever it is given."""


def manifest(**differences: Any) -> Context:
    """The context of doors, but for some differences."""
    return Context(
        **{
            "package": DOORS,
            "events": (DoorOpened, DoorPainted),
            "aggregates": (DOOR_TYPE,),
            "projections": (OPEN_DOORS, COLOURS),
            "policies": dict.fromkeys(defined_in(DOORS, Message), Policy("doors:use")),
            **differences,
        }
    )


def problems(
    *,
    unhandled: Collection[str] = (),
    events: Sequence[type[Event]] = (DoorOpened, DoorPainted),
    missing_upcasters: Collection[int] = (),
    projections: Sequence[Projection] = (OPEN_DOORS, COLOURS),
    kinds: Sequence[type[Message[Any]]] = (Command, Query),
    aggregates: Sequence[AggregateType[Any]] = (DOOR_TYPE,),
    others: Sequence[Context] = (),
    unguarded: Collection[str] = (),
) -> list[str]:
    """What is said of doors when everything is wired up but for what the arguments leave out."""
    mediator = Mediator()
    for each in defined_in(DOORS, Message):
        if each.__name__ not in unhandled:
            mediator.register(Registration(each, anything))
    upcasters = {key: each for key, each in UPCASTERS.items() if key[1] not in missing_upcasters}
    other_events = [event for each in others for event in each.events]
    other_messages = [kind for each in others for kind in defined_in(each.package, Message)]
    for each in other_messages:
        mediator.register(Registration(each, anything))
    policies = {
        each: Policy("doors:use")
        for each in defined_in(DOORS, Message)
        if each.__name__ not in unguarded
    }
    doors = manifest(
        events=events, aggregates=aggregates, projections=projections, policies=policies
    )
    try:
        registry = EventRegistry([*events, *other_events], {**upcasters, **upcasters_of(others)})
        verify([doors, *others], kinds, mediator, registry)
    except Misconfigured as misconfigured:
        return list(misconfigured.problems)
    return []


def test_every_second_handler_is_named():
    """Duplicates stand in the list, each of them, beside what is missing."""
    mediator = Mediator()
    messages = defined_in(DOORS, Message)
    for each in [*messages[1:], *messages[1:]]:
        with contextlib.suppress(DuplicateHandler):
            mediator.register(Registration(each, anything))
    registry = EventRegistry((DoorOpened, DoorPainted), UPCASTERS)
    with pytest.raises(Misconfigured) as misconfigured:
        verify([manifest()], [Command, Query], mediator, registry)
    said = str(misconfigured.value)
    assert said.count("already has the handler") == len(messages) - 1
    assert f"No handler is registered for {messages[0].__module__}" in said


def test_what_is_wired_up_passes():
    """With a handler, a name and a stance for everything there is nothing to say."""
    assert problems() == []


def test_a_message_without_a_policy_is_named():
    """Nobody may send it; which is not what its author wants either."""
    [problem] = problems(unguarded={"OpenDoor"})
    assert problem == (
        "There is no policy for tests.unit.sample_context.commands.open_door.OpenDoor: who may "
        "send it?"
    )


def test_a_message_without_a_handler_is_named():
    """Commands and queries, even those whose modules nobody imports."""
    assert problems(unhandled={"PaintDoor"}) == [
        f"No handler is registered for {DOORS}.commands.paint_door.PaintDoor."
    ]
    assert problems(unhandled={"FindDoor"}) == [
        f"No handler is registered for {DOORS}.queries.find_door.FindDoor."
    ]


def test_only_messages_of_the_kinds_asked_for_need_a_handler():
    """A process that answers no queries needs no handlers for them, nor one that only projects."""
    everything = {"OpenDoor", "PaintDoor", "FindDoor"}
    assert problems(unhandled={"FindDoor"}, kinds=[Command]) == []
    assert problems(unhandled={"OpenDoor", "PaintDoor"}, kinds=[Query]) == []
    assert problems(unhandled=everything, kinds=[]) == []
    assert len(problems(unhandled=everything, kinds=[Command])) == 2


def test_an_event_that_is_not_in_the_manifest_is_named():
    """It could be neither stored nor read."""
    assert problems(events=[DoorPainted]) == [
        f"The event {DOORS}.events.DoorOpened is not in the manifest of its context."
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_cannot_be_decoded_is_named(version):
    """By the event's stored name and the version that nothing leads on from."""
    assert problems(missing_upcasters={version}) == [
        f"There is no upcaster from DoorPainted schema version {version}."
    ]


def test_a_projection_without_a_stance_is_named():
    """Ignoring an event of a context one draws on is something to be written down."""
    forgetful = replace(OPEN_DOORS, ignored=())
    assert (
        f"The projection open_doors_v1 neither handles nor ignores {DOORS}.events.DoorPainted."
        in (problems(projections=[forgetful, COLOURS]))
    )


def test_a_projection_of_another_context_needs_no_stance():
    """What applies none of a context's events is not asked about the others."""
    assert problems(projections=[OPEN_DOORS, COLOURS, *USER_PROJECTIONS]) == []


def test_two_contexts_with_one_stream_type_are_refused():
    """Each would fold the other's events."""
    another = replace(DOOR_TYPE, stream_type=USERS.stream_type)
    assert problems(aggregates=[DOOR_TYPE, another], others=CONTEXTS) == [
        "Two types of aggregates have the stream type user.",
    ]


def test_two_contexts_with_one_claim_scope_are_refused():
    """A claim of one context would stand in the way of the other's."""
    gates = replace(DOOR_TYPE, stream_type="gate", claim_scopes={"email": ValueError})
    assert problems(aggregates=[DOOR_TYPE, gates], others=CONTEXTS) == [
        "Two contexts have the claim scope email.",
    ]


def test_types_of_one_context_may_share_a_claim_scope():
    """Then no door has the number of a gate."""
    doors, gates = (
        replace(DOOR_TYPE, stream_type=each, claim_scopes={"number": ValueError})
        for each in ("front_door", "gate")
    )
    assert problems(aggregates=[DOOR_TYPE, doors, gates]) == []


def test_two_contexts_with_one_name_of_a_projection_are_refused():
    """Two versions of a view are one context's; of two, either would serve as the other's."""
    another = replace(OPEN_DOORS, name=USER_PROJECTIONS[0].name, version=99)
    assert problems(projections=[OPEN_DOORS, COLOURS, another], others=CONTEXTS) == [
        f"Two contexts have a projection named {another.name}."
    ]


def test_an_aggregate_type_that_is_not_in_the_manifest_is_named():
    """Another context could take its stream type."""
    assert problems(aggregates=()) == [
        f"The aggregate type door of {DOORS} is not in the manifest of its context."
    ]


def test_two_versions_of_a_projection_may_be_run():
    """One serves while the other is built."""
    later = replace(OPEN_DOORS, version=2)
    assert problems(projections=[OPEN_DOORS, COLOURS, later]) == []


def test_a_projection_that_nobody_runs_is_named():
    """Its view would stay empty."""
    assert problems(projections=[OPEN_DOORS]) == [
        f"The projection colours_v2 of {DOORS} is not in the manifest of its context."
    ]


def test_two_projections_of_one_id_are_named():
    """They would write into each other's documents."""
    other = replace(OPEN_DOORS, handlers={**OPEN_DOORS.handlers})
    assert problems(projections=[OPEN_DOORS, COLOURS, other]) == [
        "Two projections have the id open_doors_v1."
    ]


def test_all_that_is_wrong_is_said_in_one_go():
    """Nobody has to start over and over to find the next thing missing."""
    forgetful = replace(COLOURS, ignored=())
    assert problems(
        unhandled={"OpenDoor", "PaintDoor", "FindDoor"},
        events=[DoorPainted],
        missing_upcasters={1, 2},
        projections=[forgetful, forgetful],
    ) == [
        f"No handler is registered for {DOORS}.commands.open_door.OpenDoor.",
        f"No handler is registered for {DOORS}.commands.paint_door.PaintDoor.",
        f"No handler is registered for {DOORS}.queries.find_door.FindDoor.",
        f"The event {DOORS}.events.DoorOpened is not in the manifest of its context.",
        f"The projection open_doors_v1 of {DOORS} is not in the manifest of its context.",
        f"The projection colours_v2 of {DOORS} is not in the manifest of its context.",
        f"The projection colours_v2 neither handles nor ignores {DOORS}.events.DoorOpened.",
        f"The projection colours_v2 neither handles nor ignores {DOORS}.events.DoorOpened.",
        "Two projections have the id colours_v2.",
        "There is no upcaster from DoorPainted schema version 1.",
        "There is no upcaster from DoorPainted schema version 2.",
    ]


def test_the_error_says_it_all():
    """A problem a line, for whoever reads nothing but the message."""
    assert str(Misconfigured(["One.", "Two."])) == "One.\nTwo."


def test_what_a_package_defines_is_found_once_and_nothing_else():
    """By name, from every module below it, and neither what it imports nor what others define."""
    assert defined_in(DOORS, Event) == [DoorOpened, DoorPainted]
    assert [each.__name__ for each in defined_in(DOORS, Command)] == [
        "OpenDoor",
        "PaintDoor",
    ]
    assert set(defined_in("app.contexts.users", Event)) == set(USER_EVENTS)


@pytest.mark.parametrize("roles", ["commands", "queries", "projector", "commands,queries"])
def test_the_service_is_wired_up(roles):
    """The service as it stands is built for any roles, without a word."""
    nowhere = {
        "database_url": "postgresql://nowhere.invalid/",
        "mongodb_url": "mongodb://nowhere.invalid/",
    }
    build(Settings.load(roles=roles, **nowhere))


def test_what_the_service_lacked_would_be_found():
    """Its contexts are looked into: with nothing registered, all messages are named."""
    with pytest.raises(Misconfigured) as misconfigured:
        verify(CONTEXTS, [Command, Query], Mediator(), EventRegistry([]))

    assert sorted(misconfigured.value.problems) == sorted(
        f"No handler is registered for {each.__module__}.{each.__name__}."
        for each in World().mediator._registrations
        if each.__module__.startswith("app.contexts.")
    )
