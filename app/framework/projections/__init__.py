"""Projecting: read models as pure folds of the log, kept up to date by a projector.

Imports the standard library and lower folders of `app.framework`.
"""

from app.framework.projections.audit import Audit, audit
from app.framework.projections.build_store import BuildStore, FollowedStore
from app.framework.projections.builds import (
    LEASE_SECONDS,
    Build,
    BuildRecord,
    BuildState,
    Comparison,
    Condemned,
    Lease,
    LeaseLost,
    ProjectionRecord,
    TakeOver,
    unknown,
)
from app.framework.projections.changes import POSITION, ChangeFeed, Changes
from app.framework.projections.comparison import compare
from app.framework.projections.consistency import ConsistentViews
from app.framework.projections.cursors import InvalidCursor, decode_cursor, encode_cursor
from app.framework.projections.looking import Difference, DifferenceKind
from app.framework.projections.origin import OtherLog, adopt, check_origin
from app.framework.projections.pacing import ProjectorOptions
from app.framework.projections.paging import read_page
from app.framework.projections.parking import EVERYTHING, DocumentParked, Parked
from app.framework.projections.ports import (
    AheadOfLog,
    BeginsWith,
    CannotStore,
    Entry,
    HasWord,
    OneOf,
    Page,
    PageRequest,
    ProjectionState,
    ProjectionStatus,
    ProjectionStore,
    ReadModelBehind,
    Seek,
    Views,
)
from app.framework.projections.projection import (
    Apply,
    CannotApply,
    Document,
    Index,
    Projection,
    Versioned,
    by_aggregate,
    copied,
    existing,
    fold,
    projection_id,
)
from app.framework.projections.projector import Projector
from app.framework.projections.readiness import troubles_of
from app.framework.projections.verified_build import CannotVerify, build_to_verify, fold_of
from app.framework.projections.watching import PositionWatch

__all__ = [
    "EVERYTHING",
    "LEASE_SECONDS",
    "POSITION",
    "AheadOfLog",
    "Apply",
    "Audit",
    "BeginsWith",
    "Build",
    "BuildRecord",
    "BuildState",
    "BuildStore",
    "CannotApply",
    "CannotStore",
    "CannotVerify",
    "ChangeFeed",
    "Changes",
    "Comparison",
    "Condemned",
    "ConsistentViews",
    "Difference",
    "DifferenceKind",
    "Document",
    "DocumentParked",
    "Entry",
    "FollowedStore",
    "HasWord",
    "Index",
    "InvalidCursor",
    "Lease",
    "LeaseLost",
    "OneOf",
    "OtherLog",
    "Page",
    "PageRequest",
    "Parked",
    "PositionWatch",
    "Projection",
    "ProjectionRecord",
    "ProjectionState",
    "ProjectionStatus",
    "ProjectionStore",
    "Projector",
    "ProjectorOptions",
    "ReadModelBehind",
    "Seek",
    "TakeOver",
    "Versioned",
    "Views",
    "adopt",
    "audit",
    "build_to_verify",
    "by_aggregate",
    "check_origin",
    "compare",
    "copied",
    "decode_cursor",
    "encode_cursor",
    "existing",
    "fold",
    "fold_of",
    "projection_id",
    "read_page",
    "troubles_of",
    "unknown",
]
