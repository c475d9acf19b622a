"""The manifest of a bounded context."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.framework.contexts.read_side import ReadSide
from app.framework.eventsourcing import AggregateType, Event, EventStore, Upcasters
from app.framework.mediator import Registration
from app.framework.projections import Projection
from app.framework.security import Policies

if TYPE_CHECKING:
    from app.framework.http.resources import HttpSide

Commands = Callable[[EventStore], Sequence[Registration]]
Queries = Callable[[ReadSide], Sequence[Registration]]


def _none(_: object) -> Sequence[Registration]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A bounded context: everything that the rest of the service needs to know of it.

    package: its package; start-up checks that the manifest lists everything defined in it.
    events: every event class, current or old.
    upcasters: from older schema versions to the current ones.
    aggregates: its types of aggregates; no two contexts share a stream type.
    projections: its views.
    commands: makes the handlers of commands, on an event store.
    queries: makes the handlers of queries, on the views.
    policies: who may send each of its messages; start-up refuses a message without one.
    http: returns the routes and problems. Only a process that serves them calls it, so that
        nothing else imports the web framework.
    """

    package: str
    events: Sequence[type[Event]]
    upcasters: Upcasters = field(default_factory=dict)
    aggregates: Sequence[AggregateType[Any]]
    projections: Sequence[Projection]
    commands: Commands = _none
    queries: Queries = _none
    policies: Policies = field(default_factory=dict)
    http: "Callable[[], HttpSide] | None" = None


def upcasters_of(contexts: Sequence[Context]) -> Upcasters:
    merged: Mapping[Any, Any] = {
        key: upcaster for each in contexts for key, upcaster in each.upcasters.items()
    }
    return merged
