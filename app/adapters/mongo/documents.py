"""The stored form of documents: their fields at the top level, and those of the store.

_id: the key. _position: of the last event applied. _deleted: when the document was deleted;
such a tombstone has no fields, and MongoDB drops it after TOMBSTONE_SECONDS.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.framework.projections import Document, Entry, Versioned

TOMBSTONE_SECONDS = int(timedelta(days=7).total_seconds())
"""Longer than any projector may lag behind another on the same documents."""

NOT_DELETED = {"_deleted": {"$exists": False}}


def stored(key: str, versioned: Versioned) -> dict[str, Any]:
    """The stored form of a document; for a deleted one without the time of deletion."""
    return {**(versioned.document or {}), "_id": key, "_position": versioned.position}


def versioned_from(found: dict[str, Any]) -> Versioned:
    """The reverse of `stored`; it changes `found`."""
    position = _strip(found)
    return Versioned(None if "_deleted" in found else found, position)


def entry_from(found: dict[str, Any]) -> Entry:
    """The entry of a stored document that is not a tombstone; it changes `found`."""
    key = found["_id"]
    position = _strip(found)
    return Entry(key, found, position)


def is_tombstone(found: Mapping[str, Any]) -> bool:
    return "_deleted" in found


def _strip(found: Document) -> int:
    del found["_id"]
    position: int = found.pop("_position", 0)
    return position
