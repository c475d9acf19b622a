"""Opaque cursors: the start of the next page, bound to the filters and the order."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.framework.projections.ports import Seek

SortValue = str | int | datetime
"""The values that lists are sorted by."""


class InvalidCursor(ValueError):
    """The cursor is malformed, or belongs to another filter or order."""


def encode_cursor(seek: Seek, filters: Mapping[str, Any]) -> str:
    """`seek` as URL-safe text that `decode_cursor` accepts with the same `filters` only."""
    is_time = isinstance(seek.value, datetime)
    value = seek.value.isoformat() if is_time else seek.value
    parts = [_fingerprint(filters), int(is_time), value, seek.key]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, filters: Mapping[str, Any], sorts: type[SortValue]) -> Seek:
    """The reverse of `encode_cursor`, for a list sorted by values of the type `sorts`.

    Raises:
        InvalidCursor: it is malformed, belongs to other `filters`, or has a value of another type.

    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        fingerprint, is_time, value, key = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
        seek = Seek(_value(value, sorts, is_time=is_time), _text(key))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidCursor(
            "The cursor is malformed; send a next_cursor as it was given."
        ) from error
    if fingerprint != _fingerprint(filters):
        raise InvalidCursor("The cursor belongs to another filter or order; start without it.")
    return seek


def _fingerprint(filters: Mapping[str, Any]) -> str:
    # Conditions such as OneOf, and times, are compared as text.
    text = json.dumps(filters, sort_keys=True, ensure_ascii=False, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _value(value: Any, sorts: type[SortValue], *, is_time: int) -> SortValue:
    found = _time(value) if is_time else _scalar(value)
    if type(found) is not sorts:
        raise TypeError("a value that the list is not sorted by")
    return found


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time.astimezone(UTC)  # an OverflowError if that is before the year 1 or after 9999


def _scalar(value: str | int) -> str | int:
    if isinstance(value, int):
        if value.bit_length() > 63:  # noqa: PLR2004 - what a signed 64-bit integer holds
            raise ValueError("an integer no store can hold")
        return value
    return _text(value)


def _text(value: str) -> str:
    value.encode()  # a lone surrogate is a UnicodeEncodeError, anything but text an AttributeError
    return value
