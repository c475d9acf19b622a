"""The errors of the embedded servers; every message is one line for the developer.

CannotStart
`-- DataDirInUse   another process owns the data directory
"""

from app.framework.storage import StorageError


class CannotStart(StorageError):
    """An embedded server cannot be started; the message says why and what to do."""


class DataDirInUse(CannotStart):
    """Another process owns the data directory, and with it the servers that run there."""
