"""Every message of administration, with its handler."""

from collections.abc import Sequence
from typing import Any

from app.framework.administration.begin_build import BeginBuild, BeginBuildHandler
from app.framework.administration.compare_documents import (
    CompareDocument,
    CompareDocumentHandler,
)
from app.framework.administration.list_events import (
    InspectEvents,
    ListEvents,
    ListEventsHandler,
)
from app.framework.administration.parked_documents import (
    ListParkedDocuments,
    ParkedDocumentsHandler,
    ReplayDocument,
    ReplayDocuments,
)
from app.framework.administration.pause_projection import (
    PauseProjection,
    PauseProjectionHandler,
    ResumeProjection,
)
from app.framework.administration.read_log import LoggedStreams, ReadLog, ReadLogHandler, ReadStream
from app.framework.administration.retire_build import RetireBuild, RetireBuildHandler
from app.framework.administration.serve_build import ServeBuild, ServeBuildHandler
from app.framework.administration.show_projections import (
    GetBuild,
    GetProjection,
    ListProjections,
    ShowProjections,
)
from app.framework.administration.stored_projections import StoredProjections
from app.framework.administration.trace_stream import (
    InspectStream,
    TraceStream,
    TraceStreamHandler,
)
from app.framework.eventsourcing import AggregateType, EventLog, EventRegistry
from app.framework.mediator import Registration
from app.framework.projections import FollowedStore, Projection


def of_projections(
    store: FollowedStore, known: Sequence[Projection], log: EventLog | None
) -> Sequence[Registration]:
    """What operators ask of projections and do with them.

    Args:
        store: where the builds are.
        known: the projections that this process has the code of.
        log: for its head; without it, the head is that which projectors saw last.

    """
    projections = StoredProjections(store, log)
    show, pause = ShowProjections(projections), PauseProjectionHandler(projections, store)
    parked = ParkedDocumentsHandler(projections, store)
    return (
        ListProjections.handled_by(show.list),
        GetProjection.handled_by(show.get),
        GetBuild.handled_by(show.get_build),
        CompareDocument.handled_by(CompareDocumentHandler(projections, store)),
        PauseProjection.handled_by(pause),
        ResumeProjection.handled_by(pause),
        BeginBuild.handled_by(BeginBuildHandler(projections, store, known)),
        ServeBuild.handled_by(ServeBuildHandler(projections, store)),
        RetireBuild.handled_by(RetireBuildHandler(projections, store)),
        ListParkedDocuments.handled_by(parked.list),
        ReplayDocument.handled_by(parked.replay),
        ReplayDocuments.handled_by(parked.replay),
    )


def of_streams(
    store: LoggedStreams,
    registry: EventRegistry,
    aggregates: Sequence[AggregateType[Any]],
    builds: FollowedStore | None,
    projections: Sequence[Projection],
) -> Sequence[Registration]:
    """What the console shows of events and aggregates.

    Args:
        store: the log, and its streams.
        registry: decodes events.
        aggregates: the types of aggregates, of all contexts.
        builds: where the documents are; None in a process without them.
        projections: those that this process has the code of.

    """
    events = ListEventsHandler(store, registry)
    traced = TraceStreamHandler(store, registry, aggregates, builds, projections)
    return (
        ListEvents.handled_by(events),
        InspectEvents.handled_by(events),
        TraceStream.handled_by(traced),
        InspectStream.handled_by(traced),
    )


def of_the_log(store: LoggedStreams, registry: EventRegistry) -> Sequence[Registration]:
    """What operators read of the log."""
    read = ReadLogHandler(store, registry)
    return (ReadLog.handled_by(read.of_log), ReadStream.handled_by(read.of_stream))
