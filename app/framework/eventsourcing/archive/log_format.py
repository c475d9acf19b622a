"""The form of an exported log: JSON lines in UTF-8, a header and then an event a line.

All headers have one length, so that one can replace another in the file. Positions
are 1, 2, 3 ... up to that of the header: a file that ends before it is not complete.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.framework.eventsourcing.archive.stored_log import StoredEvent
from app.framework.eventsourcing.store import LAST_VERSION

FORMAT = "event-log"
FORMAT_VERSION = 1
HEADER_BYTES = 160

_LAST_POSITION = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: which log the file is of, and the position of its last event."""

    identity: str
    position: int

    def line(self) -> bytes:
        text = json.dumps(
            {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "log": self.identity,
                "position": self.position,
            }
        )
        return text.ljust(HEADER_BYTES - 1).encode() + b"\n"

    @staticmethod
    def is_begun_by(text: bytes) -> bool:
        """Whether `text` is what a header that was not written to its end leaves behind."""
        return _BEGINNING.startswith(text) or text.startswith(_BEGINNING)

    @staticmethod
    def of(line: bytes) -> "Header":
        """The header in `line`.

        Raises:
            ValueError: it is none, or of another version of the format.

        """
        header = _object(line)
        if header is None or header.get("format") != FORMAT:
            raise ValueError("it is no exported log")
        version = header.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(f"its format version is {version!r}, not {FORMAT_VERSION}")
        try:
            identity, position = str(UUID(header["log"])), header["position"]
        except (KeyError, ValueError, AttributeError, TypeError):
            raise ValueError("its header is damaged") from None
        if (
            len(line) != HEADER_BYTES
            or type(position) is not int
            or not 0 <= position <= _LAST_POSITION
        ):
            raise ValueError("its header is damaged")
        return Header(identity, position)


_BEGINNING = f'{{"format": "{FORMAT}", '.encode()


def event_line(event: StoredEvent) -> bytes:
    recorded_at = event.recorded_at.astimezone(UTC).isoformat(timespec="microseconds")
    return (
        f'{{"position": {event.position}, "stream_id": {_text(event.stream_id)}, '
        f'"version": {event.version}, "type": {_text(event.type)}, '
        f'"schema_version": {event.schema_version}, "data": {event.data}, '
        f'"metadata": {event.metadata}, "recorded_at": "{recorded_at.removesuffix("+00:00")}Z"}}\n'
    ).encode()


def event_in(line: bytes) -> StoredEvent:
    """The event in `line`, which ends with a line feed.

    Raises:
        ValueError: it is none; the message says why, and quotes nothing of it.

    """
    found = _object(line)
    if found is None or not line.endswith(b"\n"):
        raise ValueError("it is not an event in JSON")
    if found.keys() != _MEMBERS.keys():
        raise ValueError(f"its members are not {', '.join(_MEMBERS)}")
    for name, is_valid in _MEMBERS.items():
        if not is_valid(found[name]):
            raise ValueError(f"its {name} cannot be used")
    return StoredEvent(
        found["position"],
        found["stream_id"],
        found["version"],
        found["type"],
        found["schema_version"],
        json.dumps(found["data"]),
        json.dumps(found["metadata"]),
        _time(found["recorded_at"]),
    )


def is_same(event: StoredEvent, other: StoredEvent) -> bool:
    """Whether both are one event; their JSON may be written differently."""
    return _comparable(event) == _comparable(other)


def _comparable(event: StoredEvent) -> tuple[Any, ...]:
    metadata, data = json.loads(event.metadata), json.loads(event.data)
    return replace(event, data="", metadata=""), data, metadata


_text = json.JSONEncoder(ensure_ascii=False).encode


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


_decode = json.JSONDecoder(parse_constant=_no_number).decode


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = _decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_number_up_to(largest: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 1 <= value <= largest


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_name(value: Any) -> bool:
    # Databases store no NUL, and no half of a surrogate pair.
    return isinstance(value, str) and value != "" and "\0" not in value and _is_unicode(value)


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(value)
    return time.astimezone(UTC)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and _time(value) is not None
    except (ValueError, OverflowError):
        return False


_MEMBERS: dict[str, Callable[[Any], bool]] = {
    "position": _is_number_up_to(_LAST_POSITION),
    "stream_id": _is_name,
    "version": _is_number_up_to(LAST_VERSION),
    "type": _is_name,
    "schema_version": _is_number_up_to(LAST_VERSION),
    "data": _is_object,
    "metadata": _is_object,
    "recorded_at": _is_time,
}
