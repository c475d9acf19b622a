"""What every storage adapter may raise, whichever port it implements.

StorageError
|-- StorageUnavailable   the server cannot be reached or does not answer in time
|   `-- StorageTimeout   the server answers, but ended this one call for its length
|-- StorageNotReady      the server answers, but cannot be used as it is
`-- Overloaded           a bounded queue in front of the server is full
"""

from typing import Protocol


class StorageError(Exception):
    """A storage adapter could not do what its port promises.

    summary: what is wrong in our own words, which clients may read. The message goes on with what
        the driver said, which names hosts, users and databases: it is for the log.
    """

    def __init__(self, summary: str, message: str = "") -> None:
        super().__init__(message or summary)
        self.summary = summary


class StorageUnavailable(StorageError):
    """The storage cannot be reached, did not answer in time, or refuses for now.

    The outcome of a write that raises this is unknown: it may have been committed.
    """

    def __init__(self, storage: str, reason: str, driver_error: str = "") -> None:
        """Of `storage`, for `reason`, in our words; `driver_error` is what the driver said."""
        summary = f"{storage} is unavailable: {reason}"
        super().__init__(summary, f"{summary} ({driver_error})" if driver_error else summary)
        self.storage = storage


class StorageTimeout(StorageUnavailable):
    """The storage ended a read that took longer than it may. Other reads are not affected."""


class StorageNotReady(StorageError):
    """The storage answers, but has to be set up or repaired before it can be used."""

    def __init__(self, summary: str, driver_error: str = "") -> None:
        """As `summary` says, in our words; `driver_error` is what the driver said."""
        super().__init__(summary, f"{summary}: {driver_error}" if driver_error else summary)


class Overloaded(StorageError):
    """A bounded queue is full; nothing was done, and trying again later is safe."""

    def __init__(self, queue: str, bound: int) -> None:
        super().__init__(f"The queue of {queue} is full ({bound} waiting).")


class Storage(Protocol):
    """What a process asks of a storage adapter beside its ports."""

    @property
    def name(self) -> str:
        """What the storage is called in health checks."""
        ...

    async def check(self) -> None:
        """Return if the storage can be used.

        Raises:
            StorageUnavailable: it does not answer.
            StorageNotReady: it answers, but cannot be used as it is.

        """
        ...

    async def close(self) -> None:
        """Finish what is under way and part from the storage; what comes later is refused."""
        ...
