"""A replica set of one node, for an embedded mongod."""

import time
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from app.framework.storage import StorageUnavailable

_SECONDS = 60.0
_POLL_SECONDS = 0.02
_NOT_YET_INITIALIZED = 94
_ALREADY_INITIALIZED = 23  # it has a configuration, which it is still loading


def initiate(address: str, name: str) -> None:
    """Make the mongod at `address` the primary of set `name`, and wait until it is.

    `address` is the path of its socket. A node that is a primary already stays one. If its data
    have moved to another address, its configuration is changed.

    Raises:
        StorageUnavailable: it did not become the primary.

    """
    url = f"mongodb://{quote(address, safe='')}/?directConnection=true"
    deadline = time.monotonic() + _SECONDS
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5_000) as client:
            while not _step(client, address, name):
                if time.monotonic() > deadline:
                    raise StorageUnavailable("MongoDB", f"no primary of {name} after {_SECONDS} s")
                time.sleep(_POLL_SECONDS)
    except PyMongoError as error:
        raise StorageUnavailable("MongoDB", "it cannot be set up", str(error)) from error


def _step(client: MongoClient[dict[str, Any]], address: str, name: str) -> bool:
    """Whether the node is the primary; if not, do one step towards it."""
    try:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary") is True and hello.get("me") == address:
            return True
        _configure(client, address, name)
    except ServerSelectionTimeoutError:
        raise
    except AutoReconnect:
        pass  # a node disconnects its clients when it changes its state
    return False


def _configure(client: MongoClient[dict[str, Any]], address: str, name: str) -> None:
    """Do one step towards the configuration; a node that is starting may refuse it at first."""
    member = {"_id": 0, "host": address}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
        if [each["host"] for each in config["members"]] != [address]:
            config |= {"version": config["version"] + 1, "members": [member]}
            client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            _begin(client, {"_id": name, "members": [member]})


def _begin(client: MongoClient[dict[str, Any]], config: dict[str, Any]) -> None:
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise
