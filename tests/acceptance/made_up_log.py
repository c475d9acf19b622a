"""A large log of made-up people, as a file that `import` takes."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.framework.eventsourcing.archive import Header, StoredEvent
from app.framework.eventsourcing.archive.log_format import event_line
from tests.people import Person, person

EVENTS_A_USER = 4
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(milliseconds=20)


def write_log(path: Path, events: int) -> int:
    """Write a log of so many events; return of how many users."""
    users = events // EVENTS_A_USER
    with path.open("wb") as file:
        file.write(Header(str(uuid.uuid4()), users * EVENTS_A_USER).line())
        for position, (number, version) in enumerate(_order(users), 1):
            file.write(event_line(_stored(position, person(number), version)))
    return users


def _order(users: int) -> Iterator[tuple[int, int]]:
    """Which user's next event follows: each is registered, and others change what they have."""
    for step in range(users * 2):
        # The changes of a user come long after the registration, and apart from one another.
        if step < users:
            yield step, 1
        for version, lag in enumerate((users // 4, users // 2, users), 2):
            if 0 <= step - lag < users:
                yield step - lag, version


def _stored(position: int, who: Person, version: int) -> StoredEvent:
    kind, data = (
        (
            "UserRegistered",
            {
                "user_id": who.id,
                "name": who.name,
                "email": who.email,
                "avatar_url": who.avatar_url,
                "bio": None,
            },
        ),
        ("UserNameChanged", {"name": who.new_name}),
        ("UserBioChanged", {"bio": who.bio}),
        ("UserAvatarChanged", {"avatar_url": f"https://avatars.example.com/new/{who.id}.png"}),
    )[version - 1]
    return StoredEvent(
        position,
        f"user-{who.id}",
        version,
        kind,
        1,
        json.dumps(data),
        json.dumps({"correlation_id": f"request-{position}"}),
        BEGAN + position * APART,
    )
