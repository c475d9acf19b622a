"""Which errors of MongoDB are transient; all others are mistakes in our code or configuration."""

from collections.abc import Iterator

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

AUTHENTICATION_FAILED = 18
TIME_LIMIT_EXCEEDED = 50

_REASONS_BY_CODE = {
    AUTHENTICATION_FAILED: "it refuses the credentials",
    14031: "its disk is full",
}

_REASONS = (
    (NotPrimaryError, "it has no primary"),
    (ConnectionFailure, "it cannot be reached"),
    (ConfigurationError, "it cannot be reached"),
    (WriteConcernError, "no majority of its members answers"),
)

# By their names in MongoDB's error_codes.yml. The driver raises some as ConnectionFailure, but only
# for a whole command: for a single write, or for the acknowledgement by a majority, it does not.
_CODES = {
    6,  # HostUnreachable
    7,  # HostNotFound
    24,  # LockTimeout
    43,  # CursorNotFound: the server was restarted between two parts of an answer
    64,  # WriteConcernFailed (WriteConcernTimeout from 8.0 on)
    89,  # NetworkTimeout
    91,  # ShutdownInProgress
    112,  # WriteConflict
    133,  # FailedToSatisfyReadPreference
    134,  # ReadConcernMajorityNotAvailableYet
    175,  # QueryPlanKilled
    189,  # PrimarySteppedDown
    202,  # NetworkInterfaceExceededTimeLimit
    237,  # CursorKilled
    262,  # ExceededTimeLimit
    276,  # IndexBuildAborted
    9001,  # SocketException
    10058,  # LegacyNotPrimary
    10107,  # NotWritablePrimary
    11600,  # InterruptedAtShutdown
    11601,  # Interrupted
    11602,  # InterruptedDueToReplStateChange
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
    14031,  # OutOfDiskSpace
    AUTHENTICATION_FAILED,
    TIME_LIMIT_EXCEEDED,
}

_LABELS = (
    "RetryableWriteError",
    "TransientTransactionError",
    "RetryableError",
    "SystemOverloadedError",
)


def is_transient(error: PyMongoError) -> bool:
    """Whether a retry of the same call may succeed."""
    if error.timeout or any(error.has_error_label(each) for each in _LABELS):
        return True
    # The URL was checked: a configuration error now is one of the network. A write that no
    # majority has acknowledged may still be acknowledged later.
    if isinstance(error, ConnectionFailure | ConfigurationError | WriteConcernError):
        return True
    if isinstance(error, BulkWriteError) and error.details["writeConcernErrors"]:
        return True
    return isinstance(error, OperationFailure) and any(each in _CODES for each in _codes(error))


def reason(error: PyMongoError) -> str:
    """Why a call failed, in our words: they name no server."""
    codes = _codes(error) if isinstance(error, OperationFailure) else ()
    by_code = (_REASONS_BY_CODE[each] for each in codes if each in _REASONS_BY_CODE)
    by_kind = (words for kind, words in _REASONS if isinstance(error, kind))
    general = "no answer in time" if error.timeout else "it refuses for now"
    return next(by_code, next(by_kind, general))


def _codes(error: OperationFailure) -> Iterator[int | None]:
    yield error.code
    if isinstance(error, BulkWriteError):
        for each in error.details["writeErrors"]:
            yield each.get("code")
