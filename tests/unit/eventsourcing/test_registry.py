"""Stored names and payloads, and the event classes they stand for."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.eventsourcing import (
    DuplicateEventType,
    EncodedEvent,
    Event,
    EventRegistry,
    UndecodableEvent,
    UnknownEvent,
    event_data,
)


@dataclass(frozen=True, slots=True)
class Moved(Event):
    """An event whose payload was {to}, then {place}, and now is {street, town}."""

    event_type: ClassVar[str] = "Moved"
    schema_version: ClassVar[int] = 3

    street: str
    town: str | None = None


@dataclass(frozen=True, slots=True)
class Left(Event):
    """An event without a payload."""

    event_type: ClassVar[str] = "Left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted(Event):
    """An event whose fields go by name only."""

    event_type: ClassVar[str] = "Painted"

    colour: str
    coats: int = 1


@dataclass(frozen=True, slots=True)
class AlsoLeft(Event):
    """Another class that claims the name of Left."""

    event_type: ClassVar[str] = "Left"


UPCASTERS = {
    ("Moved", 1): lambda data: {"place": data["to"]},
    ("Moved", 2): lambda data: dict(
        zip(("street", "town"), data["place"].split(", "), strict=True)
    ),
}


@pytest.fixture
def registry() -> EventRegistry:
    """A registry that can decode all that was ever stored."""
    return EventRegistry([Moved, Left, Painted], UPCASTERS)


def test_an_event_is_stored_under_its_stable_name(registry):
    """Name and schema version are the class's, the payload is the fields by name."""
    assert registry.encode(Moved("Elm Street", "Springwood")) == EncodedEvent(
        "Moved", 3, {"street": "Elm Street", "town": "Springwood"}
    )
    assert registry.encode(Left()) == EncodedEvent("Left", 1, {})


EVENTS = st.one_of(
    st.builds(Moved, st.text(), st.none() | st.text()),
    st.just(Left()),
    st.builds(Painted, colour=st.text(), coats=st.integers()),
)


@given(event=EVENTS)
def test_what_is_encoded_can_be_decoded(event):
    """By way of JSON, an event comes back equal, whichever way its fields are given."""
    registry = EventRegistry([Moved, Left, Painted], UPCASTERS)
    encoded = registry.encode(event)
    data = json.loads(json.dumps(encoded.data))
    assert registry.decode(encoded.type, encoded.schema_version, data) == event


def test_two_classes_of_one_name_are_refused():
    """The error names both and what they share."""
    with pytest.raises(DuplicateEventType, match="Left and AlsoLeft are both named 'Left'"):
        EventRegistry([Left, Moved, AlsoLeft])


def test_a_class_may_be_listed_twice():
    """Registering the same class again is no conflict."""
    assert EventRegistry([Left, Left]).event_classes == {Left}


def test_the_registered_classes_are_known(registry):
    """Each of them, once."""
    assert registry.event_classes == {Moved, Left, Painted}


@pytest.mark.parametrize("event", [AlsoLeft(), Painted(colour="red")])
def test_an_event_that_is_not_registered_is_not_encoded(event):
    """Neither under a name nobody has, nor under that of another class."""
    with pytest.raises(UnknownEvent, match=event.event_type):
        EventRegistry([Left, Moved]).encode(event)


def test_a_name_that_is_not_registered_is_not_decoded(registry):
    """The error says which name and version, and what to do."""
    with pytest.raises(UnknownEvent, match=r"'Gone' schema version 7; register the class") as error:
        registry.decode("Gone", 7, {})
    assert (error.value.event_type, error.value.schema_version) == ("Gone", 7)


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (1, {"to": "Elm Street, Springwood"}),
        (2, {"place": "Elm Street, Springwood"}),
        (3, {"street": "Elm Street", "town": "Springwood"}),
    ],
)
def test_every_version_of_a_payload_is_decoded(registry, version, data):
    """The upcasters from its version on are applied, one after the other."""
    assert registry.decode("Moved", version, data) == Moved("Elm Street", "Springwood")


def test_an_event_of_a_later_version_is_refused(registry):
    """What a newer app has stored is not taken for something it is not."""
    with pytest.raises(UnknownEvent) as error:
        registry.decode("Moved", 4, {"street": "Elm Street", "town": "Springwood"})
    assert (error.value.event_type, error.value.schema_version) == ("Moved", 4)


def test_a_missing_upcaster_is_named():
    """By the version that cannot be led on from, not the one that was stored."""
    registry = EventRegistry([Moved], {("Moved", 1): UPCASTERS["Moved", 1]})
    with pytest.raises(UnknownEvent) as error:
        registry.decode("Moved", 1, {"to": "Elm Street, Springwood"})
    assert (error.value.event_type, error.value.schema_version) == ("Moved", 2)


def test_missing_upcasters_are_listed(registry):
    """One for each version before today's, of every class; none when all are there."""
    assert registry.missing_upcasters() == []
    assert EventRegistry([Left, Moved]).missing_upcasters() == [("Moved", 1), ("Moved", 2)]
    only_second = {("Moved", 2): UPCASTERS["Moved", 2]}
    assert EventRegistry([Moved], only_second).missing_upcasters() == [("Moved", 1)]


def test_the_payload_of_an_event_is_its_fields():
    """All of them, given by name or not; what belongs to the class is not among them."""
    assert event_data(Painted(colour="red")) == {"colour": "red", "coats": 1}
    assert event_data(Moved("Elm Street")) == {"street": "Elm Street", "town": None}


@pytest.mark.parametrize("data", [{}, {"street": "Rd", "moon": 1}])
def test_a_payload_that_does_not_fit_is_told_apart(data):
    """Its class refuses it: too few fields, or one too many."""
    with pytest.raises(UndecodableEvent, match=r"'Moved' of schema version 3 .* TypeError"):
        EventRegistry([Moved]).decode("Moved", 3, data)


def test_a_payload_that_an_upcaster_refuses_is_told_apart():
    """With what the upcaster said."""
    with pytest.raises(UndecodableEvent, match=r"schema version 1 .* KeyError: 'to'"):
        EventRegistry([Moved], UPCASTERS).decode("Moved", 1, {})
