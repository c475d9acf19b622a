"""The client of MongoDB, by either driver, and its failures in the words of the ports."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, TypeGuard
from urllib.parse import parse_qsl, urlsplit

import pymongo
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from app import IDENTIFIER
from app.adapters.mongo.transient_errors import (
    AUTHENTICATION_FAILED,
    TIME_LIMIT_EXCEEDED,
    is_transient,
    reason,
)
from app.framework.storage import StorageNotReady, StorageTimeout, StorageUnavailable

Driver = Literal["motor", "pymongo"]

Collection = Any
"""A collection of either driver: they share no type, only methods of the same names."""

ANSWER_SECONDS = 4.0
"""How long MongoDB may take to answer, so that a caller hears of its absence within 5 s."""

DRIVER_SECONDS = 3.0
"""When the driver gives up a call: before ANSWER_SECONDS, since it frees its threads and
connections then, and can say what was wrong."""

CONNECT_SECONDS = 2.5
"""When it gives up connecting to one server."""

TRUSTED_SECONDS = 30.0
"""For how long a connection may have been idle and is used again."""

LEAVE_SECONDS = 1.0
"""How long it tries to tell the server that it goes."""

# A URL's own options win over all of these.
_COMMON_OPTIONS: dict[str, Any] = {
    "appname": IDENTIFIER,
    # What stands between (NAT, a balancer) may have forgotten a connection that was idle for long.
    "maxIdleTimeMS": int(TRUSTED_SECONDS * 1000),
    "connectTimeoutMS": int(CONNECT_SECONDS * 1000),
}

# The driver need not be able to repeat writes, for which MongoDB keeps a record of each: every
# write here may be repeated as it is, and the projector does so.
_OPTIONS: dict[str, Any] = {
    **_COMMON_OPTIONS,
    # Over all of a call: choosing a server, connecting, trying again.
    "timeoutMS": int(DRIVER_SECONDS * 1000),
    "retryWrites": False,
}

# For calls that have a limit of their own in MongoDB: "timeoutMS" would replace it.
_INTERRUPTIBLE_OPTIONS: dict[str, Any] = {
    **_COMMON_OPTIONS,
    "serverSelectionTimeoutMS": int(DRIVER_SECONDS * 1000),
    "socketTimeoutMS": int(DRIVER_SECONDS * 1000),
}

# What the projector reads and writes follows no option of the URL. A document that is folded
# from a stale one, as a secondary may have, is wrong for ever; so is one whose write is lost
# after the checkpoint is saved. Reads are "local": what the primary has includes all that it
# acknowledged, while right after an election a "majority" may not.
_PRIMARY: dict[str, Any] = {
    "read_preference": ReadPreference.PRIMARY,
    "read_concern": ReadConcern("local"),
    "write_concern": WriteConcern("majority"),
}


class Client:
    """Connects when it is first used, and again by itself whenever the connection is lost."""

    def __init__(
        self, url: str, database: str, driver: Driver, options: Mapping[str, Any] = _OPTIONS
    ) -> None:
        """Connect to nothing yet. The URL's own options win over `options`."""
        given = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
        self._url = url
        self._options = {
            name: value for name, value in options.items() if name.lower() not in given
        }
        self._database_name = database
        self._driver = driver
        self._client: Any = None
        self._views: dict[str, Collection] = {}
        self._primaries: dict[str, Collection] = {}
        self._closed = False

    def view(self, name: str) -> Collection:
        """The collection of this name for queries: read from where the URL says."""
        collection = self._views.get(name)
        if collection is None:
            collection = self._views[name] = self._database()[name]
        return collection

    def primary(self, name: str) -> Collection:
        """The collection of this name for the projector, whatever the URL says.

        It is read from the primary, and a write is acknowledged once a majority has it.
        """
        collection = self._primaries.get(name)
        if collection is None:
            collection = self._primaries[name] = self.view(name).with_options(**_PRIMARY)
        return collection

    async def command(self, name: str) -> Any:
        """What MongoDB answers to a command without arguments."""
        return await self._database().command(name)

    def dedicated_client(self) -> "Client":
        """A client of the same database for a long operation.

        It never uses motor, whose threads cannot be cancelled: one that waits for a silent server
        would keep the process from ending.
        """
        return Client(self._url, self._database_name, "pymongo")

    def interruptible(self) -> "Client":
        """A client of the same database whose calls end in MongoDB when they are cancelled.

        PyMongo hangs up then, upon which MongoDB ends the operation. motor's thread would wait
        for the answer, and be missed by others.
        """
        return Client(self._url, self._database_name, "pymongo", _INTERRUPTIBLE_OPTIONS)

    async def close(self) -> None:
        """Part from MongoDB; later calls raise StorageUnavailable."""
        self._closed = True
        client, self._client = self._client, None
        self._views.clear()
        self._primaries.clear()
        if client is not None:
            # It takes leave of the server: motor's does so in whichever thread calls it.
            is_motor = self._driver == "motor"
            closing = asyncio.to_thread(client.close) if is_motor else client.close()
            with contextlib.suppress(TimeoutError, PyMongoError), pymongo.timeout(LEAVE_SECONDS):
                await asyncio.wait_for(closing, ANSWER_SECONDS)

    def _database(self) -> Any:
        if self._closed:
            raise StorageUnavailable("MongoDB", "the client is closed")
        if self._client is None:
            self._client = self._connect()
        return self._client[self._database_name]

    def _connect(self) -> Any:
        # Each driver is imported only if it is chosen: motor may go out of use one day.
        if self._driver == "motor":
            from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415 - see above

            return AsyncIOMotorClient(self._url, tz_aware=True, **self._options)
        from pymongo import AsyncMongoClient  # noqa: PLC0415 - see above

        return AsyncMongoClient(self._url, tz_aware=True, **self._options)


