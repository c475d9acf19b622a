"""Which errors of MongoDB are an outage, and which are mistakes where retrying will not help."""

from typing import Any

import pytest
from pymongo import helpers_shared
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WriteError,
)

from app.adapters.mongo.client import answering
from app.framework.storage import StorageTimeout, StorageUnavailable

PASSING = {
    "ShutdownInProgress": 91,
    "PrimarySteppedDown": 189,
    "InterruptedAtShutdown": 11600,
    "InterruptedDueToReplStateChange": 11602,
    "NotWritablePrimary": 10107,
    "NotPrimaryNoSecondaryOk": 13435,
    "NotPrimaryOrSecondary": 13436,
    "ExceededTimeLimit": 262,
    "MaxTimeMSExpired": 50,
    "CursorNotFound": 43,
    "CursorKilled": 237,
    "AuthenticationFailed": 18,
    "OutOfDiskSpace": 14031,
}
LASTING = {"BadValue": 2, "Unauthorized": 13, "DocumentTooLarge": 17280, "IndexConflict": 85}


def bulk(code: int, kind: str = "writeErrors") -> BulkWriteError:
    """A bulk write of which something went wrong."""
    results: dict[str, Any] = {"writeErrors": [], "writeConcernErrors": []}
    results[kind] = [{"index": 0, "code": code, "errmsg": "m"}]
    return BulkWriteError(results)


async def outcome(error: PyMongoError) -> type[BaseException]:
    """What becomes of an error of the driver."""
    try:
        async with answering():
            raise error  # noqa: TRY301 - as a call of the driver would
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is compared
        return type(raised)


def answered(answer: dict[str, Any]) -> PyMongoError:
    """The error the driver makes of a server's answer to a write."""
    try:
        helpers_shared._check_command_response(answer, None, parse_write_concern_error=True)
        helpers_shared._check_write_command_response(answer)
    except PyMongoError as error:
        return error
    raise AssertionError(answer)


@pytest.mark.parametrize("code", PASSING.values(), ids=PASSING)
async def test_a_refusal_that_passes_is_an_outage(code):
    """In whatever part of its answer the server says so."""
    said = {"code": code, "errmsg": "m"}
    for answer in (
        {"ok": 0, **said},
        {"ok": 1, "n": 0, "writeErrors": [{"index": 0, **said}]},
        {"ok": 1, "n": 1, "writeConcernError": said},
    ):
        assert issubclass(await outcome(answered(answer)), StorageUnavailable)
    for kind in ("writeErrors", "writeConcernErrors"):
        assert await outcome(bulk(code, kind)) is StorageUnavailable


async def test_a_call_that_ran_out_of_its_time_is_told_from_an_outage():
    """It fails alone: others need not be refused for it."""
    said = {"ok": 0, "code": PASSING["MaxTimeMSExpired"], "errmsg": "m"}
    assert await outcome(answered(said)) is StorageTimeout


@pytest.mark.parametrize("code", sorted(helpers_shared._RETRYABLE_ERROR_CODES))
async def test_what_the_driver_would_retry_is_an_outage(code):
    """The list here must hold all that the driver's own does."""
    assert await outcome(OperationFailure("m", code)) is StorageUnavailable


@pytest.mark.parametrize("label", ["RetryableWriteError", "TransientTransactionError"])
async def test_what_the_server_says_may_be_tried_again_is_an_outage(label):
    """By a label, whatever the code is."""
    error = OperationFailure("m", 123456, {"errorLabels": [label]})
    assert await outcome(error) is StorageUnavailable


@pytest.mark.parametrize("code", [64, 79, 100, 91], ids=str)
async def test_what_no_majority_acknowledged_is_an_outage(code):
    """It is written, and whether it stays is unknown."""
    assert await outcome(WriteConcernError("m", code)) is StorageUnavailable
    assert await outcome(bulk(code, "writeConcernErrors")) is StorageUnavailable


@pytest.mark.parametrize("code", LASTING.values(), ids=LASTING)
async def test_a_mistake_stays_one(code):
    """It is not taken for an outage, which the projector would wait out for ever."""
    assert await outcome(OperationFailure("m", code)) is OperationFailure
    assert await outcome(WriteError("m", code)) is WriteError
    assert await outcome(bulk(code)) is BulkWriteError
    assert await outcome(DuplicateKeyError("m", 11000)) is DuplicateKeyError
