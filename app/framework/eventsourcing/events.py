"""Events, and the record of them in the log."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

Data = dict[str, Any]
"""The payload of an event: what `json.dumps` writes, keyed by the event's field names."""


class Event:
    """Something that happened, named in the past tense; concrete events are frozen dataclasses.

    Their fields are of JSON's types. `event_type` is the stable name stored in the log: a
    class may be renamed, its `event_type` never. `schema_version` grows by one whenever the
    fields change, together with an upcaster from the version before.
    """

    __slots__ = ()

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def event_data(event: Event) -> Data:
    event_class: type = type(event)
    return {name: getattr(event, name) for name in _field_names(event_class)}


@functools.cache
def _field_names(event_class: type[Any]) -> Sequence[str]:
    return tuple(each.name for each in fields(event_class))


@dataclass(frozen=True, slots=True)
class Metadata:
    """The origin of an event; every part is optional.

    correlation_id: the request that led to it, also across services.
    causation_id: the command that recorded the event.
    actor: who sent the command.
    traceparent: the span of the request in its trace, as W3C Trace Context has it.
    """

    correlation_id: str | None = None
    causation_id: str | None = None
    actor: str | None = None
    traceparent: str | None = None

    def as_data(self) -> Data:
        """The parts that are not None, by name."""
        names = Metadata.__match_args__
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> "Metadata":
        """The reverse of `as_data`; unknown names are ignored."""
        return Metadata(*(data.get(each) for each in Metadata.__match_args__))


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it stands in the log.

    position: its place in the whole log: 1, 2, 3 ... without a hole, in commit order.
    stream_id: `<type>-<id>` of the aggregate it happened to.
    version: its place in its stream: 1, 2, 3 ... without a hole.
    recorded_at: when it was appended, in UTC; never earlier than a lower position's.
    """

    position: int
    stream_id: str
    version: int
    event: Event
    metadata: Metadata
    recorded_at: datetime

    @property
    def aggregate_id(self) -> str:
        """The id of the aggregate: the stream id without its type."""
        return self.stream_id.partition("-")[2]