@contextlib.asynccontextmanager
async def answering(seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Turn a MongoDB that cannot be reached, or is silent for `seconds`, into StorageUnavailable.

    Other errors of the driver pass: retrying will not help.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StorageUnavailable("MongoDB", f"no answer within {seconds:g} s") from error
    except RuntimeError as error:
        # PyMongo's async client, when a call is cancelled while it gives up waiting for a server.
        if "Lock is not acquired" not in str(error):
            raise
        raise StorageUnavailable("MongoDB", "the driver gave up a call") from error
    except PyMongoError as error:
        if not is_transient(error):
            raise
        if isinstance(error, OperationFailure) and error.code == TIME_LIMIT_EXCEEDED:
            raise StorageTimeout(
                "MongoDB", "a read exceeded its time limit", _message(error)
            ) from error
        raise StorageUnavailable("MongoDB", reason(error), _message(error)) from error


@contextlib.asynccontextmanager
async def checking() -> AsyncIterator[None]:
    """As `answering`, for a check: what MongoDB refuses becomes StorageNotReady.

    Refused credentials too: for requests they are an outage, here the operator has to act.
    """
    try:
        async with answering():
            yield
    except StorageUnavailable as error:
        if not _is_configuration_error(error.__cause__):
            raise
        raise _not_ready(error.__cause__) from error
    except PyMongoError as error:
        raise _not_ready(error) from error


def _is_configuration_error(error: BaseException | None) -> TypeGuard[PyMongoError]:
    if isinstance(error, ConfigurationError):  # of a name that DNS does not know
        return True
    return isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED


def _not_ready(error: PyMongoError) -> StorageNotReady:
    return StorageNotReady("MONGODB_URL: MongoDB cannot be used", _message(error))


def _message(error: PyMongoError) -> str:
    # Server selection goes on to describe every server it knows, a refusal to repeat itself.
    text = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    return text.partition(", full error:")[0]
