"""Writes that never replace a document with an older one."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import bson
from bson.errors import BSONError
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from app.adapters.mongo.client import Collection as MongoCollection
from app.adapters.mongo.documents import stored
from app.framework.projections import CannotStore, Versioned

_DUPLICATE_KEY = 11000
_LARGEST_DOCUMENT = 16 * 1024 * 1024


@contextlib.contextmanager
def storing(build: str, documents: Mapping[str, Versioned]) -> Iterator[None]:
    """Raise CannotStore if it is one of `documents` for which they cannot be written."""
    try:
        yield
    except (BSONError, OverflowError, UnicodeEncodeError, OperationFailure):
        for key, each in documents.items():
            if (why := _unstorable(key, each)) is not None:
                # The driver's error may quote the document.
                raise CannotStore(build, key, why) from None
        raise


async def write_guarded(
    collection: MongoCollection, documents: Mapping[str, Versioned], created: Collection[str]
) -> None:
    """Store `documents` by key, except where one is stored at the same or a later position.

    Keys in `created` are inserted first, which is much cheaper for MongoDB.
    """
    operations = [
        InsertOne(stored(key, each))
        if key in created and each.document is not None
        else _guarded(key, each)
        for key, each in documents.items()
    ]
    try:
        await collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        # Another projector has created these meanwhile, at an earlier or a later position.
        entries = list(documents.items())
        again = [_guarded(*entries[index]) for index in _duplicates(error)]
        await collection.bulk_write(again, ordered=False)


async def replace_guarded(
    collection: MongoCollection,
    seen: Mapping[str, Versioned | None],
    due: Mapping[str, Versioned],
) -> None:
    """Store the documents `due` by key, where the stored one has the position it has in `seen`."""
    try:
        await collection.bulk_write(
            [_replacing(key, seen[key], each) for key, each in due.items()], ordered=False
        )
    except BulkWriteError as error:
        # Those were created meanwhile, and so they are not as seen.
        _duplicates(error)


def _unstorable(key: str, versioned: Versioned) -> str | None:
    """Why MongoDB cannot store a document; None if it can."""
    try:
        size = len(bson.encode(stored(key, versioned)))
    except OverflowError:
        return "an integer of it has more than 64 bits"
    except (BSONError, UnicodeEncodeError):
        return "MongoDB has no type for a value of it, or it has an invalid text"
    return "it is larger than 16 MB" if size > _LARGEST_DOCUMENT else None


def _guarded(key: str, versioned: Versioned) -> UpdateOne:
    # The guard is in the update. In the filter it would prevent MongoDB's fast path for _id, and a
    # newer document could be refused as a duplicate of an older one just inserted.
    # A document that is absent has no position, which is less than any.
    is_older = {"$lt": ["$_position", versioned.position]}
    return UpdateOne({"_id": key}, _replacement(key, versioned, is_older), upsert=True)


def _replacing(key: str, seen: Versioned | None, due: Versioned) -> UpdateOne:
    # A document that another program stored has no position, and is read as at 0.
    position = {"$ifNull": ["$_position", None if seen is None else 0]}
    is_as_seen = {"$eq": [position, None if seen is None else seen.position]}
    return UpdateOne({"_id": key}, _replacement(key, due, is_as_seen), upsert=seen is None)


def _replacement(key: str, versioned: Versioned, condition: Mapping[str, Any]) -> list[Any]:
    """The update that stores a document if `condition` is true of the stored one."""
    new: dict[str, Any] = {"$literal": stored(key, versioned)}
    if versioned.document is None:
        # MongoDB's clock, which also decides when it drops tombstones.
        new = {"$mergeObjects": [new, {"_deleted": "$$NOW"}]}
    return [{"$replaceWith": {"$cond": [condition, new, "$$ROOT"]}}]


def _duplicates(error: BulkWriteError) -> list[int]:
    failures = error.details["writeErrors"]
    others = [each for each in failures if each["code"] != _DUPLICATE_KEY]
    if others or error.details["writeConcernErrors"]:
        raise error
    return [each["index"] for each in failures]
