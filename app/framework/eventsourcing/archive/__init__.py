"""Export and import of a log: a file of its events, as they are stored."""

from app.framework.eventsourcing.archive.exporting import export_log
from app.framework.eventsourcing.archive.importing import Folds, import_log
from app.framework.eventsourcing.archive.log_file import LogFile, LogReader, LogStream
from app.framework.eventsourcing.archive.log_format import Header
from app.framework.eventsourcing.archive.progress import Bar, Progress, through_outages
from app.framework.eventsourcing.archive.stored_log import (
    FIRST_STREAM,
    AnotherImport,
    CannotExport,
    CannotImport,
    Held,
    ImportPlace,
    StoredEvent,
    StoredLog,
)

__all__ = [
    "FIRST_STREAM",
    "AnotherImport",
    "Bar",
    "CannotExport",
    "CannotImport",
    "Folds",
    "Header",
    "Held",
    "ImportPlace",
    "LogFile",
    "LogReader",
    "LogStream",
    "Progress",
    "StoredEvent",
    "StoredLog",
    "export_log",
    "import_log",
    "through_outages",
]
