"""Errors of PostgreSQL and of asyncpg: which are transient, and what is wrong in our words."""

import asyncpg

from app.framework.storage import StorageUnavailable

DRIVER_ERRORS = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""All that a call of asyncpg raises."""

CONFIGURATION_ERRORS = (
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Transient for a request, as an operator may repair them meanwhile. At start-up retrying will not
help."""

_TRANSIENT_CLASSES = {
    "08",  # the connection
    "28",  # credentials
    "3D",  # the database is not there
    "40",  # the transaction was rolled back: serialisation, deadlock
    "53",  # no disk, memory or connection left
    "57",  # cancelled; shut down, starting, an idle session ended
    "58",  # the operating system
}
"""SQLSTATE, its first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_TRANSIENT_CODES = {
    "25006",  # read-only: a standby, until it is promoted
    "25P03",  # the session was ended for being idle in a transaction
    "25P04",  # the transaction took too long
    "55000",  # the database takes no connections: `allow_connections`
    "55006",  # an object is in use
    "55P03",  # a lock was not to be had
}

_NOTHING_DONE_CODES = {"40000", "40001", "40002", "40P01", "55006", "55P03", "57014"}

_REASONS = (
    (asyncpg.DiskFullError, "its disk is full"),
    (asyncpg.TooManyConnectionsError, "it has no connection left"),
    (asyncpg.ReadOnlySQLTransactionError, "it is read-only"),
    (asyncpg.LockNotAvailableError, "another session holds a lock"),
    (asyncpg.InvalidAuthorizationSpecificationError, "it refuses the credentials"),
    (asyncpg.InvalidCatalogNameError, "the database is not there"),
    (asyncpg.TransactionRollbackError, "it rolled the transaction back"),
    ((TimeoutError, asyncpg.QueryCanceledError), "no answer in time"),
    (asyncpg.OperatorInterventionError, "it is starting or shutting down"),
    (
        (
            OSError,
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # what it makes of a session that was just ended
        ),
        "it cannot be reached",
    ),
)


def is_transient(error: Exception) -> bool:
    """Whether a retry of the same call may succeed."""
    if not isinstance(error, asyncpg.PostgresError):
        return isinstance(error, DRIVER_ERRORS)
    code = error.sqlstate or ""
    return code[:2] in _TRANSIENT_CLASSES or code in _TRANSIENT_CODES


def did_nothing(error: BaseException) -> bool:
    """Whether PostgreSQL rolled the statement back, for a transient reason."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _NOTHING_DONE_CODES


def unavailable(error: Exception) -> StorageUnavailable:
    reasons = (words for kind, words in _REASONS if isinstance(error, kind))
    return StorageUnavailable("PostgreSQL", next(reasons, "it refuses for now"), message(error))


def message(error: Exception) -> str:
    """The text of `error` in one line; empty for a timeout."""
    return " ".join(str(error).split())
