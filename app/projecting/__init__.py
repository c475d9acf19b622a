"""Projecting: read models as pure folds of the log, kept up to date by a projector.

Imports the standard library and `app.eventsourcing` only (and the storage errors every port
shares).
"""

from app.projecting.audit import Audit, audit
from app.projecting.changes import POSITION, ChangeFeed, Changes
from app.projecting.consistency import ConsistentViews, reading_at_least
from app.projecting.cursors import InvalidCursor, decode_cursor, encode_cursor
from app.projecting.follower import Pace
from app.projecting.origin import OtherLog, adopt, check_origin
from app.projecting.paging import read_page
from app.projecting.ports import (
    AheadOfLog,
    BeginsWith,
    Entry,
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
from app.projecting.projection import (
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
from app.projecting.projector import Projector
from app.projecting.watching import PositionWatch

__all__ = [
    "POSITION",
    "AheadOfLog",
    "Apply",
    "Audit",
    "BeginsWith",
    "CannotApply",
    "ChangeFeed",
    "Changes",
    "ConsistentViews",
    "Document",
    "Entry",
    "Index",
    "InvalidCursor",
    "OneOf",
    "OtherLog",
    "Pace",
    "Page",
    "PageRequest",
    "PositionWatch",
    "Projection",
    "ProjectionState",
    "ProjectionStatus",
    "ProjectionStore",
    "Projector",
    "ReadModelBehind",
    "Seek",
    "Versioned",
    "Views",
    "adopt",
    "audit",
    "by_aggregate",
    "check_origin",
    "copied",
    "decode_cursor",
    "encode_cursor",
    "existing",
    "fold",
    "projection_id",
    "read_page",
    "reading_at_least",
]
