"""The errors of all storage adapters, and the port that all of them implement.

StorageError
|-- StorageUnavailable   the server cannot be reached or does not answer in time
|   `-- StorageTimeout   the server answers, but ended this one call for its length
|-- StorageNotReady      the server answers, but cannot be used as it is
`-- Overloaded           a bounded queue in front of the server is full
"""

from typing import Protocol


class StorageError(Exception):
    """A storage adapter could not do what its port promises.

    summary: what is wrong in our own words; clients may read it. The message adds the text of the
        driver, which names hosts, users and databases: it is for the log only.
    """

    def __init__(self, summary: str, message: str = "") -> None:
        super().__init__(message or summary)
        self.summary = summary


class StorageUnavailable(StorageError):
    """The storage cannot be reached, did not answer in time, or refuses for now.

    The outcome of a write that raises this is unknown: it may have been committed.
    """

    def __init__(self, storage: str, reason: str, driver_error: str = "") -> None:
        """`reason` is in our words; `driver_error` is the text of the driver."""
        summary = f"{storage} is unavailable: {reason}"
        super().__init__(summary, f"{summary} ({driver_error})" if driver_error else summary)
        self.storage = storage


class StorageTimeout(StorageUnavailable):
    """The storage ended a read at its time limit. Other reads are not affected."""


class StorageNotReady(StorageError):
    """The storage answers, but has to be set up or repaired before it can be used."""

    def __init__(self, summary: str, driver_error: str = "") -> None:
        """`summary` is in our words; `driver_error` is the text of the driver."""
        super().__init__(summary, f"{summary}: {driver_error}" if driver_error else summary)


class Overloaded(StorageError):
    """A bounded queue is full: backpressure. Nothing was done, and a later retry is safe."""

    def __init__(self, queue: str, bound: int) -> None:
        super().__init__(f"The queue of {queue} is full ({bound} waiting).")


class Storage(Protocol):
    """The part that all storage adapters have in common."""

    @property
    def name(self) -> str:
        """The name of the storage in health checks."""
        ...

    async def check(self) -> None:
        """Return if the storage can be used.

        Raises:
            StorageUnavailable: it does not answer.
            StorageNotReady: it answers, but cannot be used as it is.

        """
        ...

    async def close(self) -> None:
        """Finish the calls under way and disconnect; later calls are refused."""
        ...
