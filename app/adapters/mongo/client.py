"""The client of MongoDB, with either driver; it raises the errors of the ports."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
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

Found = dict[str, Any]
"""A stored document."""

Election = tuple[object, object]
"""Identifies an election of a primary, if MongoDB is a replica set."""

NO_ELECTION: Election = (None, None)

Collection = Any
"""A collection of either driver: they share no type, only the names of methods."""

ANSWER_SECONDS = 4.0
"""How long MongoDB may take to answer, so that a caller gets an error within 5 s."""

DRIVER_SECONDS = 3.0
"""The timeout of the driver: less than ANSWER_SECONDS, so that it frees its threads and
connections, and reports the cause."""

CONNECT_SECONDS = 2.5
"""The timeout for connecting to one server."""

TRUSTED_SECONDS = 30.0
"""How long a connection may be idle and still be used."""

LEAVE_SECONDS = 1.0
"""The timeout for ending sessions at the server."""

# A URL's own options win over all of these.
_COMMON_OPTIONS: dict[str, Any] = {
    "appname": IDENTIFIER,
    # A NAT or a balancer may drop connections that are idle for long.
    "maxIdleTimeMS": int(TRUSTED_SECONDS * 1000),
    "connectTimeoutMS": int(CONNECT_SECONDS * 1000),
}

# Without the driver's retries of writes, for which MongoDB keeps a record of each: all writes here
# are idempotent, and the projector retries them.
_OPTIONS: dict[str, Any] = {
    **_COMMON_OPTIONS,
    # For a whole call: server selection, connecting, retries.
    "timeoutMS": int(DRIVER_SECONDS * 1000),
    "retryWrites": False,
}

# For calls with a time limit in MongoDB, which "timeoutMS" would replace.
_INTERRUPTIBLE_OPTIONS: dict[str, Any] = {
    **_COMMON_OPTIONS,
    "serverSelectionTimeoutMS": int(DRIVER_SECONDS * 1000),
    "socketTimeoutMS": int(DRIVER_SECONDS * 1000),
}

# The projector ignores these options of the URL. A document that is folded from a stale one of a
# secondary would be wrong for ever, and so would one whose write is lost after the checkpoint is
# saved. Reads are "local": the primary has every write that it acknowledged, while right after an
# election a "majority" may not.
_PRIMARY: dict[str, Any] = {
    "read_preference": ReadPreference.PRIMARY,
    "read_concern": ReadConcern("local"),
    "write_concern": WriteConcern("majority"),
}


class Client:
    """Connects at its first use, and reconnects by itself."""

    def __init__(
        self, url: str, database: str, driver: Driver, options: Mapping[str, Any] = _OPTIONS
    ) -> None:
        """Connect to nothing yet. The URL's own options win over `options`."""
        self._given = given = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
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
        """The collection of this name for queries: the URL says which member they read from."""
        collection = self._views.get(name)
        if collection is None:
            collection = self._views[name] = self._database()[name]
        return collection

    def primary(self, name: str) -> Collection:
        """The collection of this name for the projector.

        It reads from the primary, and a majority acknowledges its writes, also if the URL says
        otherwise.
        """
        collection = self._primaries.get(name)
        if collection is None:
            collection = self._primaries[name] = self.view(name).with_options(**_PRIMARY)
        return collection

    @property
    def election(self) -> Election:
        """The last election of a primary that this client knows of; it never goes back."""
        return election_of(self._client) if self._client is not None else NO_ELECTION

    @property
    def database_name(self) -> str:
        """The name of the database."""
        return self._database_name

    async def command(self, name: str) -> Any:
        """The answer to a command without arguments."""
        return await self._database().command(name)

    async def collection_uuid(self, name: str) -> str | None:
        """What MongoDB calls a collection since it was created; None if there is none."""
        found = await self._database().command(
            {"listCollections": 1, "filter": {"name": name}, "cursor": {}}
        )
        first = found["cursor"]["firstBatch"]
        return str(first[0]["info"]["uuid"].hex()) if first else None

    def dedicated_client(self) -> "Client":
        """A client of the same database for a long operation.

        It never uses motor, whose threads cannot be cancelled: one that waits for a silent server
        would keep the process from ending.
        """
        return Client(self._url, self._database_name, "pymongo")

    def interruptible(self) -> "Client":
        """A client of the same database whose calls end in MongoDB when they are cancelled.

        PyMongo closes the connection, and MongoDB ends the operation. A thread of motor would wait
        for the answer, and block other calls.
        """
        return Client(self._url, self._database_name, "pymongo", _INTERRUPTIBLE_OPTIONS)

    def blocking(self) -> pymongo.MongoClient[Found]:
        """A driver's client of the same server for one thread, which has to close it."""
        options = self._options
        if "servermonitoringmode" not in self._given:
            # Without a further thread and connection for each server, for its state.
            options = {**options, "serverMonitoringMode": "poll"}
        return pymongo.MongoClient(self._url, tz_aware=True, **options)

    async def close(self) -> None:
        """Disconnect; later calls raise StorageUnavailable."""
        self._closed = True
        client, self._client = self._client, None
        self._views.clear()
        self._primaries.clear()
        if client is not None:
            # It ends its sessions at the server; motor blocks the calling thread for that.
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
        return load_driver(self._driver)(self._url, tz_aware=True, **self._options)


def election_of(client: Any) -> Election:
    """The last election that a driver's client knows of: it takes no primary of one before."""
    known = client.topology_description
    return known.max_set_version, known.max_election_id


def load_driver(driver: Driver) -> Callable[..., Any]:
    """The client of a driver. Only the chosen one is imported: motor can be dropped one day."""
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415 - see above

        return AsyncIOMotorClient
    from pymongo import AsyncMongoClient  # noqa: PLC0415 - see above

    return AsyncMongoClient


@contextlib.asynccontextmanager
async def answering(seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Raise StorageUnavailable if MongoDB cannot be reached, or is silent for `seconds`.

    Other errors of the driver pass: retrying will not help.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StorageUnavailable("MongoDB", f"no answer within {seconds:g} s") from error
    except RuntimeError as error:
        # PyMongo's async client raises this if a call is cancelled during server selection.
        if "Lock is not acquired" not in str(error):
            raise
        raise StorageUnavailable("MongoDB", "the driver gave up a call") from error
    except PyMongoError as error:
        unavailable = outage(error)
        if unavailable is None:
            raise
        raise unavailable from error


def outage(error: PyMongoError) -> StorageUnavailable | None:
    """The error to raise for one of the driver; None if retrying will not help."""
    if not is_transient(error):
        return None
    if isinstance(error, OperationFailure) and error.code == TIME_LIMIT_EXCEEDED:
        return StorageTimeout("MongoDB", "a read exceeded its time limit", _message(error))
    return StorageUnavailable("MongoDB", reason(error), _message(error))


@contextlib.asynccontextmanager
async def checking() -> AsyncIterator[None]:
    """Like `answering`, for a check: errors of MongoDB become StorageNotReady.

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
    if isinstance(error, ConfigurationError):  # DNS does not know a name
        return True
    return isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED


def _not_ready(error: PyMongoError) -> StorageNotReady:
    return StorageNotReady("MONGODB_URL: MongoDB cannot be used", _message(error))


def _message(error: PyMongoError) -> str:
    # The rest describes every known server, or repeats the error.
    text = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    return text.partition(", full error:")[0]
