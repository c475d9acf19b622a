"""Documents as they are stored: their fields at the top level, and what the store adds.

_id: the key. _position: of the last event applied. _deleted: when the document was deleted;
such a tombstone has no fields, and MongoDB drops it after TOMBSTONE_SECONDS.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.framework.projections import Document, Entry, Versioned

TOMBSTONE_SECONDS = int(timedelta(days=7).total_seconds())
"""Longer than any projector may be behind another on the same documents."""

NOT_DELETED = {"_deleted": {"$exists": False}}


def stored(key: str, versioned: Versioned) -> dict[str, Any]:
    """The stored form of a document; of one that was deleted, all but the time of that."""
    return {**(versioned.document or {}), "_id": key, "_position": versioned.position}


def versioned_from(found: dict[str, Any]) -> Versioned:
    """The reverse of `stored`; `found` is used up."""
    position = _strip(found)
    return Versioned(None if "_deleted" in found else found, position)


def entry_from(found: dict[str, Any]) -> Entry:
    """A stored document, not a tombstone, as queries see it; `found` is used up."""
    key = found["_id"]
    position = _strip(found)
    return Entry(key, found, position)


def is_tombstone(found: Mapping[str, Any]) -> bool:
    return "_deleted" in found


def _strip(found: Document) -> int:
    del found["_id"]
    position: int = found.pop("_position")
    return position
