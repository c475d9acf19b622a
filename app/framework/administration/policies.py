"""Who may administer: seeing projections, changing them and reading the log take a scope each."""

from app.framework.administration.begin_build import BeginBuild
from app.framework.administration.compare_documents import CompareDocument
from app.framework.administration.list_events import InspectEvents, ListEvents
from app.framework.administration.parked_documents import (
    ListParkedDocuments,
    ReplayDocument,
    ReplayDocuments,
)
from app.framework.administration.pause_projection import PauseProjection, ResumeProjection
from app.framework.administration.read_log import ReadLog, ReadStream
from app.framework.administration.retire_build import RetireBuild
from app.framework.administration.serve_build import ServeBuild
from app.framework.administration.show_projections import GetBuild, GetProjection, ListProjections
from app.framework.administration.trace_stream import InspectStream, TraceStream
from app.framework.administration.verifications import BeginVerification, GetVerification
from app.framework.security import Policies, Policy

PROJECTIONS_READ = "projections:read"
METRICS_READ = "metrics:read"

CONSOLE_READ = "console:read"
"""Opens the console; what its pages show takes the scopes of their messages, too."""

_READ = Policy(PROJECTIONS_READ)
_CHANGE = Policy("projections:admin")
_LOG = Policy("log:read", is_audited=True)
_CONSOLE = Policy(CONSOLE_READ)

ADMINISTRATION_POLICIES: Policies = {
    ListProjections: _READ,
    GetProjection: _READ,
    GetBuild: _READ,
    GetVerification: _READ,
    ListParkedDocuments: _READ,
    BeginBuild: _CHANGE,
    ServeBuild: _CHANGE,
    RetireBuild: _CHANGE,
    PauseProjection: _CHANGE,
    ResumeProjection: _CHANGE,
    ReplayDocument: _CHANGE,
    ReplayDocuments: _CHANGE,
    BeginVerification: _CHANGE,
    ReadLog: _LOG,
    ReadStream: _LOG,
    CompareDocument: _LOG,
    ListEvents: _CONSOLE,
    InspectEvents: _LOG,
    TraceStream: _CONSOLE,
    InspectStream: _LOG,
}
