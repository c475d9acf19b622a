"""Administration: what operators ask of projections and the log, and do with them.

Commands and queries like those of a context, for any number of contexts. Imports the standard
library and lower folders of `app.framework`.
"""

from app.framework.administration.begin_build import BeginBuild
from app.framework.administration.compare_documents import (
    ComparedDocument,
    CompareDocument,
    DocumentOfBuild,
)
from app.framework.administration.errors import (
    AdministrationError,
    BuildNotFound,
    BuildNotReady,
    BuildServes,
    CannotBeVerified,
    DocumentNotParked,
    ProjectionBusy,
    ProjectionNotFound,
    VerificationNotFound,
)
from app.framework.administration.list_events import (
    EventList,
    InspectEvents,
    ListEvents,
)
from app.framework.administration.parked_documents import (
    ListParkedDocuments,
    ReplayDocument,
    ReplayDocuments,
)
from app.framework.administration.pause_projection import PauseProjection, ResumeProjection
from app.framework.administration.read_log import LoggedEvent, LoggedStreams, ReadLog, ReadStream
from app.framework.administration.read_models import (
    BuildDetails,
    ParkedDocument,
    ParkedDocuments,
    ProjectionDetails,
)
from app.framework.administration.registrations import of_projections, of_streams, of_the_log
from app.framework.administration.retire_build import RetireBuild
from app.framework.administration.serve_build import ServeBuild
from app.framework.administration.show_projections import (
    GetBuild,
    GetProjection,
    ListProjections,
)
from app.framework.administration.trace_stream import (
    InspectStream,
    Step,
    TracedStream,
    TraceStream,
    ViewedDocument,
)
from app.framework.administration.verification_records import (
    KEPT_SECONDS,
    SILENT_SECONDS,
    VerificationDetails,
    VerificationRecords,
)
from app.framework.administration.verifications import (
    BeginVerification,
    GetVerification,
    Verifications,
)

__all__ = [
    "KEPT_SECONDS",
    "SILENT_SECONDS",
    "AdministrationError",
    "BeginBuild",
    "BeginVerification",
    "BuildDetails",
    "BuildNotFound",
    "BuildNotReady",
    "BuildServes",
    "CannotBeVerified",
    "CompareDocument",
    "ComparedDocument",
    "DocumentNotParked",
    "DocumentOfBuild",
    "EventList",
    "GetBuild",
    "GetProjection",
    "GetVerification",
    "InspectEvents",
    "InspectStream",
    "ListEvents",
    "ListParkedDocuments",
    "ListProjections",
    "LoggedEvent",
    "LoggedStreams",
    "ParkedDocument",
    "ParkedDocuments",
    "PauseProjection",
    "ProjectionBusy",
    "ProjectionDetails",
    "ProjectionNotFound",
    "ReadLog",
    "ReadStream",
    "ReplayDocument",
    "ReplayDocuments",
    "ResumeProjection",
    "RetireBuild",
    "ServeBuild",
    "Step",
    "TraceStream",
    "TracedStream",
    "VerificationDetails",
    "VerificationNotFound",
    "VerificationRecords",
    "Verifications",
    "ViewedDocument",
    "of_projections",
    "of_streams",
    "of_the_log",
]
