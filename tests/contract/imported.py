"""A log to import."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.framework.eventsourcing import Claim
from app.framework.eventsourcing.archive import Held, StoredEvent, StoredLog

OTHER = "0d9c4a52-3f1e-4a86-9f41-2f0f5d0c9f11"
BEGIN = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def event(position: int, stream_id: str, version: int, **rest: Any) -> StoredEvent:
    """A stored event, by default a note."""
    given = StoredEvent(
        position=position,
        stream_id=stream_id,
        version=version,
        type="Noted",
        schema_version=1,
        data=json.dumps({"text": f"Zoë 🎨 {position}", "count": 0}),
        metadata=json.dumps({"actor": "alice"}),
        recorded_at=BEGIN + timedelta(microseconds=position),
    )
    return replace(given, **rest)


EVENTS = [
    event(1, "note-b", 1),
    event(2, "note-a", 1),
    event(3, "note-b", 2),
    event(4, "stranger-c", 1, type="Stranger", schema_version=7, data='{"x": [1.5, null]}'),
    event(5, "note-a", 2),
]
STREAMS = [
    Held("note-a", 2, [Claim("title", "a")]),
    Held("note-b", 2, [Claim("title", "b"), Claim("title", "c")]),
    Held("stranger-c", 1, []),
]


def comparable(events: Sequence[StoredEvent]) -> list[object]:
    """Events without regard of how their JSON is written."""
    return [
        (replace(each, data="", metadata=""), json.loads(each.data), json.loads(each.metadata))
        for each in events
    ]


async def import_all(log: StoredLog) -> None:
    """Import EVENTS and STREAMS."""
    await log.begin_import(OTHER, len(EVENTS))
    await log.add_events(EVENTS[:2])
    await log.add_events(EVENTS[2:])
    await log.add_streams(STREAMS)
    await log.finish_import(OTHER)
